"""Publishing: one run for whoever looks, whatever happens in between; nobody else's data."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from engine.backends.embedded.store import EmbeddedStore
from engine.backends.neo4j import run_graph
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.layout import BESIDE
from engine.backends.neo4j.lock import writer_lock
from engine.backends.neo4j.migrations import make
from engine.backends.neo4j.runs import Runs
from engine.contract import RunTables
from engine.errors import NotFound, ServerAway
from engine.model import NODES
from engine.results import table
from tests.engine.backends.neo4j.published import (
    Fragile,
    Repeating,
    everything,
    graph,
    publish,
    with_users,
    writing,
)
from tests.engine.backends.worlds import graph as embedded_graph
from tests.engine.backends.worlds import load, small_run, world
from tests.servers.server import Neo4jServer

USERS = [f"x:{i}" for i in range(7)]
ROWS = world(
    follows=[{"follower_id": u, "followee_id": "x:0"} for u in USERS[1:]],
    brands=[{"brand_id": "brand:acme", "name": "Acme"}],
    content=[{"content_id": "x:p", "author_id": "x:0"}],
    topics=[{"content_id": "x:p", "kind": "domain", "label": "acme.org"}],
)

SEEN = """
MATCH (r:Run {kindred_active: true})<-[:kindred_OF]-(c:Community)
OPTIONAL MATCH (u:User)-[m:MEMBER_OF]->(c)
RETURN r.seed AS seed, c.community_id AS community, count(m) AS members
"""
"""What whoever goes through the active run sees."""


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with EmbeddedStore.open(tmp_path_factory.mktemp("embedded")) as store:
        load(store, ROWS)
        yield store


def full_run(store: EmbeddedStore, *, seed: int = 1, community: str = "c1") -> RunTables:
    """A run with every kind of source, and with authority and influence of users."""
    run = small_run(store, seed=seed, community=community)
    scored = [("brand", "brand:acme"), ("domain", "acme.org"), ("user", "x:nobody")]
    scored.append(("content", "x:p"))
    scores = run.tables["scores"].to_pylist()
    scores += [{**scores[1], "source_kind": kind, "source_id": source} for kind, source in scored]
    users = [*USERS, "x:nobody"]
    return replace(
        run,
        tables={
            **run.tables,
            "scores": table("scores", _columns(scores)),
            "authority": table(
                "authority",
                {
                    "user_id": users + USERS[:3],
                    "community_id": [None] * len(users) + [community] * 3,
                    "authority": [0.125 * seed] * len(users) + [0.5, 0.25, 0.25],
                    "percentile": [50.0] * (len(users) + 3),
                    "rank": [1] * (len(users) + 3),
                    "method": ["pagerank"] * (len(users) + 3),
                },
            ),
            "influence": table(
                "influence",
                {
                    "source_kind": ["user"] * 2 + ["brand"],
                    "source_id": [*USERS[:2], "brand:acme"],
                    "label": ["a"] * 3,
                    "influence": [10.0 * seed, None, 50.0],
                    **{
                        name: [0] * 3
                        for name in (
                            "content_count", "share_count", "sharer_count", "repeat_count",
                            "attention_count",
                        )
                    },
                },
            ),
        },
    )  # fmt: skip


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


@pytest.fixture
def link(neo4j_cleared: Neo4jServer) -> Iterator[Link]:
    opened = Link(neo4j_cleared.address, neo4j_cleared.settings(patience=5))
    make(opened)
    with_users(neo4j_cleared, USERS)
    neo4j_cleared.run(
        "CREATE (:Brand {brand_id: 'brand:acme', kindred_load: 1}),"
        " (:Topic {topic_id: 'domain:acme.org', kindred_load: 1}),"
        " (:Content {content_id: 'x:p', kindred_load: 1})"
    )
    yield opened
    opened.close()


@pytest.fixture
def runs(link: Link) -> Iterator[Runs]:
    opened = Runs(link)
    yield opened
    opened.close()


def seen(server: Neo4jServer) -> list[dict[str, Any]]:
    return server.run(SEEN)


def shown(seed: int, community: str, members: int = 7) -> list[dict[str, Any]]:
    return [{"seed": seed, "community": community, "members": members}]


def figures(server: Neo4jServer) -> dict[str, tuple[str, float | None, float | None]]:
    """What stands on the nodes of users."""
    rows = server.run(
        "MATCH (u:User) WHERE u.kindred_run IS NOT NULL RETURN u.user_id AS id,"
        " u.kindred_run AS run, u.kindred_authority AS a, u.kindred_influence AS i ORDER BY id"
    )
    return {row["id"]: (row["run"], row["a"], row["i"]) for row in rows}


@pytest.mark.parametrize("at_once", [2, 5_000])
def test_the_graph_says_what_the_embedded_graph_says(
    runs: Runs,
    embedded: EmbeddedStore,
    neo4j: Neo4jServer,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
) -> None:
    monkeypatch.setattr(run_graph, "AT_ONCE", at_once)
    run = full_run(embedded)
    info = publish(runs.link, runs, run)
    embedded.publish(run)
    published = graph(neo4j)
    assert published == {name: embedded_graph(embedded)[name] for name in published}
    assert published["Run"] == [[info.run_id, "affinity", 1, info.fingerprint]]
    assert published["MEMBER_OF User Community"][:3] == [
        ["x:0", "c1", 1.0, 0.5, 10.0],
        ["x:1", "c1", 1.0, 0.25, None],
        ["x:2", "c1", 1.0, 0.25, None],
    ]
    assert [len(rows) for name, rows in published.items() if name.startswith("RES")] == [
        *(7, 1, 1, 1)
    ]
    assert figures(neo4j) == {u: (info.run_id, 0.125, 10.0 if u == "x:0" else None) for u in USERS}
    loads = neo4j.run("MATCH ()-[r]->() RETURN collect(DISTINCT r.kindred_load) AS loads")
    assert loads == [{"loads": [0]}]


def test_the_next_run_takes_the_place_of_the_first_and_leaves_nothing_of_it(
    link: Link, runs: Runs, embedded: EmbeddedStore, neo4j: Neo4jServer
) -> None:
    publish(link, runs, full_run(embedded))
    neo4j.run("MATCH (u:User {user_id: 'x:6'}) SET u.user_id = 'x:gone'")
    second = publish(link, runs, full_run(embedded, seed=2, community="c9"))
    assert seen(neo4j) == shown(2, "c9", 6)
    published = graph(neo4j)
    assert [row[0] for row in published["Community"]] == ["c9"]
    assert [row[0] for row in published["Run"]] == [second.run_id]
    assert {row[1] for row in published["RESONATES_IN User Community"]} == {"c9"}
    assert figures(neo4j) == {
        u: (second.run_id, 0.25, 20.0 if u == "x:0" else None) for u in USERS[:6]
    }


def test_a_commit_whose_answer_is_lost_is_not_done_twice(
    link: Link, runs: Runs, embedded: EmbeddedStore, neo4j: Neo4jServer
) -> None:
    run = full_run(embedded)
    with writing(link, runs) as held:
        runs.publish(run, ["b0001"], Repeating(held.link, held.owner))
    twice = graph(neo4j)
    publish(link, runs, full_run(embedded, seed=2))
    publish(link, runs, run)
    assert graph(neo4j) == twice
    assert len(twice["MEMBER_OF User Community"]) == 7


def test_a_publish_that_is_cut_anywhere_shows_the_old_run_or_the_new_one(
    link: Link, runs: Runs, embedded: EmbeddedStore, neo4j: Neo4jServer
) -> None:
    old, new = full_run(embedded), full_run(embedded, seed=2, community="c9")
    before, after = (shown(1, "c1"), ["c1"]), (shown(2, "c9"), ["c9"])
    met: list[str] = []
    for left in count():
        publish(link, runs, old)
        try:
            with writing(link, runs) as held:
                runs.publish(new, ["b0001"], Fragile(held, left))
        except ServerAway:
            found = (seen(neo4j), runs.read("communities")["community_id"].to_pylist())
            assert found in (before, after), left
            met.append("before" if found == before else "after")
        else:
            break
        with writing(link, runs):
            pass
        stands = seen(neo4j), runs.read("communities")["community_id"].to_pylist()
        assert stands == found
        published = graph(neo4j)
        assert [row[0] for row in published["Community"]] == stands[1]
        assert len(published["RESONATES_IN User Community"]) == 7
        kept = neo4j.run("MATCH (f:kindred_File) RETURN count(DISTINCT f.owner) AS n")
        assert kept == [{"n": len(runs.list())}]
        assert {run for run, _, _ in figures(neo4j).values()} == {runs.info().run_id}
    assert seen(neo4j) == shown(2, "c9")
    assert met == sorted(met, reverse=True)
    assert min(Counter(met).values()) >= 5


def test_readers_see_one_run_while_others_are_published(
    link: Link, runs: Runs, embedded: EmbeddedStore, neo4j: Neo4jServer
) -> None:
    answers: list[list[dict[str, Any]]] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            answers.append(seen(neo4j))

    publish(link, runs, full_run(embedded))
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for seed in (2, 3, 1, 2):
            publish(link, runs, full_run(embedded, seed=seed, community=f"c{seed}"))
    finally:
        ended.set()
        watcher.join()
    assert all(answer in [shown(s, f"c{s}") for s in (1, 2, 3)] for answer in answers)
    assert len({repr(answer) for answer in answers}) == 3


STRANGER = """
CREATE (a:Person {name: 'ann', kindred: 'no'})-[:KNOWS {since: 1}]->(b:Person {name: 'bob'}),
       (b)-[:MEMBER_OF {role: 'chair'}]->(:Club {community_id: 'c1'}),
       (:Thing:Odd {at: datetime('2020-01-01'), list: [1, 2]})-[:FOLLOWS]->(a)
"""
RULES = (
    "CREATE CONSTRAINT theirs FOR (p:Person) REQUIRE p.name IS UNIQUE",
    "CREATE INDEX their_index FOR (c:Club) ON (c.community_id)",
    "CREATE INDEX their_types FOR ()-[k:KNOWS]-() ON (k.since)",
)


def test_what_is_a_stranger_s_is_not_touched_by_publishing(
    neo4j_empty: Neo4jServer, embedded: EmbeddedStore
) -> None:
    server = neo4j_empty
    server.run(STRANGER)
    for rule in RULES:
        server.run(rule)
    link = Link(server.address, server.settings())
    runs = Runs(link)
    try:
        make(link)
        # Made by somebody after the store was: kindred's labels, without kindred's mark.
        server.run(
            "CREATE (:User {user_id: 'x:0'})-[:MEMBER_OF]->"
            "(:Community {community_id: 'c1', theirs: true}), (:Run {theirs: true})"
        )
        with_users(server, USERS[1:])
        before = theirs(server)
        publish(link, runs, full_run(embedded))
        publish(link, runs, full_run(embedded, seed=2, community="c9"))
        assert theirs(server) == before
        assert seen(server) == shown(2, "c9", 6)
        with writing(link, runs) as held:
            runs.remove(held)
        assert theirs(server) == before
        assert server.run("MATCH (n:Community|Run) RETURN count(n) AS n") == [{"n": 2}]
    finally:
        runs.close()
        link.close()


def theirs(server: Neo4jServer) -> dict[str, list[Any]]:
    """Everything that does not carry kindred's mark."""
    found = everything(server)
    return {
        "nodes": [n for n in found["nodes"] if not any(k.startswith("kindred_") for k in n["p"])
                  and not any(label.startswith("kindred_") for label in n["l"])],
        "relationships": [r for r in found["relationships"] if "kindred_load" not in r["p"]],
        "constraints": [c for c in found["constraints"] if not c["name"].startswith("kindred_")],
        "indexes": [i for i in found["indexes"] if not i["name"].startswith("kindred_")],
    }  # fmt: skip


def test_beside_somebody_s_own_graph_kindred_has_nodes_of_its_own(
    neo4j_empty: Neo4jServer, embedded: EmbeddedStore
) -> None:
    server = neo4j_empty
    server.run("CREATE (:User {user_id: 'x:0'}), (:Community {community_id: 'c1'})")
    before = everything(server)
    link = Link(server.address, server.settings())
    link.names = BESIDE
    runs = Runs(link)
    try:
        make(link)
        publish(link, runs, full_run(embedded))
        info = publish(link, runs, full_run(embedded, seed=2, community="c9"))
        assert server.run(
            "MATCH (r:kindred_Run)<-[:kindred_OF]-(c:kindred_Community)<-[m:kindred_MEMBER_OF]-"
            "(u:kindred_User) RETURN r.run_id AS run, c.community_id AS c, count(u) AS users"
        ) == [{"run": info.run_id, "c": "c9", "users": 7}]
        assert server.run("MATCH (u:kindred_User {user_id: 'x:0'}) RETURN properties(u) AS p") == [
            {
                "p": {
                    "user_id": "x:0",
                    "key": "0",
                    "kindred_load": 0,
                    "kindred_run": info.run_id,
                    "kindred_authority": 0.25,
                    "kindred_influence": 20.0,
                }
            }
        ]
        with writer_lock(link, "to test", wait=False) as held:
            runs.remove(held)
        labels = [f"kindred_{name}" for name in NODES]
        left = server.run(
            "MATCH (n) WHERE any(l IN labels(n) WHERE l IN $labels) RETURN count(n) AS n",
            labels=labels,
        )
        assert left == [{"n": 0}]
        theirs = [n for n in everything(server)["nodes"] if n in before["nodes"]]
        assert theirs == before["nodes"]
    finally:
        runs.close()
        link.close()


def test_no_run_is_the_answer_while_the_first_is_written(
    link: Link, runs: Runs, embedded: EmbeddedStore, neo4j: Neo4jServer
) -> None:
    with pytest.raises(ServerAway), writing(link, runs) as held:
        runs.publish(full_run(embedded), ["b0001"], Fragile(held, 4))
    assert neo4j.run("MATCH (c:Community) RETURN count(c) AS n") == [{"n": 1}]
    assert seen(neo4j) == []
    with pytest.raises(NotFound):
        runs.read("scores")
    with writing(link, runs):
        pass
    assert neo4j.run(
        "MATCH (n:Community|kindred_Publication|kindred_File|kindred_Chunk) RETURN count(n) AS n"
    ) == [{"n": 0}]
