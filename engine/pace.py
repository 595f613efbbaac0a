"""How fast contents travelled, counted from the post."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.csr import Floats, Longs
from engine.parents import Parents
from engine.snapshot import NO_TIME

__all__ = ["pace"]

_SECOND: Final = 1_000_000
_HOUR: Final = 3_600 * _SECOND
_MONTH: Final = 30 * 24 * _HOUR


def pace(found: Parents, posted: Longs) -> dict[str, Any]:
    """Return the columns of `cascades` on time. O(shares log shares).

    Seconds to 10, 50 and 100 shares, seconds to half of the shares of the first 30 days, and
    the hour after posting with most shares, the earliest of equals; null where the time of
    posting is unknown, or so many shares there are not.

    Parameters
    ----------
    posted
        When each content was posted, `NO_TIME` unknown.
    """
    contents = len(found.content)
    timed = (found.shares.at != NO_TIME) & (posted != NO_TIME)[found.row]
    # Timed shares stand before the others of their content, in the order of time.
    row = found.row[timed]
    age = found.shares.at[timed] - posted[row]
    count = np.bincount(row, minlength=contents)
    start = np.concatenate(([0], np.cumsum(count)))[:-1]

    def kth(k: npt.NDArray[np.int64], there: npt.NDArray[np.bool_]) -> Floats:
        seconds = np.full(contents, np.nan)
        seconds[there] = age[start[there] + k[there] - 1] / _SECOND
        return seconds

    def to(k: int) -> Floats:
        return kth(np.full(contents, k), count >= k)

    month = np.bincount(row[age <= _MONTH], minlength=contents)
    hours = int(age.max() // _HOUR) + 1 if len(age) else 1
    cell, in_hour = np.unique(row * hours + age // _HOUR, return_counts=True)
    at, hour = np.divmod(cell, hours)
    order = np.lexsort((hour, -in_hour, at))
    top = order[np.unique(at[order], return_index=True)[1]]
    peak = np.full(contents, -1, np.int64)
    peak[at[top]] = hour[top]
    return {
        "t10_seconds": to(10),
        "t50_seconds": to(50),
        "t100_seconds": to(100),
        "half_life_seconds": kth((month + 1) // 2, month > 0),
        "peak_hour": pa.array(peak, mask=peak < 0),
    }
