"""A snapshot streamed from a server is the one that the same rows make in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from engine.assemble import assemble
from engine.backends.neo4j import stream
from engine.backends.neo4j.project import project
from engine.backends.neo4j.store import Neo4jStore
from engine.errors import StoreLocked, StoreMissing
from engine.snapshot import NO_TIME
from tests.engine.backends.worlds import START, joined, load, plain, random_batch, world
from tests.servers.fixtures import OpenStore
from tests.servers.server import Neo4jServer

OLD = datetime(1901, 2, 3, 4, 5, 6, 789_012, UTC)
HUB = world(
    users=[{"user_id": f"x:{i:02}", "labels": []} for i in range(11)],
    follows=[{"follower_id": "x:00", "followee_id": f"x:{i:02}"} for i in range(10)],
    interactions=[
        {"user_id": "x:00", "target_id": "x:01", "kind": kind, "at": at, "weight": weight}
        for kind, at, weight in (
            ("like", OLD, 2.5),
            ("like", None, 1.0),
            ("reply", START + timedelta(microseconds=1), None),
        )
    ],
    topics=[{"content_id": f"x:p{i % 3}", "kind": "hashtag", "label": f"ä:{i}"} for i in range(7)],
)


def streamed(store: Neo4jStore) -> dict[str, object]:
    return plain(project(store.link, store.manifest())[1])


def test_it_is_what_the_rows_make_in_memory(neo4j_store: OpenStore) -> None:
    store, rows = neo4j_store(), joined([random_batch(seed) for seed in range(10, 14)])
    assert streamed(store) == plain(assemble({}))
    load(store, rows)
    assert streamed(store) == plain(assemble(rows))


def test_a_store_that_was_removed_is_missing(
    neo4j_cleared: Neo4jServer, neo4j_store: OpenStore
) -> None:
    store = neo4j_store()
    seen = store.manifest()
    neo4j_cleared.run("MATCH (n) DETACH DELETE n")
    with pytest.raises(StoreMissing):
        project(store.link, seen)


@pytest.fixture(scope="module")
def hub(neo4j: Neo4jServer) -> Iterator[Neo4jStore]:
    """A store that holds `HUB`; what a test adds to it, it takes away again.

    It stays for the tests that follow here, none of which empties the database.
    """
    neo4j.clean()
    with Neo4jStore.open(neo4j.address, neo4j.settings(transactions=3)) as store:
        seen = store.manifest()
        load(store, HUB)
        revision, found = project(store.link, seen)
        assert plain(found) == plain(assemble(HUB)), "the load since `seen` goes unnoticed"
        assert revision == store.manifest().revision > seen.revision
        yield store


def test_times_are_exact_to_the_microsecond_before_1970_too(hub: Neo4jStore) -> None:
    since = [
        (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        for at in (OLD, START + timedelta(microseconds=1))
    ]
    assert sorted(hub.snapshot().interactions.at.tolist()) == [NO_TIME, *since]


def test_small_pages_and_records_hold_the_same(
    hub: Neo4jStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_PAGE", 3)
    monkeypatch.setattr(stream, "_ROWS", 2)
    assert streamed(hub) == plain(assemble(HUB))


STRAY = """
MATCH (done:kindred_Batch {state: 'done'}), (u:User {user_id: 'x:03'}),
      (p:Content {content_id: 'x:p1'})
CREATE (:kindred_Batch {number: 99, state: 'open', fingerprint: 'f', report: done.report,
                        revision: 0, stray: true}),
       (t:Topic {topic_id: 'stray', stray: true}), (n:User {user_id: 'x:new', kindred_load: 99}),
       (m:User {user_id: 'theirs', stray: true}), (w:Tweet {stray: true}),
       (u)-[:SHARED {kind: 'share', kindred_load: 99}]->(p), (u)-[:FOLLOWS {kindred_load: 99}]->(n),
       (u)-[:ABOUT]->(t), (u)-[:SHARED]->(w), (p)-[:ABOUT]->(w), (u)-[:BOUGHT]->(w),
       (u)-[:FOLLOWS]->(m)
SET n.stray = true
"""


def test_a_stranger_s_rows_and_those_of_an_open_load_are_left_out(
    neo4j: Neo4jServer, hub: Neo4jStore
) -> None:
    neo4j.run(STRAY)
    assert streamed(hub) == plain(assemble(HUB))
    neo4j.run("MATCH (n {stray: true}) DETACH DELETE n")
    neo4j.run("MATCH ()-[r {kindred_load: 99}]->() DELETE r")


@pytest.mark.parametrize(
    ("broken", "mended", "found"),
    [
        (
            "MATCH (s:kindred_Store) SET s.settled = false",
            "MATCH (s:kindred_Store) SET s.settled = true",
            "a load that is done is still being applied",
        ),
        (
            "MATCH (u:User {user_id: 'x:07'}) SET u.was = u.kindred_load, u.kindred_load = 99",
            "MATCH (u:User {user_id: 'x:07'}) SET u.kindred_load = u.was REMOVE u.was",
            "loads were done while it was read, 5 times",
        ),
    ],
)
def test_what_never_holds_together_is_told(
    neo4j: Neo4jServer, hub: Neo4jStore, broken: str, mended: str, found: str
) -> None:
    neo4j.run(broken)
    with (
        Neo4jStore.open(neo4j.address, neo4j.settings(patience=2), read_only=True) as reader,
        pytest.raises(StoreLocked) as told,
    ):
        reader.snapshot()
    neo4j.run(mended)
    assert told.value.wanted == "to read the graph for an analysis"
    assert told.value.found == found
    assert streamed(hub) == plain(assemble(HUB))
