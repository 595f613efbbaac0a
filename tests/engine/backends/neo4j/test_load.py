"""Loading into Neo4j: the graph an embedded store makes of the same exports, in any order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from neo4j.exceptions import Neo4jError

import cypher
from engine.assemble import assemble
from engine.backends.embedded.store import EmbeddedStore
from engine.backends.neo4j import graph as writing
from engine.backends.neo4j.graph import WRITES
from engine.backends.neo4j.migrations import FORMAT
from engine.backends.neo4j.settle import packed
from engine.backends.neo4j.store import Neo4jStore
from engine.contract import Batch, LoadReport
from engine.errors import InputError, UsageError, WrongColumns
from engine.model import EDGES, NODES
from tests.engine.backends.worlds import (
    START,
    World,
    graph,
    joined,
    load,
    plain,
    random_batch,
    world,
)
from tests.servers.fixtures import NewVictim, OpenStore
from tests.servers.server import Neo4jServer


def embedded(
    path: Path, batches: Sequence[World]
) -> tuple[list[LoadReport], dict[str, list[list[Any]]], dict[str, object]]:
    """Reports, graph and snapshot of an embedded store: what a server has to come to as well."""
    with EmbeddedStore.open(path) as store:
        reports = [load(store, batch, f"batch {i}") for i, batch in enumerate(batches)]
        return reports, graph(store), plain(store.snapshot())


def same(store: Neo4jStore, seen: dict[str, list[list[Any]]], snapshot: dict[str, object]) -> None:
    """Check that a server holds this graph and no other."""
    assert graph(store) == seen
    assert plain(store.snapshot()) == snapshot
    assert store.manifest().settled


@pytest.mark.parametrize("order", [(0, 1, 2), pytest.param((2, 1, 0), marks=pytest.mark.gates)])
def test_a_server_holds_what_an_embedded_store_holds(
    tmp_path: Path, neo4j_store: OpenStore, order: tuple[int, ...]
) -> None:
    batches = [random_batch(12 + i) for i in order]
    reports, seen, snapshot = embedded(tmp_path / "store", batches)
    with neo4j_store() as store:
        assert [load(store, b, f"batch {i}") for i, b in enumerate(batches)] == reports
        same(store, seen, snapshot)
        assert store.batches() == reports


def test_an_overlapping_batch_changes_nothing_and_counts_nothing(
    neo4j_store: OpenStore, neo4j: Neo4jServer
) -> None:
    first, second = random_batch(3), random_batch(4)
    with neo4j_store() as store:
        load(store, first)
        load(store, second)
        whole, snapshot = graph(store), plain(store.snapshot())
        ids = _element_ids(neo4j)
        again = load(store, joined([second, first]))
        assert set(again.new_rows.values()) == {0}
        same(store, whole, snapshot)
        assert _element_ids(neo4j) == ids
        known = load(store, first)
        assert known.already_loaded
        assert known.rows == {name: rows.num_rows for name, rows in first.items()}
        assert len(store.batches()) == 3


def _element_ids(neo4j: Neo4jServer) -> list[dict[str, Any]]:
    return neo4j.run(
        "MATCH (n) WHERE n.kindred_load > 0 AND NOT n:kindred_Batch OPTIONAL MATCH (n)-[r]->()"
        " RETURN elementId(n) AS n, properties(n) AS p, elementId(r) AS r, properties(r) AS q"
        " ORDER BY n, r"
    )


MENTION = world(mentions=[{"user_id": "x:1", "target_id": "x:@ann", "at": START}])
SHARE = world(
    shares=[
        {"user_id": "x:@ann", "content_id": "x:p", "at": START, "via_user_id": "x:@ann"},
        {"user_id": "x:7", "content_id": "x:p", "at": START, "via_user_id": "x:5"},
        {"user_id": "x:7", "content_id": "x:p", "at": START, "via_user_id": "x:9"},
    ],
    content=[{"content_id": "x:p", "author_id": "x:@ann"}],
)
CLAIM = world(users=[{"user_id": "x:7", "handle": "Ann", "seen_at": START}])
RIVAL = world(users=[{"user_id": "x:8", "handle": "ann"}])
RENAMED = world(users=[{"user_id": "x:7", "handle": "bea", "seen_at": START + timedelta(days=1)}])


@pytest.mark.parametrize(
    "order",
    [
        (MENTION, SHARE, CLAIM, RIVAL, RENAMED),
        pytest.param((RENAMED, CLAIM, SHARE, MENTION, RIVAL), marks=pytest.mark.gates),
        pytest.param((CLAIM, RIVAL, SHARE, RENAMED, MENTION), marks=pytest.mark.gates),
    ],
)
def test_a_handle_is_resolved_and_given_back_as_claims_come_in(
    neo4j_store: OpenStore, order: tuple[World, ...]
) -> None:
    with neo4j_store() as store:
        for loaded, batch in enumerate(order, 1):
            load(store, batch, str(loaded))
            assert plain(store.snapshot()) == plain(assemble(joined(order[:loaded])))


def test_a_resolved_handle_is_no_user_and_its_edges_are_one(neo4j_store: OpenStore) -> None:
    with neo4j_store() as store:
        for batch in (MENTION, SHARE, CLAIM):
            load(store, batch)
        seen = graph(store)
        notes = load(store, RIVAL).notes
    assert [row[0] for row in seen["User"]] == ["x:1", "x:5", "x:7", "x:9"]
    assert seen["MENTIONED User User"] == [["x:1", "x:7", START, None]]
    assert seen["SHARED User Content"] == [["x:7", "x:p", START, "share", "x:9"]]
    assert seen["POSTED User Content"] == [["x:7", "x:p", None]]
    assert notes == ("1 handles stay users of their own: several accounts claim each of them",)


@pytest.mark.gates
def test_an_alias_that_comes_late_turns_mentions_to_the_brand(neo4j_store: OpenStore) -> None:
    targets = ("brand:b", "Bee", "x:2", "x:@bee")
    named = world(
        mentions=[
            {"user_id": user, "target_id": target, "at": START}
            for user in ("x:1", "x:@bee")
            for target in targets
        ]
    )
    alias = world(
        brand_members=[
            {"brand_id": "brand:b", "kind": "alias", "value": "Bee"},
            {"brand_id": "brand:b", "kind": "account", "value": "x:@bee"},
            {"brand_id": "brand:b", "kind": "domain", "value": "bee.org"},
        ]
    )
    declared = world(brands=[{"brand_id": "brand:b", "name": "B"}])
    rival = world(
        brands=[{"brand_id": "brand:a", "name": "A"}],
        brand_members=[{"brand_id": "brand:a", "kind": "alias", "value": "Bee"}],
    )
    claim = world(users=[{"user_id": "x:2", "handle": "Bee"}])
    batches = (named, alias, declared, rival, claim)
    with neo4j_store() as store:
        for loaded, batch in enumerate(batches, 1):
            load(store, batch, str(loaded))
            assert plain(store.snapshot()) == plain(assemble(joined(batches[:loaded])))
        seen = graph(store)
    assert seen["MENTIONED User Brand"] == [
        [user, brand, START, None] for user in ("x:1", "x:2") for brand in ("brand:a", "brand:b")
    ]
    assert seen["MENTIONED User User"] == [[user, "x:2", START, None] for user in ("x:1", "x:2")]
    assert seen["BELONGS_TO User Brand"] == [["x:2", "brand:b"]]
    assert [row[0] for row in seen["User"]] == ["x:1", "x:2"]


OLD = datetime(1969, 5, 4, 3, 2, 1, 7, tzinfo=UTC)
"""Before 1970, and not a whole second."""


@pytest.mark.parametrize("order", [list, pytest.param(reversed, marks=pytest.mark.gates)])
def test_of_each_column_what_was_seen_last_stands(
    neo4j_store: OpenStore, tmp_path: Path, order: Callable[[list[World]], Iterable[World]]
) -> None:
    def told(hours: int | None, **columns: Any) -> World:
        at = None if hours is None else START + timedelta(hours=hours)
        return world(users=[{"user_id": "x:1", "seen_at": at, **columns}])

    batches = [
        world(follows=[{"follower_id": "x:1", "followee_id": "x:2"}]),
        told(3, name="C", followers_count=3),
        told(1, name="A", labels=["a"], is_bot=True, created_at=OLD),
        told(None, name="Z", platform="y", handle="Old", labels=[]),
        told(3, name="D", labels=[]),
        told(2, platform="x", posts_count=2, labels=["b", "c"]),
    ]
    _, seen, snapshot = embedded(tmp_path / "store", batches)
    with neo4j_store() as store:
        for i, batch in enumerate(order(batches)):
            load(store, batch, f"batch {i}")
        same(store, seen, snapshot)
    assert seen["User"][0][:4] == ["x:1", "x", "Old", "D"]


HOSTILE = (
    "back`tick", "single ' and double \" quotes", "{curly} $dollar // -- ;", "nul \0 inside",
    "emoji \U0001f98a and \u202eleft", "line\nbreak", "\\u0041 \\", "]:@[",
)  # fmt: skip


def test_hostile_strings_come_back_as_they_were(neo4j_store: OpenStore) -> None:
    long = "long \U0001f98a " * 100_000
    tables = world(
        users=[{"user_id": f"x:{s}", "handle": s, "name": s, "labels": [s]} for s in HOSTILE],
        content=[
            {"content_id": f"x:{s}", "text": s + long, "author_id": f"x:{s}"} for s in HOSTILE
        ],
        shares=[
            {"user_id": f"x:@{s}", "content_id": f"x:{s}", "kind": s, "via_user_id": f"x:@{s}"}
            for s in HOSTILE
        ],
    )
    ids = [f"x:{s}" for s in HOSTILE]
    with neo4j_store() as store:
        load(store, tables)
        users, contents = store.users(ids), store.contents(ids)
        assert plain(store.snapshot()) == plain(assemble(tables))
        # All of it moves once more: every handle is claimed by a second user.
        load(store, world(users=[{"user_id": f"x:2{s}", "handle": s} for s in HOSTILE]))
        resolved = store.query("MATCH (u:User)-[:SHARED]->() RETURN u.user_id AS id ORDER BY id")
    assert users["name"].to_pylist() == list(HOSTILE)
    assert users["labels"].to_pylist() == [[s] for s in HOSTILE]
    assert contents["text"].to_pylist() == [s + long for s in HOSTILE]
    assert resolved["id"].to_pylist() == sorted(f"x:@{s}" for s in HOSTILE)


def crowd(size: int) -> World:
    """Everyone follows everyone near, and one who is loud."""
    return world(
        follows=[
            {"follower_id": f"x:{i}", "followee_id": f"x:{j}"}
            for i in range(size)
            for j in (0, (i + 1) % size, (i * 7) % size)
        ],
        shares=[
            {"user_id": f"x:{i}", "content_id": f"x:p{i % 3}", "at": START} for i in range(size)
        ],
    )


def test_two_writers_side_by_side_and_a_stranger_in_the_way(
    neo4j_store: OpenStore, neo4j: Neo4jServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ROWS", 60)
    server, tables, ended, met = neo4j, crowd(400), threading.Event(), [0]

    def get_in_the_way() -> None:
        """Lock nodes in an order that no writer of kindred has, and let go of them again."""
        lock = "MATCH (u:User {user_id: $id}) SET u.stranger = true"
        while not ended.is_set():
            with (
                suppress(Neo4jError),  # of two that wait for each other, one is told so
                server.driver.session() as session,
                session.begin_transaction() as transaction,
            ):
                for i in (0, 399, 7, 200, 3):
                    transaction.run(lock, id=f"x:{i}").consume()
                met[0] += 1

    with neo4j_store() as store:
        load(store, world(users=[{"user_id": f"x:{i}"} for i in range(400)]))
        stranger = threading.Thread(target=get_in_the_way)
        stranger.start()
        try:
            load(store, tables)
        finally:
            ended.set()
            stranger.join()
        assert met[0] > 0
        assert plain(store.snapshot()) == plain(assemble(tables))


def test_a_load_that_fails_leaves_nothing_and_can_be_repeated(
    neo4j_store: OpenStore,
    neo4j: Neo4jServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    first, second = random_batch(5), random_batch(6)
    with neo4j_store() as store:
        load(store, first)
        before, ids = graph(store), _element_ids(neo4j)
        with monkeypatch.context() as broken:
            broken.setattr(writing, "ROWS", 3)

            def stop(stage: str, done: float = 0, total: float | None = None) -> None:
                if stage.startswith("loading") and done:
                    raise KeyboardInterrupt

            with store.stage() as folder:
                for name, rows in second.items():
                    pq.write_table(rows, folder / f"{name}.parquet")
                with pytest.raises(KeyboardInterrupt):
                    store.write(Batch("f", "second", "test", folder), stop)
        assert (graph(store), _element_ids(neo4j)) == (before, ids)
        assert [b.state for b in store.manifest().batches] == ["done"]
        load(store, second)
        _, seen, snapshot = embedded(tmp_path / "store", [first, second])
        same(store, seen, snapshot)


@pytest.mark.parametrize(
    ("tables", "error"),
    [
        ({"users": pa.table({"name": ["A"]})}, WrongColumns),
        ({"people": pa.table({"user_id": ["x:1"]})}, UsageError),
        ({"users": pa.table({"user_id": pa.array([None], pa.string())})}, InputError),
        ({"users": pa.table({"user_id": ["x:" + "ä" * 4_001]})}, InputError),
        ({"users": pa.table({"user_id": ["x:1"], "handle": ["a" * 8_000]})}, InputError),
        ({"brands": pa.table({"brand_id": ["b" * 8_001], "name": ["B"]})}, InputError),
    ],
)
def test_what_is_no_batch_is_refused(
    neo4j_store: OpenStore, neo4j: Neo4jServer, tables: World, error: type[Exception]
) -> None:
    with neo4j_store() as store:
        with pytest.raises(error):
            load(store, tables)
        assert store.manifest().batches == ()
    assert neo4j.run("MATCH (n) WHERE n.kindred_load > 0 RETURN count(n) AS n") == [{"n": 0}]


def test_refused_rows_are_kept_and_impressions_of_communities_counted(
    neo4j_store: OpenStore, neo4j: Neo4jServer, tmp_path: Path
) -> None:
    refused = pa.table(
        {"table": ["users", "shares"], "line": [7, 3], "reason": ["no id", "no id"],
         "sentence": ["A row has no id.", "A row has no id."], "raw": ["a;b", "\0"]}
    )  # fmt: skip
    shown = world(
        impressions=[
            {"content_id": "x:p", "community": c, "user_id": u, "count": n}
            for c, u, n in (("red", None, 3), ("red", None, 5), (None, "x:1", 2), ("b", "x:1", 4))
        ]
    )
    reports, read = [], []
    with EmbeddedStore.open(tmp_path / "store") as kept, neo4j_store() as store:
        for each in (kept, store):
            reports.append([load(each, {**shown, "rejects": refused}), load(each, shown, "again")])
            read.append(each.rejects())
        assert graph(store) == graph(kept)
    assert reports[0] == reports[1]
    assert read[0] == read[1]
    exposures = (
        "MATCH (e:kindred_Exposure) RETURN e.content_id AS c, e.community AS m, e.count AS n"
    )
    assert neo4j.run(exposures) == [{"c": "x:p", "m": "red", "n": 5}]


def test_statements_name_every_property_of_the_model() -> None:
    for name, node in NODES.items():
        if node.source is None:
            continue
        made = "make_content" if name == "Content" else f"make_{name.lower()}s"
        assert {p for p, _ in node.properties} <= set(cypher.statement(made, "neo4j").parameters)
    properties = {p for e in EDGES.values() if e.source is not None for p, _ in e.properties}
    assert properties <= set(cypher.statement("make_edges", "neo4j").parameters)


JUDGED = ("stance", "emotion", "is_promotion")


def test_a_store_of_format_1_is_brought_forward(neo4j_store: OpenStore, neo4j: Neo4jServer) -> None:
    """Also where a load, kept by that version, waits to be applied."""
    early = {"content_id": "x:p", "text": "early", "lang": "de", "seen_at": START}
    late = {"content_id": "x:p", "text": "late", "seen_at": START + timedelta(days=1)}
    with neo4j_store() as store:
        load(store, world(content=[early]))
        load(store, world(content=[late]))
    left = "".join(f" REMOVE n.{name}" for name in JUDGED)
    seen = neo4j.run(f"MATCH (n:Content) SET n.kindred_seen = n.kindred_seen[..14]{left}"
                     " RETURN n.kindred_seen AS seen")  # fmt: skip
    rows = pa.Table.from_pylist(
        [{"content_id": "x:p", "text": "kept", "lang": "de", "seen": seen[0]["seen"], "told": 1}]
    )
    columns = [c for c in WRITES["set_content"].columns if c not in {*JUDGED, "created_at"}]
    nulls = {c: pa.nulls(1) for c in (*columns, "created_at", "created_at_rest")}
    note = {**nulls, **{c: rows[c] for c in rows.column_names}}
    neo4j.run(
        "CREATE (:kindred_Change {kindred_load: 2, number: 0, kind: 'set_content', rows: $rows})"
        " WITH 1 AS _ MATCH (s:kindred_Store) SET s.format = 1, s.settled = false",
        rows=packed(pa.table(note)),
    )
    with neo4j_store() as store:
        assert store.manifest().format == FORMAT
        (found,) = neo4j.run("MATCH (n:Content) RETURN n.text AS text, size(n.kindred_seen) AS n")
        assert found == {"text": "late", "n": 17}
        assert store.contents(["x:p"])["text"].to_pylist() == ["late"]
        store.snapshot()
        assert store.contents(["x:p"])["text"].to_pylist() == ["kept"]
        judged = {"content_id": "x:p", "stance": 0.5, "text": "between", "seen_at": START}
        load(store, world(content=[judged]))
        assert store.contents(["x:p"])["text"].to_pylist() == ["kept"]
        assert store.snapshot().contents.stance.tolist() == [0.5]


@pytest.mark.gates
def test_a_small_server_is_given_smaller_pieces(neo4j_victims: NewVictim) -> None:
    small = neo4j_victims(gds=False, settings={"db.memory.transaction.max": "16m"})
    follows = [
        {"follower_id": f"x:{i % 150}", "followee_id": f"x:{200 + i // 150}"} for i in range(9_000)
    ]
    with Neo4jStore.open(small.address, small.server.settings()) as store:
        load(store, world(follows=follows))
        assert len(store.snapshot().follows.follower) == 9_000
