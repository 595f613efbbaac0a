"""Cells of (source, community) where exposure is known: counted, expected and scored.

Counted are shares by users who had been exposed; those by others say how far a source pulls
people who were not shown it, and nothing of how it resonates. Cells that were exposed
and shared nothing take part in the fit, and are shown where shares were to be expected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.affinity import Cells, event_labels, is_own_audience
from engine.cells import FEW_SHARERS, ScoredCells, guards, listed, spread_out
from engine.csr import Floats, Ints, Longs
from engine.dispersion import Dispersion
from engine.exposed_fit import ExposedFit, fit_exposed
from engine.exposure import Exposure
from engine.lift import SMALLEST_EXPECTED, Posterior, posterior
from engine.sources import SourceEvents

__all__ = ["TOLD", "score_exposed", "told"]

TOLD: Final = 0.1
"""Expected shares from which a cell without one is shown: fewer say nothing."""

MANY: Final = 200_000
"""Cells above which the posterior is worked out on expectations to half a percent."""
_STEPS: Final = 128.0
"""Steps of a doubling that those are rounded to."""

Flags = npt.NDArray[np.bool_]


def score_exposed(
    exposure: Exposure,
    fold: Ints,
    labels: npt.NDArray[np.int32],
    scored: Flags,
    *,
    false_sign_rate: float,
) -> ScoredCells:
    """Count cells, fit what exposure and habit let expect, and say what is known of each.

    Parameters
    ----------
    exposure
        What sources of a kind put before whom.
    fold
        Fold of each source of the exposure, those without a share among them.
    labels
        Community of each user in each fold, int32[F, n]; -1 outside any.
    scored
        Which communities are scored, bool[k].
    false_sign_rate
        Part of the flagged list that may in truth lie at or below a lift of 1.
    """
    shares = exposure.shares
    inside = np.append(scored, False)[labels]
    masked = np.where(inside, labels, -1).astype(np.int32)
    fitted = fit_exposed(exposure, fold, masked, len(scored))

    def known(_: Cells, observed: Floats, expected: Floats) -> Posterior:
        return posterior(fitted.prior, *_rounded(observed, expected))

    return told(
        fitted,
        shares,
        exposure.seen,
        event_labels(shares, fold, masked),
        known=known,
        false_sign_rate=false_sign_rate,
    )


def told(
    fitted: ExposedFit,
    shares: SourceEvents,
    seen: Flags,
    label: Ints,
    *,
    known: Callable[[Cells, Floats, Floats], Posterior],
    false_sign_rate: float,
    everyone: Floats | None = None,
) -> ScoredCells:
    """Choose the cells that are shown, and say what is known of each.

    Parameters
    ----------
    fitted
        Every cell that was exposed.
    shares, seen, label
        Counted shares, whether their users had been exposed, and their communities.
    known
        Gives the posterior of those cells that have an expectation, by their weighted shares
        and expectation.
    false_sign_rate
        As for `score_exposed`.
    everyone
        Exposed shares of each community in all; by default those of these sources.
    """
    k = len(fitted.scale)
    every = label >= 0
    key = shares.source[every].astype(np.int64) * k + label[every]
    shared, total = np.unique(key, return_counts=True)
    place, keys = _shown(fitted, shared, len(shares.source_id), k)
    found = _Columns(fitted, place)
    source, community = (keys // max(k, 1)).astype(np.int32), (keys % max(k, 1)).astype(np.int32)
    usable = found.expected > SMALLEST_EXPECTED
    if everyone is None:
        everyone = np.bincount(fitted.community, fitted.observed, k).astype(np.float64)
    of_all = everyone[community]
    cells = Cells(
        source,
        community,
        found.observed,
        np.where(usable, found.comparable, np.nan),
        is_own_audience(found.observed, of_all),
        zero_expected=np.empty(0),
        zero_count=np.empty(0),
        lost_share=1.0 - float(every.mean()) if len(every) else 0.0,
    )
    use = np.flatnonzero(usable)
    spread = spread_out(
        known(cells.take(use), found.weighted_observed[use], found.weighted_expected[use]), usable
    )
    sharers, in_step = guards(shares.only(seen), label[seen], cells, k)
    sure = usable & ~cells.own_audience & (sharers >= FEW_SHARERS) & ~in_step
    all_shares = np.zeros(len(keys))
    all_shares[np.searchsorted(keys, shared)] = total
    return ScoredCells(
        cells,
        fitted.prior,
        Dispersion(fitted.phi, len(fitted.community), np.zeros(len(shares.source_id))),
        spread,
        usable,
        sharers,
        in_step,
        listed(spread, sure, false_sign_rate),
        np.where(usable, found.weight, np.nan),
        exposure=found.exposure,
        fit=_fit_of_audience(fitted, found.exposure, source, community, k),
        ambient=all_shares - found.observed,
        exposed=fitted,
    )


class _Columns:
    """Columns of the cells shown; a cell that was shared in but never exposed has zeros."""

    def __init__(self, fitted: ExposedFit, place: Longs) -> None:
        def column(values: Floats) -> Floats:
            return np.append(values, 0.0)[place]

        self.observed = column(fitted.observed)
        self.expected = column(fitted.expected)
        self.weighted_observed = column(fitted.weighted_observed)
        self.weighted_expected = column(fitted.weighted_expected)
        self.exposure = column(fitted.exposure)
        some = self.observed > 0
        above = np.where(some, self.weighted_observed, self.weighted_expected)
        below = np.where(some, self.observed, self.expected)
        self.weight = np.where(below > 0, above / np.where(below > 0, below, 1.0), 1.0)
        # On the scale of the shares counted, so that one weight holds for both.
        self.comparable = self.weighted_expected / self.weight


def _shown(fitted: ExposedFit, shared: Longs, sources: int, k: int) -> tuple[Longs, Longs]:
    """Return the keys of the cells shown, and the place of each among all (-1: not exposed)."""
    last = int(fitted.cell_of_source[sources])
    source = np.repeat(np.arange(sources), np.diff(fitted.cell_of_source[: sources + 1]))
    every = source.astype(np.int64) * k + fitted.community[:last]
    some = every[(fitted.observed[:last] > 0) | (fitted.expected[:last] >= TOLD)]
    keys = np.union1d(some, shared)
    at = np.searchsorted(every, keys)
    hit = at < len(every)
    hit[hit] = every[at[hit]] == keys[hit]
    return np.where(hit, at, -1), keys


def _rounded(observed: Floats, expected: Floats) -> tuple[Floats, Floats]:
    """Return shares and expectation; of many cells, to half a percent."""
    if len(observed) <= MANY:
        return observed, expected
    step = np.maximum(1.0 / 64.0, np.exp2(np.floor(np.log2(np.maximum(observed, 1.0))) - 7.0))
    return np.rint(observed / step) * step, np.exp2(np.rint(np.log2(expected) * _STEPS) / _STEPS)


def _fit_of_audience(
    fitted: ExposedFit, exposure: Floats, source: Ints, community: Ints, k: int
) -> Floats:
    """Return log2 of exposures over what sizes of audience and of community make of them."""
    by_source = np.bincount(fitted.source, fitted.exposure, len(fitted.cell_of_source) - 1)
    by_community = np.bincount(fitted.community, fitted.exposure, k)
    chance = by_source[source] * by_community[community] / max(float(by_source.sum()), 1.0)
    told = (exposure > 0) & (chance > 0)
    return np.where(
        told, np.log2(np.where(told, exposure, 1.0) / np.where(told, chance, 1.0)), np.nan
    )
