"""Graphs with the same degrees and nothing else of the original: the null of a community.

Ends are dealt out anew (a draw of the configuration model); doubles and self-loops that
arise are swapped away, and every edge gets one more swap. Swaps keep all degrees.

References
----------
B. K. Fosdick, D. B. Larremore, J. Nishimura, J. Ugander (2018). Configuring random graph
models with fixed degree sequences. SIAM Review 60, 315-355.
"""

from __future__ import annotations

import numpy as np

from engine.csr import Ints, Longs
from engine.kernels.chance import State, draw, mixed, start
from engine.kernels.compile import kernel

__all__ = ["rewire_items", "rewire_pairs"]

_TRIES = 200
"""Most swaps tried for an edge that is a double or a self-loop; then it stays one."""


def rewire_pairs(u: Ints, v: Ints, classes: Longs, seed: int) -> tuple[Ints, Ints]:
    """Rewire distinct pairs of one set of nodes, within classes of edges.

    Parameters
    ----------
    u, v
        Ends of each pair, once each, no self-loops.
    classes
        First edge of each class, and the number of edges at the end: edges swap ends only
        within their class, so that each node keeps its degree in each of them.
    seed
        Same seed, same graph.

    Returns
    -------
    u, v
        New ends, edge by edge. Doubles are left only where 200 swaps removed none, as in a
        graph that has hardly another form. O(edges), 40 bytes an edge.

    Examples
    --------
    >>> import numpy as np
    >>> ring = np.arange(6, dtype=np.int32)
    >>> u, v = rewire_pairs(ring, (ring + 1) % 6, np.array([0, 6]), seed=1)
    >>> np.bincount(np.concatenate((u, v))).tolist()
    [2, 2, 2, 2, 2, 2]
    """
    ends = np.concatenate((u, v)).astype(np.int32)
    width = int(ends.max(initial=-1)) + 1
    a, b = u.astype(np.int32), v.astype(np.int32)
    _rewire(a, b, classes, width, users=2, state=start(seed))
    return a, b


def rewire_items(user: Ints, item: Ints, seed: int) -> Ints:
    """Give each (user, item) row another item; users and items keep their numbers of rows.

    Rows are distinct and stay so, but for what 200 swaps did not remove. O(rows).

    Examples
    --------
    >>> import numpy as np
    >>> user, item = np.array([0, 0, 1, 2], np.int32), np.array([0, 1, 0, 1], np.int32)
    >>> sorted(rewire_items(user, item, seed=3).tolist())
    [0, 0, 1, 1]
    """
    a, b = user.astype(np.int32), item.astype(np.int32)
    width = int(b.max(initial=-1)) + 1
    _rewire(a, b, np.array([0, len(a)]), width, users=1, state=start(seed))
    return b


@kernel
def _rewire(  # noqa: PLR0917 - a kernel takes its arrays one by one
    a: Ints, b: Ints, classes: Longs, width: int, users: int, state: State
) -> None:
    """Rewire in place. `users` is 2 where both ends are, 1 where `b` are items."""
    for c in range(len(classes) - 1):
        _deal(a, b, classes[c], classes[c + 1], users, state)
    m = len(a)
    size = 16
    while size < 2 * m:
        size *= 2
    keys = np.full(size, -1, np.int64)
    many = np.zeros(size, np.int32)
    for e in range(m):
        _add(keys, many, _key(a[e], b[e], width, users))
    for turn in range(2):
        for c in range(len(classes) - 1):
            first, count = classes[c], classes[c + 1] - classes[c]
            for e in range(first, classes[c + 1]):
                # The first turn mends what is not simple, the second moves every edge once.
                tries = 1 if turn else _TRIES
                while tries > 0:
                    good = a[e] != b[e] or users == 1
                    if (
                        turn == 0
                        and good
                        and _count(keys, many, _key(a[e], b[e], width, users)) < 2
                    ):
                        break
                    _swap(a, b, e, first + draw(state, count), width, users, state, keys, many)
                    tries -= 1


@kernel
def _deal(  # noqa: PLR0917 - a kernel takes its arrays one by one
    a: Ints, b: Ints, first: int, last: int, users: int, state: State
) -> None:
    """Shuffle the ends of one class: both ends of one set of nodes, else only those of items."""
    m = last - first
    if users == 2:
        for i in range(2 * m - 1, 0, -1):
            j = draw(state, i + 1)
            x = a[first + i] if i < m else b[first + i - m]
            y = a[first + j] if j < m else b[first + j - m]
            if i < m:
                a[first + i] = y
            else:
                b[first + i - m] = y
            if j < m:
                a[first + j] = x
            else:
                b[first + j - m] = x
    else:
        for i in range(m - 1, 0, -1):
            j = draw(state, i + 1)
            b[first + i], b[first + j] = b[first + j], b[first + i]


@kernel
def _swap(  # noqa: PLR0917 - a kernel takes its arrays one by one
    a: Ints,
    b: Ints,
    e: int,
    f: int,
    width: int,
    users: int,
    state: State,
    keys: Longs,
    many: Ints,
) -> None:
    """Exchange an end of two edges, unless that made a double or a self-loop."""
    if e == f:
        return
    p, q, r, s = a[e], b[e], a[f], b[f]
    if users == 2 and draw(state, 2) == 1:
        r, s = s, r
    if users == 2 and (p == s or r == q):
        return
    here, there = _key(p, s, width, users), _key(r, q, width, users)
    if here == there or _count(keys, many, here) > 0 or _count(keys, many, there) > 0:
        return
    _remove(keys, many, _key(p, q, width, users))
    _remove(keys, many, _key(r, s, width, users))
    _add(keys, many, here)
    _add(keys, many, there)
    a[e], b[e], a[f], b[f] = p, s, r, q


@kernel
def _key(p: int, q: int, width: int, users: int) -> np.int64:
    if users == 2 and p > q:
        p, q = q, p
    return np.int64(p) * np.int64(width) + np.int64(q)


@kernel
def _slot(keys: Longs, key: np.int64) -> np.int64:
    """Find where a key stands in the table, or the empty place it would take."""
    mask = len(keys) - 1
    at = np.int64(mixed(np.uint64(key)) >> np.uint64(1)) & mask
    while keys[at] != -1 and keys[at] != key:
        at = (at + 1) & mask
    return at


@kernel
def _count(keys: Longs, many: Ints, key: np.int64) -> int:
    at = _slot(keys, key)
    return int(many[at]) if keys[at] == key else 0


@kernel
def _add(keys: Longs, many: Ints, key: np.int64) -> None:
    at = _slot(keys, key)
    keys[at] = key
    many[at] += 1


@kernel
def _remove(keys: Longs, many: Ints, key: np.int64) -> None:
    at = _slot(keys, key)
    many[at] -= 1
    if many[at] > 0:
        return
    # Close the gap: a later key that may not stand behind an empty place moves into it.
    mask = len(keys) - 1
    keys[at] = -1
    nxt = (at + 1) & mask
    while keys[nxt] != -1:
        home = np.int64(mixed(np.uint64(keys[nxt])) >> np.uint64(1)) & mask
        if ((nxt - home) & mask) >= ((nxt - at) & mask):
            keys[at], many[at] = keys[nxt], many[nxt]
            keys[nxt], many[nxt] = -1, 0
            at = nxt
        nxt = (nxt + 1) & mask
