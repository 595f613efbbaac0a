"""How far two ways of grouping the same things agree."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from engine.csr import Floats

__all__ = ["adjusted_rand", "mutual_information"]


def _table(a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return joint counts (non-zero ones), and the counts of each group of `a` and of `b`."""
    _, left = np.unique(np.asarray(a), return_inverse=True)
    _, right = np.unique(np.asarray(b), return_inverse=True)
    joint = sparse.coo_array((np.ones(len(left)), (left, right))).tocsr()
    joint.sum_duplicates()
    return (
        joint.data.astype(np.float64),
        np.bincount(left).astype(np.float64),
        np.bincount(right).astype(np.float64),
    )


def mutual_information(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return the normalised mutual information of two groupings [0,1]: 1 = the same.

    Normalised by the mean of the two entropies (Danon et al. 2005). Two groupings of one
    group each agree fully. O(n log n).

    Examples
    --------
    >>> mutual_information([0, 0, 1, 1], ["b", "b", "a", "a"])
    1.0
    >>> mutual_information([0, 0, 1, 1], [0, 1, 0, 1])
    0.0
    """
    joint, left, right = _table(a, b)
    n = float(left.sum())

    def entropy(counts: Floats) -> float:
        share = counts / n
        return float(-(share * np.log(share)).sum())

    apart = entropy(left) + entropy(right)
    if apart == 0.0:
        return 1.0
    together = apart - entropy(joint)
    # Rounding of the logarithms may leave either end by a hair.
    return float(min(1.0, max(0.0, round(2.0 * together / apart, 12))))


def adjusted_rand(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return the adjusted Rand index of two groupings: 1 = the same, 0 = as by chance.

    Hubert and Arabie 1985. O(n log n).

    Examples
    --------
    >>> adjusted_rand([0, 0, 1, 1], [1, 1, 0, 0])
    1.0
    """
    joint, left, right = _table(a, b)

    def pairs(counts: Floats) -> float:
        return float((counts * (counts - 1)).sum() / 2)

    n = float(left.sum())
    every = n * (n - 1) / 2
    if every == 0:
        return 1.0
    chance = pairs(left) * pairs(right) / every
    most = (pairs(left) + pairs(right)) / 2
    return 1.0 if most == chance else round((pairs(joint) - chance) / (most - chance), 12)
