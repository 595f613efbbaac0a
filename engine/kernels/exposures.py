"""How often people were put before a content when they passed it on, over all contents."""

from __future__ import annotations

import numpy as np

from engine.csr import Ints, Longs
from engine.kernels.compile import kernel

__all__ = ["hazards"]


@kernel
def hazards(  # noqa: PLR0917 - a kernel takes its arrays one by one
    offset: Longs, sharer: Ints, author: Ints, indptr: Longs, follower: Ints, label: Ints, k: int
) -> tuple[Longs, Longs]:
    """Count people who reached one exposure, and each of more, and who shared right then.

    O(followers of all posters). Content c is posted by `author[c]` (-1 unknown) and shared by
    `sharer[offset[c]:offset[c + 1]]` in the order of time; user v is followed by
    `follower[indptr[v]:indptr[v + 1]]`, and is in the community `label[v]`, -1 in none.

    Returns
    -------
    reached, shared
        int64[k, 2]: after the first exposure, and summed over the second and all later ones.
    """
    users = len(indptr) - 1
    seen = np.full(users, -1, np.int64)
    count = np.zeros(users, np.int64)
    reached = np.zeros((k, 2), np.int64)
    shared = np.zeros((k, 2), np.int64)
    for c in range(len(offset) - 1):
        for step in range(offset[c] - 1, offset[c + 1]):
            v = author[c] if step < offset[c] else sharer[step]
            if v < 0:
                continue
            if seen[v] != c:
                seen[v], count[v] = c, 0
            if count[v] > 0 and label[v] >= 0:
                shared[label[v], min(count[v], 2) - 1] += 1
            # Who has posted is exposed no more: below zero for good.
            count[v] = -users
            for j in range(indptr[v], indptr[v + 1]):
                u = follower[j]
                if seen[u] != c:
                    seen[u], count[u] = c, 0
                count[u] += 1
                if count[u] > 0 and label[u] >= 0:
                    reached[label[u], min(count[u], 2) - 1] += 1
    return reached, shared
