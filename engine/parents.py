"""From whom each share came: given by the data where they do, inferred where they allow it.

In this order: the parent that the export gives (*via*); of those who posted the content
strictly earlier, the latest whom the sharer follows (*follows*); the one the sharer had turned
to most before the content began (*interaction*); the author, where the sharer follows people
but none of these (*root*, for want of better). Else it is *unknown*. An inferred parent is
always earlier than its child, and shares without a time get none.

References
----------
Vosoughi, Roy, Aral (2018): The spread of true and false news online, for time-inferred parents.
Goel, Watts, Goldstein (2012): The structure of online diffusion networks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.acts import HALF_LIFE, acts
from engine.csr import Csr, Ints, Longs
from engine.kernels import trees
from engine.kernels.parents import Evidence, accumulate, infer
from engine.shares import FirstShares, first_shares
from engine.snapshot import NO_TIME, Snapshot

__all__ = ["METHODS", "SHORT", "Parents", "parents"]

METHODS: Final = ("unknown", "via", "follows", "interaction", "root")
"""How a parent is known, by `Parents.method`."""

SHORT: Final = 60 * 24 * 3_600 * 1_000_000
"""Microseconds: acts of an export that spans less do not decay."""

_METHOD: Final = np.zeros(9, np.int8)
_METHOD[[trees.AUTHOR, trees.GIVEN]] = METHODS.index("via")
_METHOD[trees.FOLLOWS] = METHODS.index("follows")
_METHOD[trees.INTERACTION] = METHODS.index("interaction")
_METHOD[trees.FALLBACK] = METHODS.index("root")


@dataclass(frozen=True, eq=False)
class Parents:
    """The parent of each of `shares`, and the contents these belong to.

    Attributes
    ----------
    content, offset
        Contents with a share; content `content[c]` owns the shares `offset[c]:offset[c + 1]`.
    row
        Place in `content` of each share's content.
    began
        When each content was posted, or first shared where that is unknown; else `NO_TIME`.
    parent
        Share above each share: `trees.ROOT` for the author, `trees.ADRIFT` for nobody known.
    how
        How it came there: the codes of `engine.kernels.trees`.
    evidence
        What parents were inferred from.
    """

    shares: FirstShares
    content: Ints
    offset: Longs
    row: Longs
    author: Ints
    began: Longs
    parent: Longs
    how: npt.NDArray[np.int8]
    evidence: Evidence

    @cached_property
    def method(self) -> npt.NDArray[np.int8]:
        """Number in `METHODS` of each share's parent.

        A given parent who did not share, shared later or is part of a circle is *unknown*: it
        has no place in the tree.
        """
        return _METHOD[self.how]

    @cached_property
    def user(self) -> Ints:
        """The user above each share in the tree: a sharer, the author, or -1."""
        over = np.where(self.parent == trees.ROOT, self.author[self.row], -1).astype(np.int32)
        sharer = self.parent >= 0
        over[sharer] = self.shares.user[self.parent[sharer]]
        return over

    @cached_property
    def whom(self) -> Ints:
        """From whom each share came by the data or by whom its user follows, -1 unknown.

        A given parent counts here even where it has no place in the tree.
        """
        by_follows = np.where(self.how == trees.FOLLOWS, self.user, -1)
        return np.where(self.shares.via >= 0, self.shares.via, by_follows).astype(np.int32)

    @property
    def size(self) -> Longs:
        """Shares of each content."""
        return np.diff(self.offset)

    def count(self, which: npt.NDArray[np.bool_]) -> Longs:
        """Return how many of the marked shares each content has."""
        return np.bincount(self.row[which], minlength=len(self.content))


def parents(snapshot: Snapshot, shares: FirstShares | None = None) -> Parents:
    """Find the parent of every share that counts.

    O(events log events), and for each share at most the smaller of its earlier posters and of
    those its user follows or turned to.

    Parameters
    ----------
    shares
        What `first_shares(snapshot)` returned, where a caller has it already.

    Examples
    --------
    d follows b and c, both of whom shared before; c came later. Whom b follows is not told:

    >>> import pyarrow as pa
    >>> from datetime import datetime
    >>> from engine.assemble import assemble
    >>> s = assemble({
    ...     "content": pa.table({"content_id": ["x:1"], "author_id": ["x:a"]}),
    ...     "shares": pa.table({"content_id": ["x:1"] * 3, "user_id": ["x:b", "x:c", "x:d"],
    ...                         "via_user_id": [None, "x:a", None],
    ...                         "at": [datetime(2024, 5, 1, hour) for hour in (1, 2, 3)]}),
    ...     "follows": pa.table({"follower_id": ["x:d"] * 2, "followee_id": ["x:b", "x:c"]}),
    ... })
    >>> found = parents(s)
    >>> [METHODS[m] for m in found.method], found.user.tolist()
    (['unknown', 'via', 'follows'], [-1, 0, 2])
    """
    shares = first_shares(snapshot) if shares is None else shares
    start = np.flatnonzero(np.diff(shares.content, prepend=-1))
    content, offset = shares.content[start], np.append(start, len(shares)).astype(np.int64)
    posted = snapshot.contents.created_at[content]
    began = np.where(posted == NO_TIME, shares.at[start], posted)
    author = snapshot.contents.author[content]
    evidence = _evidence(snapshot, shares)
    parent, how = trees.link(
        offset, shares.user, shares.at, shares.via, author, len(snapshot.users)
    )
    infer(offset, shares.user, shares.at, author, began, evidence, parent, how)
    trees.break_circles(parent, how)
    return Parents(
        shares=shares,
        content=content,
        offset=offset,
        row=np.repeat(np.arange(len(content)), np.diff(offset)),
        author=author,
        began=began,
        parent=parent,
        how=how,
        evidence=evidence,
    )


def _evidence(snapshot: Snapshot, shares: FirstShares) -> Evidence:
    """Sort who follows whom and who turned to whom, for looking up. O(events log events)."""
    users, told = len(snapshot.users), snapshot.follows
    graph = Csr.directed(told.follower, told.followee, np.ones(len(told.follower)), users)
    timed = acts(snapshot, shares).timed()
    order = np.lexsort((timed.weight, timed.at, timed.target, timed.user))
    user, target, at = timed.user[order], timed.target[order], timed.at[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (np.diff(user) != 0) | (np.diff(target) != 0)
    first = np.flatnonzero(new)
    act_ptr = np.append(first, len(order)).astype(np.int64)
    span = int(at.max()) - int(at.min()) if len(at) else 0
    half_life = math.inf if span < SHORT else float(HALF_LIFE)
    said = snapshot.users.followers_count
    counted = np.bincount(told.followee, minlength=users)
    return Evidence(
        followed_ptr=graph.indptr,
        followed=graph.indices,
        pair_ptr=np.searchsorted(user[first], np.arange(users + 1)).astype(np.int64),
        pair_target=target[first].astype(np.int32),
        act_ptr=act_ptr,
        act_at=at,
        act_weight=accumulate(act_ptr, at, timed.weight[order], half_life),
        half_life=half_life,
        audience=np.where(said >= 0, said, counted).astype(np.int64),
    )
