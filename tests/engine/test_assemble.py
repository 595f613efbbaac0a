"""Assembling a snapshot: numbering, merging, resolving handles, dropping doubles."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from engine.assemble import assemble
from engine.model import CANONICAL
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
