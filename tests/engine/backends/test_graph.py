"""The traps of the graph engine, each closed; generations, leases, repair."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.backends.embedded import generations, graph_schema
from engine.backends.embedded import graph as graph_module
from engine.backends.embedded.claims import Claim, claimant, is_claimed
from engine.backends.embedded.graph import build, check_columns, opened, verify
from engine.backends.embedded.graph_files import GraphFile
from engine.backends.embedded.graph_rows import EDGE_ROWS, NODE_ROWS
from engine.backends.embedded.graph_schema import DERIVED, copy_columns
from engine.backends.embedded.reader import _open
from engine.backends.embedded.store import EmbeddedStore
from engine.errors import StoreDamaged
from engine.model import EDGES, NODES
from tests.engine.backends.worlds import START, graph, load, small_run, world

ROWS = world(follows=[{"follower_id": "x:a", "followee_id": "x:b"}])
MORE = world(follows=[{"follower_id": "x:c", "followee_id": "x:b"}])


def test_every_derived_table_is_derived_with_every_property() -> None:
    assert {e.table for e in EDGE_ROWS} | set(NODE_ROWS) == set(DERIVED)
    assert sorted((e.table, e.pair) for e in EDGE_ROWS) == sorted(
        (e.name, pair) for e in EDGES.values() if e.name in DERIVED for pair in e.pairs
    )
    for edge in EDGE_ROWS:
        assert tuple(p for p, _ in edge.properties) == tuple(
            name for name, _ in EDGES[edge.table].properties
        )


def test_an_edge_goes_from_its_start_to_its_end(tmp_path: Path) -> None:
    one = world(
        content=[{"content_id": "x:p", "author_id": "x:a", "created_at": START}],
        shares=[{"user_id": "x:b", "content_id": "x:p", "via_user_id": "x:a"}],
        interactions=[{"user_id": "x:a", "target_id": "x:b", "kind": "like", "weight": 2.0}],
        follows=[{"follower_id": "x:b", "followee_id": "x:a", "at": START}],
        mentions=[{"user_id": "x:a", "target_id": "x:b", "content_id": "x:p"}],
        impressions=[{"content_id": "x:p", "user_id": "x:b", "count": 4}],
        reactions=[{"user_id": "x:a", "content_id": "x:p", "kind": "review", "score": 0.5}],
        replies=[{"user_id": "x:b", "parent_content_id": "x:p", "content_id": "x:q"}],
    )
    with EmbeddedStore.open(tmp_path) as store:
        load(store, one)
        seen = graph(store)
    assert seen["POSTED User Content"] == [["x:a", "x:p", START]]
    assert seen["SHARED User Content"] == [["x:b", "x:p", None, "share", "x:a"]]
    assert seen["INTERACTED User User"] == [["x:a", "x:b", None, "like", 2.0]]
    assert seen["FOLLOWS User User"] == [["x:b", "x:a", START]]
    assert seen["MENTIONED User User"] == [["x:a", "x:b", None, "x:p"]]
    assert seen["EXPOSED User Content"] == [["x:b", "x:p", 4]]
    assert seen["REACTED User Content"] == [["x:a", "x:p", None, "review", 0.5]]
    assert seen["REPLIED User Content"] == [["x:b", "x:p", None, "x:q"]]


def test_a_file_with_columns_in_another_order_is_not_copied(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    at = pa.nulls(1, pa.timestamp("us"))
    pq.write_table(pa.table({"to": ["b"], "from": ["a"], "at": at}), path)
    with pytest.raises(StoreDamaged, match="it has to, from, at"):
        check_columns(GraphFile("FOLLOWS", path, 1, ("User", "User")))
    # What the check is for: COPY itself takes them by position, and turns the edge round.
    file = tmp_path / "g.lbug"
    with opened(file, read_only=False) as connection:
        for table in (NODES["User"], EDGES["FOLLOWS"]):
            connection.execute(graph_schema.create_statement(table))
        connection.execute("CREATE (:User {user_id: 'a'}), (:User {user_id: 'b'})")
        connection.execute(
            graph_schema.copy_statement(EDGES["FOLLOWS"], str(path), ("User", "User"))
        )
        turned = graph_module.answer(
            connection, "MATCH (f:User)-[:FOLLOWS]->(t:User) RETURN f.user_id AS f, t.user_id AS t"
        )
    assert turned.to_pylist() == [{"f": "b", "t": "a"}]


def test_statements_copy_from_paths_only_and_every_open_gives_a_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ladybug

    said: list[str] = []
    pools: list[int] = []
    execute, init = ladybug.Connection.execute, ladybug.Database.__init__

    def hear(self: Any, query: str, parameters: Any = None) -> Any:
        said.append(query)
        return execute(self, query, parameters)

    def open_(self: Any, *given: Any, buffer_pool_size: int = 0, **more: Any) -> None:
        pools.append(buffer_pool_size)
        init(self, *given, buffer_pool_size=buffer_pool_size, **more)

    monkeypatch.setattr(ladybug.Connection, "execute", hear)
    monkeypatch.setattr(ladybug.Database, "__init__", open_)
    with EmbeddedStore.open(tmp_path) as store:
        load(store, ROWS)
        load(store, MORE)
        store.publish(small_run(store))
        graph(store)
    copies = [text for text in said if text.startswith("COPY")]
    assert len(copies) >= 7
    assert all(".parquet'" in text and "$" not in text for text in copies)
    assert pools
    assert min(pools) >= 512 * 2**20


def test_what_a_commit_lost_is_noticed_before_anybody_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk may have Ladybug call a commit durable that is gone when reopened."""

    def loses(file: Path, files: list[GraphFile], *_: object) -> None:
        build(file, files[:-1])

    with EmbeddedStore.open(tmp_path) as store:
        load(store, ROWS)
        before = graph(store)
        with monkeypatch.context() as patch:
            patch.setattr(generations, "build", loses)
            patch.setattr(generations, "is_usable", lambda *_: False)
            with pytest.raises(StoreDamaged, match="FOLLOWS: 0 rows, not 2"):
                load(store, MORE)
        assert graph(store) == before
        assert len(store.batches()) == 1


def test_a_growing_graph_that_fails_is_built_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("the graph is broken")

    with EmbeddedStore.open(tmp_path) as store:
        load(store, ROWS)
        monkeypatch.setattr(generations, "apply", fails)
        load(store, MORE)
        store.publish(small_run(store))
        assert [r[:2] for r in graph(store)["FOLLOWS User User"]] == [
            ["x:a", "x:b"],
            ["x:c", "x:b"],
        ]


def damage(file: Path, how: str) -> None:
    if how == "missing":
        shutil.rmtree(file.parent)
    elif how == "short":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    else:
        file.write_bytes(b"\0" * file.stat().st_size)


@pytest.mark.parametrize("how", ["missing", "short", "zeros"])
def test_a_damaged_graph_is_told_and_built_again(tmp_path: Path, how: str) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        load(store, ROWS)
        run = store.publish(small_run(store)).run_id
        whole = graph(store)
    generation = store.manifest().graph
    assert generation is not None
    damage(store.layout.graph_file(generation.generation), how)
    with EmbeddedStore.open(tmp_path, read_only=True) as reader:
        (told,) = [f for f in reader.doctor() if not f.ok]
        assert (told.what, told.todo) == ("graph", "run: kindred doctor --rebuild")
        with pytest.raises(StoreDamaged, match="doctor --rebuild"):
            reader.query("MATCH (u:User) RETURN u.user_id")
    with EmbeddedStore.open(tmp_path) as store:
        assert graph(store) == whole  # by itself
        assert [row[0] for row in graph(store)["Run"]] == [run]
        assert [f for f in store.doctor() if not f.ok] == []


def test_a_graph_of_another_engine_is_built_again(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        load(store, ROWS)
        manifest = store.manifest()
        assert manifest.graph is not None
        manifest.next(graph=replace(manifest.graph, engine="0.1")).save(store.layout.manifest)
        assert [f.found for f in store.doctor() if not f.ok] == [
            f"written by Ladybug 0.1, {graph_module.ladybug_version()} is installed"
        ]
        assert len(graph(store)["User"]) == 2
        rebuilt = store.manifest().graph
        assert rebuilt is not None
        assert rebuilt.engine == graph_module.ladybug_version()


def test_an_old_generation_goes_when_its_last_lease_does(tmp_path: Path) -> None:
    def generations_there(store: EmbeddedStore) -> list[str]:
        return sorted(p.name for p in store.layout.graph.iterdir())

    with EmbeddedStore.open(tmp_path) as writer, EmbeddedStore.open(tmp_path) as reader:
        load(writer, ROWS)
        with reader._reader.graph() as held, held.connection() as connection:
            load(writer, MORE)
            assert generations_there(writer) == ["g000001", "g000002"]
            # The generation held still answers; whoever asks anew sees the next one.
            answer = graph_module.answer(connection, "MATCH (u:User) RETURN count(u) AS n")
            assert answer["n"].to_pylist() == [2]
            assert len(graph(writer)["User"]) == 3
            in_use = [f for f in writer.doctor() if f.what == "in use"]
            assert len(in_use) == 1
            assert "graph/g000001 (process" in in_use[0].found
        assert len(graph(reader)["User"]) == 3
        load(writer, world(follows=[{"follower_id": "x:d", "followee_id": "x:b"}]))
        assert generations_there(writer) == ["g000002", "g000003"]
    assert not [file for file in _open if file.is_relative_to(tmp_path)]
    with EmbeddedStore.open(tmp_path) as store:
        [*store.doctor(rebuild=True)]
        assert generations_there(store) == ["g000004"]


def test_a_dead_process_leases_nothing(tmp_path: Path) -> None:
    left = tmp_path / "99-0.claim"
    left.write_text("")
    mine = Claim.make(tmp_path)
    assert (is_claimed(left), is_claimed(mine.path), claimant(left)) == (False, True, "99")
    mine.release()
    assert (is_claimed(mine.path), mine.path.exists()) == (False, False)


def test_verify_names_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "g.lbug"
    build(file, [])
    verify(file, {"User": 0})
    with pytest.raises(StoreDamaged, match="User: 0 rows, not 3"):
        verify(file, {"User": 3, "Topic": 0})


def test_copy_columns_follow_the_model() -> None:
    assert copy_columns(NODES["Topic"]) == ("topic_id", "kind", "label")
    assert copy_columns(EDGES["SHARED"]) == ("from", "to", "at", "kind", "via_user_id")
