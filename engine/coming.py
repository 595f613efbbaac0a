"""What exposure after a moment lets expect, by the habits learned before it.

A claim of a tier that knows exposure is about people who were exposed. So it is held against
the shares of those who were exposed later and had not shared the source before, and what is
given away is who was exposed to what, and how much each community shared in all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.csr import Floats, Ints, Longs
from engine.exposed_fit import ExposedFit, Passes
from engine.exposure import Exposure
from engine.kernels.exposure import heard, turned
from engine.sources import SourceEvents

__all__ = ["Coming", "coming", "newcomers"]


@dataclass(frozen=True, slots=True, eq=False)
class Coming:
    """Shares expected after the moment, by source, then community, up to a factor each."""

    source: Ints
    community: Ints
    expected: Floats


def newcomers(train: SourceEvents, exposure: Exposure, moment: int) -> SourceEvents:
    """Return the later shares, by people who were exposed, of sources they had not shared."""
    later = exposure.shares.only(exposure.seen).since(moment)
    width = int(max(train.user.max(initial=0), later.user.max(initial=0))) + 1
    before = train.source.astype(np.int64) * width + train.user
    after = later.source.astype(np.int64) * width + later.user
    return later.only(~np.isin(after, before))


def coming(
    whole: Exposure,
    before: Exposure,
    fitted: ExposedFit,
    fold: Ints,
    labels: npt.NDArray[np.int32],
) -> Coming:
    """Return what the exposure of the time after lets expect of people new to a source.

    Parameters
    ----------
    whole, before
        Exposure in all the time, and before the moment.
    fitted
        Habits learned on the exposure before.
    fold
        Fold of each source of the exposure.
    labels
        Community of each user in each fold; -1 outside any that is scored.

    Notes
    -----
    Exposure after is that of all the time less that before, and less that of people who had
    shared the source before. O(folds * edges + acts).
    """
    k = len(fitted.scale)
    parts = [_expected(exposure, fitted, fold, labels, k) for exposure in (whole, before)]
    spent_key, spent = _spent(whole, before, fitted, fold, labels)
    keys = np.concatenate((parts[0][0], parts[1][0], spent_key))
    values = np.concatenate((parts[0][1], -parts[1][1], -spent))
    cells, inverse = np.unique(keys, return_inverse=True)
    found = np.bincount(inverse, values, len(cells)).astype(np.float64)
    some = found > 0
    source, community = np.divmod(cells[some], max(k, 1))
    return Coming(source.astype(np.int32), community.astype(np.int32), found[some])


def _expected(
    exposure: Exposure, fitted: ExposedFit, fold: Ints, labels: npt.NDArray[np.int32], k: int
) -> tuple[Longs, Floats]:
    passes = Passes(exposure, fold, labels, k)
    count = np.diff(passes.cell_of_source)
    sums = passes.over(fitted.habit, fitted.scale, np.ones(len(passes.community)), 0.0)
    source = np.repeat(np.arange(len(count), dtype=np.int64), count)
    known = source < len(exposure.shares.source_id)
    return (source * k + passes.community)[known], sums.expected[known]


def _spent(
    whole: Exposure,
    before: Exposure,
    fitted: ExposedFit,
    fold: Ints,
    labels: npt.NDArray[np.int32],
) -> tuple[Longs, Floats]:
    """Return what was expected later of those who had shared before, by cell."""
    train, users, k = before.shares, labels.shape[1], len(fitted.scale)
    pairs = np.unique(train.source.astype(np.int64) * users + train.user)
    source, person = np.divmod(pairs, users)
    start = np.searchsorted(source, np.arange(whole.sources + 1)).astype(np.int64)
    person = person.astype(np.int32)
    times = np.zeros(len(pairs))
    for exposure, sign in ((whole, 1.0), (before, -1.0)):
        offset, hears = turned(exposure.start, exposure.audience, np.ones(users, np.bool_))
        times += sign * heard(
            start,
            person,
            exposure.unit_of_source,
            exposure.channel_of_unit,
            exposure.channel,
            exposure.times,
            exposure.pair_of_unit,
            exposure.pair_user,
            exposure.pair_count,
            len(exposure.start) - 1,
            offset,
            hears,
        )
    label = labels[fold[source], person]
    inside = (label >= 0) & (times > 0)
    label = label[inside]
    expected = times[inside] * fitted.habit[person[inside]] * fitted.scale[label]
    return source[inside].astype(np.int64) * k + label, expected
