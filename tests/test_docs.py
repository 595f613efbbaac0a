"""What the README and the documentation tell a reader to type works, as it stands there."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

import kindred
from kindred.cli import main
from tests.servers.server import Neo4jServer

ROOT = Path(__file__).resolve().parent.parent
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WRITTEN = [*DOCS, *sorted((ROOT / "docs" / "decisions").glob("*.md"))]

BLOCK = re.compile(r"^ {4}(?:\$ )?(?:\.venv/bin/)?(kindred .+)$", re.MULTILINE)
FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
FENCED_LINE = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?(kindred .+)$", re.MULTILINE)
PLACEHOLDER = re.compile(r"\{[A-Z][A-Z_0-9]*\}")
ELSEWHERE = {"serve", "demo"}
"""Proven by tests of their own: they serve until they are stopped."""


def lines(text: str) -> list[list[str]]:
    """Return the commands in the blocks of a page, as words, without what opens a browser."""
    found = BLOCK.findall(text)
    for block in FENCED.findall(text):
        found += FENCED_LINE.findall(block)
    words = [shlex.split(line, comments=True)[1:] for line in found]
    return [[w for w in line if w != "--open"] for line in words if line[0] not in ELSEWHERE]


SERVER = re.compile(r"neo4j://\S+")


def commands(*, on_a_server: bool = False) -> list[tuple[str, str]]:
    return [
        (page.name, shlex.join(words))
        for page in DOCS
        for words in lines(page.read_text(encoding="utf-8"))
        if bool(SERVER.search(shlex.join(words))) == on_a_server
    ]


@pytest.fixture
def desk(
    tmp_path: Path, small_store: Path, small_export: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A working folder with the files the pages speak of, and an analysed store."""
    sample = ROOT / "tests" / "fixtures" / "exports" / "x-api-v2" / "two_tweets.jsonl"
    shutil.copy(sample, tmp_path / "export.jsonl")
    shutil.copytree(small_export, tmp_path / "folder-of-tables")
    shutil.copytree(small_store, tmp_path / "kindred-data")
    (tmp_path / "edges.csv").write_text("from,to,weight\nann,bob,2\nbob,cid,1\n", encoding="utf-8")
    monkeypatch.delenv("KINDRED_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_commands_are_found_in_every_kind_of_block() -> None:
    page = (
        "Text: kindred no.\n\n    .venv/bin/kindred view --open  # pages\n    kindred serve\n\n"
        '```sh\n$ kindred load e.csv --direction "from engages to"\n```\n'
    )
    assert lines(page) == [["view"], ["load", "e.csv", "--direction", "from engages to"]]
    assert {page for page, _ in commands()} >= {"README.md", "index.md", "loading.md"}


@pytest.mark.parametrize(("page", "command"), commands())
def test_what_a_page_says_to_type_works(
    desk: Path, capfd: pytest.CaptureFixture[str], page: str, command: str
) -> None:
    code = main(shlex.split(command))
    out, err = capfd.readouterr()
    assert code == 0, f"{page}: kindred {command}\n{err}"
    assert "wanted:" not in err
    assert out + err


@pytest.fixture
def analysed_server(
    neo4j_empty: Neo4jServer, small_export: Path, monkeypatch: pytest.MonkeyPatch
) -> Neo4jServer:
    """A server that holds the small export, and somebody's own people and tweets."""
    neo4j_empty.run(
        "CREATE (p:Person {name: 'ana'})-[:RETWEETED {when: datetime()}]->(:Tweet {no: 1})"
    )
    for label, key in (("Person", "name"), ("Tweet", "no")):
        neo4j_empty.run(f"CREATE CONSTRAINT FOR (n:{label}) REQUIRE n.{key} IS UNIQUE")
    monkeypatch.setenv("KINDRED_NEO4J_USER", neo4j_empty.user)
    monkeypatch.setenv("KINDRED_NEO4J_PASSWORD", neo4j_empty.password)
    with kindred.connect(neo4j_empty.address) as k:
        k.load(small_export)
    return neo4j_empty


def test_what_a_page_says_to_type_works_on_a_server(
    analysed_server: Neo4jServer, capfd: pytest.CaptureFixture[str]
) -> None:
    told = commands(on_a_server=True)
    assert {shlex.split(command)[0] for _, command in told} == {"adopt", "analyse"}
    for page, command in told:
        code = main(shlex.split(SERVER.sub(analysed_server.address, command)))
        out, err = capfd.readouterr()
        assert code == 0, f"{page}: kindred {command}\n{err}"
        assert out


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_no_figure_is_left_to_fill_in(page: Path) -> None:
    assert PLACEHOLDER.findall(page.read_text(encoding="utf-8")) == []
