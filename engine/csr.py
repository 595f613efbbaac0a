"""Compressed sparse rows: a weighted graph as three arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

__all__ = ["Csr", "Floats", "Ints", "Longs"]

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Csr:
    """A weighted graph: node i's neighbours are `indices[indptr[i]:indptr[i+1]]`.

    `indptr` int64 of length n+1, `indices` int32 sorted in each row, `weights` float64.
    Rows hold each neighbour once. An undirected graph holds both directions, and a
    self-loop once with its full weight counted twice in the degree (2w on the diagonal).

    Examples
    --------
    >>> import numpy as np
    >>> g = Csr.undirected(np.array([0, 1]), np.array([1, 2]), np.array([1.0, 2.0]), 3)
    >>> g.indices.tolist(), g.degrees.tolist()
    ([1, 0, 2, 1], [1.0, 3.0, 2.0])
    """

    indptr: Longs
    indices: Ints
    weights: Floats

    @property
    def n(self) -> int:
        """Number of nodes."""
        return len(self.indptr) - 1

    @property
    def degrees(self) -> Floats:
        """Weighted (out-)degree of each node."""
        rows = np.repeat(np.arange(self.n), np.diff(self.indptr))
        return np.bincount(rows, weights=self.weights, minlength=self.n).astype(np.float64)

    @property
    def total(self) -> float:
        """Sum of all weights: 2m of an undirected graph."""
        return float(self.weights.sum())

    @classmethod
    def directed(
        cls, source: npt.ArrayLike, target: npt.ArrayLike, weight: npt.ArrayLike, n: int
    ) -> Self:
        """Build from edges; parallel edges add up. O(edges + n)."""
        matrix = sparse.coo_array(
            (np.asarray(weight, np.float64), (np.asarray(source), np.asarray(target))), shape=(n, n)
        ).tocsr()
        matrix.sum_duplicates()
        matrix.sort_indices()
        return cls(
            matrix.indptr.astype(np.int64),
            matrix.indices.astype(np.int32),
            matrix.data.astype(np.float64),
        )

    @classmethod
    def undirected(cls, u: npt.ArrayLike, v: npt.ArrayLike, weight: npt.ArrayLike, n: int) -> Self:
        """Build from pairs in either order; parallel pairs add up, self-loops are 2w."""
        u, v, weight = np.asarray(u), np.asarray(v), np.asarray(weight, np.float64)
        return cls.directed(
            np.concatenate((u, v)), np.concatenate((v, u)), np.concatenate((weight, weight)), n
        )

    def pairs(self) -> tuple[Ints, Ints, Floats]:
        """Each undirected pair once, u < v, without self-loops."""
        rows = np.repeat(np.arange(self.n, dtype=np.int32), np.diff(self.indptr))
        once = rows < self.indices
        return rows[once], self.indices[once], self.weights[once]
