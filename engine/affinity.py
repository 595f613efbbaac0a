"""Shares counted and expected of each source in each community, with exposure unknown.

The expectation is the degree-corrected null: a community shares a source as often as its
part of all sharing says, platform by platform, with the source's own shares left out of
the community's habit. It cannot tell who could see what was shared: what exceeds it mixes
the audience of the source with that audience's reaction.

Every source is counted on the partition of its fold, in which no share of it took part;
counting on communities that saw the shares finds lifts that do not come true.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.csr import Floats, Ints, Longs
from engine.lift import SMALLEST_EXPECTED, expected_step, step_expected
from engine.sources import SourceEvents

__all__ = [
    "Cells",
    "Margins",
    "count_cells",
    "event_labels",
    "is_own_audience",
    "leave_own_out",
    "margins",
    "volumes",
]

EXACT_VOLUME: Final = 64
"""Volumes above this are rounded to 1/20 of a doubling where only a histogram is wanted."""
FEW_OTHERS: Final = 20
OWN_PART: Final = 0.5
BLOCK: Final = 2_000_000
"""Cells of the histogram worked on at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Margins:
    """How much each community shares of the sources of each fold.

    `total` float64[F, k]: shares of the fold's sources by members. `rate` float64[F, P, k]:
    its part of them on each platform. Shares by users outside any community count in
    the platform's total, so rates sum to less than one.
    """

    total: Floats
    rate: Floats

    def chance(self, volume: Longs, fold: Ints, community: Ints) -> Floats:
        """Return the expectation with own shares left in: `sum_p s_ap S_Cp / S_p`.

        `volume` int64[cells, P], `fold` and `community` int32[cells].
        """
        found = np.zeros(len(fold))
        for p in range(self.rate.shape[1]):
            found += volume[:, p] * self.rate[fold, p, community]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The (source, community) cells with at least one share, sorted by source, community.

    `expected` is NaN where the null expects nothing or the source is all that the
    community shares. `zero_expected` and `zero_count` are the histogram of what the cells
    without a share expect. `own_audience` marks cells in which the source makes up so much
    of the community's sharing that there is nothing to compare it with.
    """

    source: Ints
    community: Ints
    observed: Floats
    expected: Floats
    own_audience: npt.NDArray[np.bool_]
    zero_expected: Floats
    zero_count: Floats
    lost_share: float
    """Part of the shares by users outside any scored community [0,1]."""

    def __len__(self) -> int:
        return len(self.source)

    def against(self, expected: Floats, total: Floats) -> Cells:
        """Return the same cells held against another expectation.

        `total` is what their communities share in all.
        """
        return replace(self, expected=expected, own_audience=is_own_audience(self.observed, total))

    def take(self, index: npt.NDArray[np.intp]) -> Cells:
        """Return the cells at these places; what is known of all others stays."""
        return replace(
            self,
            source=self.source[index],
            community=self.community[index],
            observed=self.observed[index],
            expected=self.expected[index],
            own_audience=self.own_audience[index],
        )


def event_labels(events: SourceEvents, fold: Ints, labels: Ints) -> Ints:
    """Return the community of each event's user in the partition of its source's fold."""
    return np.asarray(labels[fold[events.source], events.user])


def volumes(events: SourceEvents, platforms: int) -> Longs:
    """Return the shares of each source on each platform, int64[sources, P]."""
    key = events.source.astype(np.int64) * platforms + events.platform
    count = np.bincount(key, minlength=len(events.source_id) * platforms)
    return count.reshape(-1, platforms).astype(np.int64)


def margins(events: SourceEvents, fold: Ints, label: Ints, shape: tuple[int, int, int]) -> Margins:
    """Count how much each community shares of the sources of each fold. O(events).

    Only shares that a fold's partition did not see count in that fold. A user is in a
    community *because of* shares of other folds, so counting those too would make every
    community look more active than it is where it is held to account.

    Parameters
    ----------
    events
        Shares of each source.
    fold
        Fold of each source.
    label
        Community of each event's user in that fold, -1 outside any.
    shape
        Folds, platforms, communities.
    """
    folds, platforms, k = shape
    key = (fold[events.source].astype(np.int64) * platforms + events.platform) * (k + 1)
    count = np.bincount(key + label + 1, minlength=folds * platforms * (k + 1))
    count = count.reshape(folds, platforms, k + 1)
    everyone = np.maximum(count.sum(axis=2, keepdims=True), 1)
    return Margins(count[:, :, 1:].sum(axis=1).astype(np.float64), count[:, :, 1:] / everyone)


def leave_own_out(chance: Floats, total: Floats, own: npt.ArrayLike) -> Floats:
    """Return what is expected of a source when its own shares do not make the habit.

    `E = E0 (S_C - O) / (S_C - E0)`; NaN where that is not positive.

    Examples
    --------
    >>> leave_own_out(np.array([8.4, 9.6]), np.array([42.0, 5.0]), [30.0, 5.0]).tolist()
    [3.0..., nan]
    """
    others, rest = total - np.asarray(own, np.float64), total - chance
    usable = (chance > 0) & (others > 0) & (rest > 0)
    return np.where(usable, chance * others / np.where(usable, rest, 1.0), np.nan)


def is_own_audience(observed: Floats, total: Floats) -> npt.NDArray[np.bool_]:
    """Say whether a source makes up so much of a community's sharing that nothing compares.

    Examples
    --------
    >>> is_own_audience(np.array([3.0, 3.0, 30.0]), np.array([22.0, 23.0, 55.0])).tolist()
    [True, False, True]
    """
    return (total - observed < FEW_OTHERS) | (observed > OWN_PART * total)


def count_cells(
    events: SourceEvents,
    fold: Ints,
    labels: npt.NDArray[np.int32],
    scored: npt.NDArray[np.bool_],
    *,
    platforms: int,
) -> Cells:
    """Count and expect the shares of each source in each scored community.

    Parameters
    ----------
    events
        What counts as a share of which source.
    fold
        Fold of each source, int32[sources].
    labels
        Community of each user in each fold, int32[F, n]; -1 outside any.
    scored
        Which communities are scored, bool[k].
    platforms
        Number of platforms.

    Notes
    -----
    O(events log events + profiles * communities): sources with the same shares on each platform
    are one profile, so that the cells without a share are never enumerated.
    """
    k = len(scored)
    label = event_labels(events, fold, labels)
    inside = np.append(scored, False)[label]  # -1 is outside, also where there is no community
    key = events.source[inside].astype(np.int64) * k + label[inside]
    pairs, observed = np.unique(key, return_counts=True)
    source, community = (pairs // k).astype(np.int32), (pairs % k).astype(np.int32)
    volume = volumes(events, platforms)
    margin = margins(events, fold, label, (len(labels), platforms, k))
    chance = margin.chance(volume[source], fold[source], community)
    total = margin.total[fold[source], community]
    zero_expected, zero_count = _zeros(volume, fold, margin, scored, (source, community))
    return Cells(
        source,
        community,
        observed.astype(np.float64),
        leave_own_out(chance, total, observed),
        is_own_audience(observed.astype(np.float64), total),
        zero_expected,
        zero_count,
        1.0 - float(inside.mean()) if len(inside) else 0.0,
    )


def _zeros(
    volume: Longs,
    fold: Ints,
    margin: Margins,
    scored: npt.NDArray[np.bool_],
    shared: tuple[Ints, Ints],
) -> tuple[Floats, Floats]:
    """Histogram of what the cells without a share expect: all cells less the others."""
    source, community = shared
    profile = _profiles(volume)
    kept = np.flatnonzero(scored).astype(np.int32)
    usable, where = _steps(_unshared(margin, profile[source], fold[source], community))
    found: dict[int, float] = {}
    _add(found, where, -usable.astype(np.float64))
    width = max(1, BLOCK // max(1, len(kept)))
    for f in range(len(margin.total)):
        rows, times = np.unique(profile[fold == f], axis=0, return_counts=True)
        for start in range(0, len(rows), width):
            part, n = rows[start : start + width], times[start : start + width]
            row, column = np.repeat(np.arange(len(part)), len(kept)), np.tile(kept, len(part))
            expected = _unshared(margin, part[row], np.full(len(row), f, np.int32), column)
            usable, where = _steps(expected)
            _add(found, where, np.where(usable, n[row], 0.0))
    steps = np.array(sorted(found), np.int64)
    count = np.array([found[s] for s in steps.tolist()])
    kept_steps = count > 0
    return step_expected(steps[kept_steps]), count[kept_steps]


def _steps(expected: Floats) -> tuple[npt.NDArray[np.bool_], Longs]:
    usable = expected > SMALLEST_EXPECTED
    return usable, expected_step(np.where(usable, expected, 1.0))


def _add(found: dict[int, float], steps: Longs, count: Floats) -> None:
    """Add counts to a histogram by step: a few hundred entries whatever the data."""
    kinds, inverse = np.unique(steps, return_inverse=True)
    for step, total in zip(kinds.tolist(), np.bincount(inverse, count).tolist(), strict=True):
        found[step] = found.get(step, 0.0) + total


def _profiles(volume: Longs) -> Longs:
    rounded = np.exp2(np.rint(np.log2(np.maximum(volume, 1)) * 20.0) / 20.0)
    return np.where(volume > EXACT_VOLUME, np.rint(rounded), volume).astype(np.int64)


def _unshared(margin: Margins, volume: Longs, fold: Ints, community: Ints) -> Floats:
    """Return what cells would expect if nothing of the source were shared there."""
    chance = margin.chance(volume, fold, community)
    found = leave_own_out(chance, margin.total[fold, community], np.zeros(len(fold)))
    return np.nan_to_num(found, nan=0.0)
