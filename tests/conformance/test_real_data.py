"""Real data in two kinds of store: the same counts, bytes, authority and scores.

The UK MPs run with every test, a part of the German election and all of it with `gates`. The
same engine gives the same bytes wherever the data stand. Graph Data Science finds communities of
its own: how near they are is told by mutual information and modularity both.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pytest

import kindred
from engine.algorithms import Local
from engine.authority import authority
from engine.compare import SAME, Comparison, compare
from engine.connect import connect
from engine.contract import Backend, RunInfo
from engine.model import EDGES, NODES
from engine.params import AnalysisParams
from engine.partition import UNASSIGNED, Partitions
from engine.resonance import score
from engine.results import RESULTS
from engine.verbs import analyse
from kindred.demo.shows import DATA
from tests.engine.backends.worlds import plain
from tests.servers.server import Neo4jServer

PARAMS: Final = AnalysisParams(
    rewirings=0, ensemble=0, folds=2, split=None, engine="local", continues="none"
)
ROWS: Final = 3_000
"""Posts of the part of the German election."""
GERMAN: Final = DATA / "election" / "german_elections.csv.gz"
FIGURES: Final = (
    "observed", "expected", "lift", "lift_low", "lift_high", "prob_above", "resonance",
    "resonance_low", "resonance_high", "resonant_shares", "effective_sharers",
)  # fmt: skip


@dataclass(frozen=True)
class Data:
    """A data set, in both stores and analysed in three ways."""

    embedded: Backend
    neo4j: Backend
    local: RunInfo
    """By the local engine, in either store."""
    there: RunInfo
    """The run of the local engine on the server."""
    gds: RunInfo
    """The run of Graph Data Science on the server."""


def part_of_election(folder: Path) -> Path:
    """The first posts of the German election, beside what says where they come from."""
    path = folder / GERMAN.name
    with gzip.open(GERMAN, "rt", encoding="utf-8") as whole, gzip.open(path, "wt") as part:
        part.writelines(line for _, line in zip(range(ROWS + 1), whole, strict=False))
    shutil.copy(GERMAN.with_name("source.toml"), folder)
    return path


@pytest.fixture(
    scope="module",
    params=[
        "parliament",
        *(pytest.param(whole, marks=pytest.mark.gates) for whole in ("part", "election")),
    ],
)
def data(
    request: pytest.FixtureRequest, neo4j: Neo4jServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Data]:
    """Load and analyse a data set in both stores."""
    folder = tmp_path_factory.mktemp(request.param)
    source: Mapping[str, tuple[Path, dict[str, Any]]] = {
        "parliament": (DATA / "parliament", {}),
        "part": (folder, {"brands": "domains"}),
        "election": (GERMAN, {"brands": "domains"}),
    }
    path, options = source[request.param]
    if request.param == "part":
        path = part_of_election(folder)
    neo4j.clean()
    with (
        connect(folder / "store") as embedded,
        connect(neo4j.address, server=neo4j.settings()) as server,
    ):
        for store in (embedded, server):
            kindred.Kindred(store).load(path, **options)
        local = analyse(embedded, PARAMS)
        there = analyse(server, PARAMS)
        gds = analyse(server, PARAMS.model_copy(update={"engine": "gds"}))
        yield Data(embedded, server, local, there, gds)


def test_counts_are_the_same(data: Data) -> None:
    assert data.neo4j.batches() == data.embedded.batches()
    assert data.there.counts == data.local.counts
    counting = [f"MATCH (n:`{node}`) RETURN count(n) AS n" for node in NODES if node != "Run"]
    counting += [
        f"MATCH (:`{a}`)-[r:`{edge.name}`]->(:`{b}`) RETURN count(r) AS n"
        for edge in EDGES.values()
        for a, b in edge.pairs
        if edge.name not in {"MEMBER_OF", "RESONATES_IN"}
    ]
    for cypher in counting:
        if "Community" in cypher:
            continue  # the stores show different runs
        found, said = (s.query(cypher)["n"].to_pylist() for s in (data.neo4j, data.embedded))
        assert found == said, cypher


def test_snapshots_and_so_all_tables_of_the_same_engine_are_the_same(data: Data) -> None:
    found, said = plain(data.neo4j.snapshot()), plain(data.embedded.snapshot())
    assert {name for name in said if found[name] != said[name]} == set()
    assert data.there.run_id == data.local.run_id
    for name in RESULTS:
        table = data.neo4j.read(name, run_id=data.there.run_id)
        assert table.equals(data.embedded.read(name)), name


def partitions(store: Backend, run: RunInfo, users: pa.StringArray) -> Partitions:
    """The communities of a run, all folds of them, as it stored them."""
    rows = store.read("memberships", run_id=run.run_id)
    kept = store.read("communities", run_id=run.run_id)
    place = {user: i for i, user in enumerate(users.to_pylist())}
    at = np.array([place[user] for user in rows["user_id"].to_pylist()], np.int64)
    label = np.array([int(c[1:]) - 1 for c in rows["community_id"].to_pylist()], np.int32)
    fold = rows["fold"].fill_null(-1).to_numpy()
    every = np.full((run.params.folds + 1, len(users)), UNASSIGNED, np.int32)
    every[fold + 1, at] = label
    confidence = np.full(len(users), np.nan)
    confidence[at[fold < 0]] = rows["confidence"].to_numpy()[fold < 0]
    size = np.bincount(every[0][every[0] >= 0], minlength=kept.num_rows)
    notes = store.read("notes", run_id=run.run_id, where={"topic": "resolution"}).to_pylist()
    gamma = float(notes[0]["value"])
    return Partitions(every[0], every[1:], confidence, size >= run.params.min_members, gamma)


def by_key(table: pa.Table, keys: tuple[str, ...], figure: str) -> dict[Any, float]:
    columns = (table[name].to_pylist() for name in (*keys, figure))
    return {row[:-1]: row[-1] for row in zip(*columns, strict=True)}


def furthest(found: pa.Table, said: pa.Table, keys: tuple[str, ...], figure: str) -> float:
    """The largest difference of a figure between tables with the same keys."""
    a, b = by_key(found, keys, figure), by_key(said, keys, figure)
    assert a.keys() == b.keys()
    assert {key for key in a if (a[key] is None) != (b[key] is None)} == set()
    return max((abs(a[key] - b[key]) for key in a if a[key] is not None), default=0.0)


def test_authority_is_the_same_given_the_same_communities(data: Data) -> None:
    """Everywhere and inside each community, to 1e-6: no case is left out."""
    snapshot = data.embedded.snapshot()
    places = partitions(data.neo4j, data.gds, snapshot.users.user_id)
    said = authority(snapshot, places, algorithms=Local())
    found = data.neo4j.read("authority", run_id=data.gds.run_id)
    assert furthest(found, said, ("community_id", "user_id"), "authority") < 1e-6
    overall = data.embedded.read("authority", where={"community_id": None})
    there = data.neo4j.read("authority", run_id=data.gds.run_id, where={"community_id": None})
    assert furthest(there, overall, ("user_id",), "authority") < 1e-6


def test_scores_are_the_same_given_the_same_memberships(data: Data) -> None:
    """All folds of them, to 1e-9."""
    snapshot = data.embedded.snapshot()
    places = partitions(data.neo4j, data.gds, snapshot.users.user_id)
    said = score(snapshot, places, PARAMS).table
    found = data.neo4j.read("scores", run_id=data.gds.run_id)
    for figure in FIGURES:
        keys = ("source_kind", "source_id", "community_id")
        assert furthest(found, said, keys, figure) < 1e-9, figure


@pytest.fixture(scope="module")
def compared(data: Data) -> Comparison:
    """The run of the local engine against that of Graph Data Science."""
    return compare(data.embedded, data.local.run_id, data.neo4j, data.gds.run_id)


def test_communities_are_no_worse_and_told_apart_where_they_differ(compared: Comparison) -> None:
    mine, theirs = compared.modularity
    print(f"NMI {compared.nmi:.4f}, modularity {mine:.4f} local, {theirs:.4f} gds")
    assert theirs >= 0.995 * mine
    assert compared.same == (compared.nmi >= SAME)
    assert compared.verdict.startswith(
        "The same communities" if compared.same else "Different runs"
    )
    summary = {(r["topic"], r["name"]): r for r in compared.tables["summary"].to_pylist()}
    assert summary["communities", "nmi"]["figure"] == compared.nmi
    assert summary["parameters", "engine"]["other_value"] == "gds"
    assert summary["data", "fingerprint"]["text"] == "The same data."


def test_scores_in_another_quadrant_are_listed_with_both_intervals(
    data: Data, compared: Comparison
) -> None:
    """Looked up again, row by row, in the scores of either run."""
    listed = compared.tables["scores"].to_pylist()
    changed = [row for row in listed if row["changed"]]
    assert listed[: len(changed)] == changed
    keys = ("source_kind", "source_id", "community_id")
    stores = (
        (data.embedded, data.local, ""),
        (data.neo4j, data.gds, "other_"),
    )
    for store, run, prefix in stores:
        rows = store.read("scores", run_id=run.run_id).to_pylist()
        known = {tuple(row[k] for k in keys): row for row in rows}
        for row in changed:
            key = (row["source_kind"], row["source_id"], row[f"{prefix}community_id"])
            for name in ("quadrant", "resonance", "resonance_low", "resonance_high"):
                assert row[f"{prefix}{name}"] == known[key][name]
    assert all(row["quadrant"] != row["other_quadrant"] for row in changed)
