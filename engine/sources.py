"""What counts as a share of which source.

A share of a *user* or a *brand's account* is the first time a user passes a content on. A
share of a *topic* (domain, url, hashtag, image; also of a brand through its domains) is a
user's first post or share about it: distinct users are counted, and more of the same user
are repeats. Accounts of a brand never count in its own shares. Of pairwise exports without
contents, `share` and `quote` count as distinct users or, if asked, as interactions: each edge
as often as its weight says. Mentions, replies, reactions and edges of unknown kind never
count: they are attention.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.csr import Floats, Ints, Longs
from engine.errors import UsageError
from engine.groups import DEFAULT_SOURCES, RootGroups, root_groups
from engine.model import INTERACTION_KINDS, SHARE_KINDS, TOPIC_KINDS
from engine.params import AnalysisParams, Count, SourceKind
from engine.shares import FirstShares, first_shares
from engine.snapshot import NO_TIME, Brands, Snapshot

__all__ = ["SourceEvents", "all_events", "events", "kinds"]

LATE: Final = np.iinfo(np.int64).max
"""An unknown time, sorted behind every known one."""

OF_USERS: Final = frozenset[SourceKind](("content", "platform"))
"""Kinds of sources that are parts or sums of users as sources."""

MOST_INTERACTIONS: Final = 20_000_000
"""Interactions counted one by one at most: some 100 bytes each while they are sorted."""

_PASSED_ON: Final = tuple(INTERACTION_KINDS.index(kind) for kind in ("share", "quote"))


@dataclass(frozen=True, slots=True, eq=False)
class SourceEvents:
    """The shares that count of every source of one kind.

    One entry an event, sorted by source, time (unknown last), user; one entry a source
    that has an event, in the order of ids. `platform` is that of the user. `content` is
    the content passed on, or the post about a topic; -1 where the data name none.
    `n_posts` counts contents by or about the source, -1 where the data name none.
    `group` is the root group of the source.
    """

    source_kind: SourceKind
    source_id: pa.StringArray
    label: pa.StringArray
    group: Ints
    n_posts: Longs
    repeats: Longs
    user: Ints
    source: Ints
    at: Longs
    content: Ints
    platform: Ints

    def __len__(self) -> int:
        return len(self.user)

    def before(self, moment: int) -> SourceEvents:
        """Return the events before this time; sources keep their numbers."""
        return self.only((self.at != NO_TIME) & (self.at < moment))

    def since(self, moment: int) -> SourceEvents:
        """Return the events at or after this time; sources keep their numbers."""
        return self.only((self.at != NO_TIME) & (self.at >= moment))

    def only(self, kept: npt.NDArray[np.bool_]) -> SourceEvents:
        """Return some of the events; sources keep their numbers."""
        return SourceEvents(
            self.source_kind,
            self.source_id,
            self.label,
            self.group,
            self.n_posts,
            self.repeats,
            self.user[kept],
            self.source[kept],
            self.at[kept],
            self.content[kept],
            self.platform[kept],
        )


def kinds(snapshot: Snapshot, params: AnalysisParams) -> tuple[SourceKind, ...]:
    """Return the kinds of sources asked for (by default user, brand, domain) with events."""
    return tuple(all_events(snapshot, params))


def all_events(snapshot: Snapshot, params: AnalysisParams) -> dict[SourceKind, SourceEvents]:
    """Return the shares that count of each kind asked for that has any.

    Contents and platforms are made of users, whose shares are returned instead.
    """
    shares, groups = first_shares(snapshot), root_groups(snapshot)
    asked = tuple(kind for kind in params.sources or DEFAULT_SOURCES if kind not in OF_USERS)
    if OF_USERS & set(params.sources or ()) and "user" not in asked:
        asked = ("user", *asked)
    found = {kind: events(snapshot, kind, shares, groups, params.count) for kind in asked}
    return {kind: counted for kind, counted in found.items() if len(counted)}


def events(
    snapshot: Snapshot,
    kind: SourceKind,
    shares: FirstShares | None = None,
    groups: RootGroups | None = None,
    count: Count = "users",
) -> SourceEvents:
    """Return the shares that count of every source of a kind.

    O(shares log shares + topics * their shares). Domains that a brand owns are left to the
    brand. `shares` and `groups` save working those out again. `count` says whether pairwise
    edges count distinct users or interactions; nothing is a repeat where those all count.

    Raises
    ------
    UsageError
        More interactions are to be counted than `MOST_INTERACTIONS`.

    Examples
    --------
    >>> from engine.assemble import assemble
    >>> s = assemble({
    ...     "content": pa.table({"content_id": ["x:1", "x:2"], "author_id": ["x:a", "x:b"]}),
    ...     "topics": pa.table({"content_id": ["x:1", "x:2"], "kind": ["domain"] * 2,
    ...                         "label": ["acme.com"] * 2}),
    ...     "shares": pa.table({"user_id": ["x:b", "x:c"], "content_id": ["x:1"] * 2}),
    ... })
    >>> e = events(s, "domain")
    >>> e.label.to_pylist(), s.users.user_id.take(e.user).to_pylist(), e.repeats.tolist()
    (['acme.com'], ['x:a', 'x:b', 'x:c'], [1])
    >>> s.users.user_id.take(events(s, "user").user).to_pylist()
    ['x:b', 'x:c']
    """
    shares = first_shares(snapshot) if shares is None else shares
    groups = root_groups(snapshot) if groups is None else groups
    if kind == "user":
        return _user_events(snapshot, shares, groups, count)
    if kind == "brand":
        return _brand_events(snapshot, shares, groups, count)
    return _topic_events(snapshot, kind, shares, groups)


@dataclass(frozen=True, slots=True, eq=False)
class _Acts:
    """What users did to sources, before it is known what counts: one entry an act."""

    user: Ints
    source: Ints
    at: Longs
    content: Ints

    def join(self, other: _Acts) -> _Acts:
        return _Acts(
            np.concatenate((self.user, other.user)),
            np.concatenate((self.source, other.source)),
            np.concatenate((self.at, other.at)),
            np.concatenate((self.content, other.content)),
        )

    def where(self, kept: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> _Acts:
        return _Acts(self.user[kept], self.source[kept], self.at[kept], self.content[kept])


def _user_events(
    snapshot: Snapshot, shares: FirstShares, groups: RootGroups, count: Count
) -> SourceEvents:
    users, contents = snapshot.users, snapshot.contents
    author = contents.author[shares.content]
    acts = _Acts(shares.user, author, shares.at, shares.content).where(author >= 0)
    pairs, repeats = _pairs_counted(_pairwise(snapshot, count), len(users), count)
    # Where contents are named they say more than a pairwise edge: never count both.
    named = np.zeros(len(users), np.bool_)
    named[acts.source] = True
    made = (contents.author >= 0) & _alive(snapshot, shares)
    posts = np.bincount(contents.author[made], minlength=len(users))
    return _finish(
        snapshot,
        "user",
        (users.user_id, users.shown, groups.of_user),
        acts.join(pairs.where(~named[pairs.source])),
        (np.where(posts > 0, posts, -1), np.where(named, _share_repeats(snapshot, acts), repeats)),
    )


def _brand_events(
    snapshot: Snapshot, shares: FirstShares, groups: RootGroups, count: Count
) -> SourceEvents:
    brands, many, contents = snapshot.brands, len(snapshot.brands), len(snapshot.contents)
    passed, posts = _account_acts(snapshot, shares)
    about, named = _topic_acts(snapshot, shares, brands.domain_topic, brands.domain_brand)
    about = _not_own(brands, about)
    # Passing on a post of the brand's account that names its domain is one share, not two.
    told = np.isin(
        _key(about.source, about.content, contents), _key(passed.source, passed.content, contents)
    )
    distinct, repeats = _distinct(about.where(~told), many)
    acts = passed.join(distinct)
    owned = _not_own(brands, _owned(_pairwise(snapshot, count), brands))
    pairs, pair_repeats = _pairs_counted(owned, many, count)
    has_contents = np.zeros(many, np.bool_)
    has_contents[acts.source] = True
    n_posts = _count_posts(np.concatenate((posts, named)), many, contents)
    return _finish(
        snapshot,
        "brand",
        (brands.brand_id, pc.coalesce(brands.name, brands.brand_id), groups.of_brand),
        acts.join(pairs.where(~has_contents[pairs.source])),
        (n_posts, np.where(has_contents, repeats, pair_repeats)),
    )


def _topic_events(
    snapshot: Snapshot, kind: SourceKind, shares: FirstShares, groups: RootGroups
) -> SourceEvents:
    topics = snapshot.topics
    wanted = topics.kind == TOPIC_KINDS.index(kind)
    wanted[snapshot.brands.domain_topic] = False
    chosen = np.flatnonzero(wanted).astype(np.int32)
    acts, named = _topic_acts(snapshot, shares, chosen, chosen)
    distinct, repeats = _distinct(acts, len(topics))
    return _finish(
        snapshot,
        kind,
        (topics.topic_id, topics.label, groups.of_topic),
        distinct,
        (_count_posts(named, len(topics), len(snapshot.contents)), repeats),
    )


def _topic_acts(
    snapshot: Snapshot, shares: FirstShares, topic: Ints, source: Ints
) -> tuple[_Acts, Longs]:
    """Return posts and shares about topics, and (source, content) keys of what is about them.

    `topic` and `source` say which topic stands for which source; a topic may stand for several.
    """
    contents, rows = snapshot.contents, snapshot.topics
    order = np.argsort(topic, kind="stable")
    row, place = _matches(rows.topic, topic[order])
    content, of = rows.content[row], source[order][place]
    key = np.unique(_key(of, content, len(contents)))
    of, content = _unkey(key, len(contents))
    posted = _Acts(contents.author[content], of, contents.created_at[content], content)
    # Keys sorted by content, as the shares are.
    by_content = np.argsort(content, kind="stable")
    share, place = _matches(shares.content, content[by_content])
    shared = _Acts(
        shares.user[share], of[by_content][place], shares.at[share], shares.content[share]
    )
    alive = _alive(snapshot, shares)[content]
    acted = (posted.user >= 0) & contents.posted[content]
    return posted.where(acted).join(shared), key[alive]


def _alive(snapshot: Snapshot, shares: FirstShares) -> npt.NDArray[np.bool_]:
    """Say of each content whether it was posted or shared at all: outside a window neither."""
    found = snapshot.contents.posted.copy()
    found[shares.content] = True
    return found


def _account_acts(snapshot: Snapshot, shares: FirstShares) -> tuple[_Acts, Longs]:
    """Return first shares of what brands' accounts posted, and (brand, content) keys of it."""
    contents, brands = snapshot.contents, snapshot.brands
    order = np.argsort(brands.account_user, kind="stable")
    account, owner = brands.account_user[order], brands.account_brand[order]
    content, place = _matches(np.where(_alive(snapshot, shares), contents.author, -1), account)
    share, owned = _matches(contents.author[shares.content], account)
    acts = _Acts(shares.user[share], owner[owned], shares.at[share], shares.content[share])
    return _not_own(brands, acts), _key(owner[place], content.astype(np.int32), len(contents))


def _owned(acts: _Acts, brands: Brands) -> _Acts:
    """Turn acts towards accounts into acts towards the brands that own them."""
    order = np.argsort(brands.account_user, kind="stable")
    act, place = _matches(acts.source, brands.account_user[order])
    owner = brands.account_brand[order][place]
    return _Acts(acts.user[act], owner, acts.at[act], acts.content[act])


def _not_own(brands: Brands, acts: _Acts) -> _Acts:
    users = int(max(acts.user.max(initial=-1), brands.account_user.max(initial=-1))) + 1
    own = _key(brands.account_brand, brands.account_user, users)
    return acts.where(~np.isin(_key(acts.source, acts.user, users), own))


def _pairwise(snapshot: Snapshot, count: Count) -> _Acts:
    """Return what edges without contents say: an act an edge, or an act an interaction."""
    rows = snapshot.interactions
    kept = np.flatnonzero(np.isin(rows.kind, _PASSED_ON) & (rows.user != rows.target))
    if count == "interactions":
        kept = np.repeat(kept, _times(rows.weight[kept]))
    nothing = np.full(len(kept), -1, np.int32)
    return _Acts(rows.user[kept], rows.target[kept], rows.at[kept], nothing)


def _times(weight: Floats) -> Longs:
    """Return the whole interactions that weights stand for: an edge is at least one."""
    # Cut where one edge alone is too many: the sum then stays far from overflowing.
    whole = np.rint(np.clip(np.nan_to_num(weight, nan=1.0), 1.0, MOST_INTERACTIONS + 1.0))
    if whole.sum() > MOST_INTERACTIONS:
        raise UsageError(
            "to count interactions with their weights",
            f"the weights of the edges sum up to more than {MOST_INTERACTIONS:,}",
            "count distinct users (the default), or load weights in a larger unit",
        )
    return whole.astype(np.int64)


def _pairs_counted(pairs: _Acts, sources: int, count: Count) -> tuple[_Acts, Longs]:
    """Return the pairwise acts that count, and how many repeat one by the same user."""
    if count == "interactions":
        return pairs, np.zeros(sources, np.int64)
    return _distinct(pairs, sources)


def _distinct(acts: _Acts, sources: int) -> tuple[_Acts, Longs]:
    """Keep the first act of each user towards each source; count the others by source."""
    when = np.where(acts.at == NO_TIME, LATE, acts.at)
    order = np.lexsort((acts.content, when, acts.user, acts.source))
    acts = acts.where(order)
    first = np.ones(len(order), np.bool_)
    first[1:] = (acts.source[1:] != acts.source[:-1]) | (acts.user[1:] != acts.user[:-1])
    repeats = np.bincount(acts.source[~first], minlength=sources).astype(np.int64)
    return acts.where(first), repeats


def _share_repeats(snapshot: Snapshot, counted: _Acts) -> Longs:
    """Count, by author, later shares of a content by a user who was counted for it."""
    rows, users = snapshot.shares, len(snapshot.users)
    passed = rows.kind != SHARE_KINDS.index("bookmark")
    again = passed & np.isin(
        _key(rows.content, rows.user, users), _key(counted.content, counted.user, users)
    )
    author = snapshot.contents.author[rows.content[again]]
    every = np.bincount(author, minlength=users)
    return (every - np.bincount(counted.source, minlength=users)).astype(np.int64)


def _count_posts(keys: Longs, sources: int, contents: int) -> Longs:
    """Count distinct contents of each source; -1 where there is none."""
    of, _ = _unkey(np.unique(keys), contents)
    count = np.bincount(of, minlength=sources).astype(np.int64)
    return np.where(count > 0, count, -1)


def _key(major: Ints, minor: Ints, size: int) -> Longs:
    return major.astype(np.int64) * max(size, 1) + minor


def _unkey(key: Longs, size: int) -> tuple[Ints, Ints]:
    major, minor = np.divmod(key, max(size, 1))
    return major.astype(np.int32), minor.astype(np.int32)


def _matches(values: Ints, ordered: Ints) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Join values with a sorted column: the places of each match in both."""
    first = np.searchsorted(ordered, values, "left")
    many = np.searchsorted(ordered, values, "right") - first
    left = np.repeat(np.arange(len(values)), many)
    start = np.repeat(first - (np.cumsum(many) - many), many)
    return left, start + np.arange(len(left))


def _finish(
    snapshot: Snapshot,
    kind: SourceKind,
    things: tuple[pa.StringArray, pa.StringArray, Ints],
    acts: _Acts,
    counts: tuple[Longs, Longs],
) -> SourceEvents:
    """Give numbers to the sources that have an event, and sort."""
    (ids, labels, group), (n_posts, repeats) = things, counts
    present, source = np.unique(acts.source, return_inverse=True)
    when = np.where(acts.at == NO_TIME, LATE, acts.at)
    order = np.lexsort((acts.content, acts.user, when, source))
    user = acts.user[order].astype(np.int32)
    return SourceEvents(
        source_kind=kind,
        source_id=ids.take(pa.array(present)),
        label=labels.take(pa.array(present)),
        group=group[present],
        n_posts=n_posts[present],
        repeats=repeats[present],
        user=user,
        source=source[order].astype(np.int32),
        at=acts.at[order],
        content=acts.content[order].astype(np.int32),
        platform=snapshot.users.platform[user],
    )
