"""Making a store in a database: once, beside whatever stands there, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from engine.backends.files.version import writer
from engine.backends.neo4j import graph_schema
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.lock import Held
from engine.backends.neo4j.manifest import Manifest
from engine.backends.neo4j.migrations import FORMAT, make, migrate
from engine.errors import ForeignData, ServerError, StoreDamaged, StoreNewer
from engine.model import NODES
from tests.servers.server import Neo4jServer


@pytest.fixture
def link(neo4j_empty: Neo4jServer) -> Iterator[Link]:
    opened = Link(neo4j_empty.address, neo4j_empty.settings(patience=5))
    yield opened
    opened.close()


def constraints(server: Neo4jServer) -> dict[str, tuple[str, ...]]:
    """Name each constraint and what is unique, as the server tells it."""
    rows = server.run("SHOW CONSTRAINTS YIELD name, labelsOrTypes, properties")
    return {r["name"]: (*r["labelsOrTypes"], *r["properties"]) for r in rows}


def everything(server: Neo4jServer) -> tuple[Any, ...]:
    """Return all that a database holds, to compare before and after."""
    return (
        server.run("MATCH (n) RETURN labels(n) AS l, properties(n) AS p ORDER BY elementId(n)"),
        server.run("MATCH ()-[r]->() RETURN type(r) AS t, properties(r) AS p"),
        server.run("SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties"),
        server.run("SHOW INDEXES YIELD name, type, labelsOrTypes, properties"),
    )


def test_a_store_is_made_once_however_many_make_it(neo4j_empty: Neo4jServer, link: Link) -> None:
    faults: list[BaseException] = []

    def one() -> None:
        with_own = Link(neo4j_empty.address, neo4j_empty.settings())
        try:
            make(with_own)
        except BaseException as fault:  # noqa: BLE001 - told in the main thread
            faults.append(fault)
        finally:
            with_own.close()

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    made = Manifest.read(link)
    assert made is not None
    assert made == Manifest(FORMAT, writer(), 0, settled=True, active=None, batches=())
    assert constraints(neo4j_empty) == {
        "kindred_unique_User": ("User", "user_id"),
        "kindred_unique_Brand": ("Brand", "brand_id"),
        "kindred_unique_Content": ("Content", "content_id"),
        "kindred_unique_Topic": ("Topic", "topic_id"),
        "kindred_unique_Community": ("Community", "community_id", "kindred_run"),
        "kindred_unique_Run": ("Run", "run_id"),
        **{k.name: (k.label, *k.properties) for k in graph_schema.keys()[len(NODES) :] if k.unique},
    }
    claims = "SHOW INDEXES YIELD name, labelsOrTypes, properties WHERE name = 'kindred_index_User'"
    assert neo4j_empty.run(f"{claims} RETURN labelsOrTypes + properties AS on") == [
        {"on": ["User", "kindred_claim"]}
    ]
    before = everything(neo4j_empty)
    make(link)
    assert migrate(link, made, wait=True) == []
    assert everything(neo4j_empty) == before
    graph_schema.drop(link)
    assert constraints(neo4j_empty) == {}


def test_a_strangers_other_data_are_left_alone(neo4j_empty: Neo4jServer, link: Link) -> None:
    neo4j_empty.run("CREATE CONSTRAINT mine FOR (p:Person) REQUIRE p.name IS UNIQUE")
    neo4j_empty.run("CREATE INDEX also_mine FOR (u:User) ON (u.age)")
    neo4j_empty.run("CREATE (:Person {name: 'Ana'})-[:LIKES {much: true}]->(:Fruit {kind: 'fig'})")
    before = everything(neo4j_empty)
    make(link)
    assert neo4j_empty.run("MATCH (s:kindred_Store) RETURN s.format AS format") == [
        {"format": FORMAT}
    ]
    graph_schema.drop(link)
    neo4j_empty.run("MATCH (s:kindred_Store) DELETE s")
    assert everything(neo4j_empty) == before


@pytest.mark.parametrize(
    ("there", "told"),
    [
        (
            "UNWIND range(1, 3) AS i CREATE (:User {user_id: 'x:' + i})",
            """\
wanted: to make a store on {address}
found: the database holds nodes labelled User that kindred did not write (nodes of that label: 3)
to do: name an empty database with --database, or read that graph where it is: kindred adopt""",
        ),
        (
            "CREATE (:Content {content_id: 'x:1', kindred_load: 4})",
            """\
wanted: to make a store on {address}
found: 1 nodes labelled Content are left of a store that was removed in part
to do: finish that: kindred remove --all""",
        ),
    ],
)
def test_data_under_kindreds_labels_are_refused(
    neo4j_empty: Neo4jServer, link: Link, there: str, told: str
) -> None:
    neo4j_empty.run(there)
    before = everything(neo4j_empty)
    with pytest.raises(ForeignData) as refused:
        make(link)
    assert str(refused.value) == told.replace("{address}", link.address)
    assert everything(neo4j_empty) == before


def test_the_same_promise_under_another_name_will_do(neo4j_empty: Neo4jServer, link: Link) -> None:
    neo4j_empty.run("CREATE CONSTRAINT people FOR (u:User) REQUIRE u.user_id IS UNIQUE")
    neo4j_empty.run(
        "CREATE CONSTRAINT circles FOR (c:Community) REQUIRE (c.community_id, c.kindred_run)"
        " IS UNIQUE"
    )
    make(link)
    found = constraints(neo4j_empty)
    assert found["people"] == ("User", "user_id")
    assert found["circles"] == ("Community", "community_id", "kindred_run")
    assert not {"kindred_unique_User", "kindred_unique_Community"} & set(found)
    assert graph_schema.missing(link) == []
    graph_schema.drop(link)
    assert set(constraints(neo4j_empty)) == {"people", "circles"}


@pytest.mark.parametrize(
    ("there", "told"),
    [
        (
            "CREATE CONSTRAINT kindred_unique_User FOR (p:Person) REQUIRE p.name IS UNIQUE",
            """\
wanted: to prepare the database for kindred: (:User {user_id}) unique, as kindred_unique_User
found: that name is taken by the uniqueness constraint kindred_unique_User on (:Person {name})
to do: drop it, or give it another name: DROP CONSTRAINT kindred_unique_User""",
        ),
        (
            "CREATE TEXT INDEX kindred_unique_Brand FOR (p:Person) ON (p.name)",
            """\
wanted: to prepare the database for kindred: (:Brand {brand_id}) unique, as kindred_unique_Brand
found: that name is taken by the text index kindred_unique_Brand on (:Person {name})
to do: drop it, or give it another name: DROP INDEX kindred_unique_Brand""",
        ),
        (
            "CREATE INDEX quick FOR (c:Content) ON (c.content_id)",
            """\
wanted: to prepare the database for kindred: (:Content {content_id}) unique
found: the range index quick on (:Content {content_id}) is in the way
to do: drop it, a unique one takes its place: DROP INDEX quick""",
        ),
    ],
)
def test_what_is_in_the_way_is_named_and_nothing_is_made(
    neo4j_empty: Neo4jServer, link: Link, there: str, told: str
) -> None:
    neo4j_empty.run(there)
    before = everything(neo4j_empty)
    with pytest.raises(ServerError) as refused:
        make(link)
    assert str(refused.value) == told
    assert everything(neo4j_empty) == before


def test_a_plain_index_under_kindreds_name_is_told_by_the_server(
    neo4j_empty: Neo4jServer, link: Link
) -> None:
    """It looks as the index of a constraint that another process is making."""
    neo4j_empty.run("CREATE INDEX kindred_unique_User FOR (u:User) ON (u.user_id)")
    before = everything(neo4j_empty)
    with pytest.raises(ServerError, match=r"(?s)There already exists an index.*SHOW INDEXES"):
        make(link)
    assert everything(neo4j_empty) == before


def test_a_text_index_on_a_key_is_no_hindrance(neo4j_empty: Neo4jServer, link: Link) -> None:
    neo4j_empty.run("CREATE TEXT INDEX words FOR (u:User) ON (u.user_id)")
    make(link)
    assert constraints(neo4j_empty)["kindred_unique_User"] == ("User", "user_id")


def test_a_promise_that_data_break_is_made_for_no_label(
    neo4j_empty: Neo4jServer, link: Link
) -> None:
    """Bookkeeping twice, as a restored backup of half a database may hold it."""
    neo4j_empty.run("UNWIND [1, 2] AS _ CREATE (:kindred_Store {name: 'kindred'})")
    before = everything(neo4j_empty)
    with pytest.raises(ServerError, match=r"kindred_Store"):
        make(link)
    assert everything(neo4j_empty) == before


def test_a_constraint_that_was_dropped_is_made_again(neo4j_empty: Neo4jServer, link: Link) -> None:
    make(link)
    before = constraints(neo4j_empty)
    neo4j_empty.run("DROP CONSTRAINT kindred_unique_Topic")
    made = Manifest.read(link)
    assert made is not None
    reader = Link(neo4j_empty.address, link.server, read_only=True)
    assert migrate(reader, made, wait=True) == []
    reader.close()
    assert constraints(neo4j_empty) != before
    assert migrate(link, made, wait=True) == []
    assert constraints(neo4j_empty) == before


def test_a_newer_store_is_left_alone_and_an_older_one_brought_forward(
    neo4j_empty: Neo4jServer, link: Link
) -> None:
    make(link)
    made = Manifest.read(link)
    assert made is not None
    newer = replace(made, format=FORMAT + 1, writer="9.9")
    with pytest.raises(StoreNewer, match=rf"in format {FORMAT + 1}, written by kindred 9\.9"):
        migrate(link, newer, wait=True)

    steps_taken: list[int] = []

    def step(held: Held) -> None:
        steps_taken.append(len(steps_taken))
        held.writing(lambda work: work.run("CREATE (:kindred_Changed)"), wanted="to change")
        if len(steps_taken) == 2:
            raise ServerError("to take a step", "it was interrupted", "run it again")

    steps = {FORMAT: step, FORMAT + 1: step}
    with pytest.raises(ServerError, match="interrupted"):
        migrate(link, made, wait=True, steps=steps, target=FORMAT + 2)
    half = Manifest.read(link)
    assert half is not None
    assert half.format == FORMAT + 1
    assert migrate(link, half, wait=True, steps=steps, target=FORMAT + 2) == [FORMAT + 1]
    assert migrate(link, half, wait=True, steps=steps, target=FORMAT + 2) == []
    done = Manifest.read(link)
    assert done == replace(made, format=FORMAT + 2)
    assert len(steps_taken) == 3
    with pytest.raises(StoreDamaged, match=f"no step leads out of format {FORMAT + 2}"):
        migrate(link, half, wait=True, steps=steps, target=FORMAT + 3)
