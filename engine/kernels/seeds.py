"""Whom to start with: who could have reached a person, and whom a start reaches.

Everybody passes a post on with a chance of their own for each time they see it (independent
cascade; the chance of u is that of every tie into u). A *reverse set* is everybody else who
would have reached one person in one draw of those chances: who is in many of them reaches many
(Borgs et al. 2014). Draws are numbered, and the same number draws alike whatever was drawn
before: one seed, one answer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.csr import Floats, Ints, Longs
from engine.kernels.compile import kernel
from engine.kernels.hashing import coin, mix, seeded

__all__ = ["cover", "covered", "forward", "reverse_sets"]

_SPARSE = 0.2  # below this chance it is quicker to jump from one success to the next


@kernel
def reverse_sets(  # noqa: PLR0917 - a kernel takes its arrays one by one
    first: int,
    count: int,
    most: int,
    seed: int,
    target: Ints,
    weight: Floats,
    indptr: Longs,
    followee: Ints,
    chance: Floats,
) -> tuple[Longs, Ints]:
    """Draw reverse sets `first` to `first + count`. O(ties looked at).

    Parameters
    ----------
    most
        Entries after which no further set is begun.
    target, weight
        People who are to be reached, and the running sum of their weights: the root of a set
        is one of them, in proportion to weight.
    indptr, followee
        User u follows `followee[indptr[u]:indptr[u + 1]]`.
    chance
        Of each user to pass on what they see once.

    Returns
    -------
    tuple
        Set j is `user[offset[j]:offset[j + 1]]`; where `most` was met, offset is shorter.
    """
    n = len(indptr) - 1
    seen = np.full(n, -1, np.int64)
    offset = np.zeros(count + 1, np.int64)
    user = np.empty(max(count, 16), np.int32)
    filled, done = 0, 0
    for j in range(count):
        if filled >= most:
            break
        state, drawn = seeded(seed, first + j), np.uint64(0)
        place = np.searchsorted(weight, coin(state) * weight[-1], side="right")
        root = target[min(place, len(target) - 1)]
        if filled == len(user):
            user = np.concatenate((user, np.empty(len(user), np.int32)))
        user[filled] = root
        seen[root] = j
        at = filled
        filled += 1
        while at < filled:
            u = user[at]
            at += 1
            p = chance[u]
            if p <= 0.0:
                continue
            jump = np.log(1.0 - p) if p < _SPARSE else 0.0
            i = indptr[u] - 1
            while True:
                drawn += np.uint64(1)
                luck = coin(mix(state + drawn))
                if p < _SPARSE:
                    # Beyond the end for sure is far enough: a tiny chance jumps very far.
                    i += 1 + int(min(np.log(1.0 - luck) / jump, 2.0**40))
                    if i >= indptr[u + 1]:
                        break
                else:
                    i += 1
                    if i >= indptr[u + 1]:
                        break
                    if luck >= p:
                        continue
                v = followee[i]
                if seen[v] != j:
                    seen[v] = j
                    if filled == len(user):
                        user = np.concatenate((user, np.empty(len(user), np.int32)))
                    user[filled] = v
                    filled += 1
        # The root would not be moved by posting it; the last of the set takes its place.
        filled -= 1
        user[offset[done]] = user[filled]
        done += 1
        offset[done] = filled
    return offset[: done + 1], user[:filled]


@kernel
def cover(
    offset: Longs, user: Ints, candidate: npt.NDArray[np.bool_], count: int
) -> tuple[Ints, Longs, float]:
    """Choose users one by one, each in most sets without a chosen one. O(entries + users * count).

    Of users in equally many the first is taken. Returned are the users, the sets covered with
    each of them added, and the most that any `count` candidates could cover.
    """
    n, sets = len(candidate), len(offset) - 1
    inside = np.zeros(n, np.int64)
    for i in user:
        inside[i] += 1
    start = np.zeros(n + 1, np.int64)
    start[1:] = np.cumsum(inside)
    of, filled = np.empty(len(user), np.int32), start[:-1].copy()
    for j in range(sets):
        for i in range(offset[j], offset[j + 1]):
            of[filled[user[i]]] = j
            filled[user[i]] += 1
    for v in range(n):
        if not candidate[v]:
            inside[v] = 0
    done = np.zeros(sets, np.bool_)
    chosen = np.empty(count, np.int32)
    total = np.zeros(count, np.int64)
    held, most = 0, float(sets)
    for k in range(count):
        best = np.sort(inside)[n - min(count, n) :].sum()
        most = min(most, float(held + best))
        v = int(np.argmax(inside))
        chosen[k] = v
        held += int(inside[v])
        total[k] = held
        for i in range(start[v], start[v + 1]):
            j = of[i]
            if not done[j]:
                done[j] = True
                for e in range(offset[j], offset[j + 1]):
                    inside[user[e]] -= candidate[user[e]]
        # Taken: not even for nothing a second time.
        inside[v] = -1
    return chosen, total, most


@kernel
def covered(offset: Longs, user: Ints, chosen: Ints, n: int) -> int:
    """Count the sets that hold a chosen user."""
    is_chosen = np.zeros(n, np.bool_)
    for v in chosen:
        is_chosen[v] = True
    found = 0
    for j in range(len(offset) - 1):
        for i in range(offset[j], offset[j + 1]):
            if is_chosen[user[i]]:
                found += 1
                break
    return found


@kernel
def forward(  # noqa: PLR0917 - a kernel takes its arrays one by one
    seed: int,
    runs: int,
    start: Ints,
    indptr: Longs,
    follower: Ints,
    chance: Floats,
    counts: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int32]:
    """Let posts spread from users, and count whom they move. O(runs * followers of the moved).

    Tie by tie the luck of a run is the same whoever starts, so that starts can be compared.

    Returns
    -------
    int32[runs, len(start)]
        Users moved that count, with the first k + 1 starting; who starts is not moved.
    """
    n = len(indptr) - 1
    has = np.full(n, -1, np.int64)
    starts = np.full(n, -1, np.int64)
    moved = np.zeros((runs, len(start)), np.int32)
    queue = np.empty(n, np.int32)
    for run in range(runs):
        state, reached = seeded(seed, run), 0
        for k in range(len(start)):
            v = start[k]
            if starts[v] != run:
                starts[v] = run
                if has[v] == run:
                    reached -= counts[v]
                else:
                    has[v] = run
                    queue[0] = v
                    at, end = 0, 1
                    while at < end:
                        w = queue[at]
                        at += 1
                        for i in range(indptr[w], indptr[w + 1]):
                            u = follower[i]
                            if has[u] != run and coin(mix(state ^ mix(np.uint64(i)))) < chance[u]:
                                has[u] = run
                                reached += counts[u]
                                queue[end] = u
                                end += 1
            moved[run, k] = reached
    return moved
