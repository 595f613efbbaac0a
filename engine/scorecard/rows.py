"""Rows by key: which rows of a column hold one of some values."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.csr import Longs

__all__ = ["Index"]


class Index:
    """A column of numbers, sorted once, that is asked for rows.

    Examples
    --------
    >>> Index(np.array([5, 3, 5, -1])).rows(np.array([5, 7])).tolist()
    [0, 2]
    """

    def __init__(self, column: npt.NDArray[Any]) -> None:
        self._order = np.argsort(column, kind="stable")
        self._sorted = column[self._order]

    def rows(self, values: npt.NDArray[Any]) -> Longs:
        """Return the rows that hold one of these values, in their order. O(rows found)."""
        first = np.searchsorted(self._sorted, values, "left")
        count = np.searchsorted(self._sorted, values, "right") - first
        start = np.repeat(first - (np.cumsum(count) - count), count)
        return np.sort(self._order[start + np.arange(int(count.sum()))]).astype(np.int64)
