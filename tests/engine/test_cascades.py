"""Cascades against trees written by hand, networkx, and threads with true parents."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.assemble import assemble
from engine.cascades import cascades
from engine.partition import Partitions
from engine.results import RESULTS
from engine.snapshot import Snapshot

Row = dict[str, Any]
Share = tuple[str, str, float | None, str | None]
START = datetime(2024, 5, 1, 12, tzinfo=UTC)


def second(seconds: float | None) -> datetime | None:
    return None if seconds is None else START + timedelta(seconds=seconds)


def partition(snapshot: Snapshot, labels: dict[str, int] | None = None) -> Partitions:
    """Put users into communities by id; those not named are in none."""
    named = labels or {}
    reference = np.array(
        [named.get(u, -1) for u in snapshot.users.user_id.to_pylist()], dtype=np.int32
    )
    k = int(reference.max(initial=-1)) + 1
    return Partitions(
        reference, reference[None, :], np.ones(len(reference)), np.ones(k, np.bool_), 1.0
    )


def world(
    shares: Sequence[Share],
    authors: Mapping[str, str | None],
    posted: float | None = 0,
) -> Snapshot:
    """Make a snapshot of (content, user, second, via) rows."""
    return assemble(
        {
            "content": pa.table(
                {
                    "content_id": pa.array(list(authors), pa.string()),
                    "author_id": pa.array(list(authors.values()), pa.string()),
                    "created_at": pa.array(
                        [second(posted)] * len(authors), pa.timestamp("us", "UTC")
                    ),
                }
            ),
            "shares": pa.table(
                {
                    "content_id": pa.array([s[0] for s in shares], pa.string()),
                    "user_id": pa.array([s[1] for s in shares], pa.string()),
                    "at": pa.array([second(s[2]) for s in shares], pa.timestamp("us", "UTC")),
                    "via_user_id": pa.array([s[3] for s in shares], pa.string()),
                }
            ),
        }
    )


def tree(content: str, parents: list[int]) -> list[Share]:
    """Make the shares of a tree given as parents; node 0 is the author."""
    return [
        (content, f"x:{content}-{v:05d}", float(v), f"x:{content}-{p:05d}")
        for v, p in enumerate(parents)
        if p >= 0
    ]


def one(snapshot: Snapshot, labels: dict[str, int] | None = None) -> tuple[Row, list[Row]]:
    found, edges = cascades(snapshot, partition(snapshot, labels))
    assert found.num_rows == 1
    return found.to_pylist()[0], edges.to_pylist()


TOYS = {
    "star": ([-1, 0, 0, 0, 0], 1.6, 1, 4, 1.0),
    "chain": ([-1, 0, 1, 2, 3], 2.0, 4, 1, 2.5),
    "mixed": ([-1, 0, 0, 1, 1, 2, 3], 2.380952, 3, 3, 11 / 6),
    "pair": ([-1, 0], 1.0, 1, 1, 1.0),
}


@pytest.mark.parametrize("name", TOYS)
def test_toy_trees(name: str) -> None:
    parents, virality, depth, breadth, mean = TOYS[name]
    row, edges = one(world(tree(name, parents), {name: f"x:{name}-00000"}))
    assert row["structural_virality"] == pytest.approx(virality, abs=1e-6)
    assert (row["depth_max"], row["breadth_max"]) == (depth, breadth)
    assert row["depth_mean"] == pytest.approx(mean, abs=1e-12)
    assert (row["parent_method"], row["parent_known_share"], row["flags"]) == ("via", 1.0, [])
    assert {e["parent_method"] for e in edges} == {"via"}


def test_a_content_nobody_shared_has_no_row() -> None:
    snapshot = world([("a", "x:b", 1, "x:a")], {"a": "x:a", "alone": "x:a"})
    found, edges = cascades(snapshot, partition(snapshot))
    assert found["content_id"].to_pylist() == ["a"]
    assert edges.num_rows == 1
    nothing = assemble({})
    found, edges = cascades(nothing, partition(nothing))
    assert (found.num_rows, edges.num_rows) == (0, 0)
    assert found.schema.equals(RESULTS["cascades"].schema)
    assert edges.schema.equals(RESULTS["cascade_edges"].schema)


def test_structural_virality_is_the_mean_distance_of_a_thousand_random_trees() -> None:
    generator = np.random.default_rng(7)
    trees: dict[str, list[int]] = {}
    for number in range(1_000):
        n = int(generator.integers(2, 30))
        # The exponent makes some trees flat and some deep.
        reach = generator.random(n) ** generator.choice([0.1, 1.0, 4.0])
        trees[f"t{number:04d}"] = [-1, *(int(reach[v] * v) for v in range(1, n))]
    snapshot = world(
        [row for name, parents in trees.items() for row in tree(name, parents)],
        {name: f"x:{name}-00000" for name in trees},
    )
    found, _ = cascades(snapshot, partition(snapshot))
    for row in found.to_pylist():
        parents = trees[row["content_id"]]
        graph = nx.Graph((v, p) for v, p in enumerate(parents) if p >= 0)
        steps = nx.single_source_shortest_path_length(graph, 0)
        levels = Counter(d for d in steps.values() if d > 0)
        assert row["structural_virality"] == pytest.approx(
            nx.average_shortest_path_length(graph), abs=1e-9
        )
        assert row["depth_max"] == max(levels)
        assert row["breadth_max"] == max(levels.values())
        assert row["depth_mean"] == pytest.approx(
            sum(d * c for d, c in levels.items()) / (len(parents) - 1)
        )


def test_parents_nobody_gave_are_unknown_and_never_one_step() -> None:
    row, edges = one(world([("a", f"x:{u}", 1, None) for u in "bcd"], {"a": "x:a"}))
    assert (row["parent_method"], row["parent_known_share"]) == ("unknown", 0.0)
    nulls = ("depth_max", "depth_mean", "breadth_max", "structural_virality")
    assert [row[c] for c in (*nulls, "cross_community_hops", "ei_index")] == [None] * 6
    assert {(e["parent_user_id"], e["depth"], e["parent_method"]) for e in edges} == {
        (None, None, "unknown")
    }


def test_a_tree_with_gaps_is_described_where_it_hangs_together() -> None:
    shares = [
        ("a", "x:b", 1, "x:a"),
        ("a", "x:c", 2, "x:b"),
        ("a", "x:d", 3, None),
        ("a", "x:e", 4, "x:d"),
        ("a", "x:f", 5, "x:e"),
    ]
    row, edges = one(world(shares, {"a": "x:a"}))
    assert row["parent_method"] == "mixed"
    assert row["parent_known_share"] == pytest.approx(0.8)
    assert row["flags"] == ["part_known"]
    assert (row["depth_max"], row["breadth_max"], row["depth_mean"]) == (2, 1, 1.5)
    # a-b-c and d-e-f are two chains of three: distances 1, 1, 2 in each.
    assert row["structural_virality"] == pytest.approx(4 / 3)
    assert [e["depth"] for e in edges] == [1, 2, None, None, None]
    assert [e["parent_user_id"] for e in edges] == ["x:a", "x:b", None, "x:d", "x:e"]

    row, _ = one(world([*shares[:1], *[("a", f"x:{u}", 9, None) for u in "ghi"]], {"a": "x:a"}))
    assert (row["parent_method"], row["flags"]) == ("mixed", ["few_parents"])
    assert row["depth_max"] is None


def test_a_parent_who_is_not_in_the_data_leaves_its_child_with_the_root() -> None:
    shares = [
        ("a", "x:b", 1, "x:a"),
        ("a", "x:c", 2, "x:gone"),
        ("a", "x:d", 3, "x:c"),
        ("a", "x:e", 4, "x:e"),
        ("a", "x:f", 5, "x:d"),
        ("a", "x:g", 6, "x:d"),
    ]
    row, edges = one(world(shares, {"a": "x:a", "other": "x:gone"}))
    assert row["missing_parent_count"] == 2
    assert (row["parent_method"], row["parent_known_share"]) == ("via", 1.0)
    assert row["depth_max"] == 3
    assert [(e["parent_user_id"], e["parent_method"]) for e in edges] == [
        ("x:a", "via"),
        ("x:a", "unknown"),
        ("x:c", "via"),
        ("x:a", "unknown"),
        ("x:d", "via"),
        ("x:d", "via"),
    ]


def test_a_sharer_of_another_content_is_no_parent_here() -> None:
    shares = [
        ("a", "x:b", 1, "x:a"),
        ("b", "x:c", 2, "x:b"),
        ("b", "x:d", 3, "x:a"),
        ("b", "x:e", 3, "x:a"),
        ("b", "x:f", 3, "x:a"),
    ]
    found, _ = cascades(s := world(shares, {"a": "x:a", "b": "x:a"}), partition(s))
    assert found["missing_parent_count"].to_pylist() == [0, 1]
    assert found["depth_max"].to_pylist() == [1, 1]


def test_a_parent_later_than_its_child_gives_way_to_its_own_parent() -> None:
    shares = [
        ("a", "x:b", 1, "x:a"),
        ("a", "x:c", 2, "x:late"),
        ("a", "x:late", 3, "x:b"),
        ("a", "x:d", 4, "x:c"),
    ]
    row, edges = one(world(shares, {"a": "x:a"}))
    assert row["flags"] == ["late_parent"]
    assert row["missing_parent_count"] == 1
    assert {e["user_id"]: (e["parent_user_id"], e["depth"]) for e in edges} == {
        "x:b": ("x:a", 1),
        "x:c": ("x:b", 2),
        "x:late": ("x:b", 2),
        "x:d": ("x:c", 3),
    }


def test_equal_times_keep_the_order_that_was_given() -> None:
    shares = [("a", u, 5.0, v) for u, v in [("x:z", "x:a"), ("x:y", "x:z"), ("x:b", "x:y")]]
    row, edges = one(world(shares, {"a": "x:a"}))
    assert (row["depth_max"], row["flags"]) == (3, [])
    assert {e["user_id"]: e["depth"] for e in edges} == {"x:z": 1, "x:y": 2, "x:b": 3}


def test_a_circle_of_parents_is_broken_at_every_member() -> None:
    shares: list[Share] = [
        ("a", "x:b", None, "x:d"),
        ("a", "x:c", None, "x:b"),
        ("a", "x:d", None, "x:c"),
        *[("a", f"x:tail{i}", None, "x:d") for i in range(5)],
    ]
    row, edges = one(world(shares, {"a": "x:a"}))
    assert row["flags"] == ["circular_parent", "no_times"]
    assert row["missing_parent_count"] == 3
    assert {e["user_id"]: e["depth"] for e in edges} == {
        **dict.fromkeys(("x:b", "x:c", "x:d"), 1),
        **{f"x:tail{i}": 2 for i in range(5)},
    }


def test_without_an_author_the_root_is_made_up_and_virality_leaves_it_out() -> None:
    shares = [
        ("a", "x:b", 1, "x:gone"),
        ("a", "x:c", 2, "x:b"),
        ("a", "x:d", 3, "x:c"),
        ("a", "x:e", 4, "x:b"),
    ]
    row, edges = one(world(shares, {"a": None}))
    assert (row["author_id"], row["flags"]) == (None, ["synthetic_root"])
    assert row["depth_max"] == 3
    graph = nx.Graph([("b", "c"), ("c", "d"), ("b", "e")])
    assert row["structural_virality"] == pytest.approx(nx.average_shortest_path_length(graph))
    assert edges[0]["parent_user_id"] is None


def test_a_share_before_its_post_is_moved_and_said_so() -> None:
    row, edges = one(world([("a", "x:b", -60, "x:a")], {"a": "x:a"}))
    assert row["flags"] == ["clamped"]
    assert edges[0]["at"] == START


def test_hops_spread_and_home() -> None:
    labels = {"x:a": 0, "x:b": 0, "x:c": 1, "x:d": 1, "x:e": 2, "x:z": 3}
    shares = [
        ("a", "x:b", 1, "x:a"),
        ("a", "x:c", 2, "x:b"),
        ("a", "x:d", 3, "x:c"),
        ("a", "x:e", 4, "x:a"),
        ("a", "x:nowhere", 5, "x:a"),
    ]
    snapshot = world(shares, {"a": "x:a", "z": "x:z"})
    row, edges = one(snapshot, labels)
    assert row["community_id"] == "c1"
    # inside: a-b and c-d; outside: b-c and a-e; the last sharer is in no community.
    assert (row["cross_community_hops"], row["ei_index"]) == (2, 0.0)
    assert row["communities_count"] == row["early_communities_count"] == 3
    assert (row["home_share"], row["modal_community_id"], row["modal_share"]) == (0.2, "c2", 0.4)
    parts = [0.25, 0.5, 0.25]
    expected = -sum(p * math.log(p) for p in parts) / math.log(4)
    assert row["entropy"] == pytest.approx(expected)
    assert [e["community_id"] for e in edges] == ["c1", "c2", "c2", "c3", None]


def test_the_first_fifty_and_the_pace() -> None:
    labels = {"x:a": 0} | {f"x:{i:03d}": 0 if i < 55 else 1 + i % 2 for i in range(120)}
    shares = [("a", f"x:{i:03d}", 60.0 * (i + 1), "x:a") for i in range(120)]
    late = [("a", "x:late", 40 * 86_400.0, "x:a")]
    row, _ = one(world([*shares, *late], {"a": "x:a"}), labels)
    assert (row["early_communities_count"], row["communities_count"]) == (1, 3)
    assert [row[f"t{k}_seconds"] for k in (10, 50, 100)] == [600.0, 3000.0, 6000.0]
    assert row["half_life_seconds"] == 3600.0
    # 59 shares in the first hour, 60 in the second.
    assert row["peak_hour"] == 1
    row, _ = one(world(shares[:9], {"a": "x:a"}, posted=None))
    assert [row["t10_seconds"], row["half_life_seconds"], row["peak_hour"]] == [None] * 3
    assert row["flags"] == ["no_post_time"]


# -- invariants ------------------------------------------------------------------------------

Hostile = list[Share]
AUTHORS = {**{f"p{i}": f"x:{c}" for i, c in enumerate("abcde")}, "q": None, "r": None}
names = st.sampled_from([f"x:{c}" for c in "abcdefgh"])
hostile: st.SearchStrategy[Hostile] = st.lists(
    st.tuples(
        st.sampled_from(list(AUTHORS)),
        names,
        st.one_of(st.none(), st.integers(-400, 30).map(float)),
        st.one_of(st.none(), names, st.just("x:gone")),
    ),
    min_size=20,
    max_size=160,
)


@given(hostile, st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_hostile_parents_always_make_trees(shares: Hostile, random: Any) -> None:
    snapshot = world(shares, AUTHORS)
    found, edges = cascades(snapshot, partition(snapshot, {"x:a": 0, "x:b": 1, "x:c": 0}))
    shuffled = list(shares)
    random.shuffle(shuffled)
    again = world(shuffled, AUTHORS)
    other = cascades(again, partition(again, {"x:a": 0, "x:b": 1, "x:c": 0}))
    assert (found, edges) == other
    for row in found.to_pylist():
        own = {e["user_id"]: e for e in edges.to_pylist() if e["content_id"] == row["content_id"]}
        assert len(own) == row["share_count"]
        for edge in own.values():
            over = own.get(edge["parent_user_id"])
            if over is None:
                assert edge["depth"] in {1, None}
            else:
                assert edge["depth"] == (None if over["depth"] is None else over["depth"] + 1)
                if over["at"] and edge["at"]:
                    assert over["at"] <= edge["at"]
            # Climbing ends: no circle.
            steps, at = 0, edge["user_id"]
            while at in own:
                at, steps = own[at]["parent_user_id"], steps + 1
                assert steps <= len(own)
        if row["depth_max"] is not None:
            assert row["depth_max"] == max(e["depth"] or 0 for e in own.values())


@given(hostile)
@settings(max_examples=6, deadline=None)
def test_names_and_bystanders_change_nothing(shares: Hostile) -> None:
    """Renaming in the same order, and users who take no part, leave every figure alone."""
    labels = {"x:a": 0, "x:b": 1, "x:c": 0, "x:d": 1}

    def renamed(name: str | None) -> str | None:
        return None if name is None else "x:user-" + name[2:]

    plain = world(shares, AUTHORS)
    told = world(
        [(c, renamed(u) or "", at, renamed(via)) for c, u, at, via in shares]
        + [("bystander", "x:0", 1.0, None)],
        {c: renamed(a) for c, a in AUTHORS.items()} | {"bystander": "x:1"},
    )
    found, _ = cascades(plain, partition(plain, labels))
    other, _ = cascades(told, partition(told, {renamed(u) or "": c for u, c in labels.items()}))
    figures = [c for c in found.column_names if c != "author_id"]
    mask = [c != "bystander" for c in other["content_id"].to_pylist()]
    assert other.filter(pa.array(mask, pa.bool_())).select(figures) == found.select(figures)


# -- threads with true parents ---------------------------------------------------------------


def thread(path: Path) -> tuple[str, list[Row]]:
    """Read a thread: its author, and its reposts, once each."""
    reposts = json.loads(path.read_text(encoding="utf-8"))
    return path.stem.split("_")[-1], list({r["mid"]: r for r in reposts}.values())


def independent_depths(author: str, reposts: list[Row]) -> dict[str, int]:
    """Count the steps of each user's first repost to the author, one repost at a time."""
    writer = {r["mid"]: r["uid"] for r in reposts}
    first: dict[str, Row] = {}
    for repost in sorted(reposts, key=lambda r: r["date"]):
        if repost["uid"] != author:
            first.setdefault(repost["uid"], repost)

    def depth(user: str) -> int:
        over = writer.get(first[user]["parent"], author)
        return 1 if over == author else 1 + depth(over)

    return {user: depth(user) for user in first}


@pytest.mark.shared
def test_depths_of_threads_with_true_parents(shared: Path) -> None:
    files = sorted((shared / "weibo-sample").glob("*repost/*.json"))
    assert len(files) == 10
    rows: list[Row] = []
    authors: dict[str, str] = {}
    for path in files:
        author, reposts = thread(path)
        authors[path.stem] = author
        writer = {r["mid"]: r["uid"] for r in reposts}
        rows += [
            {
                "content_id": path.stem,
                "user_id": r["uid"],
                "at": datetime.fromisoformat(r["date"]).replace(tzinfo=UTC),
                "via_user_id": writer.get(r["parent"], author),
            }
            for r in reposts
        ]
    snapshot = assemble(
        {
            "content": pa.table({"content_id": list(authors), "author_id": list(authors.values())}),
            "shares": pa.Table.from_pylist(rows),
        }
    )
    found, edges = cascades(snapshot, partition(snapshot))
    by_content: dict[str, dict[str, int]] = {name: {} for name in authors}
    for edge in edges.to_pylist():
        by_content[edge["content_id"]][edge["user_id"]] = edge["depth"]
    deepest = {row["content_id"]: row for row in found.to_pylist()}
    for path in files:
        author, reposts = thread(path)
        expected = independent_depths(author, reposts)
        assert by_content[path.stem] == expected
        row = deepest[path.stem]
        assert (row["parent_method"], row["missing_parent_count"]) == ("via", 0)
        assert row["depth_max"] == max(expected.values())
        assert row["breadth_max"] == max(Counter(expected.values()).values())
    assert max(row["depth_max"] for row in deepest.values()) >= 5


@pytest.mark.shared
def test_depths_are_those_of_the_reposts_own_chains(shared: Path) -> None:
    """Where nobody reposts twice, depth is the length of the chain of message ids."""
    path = next((shared / "weibo-sample").glob("*repost/1003_*.json"))
    author, reposts = thread(path)
    over = {r["mid"]: r["parent"] for r in reposts}

    def chain(mid: str) -> int:
        return 1 + (chain(over[mid]) if over[mid] else 0)

    assert len({r["uid"] for r in reposts}) == len(reposts)
    assert independent_depths(author, reposts) == {r["uid"]: chain(r["mid"]) for r in reposts}
