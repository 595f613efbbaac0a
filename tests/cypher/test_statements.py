"""Every statement has a header that tells the truth, and runs."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

import cypher
from cypher import ROOMS, parse, statement, statements
from engine.backends.embedded.guard import check_reads_only
from engine.backends.embedded.store import EmbeddedStore
from tests.engine.backends.worlds import START, load, small_run, world

VALUES: dict[str, object] = {"id": "x:a", "ids": ["x:a"], "limit": 5}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with EmbeddedStore.open(tmp_path_factory.mktemp("statements")) as made:
        load(made, world(content=[{"content_id": "x:p", "author_id": "x:a", "created_at": START}]))
        made.publish(small_run(made))
        yield made


def test_every_file_is_found_and_every_folder_is_a_room() -> None:
    root = Path(str(resources.files(cypher)))
    files = sorted(root.rglob("*.cypher"))
    assert sorted(p.stem for p in files) == [*statements()]
    assert {p.parent.name for p in files} == set(ROOMS)


@pytest.mark.parametrize("name", statements())
def test_a_statement_reads_only_and_returns_what_it_says(name: str, store: EmbeddedStore) -> None:
    found = statement(name)
    check_reads_only(found.text)
    answer = store.statement(name, {p: VALUES[p] for p in found.parameters})
    assert answer.column_names == [*found.returns]


HEADER = "// name: one\n// about: is one\n// parameters: {}\n// returns: n\n"


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("one.cypher", "RETURN 1 AS n", "the header has no name, about, parameters, returns"),
        ("two.cypher", HEADER.format("none") + "RETURN 1 AS n", "the header calls it one"),
        ("one.cypher", HEADER.format("none") + "RETURN $n AS n", "names the parameters \\(\\)"),
        ("one.cypher", HEADER.format("n (INT64)") + "RETURN '$n' AS n", "the text uses \\(\\)"),
    ],
)
def test_a_header_that_does_not_tell_the_truth(file: str, text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parse(file, text)


def test_an_unknown_statement_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"no statement 'nothing'; there are .*ego_in, ego_out"):
        statement("nothing")
