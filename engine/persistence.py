"""Persistence: how many of those who shared a source share it again, a week or more later."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.audiences import Pairs, through
from engine.csr import Longs
from engine.placed import Acts, Placed
from engine.shares import FirstShares
from engine.shrink import Trials
from engine.snapshot import NO_TIME, Snapshot

__all__ = ["LATER", "OPPORTUNITY", "persistence"]

_DAY: Final = 24 * 3_600 * 1_000_000
OPPORTUNITY: Final = 14 * _DAY
"""Microseconds the data must go on after a person's first share."""
LATER: Final = 7 * _DAY
"""Microseconds after which a share is one again, and no part of the first excitement."""

BLOCK: Final = 4_000_000
"""Follows of sharers walked at once: bounds memory, decides nothing else."""


def persistence(
    snapshot: Snapshot, placed: Placed, passed: Acts, shares: FirstShares, end: int
) -> Trials:
    """Return who shared each source and could again; it comes true where they did.

    Somebody could share again whose first share lies 14 days before the end of the data or
    more, and before whom the source was put 7 days after it or later: by an account that they
    follow, where the data have follows, else by any.

    Parameters
    ----------
    passed
        Shares of each source by others, as `passes` gives them.
    end
        The last time the data know of.

    Notes
    -----
    O(shares log shares + follows of sharers). What is followed is known as it stood when the
    data were taken, not as it was.
    """
    timed = passed.where(passed.at != NO_TIME)
    order = np.lexsort((timed.at, timed.user, timed.source))
    timed = Acts(timed.source[order], timed.user[order], timed.at[order], timed.row[order])
    key = timed.source * placed.users + timed.user
    pairs, start, count = np.unique(key, return_index=True, return_counts=True)
    first, last = timed.at[start], timed.at[start + count - 1]
    source, user = np.divmod(pairs, max(placed.users, 1))
    could = first + OPPORTUNITY <= end
    source, user, first, last = (v[could] for v in (source, user, first, last))
    put = _last_put(snapshot, placed, shares, source, user)
    shown = put >= first + LATER
    source, user, again = source[shown], user[shown], (last >= first + LATER)[shown]
    return Trials(source, user, placed.label(source, user), again)


def _last_put(
    snapshot: Snapshot, placed: Placed, shares: FirstShares, source: Longs, user: Longs
) -> Longs:
    """Return when each source was last put before each user; the smallest number for never."""
    poster, latest = _posters(snapshot, placed, shares)
    if len(snapshot.follows.follower) == 0:
        found = np.full(len(placed.sources), NO_TIME, np.int64)
        np.maximum.at(found, poster.source, latest)
        return found[source]
    follows = Pairs.of(
        snapshot.follows.follower, snapshot.follows.followee, placed.users, placed.users
    )
    keys = poster.source * placed.users + poster.thing
    put = np.full(len(source), NO_TIME, np.int64)
    for part in _blocks(follows.count[user]):
        row, followee = through(follows, user[part])
        asked = source[part][row] * placed.users + followee
        at = np.minimum(np.searchsorted(keys, asked), max(len(keys) - 1, 0))
        hit = keys[at] == asked if len(keys) else np.zeros(len(asked), np.bool_)
        np.maximum.at(put, part.start + row[hit], latest[at[hit]])
    return put


def _posters(snapshot: Snapshot, placed: Placed, shares: FirstShares) -> tuple[Pairs, Longs]:
    """Return who put each source before others, and when they last did."""
    contents = placed.sources.contents
    row, source = through(contents.reverse(len(snapshot.contents)), shares.content)
    who = np.concatenate((snapshot.contents.author[contents.thing], shares.user[row]))
    of = np.concatenate((contents.source, source))
    at = np.concatenate((snapshot.contents.created_at[contents.thing], shares.at[row]))
    known = (who >= 0) & (at != NO_TIME)
    who, of, at = who[known], of[known], at[known]
    pairs = Pairs.of(of, who, len(placed.sources), placed.users)
    latest = np.full(len(pairs.thing), NO_TIME, np.int64)
    keys = pairs.source * placed.users + pairs.thing
    np.maximum.at(latest, np.searchsorted(keys, of * placed.users + who), at)
    return pairs, latest


def _blocks(weight: npt.NDArray[np.int64]) -> list[slice]:
    """Cut rows into runs of about `BLOCK` weight."""
    cut = np.flatnonzero(np.diff(np.cumsum(weight) // BLOCK)) + 1
    ends = [0, *cut.tolist(), len(weight)]
    return [slice(a, b) for a, b in pairwise(ends) if b > a]
