"""Which ties make people kindred, as observed in a snapshot.

Shares, quotes and likes carry the community signal; mentions and replies hardly do, so they
count only when asked for. Follows are added, at equal total weight, where at least half of
those who share have one. Where nobody shares a content, users are tied by what they post
about alike; where there is nothing else, by interactions of unknown kind, and that is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol, Self

import numpy as np

from engine.csr import Floats, Ints, Longs
from engine.edges import Edges, ItemEdges, PairEdges
from engine.errors import UsageError
from engine.groups import Flags, RootGroups, root_groups
from engine.model import INTERACTION_KINDS, REACTION_KINDS, TOPIC_KINDS
from engine.params import AnalysisParams, TieKind
from engine.shares import first_shares
from engine.snapshot import NO_TIME, Snapshot

__all__ = ["COSHARE_TOPICS", "ItemTies", "PairTies", "Ties", "observe"]

COSHARE_TOPICS: Final = ("domain", "url", "hashtag", "image")
"""Kinds of topics that can tie users who post about the same one; the first that does is used.

Measured on the German election posts of 2021, scores of domains held against later time:
communities on domains alone foretold best; hashtags and images add users, and noise.
"""

WORTH: Final[Mapping[TieKind, float]] = {
    "shares": 1.0,
    "interactions": 1.0,
    "replies": 0.7,
    "mentions": 0.5,
    "likes": 0.2,
}
"""What one event of a kind counts beside a share."""

_OF_INTERACTIONS: Final[Mapping[TieKind, tuple[str, ...]]] = {
    "shares": ("share", "quote"),
    "likes": ("like",),
    "interactions": ("unknown",),
    "mentions": ("mention",),
    "replies": ("reply",),
}
_WORDS: Final[Mapping[TieKind, tuple[str, ...]]] = {
    "shares": ("shares", "quotes"),
    "likes": ("likes",),
    "interactions": ("interactions of unknown kind",),
    "mentions": ("mentions",),
    "replies": ("replies",),
}


class Ties(Protocol):
    """Observed events that tie users, before they are summed up into weights."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of events found: tie kinds of the parameters, and `follows`."""
        ...

    @property
    def sentence(self) -> str:
        """What ties these are, in words."""
        ...

    @property
    def groups(self) -> RootGroups:
        """The root groups of the snapshot."""
        ...

    def without(self, hidden: Flags) -> Self:
        """Leave out every event that carries a hidden root group."""
        ...

    def before(self, at: int) -> Self:
        """Leave out every event from this time on, and those without a time."""
        ...

    def edges(self) -> Edges:
        """Sum up events into weighted ties."""
        ...


@dataclass(frozen=True, eq=False)
class PairTies:
    """Events from `user` towards `other`, worth `count`, about `content` (-1 for none)."""

    n: int
    kinds: tuple[str, ...]
    sentence: str
    groups: RootGroups
    user: Ints
    other: Ints
    count: Floats
    at: Longs
    content: Ints
    follower: Ints
    followee: Ints

    def without(self, hidden: Flags) -> PairTies:
        """Leave out every event that carries a hidden root group.

        An event about a content is hidden with the content's author or topics, one without
        content with its target. Follows stay: they are not shares.
        """
        contents = np.append(self.groups.carrying(hidden), False)  # what -1 points at
        targets = hidden[self.groups.of_user[self.other]]
        return self._only(~np.where(self.content >= 0, contents[self.content], targets))

    def before(self, at: int) -> PairTies:
        """Leave out every event from this time on, and those without a time; follows stay."""
        return self._only((self.at != NO_TIME) & (self.at < at))

    def _only(self, kept: Flags) -> PairTies:
        return replace(
            self,
            user=self.user[kept],
            other=self.other[kept],
            count=self.count[kept],
            at=self.at[kept],
            content=self.content[kept],
        )

    def edges(self) -> PairEdges:
        """Sum up events: a direction weighs `log2(1 + events)`, so that no fan dominates.

        Follows weigh one a direction, scaled to the same total as all events together.
        """
        u, v, count = _summed(self.n, self.user, self.other, self.count)
        weight = np.log2(1 + count)
        if len(self.follower):
            scale = weight.sum() / len(self.follower) if len(weight) else 1.0
            u = np.concatenate((u, self.follower))
            v = np.concatenate((v, self.followee))
            weight = np.concatenate((weight, np.full(len(self.follower), scale)))
        return PairEdges(self.n, *_summed(self.n, np.minimum(u, v), np.maximum(u, v), weight))


def _summed(n: int, u: Ints, v: Ints, weight: Floats) -> tuple[Ints, Ints, Floats]:
    keys, which = np.unique(u.astype(np.int64) * max(n, 1) + v, return_inverse=True)
    u, v = np.divmod(keys, max(n, 1))
    total = np.bincount(which, weights=weight, minlength=len(keys)).astype(np.float64)
    return u.astype(np.int32), v.astype(np.int32), total


@dataclass(frozen=True, eq=False)
class ItemTies:
    """Users who posted, or shared, a content about a topic: one row each."""

    n: int
    items: int
    kinds: tuple[str, ...]
    sentence: str
    groups: RootGroups
    user: Ints
    item: Ints
    at: Longs
    content: Ints
    shared: Flags
    """True where the user passed on another's content."""

    def without(self, hidden: Flags) -> ItemTies:
        """Leave out every event that carries a hidden root group.

        A post is hidden with its topics, a share with the author too: a post is no share of
        its own author.
        """
        gone = self.groups.about(hidden)[self.content]
        gone |= self.shared & hidden[self.groups.of_content[self.content]]
        return self._only(~gone)

    def before(self, at: int) -> ItemTies:
        """Leave out every event from this time on, and those without a time."""
        return self._only((self.at != NO_TIME) & (self.at < at))

    def _only(self, kept: Flags) -> ItemTies:
        return replace(
            self,
            user=self.user[kept],
            item=self.item[kept],
            at=self.at[kept],
            content=self.content[kept],
            shared=self.shared[kept],
        )

    def edges(self) -> ItemEdges:
        """Return distinct (user, topic) rows of topics that 2 to 400 users have."""
        return ItemEdges.of(self.n, self.items, self.user, self.item)


def observe(
    snapshot: Snapshot, params: AnalysisParams, groups: RootGroups | None = None
) -> PairTies | ItemTies:
    """Return the ties that communities are to be found on. O(events log events).

    Parameters
    ----------
    snapshot
        The data.
    params
        `params.ties` names the kinds; by default shares and likes, else co-shares, else
        interactions of unknown kind.
    groups
        The snapshot's root groups, where they are known already.

    Raises
    ------
    UsageError
        Co-shares are asked for together with other kinds: they tie through things, not
        from user to user.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from engine.assemble import assemble
    >>> s = assemble({
    ...     "content": pa.table({"content_id": ["x:1"], "author_id": ["x:a"]}),
    ...     "shares": pa.table({"user_id": ["x:b", "x:c"], "content_id": ["x:1"] * 2}),
    ... })
    >>> ties = observe(s, AnalysisParams())
    >>> ties.sentence
    'Users are tied by shares and quotes.'
    >>> ties.edges().graph().pairs()[2].tolist()
    [1.0, 1.0]
    """
    groups = groups or root_groups(snapshot)
    if params.ties is not None:
        if "coshares" not in params.ties:
            return _pairs(snapshot, groups, params.ties)
        if len(params.ties) > 1:
            raise UsageError(
                f"ties by {', '.join(params.ties)}",
                "co-shares, which tie through things, beside ties from user to user",
                "ask for co-shares alone",
            )
        return _coshares(snapshot, groups)
    found = _pairs(snapshot, groups, ("shares", "likes"))
    if len(found.user):
        return found
    through = _coshares(snapshot, groups)
    if len(through.edges().user):
        return through
    return _pairs(snapshot, groups, ("interactions",))


Events = tuple[Ints, Ints, Floats, Longs, Ints]
"""User, other, count, time, content."""


def _pairs(snapshot: Snapshot, groups: RootGroups, kinds: tuple[TieKind, ...]) -> PairTies:
    parts = {kind: _events(snapshot, kind) for kind in sorted(kinds, key=list(WORTH).index)}
    user, other, count, at, content = (
        np.concatenate(columns) for columns in zip(*parts.values(), strict=True)
    )
    real = (user >= 0) & (other >= 0) & (user != other) & (count > 0)
    found = tuple(k for k, events in parts.items() if len(events[0]))
    n, follows = len(snapshot.users), snapshot.follows
    sharers = np.unique(user[real])
    follows_someone = np.zeros(n, np.bool_)
    follows_someone[follows.follower] = True
    apart = follows.follower != follows.followee
    added = bool(apart.any()) and (
        len(sharers) == 0 or bool(follows_someone[sharers].mean() >= 0.5)
    )
    return PairTies(
        n=n,
        kinds=(*found, "follows") if added else found,
        sentence=_sentence(found, follows=added, some=len(follows.follower) > 0),
        groups=groups,
        user=user[real],
        other=other[real],
        count=count[real],
        at=at[real],
        content=content[real],
        follower=follows.follower[apart] if added else np.empty(0, np.int32),
        followee=follows.followee[apart] if added else np.empty(0, np.int32),
    )


def _sentence(kinds: tuple[TieKind, ...], *, follows: bool, some: bool) -> str:
    words = [word for kind in kinds for word in _WORDS[kind]]
    if not words and not follows:
        return "No ties: nothing in the data says who shares from whom, or what alike."
    if not words:
        return "Users are tied by follows alone: nobody shares or likes anything."
    listed = " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]
    said = f"Users are tied by {listed}"
    if follows:
        return f"{said}, and by follows at equal total weight."
    if kinds == ("interactions",):
        return f"{said}, since the data hold no shares or likes."
    if some:
        return f"{said}; follows are left out, since most who share have none."
    return f"{said}."


def _events(snapshot: Snapshot, kind: TieKind) -> Events:
    parts = [_interactions(snapshot, kind)]
    author = snapshot.contents.author
    if kind == "shares":
        s = first_shares(snapshot)
        parts.append(_alike(kind, s.user, author[s.content], s.at, s.content))
        # Passing on another's share ties to that user too, unless it is the author.
        via = (s.via >= 0) & (s.via != author[s.content])
        parts.append(_alike(kind, s.user[via], s.via[via], s.at[via], s.content[via]))
    elif kind == "likes":
        r = snapshot.reactions
        like = r.kind == REACTION_KINDS.index("like")
        content = r.content[like]
        parts.append(_alike(kind, r.user[like], author[content], r.at[like], content))
    elif kind == "replies":
        a = snapshot.replies
        parts.append(_alike(kind, a.user, author[a.parent], a.at, a.parent))
    elif kind == "mentions":
        m = snapshot.mentions
        parts.append(_alike(kind, m.user, m.target, m.at, np.full(len(m.user), -1, np.int32)))
    user, other, count, at, content = (
        np.concatenate(columns) for columns in zip(*parts, strict=True)
    )
    return user, other, count, at, content


def _alike(kind: TieKind, user: Ints, other: Ints, at: Longs, content: Ints) -> Events:
    return user, other, np.full(len(user), WORTH[kind]), at, content


def _interactions(snapshot: Snapshot, kind: TieKind) -> Events:
    i = snapshot.interactions
    codes = [INTERACTION_KINDS.index(word) for word in _OF_INTERACTIONS[kind]]
    rows = np.isin(i.kind, codes)
    none = np.full(int(rows.sum()), -1, np.int32)
    return i.user[rows], i.target[rows], i.weight[rows] * WORTH[kind], i.at[rows], none


def _coshares(snapshot: Snapshot, groups: RootGroups) -> ItemTies:
    for kind in COSHARE_TOPICS:
        found = _coshares_of(snapshot, groups, kind)
        if len(found.edges().user):
            return found
    return found


def _coshares_of(snapshot: Snapshot, groups: RootGroups, kind: str) -> ItemTies:
    topics, contents = snapshot.topics, snapshot.contents
    wanted = topics.kind[topics.topic] == TOPIC_KINDS.index(kind)
    content, topic = topics.content[wanted], topics.topic[wanted]
    shares = first_shares(snapshot)
    first = np.searchsorted(content, shares.content, "left")
    many = np.searchsorted(content, shares.content, "right") - first
    share = np.repeat(np.arange(len(shares)), many)
    row = np.repeat(first, many) + np.arange(len(share)) - np.repeat(np.cumsum(many) - many, many)
    known = (contents.author[content] >= 0) & contents.posted[content]
    why = "as asked" if len(shares) else "since nobody shares another's content"
    return ItemTies(
        n=len(snapshot.users),
        items=len(topics),
        kinds=("coshares",),
        sentence=f"Users are tied by co-shares: by each {kind} they post or share about alike, "
        f"{why}.",
        groups=groups,
        user=np.concatenate((contents.author[content[known]], shares.user[share])),
        item=np.concatenate((topic[known], topic[row])),
        at=np.concatenate((contents.created_at[content[known]], shares.at[share])),
        content=np.concatenate((content[known], content[row])),
        shared=np.concatenate((np.zeros(int(known.sum()), np.bool_), np.ones(len(row), np.bool_))),
    )
