"""Which shares count: one a user and content, not one's own, not before the post."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.csr import Ints, Longs
from engine.model import SHARE_KINDS
from engine.snapshot import NO_TIME, Snapshot

__all__ = ["CLOCK_SKEW", "FirstShares", "first_shares"]

CLOCK_SKEW: Final = 5 * 60 * 1_000_000
"""Microseconds a share may seem to come before its post: clocks differ. More is refused."""

_BOOKMARK: Final = SHARE_KINDS.index("bookmark")


@dataclass(frozen=True, slots=True, eq=False)
class FirstShares:
    """The shares that count, sorted by content, time, user.

    `clamped` marks shares whose time was moved up to that of the post. `dropped` counts what
    does not count, by reason: bookmark, self_share, repeat, before_post.
    """

    user: Ints
    content: Ints
    at: Longs
    kind: npt.NDArray[np.int8]
    via: Ints
    clamped: npt.NDArray[np.bool_]
    dropped: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.user)


def first_shares(snapshot: Snapshot) -> FirstShares:
    """Return the shares that count. O(shares log shares).

    A share less than five minutes before its post is moved to the post's time; an earlier
    one is dropped. Shares without a time come after those with one.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from engine.assemble import assemble
    >>> s = assemble({
    ...     "content": pa.table({"content_id": ["x:1"], "author_id": ["x:a"]}),
    ...     "shares": pa.table({"user_id": ["x:a", "x:b", "x:b"], "content_id": ["x:1"] * 3,
    ...                         "kind": ["share", "share", "quote"]}),
    ... })
    >>> dict(first_shares(s).dropped)
    {'bookmark': 0, 'self_share': 1, 'before_post': 0, 'repeat': 1}
    """
    shares, contents = snapshot.shares, snapshot.contents
    posted = contents.created_at[shares.content]
    timed = (shares.at != NO_TIME) & (posted != NO_TIME)
    early = timed & (shares.at < posted)
    # A difference of unknown times would overflow: look at it only where both are known.
    lead = np.where(early, posted, 0) - np.where(early, shares.at, 0)
    bookmark = shares.kind == _BOOKMARK
    own = ~bookmark & (shares.user == contents.author[shares.content])
    before = ~bookmark & ~own & (lead > CLOCK_SKEW)
    kept = np.flatnonzero(~(bookmark | own | before))
    at = np.where(early, posted, shares.at)[kept]
    # NO_TIME is the smallest number; as the greatest it sorts behind every known time.
    when = np.where(at == NO_TIME, np.iinfo(np.int64).max, at)
    order = np.lexsort((shares.kind[kept], shares.user[kept], when, shares.content[kept]))
    kept, at = kept[order], at[order]
    pair = shares.content[kept].astype(np.int64) * len(snapshot.users) + shares.user[kept]
    first = np.zeros(len(kept), np.bool_)
    first[np.unique(pair, return_index=True)[1]] = True
    chosen = kept[first]
    return FirstShares(
        user=shares.user[chosen],
        content=shares.content[chosen],
        at=at[first],
        kind=shares.kind[chosen],
        via=shares.via[chosen],
        clamped=early[chosen],
        dropped={
            "bookmark": int(bookmark.sum()),
            "self_share": int(own.sum()),
            "before_post": int(before.sum()),
            "repeat": int(len(kept) - len(chosen)),
        },
    )
