"""How many steps along follows each user is away from a few: breadth first."""

from __future__ import annotations

import numpy as np

from engine.csr import Ints, Longs
from engine.kernels.compile import kernel

__all__ = ["steps"]


@kernel
def steps(start: Ints, indptr: Longs, follower: Ints) -> Ints:
    """Return the fewest steps from any of `start` to each user, -1 without a way. O(follows).

    User v is heard by `follower[indptr[v]:indptr[v + 1]]`.
    """
    users = len(indptr) - 1
    away = np.full(users, -1, np.int32)
    queue = np.empty(users, np.int32)
    last = 0
    for v in start:
        if away[v] < 0:
            away[v] = 0
            queue[last] = v
            last += 1
    first = 0
    while first < last:
        v = queue[first]
        first += 1
        for j in range(indptr[v], indptr[v + 1]):
            u = follower[j]
            if away[u] < 0:
                away[u] = away[v] + 1
                queue[last] = u
                last += 1
    return away
