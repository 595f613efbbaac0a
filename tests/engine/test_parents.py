"""Inferred parents against a search through all earlier posters, and against figures by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.acts import acts
from engine.assemble import assemble
from engine.parents import METHODS, Parents, parents
from engine.shares import first_shares
from engine.snapshot import NO_TIME, Snapshot
from kindred.demo.world import WorldParams, make_world

START = datetime(2024, 5, 1, 12, tzinfo=UTC)
DAY = 86_400.0
MONTH = 30 * DAY * 1_000_000
STAMP = pa.timestamp("us", "UTC")
ME = "x:me"


def second(seconds: float | None) -> datetime | None:
    return None if seconds is None else START + timedelta(seconds=seconds)


def columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    types = {
        "at": STAMP,
        "created_at": STAMP,
        "weight": pa.float64(),
        "followers_count": pa.int64(),
    }
    return pa.table(
        {
            name: pa.array([row[i] for row in rows], types.get(name, pa.string()))
            for i, name in enumerate(names)
        }
    )


def world(
    shares: Sequence[tuple[str, str, float | None]],
    follows: Sequence[tuple[str, str]] = (),
    turned: Sequence[tuple[str, str, float | None, float]] = (),
    *,
    authors: Sequence[tuple[str, str | None, float | None]] = (("p", "x:author", 0.0),),
    followers: Sequence[tuple[str, int]] = (),
) -> Snapshot:
    """Make a snapshot of (content, user, second) shares without given parents."""
    return assemble(
        {
            "users": columns(("user_id", "followers_count"), followers),
            "content": columns(
                ("content_id", "author_id", "created_at"),
                [(c, a, second(t)) for c, a, t in authors],
            ),
            "shares": columns(
                ("content_id", "user_id", "at"), [(c, u, second(t)) for c, u, t in shares]
            ),
            "follows": columns(("follower_id", "followee_id"), follows),
            "interactions": columns(
                ("user_id", "target_id", "at", "weight", "kind"),
                [(u, v, second(t), w, "reply") for u, v, t, w in turned],
            ),
        }
    )


def told(snapshot: Snapshot, found: Parents | None = None) -> dict[str, tuple[str | None, str]]:
    """Return by sharer who stands above, and how that is known; of one content."""
    found = parents(snapshot) if found is None else found
    ids = [*snapshot.users.user_id.to_pylist(), None]
    return {
        ids[user] or "": (ids[over], METHODS[method])
        for user, over, method in zip(
            found.shares.user.tolist(), found.user.tolist(), found.method.tolist(), strict=True
        )
    }


def test_the_latest_earlier_poster_who_is_followed() -> None:
    shares = [("p", "x:b", 10.0), ("p", "x:c", 20.0), ("p", ME, 30.0), ("p", "x:d", 40.0)]
    follows = [(ME, v) for v in ("x:author", "x:b", "x:c", "x:d")]
    assert told(world(shares, follows))[ME] == ("x:c", "follows")
    assert told(world(shares, follows[:2]))[ME] == ("x:b", "follows")
    assert told(world(shares, follows[:1]))[ME] == ("x:author", "follows")
    # d came later: me follows somebody, but nobody who posted before.
    assert told(world(shares, follows[3:]))[ME] == ("x:author", "root")
    # Whom b follows is not in the data, so nothing is said of it.
    assert told(world(shares, follows))["x:b"] == (None, "unknown")


def test_posters_of_one_time_go_by_followers_then_by_id() -> None:
    shares = [("p", "x:b", 10.0), ("p", "x:c", 10.0), ("p", ME, 30.0)]
    follows = [(ME, "x:b"), (ME, "x:c")]
    assert told(world(shares, follows))[ME] == ("x:b", "follows")
    known = world(shares, follows, followers=[("x:b", 5), ("x:c", 6)])
    assert told(known)[ME] == ("x:c", "follows")
    many = [("x:1", "x:c"), ("x:2", "x:c"), *follows]
    assert told(world(shares, many))[ME] == ("x:c", "follows")


def test_nobody_is_the_parent_of_who_shared_at_the_same_time() -> None:
    shares = [("p", "x:b", 10.0), ("p", ME, 10.0)]
    assert told(world(shares, [(ME, "x:b"), ("x:b", ME)])) == {
        "x:b": ("x:author", "root"),
        ME: ("x:author", "root"),
    }
    # A share moved up to the time of its post still comes after the author.
    snapshot = world([("p", ME, -60.0)], [(ME, "x:author")])
    assert told(snapshot) == {ME: ("x:author", "follows")}


def test_a_share_without_a_time_gets_no_parent() -> None:
    shares = [("p", "x:b", 10.0), ("p", ME, None)]
    assert told(world(shares, [(ME, "x:b")]))[ME] == (None, "unknown")


def test_whom_one_turned_to_most_before_the_content_began() -> None:
    shares = [("p", "x:b", 10.0), ("p", "x:c", 20.0), ("p", ME, 30.0)]
    before = [(ME, "x:b", -5.0, 2.0), (ME, "x:c", -5.0, 1.0)]
    assert told(world(shares, turned=before))[ME] == ("x:b", "interaction")
    # What happened at or after the post is not looked at.
    late = [*before, (ME, "x:c", 0.0, 50.0), (ME, "x:c", 5.0, 50.0)]
    assert told(world(shares, turned=late))[ME] == ("x:b", "interaction")
    assert told(world(shares, turned=late[2:]))[ME] == (None, "unknown")
    # An act without a time may have been later.
    assert told(world(shares, turned=[(ME, "x:c", None, 9.0), *before]))[ME][0] == "x:b"
    # Follows go before; equal weights by who was later.
    assert told(world(shares, [(ME, "x:c")], before))[ME] == ("x:c", "follows")
    even = [(ME, v, -5.0, 1.0) for v in ("x:author", "x:b", "x:c")]
    assert told(world(shares, turned=even))[ME] == ("x:c", "interaction")
    assert told(world(shares, turned=even[:1]))[ME] == ("x:author", "interaction")


def test_acts_lose_half_their_weight_in_a_month_of_a_long_export() -> None:
    shares = [("p", "x:b", 10.0), ("p", "x:c", 20.0), ("p", ME, 30.0)]
    old, new = (ME, "x:b", -45 * DAY, 1.9), (ME, "x:c", -15 * DAY, 1.0)
    # An export of 45 days: nothing decays.
    assert told(world(shares, turned=[old, new]))[ME] == ("x:b", "interaction")
    # One of 90 days: 1.9 has become half of what it was when c was turned to.
    long = [old, new, ("x:y", "x:z", -90 * DAY, 1.0)]
    assert told(world(shares, turned=long))[ME] == ("x:c", "interaction")
    twice = [*long, (ME, "x:b", -46 * DAY, 0.2)]
    assert told(world(shares, turned=twice))[ME] == ("x:b", "interaction")


def test_from_whom_says_given_and_followed_only() -> None:
    snapshot = assemble(
        {
            "content": columns(("content_id", "author_id", "created_at"), [("p", "x:a", START)]),
            "shares": columns(
                ("content_id", "user_id", "at", "via_user_id"),
                [
                    ("p", "x:b", second(1), "x:gone"),
                    ("p", "x:c", second(2), None),
                    ("p", "x:d", second(3), None),
                    ("p", "x:e", second(4), None),
                ],
            ),
            "follows": columns(("follower_id", "followee_id"), [("x:c", "x:b"), ("x:d", "x:e")]),
        }
    )
    found = parents(snapshot)
    ids = [*snapshot.users.user_id.to_pylist(), None]
    assert [ids[u] for u in found.whom] == ["x:gone", "x:b", None, None]
    assert [METHODS[m] for m in found.method] == ["unknown", "follows", "root", "unknown"]


# -- against a search through everybody ----------------------------------------------------

people = [f"x:{c}" for c in "abcdefgh"]
names = st.sampled_from(people)
seconds = st.integers(0, 6).map(lambda t: 3_600.0 * t)
moments = st.integers(-80, 1).map(lambda d: d * DAY)
anybody = st.fixed_dictionaries(
    {
        "shares": st.lists(
            st.tuples(st.sampled_from(["p", "q", "r"]), names, st.one_of(st.none(), seconds)),
            min_size=8,
            max_size=24,
        ),
        "follows": st.lists(st.tuples(names, names), max_size=14),
        "turned": st.lists(
            st.tuples(names, names, moments, st.sampled_from([0.5, 1.0, 2.0])), max_size=30
        ),
        "followers": st.lists(
            st.tuples(names, st.integers(0, 2)), max_size=8, unique_by=lambda row: row[0]
        ),
    }
)
AUTHORS = (("p", "x:a", 0.0), ("q", "x:h", None), ("r", None, 0.0))


def searched(snapshot: Snapshot) -> list[tuple[int, str]]:
    """Return each share's parent user and method by looking at every earlier poster."""
    shares = first_shares(snapshot)
    told_by = list(
        zip(snapshot.follows.follower.tolist(), snapshot.follows.followee.tolist(), strict=True)
    )
    follows = set(told_by)
    following = {u for u, _ in follows}
    known = snapshot.users.followers_count.tolist()
    audience = [n if n >= 0 else sum(v == u for _, v in follows) for u, n in enumerate(known)]
    timed = acts(snapshot, shares).timed()
    done = list(
        zip(
            timed.user.tolist(),
            timed.target.tolist(),
            timed.weight.tolist(),
            timed.at.tolist(),
            strict=True,
        )
    )
    times = [t for *_, t in done]
    long = bool(times) and max(times) - min(times) >= 2 * MONTH
    rows = list(zip(shares.user.tolist(), shares.content.tolist(), shares.at.tolist(), strict=True))
    found: list[tuple[int, str]] = []
    for user, content, at in rows:
        if at == NO_TIME:
            found.append((-1, "unknown"))
            continue
        posted = int(snapshot.contents.created_at[content])
        began = min(t for _, c, t in rows if c == content and t != NO_TIME)
        began = posted if posted != NO_TIME else began
        author = int(snapshot.contents.author[content])
        earlier = [(t, u) for u, c, t in rows if c == content and t != NO_TIME and t < at]
        if author >= 0:
            earlier.append((-math.inf, author))
        followed = [(t, audience[v], -v) for t, v in earlier if (user, v) in follows]
        if followed:
            found.append((-max(followed)[2], "follows"))
            continue

        def weight(other: int, user: int = user, began: int = began) -> float:
            # Added up from the latest to the earliest: another order than the kernel's.
            return math.fsum(
                w * 2.0 ** -((began - t) / MONTH if long else 0.0)
                for u, v, w, t in done
                if (u, v) == (user, other) and t < began
            )

        turned = [(round(weight(v), 9), t, audience[v], -v) for t, v in earlier if weight(v) > 0]
        if turned:
            found.append((-max(turned)[3], "interaction"))
        else:
            found.append((author, "root") if user in following else (-1, "unknown"))
    return found


@given(anybody)
@settings(max_examples=15, deadline=None)
def test_parents_are_those_a_search_through_everybody_finds(rows: dict[str, Any]) -> None:
    snapshot = world(**rows, authors=AUTHORS)
    found = parents(snapshot)
    methods = [METHODS[m] for m in found.method]
    assert list(zip(found.user.tolist(), methods, strict=True)) == searched(snapshot)


def test_many_followed_or_few_earlier_make_no_difference() -> None:
    """Both ways of looking, through those followed and through earlier posters, agree."""
    chance = np.random.default_rng(3)
    users = [f"x:{i:03d}" for i in range(120)]
    shares = [("p", u, float(t)) for u, t in zip(users, chance.integers(0, 60, 120), strict=True)]
    degree = np.where(chance.random(120) < 0.5, 2, chance.integers(0, 110, 120))
    follows = [
        (u, users[v])
        for u, d in zip(users, degree, strict=True)
        for v in chance.choice(120, d, replace=False)
        if users[v] != u
    ]
    turned = [
        (u, users[v], -float(chance.integers(1, 90)) * DAY, 1.0 + float(chance.random()))
        for u, d in zip(users, degree, strict=True)
        if d < 30
        for v in chance.choice(120, 100 - d, replace=False)
        if users[v] != u
    ]
    snapshot = world(shares, follows, turned)
    found = parents(snapshot)
    methods = [METHODS[m] for m in found.method]
    assert list(zip(found.user.tolist(), methods, strict=True)) == searched(snapshot)
    assert min(methods.count(m) for m in ("follows", "interaction")) > 10


@pytest.mark.parametrize("kind", ["follows", "interactions"])
def test_nothing_to_go_by_leaves_all_unknown(kind: str) -> None:
    bystanders = [("x:y", "x:z")] if kind == "follows" else []
    turned = [("x:y", "x:z", -1.0, 1.0)] if kind == "interactions" else []
    snapshot = world([("p", "x:b", 1.0), ("p", "x:c", 2.0)], bystanders, turned)
    assert told(snapshot) == {"x:b": (None, "unknown"), "x:c": (None, "unknown")}


def test_most_parents_of_a_made_world_are_found_from_its_follows() -> None:
    """The world knows from whom everybody had it; follows and times are all that is told here."""
    made = make_world(WorldParams(users=800, sources=60, brands=20, posts=800, communities=5))
    hidden = {name: rows for name, rows in made.tables.items() if name != "shares"}
    hidden["shares"] = made.tables["shares"].drop_columns(["via_user_id"])
    true, found = parents(assemble(made.tables)), parents(assemble(hidden))
    assert [METHODS[m] for m in np.unique(true.method)] == ["via"]
    assert [METHODS[m] for m in np.unique(found.method)] == ["follows"]
    # The latest is not always the one: who looks back further finds an earlier poster.
    assert 0.75 < (found.user == true.user).mean() < 1.0
