"""Levels are nested, and finer ones exist only where held-out ties insist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from engine.agreement import adjusted_rand
from engine.assemble import assemble
from engine.communities import find
from engine.csr import Csr, Ints
from engine.edges import PairEdges
from engine.found import Found, kinds, sizes
from engine.giant import giants, without_giants
from engine.identity import name, renamed
from engine.kernels.leiden import leiden
from engine.levels import nest
from engine.params import AnalysisParams
from engine.portrait import tables
from engine.snapshot import Snapshot
from engine.verdict import judge

PARAMS = AnalysisParams(folds=2, rewirings=0)


def nested(groups: int, parts: int, size: int, *, inside: float, seed: int) -> tuple[Snapshot, Any]:
    """Groups of parts of `size` users with 12 ties each: a fifth anywhere, `inside` in the part."""
    chance = np.random.default_rng(seed)
    n = groups * parts * size
    part = np.arange(n) // size
    group = part // parts
    u, x = chance.integers(0, n, 6 * n), chance.random(6 * n)
    whole = group[u] * parts * size + chance.integers(0, parts * size, 6 * n)
    own = part[u] * size + chance.integers(0, size, 6 * n)
    v = np.where(x < 0.2, chance.integers(0, n, 6 * n), np.where(x < 0.2 + inside, own, whole))
    keys = np.unique(np.minimum(u, v)[u != v] * n + np.maximum(u, v)[u != v])
    ends = [pa.array([f"x:{i:05}" for i in e.tolist()]) for e in (keys // n, keys % n)]
    kind = pa.array(["share"] * len(keys))
    snapshot = assemble(
        {
            "users": pa.table({"user_id": [f"x:{i:05}" for i in range(n)]}),
            "interactions": pa.table({"user_id": ends[0], "target_id": ends[1], "kind": kind}),
        }
    )
    return snapshot, part


def test_parts_are_found_where_the_resolution_stopped_at_their_wholes() -> None:
    snapshot, part = nested(8, 4, 60, inside=0.6, seed=1)
    found = find(snapshot, PARAMS, gamma=0.5)
    reference = found.partitions.reference
    assert found.partitions.k == 8
    levels = nest(found, PARAMS)
    assert adjusted_rand(levels.part, part) > 0.9
    assert len(levels.whole) >= 32
    for inner, whole in enumerate(levels.whole.tolist()):
        assert set(reference[levels.part == inner].tolist()) == {whole}, "strictly nested"


def test_communities_without_structure_inside_have_no_parts() -> None:
    snapshot, _ = nested(6, 1, 300, inside=0.6, seed=1)
    found = find(snapshot, PARAMS, gamma=1.0)
    assert sizes(found.partitions).min() >= 200
    levels = nest(found, PARAMS)
    assert (levels.part == -1).all()
    assert len(levels.whole) == 0


def test_the_level_above_joins_communities_by_their_ties() -> None:
    snapshot, part = nested(6, 4, 60, inside=0.5, seed=2)
    found = find(snapshot, PARAMS, gamma=3.0)
    assert found.partitions.k > 6
    levels = nest(found, PARAMS)
    group = levels.group_of_users(found.partitions.reference)
    assert adjusted_rand(group, part // 4) > 0.95
    members = np.bincount(group)
    assert members.tolist() == sorted(members.tolist(), reverse=True)


def drawn(found: Found, snapshot: Snapshot) -> dict[str, pa.Table]:
    levels = nest(found, PARAMS)
    names = name(found, levels, snapshot, PARAMS, None)
    found = renamed(found, names)
    return tables(snapshot, found, judge(found, PARAMS), levels=levels, names=names)


def test_rows_of_all_levels_name_their_parents_and_hold_their_members() -> None:
    snapshot, _ = nested(8, 4, 60, inside=0.6, seed=1)
    made = drawn(find(snapshot, PARAMS, gamma=0.5), snapshot)
    rows = made["communities"].to_pylist()
    by_id = {row["community_id"]: row for row in rows}
    assert len(by_id) == len(rows), "an id is that of one community at one level"
    reference = made["memberships"].filter(pc.is_null(made["memberships"]["fold"]))
    where: dict[str, dict[int, str]] = {}
    for row in reference.to_pylist():
        where.setdefault(row["user_id"], {})[row["level"]] = row["community_id"]
    for places in where.values():
        for level, community in places.items():
            assert by_id[community]["level"] == level
            parent = by_id[community]["parent_id"]
            assert parent == places.get(level - 1)
    members = [place for places in where.values() for place in places.values()]
    ids, count = np.unique(members, return_counts=True)
    assert dict(zip(ids.tolist(), count.tolist(), strict=True)) == {
        c: row["member_count"] for c, row in by_id.items()
    }
    inner = [row for row in rows if row["level"] == 2]
    assert all(row["community_id"].startswith(f"{row['parent_id']}.") for row in inner)
    assert {row["verdict"] for row in inner} == {"undetermined"}, "level 1 alone is judged"
    folds = made["memberships"].filter(pc.is_valid(made["memberships"]["fold"]))
    assert set(folds["level"].to_pylist()) == {1}
    for other in ("links", "ties"):
        ends = set(made[other]["community_id"].to_pylist())
        assert {by_id[c]["level"] for c in ends} <= {1}


def camps(*, cut: bool) -> tuple[Snapshot, Ints]:
    """Six groups of 300 with many ties among them, and 8 of 150 apart; cut: half inside each."""
    chance = np.random.default_rng(1)
    n, m = 3_000, 18_000
    camp = np.where(np.arange(n) < 1_800, 0, 1 + (np.arange(n) - 1_800) // 150)
    inner = np.where(np.arange(n) < 1_800, np.arange(n) // 300, 100 + camp).astype(np.int32)
    u, x = chance.integers(0, n, m), chance.random(m)
    close = x < (0.6 if cut else 0.1)
    first = np.where(close, np.searchsorted(inner, inner[u]), np.searchsorted(camp, camp[u]))
    last = np.where(
        close, np.searchsorted(inner, inner[u], "right"), np.searchsorted(camp, camp[u], "right")
    )
    first, last = np.where(x > 0.9, 0, first), np.where(x > 0.9, n, last)
    v = first + (chance.random(m) * (last - first)).astype(np.int64)
    keys = np.unique(np.minimum(u, v)[u != v] * n + np.maximum(u, v)[u != v])
    ends = [pa.array([f"x:{i:05}" for i in e.tolist()]) for e in (keys // n, keys % n)]
    kind = pa.array(["share"] * len(keys))
    pairs = pa.table({"user_id": ends[0], "target_id": ends[1], "kind": kind})
    users = pa.table({"user_id": [f"x:{i:05}" for i in range(n)]})
    return assemble({"users": users, "interactions": pairs}), inner


def test_a_giant_of_several_camps_is_split_in_the_reference_and_in_every_fold() -> None:
    snapshot, inner = camps(cut=True)
    found = find(snapshot, PARAMS, gamma=0.5)
    assert found.split
    parts = found.partitions
    assert adjusted_rand(parts.reference, inner) > 0.8
    assert "mainstream" not in kinds(parts)
    for fold in parts.folds:
        both = (fold >= 0) & (parts.reference >= 0)
        assert both.mean() > 0.7
        assert (fold == parts.reference)[both].mean() > 0.8
    verdicts = judge(found, PARAMS.model_copy(update={"rewirings": 20}))
    large = sizes(parts) >= 100
    said = [v for v, on in zip(verdicts.verdict, large.tolist(), strict=True) if on]
    assert said.count("kindred") >= 0.8 * len(said)


def test_a_giant_without_structure_is_the_mainstream() -> None:
    snapshot, _ = camps(cut=False)
    found = find(snapshot, PARAMS, gamma=0.5)
    assert not found.split
    size = sizes(found.partitions)
    assert giants(size) == [0]
    assert kinds(found.partitions)[:2] == ["mainstream", "community"]
    assert "c1" in drawn(found, snapshot)["communities"]["community_id"].to_pylist()


def test_two_giants_are_both_split() -> None:
    blocks = [np.arange(300 * b, 300 * (b + 1)) for b in range(4)]
    chance = np.random.default_rng(2)
    u = np.concatenate([chance.choice(b, 3_000) for b in blocks])
    v = np.concatenate([chance.choice(b, 3_000) for b in blocks])
    u, v = np.append(u, [0, 600]), np.append(v, [300, 900])
    graph = Csr.undirected(u[u != v], v[u != v], np.ones(int((u != v).sum())), 1_200)
    two = (np.arange(1_200) // 600).astype(np.int32)
    split = without_giants(graph, two, 0.25, 1)
    assert adjusted_rand(split, np.arange(1_200) // 300) == 1.0
    small = np.full(1_200, -1, np.int32)
    small[:600] = two[:600]
    assert without_giants(graph, small, 0.25, 1).tolist() == small.tolist(), "too few to be one"


@pytest.mark.parametrize("factor", [0.5, 7.0])
def test_parts_do_not_depend_on_the_scale_of_weights(
    plant: Callable[..., Any], factor: float
) -> None:
    found = find(plant(1_500, 10, 0.2, 1, (300, 600)).snapshot(), PARAMS, gamma=1.0)
    same = found.edges
    assert isinstance(same, PairEdges)
    edges = PairEdges(same.n, same.u, same.v, factor * same.weight)
    other = replace(found, edges=edges, graph=edges.graph(), gain=None)
    one, two = nest(found, PARAMS), nest(other, PARAMS)
    assert one.part.tolist() == two.part.tolist()
    assert one.above.tolist() == two.above.tolist()
    assert leiden(edges.graph()).tolist() == leiden(found.graph).tolist()
