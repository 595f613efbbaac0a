"""Cascades whose parents are inferred: what is shown of them, and what is kept back."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest

from engine.assemble import assemble
from engine.cascades import cascades, said
from engine.kernels.likely_trees import CANDIDATES, draw_trees
from engine.likely import TREES, content_seeds, likely_shapes
from engine.parents import METHODS, Parents, parents
from engine.partition import Partitions
from engine.snapshot import Snapshot

Row = dict[str, Any]
START = datetime(2024, 5, 1, 12, tzinfo=UTC)
HOUR = 3_600.0
SHAPE = ("depth_max", "depth_mean", "breadth_max", "structural_virality")
RANGES = ("depth_low", "depth_high", "virality_low", "virality_high")


def stamps(seconds: Sequence[float]) -> pa.Array:
    return pa.array([START + timedelta(seconds=s) for s in seconds], pa.timestamp("us", "UTC"))


def world(
    shares: Sequence[tuple[str, str, float, str | None]],
    follows: Sequence[tuple[str, str]] = (),
    turned: Sequence[tuple[str, str]] = (),
    followers: Mapping[str, int] | None = None,
) -> Snapshot:
    """Make contents by x:author of (content, user, second, via) shares."""
    contents = sorted({c for c, *_ in shares})
    tables = {
        "content": pa.table(
            {
                "content_id": contents,
                "author_id": ["x:author"] * len(contents),
                "created_at": stamps([0.0] * len(contents)),
            }
        ),
        "shares": pa.table(
            {
                "content_id": [s[0] for s in shares],
                "user_id": [s[1] for s in shares],
                "at": stamps([s[2] for s in shares]),
                "via_user_id": pa.array([s[3] for s in shares], pa.string()),
            }
        ),
    }
    if follows:
        tables["follows"] = pa.table(
            {"follower_id": [u for u, _ in follows], "followee_id": [v for _, v in follows]}
        )
    if turned:
        tables["mentions"] = pa.table(
            {
                "user_id": [u for u, _ in turned],
                "target_id": [v for _, v in turned],
                "at": stamps([-HOUR] * len(turned)),
            }
        )
    if followers:
        tables["users"] = pa.table(
            {"user_id": list(followers), "followers_count": list(followers.values())}
        )
    return assemble(tables)


def told(snapshot: Snapshot, seed: int = 1) -> tuple[list[Row], list[Row]]:
    users = len(snapshot.users)
    nobody = Partitions(
        np.full(users, -1, np.int32), np.zeros((0, users), np.int32), np.zeros(users),
        np.zeros(0, np.bool_), 1.0,
    )  # fmt: skip
    rows, edges = cascades(snapshot, nobody, seed=seed)
    return rows.to_pylist(), edges.to_pylist()


def users(n: int) -> list[str]:
    return [f"x:u{i:04d}" for i in range(n)]


def half_known(n: int) -> Snapshot:
    """Make a cascade of which every other share has a given parent, the others a probable one."""
    who = users(n)
    shares = [
        ("p", u, 600.0 * (i + 1), (who[i - 2] if i > 1 else "x:author"))
        if i % 2
        else ("p", u, 600.0 * (i + 1), None)
        for i, u in enumerate(who)
    ]
    turned = [(u, v) for i, u in enumerate(who) if i % 2 == 0 for v in ("x:author", *who[:i:3])]
    return world(shares, turned=turned)


def test_follows_give_the_figures_of_a_tree_and_say_they_are_inferred() -> None:
    who = users(5)
    follows = [(who[0], "x:author"), *itertools.pairwise(reversed(who))]
    rows, edges = told(world([("p", u, 60.0 * (i + 1), None) for i, u in enumerate(who)], follows))
    (row,) = rows
    assert [row[c] for c in SHAPE] == [5, 3.0, 1, pytest.approx(7 / 3)]
    assert [row[c] for c in RANGES] == [None] * 4
    assert (row["parent_known_share"], row["parent_inferred_share"]) == (0.0, 1.0)
    assert (row["parent_method"], row["flags"]) == ("follows", ["inferred_parents"])
    assert [(e["parent_user_id"], e["depth"], e["parent_method"]) for e in edges] == [
        (over, depth, "follows")
        for over, depth in zip(["x:author", *who], range(1, 6), strict=False)
    ]


def test_who_follows_no_earlier_poster_hangs_from_the_author_and_is_flagged() -> None:
    who = users(4)
    follows = [(who[0], "x:author"), (who[1], who[0]), (who[2], who[1]), (who[3], "x:other")]
    rows, edges = told(world([("p", u, 60.0 * (i + 1), None) for i, u in enumerate(who)], follows))
    assert rows[0]["flags"] == ["inferred_parents", "root_fallback"]
    assert (rows[0]["depth_max"], rows[0]["breadth_max"]) == (3, 2)
    assert (edges[3]["parent_user_id"], edges[3]["depth"], edges[3]["parent_method"]) == (
        "x:author", 1, "root",
    )  # fmt: skip


def test_an_export_that_names_only_the_author_has_no_depth_whatever_people_turned_to() -> None:
    who = users(12)
    turned = [(u, v) for i, u in enumerate(who) for v in ("x:author", *who[:i])]
    rows, edges = told(
        world([("p", u, HOUR * (i + 1), None) for i, u in enumerate(who)], (), turned)
    )
    assert [rows[0][c] for c in (*SHAPE, *RANGES)] == [None] * 8
    assert rows[0]["flags"] == ["few_parents", "inferred_parents"]
    assert {(e["parent_method"], e["depth"]) for e in edges} == {("interaction", None)}


def test_where_most_is_inferred_there_are_ranges() -> None:
    rows, edges = told(half_known(40))
    (row,) = rows
    assert set(row["flags"]) >= {"likely_trees", "inferred_parents"}
    assert (row["parent_method"], row["parent_known_share"]) == ("mixed", 0.5)
    assert row["parent_inferred_share"] == 0.5
    # Twenty given shares in a chain are in every tree.
    assert 20 <= row["depth_low"] <= row["depth_max"] <= row["depth_high"] <= 40
    assert 1 < row["virality_low"] <= row["structural_virality"] <= row["virality_high"]
    assert row["cross_community_hops"] is None
    assert [e["depth"] for e in edges if e["parent_method"] == "via"] == list(range(1, 21))
    assert {e["depth"] for e in edges if e["parent_method"] != "via"} == {None}


def test_a_wide_range_hides_its_median() -> None:
    who = users(30)
    shares = [("p", u, 60.0 * (i + 1), "x:author" if i < 7 else None) for i, u in enumerate(who)]
    turned = [(u, "x:author") for u in who[7:]]
    # Everybody likely hangs from the author, who has many followers: one step or two or more.
    rows, _ = told(world(shares, (), turned, {"x:author": 6_000}))
    (row,) = rows
    assert row["depth_high"] > 2 * row["depth_low"]
    assert "wide_range" in row["flags"]
    assert [row[c] for c in SHAPE[:3]] == [None] * 3
    assert row["virality_high"] <= 2 * row["virality_low"]
    assert row["structural_virality"] is not None


def test_medians_and_ends_are_those_of_the_trees_measured_one_by_one() -> None:
    found = parents(half_known(25))
    names = pa.array(["p"])
    shapes = likely_shapes(found, np.array([True]), names, 4)
    trees = _trees_of(found, names, 4)
    assert len(trees) == TREES
    assert len({tuple(t) for t in trees.tolist()}) > 10
    depths, viralities, breadths = [], [], []
    for tree in trees.tolist():
        graph = nx.Graph((v + 1, over + 1 if over >= 0 else 0) for v, over in enumerate(tree))
        steps = nx.single_source_shortest_path_length(graph, 0)
        depths.append(max(steps.values()))
        breadths.append(max(Counter(d for d in steps.values() if d).values()))
        viralities.append(nx.average_shortest_path_length(graph))
        for v, over in enumerate(tree):
            # Given parents stay, and drawn ones shared strictly earlier.
            if METHODS[found.method[v]] == "via":
                assert over == found.parent[v]
            else:
                assert over < 0 or found.shares.at[over] < found.shares.at[v]
    depths, viralities, breadths = sorted(depths), sorted(viralities), sorted(breadths)
    assert (shapes.depth_low[0], shapes.depth[0], shapes.depth_high[0]) == (
        depths[0], depths[9], depths[18],
    )  # fmt: skip
    assert [shapes.virality_low[0], shapes.virality[0], shapes.virality_high[0]] == pytest.approx(
        [viralities[0], viralities[9], viralities[18]], abs=1e-9
    )
    assert shapes.breadth[0] == breadths[9]


def _trees_of(found: Parents, names: pa.StringArray, seed: int, count: int = TREES) -> np.ndarray:
    seeds = content_seeds(names, seed)
    return draw_trees(
        found.offset, found.shares.user, found.shares.at, found.author, found.began,
        found.evidence, found.parent, found.how, seeds, count,
    )  # fmt: skip


def test_parents_are_drawn_as_often_as_their_weights_say() -> None:
    who = users(3)
    shares: list[tuple[str, str, float, str | None]] = [
        ("p", who[0], HOUR, "x:author"),
        ("p", who[1], 2 * HOUR, "x:author"),
        ("p", who[2], 3 * HOUR, None),
    ]
    turned = [(who[2], who[0]), (who[2], "x:author")]
    followers = {"x:author": 24, who[0]: 8, who[1]: 3}
    found = parents(world(shares, (), turned, followers))
    drawn = _trees_of(found, pa.array(["p"]), 1, 20_000)[:, 2]
    # A mention weighs .5: (1 + w) sqrt(1 + followers) / (1 + hours).
    weights = {-1: 1.5 * 5 / 4, 0: 1.5 * 3 / 3, 1: 1.0 * 2 / 2}
    total = sum(weights.values())
    counts = Counter(drawn.tolist())
    for parent, weight in weights.items():
        part = weight / total
        assert abs(counts[parent] / 20_000 - part) < 5 * (part * (1 - part) / 20_000) ** 0.5


def test_only_who_is_followed_is_drawn_where_somebody_is() -> None:
    who = users(6)
    shares = [("p", u, HOUR * (i + 1), None) for i, u in enumerate(who)]
    found = parents(world(shares, [(who[5], who[0]), (who[5], who[3])]))
    assert set(_trees_of(found, pa.array(["p"]), 1, 200)[:, 5].tolist()) == {0, 3}
    # One who is followed, but before all those that are weighed, stays the parent.
    many = users(CANDIDATES + 10)
    late = [("p", u, float(i + 1), None) for i, u in enumerate(many)]
    found = parents(world(late, [(many[-1], many[0])]))
    assert set(_trees_of(found, pa.array(["p"]), 1, 50)[:, len(many) - 1].tolist()) == {0}


def test_the_same_trees_in_whatever_company_and_order() -> None:
    alone, _ = told(half_known(30))
    again, _ = told(half_known(30), seed=2)
    assert alone == told(half_known(30))[0]
    assert [alone[0][c] for c in RANGES] != [again[0][c] for c in RANGES]
    # Another content, with people of its own, changes nothing.
    who = users(30)
    shares: list[tuple[str, str, float, str | None]] = [
        ("a", f"x:z{i}", 60.0, None) for i in range(9)
    ]
    first = half_known(30)
    ids = first.users.user_id.to_pylist()
    began = int(first.contents.created_at[0])
    shares += [
        ("p", ids[u], (at - began) / 1e6, ids[via] if via >= 0 else None)
        for u, at, via in zip(
            first.shares.user.tolist(),
            first.shares.at.tolist(),
            first.shares.via.tolist(),
            strict=True,
        )
    ]
    turned = [(u, v) for i, u in enumerate(who) if i % 2 == 0 for v in ("x:author", *who[:i:3])]
    both, _ = told(world(list(reversed(shares)), (), turned))
    assert both[1] == alone[0]


def test_what_a_run_says_of_its_parents() -> None:
    only_authors = parents(world([("p", u, 60.0, None) for u in users(4)]))
    assert list(said(only_authors)) == [
        (
            "cascades",
            "These data do not say from whom anything was shared: depth of cascades is unknown.",
            None,
        )
    ]
    who = users(4)
    shares = [("p", u, 60.0 * (i + 1), None if i else "x:author") for i, u in enumerate(who)]
    mixed = parents(world(shares, [(who[1], who[0])], [(who[2], who[1])]))
    text = (
        "From whom a share came is given for 25% of 4 shares, inferred from follows for 25% "
        "and from earlier interaction for 25%; for 25% it is not known."
    )
    assert list(said(mixed)) == [("cascades", text, 0.25)]
    assert list(said(parents(assemble({})))) == []
