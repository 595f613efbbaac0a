"""Ties between users who did something with the same things."""

from __future__ import annotations

import numpy as np

from engine.csr import Csr, Floats, Ints, Longs
from engine.kernels.compile import kernel

__all__ = ["coshare"]


def coshare(user: Ints, item: Ints, users: int, items: int) -> Csr:
    """Project distinct (user, item) rows onto users, by Newman's weights.

    `w(u, v) = sum over items of both of 1 / (k - 1)`, where k users have the item: each row
    spreads one unit over those it is shared with, so that all weights sum to the number of
    rows whose item has two users or more.

    Cost: twice the sum of k squared, and memory for the ties found; the caller bounds k.

    References
    ----------
    M. E. J. Newman (2001). Scientific collaboration networks II. Physical Review E 64, 016132.

    Examples
    --------
    >>> import numpy as np
    >>> user, item = np.array([0, 1, 2, 1, 2], np.int32), np.array([0, 0, 0, 1, 1], np.int32)
    >>> coshare(user, item, 3, 2).pairs()[2].tolist()
    [0.5, 0.5, 1.5]
    """
    by_item, by_user = np.lexsort((user, item)), np.lexsort((item, user))
    return Csr(
        *_project(
            _starts(item, items),
            user[by_item].astype(np.int32),
            _starts(user, users),
            item[by_user].astype(np.int32),
        )
    )


def _starts(of: Ints, count: int) -> Longs:
    found = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(of, minlength=count), out=found[1:])
    return found


@kernel
def _project(
    item_starts: Longs, item_users: Ints, user_starts: Longs, user_items: Ints
) -> tuple[Longs, Ints, Floats]:
    n = len(user_starts) - 1
    seen = np.full(n, -1, np.int64)
    indptr = np.zeros(n + 1, np.int64)
    for u in range(n):
        many = 0
        for a in range(user_starts[u], user_starts[u + 1]):
            i = user_items[a]
            for b in range(item_starts[i], item_starts[i + 1]):
                v = item_users[b]
                if v != u and seen[v] != u:
                    seen[v] = u
                    many += 1
        indptr[u + 1] = indptr[u] + many
    indices = np.empty(indptr[n], np.int32)
    weights = np.empty(indptr[n], np.float64)
    place = indptr[:-1].copy()
    total = np.zeros(n, np.float64)
    touched = np.empty(n, np.int32)
    for u in range(n):
        many = 0
        for a in range(user_starts[u], user_starts[u + 1]):
            i = user_items[a]
            w = 1.0 / max(item_starts[i + 1] - item_starts[i] - 1, 1)
            for b in range(item_starts[i], item_starts[i + 1]):
                v = item_users[b]
                if v == u:
                    continue
                if total[v] == 0.0:
                    touched[many] = v
                    many += 1
                total[v] += w
        # The tie is written into the row of the other: rows fill in rising order of u.
        for t in range(many):
            v = touched[t]
            indices[place[v]] = u
            weights[place[v]] = total[v]
            place[v] += 1
            total[v] = 0.0
    return indptr, indices, weights
