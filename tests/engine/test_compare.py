"""Two runs beside each other: agreement, matched communities, scores that changed quadrant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backends.embedded.store import EmbeddedStore
from engine.communities import find
from engine.compare import SAME, Comparison, compare, modularity
from engine.comparison import PARTS
from engine.contract import RunTables
from engine.errors import NotFound, UsageError
from engine.lists import run_before
from engine.overlap import Places
from engine.params import AnalysisParams
from engine.portrait import tables
from engine.results import table
from engine.verdict import judge
from tests.engine.backends.worlds import load, world
from tests.engine.communities.conftest import planted

USERS = [f"x:{i:02}" for i in range(12)]
HALVES = ["c1"] * 6 + ["c2"] * 6
Score = tuple[str, str | None, str, float, float, float]
"""Source, community, quadrant, resonance with its ends."""


def memberships(places: Sequence[str | None]) -> dict[str, list[Any]]:
    placed = [(u, c) for u, c in zip(USERS, places, strict=False) if c is not None]
    return {
        "user_id": [u for u, _ in placed],
        "community_id": [c for _, c in placed],
        "level": [1] * len(placed),
    }


def a_run(
    store: EmbeddedStore,
    seed: int,
    places: Sequence[str | None],
    scores: Sequence[Score] = (),
    names: Mapping[str, str] | None = None,
) -> str:
    """Publish a run that places users and scores sources as said; return its id."""
    ids = sorted({c for c in places if c is not None})
    made = {
        "memberships": table("memberships", memberships(places)),
        "communities": table(
            "communities",
            {
                "community_id": ids,
                "level": [1] * len(ids),
                "label": [f"label of {c}" for c in ids],
                "kind": ["community"] * len(ids),
                "member_count": [list(places).count(c) for c in ids],
                "share_count": [0] * len(ids),
                "verdict": ["kindred"] * len(ids),
                "flags": [[] for _ in ids],
            },
        ),
        "links": table(
            "links",
            {
                "community_id": ids,
                "other_id": ids,
                "tie_count": [1] * len(ids),
                "weight": [1.0] * len(ids),
            },
        ),
        "scores": table(
            "scores",
            {
                "source_kind": ["user"] * len(scores),
                "source_id": [s[0] for s in scores],
                "community_id": [s[1] for s in scores],
                "observed": [float(seed)] * len(scores),
                "quadrant": [s[2] for s in scores],
                "resonance": [s[3] for s in scores],
                "resonance_low": [s[4] for s in scores],
                "resonance_high": [s[5] for s in scores],
                "tier": ["affinity"] * len(scores),
                "flags": [[] for _ in scores],
            },
        ),
    }
    named = names or {}
    made["influence"] = table(
        "influence",
        {
            "source_kind": ["user"] * len(named),
            "source_id": list(named),
            "label": list(named.values()),
            **{
                column: [0] * len(named)
                for column in (
                    "content_count", "share_count", "sharer_count", "repeat_count",
                    "attention_count",
                )
            },
        },
    )  # fmt: skip
    run = RunTables(
        AnalysisParams(seed=seed, engine="local"),
        store.snapshot().fingerprint,
        "affinity",
        made,
        {},
        {"users": len(USERS)},
    )
    return store.publish(run).run_id


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    with EmbeddedStore.open(tmp_path / "store") as made:
        load(made, world(users=[{"user_id": u} for u in USERS]))
        yield made


def rows(found: Comparison, part: str, *columns: str) -> list[list[Any]]:
    return [[row[c] for c in columns] for row in found.tables[part].to_pylist()]


def said(found: Comparison) -> dict[tuple[str, str], Any]:
    return {(r["topic"], r["name"]): r for r in found.tables["summary"].to_pylist()}


def test_the_same_communities_under_other_names(store: EmbeddedStore) -> None:
    swapped = [{"c1": "c2", "c2": "c1"}[c] for c in HALVES]
    first = a_run(store, 1, HALVES, [("x:00", "c1", "gem", 50.0, 40.0, 60.0)])
    second = a_run(store, 2, swapped, [("x:00", "c2", "gem", 51.0, 41.0, 61.0)])
    found = compare(store, first, store, second)
    assert (found.nmi, found.ari, found.same) == (1, 1, True)
    assert found.verdict == "The same communities."
    assert rows(found, "communities", "community_id", "other_community_id", "jaccard") == [
        ["c1", "c2", 1.0],
        ["c2", "c1", 1.0],
    ]
    assert rows(
        found, "scores", "source_id", "community_id", "other_community_id", "present", "changed",
        "apart", "difference", "observed", "other_observed",
    ) == [["x:00", "c1", "c2", "both", False, False, 1.0, 1.0, 2.0]]  # fmt: skip
    parameters = {k[1]: v for k, v in said(found).items() if k[0] == "parameters"}
    assert {k: (v["value"], v["other_value"]) for k, v in parameters.items()} == {
        "seed": ("1", "2")
    }
    assert said(found)["data", "fingerprint"]["text"] == "The same data."


def test_different_runs_are_called_so_and_name_what_changed_quadrant(store: EmbeddedStore) -> None:
    split = ["c1"] * 4 + ["c3"] * 2 + ["c2"] * 5 + [None]
    first = a_run(
        store,
        1,
        HALVES,
        [
            ("x:00", "c1", "gem", 50.0, 40.0, 60.0),
            ("x:01", "c1", "gem", 50.0, 40.0, 60.0),
            ("x:02", "c2", "background", 5.0, 0.0, 9.0),
            ("x:03", None, "leader", 60.0, 50.0, 70.0),
        ],
        {"x:00": "Ann", "x:02": "Cid"},
    )
    second = a_run(
        store,
        2,
        split,
        [
            ("x:00", "c1", "undetermined", 45.0, 20.0, 70.0),
            ("x:01", "c3", "gem", 50.0, 40.0, 60.0),
            ("x:02", "c2", "background", 25.0, 20.0, 30.0),
            ("x:03", None, "leader", 60.5, 50.0, 70.0),
        ],
    )
    found = compare(store, first, store, second)
    both = igraph.compare_communities([0] * 6 + [1] * 5, [0] * 4 + [2] * 2 + [1] * 5, "nmi")
    assert found.nmi == pytest.approx(both)
    assert found.nmi < SAME
    assert not found.same
    assert found.verdict.startswith(
        f"Different runs: their communities agree to a degree of {both:.2f}"
    )
    assert rows(
        found, "communities", "community_id", "other_community_id", "member_count",
        "other_member_count", "common_count", "jaccard",
    ) == [
        ["c2", "c2", 6, 5, 5, 1.0],
        ["c1", "c1", 6, 4, 4, 4 / 6],
        [None, "c3", None, 2, 0, 0.0],
    ]  # fmt: skip
    assert rows(
        found, "scores", "source_id", "label", "community_id", "other_community_id", "present",
        "changed", "apart", "difference",
    ) == [
        ["x:00", "Ann", "c1", "c1", "both", True, False, -5.0],
        ["x:02", "Cid", "c2", "c2", "both", False, True, 20.0],
        ["x:03", "x:03", None, None, "both", False, False, 0.5],
        ["x:01", "x:01", "c1", None, "run", False, False, None],
        ["x:01", "x:01", None, "c3", "other", False, False, None],
    ]  # fmt: skip
    told = said(found)
    assert told["scores", "changed"]["figure"] == 1
    assert told["scores", "difference"]["text"] == (
        "Largest difference of affinity (exposure unknown): 20 points, Cid in c2."
    )
    assert told["communities", "users"]["text"] == (
        "Users placed by both runs: 11; by one of them alone: 1 and 0."
    )
    for part, declared in PARTS.items():
        assert found.tables[part].schema == declared.schema


def test_runs_of_two_stores_and_other_data(store: EmbeddedStore, tmp_path: Path) -> None:
    first = a_run(store, 1, HALVES)
    with EmbeddedStore.open(tmp_path / "other") as other:
        load(other, world(users=[{"user_id": u} for u in USERS[3:]]))
        second = a_run(other, 1, [None, None, None, *HALVES[3:]])
        found = compare(store, first, other, second)
        assert said(found)["data", "fingerprint"]["text"].startswith("Not the same data")
        assert found.verdict == "The same communities, but for a few users."
        empty = a_run(other, 2, [])
        nothing = compare(store, first, other, empty)
        assert nothing.verdict.startswith("Nothing to compare")
        assert (np.isnan(nothing.nmi), nothing.same) == (True, False)


def test_what_cannot_be_compared_is_told(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = a_run(store, 1, HALVES)
    with pytest.raises(UsageError, match="both are the same run"):
        compare(store, first, store, None)
    with pytest.raises(NotFound, match="the store has no other"):
        run_before(store)
    second = a_run(store, 2, HALVES)
    assert (run_before(store), run_before(store, first)) == (first, second)
    with pytest.raises(NotFound, match="the run acme"):
        compare(store, "acme", store, first)
    monkeypatch.setattr("engine.backends.files.runs.schema_hash", lambda: "another")
    with pytest.raises(UsageError, match="written by another version"):
        compare(store, first, store, second)


def test_modularity_is_networkx_s() -> None:
    snapshot = planted(300, 8.0, 0.3, 4).snapshot()
    params = AnalysisParams(folds=2, rewirings=0, gamma=1.3)
    found = find(snapshot, params)
    u, v, w = found.graph.pairs()
    ties: nx.Graph[int] = nx.Graph()
    ties.add_weighted_edges_from(zip(u.tolist(), v.tolist(), w.tolist(), strict=True))
    parts: dict[int, set[int]] = {}
    for node in ties:
        parts.setdefault(int(found.partitions.reference[node]), set()).add(node)
    links = tables(snapshot, found, judge(found, params))["links"]
    assert modularity(links) == pytest.approx(nx.community.modularity(ties, parts.values()))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=12),
    st.permutations(range(4)),
)
@settings(max_examples=60, deadline=None)
def test_names_of_communities_change_no_figure(
    pairs: list[tuple[int, int]], names: list[int]
) -> None:
    """And matching finds the most overlap first, one to one."""
    mine = table("memberships", memberships([f"c{a}" for a, _ in pairs]))
    theirs = table("memberships", memberships([f"c{b}" for _, b in pairs]))
    renamed = table("memberships", memberships([f"d{names[b]}" for _, b in pairs]))
    places, other = Places.of(mine, theirs), Places.of(mine, renamed)
    assert places.agreement() == pytest.approx(other.agreement())
    matched = places.matched()
    assert len(set(matched.values())) == len(matched)
    assert len(matched) <= min(len(set(places.ids)), len(set(places.other_ids)))
    most = max(pairs.count(p) for p in pairs)
    assert any(pairs.count((int(a[1:]), int(b[1:]))) == most for a, b in matched.items())
    nmi = igraph.compare_communities([a for a, _ in pairs], [b for _, b in pairs], method="nmi")
    assert places.agreement()[0] == pytest.approx(nmi, abs=1e-9)
