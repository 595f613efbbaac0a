"""Accounts that act in step: how often each shares within seconds of another.

Two people who come across the same post in the same ten seconds happen; an account to which
that happens most often of all is likely to be steered together with others.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from engine.csr import Longs
from engine.shares import FirstShares
from engine.snapshot import NO_TIME

__all__ = ["GAP", "SYNCHRONISED", "in_step_counts", "most_in_step"]

GAP: Final = 10_000_000
"""Microseconds between two people's shares of a content up to which they are in step."""
SYNCHRONISED: Final = 0.01
"""Part of the accounts that are taken for synchronised: those in step most often."""


def in_step_counts(shares: FirstShares, users: int) -> Longs:
    """Count each user's shares within `GAP` of another user's share of the same content.

    O(shares): they come sorted by content and time. Shares without a time are in no step.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from engine.assemble import assemble
    >>> from engine.shares import first_shares
    >>> at = pa.array([0, 9_000_000, 60_000_000], pa.timestamp("us", "UTC"))
    >>> s = assemble({"shares": pa.table({"user_id": ["x:a", "x:b", "x:c"],
    ...                                   "content_id": ["x:1"] * 3, "at": at})})
    >>> in_step_counts(first_shares(s), 3).tolist()
    [1, 1, 0]
    """
    content, at = shares.content, shares.at
    timed = at != NO_TIME
    same = (content[1:] == content[:-1]) & timed[1:] & timed[:-1]
    # Unknown times would overflow in a difference: look at it only where both are known.
    gap = np.where(same, at[1:], 0) - np.where(same, at[:-1], 0)
    close = same & (gap <= GAP)
    found = np.zeros(len(content), np.bool_)
    found[1:] |= close
    found[:-1] |= close
    return np.bincount(shares.user[found], minlength=users).astype(np.int64)


def most_in_step(shares: FirstShares, users: int) -> npt.NDArray[np.bool_]:
    """Say of each user whether it is among the 1 % of those who share that are in step most often.

    Users who never are do not count among them, however few the others are; of users level at
    the limit the first by id are taken.
    """
    count = in_step_counts(shares, users)
    active = len(np.unique(shares.user))
    order = np.lexsort((np.arange(users), -count))[: int(np.ceil(active * SYNCHRONISED))]
    found = np.zeros(users, np.bool_)
    found[order[count[order] > 0]] = True
    return found
