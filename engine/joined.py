"""Joining two columns of integers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.csr import Longs

__all__ = ["joined"]


def joined(
    values: npt.NDArray[np.integer], ordered: npt.NDArray[np.integer]
) -> tuple[Longs, Longs]:
    """Join values with a sorted column: the places of each match in both. O(n log n + matches).

    Examples
    --------
    >>> left, right = joined(np.array([7, 5, 7]), np.array([5, 7, 7]))
    >>> left.tolist(), right.tolist()
    ([0, 0, 1, 2, 2], [1, 2, 0, 1, 2])
    """
    first = np.searchsorted(ordered, values, "left")
    many = np.searchsorted(ordered, values, "right") - first
    left = np.repeat(np.arange(len(values)), many)
    start = np.repeat(first - (np.cumsum(many) - many), many)
    return left, start + np.arange(len(left))
