"""How well a run's scores say what was planted, beside every usual score.

Candidates are (actor, community) cells with at least three followers there; right are those
that were planted. A ranking is judged by average precision and precision at the top, an
interval by how often the true lift lies in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import spearmanr

from engine.csr import Floats, Ints
from kindred.demo.score_world import average_precision, precision
from tests.worlds.planted import World

__all__ = [
    "Found",
    "Honesty",
    "RollUp",
    "candidates",
    "find",
    "honesty",
    "matrix",
    "roll_up",
    "with_reach",
]

LEAST_FOLLOWERS: Final = 3
FEWEST_SHARES: Final = 10
"""Shares of an actor whose score over all communities is judged."""


@dataclass(frozen=True, slots=True)
class Found:
    """How much of the planted cells a ranking finds."""

    average_precision: float
    at_50: float
    at_100: float


@dataclass(frozen=True, slots=True)
class Honesty:
    """Whether intervals and flags mean what they say.

    `coverage` is the part of shown cells with a true lift inside the 90 % interval,
    `flagged_right` that of flagged cells with a true lift above 1 (NaN without any).
    """

    coverage: float
    flagged_right: float
    flagged: int
    flagged_share: float
    cells: int


@dataclass(frozen=True, slots=True)
class RollUp:
    """How the scores of actors over all communities agree with the planted part in excess."""

    spearman: float
    error: float
    """Mean absolute difference in points [0,100]."""
    coverage: float
    actors: int


def matrix(
    world: World,
    scores: pa.Table,
    column: str,
    communities: pa.StringArray,
    otherwise: float = float("nan"),
) -> Floats:
    """Return a column of a run's cells, float64[actors, k]; `otherwise` where it shows none."""
    cells = _cells(world, scores, communities)
    found = np.full((len(world.actors), len(communities)), otherwise)
    found[cells.actor, cells.label] = cells.column(column)
    return found


def find(world: World, values: Floats) -> Found:
    """Rank the candidates by these values; what is NaN comes last."""
    among = candidates(world)
    value = np.nan_to_num(values[among], nan=np.nanmin(values) - 1.0)
    right = world.planted[among]
    return Found(
        average_precision(value, right), precision(value, right, 50), precision(value, right, 100)
    )


def candidates(world: World) -> npt.NDArray[np.bool_]:
    """Say of each cell, bool[actors, k], whether it can be told from chance at all."""
    return world.followers_in >= LEAST_FOLLOWERS


def with_reach(world: World, values: Floats) -> float:
    """Return the rank correlation of values of the candidates with followers of the actor."""
    among = candidates(world)
    audience = np.repeat(world.followers_in.sum(axis=1)[:, None], values.shape[1], axis=1)
    return float(spearmanr(values[among], audience[among]).statistic)


def honesty(
    world: World, scores: pa.Table, communities: pa.StringArray, lift: Floats | None = None
) -> Honesty:
    """Hold intervals and flags against the true lifts (`lift`, by default of planted places)."""
    truth = world.lift if lift is None else lift
    cells = _cells(world, scores, communities)
    low, high = (cells.column(c) for c in ("lift_low", "lift_high"))
    known = np.isfinite(low)
    true = truth[cells.actor, cells.label]
    flagged = known & cells.flagged
    return Honesty(
        coverage=float(((low <= true) & (true <= high))[known].mean()),
        flagged_right=float((true[flagged] > 1.0).mean()) if flagged.any() else float("nan"),
        flagged=int(flagged.sum()),
        flagged_share=float(flagged.sum() / max(known.sum(), 1)),
        cells=int(known.sum()),
    )


def roll_up(world: World, scores: pa.Table, communities: pa.StringArray) -> RollUp:
    """Hold actors' scores over all communities against their planted part in excess."""
    cells = _cells(world, scores, communities)
    o = cells.column("observed")
    over = 100.0 * np.maximum(0.0, 1.0 - 1.0 / world.lift[cells.actor, cells.label])
    known = np.isfinite(cells.column("lift"))
    n = len(world.actors)
    shares = np.bincount(cells.actor[known], o[known], n)
    planted = np.bincount(cells.actor[known], (o * over)[known], n) / np.maximum(shares, 1.0)
    whole = scores.filter(pc.is_null(scores["community_id"]))
    actor = _actor(world, whole)
    figures = np.full((3, n), np.nan)
    for row, name in enumerate(("resonance", "resonance_low", "resonance_high")):
        figures[row, actor] = _numbers(whole, name)
    value, low, high = figures
    judged = (shares >= FEWEST_SHARES) & np.isfinite(value)
    true = planted[judged]
    return RollUp(
        float(spearmanr(value[judged], true).statistic),
        float(np.abs(value[judged] - true).mean()),
        float(((low[judged] <= true) & (true <= high[judged])).mean()),
        int(judged.sum()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    rows: pa.Table
    actor: npt.NDArray[np.int64]
    label: Ints

    def column(self, name: str) -> Floats:
        return _numbers(self.rows, name)

    @property
    def flagged(self) -> npt.NDArray[np.bool_]:
        return np.array(["flagged" in flags for flags in self.rows["flags"].to_pylist()], np.bool_)


def _cells(world: World, scores: pa.Table, communities: pa.StringArray) -> _Cells:
    rows = scores.filter(
        pc.and_(pc.is_valid(scores["community_id"]), pc.equal(scores["source_kind"], "user"))
    )
    label = pc.index_in(rows["community_id"].combine_chunks(), communities)
    return _Cells(rows, _actor(world, rows), label.to_numpy(zero_copy_only=False).astype(np.int32))


def _actor(world: World, rows: pa.Table) -> npt.NDArray[np.int64]:
    of_user = np.full(len(world.place), -1, np.int64)
    of_user[world.actors] = np.arange(len(world.actors))
    return of_user[[int(name[6:]) for name in rows["source_id"].to_pylist()]]


def _numbers(rows: pa.Table, name: str) -> Floats:
    return np.asarray(rows[name].to_numpy(zero_copy_only=False), np.float64)
