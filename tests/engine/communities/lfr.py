"""The benchmark graphs of Lancichinetti, Fortunato and Radicchi (2008), as their paper draws them.

Power laws of degree (exponent 2, 10 to 50, mean 20) and of community size (exponent 1, 20 to
100); everyone has the same part `mixing` of ties outside. networkx's generator misses the
mixing that is asked for (.72 for .5), and NetworKit's is no part of the test environment.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.edges import PairEdges

LongArray = npt.NDArray[np.int64]


def lfr(n: int, mixing: float, seed: int) -> tuple[PairEdges, LongArray]:
    """Draw a graph; give its ties and the community of each node."""
    chance = np.random.default_rng(seed)
    degree = 1 / (1 / 10 - chance.random(n) * (1 / 10 - 1 / 50))
    inside = np.rint((1 - mixing) * degree).astype(np.int64)
    outside = np.rint(degree).astype(np.int64) - inside
    truth = _places(inside, chance)
    within = [_matched(np.repeat(m, inside[m]), chance) for m in _members(truth)]
    pairs = np.concatenate([*within, _across(np.repeat(np.arange(n), outside), truth, chance)])
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    u, v = pairs.astype(np.int32).T
    return PairEdges(n, u, v, np.ones(len(u))), truth


def _members(truth: LongArray) -> list[LongArray]:
    return [np.flatnonzero(truth == c) for c in range(int(truth.max()) + 1)]


def _places(inside: LongArray, chance: np.random.Generator) -> LongArray:
    """Put everyone into a community larger than their ties inside, those with most ties first."""
    sizes: list[int] = []
    while sum(sizes) < len(inside):
        sizes.append(int(20 * 5 ** chance.random()))
    size = np.array(sizes)
    free, truth = size.copy(), np.empty(len(inside), np.int64)
    for node in np.argsort(-inside, kind="stable").tolist():
        room = np.where(size > inside[node], free, 0)
        truth[node] = chance.choice(len(size), p=room / room.sum())
        free[truth[node]] -= 1
    return np.unique(truth, return_inverse=True)[1]


def _matched(ends: LongArray, chance: np.random.Generator) -> LongArray:
    """Pair ends at random."""
    mixed = chance.permutation(ends)
    return mixed[: len(mixed) // 2 * 2].reshape(-1, 2)


def _across(ends: LongArray, truth: LongArray, chance: np.random.Generator) -> LongArray:
    """Pair ends at random, and again those that met inside a community."""
    found = np.empty((0, 2), np.int64)
    for _ in range(20):
        pairs = _matched(ends, chance)
        apart = truth[pairs[:, 0]] != truth[pairs[:, 1]]
        found = np.concatenate((found, pairs[apart]))
        ends = pairs[~apart].ravel()
    return found
