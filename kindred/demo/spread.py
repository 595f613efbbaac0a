"""How contents travel in a made world: everyone exposed may pass on, and exposes others."""

from __future__ import annotations

import heapq

import numpy as np

from engine.csr import Floats, Ints, Longs
from engine.kernels.compile import kernel

__all__ = ["spread"]


@kernel
def spread(  # noqa: PLR0917 - a kernel takes its arrays one by one
    seed: int,
    author: Ints,
    source: Ints,
    posted: Floats,
    appeal: Floats,
    indptr: Longs,
    follower: Ints,
    habit: Floats,
    community: Ints,
    lift: Floats,
    delay: float,
    likeliest: float,
) -> tuple[Ints, Ints, Floats, Ints, Longs]:
    """Return content, user, time and parent of every share, and exposures by source and place.

    Whenever somebody posts or shares content i of source a, each follower u gets one chance to
    pass it on, with probability `habit[u] * lift[a, community[u]] * appeal[i]`, after an
    exponential delay; the first chance taken is the share, and who gave it is its parent.
    Each content has random numbers of its own. O(exposures log shares).
    """
    users, communities = len(habit), lift.shape[1]
    # The compiler learns what a list holds from its first entry: the user -1 is dropped again.
    content, user, at, parent = [np.int32(-1)], [np.int32(-1)], [0.0], [np.int32(-1)]
    exposures = np.zeros((lift.shape[0], communities), np.int64)
    has = np.full(users, -1, np.int32)
    for i in range(len(author)):
        np.random.seed((seed * 1_000_003 + i) % 4_294_967_296)
        root = author[i]
        has[root] = i
        due = [(posted[i], root, root)]
        while len(due) > 0:
            now, v, via = heapq.heappop(due)
            if v != root:
                if has[v] == i:
                    continue
                has[v] = i
                content.append(np.int32(i))
                user.append(v)
                at.append(now)
                parent.append(via)
            for j in range(indptr[v], indptr[v + 1]):
                u = follower[j]
                if has[u] == i:
                    continue
                exposures[source[i], community[u]] += 1
                chance = habit[u] * lift[source[i], community[u]] * appeal[i]
                if np.random.random() < min(likeliest, chance):
                    heapq.heappush(due, (now + np.random.exponential(delay), u, v))
    return (
        np.array(content)[1:],
        np.array(user)[1:],
        np.array(at)[1:],
        np.array(parent)[1:],
        exposures,
    )
