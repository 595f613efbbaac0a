from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.agreement import adjusted_rand, mutual_information
from engine.assemble import assemble
from engine.communities import find, matched
from engine.groups import folds
from engine.kernels.leiden import leiden
from engine.params import AnalysisParams
from engine.portrait import tables
from engine.snapshot import Snapshot
from engine.verdict import judge

PARAMS = AnalysisParams(folds=3, rewirings=3)


@pytest.mark.shared
def test_communities_of_parliament_are_its_parties(shared: Path) -> None:
    folder = shared / "politicians-ona"
    with (folder / "mp_edgelist.csv").open(newline="") as file:
        edges = list(csv.DictReader(file))
    with (folder / "mp_vertices.csv").open(newline="") as file:
        party = {f"x:{row['screen_name']}": row["party"] for row in csv.DictReader(file)}
    snapshot = assemble(
        {
            "users": pa.table({"user_id": list(party), "labels": [[p] for p in party.values()]}),
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
    params = AnalysisParams()
    found = find(snapshot, params)
    reference = found.partitions.reference
    of = [party[i] for i in snapshot.users.user_id.to_pylist()]
    assert (reference >= 0).all()
    assert mutual_information(reference, of) > 0.86
    assert adjusted_rand(reference, of) > 0.92
    verdicts = judge(found, params)
    made = tables(snapshot, found, verdicts)["communities"].sort_by("member_count").to_pylist()
    assert [row["traits"][0]["label"] for row in made[::-1][:3]] == [
        "Conservative",
        "Labour",
        "Scottish National Party",
    ]
    assert [row["verdict"] for row in made[::-1][:3]] == ["kindred"] * 3
    assert {row["share_count"] for row in made} == {0}, "attention is no share"


def test_every_user_with_a_tie_is_in_one_connected_community(plant: Callable[..., Any]) -> None:
    made = plant(1_200, 4, 0.3, 1)
    found = find(made.snapshot(), PARAMS)
    reference = found.partitions.reference
    tied = np.diff(found.graph.indptr) > 0
    assert (reference >= 0).tolist() == tied.tolist()
    size = np.bincount(reference[tied])
    assert size.tolist() == sorted(size.tolist(), reverse=True)
    assert found.partitions.scored.tolist() == (size >= 15).tolist()
    graph: nx.Graph[Any] = nx.Graph(
        list(zip(*(a.tolist() for a in found.graph.pairs()[:2]), strict=True))
    )
    for c in range(found.partitions.k):
        assert nx.is_connected(graph.subgraph(np.flatnonzero(reference == c).tolist()))


def test_a_fold_never_saw_its_sources(plant: Callable[..., Any]) -> None:
    """Redirect every share of a source of fold 0 to another one: fold 0 sees no difference."""
    made = plant(1_200, 8, 0.2, 1)
    found = find(made.snapshot(), PARAMS)
    ties = found.ties
    hidden = folds(ties.groups, PARAMS.folds, PARAMS.seed) == 0
    of_fold = hidden[ties.groups.of_user]
    other = np.random.default_rng(1).choice(np.flatnonzero(of_fold), len(made.v))
    redirected = type(made)(made.u, np.where(of_fold[made.v], other, made.v), made.truth)
    again = find(redirected.snapshot(), PARAMS, gamma=found.partitions.gamma).ties
    seen, still = (t.without(hidden).edges().graph() for t in (ties, again))
    assert [a.tolist() for a in seen.pairs()] == [a.tolist() for a in still.pairs()]
    raw = leiden(seen, found.partitions.gamma, PARAMS.seed)
    fold = found.partitions.folds[0]
    for c in range(int(raw.max()) + 1):
        assert len(set(fold[raw == c].tolist())) == 1, "a fold only renames what it found"


def test_labels_of_folds_mean_the_communities_of_the_reference(plant: Callable[..., Any]) -> None:
    made = plant(2_000, 20, 0.1, 1, sizes=(60, 200))
    parts = find(made.snapshot(), PARAMS).partitions
    for fold in parts.folds:
        both = (fold >= 0) & (parts.reference >= 0)
        assert (fold == parts.reference)[both].mean() > 0.95


def test_matching_is_one_to_one_and_prefers_the_greatest_overlap() -> None:
    reference = np.array([0, 0, 0, 0, 1, 1, 1, -1, -1], np.int32)
    labels = np.array([5, 5, 3, 2, 2, 2, 2, 5, 7], np.int32)
    assert matched(labels, reference).tolist() == [0, 0, -1, 1, 1, 1, 1, 0, -1]


def test_before_a_time_only_earlier_shares_tie() -> None:
    shares = {
        "user_id": ["x:a", "x:b", "x:c"],
        "target_id": ["x:b", "x:c", "x:d"],
        "kind": ["share"] * 3,
        "at": [10, 20, 30],
    }
    snapshot = assemble({"interactions": pa.table(shares)})
    found = find(snapshot, AnalysisParams(), before=30)
    assert found.graph.pairs()[0].tolist() == [0, 1]
    assert found.partitions.reference.tolist()[3] == -1


def test_data_without_ties_have_no_communities() -> None:
    snapshot = assemble({"users": pa.table({"user_id": ["x:a", "x:b"]})})
    found = find(snapshot, PARAMS)
    assert found.partitions.k == 0
    assert found.partitions.reference.tolist() == [-1, -1]
    assert found.partitions.folds.shape == (3, 2)
    verdicts = judge(found, PARAMS)
    assert verdicts.verdict == ()
    made = tables(snapshot, found, verdicts)
    assert {name: t.num_rows for name, t in made.items()} == dict.fromkeys(made, 0)


def test_an_empty_store_has_no_communities() -> None:
    snapshot = assemble({})
    found = find(snapshot, PARAMS)
    assert tables(snapshot, found, judge(found, PARAMS))["communities"].num_rows == 0


@pytest.mark.parametrize("order", ["reversed", "shuffled"])
def test_the_order_of_rows_changes_nothing(
    plant: Callable[..., Any], answered: Callable[[Snapshot], str], order: str
) -> None:
    made = plant(1_100, 6, 0.3, 1)
    rows = np.arange(len(made.u))[::-1]
    if order == "shuffled":
        rows = np.random.default_rng(1).permutation(rows)
    mixed = type(made)(made.u[rows], made.v[rows], made.truth)
    one, other = made.snapshot(), mixed.snapshot()
    assert answered(one) == answered(other)


def test_threads_change_nothing(
    plant: Callable[..., Any],
    answered: Callable[[Snapshot], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    snapshot = plant(1_100, 6, 0.3, 1).snapshot()
    found = {}
    for threads in ("1", "3"):
        monkeypatch.setenv("KINDRED_THREADS", threads)
        found[threads] = answered(snapshot)
    assert found["1"] == found["3"]


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from conftest import answer, planted
print(answer(planted(1_100, 6, 0.3, 1).snapshot()))
"""


def test_the_hash_seed_of_the_process_changes_nothing(
    plant: Callable[..., Any], answered: Callable[[Snapshot], str]
) -> None:
    snapshot = plant(1_100, 6, 0.3, 1).snapshot()
    here = answered(snapshot)
    there = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(Path(__file__).parent)],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == here


@given(st.randoms(use_true_random=False))
@settings(max_examples=8, deadline=None)
def test_names_of_users_do_not_decide_who_is_kindred(random: Any) -> None:
    names = list(range(36))
    random.shuffle(names)
    pairs = [(12 * g + a, 12 * g + b) for g in range(3) for a in range(12) for b in range(a)]
    pairs += [(0, 12), (13, 25), (5, 30)]
    random.shuffle(pairs)
    shares = {
        "user_id": [f"x:{names[a]:02}" for a, _ in pairs],
        "target_id": [f"x:{names[b]:02}" for _, b in pairs],
        "kind": ["share"] * len(pairs),
    }
    found = find(assemble({"interactions": pa.table(shares)}), PARAMS).partitions
    assert [
        len(set(found.reference[[names[12 * g + i] for i in range(12)]])) for g in range(3)
    ] == [1] * 3
    assert found.k == 3
