"""Trees of many cascades at once: who stands under whom, and the shape that makes.

Shares of all contents lie behind each other in arrays of length n; content c owns
`offset[c]:offset[c + 1]`. The author is the root and has no place in the arrays.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from engine.csr import Floats, Ints, Longs
from engine.kernels.compile import kernel
from engine.snapshot import NO_TIME

__all__ = [
    "ADRIFT",
    "AUTHOR",
    "CIRCLE",
    "FALLBACK",
    "FOLLOWS",
    "GIVEN",
    "INTERACTION",
    "LATE",
    "MISSING",
    "ROOT",
    "UNKNOWN",
    "break_circles",
    "link",
    "measure",
]

ROOT: Final = -1
"""Parent of a share that hangs from the author."""
ADRIFT: Final = -2
"""Parent of a share of which nothing is known: the top of a piece of its own."""

# How a share came to its place.
UNKNOWN: Final = 0  # no parent is given, nor was one inferred
AUTHOR: Final = 1  # the author is given
GIVEN: Final = 2  # an earlier sharer is given
FOLLOWS: Final = 3  # inferred: the latest earlier poster whom the sharer follows
INTERACTION: Final = 4  # inferred: the earlier poster the sharer had turned to most
FALLBACK: Final = 5  # the sharer follows people, but no earlier poster: hangs from the root
MISSING: Final = 6  # one who did not share is given: hangs from the root
LATE: Final = 7  # a later sharer is given: hangs from the nearest ancestor that is not later
CIRCLE: Final = 8  # parents form a circle: each of them hangs from the root

_WALK: Final = 64  # ancestors looked at above a parent that is later than its child
_UNSEEN: Final = -1


@kernel
def _later(at: Longs, parent: int, child: int) -> bool:
    known = at[parent] != NO_TIME and at[child] != NO_TIME
    return bool(known and at[parent] > at[child])


@kernel
def link(  # noqa: PLR0917 - a kernel takes its arrays one by one
    offset: Longs, user: Ints, at: Longs, via: Ints, author: Ints, users: int
) -> tuple[Longs, npt.NDArray[np.int8]]:
    """Return each share's given parent and how it came to it. O(shares + users).

    A given parent is believed unless it is later than the child: platforms tell time in
    seconds or minutes, and their word on who came first is better than equal clocks. Equal or
    unknown times are the only way to a circle, which `break_circles` ends.

    Parameters
    ----------
    offset
        int64[contents + 1].
    user, at, via
        Sharer, time (`NO_TIME` unknown) and given parent (-1 none) of each share, a user once
        a content.
    author
        Author of each content, -1 unknown.
    users
        Number of users.
    """
    n = len(user)
    parent = np.full(n, ADRIFT, np.int64)
    how = np.zeros(n, np.int8)
    place = np.full(users, _UNSEEN, np.int64)
    for c in range(len(offset) - 1):
        first, last = offset[c], offset[c + 1]
        for v in range(first, last):
            place[user[v]] = v
        for v in range(first, last):
            given = via[v]
            if given < 0:
                continue
            if given == author[c]:
                parent[v], how[v] = ROOT, AUTHOR
                continue
            p = place[given]
            # A place outside this content's is left from an earlier content.
            if p < first or p == v:
                parent[v], how[v] = ROOT, MISSING
                continue
            if not _later(at, p, v):
                parent[v], how[v] = p, GIVEN
                continue
            parent[v], how[v] = ROOT, LATE
            for _ in range(_WALK):
                above = via[p]
                if above < 0 or above == author[c] or place[above] < first or above == user[v]:
                    break
                p = place[above]
                if not _later(at, p, v):
                    parent[v] = p
                    break
    return parent, how


@kernel
def break_circles(parent: Longs, how: npt.NDArray[np.int8]) -> None:
    """Hang every member of a circle from the root; each share is walked over twice at most."""
    n = len(parent)
    walk = np.full(n, _UNSEEN, np.int64)
    for start in range(n):
        v = start
        while v >= 0 and walk[v] == _UNSEEN:
            walk[v] = start
            v = parent[v]
        if v >= 0 and walk[v] == start:
            while parent[v] >= 0:
                above = parent[v]
                parent[v], how[v] = ROOT, CIRCLE
                v = above


@kernel
def _depths(parent: Longs) -> tuple[Ints, Longs]:
    """Return steps from the root (from the top of an adrift piece: 0), and each piece's top."""
    n = len(parent)
    depth = np.full(n, _UNSEEN, np.int32)
    top = np.zeros(n, np.int64)
    path = np.zeros(n, np.int64)
    for start in range(n):
        v, steps = start, 0
        while depth[v] == _UNSEEN:
            if parent[v] < 0:
                depth[v] = 1 if parent[v] == ROOT else 0
                top[v] = v
                break
            path[steps] = v
            steps += 1
            v = parent[v]
        for i in range(steps - 1, -1, -1):
            v = path[i]
            depth[v] = depth[parent[v]] + 1
            top[v] = top[parent[v]]
    return depth, top


@kernel
def _sizes(parent: Longs, depth: Ints) -> Longs:
    """Return how many shares stand under each, itself included: one pass, deepest first."""
    n = len(parent)
    deepest = 0
    for v in range(n):
        deepest = max(deepest, depth[v])
    start = np.zeros(deepest + 2, np.int64)
    for v in range(n):
        start[depth[v] + 1] += 1
    for d in range(deepest + 1):
        start[d + 1] += start[d]
    order = np.empty(n, np.int64)
    for v in range(n):
        order[start[depth[v]]] = v
        start[depth[v]] += 1
    size = np.ones(n, np.int64)
    for i in range(n - 1, -1, -1):
        v = order[i]
        if parent[v] >= 0:
            size[parent[v]] += size[v]
    return size


@kernel
def measure(
    offset: Longs, parent: Longs, rooted: npt.NDArray[np.bool_]
) -> tuple[Ints, Ints, Floats, Ints, Floats]:
    """Return depth of each share; deepest, mean depth, breadth and virality of each content.

    Depth counts steps from the author: -1 where the chain of given parents does not reach it,
    and such shares do not enter deepest, mean and breadth (NaN or -1 where none does).

    Structural virality is the mean distance of all pairs, author included, that are joined by
    the tree: `sum s_v (n - s_v)` over the shares v of a piece of n, s_v shares under v, is the
    sum of its distances (Goel et al. 2016). A content that is not `rooted` falls into the
    pieces under its unknown author. NaN where no pair is joined. O(shares).
    """
    contents = len(offset) - 1
    depth, top = _depths(parent)
    size = _sizes(parent, depth)
    deepest = np.full(contents, -1, np.int32)
    mean = np.full(contents, np.nan)
    breadth = np.full(contents, -1, np.int32)
    virality = np.full(contents, np.nan)
    level = np.zeros(len(parent) + 2, np.int32)
    for c in range(contents):
        first, last = offset[c], offset[c + 1]
        whole = 1
        for v in range(first, last):
            if parent[v] == ROOT:
                whole += size[v]
        reached, steps, far, widest = 0, 0, 0, 0
        distance, pairs = 0.0, 0.0
        if rooted[c]:
            pairs += 0.5 * whole * (whole - 1)
        for v in range(first, last):
            anchored = parent[top[v]] == ROOT
            piece = whole if anchored and rooted[c] else size[top[v]]
            if top[v] != v or (anchored and rooted[c]):
                distance += float(size[v]) * float(piece - size[v])
            else:
                pairs += 0.5 * piece * (piece - 1)
            if anchored:
                reached += 1
                steps += depth[v]
                far = max(far, depth[v])
                level[depth[v]] += 1
        for d in range(1, far + 1):
            widest = max(widest, level[d])
            level[d] = 0
        if reached > 0:
            deepest[c], breadth[c] = far, widest
            mean[c] = steps / reached
        if pairs > 0:
            virality[c] = distance / pairs
    for v in range(len(parent)):
        if parent[top[v]] != ROOT:
            depth[v] = -1
    return depth, deepest, mean, breadth, virality
