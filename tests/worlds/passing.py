"""How contents travel in a planted world: who is shown what, and who passes it on.

The kernel of the demo's world (`kindred.demo.spread`) with what the variants need: fans,
second exposures, shares from nowhere, a feed that shows things to people who do not follow.
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

from engine.csr import Floats, Ints, Longs
from engine.kernels.compile import kernel

__all__ = ["passing"]


@kernel
def passing(  # noqa: PLR0917 - a kernel takes its arrays one by one
    seed: int,
    author: Ints,
    actor: Ints,
    posted: Floats,
    appeal: Floats,
    moods: Floats,
    indptr: Longs,
    follower: Ints,
    habit: Floats,
    drawn: Floats,
    community: Ints,
    liking: npt.NDArray[np.float32],
    ambient: float,
    again: float,
    feed: float,
    delay: float,
    likeliest: float,
    log: int,
) -> tuple[Ints, Ints, Floats, Floats, Longs, Ints, Ints]:
    """Return content, user and time of every share, and what habit alone expects of it.

    Everybody who follows a poster (author or sharer) gets a chance to pass the content on:
    `habit[u] * moods[i, community[i, u]] * appeal[i]`, times `liking[actor, u]` where there
    are fans, times `again` from the second exposure on. With probability `feed` a chance
    goes to somebody of the whole world instead, drawn in proportion to `moods` of the places.
    Behind a share in `1 - ambient` somebody shares who was shown nothing, in proportion to
    habit (`drawn` is its running sum). `community` int32[2, n]: before and after half-time.

    The fourth array float64[posts, k] sums the habits of those who were shown the content; the
    fifth int64[posts, k] counts them; with `log` the last two name content and user of each
    time. O(exposures log shares).
    """
    users, k = len(habit), moods.shape[1]
    half = (posted[-1] + posted[0]) / 2
    content, user, at = [np.int32(-1)], [np.int32(-1)], [0.0]
    habitual = np.zeros((len(author), k))
    exposures = np.zeros((len(author), k), np.int64)
    has = np.full(users, -1, np.int32)
    seen = np.full(users, -1, np.int32)
    shown, viewer = [np.int32(-1)], [np.int32(-1)]
    fans = liking.shape[0] > 0
    for i in range(len(author)):
        np.random.seed((seed * 1_000_003 + i) % 4_294_967_296)
        here = community[0] if posted[i] < half else community[1]
        top = moods[i].max()
        has[author[i]] = i
        due = [(posted[i], author[i])]
        while len(due) > 0:
            now, v = heapq.heappop(due)
            if v != author[i]:
                if has[v] == i:
                    continue
                has[v] = i
                content.append(np.int32(i))
                user.append(v)
                at.append(now)
                if ambient > 0 and np.random.random() < ambient / (1 - ambient):
                    u = np.int32(np.searchsorted(drawn, np.random.random() * drawn[-1]))
                    heapq.heappush(due, (now + np.random.exponential(delay), u))
            for j in range(indptr[v], indptr[v + 1]):
                u = follower[j]
                if feed > 0 and np.random.random() < feed:
                    u = np.int32(np.random.randint(users))
                    while np.random.random() * top > moods[i, here[u]]:
                        u = np.int32(np.random.randint(users))
                if has[u] == i:
                    continue
                habitual[i, here[u]] += habit[u]
                exposures[i, here[u]] += 1
                if log:
                    shown.append(np.int32(i))
                    viewer.append(u)
                chance = habit[u] * moods[i, here[u]] * appeal[i]
                if fans:
                    chance *= liking[actor[i], u]
                if seen[u] == i:
                    chance *= again
                seen[u] = i
                if np.random.random() < min(likeliest, chance):
                    heapq.heappush(due, (now + np.random.exponential(delay), u))
    return (
        np.array(content)[1:],
        np.array(user)[1:],
        np.array(at)[1:],
        habitual,
        exposures,
        np.array(shown)[1:],
        np.array(viewer)[1:],
    )
