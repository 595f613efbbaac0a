"""How many people can be reached in k steps, from every user at once.

HyperBall (Boldi, Vigna 2013): the people within k steps of v are v and those within k - 1 steps
of whoever follows v, so a sketch of them is the greater register of theirs. Where a graph is
small, breadth-first walks from 64 starts at a time count exactly (Then et al. 2014).

A *start* is a set of users; steps lead from a user to the followers.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from engine.csr import Floats, Ints, Longs
from engine.kernels.compile import kernel
from engine.kernels.hyperloglog import count_registers, insert, merge_into

__all__ = ["GROUPS", "MOST_STEPS", "NEAR", "breadth_first", "hyperball"]

Sketches = npt.NDArray[np.uint8]

MOST_STEPS: Final = 64
"""Steps after which walks end; who is farther counts as out of reach."""
NEAR: Final = 6
"""Steps within which people are near: the six degrees."""
GROUPS: Final = 16
"""Parts of the registers, and of the sampled users, that are left out in turn."""


@kernel
def breadth_first(
    offset: Longs, start: Ints, indptr: Longs, follower: Ints
) -> tuple[Longs, Longs, Longs, Longs]:
    """Walk from every start. O(starts / 64 * edges * steps + people reached).

    Start s is the users `start[offset[s]:offset[s + 1]]`; user v is followed by
    `follower[indptr[v]:indptr[v + 1]]`.

    Returns
    -------
    tuple
        Of each start, the people reached (the start itself not), the sum of their steps, and
        how many are within `NEAR`; and all people reached at each step, int64[MOST_STEPS + 1].
    """
    n, starts = len(indptr) - 1, len(offset) - 1
    reached, steps = np.zeros(starts, np.int64), np.zeros(starts, np.int64)
    near, at_step = np.zeros(starts, np.int64), np.zeros(MOST_STEPS + 1, np.int64)
    seen, now, then = np.zeros(n, np.uint64), np.zeros(n, np.uint64), np.zeros(n, np.uint64)
    front, ahead = np.empty(n, np.int32), np.empty(n, np.int32)
    for first in range(0, starts, 64):
        seen[:] = 0
        many = 0
        for s in range(first, min(first + 64, starts)):
            bit = np.uint64(1) << np.uint64(s - first)
            for i in range(offset[s], offset[s + 1]):
                if now[start[i]] == 0:
                    front[many] = start[i]
                    many += 1
                now[start[i]] |= bit
                seen[start[i]] |= bit
        step = 0
        while many > 0 and step < MOST_STEPS:
            step += 1
            found = 0
            for i in range(many):
                v = front[i]
                for j in range(indptr[v], indptr[v + 1]):
                    u = follower[j]
                    fresh = now[v] & ~seen[u]
                    if fresh != 0:
                        if then[u] == 0:
                            ahead[found] = u
                            found += 1
                        then[u] |= fresh
            for i in range(many):
                now[front[i]] = 0
            for i in range(found):
                u = ahead[i]
                bits = then[u]
                then[u] = 0
                now[u] = bits
                seen[u] |= bits
                s = first
                while bits != 0:
                    if bits & np.uint64(1):
                        reached[s] += 1
                        steps[s] += step
                        near[s] += step <= NEAR
                        at_step[step] += 1
                    bits >>= np.uint64(1)
                    s += 1
            front, ahead = ahead, front
            many = found
        for i in range(many):
            now[front[i]] = 0
    return reached, steps, near, at_step


@kernel
def hyperball(  # noqa: PLR0917 - a kernel takes its arrays one by one
    offset: Longs,
    start: Ints,
    indptr: Longs,
    follower: Ints,
    sample: Ints,
    left_out: int,
    p: int,
    seed: int,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Estimate the same with 2^p registers a user. O(steps * edges * 2^p), 2^(p+1) bytes a user.

    Parameters
    ----------
    sample
        Users over whom the graph as a whole is described.
    left_out
        1 to leave out sampled users in turn as well as registers, since they stand for all.

    Returns
    -------
    tuple
        Of each start, people reached, sum of steps, and how many within `NEAR`; and the people
        within each step of the sampled users, float64[GROUPS + 1, MOST_STEPS + 1]: with each
        group of registers left out, and in the last row with all of them.
    """
    n, m, starts = len(indptr) - 1, 1 << p, len(offset) - 1
    balls = np.zeros((n, m), np.uint8)
    for v in range(n):
        insert(balls[v], p, seed, v)
    larger = balls.copy()
    grew = np.ones(n, np.bool_)
    grows = np.zeros(n, np.bool_)
    merged = np.empty(m, np.uint8)
    reached, steps, near = np.zeros(starts), np.zeros(starts), np.zeros(starts)
    within = np.zeros((GROUPS + 1, MOST_STEPS + 1))
    _describe(balls, sample, left_out, within[:, 0])
    last = 0
    for step in range(1, MOST_STEPS + 1):
        any_grows = False
        for v in range(n):
            grows[v] = False
            for j in range(indptr[v], indptr[v + 1]):
                if grew[follower[j]]:
                    merge_into(larger[v], balls[follower[j]])
            for r in range(m):
                if larger[v, r] != balls[v, r]:
                    grows[v] = True
                    any_grows = True
                    break
        if not any_grows:
            break
        last = step
        for v in range(n):
            if grows[v]:
                balls[v] = larger[v]
        grew, grows = grows, grew
        _describe(balls, sample, left_out, within[:, step])
        for s in range(starts):
            fresh = False
            for i in range(offset[s], offset[s + 1]):
                fresh |= grew[start[i]]
            if fresh:
                merged[:] = 0
                for i in range(offset[s], offset[s + 1]):
                    merge_into(merged, balls[start[i]])
                size = count_registers(merged, m) - (offset[s + 1] - offset[s])
                # Sketches of a growing set grow, so no step takes anybody back.
                more = max(size - reached[s], 0.0)
                reached[s] += more
                steps[s] += step * more
                if step <= NEAR:
                    near[s] += more
    for step in range(last + 1, MOST_STEPS + 1):
        within[:, step] = within[:, last]
    return reached, steps, near, within


@kernel
def _describe(balls: Sketches, sample: Ints, left_out: int, within: Floats) -> None:
    """Sum up the balls of sampled users, whole and with each group left out."""
    m = balls.shape[1]
    part = m // GROUPS
    rest = np.empty(m - part, np.uint8)
    for i in range(len(sample)):
        ball = balls[sample[i]]
        within[GROUPS] += count_registers(ball, m)
        for g in range(GROUPS):
            if left_out and i % GROUPS == g:
                continue
            rest[: g * part] = ball[: g * part]
            rest[g * part :] = ball[(g + 1) * part :]
            within[g] += count_registers(rest, m)
