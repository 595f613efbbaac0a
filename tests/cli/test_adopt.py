"""`kindred adopt` and `kindred remove`, on a server that holds somebody's own graph."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import kindred
from kindred.cli import adopt as adopting
from kindred.facade import Kindred
from tests.cli.conftest import Ended
from tests.engine.backends.neo4j.stranger import everything
from tests.servers.server import Neo4jServer

Call = Callable[..., Ended]

PATHS = ["--shares", "(:Person {user_id: name})-[:RETWEETED {at: when}]->(:Post {content_id: no})"]


@pytest.fixture
def graph(neo4j_empty: Neo4jServer, monkeypatch: pytest.MonkeyPatch) -> Neo4jServer:
    """Four people who share two posts, and the settings that reach them."""
    neo4j_empty.run(
        "UNWIND ['ann', 'bob', 'cid', 'dee'] AS name CREATE (p:Person:User {name: name})"
        " WITH p UNWIND [1, 2] AS no MERGE (t:Post {no: no})"
        " CREATE (p)-[:RETWEETED {when: '2021-09-01T10:00:00Z'}]->(t)"
    )
    monkeypatch.setenv("KINDRED_STORE", neo4j_empty.address)
    monkeypatch.setenv("KINDRED_NEO4J_USER", neo4j_empty.user)
    monkeypatch.setenv("KINDRED_NEO4J_PASSWORD", neo4j_empty.password)
    return neo4j_empty


def test_a_graph_is_adopted_analysed_asked_and_left_as_it_was(
    graph: Neo4jServer, call: Call
) -> None:
    before = everything(graph)
    looked = call("adopt", *PATHS, "--dry-run", "--format", "json")
    (row,) = json.loads(looked.out)
    assert (looked.code, row["option"], row["rows"], row["left_out"]) == (0, "shares", 8, 0)
    assert row["says"].startswith("(:Person {name: 'ann'}) shared (:Post {no: ")
    assert row["says"].endswith("}) at 2021-09-01T10:00:00Z")
    assert looked.told[-1].startswith("nothing was kept")
    assert everything(graph) == before

    kept = call("adopt", *PATHS, "--publish")
    assert kept.code == 0, kept.err
    assert f"next: kindred analyse --store {graph.address}" in kept.out
    assert call("analyse", "--rewirings", "0", "--split", "0.6", "--quiet").code == 0
    asked = call("query", "MATCH (p:Person) RETURN count(p) AS n", "--format", "csv")
    assert asked.out.splitlines()[1:] == ["4"]
    runs = json.loads(call("runs", "--format", "json").out)
    assert [r["active"] for r in runs] == [True]

    refused = call("remove", "--results")
    assert (refused.code, refused.told[0]) == (2, "wanted: to remove 1 run")
    gone = call("remove", "--results", "--yes", "--format", "json")
    assert {r["what"]: r["count"] for r in json.loads(gone.out)}["runs"] == 1
    assert call("remove", "--all", "--yes").code == 0
    assert everything(graph) == before
    assert call("runs").told[0].startswith("wanted: the store on")


def test_the_library_takes_one_path_or_several(graph: Neo4jServer, tmp_path: Path) -> None:
    found = Kindred.adopt(shares=PATHS[1], results=tmp_path / "runs", platform="x")
    with kindred.connect(tmp_path / "runs") as k:
        assert [u["user_id"] for u in k.backend.users(["x:ann", "x:eve"]).to_pylist()] == ["x:ann"]
        assert k.remove("all").to_dicts()[0] == {"what": "runs", "count": 0}
    assert found.notes == (f"next: kindred analyse --store {tmp_path / 'runs'}",)
    with pytest.raises(kindred.UsageError, match="nothing in the graph matches"):
        Kindred.adopt(users=["(:Person {user_id: name})", "(:Nobody)"], dry_run=True)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["remove"], "found: neither --results nor --all"),
        (["remove", "--all", "--results"], "found: both --results and --all"),
        (["adopt", *PATHS, "--publish", "--results", "./x"], "found: both a place of results"),
        (["adopt", *PATHS, "--store", "./x", "--publish"], "found: ./x is no server"),
    ],
)
def test_what_makes_no_sense_is_refused(call: Call, words: list[str], found: str) -> None:
    ended = call(*words)
    assert ended.code == 2
    assert ended.told[1].startswith(found)


def test_every_role_of_a_mapping_is_an_option() -> None:
    from inspect import signature

    from engine.backends.neo4j.mapping import ROLES

    assert set(ROLES) <= set(signature(adopting.adopt).parameters)
