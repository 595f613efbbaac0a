"""Runs on a server: stored whole, found again, read as the embedded store reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from engine.backends.embedded.store import EmbeddedStore
from engine.backends.files.runs import schema_hash
from engine.backends.neo4j import cache, files
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.lock import writer_lock
from engine.backends.neo4j.migrations import make
from engine.backends.neo4j.runs import Runs
from engine.contract import RunTables
from engine.errors import NotFound, StoreDamaged, UsageError
from engine.results import RESULTS
from tests.engine.backends.neo4j.published import publish, with_users, writing
from tests.engine.backends.worlds import load, small_run, world
from tests.servers.server import Neo4jServer

USERS = [f"x:{i}" for i in range(7)]
ROWS = world(follows=[{"follower_id": u, "followee_id": "x:0"} for u in USERS[1:]])


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """The same data in a folder: what a run is made from, and an oracle for reading it."""
    with EmbeddedStore.open(tmp_path_factory.mktemp("embedded")) as store:
        load(store, ROWS)
        yield store


@pytest.fixture
def link(neo4j_cleared: Neo4jServer) -> Iterator[Link]:
    opened = Link(neo4j_cleared.address, neo4j_cleared.settings(patience=5))
    make(opened)
    with_users(neo4j_cleared, USERS)
    yield opened
    opened.close()


@pytest.fixture
def runs(link: Link) -> Iterator[Runs]:
    opened = Runs(link)
    yield opened
    opened.close()


@pytest.fixture
def run(embedded: EmbeddedStore) -> RunTables:
    return small_run(embedded)


def kept(server: Neo4jServer) -> dict[str, int]:
    """Count what is kept of files and runs."""
    labels = ("kindred_File", "kindred_Chunk", "kindred_Result", "kindred_Publication")
    return {
        label: server.run(f"MATCH (n:{label}) RETURN count(n) AS n")[0]["n"] for label in labels
    }


ONE_RUN = {
    "kindred_File": len(RESULTS),
    "kindred_Chunk": len(RESULTS),
    "kindred_Result": 1,
    "kindred_Publication": 1,
}


def test_a_run_is_the_one_that_the_embedded_store_has(
    link: Link, runs: Runs, run: RunTables, embedded: EmbeddedStore, neo4j: Neo4jServer
) -> None:
    with pytest.raises(NotFound, match="kindred analyse"):
        runs.read("scores")
    info, other = publish(link, runs, run), embedded.publish(run)
    server = {**info.versions}
    assert server.pop("neo4j") == neo4j.version
    assert server == {k: v for k, v in other.versions.items() if k != "ladybug"}
    assert info == replace(
        other, created_at=info.created_at, versions=info.versions, batches=info.batches
    )
    assert info.batches == ("b0001",)
    assert runs.info() == runs.info(info.run_id) == info
    assert runs.list() == [info]
    for table in RESULTS:
        assert runs.read(table).equals(embedded.read(table))
    assert kept(neo4j) == ONE_RUN


ASKED: list[dict[str, Any]] = [
    {"where": {"expected": None}},
    {"where": {"expected": [0.0, None], "observed__ge": 2}},
    {"where": {"flags": "few_sharers"}, "order": ["-observed"]},
    {"where": {"flags__lacks": "few_sharers"}, "limit": 2},
    {"order": ["expected", "-observed"], "limit": 3, "after": [0.0, 4.0]},
    {"where": {"source_id": "x' OR true --"}},
]


def test_rows_are_read_as_from_a_folder(
    link: Link, runs: Runs, run: RunTables, embedded: EmbeddedStore
) -> None:
    publish(link, runs, run)
    embedded.publish(run)
    for asked in ASKED:
        assert runs.read("scores", **asked).equals(embedded.read("scores", **asked)), asked
    with pytest.raises(UsageError, match="the result table 'secrets'"):
        runs.read("secrets")
    with pytest.raises(UsageError, match="there is none"):
        runs.read("scores", order=["observed; DROP"])


def test_the_same_run_again_is_kept_and_another_answer_replaces_it(
    link: Link, runs: Runs, run: RunTables, neo4j: Neo4jServer
) -> None:
    first = publish(link, runs, run)
    nodes = neo4j.run("MATCH (n) WHERE n:kindred_File OR n:Community RETURN elementId(n) AS id")
    assert publish(link, runs, replace(run, timings={"all": 9.0})) == first
    assert nodes == neo4j.run(
        "MATCH (n) WHERE n:kindred_File OR n:Community RETURN elementId(n) AS id"
    )
    other = replace(run, tables={**run.tables, "scores": run.tables["scores"].slice(0, 2)})
    again = publish(link, runs, other)
    assert (again.run_id, again.active) == (first.run_id, True)
    assert runs.read("scores").num_rows == 2
    assert [r.run_id for r in runs.list()] == [first.run_id]
    assert kept(neo4j) == ONE_RUN
    assert neo4j.run("MATCH (r:Run) RETURN r.run_id AS id") == [{"id": first.run_id}]


def test_older_runs_stay_listed_and_readable_and_can_be_the_answer_again(
    link: Link, runs: Runs, run: RunTables, embedded: EmbeddedStore
) -> None:
    first = publish(link, runs, run)
    second = publish(link, runs, small_run(embedded, seed=2, community="c9"))
    assert [(r.run_id, r.active) for r in runs.list()] == [
        (second.run_id, True),
        (first.run_id, False),
    ]
    assert runs.read("communities")["community_id"].to_pylist() == ["c9"]
    older = runs.read("communities", run_id=first.run_id)
    assert older["community_id"].to_pylist() == ["c1"]
    with pytest.raises(NotFound, match=f"the store has {first.run_id}, {second.run_id}"):
        runs.info("r-none")
    assert publish(link, runs, run) == first
    assert runs.read("communities")["community_id"].to_pylist() == ["c1"]
    assert [r.active for r in runs.list()] == [False, True]


def test_who_reads_elsewhere_follows(
    link: Link, runs: Runs, run: RunTables, embedded: EmbeddedStore, neo4j: Neo4jServer
) -> None:
    elsewhere = Link(neo4j.address, neo4j.settings(), read_only=True)
    reader = Runs(elsewhere)
    try:
        publish(link, runs, run)
        assert reader.read("communities")["community_id"].to_pylist() == ["c1"]
        publish(link, runs, small_run(embedded, seed=2, community="c9"))
        assert reader.read("communities")["community_id"].to_pylist() == ["c9"]
        # A replaced run's files go; a reader that has looked it up just before asks again.
        other = replace(run, tables={**run.tables, "scores": run.tables["scores"].slice(0, 2)})
        publish(link, runs, other)
        assert reader.read("scores").num_rows == 2
    finally:
        reader.close()
        elsewhere.close()


def test_a_table_that_came_since_is_empty_in_a_run_of_an_older_version(
    link: Link, runs: Runs, run: RunTables, neo4j: Neo4jServer
) -> None:
    publish(link, runs, run)
    neo4j.run("MATCH (f:kindred_File {name: 'reach.parquet'}) DETACH DELETE f")
    with pytest.raises(StoreDamaged, match=r"the table reach"):
        runs.read("reach")
    neo4j.run("MATCH (r:kindred_Result) SET r.info = replace(r.info, $now, 'older')",
              now=schema_hash())  # fmt: skip
    assert runs.info().stale
    assert runs.read("reach").equals(RESULTS["reach"].schema.empty_table())


def test_undeclared_tables_are_refused(
    link: Link, runs: Runs, run: RunTables, neo4j: Neo4jServer
) -> None:
    with pytest.raises(UsageError, match="guesses is not declared"):
        publish(link, runs, replace(run, tables={"guesses": pa.table({"a": [1]})}))
    assert runs.list() == []
    assert kept(neo4j) == dict.fromkeys(ONE_RUN, 0)


def test_copies_go_when_others_are_asked_for_and_when_the_store_is_closed(
    link: Link, runs: Runs, run: RunTables
) -> None:
    publish(link, runs, run)
    few = cache.FileCache(link, most=2)
    stored = [*files.kept(link, f"run:{runs.info().run_id}").values()][:3]
    first = few.path(stored[0])
    written = first.stat().st_mtime_ns
    assert hashlib.sha256(first.read_bytes()).hexdigest() == stored[0].sha256
    assert duckdb.sql("SELECT * FROM read_parquet($p)", params={"p": str(first)}) is not None
    few.path(stored[1])
    assert few.path(stored[0]).stat().st_mtime_ns == written
    few.path(stored[2])
    assert sorted(p.name for p in first.parent.iterdir()) == sorted(
        [stored[0].sha256, stored[2].sha256]
    )
    few.close()
    assert not first.parent.exists()


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PIECE", 10)
    monkeypatch.setattr(files, "AT_ONCE", 3)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("size", [0, 1, 10, 11, 95])
def test_a_file_comes_back_as_it_was_and_goes_whole(
    link: Link, neo4j: Neo4jServer, tmp_path: Path, size: int
) -> None:
    given, back = tmp_path / "a.bin", tmp_path / "b.bin"
    given.write_bytes(bytes(range(size)))
    with writer_lock(link, "to test", wait=False) as held:
        files.put(held, "load:7", given, load=7)
        assert files.put(held, "load:7", given, load=7) == files.kept(link, "load:7")["a.bin"]
        marks = neo4j.run(
            "MATCH (n) WHERE n:kindred_File OR n:kindred_Chunk RETURN n.kindred_load AS n"
        )
        assert [m["n"] for m in marks] == [7] * (1 + -(-size // 10))
        files.get(link, files.kept(link, "load:7")["a.bin"], back)
        assert back.read_bytes() == given.read_bytes()
        files.drop(held, "load:7")
    assert files.kept(link, "load:7") == {}
    assert kept(neo4j)["kindred_Chunk"] == 0


@pytest.mark.usefixtures("small_pieces")
def test_a_file_without_all_its_pieces_is_none_and_a_changed_one_is_refused(
    link: Link, neo4j: Neo4jServer, tmp_path: Path
) -> None:
    given, back = tmp_path / "a.bin", tmp_path / "b.bin"
    given.write_bytes(b"0123456789" * 4)
    with writer_lock(link, "to test", wait=False) as held:
        file = files.put(held, "load:7", given, load=7)
        neo4j.run("MATCH (c:kindred_Chunk {number: 2}) SET c.bytes = $b", b=b"?" * 10)
        with pytest.raises(StoreDamaged, match="it is not what was kept"):
            files.get(link, file, back)
        neo4j.run("MATCH (c:kindred_Chunk {number: 2}) DELETE c")
        with pytest.raises(StoreDamaged, match="it is not what was kept"):
            files.get(link, file, back)
        assert not [*tmp_path.glob("b.bin*")]
        # Pieces without a file are what an interrupted writer leaves.
        neo4j.run("MATCH (f:kindred_File) DELETE f")
        assert (files.strays(link), files.sweep(held), files.strays(link)) == (True, 3, False)


def test_a_table_that_is_gone_is_said_to_be(
    link: Link, runs: Runs, run: RunTables, neo4j: Neo4jServer
) -> None:
    publish(link, runs, run)
    neo4j.run("MATCH (f:kindred_File {name: 'scores.parquet'}) DELETE f")
    with pytest.raises(StoreDamaged, match="the table scores of the run r-"):
        runs.read("scores")
    with writing(link, runs):
        pass
    assert publish(link, runs, run).active
    assert runs.read("scores").num_rows == 7
