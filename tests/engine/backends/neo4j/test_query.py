"""A reader's own Cypher on a server: it reads, and nothing else, within bounds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.backends.neo4j import reader
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.guard import check_reads_only
from engine.backends.neo4j.reader import query
from engine.errors import UsageError
from tests.servers.server import Neo4jServer


@pytest.fixture(scope="module")
def link(neo4j: Neo4jServer) -> Iterator[Link]:
    made = Link(neo4j.address, neo4j.settings())
    yield made
    made.close()


REFUSED = [
    "CREATE (:User {user_id: 'x'})",
    "INSERT (:User {user_id: 'x'})",
    "MATCH (u:User) SET u.name = 'x'",
    "MATCH (u:User) REMOVE u.name",
    "MATCH (u:User) DETACH DELETE u",
    "MATCH (u:User) NODETACH DELETE u",
    "MERGE (:User {user_id: 'x'})",
    "MATCH (u:User) FOREACH (x IN [1] | SET u.n = x)",
    "MATCH (u:User) /* a */ CREATE /* b */ (:User)",
    "MATCH (u:User) CALL (u) { SET u.n = 1 } IN TRANSACTIONS RETURN u",
    "LOAD CSV FROM 'file:///etc/passwd' AS row RETURN row",
    "load csv FROM 'http://127.0.0.1:1/x' AS row RETURN row",
    "// MATCH\nLOAD CSV FROM 'x' AS row RETURN row",
    "MATCH (n) WHERE n.a = '\\u0027 LOAD CSV FROM \\u0027file:///x\\u0027 AS r RETURN r //'",
    "MATCH (n) \\u006coad CSV FROM 'file:///x' AS r RETURN r",
    "USE system MATCH (n) RETURN n",
    "SHOW USERS",
    "SHOW SETTINGS",
    "SHOW TRANSACTIONS",
    "TERMINATE TRANSACTIONS 'neo4j-transaction-1'",
    "CYPHER runtime=slotted MATCH (n) RETURN n",
    "EXPLAIN MATCH (n) RETURN n",
    "ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'b'",
    "GRANT ROLE admin TO ana",
    "DROP DATABASE neo4j",
    "CALL dbms.listConfig() YIELD name RETURN name",
    "CALL dbms.killQuery('query-1')",
    "CALL db.clearQueryCaches()",
    "CALL db.createLabel('Stray')",
    "CALL `dbms`.`listConfig`()",
    "CALL dbms . listConfig()",
    "CALL tx.setMetaData({a: 1})",
    "CALL gds.graph.project('g', 'User', 'FOLLOWS')",
    "CALL gds.pageRank.write('g', {writeProperty: 'r'})",
    "CALL apoc.load.json('http://127.0.0.1:1') YIELD value RETURN value",
    "CALL (*) { CALL apoc.cypher.run('RETURN 1', {}) YIELD value RETURN value } RETURN value",
    "RETURN apoc.cypher.runFirstColumnSingle('LOAD CSV FROM \"x\" AS r RETURN r', {})",
    "RETURN `apoc`.`cypher`.runFirstColumnSingle('RETURN 1', {})",
    "RETURN genai.vector.encode('a', 'OpenAI', {token: 'x'})",
    "MATCH (u:User) RETURN u.user_id; MATCH (u:User) RETURN u.user_id",
    "",
]


@pytest.mark.parametrize("cypher", REFUSED)
def test_a_query_that_does_more_than_read_is_refused(cypher: str) -> None:
    with pytest.raises(UsageError, match="a query that only reads the graph"):
        check_reads_only(cypher)


@pytest.mark.parametrize(
    ("cypher", "rows"),
    [
        ("RETURN 'DROP CONSTRAINT x; //' AS a", [["DROP CONSTRAINT x; //"]]),
        ('RETURN "it\\"s LOAD CSV" AS a', [['it"s LOAD CSV']]),
        ("RETURN 'caf\\u00e9' AS a", [["café"]]),
        ("RETURN 1 AS `set` /* CREATE */ // LOAD", [[1]]),
        ("RETURN {set: 1, load: 2}.set AS a", [[1]]),
        ("UNWIND [1, 2] AS x CALL (x) { RETURN 2 * x AS y } RETURN y;", [[2], [4]]),
        ("CALL db.info() YIELD name RETURN name IS NOT NULL AS a", [[True]]),
        ("RETURN date.truncate('month', date('2020-02-09')) = date('2020-02-01') AS a", [[True]]),
        ("RETURN point.distance(point({x: 0, y: 0}), point({x: 3, y: 4})) AS a", [[5.0]]),
        ("MATCH (n) WHERE n.nothing IN [1] AND(n.nothing) RETURN n", []),
        ("UNWIND $given AS a RETURN a", [["x"], ["y"]]),
        ("MATCH (n) WHERE false RETURN n UNION ALL RETURN 1 AS n", [[1]]),
    ],
)
def test_what_only_reads_is_answered(link: Link, cypher: str, rows: list[list[object]]) -> None:
    given = {"given": ["x", "y"]} if "$given" in cypher else None
    assert [[*row.values()] for row in query(link, cypher, given, 10).to_pylist()] == rows


@pytest.mark.parametrize(
    "cypher",
    [
        "CREATE (:Stray)",
        "CREATE CONSTRAINT stray FOR (n:Stray) REQUIRE n.a IS UNIQUE",
        "CREATE USER stray SET PASSWORD 'stray-password'",
        "CALL db.createLabel('Stray')",
    ],
)
def test_the_server_itself_refuses_to_write_for_a_reader(
    neo4j_empty: Neo4jServer, link: Link, monkeypatch: pytest.MonkeyPatch, cypher: str
) -> None:
    monkeypatch.setattr(reader, "check_reads_only", lambda _: None)
    with pytest.raises(UsageError, match="a query that only reads the graph") as refused:
        query(link, cypher, None, 10)
    assert refused.value.found == "it writes"
    assert neo4j_empty.run("MATCH (n) RETURN n") == []
    assert neo4j_empty.run("SHOW CONSTRAINTS YIELD name RETURN name") == []
    assert neo4j_empty.run("SHOW USERS YIELD user WHERE user = 'stray' RETURN user") == []


def test_no_more_rows_are_pulled_than_asked_for(link: Link) -> None:
    begun = time.monotonic()
    found = query(link, "UNWIND range(1, 1000000000000) AS x RETURN x", None, 3)
    assert found["x"].to_pylist() == [1, 2, 3]
    assert query(link, "UNWIND range(1, 1000000000000) AS x RETURN x", None, 0).num_rows == 0
    assert time.monotonic() - begun < 5


def test_a_long_query_is_stopped(neo4j: Neo4jServer) -> None:
    impatient = Link(neo4j.address, replace(neo4j.settings(), timeout=0.3))
    endless = "UNWIND range(1, 100000) AS x UNWIND range(1, 1000000) AS y RETURN sum(x * y)"
    with pytest.raises(UsageError, match=r"it was not there after 0\.3 seconds") as stopped:
        query(impatient, endless, None, 10)
    impatient.close()
    assert stopped.value.todo == "ask for less: a narrower MATCH, fewer hops"


@pytest.mark.parametrize(
    ("cypher", "found"),
    [
        ("MATCH (u:User RETURN u", "Invalid input 'RETURN'"),
        ("MATCH (u:User) RETURN v", "Variable `v` not defined"),
        ("RETURN $id", "Expected parameter"),
        ("RETURN 1 / 0", "/ by zero"),
        ("RETURN date('no date')", "cannot be parsed"),
    ],
)
def test_a_wrong_query_is_told_in_three_lines(link: Link, cypher: str, found: str) -> None:
    with pytest.raises(UsageError) as wrong:
        query(link, cypher, None, 10)
    assert wrong.value.wanted == "a Cypher query over the graph"
    assert found in wrong.value.found
    assert len(str(wrong.value).splitlines()) == 3
