"""Who stands behind a source, and who follows them: accounts, contents, posters, followers.

A source of any kind owns accounts (a user itself, the accounts of a brand; topics own none)
and has contents (what its accounts wrote, or what is about it). Its *posters* are whoever put
it before others: the authors of its contents, who passed those on, and who passed the source
itself on in an export that names no contents. Followers of a poster are exposed to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.csr import Ints, Longs
from engine.model import INTERACTION_KINDS, TOPIC_KINDS
from engine.params import SourceKind
from engine.shares import FirstShares
from engine.snapshot import Snapshot
from engine.sources import SourceEvents

__all__ = ["Pairs", "Sources", "followers", "posters", "shares_of", "sources_of", "through"]

_PASSED_ON = tuple(INTERACTION_KINDS.index(kind) for kind in ("share", "quote"))


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Distinct (source, thing) pairs, sorted; `offset` leads to the things of each source."""

    source: Longs
    thing: Longs
    offset: Longs

    @classmethod
    def of(
        cls, source: npt.NDArray[Any], thing: npt.NDArray[Any], sources: int, things: int
    ) -> Self:
        """Sort pairs and keep each once; those with a side of -1 are left out.

        Examples
        --------
        >>> import numpy as np
        >>> p = Pairs.of(np.array([1, 0, 1]), np.array([2, 5, 2]), 2, 6)
        >>> p.source.tolist(), p.thing.tolist(), p.offset.tolist()
        ([0, 1], [5, 2], [0, 1, 2])
        """
        kept = (source >= 0) & (thing >= 0)
        # numpy's own unique hashes whole numbers, which takes ten times as long as sorting them.
        key = np.sort(source[kept].astype(np.int64) * max(things, 1) + thing[kept])
        key = key[np.diff(key, prepend=-1) != 0]
        first, second = np.divmod(key, max(things, 1))
        return cls(first, second, np.searchsorted(first, np.arange(sources + 1)).astype(np.int64))

    @property
    def count(self) -> Longs:
        """How many things each source has."""
        return np.diff(self.offset)

    def reverse(self, things: int) -> Pairs:
        """Return the sources of each thing."""
        return Pairs.of(self.thing, self.source, things, len(self.offset) - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """All sources of a kind: what they own, what carries them, and their events."""

    kind: SourceKind
    source_id: pa.StringArray
    label: pa.StringArray
    accounts: Pairs
    contents: Pairs
    events: SourceEvents
    at: Ints
    """Place of each source of `events` among these, -1 where it is none of them."""

    def __len__(self) -> int:
        return len(self.source_id)

    def spread(self, values: npt.NDArray[Any]) -> Longs:
        """Return a figure of the sources of `events` for all of these, 0 elsewhere."""
        found = np.zeros(len(self), np.int64)
        here = self.at >= 0
        found[self.at[here]] = values[here]
        return found

    def only(self, places: Longs) -> Sources:
        """Return the sources in these places, numbered anew in that order."""
        number = np.full(len(self), -1, np.int32)
        number[places] = np.arange(len(places))
        at = number[self.at]
        accounts, contents = (
            Pairs.of(*through(pairs, places), len(places), 1 + int(pairs.thing.max(initial=-1)))
            for pairs in (self.accounts, self.contents)
        )
        return Sources(
            self.kind,
            self.source_id.take(pa.array(places)),
            self.label.take(pa.array(places)),
            accounts,
            contents,
            self.events.only(at[self.events.source] >= 0),
            at,
        )


def sources_of(snapshot: Snapshot, kind: SourceKind, shared: SourceEvents) -> Sources:
    """Return every user, every brand, or whatever else of a kind has an event.

    O(contents log contents + topics carried). Contents that were neither posted nor shared in
    the window of time that is looked at are nobody's.
    """
    users, contents = len(snapshot.users), len(snapshot.contents)
    author = snapshot.contents.author
    nothing = np.empty(0, np.int64)
    if kind == "user":
        ids, label, everyone = snapshot.users.user_id, snapshot.users.shown, np.arange(users)
        accounts = Pairs.of(everyone, everyone, users, users)
        carried = Pairs.of(author, np.arange(contents), users, contents)
    elif kind == "brand":
        brands = snapshot.brands
        ids, label = brands.brand_id, pc.coalesce(brands.name, brands.brand_id)
        accounts = Pairs.of(brands.account_brand, brands.account_user, len(ids), users)
        carried = _carried_by_brands(snapshot, accounts)
    else:
        ids, label = shared.source_id, shared.label
        accounts = Pairs.of(nothing, nothing, len(ids), users)
        carried = _carried(snapshot, kind, ids, label)
    alive = snapshot.contents.posted.copy()
    alive[snapshot.shares.content] = True
    if not alive.all():
        kept = alive[carried.thing]
        carried = Pairs.of(carried.source[kept], carried.thing[kept], len(ids), contents)
    at = pc.index_in(shared.source_id, ids).to_numpy().astype(np.int32)
    return Sources(kind, ids, label, accounts, carried, shared, at)


def shares_of(
    snapshot: Snapshot, kind: Literal["content", "platform"], shares: FirstShares
) -> SourceEvents:
    """Return the shares of every content, or of what was posted on every platform.

    Examples
    --------
    >>> from engine.assemble import assemble
    >>> from engine.shares import first_shares
    >>> s = assemble({"shares": pa.table({"user_id": ["x:b"], "content_id": ["x:1"]})})
    >>> shares_of(s, "platform", first_shares(s)).source_id.to_pylist()
    ['x']
    """
    contents = snapshot.contents
    if kind == "content":
        ids, source = contents.content_id, np.arange(len(contents), dtype=np.int32)
    else:
        ids, source = pa.array(snapshot.platforms, pa.string()), contents.platform
    of = source[shares.content]
    order = np.flatnonzero(of >= 0)
    order = order[np.argsort(of[order], kind="stable")]
    posts = np.bincount(source[source >= 0], minlength=len(ids)).astype(np.int64)
    user = shares.user[order]
    return SourceEvents(
        source_kind=kind,
        source_id=ids,
        label=ids,
        group=np.arange(len(ids), dtype=np.int32),
        n_posts=np.where(posts > 0, posts, -1),
        repeats=np.zeros(len(ids), np.int64),
        user=user,
        source=of[order].astype(np.int32),
        at=shares.at[order],
        content=shares.content[order],
        platform=snapshot.users.platform[user],
    )


def _carried_by_brands(snapshot: Snapshot, accounts: Pairs) -> Pairs:
    brands, many = snapshot.brands, len(snapshot.brands)
    posted = through(accounts.reverse(len(snapshot.users)), snapshot.contents.author)
    about = through(
        Pairs.of(brands.domain_topic, brands.domain_brand, len(snapshot.topics), many),
        snapshot.topics.topic,
    )
    return Pairs.of(
        np.concatenate((posted[1], about[1])),
        np.concatenate((posted[0], snapshot.topics.content[about[0]])),
        many,
        len(snapshot.contents),
    )


def _carried(
    snapshot: Snapshot, kind: SourceKind, ids: pa.StringArray, label: pa.StringArray
) -> Pairs:
    """Return the contents of what owns no accounts: topics, platforms, single contents."""
    contents = len(snapshot.contents)
    everything = np.arange(contents)
    if kind == "content":
        source = _places(snapshot.contents.content_id, ids)
        return Pairs.of(source, everything, len(ids), contents)
    if kind == "platform":
        names = _places(pa.array(snapshot.platforms, pa.string()), ids)
        source = np.append(names, -1)[snapshot.contents.platform]
        return Pairs.of(source, everything, len(ids), contents)
    topics = snapshot.topics
    is_kind = topics.kind == TOPIC_KINDS.index(kind)
    source = np.where(is_kind, _places(topics.label, label), -1)
    return Pairs.of(source[topics.topic], topics.content, len(ids), contents)


def _places(values: pa.StringArray, among: pa.StringArray) -> Longs:
    found: Longs = pc.fill_null(pc.index_in(values, among), -1).to_numpy().astype(np.int64)
    return found


def through(pairs: Pairs, key: npt.NDArray[Any]) -> tuple[Longs, Longs]:
    """Join rows with what their key has: (row, thing) for every thing; key -1 has nothing."""
    there = key >= 0
    count = np.where(there, pairs.count[np.where(there, key, 0)] if len(pairs.count) else 0, 0)
    row = np.repeat(np.arange(len(key)), count)
    within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, pairs.thing[pairs.offset[key[row]] + within]


def posters(snapshot: Snapshot, sources: Sources, shares: FirstShares) -> Pairs:
    """Return who put each source before others: (source, user) pairs. O(shares log shares)."""
    users, contents = len(snapshot.users), sources.contents
    # What was posted before the window of time put nobody before others in it.
    author = np.where(snapshot.contents.posted, snapshot.contents.author, -1)
    row, shared = through(contents.reverse(len(snapshot.contents)), shares.content)
    passed = snapshot.interactions
    pairwise = np.isin(passed.kind, _PASSED_ON)
    act, source = through(sources.accounts.reverse(users), passed.target[pairwise])
    return Pairs.of(
        np.concatenate((contents.source, shared, source, source)),
        np.concatenate(
            (
                author[contents.thing],
                shares.user[row],
                passed.user[pairwise][act],
                passed.target[pairwise][act],
            )
        ),
        len(sources),
        users,
    )


def followers(snapshot: Snapshot) -> Pairs:
    """Return (followee, follower) pairs: who hears each user."""
    follows, users = snapshot.follows, len(snapshot.users)
    return Pairs.of(follows.followee, follows.follower, users, users)
