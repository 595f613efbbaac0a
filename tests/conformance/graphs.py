"""Named toy graphs as exports, their users apart from each other's, so that one store holds all.

Each is small enough to say in a line what must come out; `PEOPLE` gives the users of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from tests.engine.backends.worlds import START, World, joined, random_batch, world

Row = dict[str, Any]


def at(minutes: float) -> Any:
    """A time, in minutes after the first."""
    return START + timedelta(minutes=minutes)


def _shared(content: str, by: str, minutes: float | None, **more: Any) -> Row:
    when = None if minutes is None else at(minutes)
    return {"user_id": by, "content_id": content, "at": when, "kind": "share", **more}


def _posted(content: str, author: str, minutes: float = 0) -> Row:
    return {"content_id": content, "author_id": author, "created_at": at(minutes)}


def one_user() -> World:
    return world(users=[{"user_id": "x:only", "handle": "only", "name": None}])


def self_mention() -> World:
    """Who mentions, shares and answers nobody but himself."""
    return world(
        content=[_posted("x:own", "x:self")],
        shares=[_shared("x:own", "x:self", 1)],
        mentions=[{"user_id": "x:self", "target_id": "x:self", "at": at(2)}],
        replies=[{"user_id": "x:self", "parent_content_id": "x:own", "at": at(3)}],
        interactions=[{"user_id": "x:self", "target_id": "x:self", "kind": "share"}],
    )


def parallel_shares() -> World:
    """One user who shares one content four times: twice at one time, once as a quote."""
    return world(
        content=[_posted("x:again", "x:para")],
        shares=[
            _shared("x:again", "x:parb", 1),
            _shared("x:again", "x:parb", 1),
            _shared("x:again", "x:parb", 5),
            _shared("x:again", "x:parb", 5, kind="quote"),
            _shared("x:again", "x:parb", None),
        ],
    )


def star() -> World:
    """One content that six share straight from its author, whom all six follow."""
    leaves = [f"x:leaf{i}" for i in range(6)]
    return world(
        content=[_posted("x:star", "x:hub")],
        shares=[_shared("x:star", leaf, i + 1) for i, leaf in enumerate(leaves)],
        follows=[{"follower_id": leaf, "followee_id": "x:hub"} for leaf in leaves],
    )


CHAIN: Final = 6


def chain() -> World:
    """One content passed on from hand to hand: each shares from the one before."""
    links = [f"x:link{i}" for i in range(CHAIN)]
    return world(
        content=[_posted("x:chain", links[0])],
        shares=[_shared("x:chain", links[i], i, via_user_id=links[i - 1]) for i in range(1, CHAIN)],
    )


def reciprocal_pair() -> World:
    """Two who follow and share each other, and a third who follows without being followed."""
    return world(
        follows=[
            {"follower_id": a, "followee_id": b}
            for a, b in (("x:rec1", "x:rec2"), ("x:rec2", "x:rec1"), ("x:rec3", "x:rec1"))
        ],
        interactions=[
            {"user_id": "x:rec1", "target_id": "x:rec2", "kind": "share", "weight": 2.0},
            {"user_id": "x:rec2", "target_id": "x:rec1", "kind": "share", "weight": 1.0},
        ],
    )


MEMBERS: Final = 20
POSTS: Final = 60
LOUD: Final = "x:loud"


def two_groups() -> World:
    """Two groups that share their own, and one loud outsider whom all share now and then.

    The outsider belongs to nobody and is shared by both groups alike: loud, no affinity.
    """
    content: list[Row] = []
    shares: list[Row] = []
    for post in range(POSTS):
        for group in "ab":
            author = f"x:{group}{post % MEMBERS:02}"
            name = f"x:post-{group}{post}"
            content.append(_posted(name, author, 60 * post))
            sharers = [f"x:{group}{(post + step) % MEMBERS:02}" for step in (1, 2, 3, 5, 8)]
            shares += [_shared(name, by, 60 * post + i + 1) for i, by in enumerate(sharers)]
        name = f"x:post-loud{post}"
        content.append(_posted(name, LOUD, 60 * post + 30))
        sharers = [
            f"x:{group}{(7 * post + step) % MEMBERS:02}" for group in "ab" for step in (0, 1)
        ]
        shares += [_shared(name, by, 60 * post + 31 + i) for i, by in enumerate(sharers)]
    users: list[Row] = [{"user_id": LOUD, "handle": "loud", "followers_count": 1_000_000}]
    return world(users=users, content=content, shares=shares)


def handles_and_brands() -> World:
    """People called by handles, some claimed once and some twice, and brands by all names."""
    return world(
        users=[
            {"user_id": "y:1", "handle": "Ann", "name": "Ann", "labels": ["red", "blue"]},
            {"user_id": "y:2", "handle": "bob", "seen_at": at(0)},
            {"user_id": "y:2", "handle": None, "name": "Bob", "seen_at": at(9)},
            {"user_id": "y:3", "handle": "twin", "is_bot": True, "followers_count": 7},
            {"user_id": "y:4", "handle": "twin", "is_bot": None, "labels": []},
        ],
        content=[
            {
                "content_id": "y:p",
                "author_id": "y:@ann",
                "created_at": at(0),
                "text": "über “it”\n",
            },
            {"content_id": "y:q", "author_id": None, "created_at": None, "likes_count": 0},
        ],
        shares=[
            _shared("y:p", "y:@bob", 1, via_user_id="y:@ann"),
            _shared("y:p", "y:@twin", 2),
            _shared("y:q", "y:@nobody", None),
        ],
        mentions=[
            {"user_id": "y:@ann", "target_id": "Acme Ltd", "at": at(1)},
            {"user_id": "y:1", "target_id": "brand:zeta", "at": at(2), "content_id": "y:p"},
        ],
        reactions=[
            {"user_id": "y:2", "content_id": "y:p", "kind": "like", "at": at(1)},
            {"user_id": "y:2", "content_id": "y:q", "kind": "review", "at": at(2), "score": 4.5},
        ],
        brands=[
            {"brand_id": "brand:acme", "name": "Acme", "seen_at": None},
            {"brand_id": "brand:zeta", "name": "Zeta", "seen_at": at(0)},
        ],
        brand_members=[
            {"brand_id": "brand:acme", "kind": "alias", "value": "Acme Ltd"},
            {"brand_id": "brand:acme", "kind": "account", "value": "y:@bob"},
            {"brand_id": "brand:zeta", "kind": "domain", "value": "zeta.org"},
        ],
        topics=[
            {"content_id": "y:p", "kind": "domain", "label": "zeta.org"},
            {"content_id": "y:p", "kind": "hashtag", "label": "a:b"},
        ],
        impressions=[
            {"content_id": "y:p", "user_id": "y:@twin", "count": 3},
            {"content_id": "y:p", "community": "north", "count": 40},
        ],
    )


GRAPHS: Final[Mapping[str, Callable[[], World]]] = {
    "one_user": one_user,
    "self_mention": self_mention,
    "parallel_shares": parallel_shares,
    "star": star,
    "chain": chain,
    "reciprocal_pair": reciprocal_pair,
    "two_groups": two_groups,
    "handles_and_brands": handles_and_brands,
    "all_tables": lambda: random_batch(7),
}
"""Toy graphs by name; the empty one is a store nothing was loaded into."""

TOYS: Final = ("one_user", "self_mention", "parallel_shares", "star", "chain", "reciprocal_pair")
BATCHES: Final[Mapping[str, Callable[[], World]]] = {
    "toys": lambda: joined([GRAPHS[name]() for name in TOYS]),
    **{name: make for name, make in GRAPHS.items() if name not in TOYS},
}
"""All of them as few loads, each of which costs a second on a server."""
