"""Brokerage: whether a user's ties stay in one community or lie between several."""

from __future__ import annotations

import numpy as np

from engine.acts import acts
from engine.csr import Floats
from engine.partition import Partitions
from engine.shares import FirstShares
from engine.snapshot import Snapshot

__all__ = ["brokerage"]


def brokerage(
    snapshot: Snapshot, partitions: Partitions, shares: FirstShares | None = None
) -> Floats:
    """Return the participation of each user, [0, 1): 0 with all ties in one community.

    `1 - sum_C (k_uC / k_u)^2`, where `k_uC` is how many members of C the user turned to or was
    turned to by (`engine.acts`), each person once, and `k_u` their sum. People in no community
    are left out; NaN for users who have no other ties. O(events log events).

    References
    ----------
    Guimera, Amaral (2005): Functional cartography of complex metabolic networks.

    Examples
    --------
    a has one tie with each of two communities, b and c one tie in all:

    >>> import pyarrow as pa
    >>> from engine.assemble import assemble
    >>> s = assemble({"mentions": pa.table({
    ...     "user_id": ["x:a", "x:c", "x:c"], "target_id": ["x:b", "x:a", "x:a"]})})
    >>> two = Partitions(np.array([0, 0, 1]), np.zeros((1, 3), np.int32), np.ones(3),
    ...                  np.ones(2, np.bool_), 1.0)
    >>> brokerage(s, two).tolist()
    [0.5, 0.0, 0.0]
    """
    users, k = len(snapshot.users), max(partitions.k, 1)
    found = acts(snapshot, shares)
    low = np.minimum(found.user, found.target).astype(np.int64)
    pair = np.sort(low * max(users, 1) + np.maximum(found.user, found.target))
    one, other = np.divmod(pair[np.diff(pair, prepend=-1) != 0], max(users, 1))
    user, label = np.concatenate((one, other)), partitions.reference[np.concatenate((other, one))]
    placed = label >= 0
    cell, ties = np.unique(user[placed] * k + label[placed], return_counts=True)
    row = cell // k
    total = np.bincount(row, weights=ties, minlength=users)
    together = np.bincount(row, weights=(ties / total[row]) ** 2, minlength=users)
    return np.where(total > 0, 1.0 - together, np.nan)
