"""What a load changes of what was there: applied once, by whoever comes next if need be."""

from __future__ import annotations

from typing import Any

import pytest

from engine.assemble import assemble
from engine.backends.neo4j import graph as writing
from engine.backends.neo4j import log, settle
from engine.errors import ServerAway
from tests.engine.backends.worlds import START, graph, joined, load, plain, random_batch, world
from tests.servers.fixtures import OpenStore
from tests.servers.server import Neo4jServer

BATCHES = [random_batch(12), random_batch(13), random_batch(14)]


def away(*_: Any, **__: Any) -> None:
    """Be a server that went away."""
    raise ServerAway("to write", "nobody answers", "start the server")


@pytest.mark.parametrize("after", [0, 1])
def test_a_load_that_is_done_is_finished_by_the_next_writer(
    neo4j_store: OpenStore, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    with neo4j_store() as store:
        load(store, BATCHES[0], "0")
        with monkeypatch.context() as broken:
            if after:
                _break_after(broken, after)
            else:
                broken.setattr(settle, "finish", away)
            with pytest.raises(ServerAway):
                load(store, BATCHES[1], "1")
        assert not store.manifest().settled
        assert len(store.batches()) == 2
        load(store, BATCHES[2], "2")
        assert plain(store.snapshot()) == plain(assemble(joined(BATCHES)))


def _break_after(broken: pytest.MonkeyPatch, transactions: int) -> None:
    """Let this many transactions of changes through, each with one change."""
    apply, left = settle._apply, [transactions]

    def apply_some(*given: Any, **named: Any) -> None:
        if not left[0]:
            away()
        left[0] -= 1
        apply(*given, **named)

    broken.setattr(settle, "_apply", apply_some)
    broken.setattr(writing, "ROWS", 1)


def test_a_load_that_was_left_open_is_swept_by_the_next_writer(
    neo4j_store: OpenStore, neo4j: Neo4jServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with neo4j_store() as store:
        load(store, BATCHES[0], "0")
        before = graph(store)
        with monkeypatch.context() as broken:
            broken.setattr(log, "end_load", away)
            with pytest.raises(ServerAway):
                load(store, BATCHES[1], "1")
        assert [b.state for b in store.manifest().batches] == ["done", "open"]
        assert plain(store.snapshot()) == plain(assemble(BATCHES[0]))
        load(store, world(users=[{"user_id": "x:1"}]), "little")
        assert plain(store.snapshot()) == plain(
            assemble(joined([BATCHES[0], world(users=[{"user_id": "x:1"}])]))
        )
        swept = neo4j.run("MATCH (n) WHERE n.kindred_load = 2 RETURN count(n) AS n")
        assert swept == [{"n": 0}]
        assert [b.number for b in store.manifest().batches] == [1, 3]
        assert {k: v for k, v in before.items() if k != "User"} == {
            k: v for k, v in graph(store).items() if k != "User"
        }


def test_doctor_puts_right_what_somebody_has_bent(
    neo4j_store: OpenStore, neo4j: Neo4jServer
) -> None:
    tables = joined(
        [
            world(
                mentions=[
                    {"user_id": "x:1", "target_id": t, "at": START} for t in ("x:@ann", "Bee")
                ],
                shares=[{"user_id": "x:@ann", "content_id": "x:p", "via_user_id": "x:@ann"}],
                brands=[{"brand_id": "brand:b", "name": "B"}],
                brand_members=[
                    {"brand_id": "brand:b", "kind": "alias", "value": "Bee"},
                    {"brand_id": "brand:b", "kind": "account", "value": "x:@ann"},
                ],
                users=[{"user_id": "x:7", "handle": "Ann"}],
            ),
            *BATCHES,
        ]
    )
    with neo4j_store() as store:
        load(store, tables)
        whole, everything = graph(store), _everything(neo4j)
        settle_again(store)
        assert _everything(neo4j) == everything
        neo4j.run("MATCH (h:kindred_Handle {user_id: 'x:@ann'}) SET h:User REMOVE h.kindred_to")
        neo4j.run("MATCH ()-[r:BELONGS_TO]->() DELETE r")
        neo4j.run("MATCH (:User)-[r:MENTIONED]->(:Brand) SET r.content_id = 'x:other'")
        assert graph(store) != whole
        settle_again(store)
        assert graph(store)["BELONGS_TO User Brand"] == whole["BELONGS_TO User Brand"]
        assert graph(store)["User"] == whole["User"]
        assert store.manifest().settled


def settle_again(store: Any) -> None:
    """Do what `kindred doctor --rebuild` does."""
    assert [f for f in store.doctor(rebuild=True) if not f.ok] == []


def _everything(neo4j: Neo4jServer) -> list[dict[str, Any]]:
    return neo4j.run(
        "MATCH (n) WHERE NOT n:kindred_Lock AND NOT n:kindred_Worker AND NOT n:kindred_Store"
        " OPTIONAL MATCH (n)-[r]->() RETURN elementId(n) AS n, labels(n) AS l, properties(n) AS p,"
        " elementId(r) AS r, properties(r) AS q ORDER BY n, r"
    )


def test_a_sweep_leaves_a_stranger_alone(
    neo4j_store: OpenStore, neo4j: Neo4jServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    neo4j.run("CREATE (:Person {name: 'Ann', kindred: true})-[:KNOWS {since: 1}]->(:Person)")
    stranger = "MATCH (p:Person) OPTIONAL MATCH (p)-[k]->() RETURN p, labels(p) AS l, k ORDER BY k"
    with neo4j_store() as store:
        before = neo4j.run(stranger)
        monkeypatch.setattr(writing, "ROWS", 3)
        with monkeypatch.context() as broken:
            broken.setattr(log, "end_load", away)
            with pytest.raises(ServerAway):
                load(store, BATCHES[0])
        load(store, BATCHES[1])
        assert neo4j.run(stranger) == before
