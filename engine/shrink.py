"""Rates of few cases, pulled towards the rate of their community, with an interval.

A cell of three cases of which two came true is no rate of 67 %. Its community's rate stands
in for `STRENGTH` cases more: `(k + s p) / (n + s)`, and the 90 % interval is that of the beta
distribution with those counts, half a case more at least on either side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import special

from engine.csr import Floats, Ints, Longs

__all__ = ["STRENGTH", "Rates", "Trials", "rates", "shrunk"]

STRENGTH: Final = 5.0
"""Cases that the mean of the community stands for."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Cases in which something could have come true of a source, one entry a case.

    `source` numbers the source, `user` the person, `label` that person's community, -1 outside
    any, and `hit` says whether it came true.
    """

    source: npt.NDArray[np.integer[Any]]
    user: npt.NDArray[np.integer[Any]]
    label: Ints
    hit: Flags

    def where(self, kept: Flags) -> Trials:
        """Return some of the cases."""
        return Trials(self.source[kept], self.user[kept], self.label[kept], self.hit[kept])


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """Shrunken rates [0,1] of cells with a case, and of each source with one, whatever the place.

    Sorted by source; `community` is -1 in the row over everyone, which comes first.
    """

    source: Longs
    community: Longs
    value: Floats
    low: Floats
    high: Floats
    k: Longs
    n: Longs


def shrunk(
    k: npt.ArrayLike, n: npt.ArrayLike, mean: npt.ArrayLike, strength: float = STRENGTH
) -> tuple[Floats, Floats, Floats]:
    """Return shrunken rates and the ends of their 90 % intervals.

    Parameters
    ----------
    k, n
        How many came true, of how many.
    mean
        The rate to shrink to, strictly between 0 and 1.
    strength
        Cases that the mean stands for.

    Examples
    --------
    >>> value, low, high = shrunk([2], [3], [0.25])
    >>> [round(float(v[0]), 6) for v in (value, low, high)]
    [0.40625, 0.151059, 0.689599]
    """
    hits, cases = np.asarray(k, np.float64), np.asarray(n, np.float64)
    prior = strength * np.asarray(mean, np.float64)
    a, b = hits + prior, cases - hits + strength - prior
    value = a / (a + b)
    # A mean near 0 or 1 would leave no doubt at all: ends know at least what Jeffreys' rule does.
    wide_a, wide_b = np.maximum(a, hits + 0.5), np.maximum(b, cases - hits + 0.5)
    low, high = (special.betaincinv(wide_a, wide_b, p) for p in (0.05, 0.95))
    return value, np.minimum(low, value), np.maximum(high, value)


def rates(trials: Trials, scored: Flags) -> Rates:
    """Return the rate of each cell in a scored community, and of each source over everyone.

    The mean of a community is over all cases in it, half a case added on either side, so that
    it is never certain. O(cases log cases).

    Examples
    --------
    >>> cases = Trials(np.array([0, 0, 1]), np.arange(3), np.zeros(3, np.int32),
    ...                np.array([True, False, False]))
    >>> found = rates(cases, np.array([True]))
    >>> found.community.tolist(), found.k.tolist(), found.n.tolist()
    ([-1, 0, -1, 0], [1, 1, 0, 0], [2, 2, 1, 1])
    """
    width = len(scored) + 1
    inside = np.append(scored, False)[trials.label]
    source = trials.source.astype(np.int64)
    cell = np.concatenate((source * width, source[inside] * width + trials.label[inside] + 1))
    hit = np.concatenate((trials.hit, trials.hit[inside]))
    key, which, n = np.unique(cell, return_inverse=True, return_counts=True)
    k = np.bincount(which, hit, len(key)).astype(np.int64)
    place = key % width
    all_n, all_k = (np.bincount(place, values, width) for values in (n, k))
    mean = ((all_k + 0.5) / (all_n + 1.0))[place]
    value, low, high = shrunk(k, n, mean)
    return Rates(key // width, place - 1, value, low, high, k, n.astype(np.int64))
