"""How fine communities should be: at the coarsest resolution that predicts held-out ties.

Some ties are hidden, communities are found on the rest at several resolutions, and each
partition is scored by how much better than the degrees alone it predicts what was hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.csr import Ints
from engine.edges import Edges
from engine.kernels.leiden import leiden
from engine.parallel import in_threads
from engine.tie_gain import HIDDEN, Gain, error_of_mean, gain

__all__ = ["GRID", "Choice", "choose"]

GRID: Final = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
"""Resolutions that are tried."""

SMALL: Final = 1000
"""Below this many users with a tie, held-out ties are too few to choose by: gamma is 1."""

_WITHIN: Final = 0.02
"""How far below the best score, in parts of it, a coarser resolution may lie in any case."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A resolution, why it was chosen, and the score of each that was tried."""

    gamma: float
    reason: str
    curve: Mapping[float, float]
    gain: Gain | None
    """The run on held-out ties at the chosen resolution, where there was one."""


def choose(edges: Edges, tied: int, seed: int) -> Choice:
    """Choose the coarsest resolution that is about as good as the best. Seven Leiden runs.

    About as good is a mean gain within 2 % of the best, or within two standard errors of the
    difference on the same ties: finer communities only where held-out ties insist. Where
    `tied`, the number of users with a tie, is under a thousand, or no gain is two standard
    errors above nothing, the resolution is 1.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen, C. Stone (1984). Classification and Regression Trees:
    of models as good as the best within its error, the simplest.
    """
    if tied < SMALL:
        reason = f"{tied} users with a tie are too few to choose a resolution by; it is 1."
        return Choice(1.0, reason, {}, None)
    kept, u, v = edges.hide(HIDDEN, seed)
    graph = kept.graph()

    def scored(gamma: float) -> Gain:
        return gain(graph, leiden(graph, gamma, seed), u, v, edges.unit)

    gains = list(in_threads(scored, GRID))
    curve = {gamma: g.overall for gamma, g in zip(GRID, gains, strict=True)}
    best = max(gains, key=lambda g: g.overall)
    if best.overall <= 2 * best.error:
        reason = "No resolution predicts held-out ties; it is 1."
        return Choice(1.0, reason, curve, gains[GRID.index(1.0)])
    at = next(i for i, g in enumerate(gains) if _as_good(g, best, u))
    reason = (
        f"Resolution {GRID[at]:g} is the coarsest that predicts held-out ties about as well as "
        f"any: they are {np.exp(gains[at].overall):.1f} times as likely as degrees alone say "
        f"(best {np.exp(best.overall):.1f} times)."
    )
    return Choice(GRID[at], reason, curve, gains[at])


def _as_good(one: Gain, best: Gain, user: Ints) -> bool:
    behind = best.overall - one.overall
    return behind <= max(_WITHIN * best.overall, 2 * error_of_mean(best.ties - one.ties, user))
