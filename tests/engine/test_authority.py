"""Authority against networkx and igraph."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import igraph
import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from engine.assemble import assemble
from engine.authority import authority, interaction_graph, recent
from engine.csr import Csr
from engine.partition import Partitions
from engine.results import RESULTS
from engine.snapshot import Snapshot

Row = dict[str, Any]


def partition(
    snapshot: Snapshot, labels: Mapping[str, int], scored: list[bool] | None = None
) -> Partitions:
    ids = snapshot.users.user_id.to_pylist()
    reference = np.array([labels.get(u, -1) for u in ids], dtype=np.int32)
    k = int(reference.max(initial=-1)) + 1
    kept = np.ones(k, np.bool_) if scored is None else np.array(scored, np.bool_)
    return Partitions(reference, reference[None, :], np.ones(len(ids)), kept, 1.0)


def pairwise(rows: list[tuple[str, str, str, float]]) -> Snapshot:
    columns = ("user_id", "target_id", "kind")
    return assemble(
        {
            "interactions": pa.table(
                {
                    **{
                        c: pa.array([r[i] for r in rows], pa.string())
                        for i, c in enumerate(columns)
                    },
                    "weight": pa.array([r[3] for r in rows], pa.float64()),
                }
            )
        }
    )


def edges(snapshot: Snapshot, graph: Csr) -> dict[tuple[str, str], float]:
    ids = snapshot.users.user_id.to_pylist()
    return {
        (ids[u], ids[v]): round(w, 9)
        for u in range(graph.n)
        for v, w in zip(
            graph.indices[graph.indptr[u] : graph.indptr[u + 1]].tolist(),
            graph.weights[graph.indptr[u] : graph.indptr[u + 1]].tolist(),
            strict=True,
        )
    }


def as_networkx(snapshot: Snapshot, graph: Csr) -> nx.DiGraph[str]:
    found: nx.DiGraph[str] = nx.DiGraph()
    found.add_nodes_from(snapshot.users.user_id.to_pylist())
    found.add_weighted_edges_from((u, v, w) for (u, v), w in edges(snapshot, graph).items())
    return found


def overall(found: pa.Table) -> dict[str, float]:
    return {r["user_id"]: r["authority"] for r in found.to_pylist() if r["community_id"] is None}


def test_edges_lead_to_whom_one_turns_and_weigh_by_kind() -> None:
    snapshot = assemble(
        {
            "content": pa.table(
                {"content_id": ["x:1", "x:2", "x:3"], "author_id": ["x:a", "x:a", None]}
            ),
            "shares": pa.table(
                {
                    "content_id": ["x:1", "x:1", "x:1", "x:2", "x:2", "x:3", "x:3", "x:2"],
                    "user_id": ["x:b", "x:c", "x:c", "x:c", "x:a", "x:b", "x:c", "x:d"],
                    "via_user_id": ["x:a", "x:b", "x:b", None, None, None, "x:b", "x:d"],
                    "kind": ["share", "quote", *["share"] * 5, "bookmark"],
                }
            ),
            "replies": pa.table({"user_id": ["x:b", "x:a"], "parent_content_id": ["x:1", "x:1"]}),
            "mentions": pa.table({"user_id": ["x:a", "x:b"], "target_id": ["x:b", "x:b"]}),
            "reactions": pa.table(
                {
                    "user_id": ["x:d", "x:d", "x:c"],
                    "content_id": ["x:1", "x:2", "x:3"],
                    "kind": ["like", "other", "like"],
                }
            ),
            "interactions": pa.table(
                {
                    "user_id": ["x:e", "x:e", "x:e", "x:e", "x:e"],
                    "target_id": ["x:a", "x:b", "x:c", "x:d", "x:e"],
                    "kind": ["unknown", "like", "quote", "mention", "share"],
                    "weight": [2.0, 3.0, 1.5, 0.0, 9.0],
                }
            ),
        }
    )
    assert edges(snapshot, interaction_graph(snapshot)) == {
        ("x:b", "x:a"): 1.7,  # a share and a reply
        ("x:c", "x:a"): 2.0,  # of two contents, once each
        ("x:c", "x:b"): 2.0,  # through b, of a's content and of nobody's
        ("x:a", "x:b"): 0.5,
        ("x:d", "x:a"): 0.2,
        ("x:e", "x:a"): 2.0,
        ("x:e", "x:b"): 0.6,
        ("x:e", "x:c"): 1.5,
    }


KRACKHARDT = [
    ("x:" + str(u), "x:" + str(v), "share", float(1 + (u * v) % 3))
    for u, v in nx.krackhardt_kite_graph().edges
]


def test_overall_as_networkx_and_igraph() -> None:
    snapshot = pairwise(KRACKHARDT)
    graph = as_networkx(snapshot, interaction_graph(snapshot))
    found = overall(authority(snapshot, partition(snapshot, {})))
    assert found == pytest.approx(
        nx.pagerank(graph, alpha=0.85, tol=1e-13, max_iter=1_000), abs=1e-8
    )
    names = list(found)
    other = igraph.Graph.DictList(
        [{"name": n} for n in names],
        [{"source": u, "target": v, "w": d["weight"]} for u, v, d in graph.edges(data=True)],
        directed=True,
    ).pagerank(damping=0.85, weights="w")
    assert [found[n] for n in names] == pytest.approx(other, abs=1e-8)
    assert sum(found.values()) == pytest.approx(1.0)


def test_inside_a_community_the_walk_restarts_there_and_only_members_stand() -> None:
    snapshot = pairwise(KRACKHARDT)
    labels = {f"x:{i}": int(i > 4) for i in range(9)}
    found = authority(snapshot, partition(snapshot, labels, [True, False]))
    assert found.schema.equals(RESULTS["authority"].schema)
    inside = [r for r in found.to_pylist() if r["community_id"] == "c1"]
    assert {r["community_id"] for r in found.to_pylist()} == {None, "c1"}
    assert {r["user_id"] for r in inside} == {u for u, c in labels.items() if c == 0}
    graph = as_networkx(snapshot, interaction_graph(snapshot))
    restart = {u: float(labels.get(u, -1) == 0) for u in graph}
    expected = nx.pagerank(
        graph, alpha=0.85, personalization=restart, dangling=restart, tol=1e-13, max_iter=1_000
    )
    for row in inside:
        assert row["authority"] == pytest.approx(expected[row["user_id"]], abs=1e-8)
        assert row["method"] == "personalised_pagerank(damping=0.85, tolerance=1e-12)"
    mass = np.array([round(expected[r["user_id"]], 9) for r in inside])
    assert [r["rank"] for r in inside] == rankdata(-mass, method="min").tolist()
    assert [r["percentile"] for r in inside] == [
        100 * (place - 0.5) / 5 for place in rankdata(mass).tolist()
    ]
    ordered = sorted(inside, key=lambda r: -float(r["authority"]))
    assert [r["user_id"] for r in ordered] == [r["user_id"] for r in inside]


def test_equals_share_a_rank_and_a_percentile() -> None:
    snapshot = pairwise([(f"x:leaf{i}", "x:hub", "share", 1.0) for i in range(4)])
    found = authority(snapshot, partition(snapshot, {}))
    assert found["user_id"].to_pylist()[0] == "x:hub"
    assert found["rank"].to_pylist() == [1, 2, 2, 2, 2]
    assert found["percentile"].to_pylist() == [90.0, 40.0, 40.0, 40.0, 40.0]
    assert set(found["method"].to_pylist()) == {"pagerank(damping=0.85, tolerance=1e-12)"}


def test_nobody_gives_no_rows() -> None:
    snapshot = assemble({})
    found = authority(snapshot, partition(snapshot, {}))
    assert found.num_rows == 0
    assert found.schema.equals(RESULTS["authority"].schema)


people = st.sampled_from([f"x:{c}" for c in "abcdefgh"])
acts = st.lists(
    st.tuples(
        people,
        people,
        st.sampled_from(["share", "reply", "like", "unknown"]),
        st.integers(1, 5).map(float),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda row: row[:3],
)


@given(acts, st.permutations("abcdefgh"), st.randoms(use_true_random=False))
@settings(max_examples=8, deadline=None)
def test_names_order_and_bystanders_change_no_rank(
    rows: list[tuple[str, str, str, float]], letters: list[str], random: Any
) -> None:
    rename = {f"x:{a}": f"x:{b}" for a, b in zip("abcdefgh", letters, strict=True)}
    told = [(rename[u], rename[v], kind, w) for u, v, kind, w in rows]
    random.shuffle(told)
    snapshot, other = pairwise(rows), pairwise(told)
    labels = {"x:a": 0, "x:b": 0, "x:c": 0, "x:d": 0}
    found = authority(snapshot, partition(snapshot, labels))
    again = authority(other, partition(other, {rename[u]: c for u, c in labels.items()}))

    def figures(table: pa.Table, names: Mapping[str, str]) -> dict[tuple[str, Any], Any]:
        return {
            (names[r["user_id"]], r["community_id"]): (
                r["rank"],
                r["percentile"],
                round(r["authority"], 9),
            )
            for r in table.to_pylist()
        }

    assert figures(found, rename) == figures(again, {u: u for u in rename.values()})
    # Somebody who turns to nobody takes a little mass off everybody, and no place in the order.
    crowd = pairwise([*rows, ("x:zz", "x:zz", "share", 1.0)])
    ranks = {r["user_id"]: r["rank"] for r in found.to_pylist() if r["community_id"] is None}
    wider = {
        r["user_id"]: r["rank"]
        for r in authority(crowd, partition(crowd, {})).to_pylist()
        if r["user_id"] != "x:zz"
    }
    assert wider == ranks


def test_recent_authority_is_pagerank_of_ties_that_halve_every_month() -> None:
    """Against networkx, on weights that are added up here, tie by tie."""
    chance = np.random.default_rng(5)
    people = [f"x:{i}" for i in range(12)]
    latest = datetime(2024, 5, 1, tzinfo=UTC)
    rows = [
        (people[u], people[v], float(days), float(weight))
        for u, v, days, weight in zip(
            chance.integers(0, 12, 60),
            chance.integers(0, 12, 60),
            [0, *chance.integers(0, 200, 59)],
            chance.integers(1, 4, 60),
            strict=True,
        )
        if u != v
    ]
    when: list[datetime | None] = [latest - timedelta(days=days) for *_, days, _ in rows]
    # An act without a time may be old or new: it is left out.
    columns = {
        "user_id": [*(u for u, *_ in rows), "x:0"],
        "target_id": [*(v for _, v, *_ in rows), "x:1"],
        "kind": ["share"] * (len(rows) + 1),
        "at": pa.array([*when, None], pa.timestamp("us", "UTC")),
        "weight": [*(w for *_, w in rows), 99.0],
    }
    snapshot = assemble({"interactions": pa.table(columns)})
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(snapshot.users.user_id.to_pylist())
    last = min(days for *_, days, _ in rows)
    for u, v, days, weight in rows:
        before = graph.get_edge_data(u, v, {"weight": 0.0})["weight"]
        graph.add_edge(u, v, weight=before + weight * 0.5 ** ((days - last) / 30))
    expected = nx.pagerank(graph, alpha=0.85, tol=1e-12, max_iter=1_000)
    found = recent(snapshot)
    assert found is not None
    assert dict(
        zip(snapshot.users.user_id.to_pylist(), found.tolist(), strict=True)
    ) == pytest.approx(expected, abs=1e-9)


def test_without_times_nothing_is_recent() -> None:
    assert recent(pairwise([("x:a", "x:b", "share", 1.0)])) is None
    assert recent(assemble({})) is None
