"""Influence against counting by hand, one row after the other."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import influence as module
from engine.assemble import assemble
from engine.influence import influence, percentiles
from engine.params import SourceKind
from engine.partition import Partitions
from engine.results import RESULTS, empty
from engine.snapshot import Snapshot
from engine.sources import events

Row = dict[str, Any]
START = datetime(2024, 5, 1, 12, tzinfo=UTC)
KINDS: tuple[SourceKind, ...] = ("user", "brand", "domain", "hashtag")


def rows(columns: Sequence[str], *values: tuple[Any, ...]) -> pa.Table:
    return pa.table({c: [v[i] for v in values] for i, c in enumerate(columns)})


def partition(snapshot: Snapshot, labels: Mapping[str, int]) -> Partitions:
    ids = snapshot.users.user_id.to_pylist()
    reference = np.array([labels.get(u, -1) for u in ids], dtype=np.int32)
    k = int(reference.max(initial=-1)) + 1
    return Partitions(reference, reference[None, :], np.ones(len(ids)), np.ones(k, np.bool_), 1.0)


def described(
    tables: Mapping[str, pa.Table],
    labels: Mapping[str, int] | None = None,
    kinds: Sequence[SourceKind] = KINDS,
) -> dict[tuple[str, str], Row]:
    snapshot = assemble(tables)
    found = influence(
        snapshot,
        partition(snapshot, labels or {}),
        {kind: events(snapshot, kind) for kind in kinds},
        empty("authority"),
    )
    assert found.schema.equals(RESULTS["influence"].schema)
    keys = list(zip(found["source_kind"].to_pylist(), found["source_id"].to_pylist(), strict=True))
    assert keys == sorted(set(keys))
    return dict(zip(keys, found.to_pylist(), strict=True))


TABLES = {
    "users": rows(
        ["user_id", "name", "followers_count"],
        ("x:a", "Ada", 900),
        ("x:b", "Ben", None),
        ("x:help", "Acme Help", None),
    ),
    "content": rows(
        ["content_id", "author_id"],
        ("x:1", "x:a"),
        ("x:2", "x:a"),
        ("x:3", "x:a"),
        ("x:4", "x:help"),
        ("y:5", "y:other"),
    ),
    "shares": rows(
        ["content_id", "user_id"],
        ("x:1", "x:b"),
        ("x:1", "x:c"),
        ("x:1", "x:a"),
        ("x:2", "x:b"),
        ("x:2", "x:c"),
        ("x:2", "x:d"),
        ("x:4", "x:c"),
        ("y:5", "x:a"),
    ),
    "replies": rows(
        ["user_id", "parent_content_id"], ("x:e", "x:1"), ("x:a", "x:1"), ("x:e", "y:5")
    ),
    "mentions": rows(
        ["user_id", "target_id"],
        ("x:b", "x:a"),
        ("x:e", "x:a"),
        ("x:f", "Acme"),
        ("x:help", "Acme"),
    ),
    "follows": rows(
        ["follower_id", "followee_id"],
        ("x:f", "x:a"),
        ("x:g", "x:a"),
        ("x:g", "x:b"),
        ("x:h", "x:c"),
        ("x:a", "x:c"),
        ("x:f", "x:help"),
    ),
    "brands": rows(["brand_id", "name"], ("brand:acme", "Acme")),
    "brand_members": rows(
        ["brand_id", "kind", "value"],
        ("brand:acme", "account", "x:help"),
        ("brand:acme", "account", "x:shop"),
        ("brand:acme", "alias", "Acme"),
        ("brand:acme", "domain", "acme.example"),
    ),
    "topics": rows(
        ["content_id", "kind", "label"],
        ("y:5", "domain", "acme.example"),
        ("x:1", "domain", "news.example"),
        ("y:5", "domain", "news.example"),
        ("x:1", "hashtag", "news"),
    ),
}


def test_a_user_is_counted_by_hand() -> None:
    labels = {"x:a": 0, "x:b": 0, "x:e": 1}
    found = described(TABLES, labels)[("user", "x:a")]
    assert found == {
        "source_kind": "user",
        "source_id": "x:a",
        "label": "Ada",
        "platform": "x",
        "community_id": "c1",
        "followers_count": 900,
        "content_count": 3,
        "share_count": 5,
        "sharer_count": 3,
        "repeat_count": 0,
        "h_index": 2,
        "attention_count": 2,
        "attention_inside_count": 1,
        "attention_across_count": 1,
        # f and g follow a, g follows b, h and a follow c: f, g, h without the author.
        "reach_count": 3,
        "authority": None,
        "authority_recent": None,
        # b, c, d and e turned to a, y:other was turned to; b is at home with a, e is not.
        "brokerage": 0.5,
        "influence": found["influence"],
        "influence_basis": "reach_count",
    }


def test_users_of_whom_nothing_is_known_have_no_row() -> None:
    found = described(TABLES)
    assert ("user", "x:d") not in found
    # Followed, though nobody shares or mentions them.
    assert found[("user", "x:b")]["followers_count"] == 1
    assert found[("user", "x:b")]["reach_count"] == 0
    assert found[("user", "x:b")]["h_index"] is None


def test_a_brand_is_its_accounts_its_domains_and_its_name() -> None:
    found = described(TABLES)[("brand", "brand:acme")]
    assert (found["label"], found["platform"], found["community_id"]) == ("Acme", None, None)
    assert found["content_count"] == 2
    # c shared the account's post; y:other posted about the domain, and a shared that.
    assert (found["share_count"], found["sharer_count"]) == (3, 3)
    # e replied to the post about the domain, f named the brand; its own account does not count.
    assert found["attention_count"] == 2
    assert found["attention_inside_count"] is None
    assert found["followers_count"] == 1
    # f follows the account, h and a follow c, f and g follow a.
    assert found["reach_count"] == 4


def test_a_topic_is_what_carries_it() -> None:
    found = described(TABLES)
    news = found[("domain", next(s for k, s in found if k == "domain" and "news" in s))]
    assert (news["label"], news["platform"]) == ("news.example", None)
    # a and other posted about it; b, c and again a shared.
    assert (news["content_count"], news["share_count"]) == (2, 4)
    assert news["repeat_count"] >= 1
    assert (news["attention_count"], news["h_index"]) == (2, 1)
    assert news["followers_count"] is None
    hashtag = found[("hashtag", next(s for k, s in found if k == "hashtag"))]
    assert (hashtag["label"], hashtag["platform"], hashtag["share_count"]) == ("news", "x", 3)


def test_without_follows_reach_is_unknown_and_shares_decide() -> None:
    tables = {name: t for name, t in TABLES.items() if name != "follows"}
    found = described(tables)
    assert {r["reach_count"] for r in found.values()} == {None}
    assert {r["influence_basis"] for r in found.values()} == {"share_count"}
    assert found[("user", "x:help")]["followers_count"] is None
    only = {n: tables[n] for n in ("users", "replies", "content", "mentions")}
    assert {r["influence_basis"] for r in described(only).values()} == {"attention_count"}


def test_more_follows_than_can_be_walked_leave_reach_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "REACH_STEPS", 3)
    found = described(TABLES)
    assert found[("user", "x:a")]["reach_count"] is None
    assert found[("user", "x:a")]["influence_basis"] == "share_count"


def test_percentiles_stand_in_the_order_of_events() -> None:
    snapshot = assemble(TABLES)
    shared = {kind: events(snapshot, kind) for kind in KINDS}
    found = influence(snapshot, partition(snapshot, {}), shared, empty("authority"))
    aligned = percentiles(found, shared)
    for kind, of_kind in shared.items():
        by_id = {
            r["source_id"]: r["influence"] for r in found.to_pylist() if r["source_kind"] == kind
        }
        assert aligned[kind].tolist() == [by_id[s] for s in of_kind.source_id.to_pylist()]
    users = [r for r in found.to_pylist() if r["source_kind"] == "user"]
    # A mid-rank percentile is 50 on average, and orders as its basis does.
    assert np.mean([r["influence"] for r in users]) == pytest.approx(50.0)
    order = sorted(users, key=lambda r: int(r["reach_count"]))
    assert [r["influence"] for r in order] == sorted(r["influence"] for r in users)


def test_nothing_gives_no_rows() -> None:
    assert described({}) == {}


# -- against a count by sets ----------------------------------------------------------------

person = st.sampled_from([f"x:{c}" for c in "abcdefghij"])
post = st.sampled_from([f"x:p{i}" for i in range(12)])
worlds = st.fixed_dictionaries(
    {
        "author": st.lists(st.one_of(st.none(), person), min_size=12, max_size=12),
        "shares": st.lists(st.tuples(post, person), max_size=60),
        "replies": st.lists(st.tuples(person, post), max_size=15),
        "mentions": st.lists(st.tuples(person, person), max_size=15),
        "unknown": st.lists(st.tuples(person, person), max_size=15),
        "follows": st.lists(st.tuples(person, person), min_size=1, max_size=60),
        "labels": st.dictionaries(person, st.integers(0, 2)),
    }
)


def tables_of(world: Mapping[str, Any], rename: Mapping[str, str]) -> dict[str, pa.Table]:
    def told(values: list[tuple[str, str]], a: str, b: str, **more: str) -> pa.Table:
        strings = [(rename.get(x, x), rename.get(y, y)) for x, y in values]
        return pa.table(
            {
                a: pa.array([v[0] for v in strings], pa.string()),
                b: pa.array([v[1] for v in strings], pa.string()),
                **{c: pa.array([v] * len(strings), pa.string()) for c, v in more.items()},
            }
        )

    authors = [rename.get(a) if a else None for a in world["author"]]
    return {
        "content": pa.table(
            {
                "content_id": [f"x:p{i}" for i in range(12)],
                "author_id": pa.array(authors, pa.string()),
                "created_at": [START - timedelta(hours=1)] * 12,
            }
        ),
        "shares": told(world["shares"], "content_id", "user_id"),
        "replies": told(world["replies"], "user_id", "parent_content_id"),
        "mentions": told(world["mentions"], "user_id", "target_id"),
        "interactions": told(world["unknown"], "user_id", "target_id", kind="unknown"),
        "follows": told(world["follows"], "follower_id", "followee_id"),
    }


def counted(world: Mapping[str, Any], user: str) -> Row:
    """Count what is known of a user with sets."""
    author = {f"x:p{i}": a for i, a in enumerate(world["author"])}
    own = {p for p, a in author.items() if a == user}
    shares = {(p, u) for p, u in world["shares"] if p in own and u != user}
    by_post = sorted((sum(1 for p, _ in shares if p == q) for q in own), reverse=True)
    attention = {u for u, t in (*world["mentions"], *world["unknown"]) if t == user}
    attention = (attention | {u for u, p in world["replies"] if p in own}) - {user}
    posters = ({user} if own else set()) | {u for _, u in shares}
    home = world["labels"].get(user)
    there = [world["labels"].get(u) for u in attention]
    return {
        "followers_count": len({f for f, t in world["follows"] if t == user}),
        "content_count": len(own),
        "share_count": len(shares),
        "sharer_count": len({u for _, u in shares}),
        "h_index": sum(n >= i for i, n in enumerate(by_post, 1)) if own else None,
        "attention_count": len(attention),
        "attention_inside_count": None if home is None else there.count(home),
        "attention_across_count": None
        if home is None
        else sum(t is not None and t != home for t in there),
        "reach_count": len({f for f, t in world["follows"] if t in posters} - {user}),
    }


@given(worlds, st.permutations("abcdefghij"))
@settings(max_examples=10, deadline=None)
def test_counts_are_those_of_sets_whatever_the_names(
    world: Mapping[str, Any], letters: list[str]
) -> None:
    rename = {
        f"x:{old}": f"x:{new}-renamed" for old, new in zip("abcdefghij", letters, strict=True)
    }
    labels = {rename[u]: c for u, c in world["labels"].items()}
    found = described(tables_of(world, rename), labels, ("user",))
    for old, new in rename.items():
        expected = counted(world, old)
        row = found.get(("user", new))
        if row is None:
            busy = ("followers_count", "content_count", "share_count", "attention_count")
            assert [expected[c] for c in busy] == [0, 0, 0, 0]
        else:
            assert {c: row[c] for c in expected} == expected


# -- real data ------------------------------------------------------------------------------


@pytest.mark.shared
def test_members_of_parliament_engaged_by_how_many(shared: Path) -> None:
    folder = shared / "politicians-ona"
    with (folder / "mp_vertices.csv").open(encoding="utf-8") as file:
        members = list(csv.DictReader(file))
    with (folder / "mp_edgelist.csv").open(encoding="utf-8") as file:
        edges = list(csv.DictReader(file))
    found = described(
        {
            "users": pa.table(
                {
                    "user_id": [f"x:{m['screen_name']}" for m in members],
                    "name": [m["name"] for m in members],
                    "followers_count": [int(m["followers_count"]) for m in members],
                }
            ),
            "interactions": pa.table(
                {
                    "user_id": [f"x:{e['from']}" for e in edges],
                    "target_id": [f"x:{e['to']}" for e in edges],
                    "kind": ["unknown"] * len(edges),
                    "weight": [float(e["weight"]) for e in edges],
                }
            ),
        }
    )
    loud = {
        r["label"].strip(): (r["followers_count"], r["attention_count"]) for r in found.values()
    }
    assert len(loud) == 585
    assert loud["Jeremy Corbyn"] == (2_464_893, 70)
    assert loud["Rishi Sunak"] == (513_840, 447)
    engaged: dict[str, set[str]] = {}
    for e in edges:
        if e["from"] != e["to"]:
            engaged.setdefault(f"x:{e['to']}", set()).add(e["from"])
    assert {s: r["attention_count"] for (_, s), r in found.items() if r["attention_count"]} == {
        u: len(who) for u, who in engaged.items()
    }
    assert {r["share_count"] for r in found.values()} == {0}
