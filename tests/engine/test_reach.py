"""The table `reach` against sets, counted row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from engine.audiences import sources_of
from engine.influence import influence
from engine.params import SourceKind
from engine.partition import Partitions
from engine.reach import Reached, reach
from engine.results import RESULTS, empty
from engine.shown import P_ALL
from engine.sketch import relative_deviation, within
from engine.snapshot import Snapshot
from engine.sources import SourceEvents, events
from tests.engine.reaching import Tables, known, made, partition, snapshot_of

KINDS: tuple[SourceKind, ...] = ("user", "brand", "domain", "hashtag")
Row = dict[str, Any]

LABELS = {f"x:u{i:03}": i % 4 for i in range(30) if i % 5}
"""Four communities, the last too small to be scored, and people in none."""

WORLDS = {
    "follows": {"follows": 90},
    "few_follows": {"follows": 8, "interactions": 25},
    "impressions": {"follows": 60, "impressions": 60},
    "impressions_alone": {"follows": 0, "impressions": 30},
    "interaction": {"follows": 0, "interactions": 25},
}


def asked(tables: Tables) -> tuple[Snapshot, Partitions, dict[SourceKind, SourceEvents]]:
    snapshot = snapshot_of(tables)
    counted = {kind: events(snapshot, kind) for kind in KINDS}
    return (
        snapshot,
        partition(snapshot, LABELS, unscored=1),
        {kind: shared for kind, shared in counted.items() if len(shared)},
    )


def reached(tables: Tables) -> Reached:
    return reach(*asked(tables))


def key(row: Row) -> tuple[str, str, bool, str]:
    community = row["community_id"]
    return row["source_kind"], row["source_id"], community is not None, community or ""


def by_hand(tables: Tables, kind: str, source_id: str, community: str | None) -> Row | None:
    """Return what a row must say; None where there must be none."""
    people = known(tables, kind, source_id)
    everybody = {row["user_id"] for row in tables["users"]}
    here = everybody
    if community is not None:
        here = {u for u, label in LABELS.items() if f"c{label + 1}" == community}
    exposed, passed = people.exposed & here, people.passed & here
    if community is not None and not exposed:
        return None
    bound = people.basis == "interaction"
    potential = None if people.potential is None else len(people.potential & here)
    flags = {
        "lower_bound": bound,
        "partial_impressions": people.partial,
        "no_accounts": not people.accounts,
    }
    return {
        "source_kind": kind,
        "source_id": source_id,
        "community_id": community,
        "potential_count": potential,
        "potential_low": potential,
        "potential_high": potential,
        "exposed_count": len(exposed),
        "exposed_low": len(exposed),
        "exposed_high": None if bound else len(exposed),
        "penetration": len(exposed) / len(here),
        "conversion": None if bound or not exposed else len(passed) / len(exposed),
        "method": "exact",
        "basis": people.basis,
        "flags": [flag for flag, holds in flags.items() if holds],
    }


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("seed", range(4))
def test_every_row_is_counted_by_sets(name: str, seed: int) -> None:
    tables = made(seed, **WORLDS[name])
    snapshot, partitions, by_kind = asked(tables)
    found = reach(snapshot, partitions, by_kind).table
    assert found.schema.equals(RESULTS["reach"].schema)
    expected = [
        row
        for kind, shared in by_kind.items()
        for source_id in shared.source_id.to_pylist()
        for community in (None, "c1", "c2", "c3")
        if (row := by_hand(tables, kind, source_id, community)) is not None
    ]
    order = sorted(expected, key=key)
    shown = found.drop_columns(["mean_distance", "within_six_share"]).to_pylist()
    assert [key(row) for row in shown] == [key(row) for row in order]
    for row, right in zip(shown, order, strict=True):
        assert row == right


@pytest.mark.parametrize("name", ["follows", "few_follows"])
def test_influence_is_told_the_same(name: str) -> None:
    snapshot, partitions, by_kind = asked(made(5, **WORLDS[name]))
    found = reach(snapshot, partitions, by_kind)
    alone = influence(snapshot, partitions, by_kind, empty("authority"))
    told = influence(snapshot, partitions, by_kind, empty("authority"), reached=found.followed)
    assert told.equals(alone)
    overall = {
        (r["source_kind"], r["source_id"]): r["exposed_count"]
        for r in found.table.to_pylist()
        if r["community_id"] is None
    }
    counts = {(r["source_kind"], r["source_id"]): r["reach_count"] for r in alone.to_pylist()}
    assert overall
    assert {key: counts[key] for key in overall} == overall


def test_beyond_the_walk_people_are_estimated() -> None:
    tables = made(6, users=3_000, posts=40, follows=60_000)
    for row in tables["follows"][:20_000]:
        row["followee_id"] = f"x:u{int(row['followee_id'][3:]) % 8:03}"
    for number, row in enumerate(tables["content"][:16]):
        row["author_id"] = f"x:u{number % 8:03}"
    labels = {f"x:u{i:03}": i % 3 for i in range(3_000) if i % 5}
    snapshot = snapshot_of(tables)
    partitions = partition(snapshot, labels)
    by_kind: dict[SourceKind, SourceEvents] = {"user": events(snapshot, "user")}
    exact = reach(snapshot, partitions, by_kind)
    rough = reach(snapshot, partitions, by_kind, walked=3_000)
    assert exact.table.num_rows == rough.table.num_rows
    assert set(exact.followed) == {"user"}
    assert not rough.followed
    inside = total = 0
    for right, row in zip(exact.table.to_pylist(), rough.table.to_pylist(), strict=True):
        count = right["exposed_count"]
        same = {"potential_count", "mean_distance", "within_six_share", "basis", "source_id"}
        assert {key: row[key] for key in same} == {key: right[key] for key in same}
        if row["method"] == "exact":
            assert row == right
            continue
        assert row["method"] == f"hyperloglog(p={P_ALL})"
        assert row["flags"] == ["estimated"]
        total += 1
        inside += row["exposed_low"] <= count <= row["exposed_high"]
        assert abs(row["exposed_count"] - count) <= 4 * relative_deviation(P_ALL) * count + 2
        # Who of the exposed shared is counted, not estimated.
        passed = right["conversion"] * count
        assert row["conversion"] == pytest.approx(min(passed / row["exposed_count"], 1.0))
    assert total > 20
    assert inside >= 0.8 * total
    assert any("hyperloglog(p=10)" in text for _, text, _ in rough.notes)


def test_intervals_never_fall_below_none() -> None:
    low, high = within(np.array([0.0, 3.0]), 4)
    assert low.tolist() == [0, 1]
    assert high.tolist() == [0, 5]


def test_sources_shared_least_have_no_rows_in_communities_where_room_is_short() -> None:
    tables = made(7)
    snapshot, partitions, by_kind = asked(tables)
    whole = reach(snapshot, partitions, by_kind).table
    short = reach(snapshot, partitions, by_kind, most_cells=30)
    assert short.table.num_rows < whole.num_rows
    everywhere = pa.compute.is_null
    assert short.table.filter(everywhere(short.table["community_id"])).equals(
        whole.filter(everywhere(whole["community_id"]))
    )
    users = by_kind["user"]
    shared = dict(zip(users.source_id.to_pylist(), np.bincount(users.source).tolist(), strict=True))
    rows = [r for r in short.table.to_pylist() if r["source_kind"] == "user"]
    kept = {r["source_id"] for r in rows if r["community_id"] is not None}
    left = {r["source_id"] for r in rows} - kept
    assert kept
    assert left
    assert min(shared[u] for u in kept) > max(shared[u] for u in left)
    told = [(text, value) for _, text, value in short.notes if text.startswith("user: reach in")]
    assert told[0][1] == len(left)


def test_a_lower_bound_is_said() -> None:
    assert [text for _, text, _ in reached(made(1, follows=0)).notes] == [
        f"{kind}: these data say neither who follows whom nor who was shown what. Reach is the "
        "people seen to do something with a source: a lower bound."
        for kind in sorted(KINDS)
    ]


def test_the_distance_between_people_is_said() -> None:
    (text,) = [text for _, text, _ in reached(made(1)).notes]
    assert text.startswith("Along follows, people who can be reached are ")


def test_rows_in_any_order_give_the_same_table() -> None:
    tables = made(8, impressions=20, interactions=10)
    random = np.random.default_rng(1)
    shuffled = {
        name: [rows[i] for i in random.permutation(len(rows))] for name, rows in tables.items()
    }
    assert reached(shuffled).table.equals(reached(tables).table)


def test_sources_restricted_are_those_sources() -> None:
    snapshot, _, by_kind = asked(made(9))
    every = sources_of(snapshot, "brand", by_kind["brand"])
    two = every.only(np.array([1, 0]))
    assert two.source_id.to_pylist() == ["brand:bo", "brand:acme"]
    for s, old in enumerate((1, 0)):
        for mine, all_ in ((two.accounts, every.accounts), (two.contents, every.contents)):
            there = all_.thing[all_.offset[old] : all_.offset[old + 1]]
            assert mine.thing[mine.offset[s] : mine.offset[s + 1]].tolist() == there.tolist()
    shares = np.bincount(by_kind["brand"].source)
    assert two.spread(shares).tolist() == every.spread(shares)[[1, 0]].tolist()
