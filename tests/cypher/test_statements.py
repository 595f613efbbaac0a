"""Every statement of every room has a header that tells the truth, and runs where it says."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import neo4j as driver
import pytest

import cypher
from cypher import ROOMS, Dialect, Statement, parse, quoted, statement, statements
from cypher.path import parse_path
from engine.backends.embedded.guard import check_reads_only
from engine.backends.embedded.store import EmbeddedStore
from engine.backends.neo4j import guard
from engine.backends.neo4j.reader import TYPES
from tests.engine.backends.worlds import START, load, small_run, world
from tests.servers.server import Neo4jServer

ROOT = Path(str(resources.files(cypher)))
FILES = sorted(ROOT.rglob("*.cypher"))
VALUES: dict[str, object] = {"id": "x:a", "ids": ["x:a"], "limit": 5}


def dialect(file: Path) -> Dialect | None:
    """Whose Cypher a file holds: the middle of its name."""
    said = file.name.split(".")[1:-1]
    dialects: dict[tuple[str, ...], Dialect | None] = {(): None, ("neo4j",): "neo4j"}
    return dialects[tuple(said)]


def of_room(name: str) -> list[str]:
    return [n for n, s in statements().items() if s.room == name]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with EmbeddedStore.open(tmp_path_factory.mktemp("statements")) as made:
        load(made, world(content=[{"content_id": "x:p", "author_id": "x:a", "created_at": START}]))
        made.publish(small_run(made))
        yield made


def test_every_folder_is_a_room_and_every_file_is_found() -> None:
    assert {p.parent.name for p in FILES} == set(ROOMS)
    for file in FILES:
        found = statement(file.name.split(".")[0], dialect(file))
        assert (found.text, found.room) == (file.read_text(encoding="utf-8"), file.parent.name)


def test_a_name_stands_for_one_thing_whoever_s_cypher_it_is() -> None:
    said: dict[str, set[tuple[str, frozenset[str], tuple[str, ...]]]] = {}
    for file in FILES:
        one = parse(file.name, file.read_text(encoding="utf-8"), file.parent.name)
        said.setdefault(one.name, set()).add((one.room, frozenset(one.parameters), one.returns))
    assert {name: kinds for name, kinds in said.items() if len(kinds) > 1} == {}


def test_a_dialect_s_own_statement_takes_the_place_of_the_shared_one() -> None:
    shared, own = statement("users"), statement("users", "neo4j")
    assert "CAST" in shared.text
    assert "CAST" not in own.text
    assert statement("user_content", "neo4j") == statement("user_content")
    assert set(statements()) <= set(statements("neo4j"))
    assert of_room("read") == [*statements()]


@pytest.mark.parametrize("name", of_room("read"))
def test_a_reading_statement_only_reads_and_returns_what_it_says(
    name: str, store: EmbeddedStore
) -> None:
    found = statement(name)
    check_reads_only(found.text)
    guard.check_reads_only(statement(name, "neo4j").text)
    answer = store.statement(name, {p: VALUES[p] for p in found.parameters})
    assert answer.column_names == [*found.returns]
    assert answer.schema.types == [TYPES[column] for column in found.returns]


def explained(one: Statement) -> str:
    """The text with every slot filled by something, after EXPLAIN: planned, never run."""
    path, start = parse_path("(:User)-[:SHARED]->(:Content)"), parse_path("(:User)")
    filled = {i: {"path": path, "start": start}.get(i, "user_id") for i in one.identifiers}
    return f"EXPLAIN {one.named(**filled)}"


def test_a_server_can_plan_every_statement_and_it_returns_what_it_says(neo4j: Neo4jServer) -> None:
    wrong: dict[str, object] = {}
    with neo4j.driver.session() as session:
        for name, one in statements("neo4j").items():
            try:
                result = session.run(explained(one), dict.fromkeys(one.parameters))
                keys = tuple(result.keys()) or ("none",)
                result.consume()
            except driver.exceptions.Neo4jError as fault:
                wrong[name] = fault.message
                continue
            if set(keys) != set(one.returns):
                wrong[name] = (keys, one.returns)
    assert wrong == {}


HEADER = "// name: one\n// about: is one\n// parameters: {}\n// returns: n\n"
SLOT = HEADER.format("none") + "// identifiers: {}\n"


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("one.cypher", "RETURN 1 AS n", "the header has no name, about, parameters, returns"),
        ("two.cypher", HEADER.format("none") + "RETURN 1 AS n", "the header calls it one"),
        ("two.neo4j.cypher", HEADER.format("none") + "RETURN 1 AS n", "the header calls it one"),
        ("one.cypher", HEADER.format("none") + "RETURN $n AS n", "names the parameters \\(\\)"),
        ("one.cypher", HEADER.format("n (INT64)") + "RETURN '$n' AS n", "the text uses \\(\\)"),
        ("one.cypher", SLOT.format("a") + "RETURN 1 AS n", "names the identifiers \\('a',\\)"),
        (
            "one.cypher",
            HEADER.format("none") + "MATCH (n:{{{{label}}}}) RETURN n",
            "the text uses \\('label',\\)",
        ),
    ],
)
def test_a_header_that_does_not_tell_the_truth(file: str, text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parse(file, text.replace("{{{{", "{{").replace("}}}}", "}}"))


def test_slots_are_filled_with_quoted_names_and_all_of_them() -> None:
    one = parse(
        "one.cypher", SLOT.format("label type") + "MATCH (n:{{label}})-[:{{type}}]->() RETURN n"
    )
    assert (
        one.named(label="A B", type="it`s").splitlines()[-1]
        == "MATCH (n:`A B`)-[:`it``s`]->() RETURN n"
    )
    with pytest.raises(ValueError, match=r"slots \('label', 'type'\), given \('label',\)"):
        one.named(label="A")


@pytest.mark.parametrize("name", ["User", "two words", "it`s", "a\\u0060b", "``", "\\", "$id // x"])
def test_a_quoted_name_is_that_name_to_a_server(neo4j: Neo4jServer, name: str) -> None:
    with neo4j.driver.session() as session:
        record = session.run(f"RETURN {{{quoted(name)}: 1}} AS m").single(strict=True)
    assert record["m"] == {name: 1}


def test_an_unknown_statement_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"no statement 'nothing'; there are .*ego_in, ego_out"):
        statement("nothing")
