"""query: a reader's own Cypher, which reads only, gives the same answers in every store."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import UsageError
from engine.model import TIME
from tests.conformance.shelf import Stock
from tests.engine.backends.worlds import graph, plain

ASKED: dict[str, dict[str, Any]] = {
    "MATCH (u:User) RETURN u.user_id AS id ORDER BY id LIMIT 7": {},
    """MATCH (u:User) WHERE u.user_id = $id
    RETURN u.name AS name, u.labels AS labels""": {"id": "y:1"},
    """MATCH (u:User)-[s:SHARED]->(c:Content) WHERE c.content_id = $id
    RETURN u.user_id AS id, s.at AS at, s.kind AS kind ORDER BY at, kind, id""": {"id": "x:again"},
    "MATCH (a:User)-[:FOLLOWS]->(b:User)-[:FOLLOWS]->(a) RETURN count(*) AS n": {},
    """MATCH (u:User)-[m:MEMBER_OF]->(c:Community)
    RETURN c.community_id AS id, count(u) AS members, min(m.confidence) AS least""": {},
    """MATCH (c:Content)-[:ABOUT]->(t:Topic) WHERE c.content_id IN $ids
    RETURN t.topic_id AS topic ORDER BY topic""": {"ids": ["y:p", "y:q"]},
    """MATCH (b:Brand)<-[:MENTIONED]-(u:User)
    RETURN b.name AS name, u.user_id AS id ORDER BY name, id""": {},
}


@pytest.mark.parametrize(("cypher", "given"), ASKED.items())
def test_the_same_cypher_gives_the_same_rows(
    stock: Stock, wanted: Stock, cypher: str, given: dict[str, Any]
) -> None:
    found, said = stock.store.query(cypher, given), wanted.store.query(cypher, given)
    assert found.to_pylist() == said.to_pylist()
    assert found.num_rows


def test_every_table_of_the_graph_holds_the_same_rows(stock: Stock, wanted: Stock) -> None:
    found, said = graph(stock.store), graph(wanted.store)
    for name, rows in said.items():
        assert found[name] == rows, name


def test_rows_are_limited_and_times_are_in_utc(stock: Stock) -> None:
    asked = "MATCH (u:User) RETURN u.user_id AS id ORDER BY id; // all"
    assert stock.store.query(asked, limit=2).num_rows == 2
    assert stock.store.query("MATCH (u:User) RETURN u.user_id AS id LIMIT 3", limit=1).num_rows == 1
    times = stock.store.query("MATCH (c:Content) RETURN c.created_at AS at LIMIT 3")
    assert times.schema.field("at").type == TIME


@pytest.mark.parametrize(
    "cypher",
    [
        "CREATE (:User {user_id: 'x:made'})",
        "MATCH (u:User) SET u.name = 'x'",
        "MATCH (u:User) DETACH DELETE u",
        "MERGE (:User {user_id: 'x:made'})",
        "MATCH (u:User) /* a */ CREATE /* b */ (:User {user_id: 'x:made'})",
    ],
)
def test_a_query_that_writes_is_refused_and_nothing_changes(stock: Stock, cypher: str) -> None:
    before = plain(stock.store.snapshot())
    with pytest.raises(UsageError) as refused:
        stock.store.query(cypher)
    assert len(str(refused.value).splitlines()) == 3
    found = stock.store.query("MATCH (u:User) RETURN count(u) AS n, count(u.name) AS named")
    users = before["snapshot.users.name"]
    assert isinstance(users, list)
    named = sum(name is not None for name in users)
    assert found.to_pylist() == [{"n": len(users), "named": named}]


def test_a_wrong_query_is_told_in_three_lines(stock: Stock) -> None:
    with pytest.raises(UsageError) as wrong:
        stock.store.query("MATCH (u:User RETURN u")
    assert len(str(wrong.value).splitlines()) == 3
