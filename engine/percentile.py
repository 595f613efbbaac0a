"""Mid-rank percentiles: where a value stands among others, equal values alike."""

from __future__ import annotations

import numpy as np

from engine.csr import Floats

__all__ = ["mid_rank"]


def mid_rank(values: Floats) -> Floats:
    """Return the part of the values below each, and half of those equal to it, in percent.

    Strictly between 0 and 100, and 50 for equal values. O(n log n).

    Examples
    --------
    >>> mid_rank(np.array([1.0, 5.0, 1.0, 9.0])).tolist()
    [25.0, 62.5, 25.0, 87.5]
    """
    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, side="left")
    upto = np.searchsorted(ordered, values, side="right")
    return 50.0 * (below + upto) / max(len(values), 1)
