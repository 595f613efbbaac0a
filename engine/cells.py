"""What is known of each cell of (source, community): its lift, its guards, whether it lists.

Where exposure is unknown, cells are counted on cross-fitted communities (`engine.affinity`),
weighted for bunches of shares of one post (`engine.dispersion`), and given a lift with an
interval (`engine.lift`). Where it is known, `engine.exposed_cells` makes the same of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.affinity import Cells, count_cells, event_labels
from engine.csr import Floats, Ints
from engine.dispersion import Dispersion, dispersion
from engine.exposed_fit import ExposedFit
from engine.lift import Posterior, Prior, fit, posterior, posterior_mean
from engine.snapshot import NO_TIME
from engine.sources import SourceEvents

__all__ = [
    "FEW_SHARERS",
    "ScoredCells",
    "effective",
    "guards",
    "listed",
    "part_of",
    "score_cells",
    "spread_out",
]

FEW_SHARERS: Final = 3.0
"""Effective sharers below which a fan or a sock puppet could be all there is."""
IN_STEP: Final = 10_000_000
"""Microseconds: a median gap between shares up to this looks coordinated."""
ROUNDS: Final = 4
"""Turns of fitting the lifts and what a share counts; more change nothing."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class ScoredCells:
    """Cells with what is known of their lift, in the order of `cells`.

    `usable` marks cells with an expectation; the others have NaN in every figure.
    `flagged` marks the list: lift surely above 1, guards passed. `weight` is what a share
    counts: the posterior is that of `weight * observed` and `weight * expected`.
    `exposure` counts exposures of members, `fit` is log2 of how far the source's audience is
    there, `ambient` counts shares there by users who were not exposed: NaN, and `exposed`
    None, in tier affinity.
    """

    cells: Cells
    prior: Prior
    dispersion: Dispersion
    posterior: Posterior
    usable: Flags
    effective_sharers: Floats
    in_step: Flags
    flagged: Flags
    weight: Floats
    exposure: Floats
    fit: Floats
    ambient: Floats
    exposed: ExposedFit | None = None

    @property
    def pull(self) -> Floats:
        """Part of all shares of each cell by users who were not exposed; NaN without any."""
        return part_of(self.ambient, self.cells.observed + self.ambient)


def score_cells(
    shares: SourceEvents,
    fold: Ints,
    labels: npt.NDArray[np.int32],
    scored: Flags,
    *,
    platforms: int,
    false_sign_rate: float,
) -> ScoredCells:
    """Count cells, fit the spread of lifts over all of them, and say what is known of each.

    Parameters
    ----------
    shares, fold, labels, scored, platforms
        As `engine.affinity.count_cells` takes them.
    false_sign_rate
        Part of the flagged list that may in truth lie at or below a lift of 1.
    """
    cells = count_cells(shares, fold, labels, scored, platforms=platforms)
    label = event_labels(shares, fold, labels)
    bunched = dispersion(shares, label)
    usable = np.isfinite(cells.expected)
    o, e = cells.observed[usable], cells.expected[usable]
    prior, weight = _fit(cells, bunched, cells.source[usable], o, e)
    found = spread_out(posterior(prior, weight * o, weight * e), usable)
    sharers, in_step = guards(shares, label, cells, len(scored))
    unknown = np.full(len(cells), np.nan)
    counts = unknown.copy()
    counts[usable] = weight
    sure = usable & ~cells.own_audience & (sharers >= FEW_SHARERS) & ~in_step
    return ScoredCells(
        cells,
        prior,
        bunched,
        found,
        usable,
        sharers,
        in_step,
        listed(found, sure, false_sign_rate),
        counts,
        exposure=unknown,
        fit=unknown,
        ambient=unknown,
    )


def _fit(
    cells: Cells, bunched: Dispersion, source: Ints, o: Floats, e: Floats
) -> tuple[Prior, Floats]:
    """Fit the prior and what a share counts in turn: the weight depends on the lift."""
    # A cell without a share has a mean below about one: there is nothing to weigh down.
    zeros = np.zeros(len(cells.zero_count))
    count = np.concatenate((np.ones(len(o)), cells.zero_count))
    weight = bunched.weight(source, e)
    for turn in range(ROUNDS):
        prior = fit(
            np.concatenate((weight * o, zeros)),
            np.concatenate((weight * e, cells.zero_expected)),
            count,
        )
        if turn == ROUNDS - 1 or bool(np.all(weight == 1.0)):
            break
        weight = bunched.weight(source, posterior_mean(prior, weight * o, weight * e) * e)
    return prior, weight


def part_of(some: Floats, every: Floats) -> Floats:
    """Return `some / every`, NaN where there is nothing.

    Examples
    --------
    >>> part_of(np.array([1.0, 0.0]), np.array([4.0, 0.0])).tolist()
    [0.25, nan]
    """
    return np.where(every > 0, some / np.where(every > 0, every, 1.0), np.nan)


def spread_out(found: Posterior, usable: Flags) -> Posterior:
    """Put figures of the usable cells in their places, NaN elsewhere."""
    place = np.where(usable, np.cumsum(usable) - 1, len(found.lift))
    nan = np.array([np.nan])
    padded = [
        np.concatenate((column, nan))
        for column in (
            found.lift,
            found.mean,
            found.lift_low,
            found.lift_high,
            found.prob_above,
            found.resonance,
        )
    ]
    return Posterior(*padded).take(place)


def guards(shares: SourceEvents, label: Ints, cells: Cells, k: int) -> tuple[Floats, Flags]:
    """Return effective sharers of each cell, and whether its shares come in step."""
    cell = _cell_of(shares, label, cells, k)
    inside = np.flatnonzero(cell >= 0)
    sharers = effective(cell[inside], shares.user[inside], len(cells))
    timed = inside[shares.at[inside] != NO_TIME]
    order = timed[np.lexsort((shares.at[timed], cell[timed]))]
    of_gap = cell[order]
    next_too = of_gap[1:] == of_gap[:-1]
    # The interactions that one edge stands for are one moment, not a crowd in step.
    user, content, at = shares.user[order], shares.content[order], shares.at[order]
    next_too &= (user[1:] != user[:-1]) | (content[1:] != content[:-1]) | (at[1:] != at[:-1])
    gap, of_gap = np.diff(at)[next_too], of_gap[1:][next_too]
    return sharers, _median(of_gap, gap, len(cells)) <= IN_STEP


def _median(group: npt.NDArray[np.int64], value: npt.NDArray[np.int64], groups: int) -> Floats:
    """Lower median of the values of each group; infinite with fewer than two."""
    order = np.lexsort((value, group))
    count = np.bincount(group, minlength=groups)
    start = np.cumsum(count) - count
    found = np.full(groups, np.inf)
    many = count >= 2
    found[many] = value[order][(start + (count - 1) // 2)[many]]
    return found


def _cell_of(shares: SourceEvents, label: Ints, cells: Cells, k: int) -> npt.NDArray[np.int64]:
    """Return the place in `cells` of each event, -1 outside any."""
    keys = cells.source.astype(np.int64) * k + cells.community
    key = shares.source.astype(np.int64) * k + label
    at = np.searchsorted(keys, key)
    hit = (label >= 0) & (at < len(keys))
    hit[hit] = keys[at[hit]] == key[hit]
    return np.where(hit, at, -1)


def listed(found: Posterior, sure: Flags, rate: float) -> Flags:
    """Return the longest list, surest first, whose mean risk of a wrong sign is within `rate`."""
    candidates = np.flatnonzero(sure & (found.lift_low > 1.0))
    risk = 1.0 - found.prob_above[candidates]
    order = np.argsort(risk, kind="stable")
    running = np.cumsum(risk[order]) / np.arange(1, len(order) + 1)
    flagged = np.zeros(len(sure), np.bool_)
    flagged[candidates[order[running <= rate]]] = True
    return flagged


def effective(group: npt.NDArray[np.integer], user: Ints, groups: int) -> Floats:
    """Return `(sum n_u)^2 / sum n_u^2` over the users of each group: one fan counts once.

    Examples
    --------
    >>> effective(np.array([0, 0, 0, 0, 1, 1]), np.array([1, 1, 1, 2, 5, 6]), 2).tolist()
    [1.6, 2.0]
    """
    width = int(user.max(initial=0)) + 1
    pairs, count = np.unique(group.astype(np.int64) * width + user, return_counts=True)
    of = pairs // width
    total = np.bincount(of, count, groups)
    squares = np.bincount(of, count.astype(np.float64) ** 2, groups)
    return np.asarray(total**2 / np.maximum(squares, 1.0))
