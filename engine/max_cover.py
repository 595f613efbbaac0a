"""The people who reach most, to within a stated part of the best possible.

Two collections of reverse sets are drawn: on one, people are chosen greedily; on the other,
which the choice has not seen, it is measured. What the choice certainly reaches over what the
best possible reaches at most is known at any time, and drawing ends once it is
`1 - 1/e - epsilon`. By the bound of IMM that many sets are enough at the latest.

References
----------
Tang, Shi, Xiao (2015), Influence maximization in near-linear time: a martingale approach.
Tang, Tang, Xiao, Yuan (2018), Online processing algorithms for influence maximization.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from engine.audiences import Pairs
from engine.csr import Floats, Ints, Longs
from engine.kernels.seeds import cover, covered, reverse_sets
from engine.progress import Progress, silent

__all__ = ["MOST_ENTRIES", "Chosen", "choose"]

MOST_ENTRIES: Final = 40_000_000
"""People in the sets of a collection at most: some 400 MB for both."""

_GREEDY: Final = 1.0 - 1.0 / np.e
_LEAST_REACH: Final = 1e-4
"""Part of the target that the best possible is taken to reach at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """People in the order of choice; `reached` is the part of the target each prefix reaches.

    `certain` is the part of the best possible that all of them reach for sure, with probability
    `1 - 1/n`. `sets` were drawn for the choice, and `cut` says that memory ended the drawing.
    """

    users: Ints
    reached: Floats
    certain: float
    sets: int
    cut: bool


def choose(
    follows: Pairs,
    chance: Floats,
    weight: Floats,
    allowed: npt.NDArray[np.bool_],
    count: int,
    *,
    seed: int = 1,
    epsilon: float = 0.2,
    most_entries: int = MOST_ENTRIES,
    progress: Progress = silent,
) -> Chosen:
    """Choose users whose posts reach most of a weighted target, by independent cascade.

    O(ties looked at by the sets drawn), at most about `most_entries` people in them.

    Parameters
    ----------
    follows
        Whom each user follows.
    chance
        float64[n]: of each user to pass on what they see once.
    weight
        float64[n]: how much it counts that a user is reached by others; 0 outside the target.
    allowed
        bool[n]: who may be chosen.
    count
        How many, at most the users allowed.
    epsilon
        How far below `1 - 1/e` of the best possible the choice may be.

    Examples
    --------
    0 is followed by 1 and 2, and 3 by 0; whoever sees a post passes it on:

    >>> follows = Pairs.of(np.array([1, 2, 0]), np.array([0, 0, 3]), 4, 4)
    >>> ones = np.ones(4)
    >>> found = choose(follows, ones, ones, ones > 0, 1, epsilon=0.1)
    >>> found.users.tolist(), found.reached.round(1).tolist(), found.certain > 0.53
    ([3], [0.8], True)
    """
    n = len(chance)
    target = np.flatnonzero(weight > 0).astype(np.int32)
    if len(target) == 0 or count == 0:
        return Chosen(np.empty(0, np.int32), np.empty(0), 1.0, 0, cut=False)
    at_once = np.bincount(follows.thing, (weight * chance)[follows.source], n) / weight.sum()
    least = max(float(at_once[allowed].max()), _LEAST_REACH)
    enough, begin = _sizes(n, int(allowed.sum()), count, epsilon, least)
    rounds = max(int(np.ceil(np.log2(enough / begin))), 1)
    doubt = float(np.log(3.0 * rounds * n))
    running, followee = np.cumsum(weight[target]), follows.thing.astype(np.int32)
    arrays = (target, running, follows.offset, followee, chance)
    for_choice = _Sets(2 * seed, most_entries, arrays)
    for_measure = _Sets(2 * seed + 1, most_entries, arrays)
    wanted = _GREEDY - epsilon
    for turn in range(rounds + 1):
        size = min(int(begin) << turn, int(np.ceil(enough)))
        for_choice.grow(size)
        for_measure.grow(size)
        users, found, most = cover(for_choice.offset, for_choice.user, allowed, count)
        hits = covered(for_measure.offset, for_measure.user, users, n)
        least_reached = _below(hits, doubt) / for_measure.count
        most_reached = _above(most, doubt) / for_choice.count
        certain = least_reached / most_reached if most_reached > 0 else 0.0
        progress(f"seeds: sure of {max(certain, 0.0):.0%} of the best", turn + 1, rounds + 1)
        cut = for_choice.full or for_measure.full
        if certain >= wanted or cut or size >= enough:
            break
    if not cut:
        certain = max(certain, wanted)  # enough sets: certain by the bound of IMM
    reached = found / for_choice.count
    return Chosen(users, reached, float(np.clip(certain, 0.0, 1.0)), for_choice.count, cut=cut)


class _Sets:
    """Reverse sets, drawn as far as needed."""

    def __init__(
        self, seed: int, most: int, arrays: tuple[Ints, Floats, Longs, Ints, Floats]
    ) -> None:
        self._seed, self._most, self._arrays = seed, most, arrays
        self.offset: Longs = np.zeros(1, np.int64)
        self.user: Ints = np.empty(0, np.int32)
        self.full = False

    @property
    def count(self) -> int:
        """Sets drawn."""
        return len(self.offset) - 1

    def grow(self, size: int) -> None:
        """Draw up to this many sets, or as many as fit."""
        if self.full or size <= self.count:
            return
        left = self._most - len(self.user)
        missing = size - self.count
        offset, user = reverse_sets(self.count, missing, left, self._seed, *self._arrays)
        self.full = len(offset) - 1 < missing
        self.offset = np.concatenate((self.offset, offset[1:] + len(self.user)))
        self.user = np.concatenate((self.user, user))


def _sizes(
    n: int, candidates: int, count: int, epsilon: float, least: float
) -> tuple[float, float]:
    """Return how many sets are enough, and with how many to begin."""
    choices = gammaln(candidates + 1) - gammaln(count + 1) - gammaln(candidates - count + 1)
    doubt = np.log(6.0 * n)
    begin = 2.0 * (_GREEDY * np.sqrt(doubt) + np.sqrt(_GREEDY * (choices + doubt))) ** 2
    begin = float(np.ceil(begin))
    return begin / (epsilon**2 * least), begin


def _below(hits: float, doubt: float) -> float:
    """Return what the expected number of hits is at least."""
    return float((np.sqrt(hits + 2.0 * doubt / 9.0) - np.sqrt(doubt / 2.0)) ** 2 - doubt / 18.0)


def _above(hits: float, doubt: float) -> float:
    """Return what it is at most."""
    return float((np.sqrt(hits + doubt / 2.0) + np.sqrt(doubt / 2.0)) ** 2)
