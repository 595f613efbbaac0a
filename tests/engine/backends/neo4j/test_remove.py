"""Removing: results or everything, and a stranger's database as it was before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.backends.neo4j import remove
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.lock import writer_lock
from engine.errors import NotFound, ServerAway
from tests.engine.backends.neo4j.published import Fragile, everything
from tests.engine.backends.worlds import load, random_batch, small_run
from tests.servers.fixtures import OpenStore
from tests.servers.server import Neo4jServer

STRANGER = """
CREATE (a:Person {name: 'ann'})-[:KNOWS {since: 1}]->(b:Person {name: 'bob'}),
       (b)-[:FOLLOWS {theirs: true}]->(a),
       (:Odd:Thing {at: datetime('2020-01-01'), kindred: 'no'})-[:MEMBER_OF]->(b)
"""
RULES = (
    "CREATE CONSTRAINT theirs FOR (p:Person) REQUIRE p.name IS UNIQUE",
    "CREATE CONSTRAINT same_as_kindred FOR (b:Brand) REQUIRE b.brand_id IS UNIQUE",
    "CREATE INDEX their_index FOR (t:Thing) ON (t.at)",
    "CREATE INDEX their_types FOR ()-[f:FOLLOWS]-() ON (f.theirs)",
)


@pytest.fixture
def stranger(neo4j_empty: Neo4jServer) -> Neo4jServer:
    """A database in use by somebody else."""
    neo4j_empty.run(STRANGER)
    for rule in RULES:
        neo4j_empty.run(rule)
    return neo4j_empty


def counted(server: Neo4jServer) -> dict[str, int]:
    """Nodes by label, relationships by type: of what is kindred's."""
    nodes = server.run(
        "MATCH (n) WHERE NOT n:Person AND NOT n:Thing UNWIND labels(n) AS l"
        " RETURN l AS name, count(*) AS n"
    )
    edges = server.run(
        "MATCH ()-[r]->() WHERE r.kindred_load IS NOT NULL RETURN type(r) AS name, count(*) AS n"
    )
    return {row["name"]: row["n"] for row in (*nodes, *edges)}


def test_everything_that_is_kindred_s_goes_and_nothing_else(
    stranger: Neo4jServer, neo4j_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remove, "AT_ONCE", 25)
    before = everything(stranger)
    store = neo4j_store()
    for seed in range(3):
        load(store, random_batch(seed))
    store.publish(small_run(store))
    store.publish(small_run(store, seed=2, community="c9"))
    stood = counted(stranger)
    gone = store.remove("all")
    assert everything(stranger) == before
    assert (gone["runs"], gone["batches"], gone["users"]) == (2, 3, 0)
    model = sum(n for name, n in stood.items() if name in ("User", "Brand", "Content", "Topic"))
    assert gone["nodes"] == model + stood["Community"] + stood["Run"]
    # A store can be made there again, and everything loaded.
    again = neo4j_store()
    assert not load(again, random_batch(0)).already_loaded


def test_results_go_and_what_was_loaded_stays(
    stranger: Neo4jServer, neo4j_store: OpenStore
) -> None:
    store = neo4j_store()
    load(store, random_batch(4))
    fingerprint = store.snapshot().fingerprint
    loaded = counted(stranger)
    before = everything(stranger)
    store.publish(small_run(store))
    store.publish(small_run(store, seed=2, community="c9"))
    gone = store.remove("results")
    assert everything(stranger) == before
    assert counted(stranger) == loaded
    assert gone["runs"] == 2
    assert store.runs() == []
    with pytest.raises(NotFound, match="kindred analyse"):
        store.read("scores")
    assert store.snapshot().fingerprint == fingerprint
    assert store.remove("results") == dict.fromkeys(gone, 0)
    assert store.publish(small_run(store)).active


@pytest.fixture
def link(stranger: Neo4jServer) -> Iterator[Link]:
    opened = Link(stranger.address, stranger.settings())
    yield opened
    opened.close()


@pytest.mark.gates
def test_a_removal_that_is_cut_leaves_a_store_without_loads_and_can_be_finished(
    stranger: Neo4jServer, neo4j_store: OpenStore, link: Link
) -> None:
    before = everything(stranger)
    for left in (1, 6):
        store = neo4j_store()
        load(store, random_batch(1))
        with (
            pytest.raises(ServerAway, match="cut by a test"),
            writer_lock(link, "to test", wait=False) as held,
        ):
            remove.remove_graph(Fragile(held, left), lambda *_: None)
        assert store.batches() == []
        store.remove("all")
        assert everything(stranger) == before


def test_relationships_of_others_to_what_is_kindred_s_go_with_it(
    stranger: Neo4jServer, neo4j_store: OpenStore
) -> None:
    """The one thing that cannot be left: a relationship has two ends."""
    store = neo4j_store()
    load(store, random_batch(2))
    before: Any = stranger.run("MATCH (p:Person) RETURN properties(p) AS p ORDER BY p.name")
    stranger.run("MATCH (p:Person {name: 'ann'}), (u:User) WITH p, u LIMIT 1 CREATE (p)-[:IS]->(u)")
    store.remove("all")
    assert stranger.run("MATCH (p:Person) RETURN properties(p) AS p ORDER BY p.name") == before
    assert stranger.run("MATCH ()-[r:IS]->() RETURN count(r) AS n") == [{"n": 0}]
