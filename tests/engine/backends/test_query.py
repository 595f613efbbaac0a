"""Reading the graph: points, named statements, and a reader's own Cypher."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from engine.backends.embedded.guard import check_reads_only
from engine.backends.embedded.store import EmbeddedStore
from engine.errors import UsageError
from engine.model import TIME
from tests.engine.backends.worlds import START, load, small_run, world

ROWS = world(
    users=[
        {"user_id": "x:a", "name": "A", "handle": "ann", "followers_count": 3},
        {"user_id": "x:b", "labels": ["red"]},
    ],
    content=[{"content_id": "x:p", "author_id": "x:a", "created_at": START, "text": "hi"}],
    shares=[
        {"user_id": "x:b", "content_id": "x:p", "at": START + timedelta(hours=1)},
        {"user_id": "x:c", "content_id": "x:p", "via_user_id": "x:b"},
    ],
    follows=[{"follower_id": "x:b", "followee_id": "x:a"}],
    interactions=[
        {"user_id": "x:a", "target_id": "x:c", "kind": "like", "at": START + timedelta(hours=h)}
        for h in range(2)
    ],
    topics=[
        {"content_id": "x:p", "kind": "hashtag", "label": "t"},
        {"content_id": "x:p", "kind": "domain", "label": "d.org"},
    ],
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with EmbeddedStore.open(tmp_path_factory.mktemp("query") / "it's [a] store*") as made:
        load(made, ROWS)
        made.publish(small_run(made))
        yield made


def test_users_come_in_the_order_asked_for(store: EmbeddedStore) -> None:
    assert store.users(["x:b", "nobody", "x:a"]).to_pylist() == [
        {"user_id": "x:b", "platform": "x", "handle": None, "name": None,
         "followers_count": None, "labels": ["red"]},
        {"user_id": "x:a", "platform": "x", "handle": "ann", "name": "A",
         "followers_count": 3, "labels": None},
    ]  # fmt: skip
    assert store.users([]).num_rows == 0


def test_contents_name_their_author(store: EmbeddedStore) -> None:
    assert store.contents(["nothing", "x:p"]).to_pylist() == [
        {"content_id": "x:p", "platform": "x", "kind": None, "author_id": "x:a",
         "created_at": START, "text": "hi", "url": None},
    ]  # fmt: skip
    assert store.contents([]).num_rows == 0


@pytest.mark.parametrize(
    ("name", "given", "rows"),
    [
        ("ego_out", {"id": "x:a", "limit": 5}, [["x:c", None, None, "like", 2]]),
        ("ego_in", {"id": "x:a", "limit": 5}, [["x:b", None, None, "follows", 1]]),
        (
            "content_sharers",
            {"id": "x:p", "limit": 5},
            [
                ["x:b", None, None, START + timedelta(hours=1), "share", None, "c1"],
                ["x:c", None, None, None, "share", "x:b", "c1"],
            ],
        ),
        ("content_posters", {"id": "x:p"}, [["x:a", "A", START, ["domain:d.org", "hashtag:t"]]]),
        (
            "community_members",
            {"id": "c1", "limit": 2},
            [["x:a", "A", "ann", "x", 3, 1.0], ["x:b", None, None, "x", None, 1.0]],
        ),
        ("user_content", {"id": "x:a", "limit": 5}, [["x:p", START, "hi", None, 2]]),
    ],
)
def test_named_statements(
    store: EmbeddedStore, name: str, given: dict[str, object], rows: list[list[object]]
) -> None:
    assert [[*row.values()] for row in store.statement(name, given).to_pylist()] == rows


def test_a_statement_wants_its_parameters(store: EmbeddedStore) -> None:
    with pytest.raises(UsageError, match="the statement ego_in with id, limit"):
        store.statement("ego_in", {"id": "x:a"})
    with pytest.raises(UsageError, match=r"there are .*ego_in"):
        store.statement("nothing")


def test_own_queries_are_limited_and_in_utc(store: EmbeddedStore) -> None:
    found = store.query("MATCH (u:User) RETURN u.user_id AS id ORDER BY id; // all", limit=2)
    assert found["id"].to_pylist() == ["x:a", "x:b"]
    assert store.query("MATCH (u:User) RETURN u.user_id LIMIT 3", limit=1).num_rows == 1
    times = store.query("MATCH (c:Content) RETURN c.created_at AS at")
    assert times.schema.field("at").type == TIME
    by_value = store.query("MATCH (u:User) WHERE u.user_id = $id RETURN u.name AS n", {"id": "x:a"})
    assert by_value["n"].to_pylist() == ["A"]


REFUSED = [
    "COPY User FROM 'u.parquet'",
    "COPY (MATCH (u:User) RETURN u.user_id) TO 'out.csv'",
    "copy(MATCH (u:User) RETURN u.user_id) TO 'out.csv'",
    "LOAD FROM '/etc/passwd' RETURN *",
    "LOAD EXTENSION httpfs",
    "INSTALL httpfs",
    "EXPORT DATABASE 'out'",
    "IMPORT DATABASE 'out'",
    "ATTACH 'x' AS y (dbtype duckdb)",
    "DETACH y",
    "USE y",
    "CREATE (:User {user_id: 'x'})",
    "MATCH (u:User) SET u.name = 'x'",
    "MATCH (u:User) DETACH DELETE u",
    "MERGE (:User {user_id: 'x'})",
    "DROP TABLE User",
    "ALTER TABLE User ADD x STRING",
    "BEGIN TRANSACTION",
    "CHECKPOINT",
    "CALL threads = 1",
    "CALL project_graph('g', ['User'], ['FOLLOWS'])",
    "CALL show_attached_databases() RETURN *",
    "MATCH (u:User) RETURN u.user_id; MATCH (u:User) RETURN u.user_id",
    "MATCH (u:User) /* a */ CREATE /* b */ (:User)",
    "// MATCH\nLOAD FROM 'x' RETURN *",
]


@pytest.mark.parametrize("cypher", REFUSED)
def test_a_query_that_does_more_than_read_is_refused(store: EmbeddedStore, cypher: str) -> None:
    with pytest.raises(UsageError, match="a query that only reads the graph"):
        store.query(cypher)


@pytest.mark.parametrize(
    "cypher",
    [
        "MATCH (u:User) WHERE u.name = 'DROP TABLE; //' RETURN u.name",
        'MATCH (u:User) WHERE u.name = "it\\"s LOAD" RETURN u.name',
        "MATCH (u:User) RETURN u.name AS `set`",
        "CALL show_tables() RETURN *",
        "CALL table_info('User') RETURN *",
        "MATCH (u:User) RETURN u.name /* CREATE */ // COPY",
    ],
)
def test_words_in_strings_names_and_comments_are_not_clauses(
    store: EmbeddedStore, cypher: str
) -> None:
    check_reads_only(cypher)
    store.query(cypher)


def test_a_wrong_query_is_told_in_three_lines(store: EmbeddedStore) -> None:
    with pytest.raises(UsageError) as wrong:
        store.query("MATCH (u:Nobody) RETURN u")
    assert "Nobody" in wrong.value.found
    assert len(str(wrong.value).splitlines()) == 3


def test_a_long_query_is_stopped(store: EmbeddedStore) -> None:
    endless = "UNWIND range(1, 100000) AS x UNWIND range(1, 1000000) AS y RETURN sum(x * y)"
    with store._reader.graph() as graph, graph.connection() as connection:
        connection.set_query_timeout(200)
        from engine.backends.embedded.reader import to_arrow

        with pytest.raises(UsageError, match="it was not there after"):
            to_arrow(connection, endless, None)
        connection.set_query_timeout(60_000)


def test_threads_read_side_by_side(store: EmbeddedStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: store.users(["x:a"])["name"].to_pylist(), range(64)))
    assert found == [["A"]] * 64


def test_an_empty_store_has_an_empty_graph(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path) as empty:
        assert empty.query("MATCH (u:User) RETURN count(u) AS n")["n"].to_pylist() == [0]
        assert empty.users(["x:a"]).num_rows == 0
        assert all(f.ok for f in empty.doctor())
