"""Distinct people in the audience of many posters: exact counts with one stamp a person."""

from __future__ import annotations

import numpy as np

from engine.csr import Ints, Longs
from engine.kernels.compile import kernel

__all__ = ["audience"]


@kernel
def audience(  # noqa: PLR0917 - a kernel takes its arrays one by one
    offset: Longs, poster: Ints, own_offset: Longs, own: Ints, indptr: Longs, follower: Ints
) -> Longs:
    """Count distinct followers of each source's posters, its own accounts left out.

    O(followers of all posters). Source s has `poster[offset[s]:offset[s + 1]]` and the accounts
    `own[own_offset[s]:own_offset[s + 1]]`; user v is followed by
    `follower[indptr[v]:indptr[v + 1]]`.
    """
    sources = len(offset) - 1
    seen = np.full(len(indptr) - 1, -1, np.int32)
    reach = np.zeros(sources, np.int64)
    for s in range(sources):
        for i in range(own_offset[s], own_offset[s + 1]):
            seen[own[i]] = s
        for i in range(offset[s], offset[s + 1]):
            for j in range(indptr[poster[i]], indptr[poster[i] + 1]):
                if seen[follower[j]] != s:
                    seen[follower[j]] = s
                    reach[s] += 1
    return reach
