"""Assembling a snapshot: numbering, merging, resolving handles, dropping doubles."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from engine.assemble import assemble
from engine.model import CANONICAL, CONTENT_KINDS
from engine.snapshot import NO_TIME


def rows(name: str, *values: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(values), schema=CANONICAL[name].schema)


NOON = dt.datetime(2021, 8, 1, 12, tzinfo=dt.UTC)


def test_newer_value_wins_column_by_column_whatever_the_order() -> None:
    older = {"user_id": "x:1", "name": "Ana", "handle": "ana", "seen_at": NOON}
    newer = {"user_id": "x:1", "name": "Anna", "seen_at": NOON + dt.timedelta(days=1)}
    for order in ((older, newer), (newer, older)):
        users = assemble({"users": rows("users", *order)}).users
        assert users.name.to_pylist() == ["Anna"]
        assert users.handle.to_pylist() == ["ana"]


def test_of_values_seen_at_the_same_time_the_choice_does_not_depend_on_order() -> None:
    one = {"user_id": "x:1", "name": "Ana"}
    two = {"user_id": "x:1", "name": "Bea"}
    assert (
        assemble({"users": rows("users", one, two)}).users.name.to_pylist()
        == assemble({"users": rows("users", two, one)}).users.name.to_pylist()
    )


def test_a_handle_that_one_user_claims_is_that_user() -> None:
    s = assemble(
        {
            "users": rows("users", {"user_id": "x:7", "handle": "Ana"}),
            "mentions": rows("mentions", {"user_id": "x:1", "target_id": "x:@ana"}),
        }
    )
    assert s.users.user_id.to_pylist() == ["x:1", "x:7"]
    assert s.mentions.target.tolist() == [1]


def test_a_handle_that_changed_hands_is_left_alone() -> None:
    s = assemble(
        {
            "users": rows(
                "users", {"user_id": "x:7", "handle": "ana"}, {"user_id": "x:8", "handle": "ANA"}
            ),
            "mentions": rows("mentions", {"user_id": "x:1", "target_id": "x:@ana"}),
        }
    )
    assert "x:@ana" in s.users.user_id.to_pylist()


def test_the_same_event_twice_is_one_and_a_known_parent_wins() -> None:
    share = {"user_id": "x:b", "content_id": "x:1", "at": NOON, "kind": "share"}
    s = assemble({"shares": rows("shares", share, {**share, "via_user_id": "x:a"}, share)})
    assert s.users.user_id.to_pylist() == ["x:a", "x:b"]
    assert s.shares.user.tolist() == [1]
    assert s.shares.via.tolist() == [0]


def test_unknown_times_and_users_are_marked_not_zero() -> None:
    s = assemble({"shares": rows("shares", {"user_id": "x:b", "content_id": "x:1"})})
    assert s.shares.at.tolist() == [NO_TIME]
    assert s.contents.author.tolist() == [-1]
    assert s.users.followers_count.tolist() == [-1]


def test_mentions_of_a_brand_or_its_alias_are_the_brand_s() -> None:
    s = assemble(
        {
            "brands": rows("brands", {"brand_id": "brand:acme", "name": "Acme"}),
            "brand_members": rows(
                "brand_members", {"brand_id": "brand:acme", "kind": "alias", "value": "#acme"}
            ),
            "mentions": rows(
                "mentions",
                {"user_id": "x:1", "target_id": "brand:acme", "at": NOON},
                {"user_id": "x:2", "target_id": "#acme", "at": NOON},
                {"user_id": "x:2", "target_id": "x:1", "at": NOON},
            ),
        }
    )
    assert s.brands.mention_user.tolist() == [0, 1]
    assert s.mentions.target.tolist() == [0]


def test_who_is_no_longer_the_author_is_nobody() -> None:
    """As in a store, where no row names such a user any more."""
    s = assemble(
        {
            "content": rows(
                "content",
                {"content_id": "x:p", "author_id": "x:old", "seen_at": NOON},
                {"content_id": "x:p", "author_id": "x:new", "seen_at": NOON + dt.timedelta(1)},
            )
        }
    )
    assert s.users.user_id.to_pylist() == ["x:new"]
    assert s.contents.author.tolist() == [0]


def test_what_was_judged_and_what_nobody_said() -> None:
    said = {
        "content_id": "x:p",
        "kind": "video",
        "text": "zwölf 👩",
        "stance": -0.5,
        "emotion": 1.0,
        "is_promotion": False,
        "impressions_count": 7,
        "clicks_count": 0,
    }
    s = assemble({"content": rows("content", {"content_id": "x:o"}, said)}).contents
    assert s.kind.tolist() == [-1, CONTENT_KINDS.index("video")]
    assert s.text_length.tolist() == [-1, 7]
    assert s.is_promotion.tolist() == [-1, 0]
    assert s.impressions_count.tolist() == [-1, 7]
    assert s.clicks_count.tolist() == [-1, 0]
    assert s.likes_count.tolist() == [-1, -1]
    assert np.array_equal(s.stance, [np.nan, -0.5], equal_nan=True)
    assert np.array_equal(s.emotion, [np.nan, 1.0], equal_nan=True)


def test_impressions_are_of_users_or_of_named_communities() -> None:
    shown = [
        {"content_id": "x:p", "user_id": "x:@ann", "community": "north", "count": 2},
        {"content_id": "x:p", "user_id": "x:7", "count": 3},
        {"content_id": "x:p", "community": "south", "count": 40},
        {"content_id": "x:o", "community": "north", "count": 5},
        {"content_id": "x:p", "community": "south", "count": 30},
        {"content_id": "x:z", "count": 9},
    ]
    s = assemble(
        {
            "users": rows("users", {"user_id": "x:7", "handle": "Ann"}),
            "impressions": rows("impressions", *shown),
        }
    )
    assert s.contents.content_id.to_pylist() == ["x:o", "x:p", "x:z"]
    i = s.impressions
    assert (i.content.tolist(), i.user.tolist(), i.count.tolist()) == ([1], [0], [3])
    assert i.group_name.to_pylist() == ["north", "south"]
    assert (i.group_content.tolist(), i.group.tolist()) == ([0, 1], [0, 1])
    assert i.group_count.tolist() == [5, 40]


def test_a_reply_is_a_content_only_where_something_else_says_so() -> None:
    said = [
        {"user_id": "x:1", "parent_content_id": "x:p", "content_id": name, "at": NOON}
        for name in ("x:p", "x:unknown")
    ]
    later = {**said[0], "content_id": "x:unknown", "at": NOON + dt.timedelta(1)}
    s = assemble({"replies": rows("replies", *said, later)})
    assert s.contents.content_id.to_pylist() == ["x:p"]
    assert s.replies.content.tolist() == [0, -1]


def test_row_order_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    shares = pa.table(
        {
            "user_id": [f"x:{i}" for i in rng.integers(0, 40, 300)],
            "content_id": [f"x:p{i}" for i in rng.integers(0, 30, 300)],
            "at": pa.array(rng.integers(0, 10**6, 300), pa.timestamp("us", "UTC")),
        }
    )
    topics = pa.table(
        {
            "content_id": [f"x:p{i}" for i in range(30)],
            "kind": ["domain"] * 30,
            "label": [f"d{i % 7}.org" for i in range(30)],
        }
    )
    whole = assemble({"shares": shares, "topics": topics})
    for seed in (2, 3):
        order = np.random.default_rng(seed).permutation(300)
        again = assemble({"shares": shares.take(order), "topics": topics.slice(0)})
        assert again.fingerprint == whole.fingerprint
        np.testing.assert_array_equal(again.shares.user, whole.shares.user)
    assert assemble({"shares": shares.slice(1)}).fingerprint != whole.fingerprint


@pytest.mark.parametrize("name", sorted(CANONICAL))
def test_every_table_may_be_empty(name: str) -> None:
    assert len(assemble({name: CANONICAL[name].schema.empty_table()}).users) == 0
