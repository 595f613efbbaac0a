"""Somebody's own graph as a store: the same answers as a copy of it, and not a trace in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.adopt import BESIDE, adopt
from engine.backends.embedded.store import EmbeddedStore
from engine.backends.neo4j.adopted import AdoptedStore
from engine.connect import connect
from engine.contract import Backend
from engine.errors import StoreDamaged, UsageError
from engine.params import AnalysisParams
from engine.results import RESULTS
from engine.verbs import analyse
from tests.engine.backends.neo4j.stranger import (
    OPTIONS,
    PERSON,
    build,
    everything,
    people_and_posts,
    theirs,
)
from tests.engine.backends.worlds import load, plain, small_run, world
from tests.servers.server import Neo4jServer

QUICK = AnalysisParams(rewirings=0, ensemble=0, split=None, folds=2)
ASKED: dict[str, dict[str, Any]] = {
    "users": {"ids": ["x:u003", "x:nobody", "x:u001", "y:u002"]},
    "contents": {"ids": ["x:17", "x:999", "x:3"]},
    "brand_accounts": {"limit": 5},
    "community_members": {"id": "c1", "limit": 7},
    "content_posters": {"id": "x:17"},
    "content_sharers": {"id": "x:17", "limit": 4},
    "ego_in": {"id": "x:u010", "limit": 9},
    "ego_out": {"id": "x:u010", "limit": 9},
    "user_content": {"id": "x:u010", "limit": 3},
}


def opened(
    server: Neo4jServer, results: str = BESIDE, options: Mapping[str, Sequence[str]] = OPTIONS
) -> AdoptedStore:
    """Adopt the graph of a server and open it."""
    found = adopt(
        server.address,
        options,
        results=results,
        platform="x",
        server=server.settings(),
    )
    assert found.store is not None
    store = connect(found.store, create=False, server=server.settings(database=found.database))
    assert isinstance(store, AdoptedStore)
    return store


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedStore:
    """The same data, loaded."""
    store = EmbeddedStore.open(tmp_path_factory.mktemp("copy"))
    load(store, people_and_posts())
    analyse(store, QUICK)
    return store


@pytest.fixture
def graph(neo4j_empty: Neo4jServer) -> Neo4jServer:
    build(neo4j_empty, people_and_posts())
    return neo4j_empty


def tables(store: Backend) -> dict[str, list[dict[str, Any]]]:
    return {name: store.read(name).to_pylist() for name in RESULTS}


def test_it_answers_as_a_copy_and_leaves_the_graph_as_it_was(
    graph: Neo4jServer, copy: EmbeddedStore
) -> None:
    before, mine = everything(graph), theirs(graph)
    with opened(graph) as store:
        assert plain(store.snapshot()) == plain(copy.snapshot())
        assert theirs(graph) == mine
        run = analyse(store, QUICK)
        assert run.run_id == copy.run().run_id
        assert tables(store) == tables(copy)
        for name, given in ASKED.items():
            told, said = store.statement(name, given), copy.statement(name, given)
            assert told.to_pylist() == said.to_pylist(), name
            assert told.column_names == said.column_names
        assert store.users(["x:u003"]).to_pylist() == copy.users(["x:u003"]).to_pylist()
        assert store.contents(["x:3"]).to_pylist() == copy.contents(["x:3"]).to_pylist()
        assert all(finding.ok for finding in store.doctor())
        assert theirs(graph) == mine
        _check_published(graph, store)
        store.remove("results")
        assert theirs(graph) == mine
        assert store.runs() == []
        store.remove("all")
    assert everything(graph) == before


def _check_published(graph: Neo4jServer, store: AdoptedStore) -> None:
    """Kindred's nodes hold the keys of theirs, and can be joined to them."""
    joined = graph.run(
        "MATCH (r:kindred_Run)<-[:kindred_OF]-(c:kindred_Community)<-[:kindred_MEMBER_OF]-(k)"
        " MATCH (p:User {`nick name`: k.key})"
        " RETURN k.user_id AS user_id, c.community_id AS community_id ORDER BY user_id"
    )
    members = store.read("memberships", where={"fold": None}, order=("user_id",))
    kept = {c["community_id"] for c in store.read("communities").to_pylist()}
    assert joined == [
        {"user_id": m["user_id"], "community_id": m["community_id"]}
        for m in members.to_pylist()
        if m["community_id"] in kept
    ]


@pytest.fixture
def few(neo4j_empty: Neo4jServer) -> Neo4jServer:
    """Three people who share one post."""
    neo4j_empty.run(
        "UNWIND ['ann', 'bob', 'cid'] AS name MERGE (t:Post {number: 1})"
        " CREATE (:Person {name: name})-[:RETWEETED]->(t)"
    )
    return neo4j_empty


FEW = {"shares": ["(:Person {user_id: name})-[:RETWEETED]->(:Post {content_id: number})"]}


def test_the_results_may_stand_in_a_folder(few: Neo4jServer, tmp_path: Path) -> None:
    before, folder = everything(few), tmp_path / "results"
    with opened(few, str(folder), FEW) as store:
        run = store.publish(small_run(store))
        assert [r.run_id for r in store.runs()] == [run.run_id]
        counted = store.query("MATCH (p:Person)-[:RETWEETED]->() RETURN count(DISTINCT p) AS n")
        assert counted.to_pylist() == [{"n": 3}]
        with pytest.raises(UsageError, match="only reads"):
            store.query("CREATE (n:Mine) RETURN n")
        with pytest.raises(UsageError, match="somebody's own"):
            load(store, world(follows=[{"follower_id": "x:a", "followee_id": "x:b"}]))
        (batch,) = store.batches()
        assert (batch.format, batch.rows) == ("adopted graph", {"shares": 3})
        assert everything(few) == before
        few.run("MATCH (:Person {name: 'bob'})-[r:RETWEETED]->() DELETE r")
        changed = [f for f in store.doctor() if not f.ok]
        assert [f.found for f in changed] == [f"it has changed since {run.run_id} read it"]
    (folder / "adopted.json").write_text("{}", encoding="utf-8")
    with pytest.raises(StoreDamaged, match="adopt the graph again"):
        connect(folder, server=few.settings())


def test_a_graph_that_changes_meanwhile_is_told_of(few: Neo4jServer) -> None:
    with opened(few, options=FEW) as store:
        run = small_run(store)
        store.publish(run)
        assert [n for n in store.read("notes").to_pylist() if n["topic"] == "graph"] == []
        few.run("MATCH (:Person {name: 'bob'})-[r:RETWEETED]->() DELETE r")
        store.publish(run)
        (said,) = [n for n in store.read("notes").to_pylist() if n["topic"] == "graph"]
    assert "changed while it was analysed" in said["text"]
    assert run.fingerprint in said["text"]


def test_a_retweet_that_is_a_post_of_its_own_is_a_share(neo4j_empty: Neo4jServer) -> None:
    neo4j_empty.run(
        "CREATE (a:User {screen: 'ann'})-[:POSTS]->(t:Tweet {id: 1, at: '2021-09-01T10:00:00Z'}),"
        " (b:User {screen: 'Bob'})-[:POSTS]->(r:Tweet {id: 2, at: 1630494000})-[:RETWEETS]->(t),"
        " (b)-[:POSTS]->(q:Tweet {id: 3, at: 'last week'})-[:QUOTES]->(t),"
        " (:User)-[:POSTS]->(:Tweet {id: 4})"
    )
    options = {
        "users": ["(:User {user_id: screen})"],
        "posts": ["(:User)-[:POSTS]->(:Tweet {content_id: id, at: at})"],
        "content": ["(:Tweet)"],
        "shares": [
            "(:User)-[:POSTS]->(:Tweet {at: at})-[:RETWEETS]->(:Tweet)",
            "(:User)-[:POSTS]->(:Tweet {at: at, kind: 'quote'})-[:QUOTES]->(:Tweet)",
        ],
    }
    with pytest.raises(UsageError, match="none of its 1 values can be that, such as 'last week'"):
        adopt(neo4j_empty.address, options, dry_run=True, server=neo4j_empty.settings())
    options["shares"][1] = "(:User)-[:POSTS]->(:Tweet {kind: 'quote'})-[:QUOTES]->(:Tweet)"
    with opened(neo4j_empty, options=options) as store:
        seen, rejects = store.snapshot(), store.rejects().to_pylist()
    ids, posts = seen.users.user_id.to_pylist(), seen.contents.content_id.to_pylist()
    assert (ids, posts) == (["x:Bob", "x:ann"], ["x:1", "x:3", "x:4"])
    assert [(ids[u], posts[c], k) for u, c, k in _shares(seen)] == [
        ("x:Bob", "x:1", 1),
        ("x:Bob", "x:1", 0),
    ]
    assert [(r["table"], r["reason"], r["sentence"], r["raw"]) for r in rejects] == [
        ("users", "no_id", f"(:User {{user_id: screen}}): {LEFT_OUT}", None),
        ("content", "no_id", f"{POSTS}: {LEFT_OUT}", None),
        ("content", "value", f"{POSTS}: {UNREADABLE}", "last week"),
    ]


LEFT_OUT = "1 row left out: a key is missing, or a weight cannot be read"
UNREADABLE = "1 value of created_at cannot be read, such as 'last week'"
POSTS = "(:User {user_id: screen})-[:POSTS]->(:Tweet {content_id: id, at: at})"


def _shares(seen: Any) -> list[tuple[int, int, int]]:
    s = seen.shares
    return list(zip(s.user.tolist(), s.content.tolist(), s.kind.tolist(), strict=True))


THERE = """
CREATE CONSTRAINT FOR (u:Person) REQUIRE u.name IS UNIQUE
CREATE (a:Person {name: 'ann', age: 1.5})-[:KNOWS {since: 'long ago', of: [1]}]->(b:Person)
CREATE (:Person {name: 'bob'})-[:KNOWS]->(:Cat {name: 'tom'})
CREATE (:Person {name: date('2020-01-01')})
"""


@pytest.mark.parametrize(
    ("options", "found", "todo"),
    [
        (
            {"users": ["(:Nobody)"]},
            "nothing in the graph matches it",
            "labels there: Cat, Person; types: KNOWS",
        ),
        (
            {"follows": ["(:Person)<-[:LIKES]-(:Person)"]},
            "nothing in the graph matches it",
            "labels there: Cat, Person; types: KNOWS",
        ),
        (
            {"users": ["(:Person {followers_count: crowd})"]},
            "no (:Person) has the property crowd",
            "properties there: age, name",
        ),
        (
            {"follows": ["(:Person)-[:KNOWS]->(:Cat)"]},
            "no property of it is said or known to be unique",
            "name one, such as (:Cat {user_id: name}); properties there: name",
        ),
        (
            {"follows": ["(:Person)-[:KNOWS {at: since}]->(:Cat {user_id: name})"]},
            "no [:KNOWS] has the property since",
            "properties there: none",
        ),
        (
            {"users": ["(:Person)"]},
            "1 nodes hold a DATE",
            "name a property that holds text or whole numbers",
        ),
        (
            {"users": ["(:Person {user_id: age})"]},
            "1 nodes hold a FLOAT",
            "name a property that holds text or whole numbers",
        ),
        (
            {"users": ["(:Person {user_id: age})", "(:Person {user_id: name})"]},
            "elsewhere they are (:Person {key: name})",
            "name one key",
        ),
        ({}, "nothing was said about it", "name at least --users"),
    ],
)
def test_what_it_cannot_understand_is_refused_in_three_lines(
    strangers: Neo4jServer, options: dict[str, list[str]], found: str, todo: str
) -> None:
    before = everything(strangers)
    with pytest.raises(UsageError) as refused:
        adopt(strangers.address, options, results=BESIDE, server=strangers.settings())
    assert refused.value.found == found
    assert refused.value.todo.startswith(todo)
    assert everything(strangers) == before


@pytest.fixture(scope="module")
def strangers(neo4j: Neo4jServer) -> Neo4jServer:
    """A few people and a cat, only looked at."""
    neo4j.clean()
    first, *rest = THERE.strip().splitlines()
    neo4j.run(first)
    for statement in rest:
        neo4j.run(statement)
    return neo4j


def test_places_that_cannot_hold_the_results(neo4j_empty: Neo4jServer, tmp_path: Path) -> None:
    neo4j_empty.run("CREATE (:Person {name: 'ann'})")
    users = {"users": ["(:Person {user_id: name})"]}
    server = neo4j_empty.settings()
    with EmbeddedStore.open(tmp_path / "own") as own:
        load(own, world(follows=[{"follower_id": "x:a", "followee_id": "x:b"}]))
    with pytest.raises(UsageError, match="holds data of its own"):
        adopt(neo4j_empty.address, users, results=str(tmp_path / "own"), server=server)
    with pytest.raises(UsageError, match="neo4j is the one that holds the graph"):
        adopt(neo4j_empty.address, users, results="neo4j", server=server)
    with pytest.raises(UsageError, match="is no server"):
        adopt(str(tmp_path), users, results=BESIDE, server=server)
    with pytest.raises(UsageError, match="no place for the results is named"):
        adopt(neo4j_empty.address, users, server=server)
    before = everything(neo4j_empty)
    assert adopt(neo4j_empty.address, users, dry_run=True, server=server).store is None
    assert everything(neo4j_empty) == before
    connect(neo4j_empty.address, server=server).close()
    with pytest.raises(UsageError, match="holds a store of kindred's own"):
        adopt(neo4j_empty.address, users, results=BESIDE, server=server)


def test_a_graph_is_adopted_again_under_another_mapping(neo4j_empty: Neo4jServer) -> None:
    neo4j_empty.run(
        "CREATE (:Person {name: 'ann', no: 7})-[:KNOWS]->(:Person {name: 'bob', no: 8})"
    )
    by_name = {"follows": ["(:Person {user_id: name})-[:KNOWS]->(:Person)"]}
    with opened(neo4j_empty, options=by_name) as store:
        assert store.snapshot().users.user_id.to_pylist() == ["x:ann", "x:bob"]
    by_number = {"follows": ["(:Person {user_id: no})-[:KNOWS]->(:Person)"]}
    with opened(neo4j_empty, options=by_number) as store:
        assert store.snapshot().users.user_id.to_pylist() == ["x:7", "x:8"]
        assert store.users(["x:8"])["user_id"].to_pylist() == ["x:8"]
        assert store.results.mapping() == store.mapping()
        assert store.adoption.names.key("User", "x:7") == 7
        store.remove("all")
    assert neo4j_empty.run("MATCH (n) RETURN count(n) AS n") == [{"n": 2}]


def test_a_name_can_hold_anything_and_runs_nothing(neo4j_empty: Neo4jServer) -> None:
    """Neo4j reads `\\u0060` as a backtick, before it looks where a name ends."""
    neo4j_empty.run("CREATE (:Victim)")
    name = PERSON.replace("`", "``")
    with pytest.raises(UsageError, match="nothing in the graph matches"):
        adopt(
            neo4j_empty.address,
            {"users": [f"(:`{name}` {{user_id: `{name}`}})"]},
            dry_run=True,
            server=neo4j_empty.settings(),
        )
    assert neo4j_empty.run("MATCH (n) RETURN labels(n) AS l") == [{"l": ["Victim"]}]
