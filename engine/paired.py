"""Forecasts of the same cells side by side: how far apart, and how sure that is.

Deviances are of Poisson counts, each forecast scaled to the right total. Differences to the
first forecast come with a 95 % interval by paired bootstrap: every source counts Poisson(1)
times, for all forecasts alike, 1,000 times. Ranks are those of all cells, and not worked out
anew in each replicate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import rankdata

from engine.baselines import Rival
from engine.calibration import poisson_slopes, replicates
from engine.csr import Floats, Ints
from engine.forecast import STEP, HeldCells

__all__ = ["Interval", "Judged", "judge", "predictions"]

TOP: Final = 10
_LARGEST: Final = 30.0
"""Largest ln of a forecast told apart."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the ends of its 95 % interval; NaN where it cannot be told."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Judged:
    """What a forecast is worth.

    `explained` is the part of the margins' deviance that it explains, `spearman` its rank
    correlation with what came, over cells, `ndcg` the normalised gain of its first ten
    sources of a community, averaged over communities. `ahead`, `ahead_rank` and `ahead_top`
    are the first forecast's figure less this one's.
    """

    explained: float
    spearman: float
    ndcg: float
    ahead: Interval
    ahead_rank: Interval
    ahead_top: Interval


def predictions(
    cells: HeldCells, said: Mapping[str, Rival], base: Floats, *, volume: bool
) -> dict[str, Floats]:
    """Turn what rivals say into ln of shares forecast.

    Parameters
    ----------
    cells
        The cells, with what came.
    said
        What each rival says of them.
    base
        What a claim of 1 expects of each cell.
    volume
        Whether a rival that claims nothing forecasts on top of `base`; otherwise by itself.
    """
    under = np.log(base)
    found = {}
    for name, rival in said.items():
        if rival.claims:
            found[name] = under + rival.log
            continue
        offset = base if volume else np.ones(len(cells))
        steps, at = np.unique(np.rint(rival.log / STEP), return_inverse=True)
        came, expected = (
            np.bincount(at, values)[None, :].astype(np.float64)
            for values in (cells.realised, offset)
        )
        power = float(poisson_slopes(steps * STEP, came, expected)[0])
        power = power if np.isfinite(power) else 0.0
        found[name] = np.log(offset) + power * rival.log
    return found


def judge(cells: HeldCells, forecasts: Mapping[str, Floats], seed: int) -> dict[str, Judged]:
    """Hold forecasts (ln of shares) against what came; the first is compared with the others.

    A forecast named `margins` is what the deviance explained is told by.
    """
    names = list(forecasts)
    deviances = _Deviances(cells, forecasts)
    ranks = _Ranks(cells, forecasts)
    gains = {name: _ndcg(cells, values) for name, values in forecasts.items()}
    rows = len(deviances.base)
    once = np.ones((rows, 1))
    explained, spearman = deviances.explained(once), ranks.correlations(once)
    weights = replicates(rows, seed)
    drawn_explained = np.concatenate([deviances.explained(w) for w in weights], axis=1)
    drawn_spearman = np.concatenate([ranks.correlations(w) for w in weights], axis=1)
    top = np.array([gains[name] for name in names])
    drawn_top = np.concatenate([_means(top, w) for w in replicates(top.shape[1], seed)], axis=1)
    top_mean = _means(top, np.ones((top.shape[1], 1)))
    return {
        name: Judged(
            float(explained[i, 0]),
            float(spearman[i, 0]),
            float(top_mean[i, 0]),
            _ahead(explained, drawn_explained, i),
            _ahead(spearman, drawn_spearman, i),
            _ahead(top_mean, drawn_top, i),
        )
        for i, name in enumerate(names)
    }


def _means(values: Floats, weight: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray(values @ weight / weight.sum(axis=0))


def _ahead(value: Floats, drawn: Floats, i: int) -> Interval:
    apart = drawn[0] - drawn[i]
    apart = apart[np.isfinite(apart)]
    if len(apart) == 0:
        return Interval(np.nan, np.nan, np.nan)
    low, high = np.quantile(apart, (0.025, 0.975))
    return Interval(float(value[0, 0] - value[i, 0]), float(low), float(high))


class _Deviances:
    """What the deviance of each forecast needs, summed by source."""

    def __init__(self, cells: HeldCells, forecasts: Mapping[str, Floats]) -> None:
        of, row = np.unique(cells.source, return_inverse=True)
        n, y = len(of), cells.realised
        some = y > 0
        self.base = np.bincount(row, np.where(some, y * np.log(np.where(some, y, 1.0)), 0.0), n)
        self.total = np.bincount(row, y, n)
        held = {k: np.clip(v, -_LARGEST, _LARGEST) for k, v in forecasts.items()}
        self.names = list(held)
        self.expected = np.array([np.bincount(row, np.exp(v), n) for v in held.values()])
        self.logs = np.array([np.bincount(row, y * v, n) for v in held.values()])

    def explained(self, weight: Floats) -> Floats:
        """Return the part of the margins' deviance explained, float64[forecasts, replicates]."""
        total = self.total @ weight
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = total * np.log(total / (self.expected @ weight))
            deviance = 2.0 * (self.base @ weight - self.logs @ weight - scale)
            return np.asarray(1.0 - deviance / deviance[self.names.index("margins")])


class _Ranks:
    """What the rank correlation of each forecast needs, summed by source."""

    def __init__(self, cells: HeldCells, forecasts: Mapping[str, Floats]) -> None:
        of, row = np.unique(cells.source, return_inverse=True)
        n = len(of)
        y = rankdata(cells.realised)
        y -= y.mean()

        def total(values: Floats) -> Floats:
            return np.bincount(row, values, n).astype(np.float64)

        self.count, self.y, self.yy = total(np.ones(len(cells))), total(y), total(y * y)
        x = [rankdata(values) for values in forecasts.values()]
        x = [values - values.mean() for values in x]
        self.x = np.array([total(v) for v in x])
        self.xx = np.array([total(v * v) for v in x])
        self.xy = np.array([total(v * y) for v in x])

    def correlations(self, weight: Floats) -> Floats:
        """Return the correlations, float64[forecasts, replicates]; NaN of what does not differ."""
        n, y = self.count @ weight, self.y @ weight
        x = self.x @ weight
        with np.errstate(divide="ignore", invalid="ignore"):
            both = self.xy @ weight - x * y / n
            spread = (self.xx @ weight - x * x / n) * (self.yy @ weight - y * y / n)
            return np.asarray(both / np.sqrt(np.maximum(spread, 0.0)))


def _ndcg(cells: HeldCells, forecast: Floats) -> Floats:
    """Return the gain of the first ten sources of each community over the best possible."""
    return _gains(cells, forecast) / _gains(cells, cells.realised)


def _gains(cells: HeldCells, order_by: Floats) -> Floats:
    """Sum up what came in the first ten of each community where something did."""
    alive, place = _communities(cells)
    order = np.lexsort((cells.source, -order_by, place))
    rank = np.arange(len(order)) - np.searchsorted(place[order], place[order])
    first = (rank < TOP) & alive[place[order]]
    kept = order[first]
    gain = cells.realised[kept] / np.log2(rank[first] + 2.0)
    return np.bincount(place[kept], gain, len(alive))[alive].astype(np.float64)


def _communities(cells: HeldCells) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], Ints]:
    """Say which communities shared anything later, and number those of the cells."""
    names, place = np.unique(cells.community, return_inverse=True)
    return np.bincount(place, cells.realised, len(names)) > 0, place.astype(np.int32)
