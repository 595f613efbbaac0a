from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from engine.assemble import assemble
from engine.communities import find
from engine.params import AnalysisParams
from engine.portrait import tables
from engine.results import RESULTS
from engine.snapshot import Snapshot
from engine.sources import events
from engine.verdict import judge

PARAMS = AnalysisParams(folds=2, rewirings=0, min_members=3)


def world() -> Snapshot:
    """Two groups of four: the first shares `left` and `both`, the second `right` and `both`."""
    share: list[tuple[str, str]] = []
    for group, own in (("abcd", "left"), ("efgh", "right")):
        share += [(u, own) for u in group] + [(u, "both") for u in group]
        share += [(u, v) for u in group for v in group if u != v]
    authors = [*"abcdefgh", "left", "right", "both"]
    return assemble(
        {
            "users": pa.table(
                {
                    "user_id": [f"x:{u}" for u in "abcdefgh"],
                    "platform": ["one"] * 3 + ["two"] + ["two"] * 4,
                    "labels": [
                        ["red", "old"],
                        ["red"],
                        ["red"],
                        ["blue"],
                        [],
                        None,
                        ["blue"],
                        ["blue"],
                    ],
                }
            ),
            "content": pa.table(
                {
                    "content_id": [f"x:post-{u}" for u in authors],
                    "author_id": [f"x:{u}" for u in authors],
                }
            ),
            "shares": pa.table(
                {
                    "user_id": [f"x:{u}" for u, _ in share],
                    "content_id": [f"x:post-{v}" for _, v in share],
                }
            ),
        }
    )


def made() -> dict[str, pa.Table]:
    snapshot = world()
    found = find(snapshot, PARAMS)
    return tables(snapshot, found, judge(found, PARAMS), {"user": events(snapshot, "user")})


def test_a_community_is_drawn_by_what_its_members_share_and_are() -> None:
    snapshot = world()
    ids = [i.split(":")[1] for i in snapshot.users.user_id.to_pylist()]
    found = find(snapshot, PARAMS)
    label = int(found.partitions.reference[ids.index("a")])
    row = (
        made()["communities"]
        .filter(pc.equal(made()["communities"]["community_id"], f"c{label + 1}"))
        .to_pylist()[0]
    )
    assert row["top_sources"][0] == "x:left"
    assert "x:right" not in row["top_sources"]
    assert row["label"].startswith("x:left, ")
    assert row["share_count"] == 4 * (2 + 3)
    assert row["traits"][0] == {"label": "red", "share": pytest.approx(3 / row["member_count"])}
    assert row["kind"] == "community"
    assert (row["verdict"], row["tie_gain"], row["q_value"]) == ("undetermined", None, None)


def test_tables_are_declared_and_sorted(plant: Callable[..., Any]) -> None:
    snapshot = plant(1_200, 8, 0.2, 1).snapshot()
    params = AnalysisParams(folds=3, rewirings=2)
    found = find(snapshot, params)
    for name, table in tables(snapshot, found, judge(found, params)).items():
        declared = RESULTS[name]
        assert table.schema == declared.schema, name
        table.validate(full=True)
        order = [(key, "ascending", "at_start") for key in declared.order]
        assert table.to_pydict() == table.sort_by(order).to_pydict(), name


def test_memberships_hold_the_reference_and_every_fold(plant: Callable[..., Any]) -> None:
    snapshot = plant(1_200, 8, 0.2, 1).snapshot()
    found = find(snapshot, PARAMS)
    rows = tables(snapshot, found, judge(found, PARAMS))["memberships"]
    ids = np.array(snapshot.users.user_id.to_pylist())
    for fold, labels in ((None, found.partitions.reference), *enumerate(found.partitions.folds)):
        mask = pc.is_null(rows["fold"]) if fold is None else pc.equal(rows["fold"], fold)
        part = rows.filter(mask)
        within = labels >= 0
        assert part["user_id"].to_pylist() == ids[within].tolist()
        assert part["community_id"].to_pylist() == [f"c{c + 1}" for c in labels[within].tolist()]
        assert part["confidence"].null_count == (0 if fold is None else len(part))


def test_links_hold_all_ties_once(plant: Callable[..., Any]) -> None:
    snapshot = plant(1_200, 8, 0.2, 1).snapshot()
    found = find(snapshot, PARAMS)
    rows = tables(snapshot, found, judge(found, PARAMS))
    u, v, weight = found.graph.pairs()
    links, of = rows["links"].to_pylist(), found.partitions.reference
    assert sum(r["tie_count"] for r in links) == len(u)
    inside = next(r for r in links if r["community_id"] == r["other_id"] == "c1")
    both = (of[u] == 0) & (of[v] == 0)
    degree = found.graph.degrees
    chance = degree[of == 0].sum() ** 2 / (2 * degree.sum())
    assert inside["weight"] == pytest.approx(weight[both].sum())
    assert inside["lift"] == pytest.approx(weight[both].sum() / chance)
    one = next(r for r in rows["communities"].to_pylist() if r["community_id"] == "c1")
    assert one["inside_share"] == pytest.approx(2 * weight[both].sum() / degree[of == 0].sum())


def test_drawn_ties_are_bounded_and_inside() -> None:
    chance = np.random.default_rng(1)
    u, v = np.triu_indices(400, 1)
    kept = chance.random(len(u)) < 0.2
    weight = chance.integers(1, 50, kept.sum()).astype(float)
    snapshot = assemble(
        {
            "interactions": pa.table(
                {
                    "user_id": [f"x:{i}" for i in u[kept].tolist()],
                    "target_id": [f"x:{i}" for i in v[kept].tolist()],
                    "kind": ["share"] * int(kept.sum()),
                    "weight": weight,
                }
            )
        }
    )
    found = find(snapshot, PARAMS.model_copy(update={"gamma": 0.1}))
    assert found.partitions.k == 1
    rows = tables(snapshot, found, judge(found, PARAMS))["ties"]
    assert rows.num_rows == 1_500
    people = set(rows["user_id"].to_pylist()) | set(rows["other_id"].to_pylist())
    assert len(people) <= 300
    assert min(rows["weight"].to_pylist()) > np.median(np.log2(1 + weight))


def test_confidence_is_the_part_of_ties_inside_drawn_to_chance() -> None:
    snapshot = world()
    found = find(snapshot, PARAMS)
    parts, graph = found.partitions, found.graph
    weights = graph.weights / graph.weights.mean()
    for user in range(graph.n):
        own = slice(graph.indptr[user], graph.indptr[user + 1])
        same = parts.reference[graph.indices[own]] == parts.reference[user]
        rows = np.repeat(np.arange(graph.n), np.diff(graph.indptr))
        kappa = weights[parts.reference[rows] == parts.reference[user]].sum() / weights.sum()
        wanted = (weights[own][same].sum() + 2 * kappa) / (weights[own].sum() + 2)
        assert parts.confidence[user] == pytest.approx(wanted)
