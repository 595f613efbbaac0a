"""What goes wrong is said in three lines, with an exit code, and nothing is half done."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kindred

Call = Callable[..., Any]

SIGNS = "\x1b\x07\u202e"
"""Signs that move a terminal's cursor, ring its bell, turn its writing round."""
EDGES = "source,target\n" + "".join(f"a{i},b{i}\n" for i in range(2_000))
EDGE_LIST = ("load", "edges.csv", "--kind", "share", "--direction", "forward")
FILES = {
    "empty.csv": b"",
    "unknown.txt": b"what is this\nI wonder\n",
    "columns.csv": b"colour,size,price,shape\nred,1,2.5,round\n",
    "cut.csv.gz": gzip.compress(EDGES.encode())[:-200],
    "page.html": b"<!doctype html><html><body>no data</body></html>",
    "mangled.csv": b"user_id,content_id\n5.70306E+17,1.2E+18\n5.70307E+17,1.3E+18\n",
}


@pytest.fixture(scope="module")
def hostile_store(small_export: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which every name is an attack on whoever prints it."""
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copytree(small_export, folder / "export")
    users = folder / "export" / "users.csv"
    text = users.read_text(encoding="utf-8")
    hostile = "<img onerror=alert(1)>\x1b[31m\x1b]0;mine\x07\u202e"
    users.write_text(text.replace("Person ", f"{hostile} "), encoding="utf-8")
    with kindred.connect(folder / "store") as k:
        k.load(folder / "export")
        k.analyse(rewirings=0, ensemble=0, split=None)
    return folder / "store"


def refused(ended: Any, code: int = 1) -> dict[str, str]:
    """Check that an error is three lines and no more, and return them."""
    assert ended.code == code
    assert [line.split(":")[0] for line in ended.told] == ["wanted", "found", "to do"]
    assert "Traceback" not in ended.err
    wanted, found, todo = (line.partition(": ")[2] for line in ended.told)
    assert wanted
    assert found
    assert todo
    return {"wanted": wanted, "found": found, "todo": todo}


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_bad_file(call: Call, tmp_path: Path, name: str) -> None:
    path = tmp_path / ("shares.csv" if name == "mangled.csv" else name)
    path.write_bytes(FILES[name])
    store = tmp_path / "store"
    said = refused(call("load", path, "--store", store))
    assert path.name in said["wanted"] + said["found"]
    if store.exists():
        assert call("runs", "--store", store, "--format", "csv").code == 0
        assert refused(call("analyse", "--store", store))["found"] == "the store is empty"


def test_a_missing_file_makes_no_store(call: Call, tmp_path: Path) -> None:
    said = refused(call("load", tmp_path / "nothing.csv", "--store", tmp_path / "store"))
    assert "no such file" in said["found"]
    assert not (tmp_path / "store").exists()


def test_a_bad_file_leaves_the_store_as_before(call: Call, desk: Path) -> None:
    before = (desk / "kindred-data" / "manifest.json").read_bytes()
    Path("shares.csv").write_bytes(FILES["mangled.csv"])
    refused(call("load", "shares.csv"))
    assert (desk / "kindred-data" / "manifest.json").read_bytes() == before


def test_wrong_columns_names_those_that_exist(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "shares.csv").write_text("user_id,thing,price\nann,p1,2\n")
    said = refused(call("load", folder, "--store", tmp_path / "s"))
    assert "content_id" in said["wanted"] + said["found"]
    assert "thing" in said["found"]


def test_an_unknown_format_names_the_known(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(FILES["columns.csv"])
    said = refused(call("load", path, "--store", tmp_path / "s", "--from-format", "xls"), code=2)
    assert "coortweet" in said["todo"]


def test_no_store(call: Call, tmp_path: Path) -> None:
    for command in ("runs", "communities", "analyse", "doctor", "serve"):
        said = refused(call(command, "--store", tmp_path / "none"))
        assert "kindred load" in said["todo"]
    assert not (tmp_path / "none").exists()


def test_a_store_without_a_run(call: Call, desk: Path) -> None:
    assert call(*EDGE_LIST, "--store", "fresh", "--quiet").code == 0
    assert "kindred analyse" in refused(call("communities", "--store", "fresh"))["todo"]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("communities", "--run", "r-nope"), "r-nope"),
        (("communities", "c99"), "c99"),
        (("communities", "c99", "--members"), "c99"),
        (("resonance", "Person 1x"), "Person 1x"),
        (("resonance", "--community", "c99"), "c99"),
        (("influence", "nobody"), "nobody"),
        (("cascades", "x:none"), "x:none"),
        (("export", "scores", "-o", "s.csv", "--run", "r-nope"), "r-nope"),
    ],
)
def test_an_unknown_name(call: Call, desk: Path, words: tuple[str, ...], named: str) -> None:
    assert named in refused(call(*words))["wanted"]
    assert not Path("s.csv").exists()


def test_an_unknown_source_names_what_is_near(call: Call, desk: Path) -> None:
    assert "Person 1" in refused(call("resonance", "Persson 1"))["found"]


def test_a_newer_store(call: Call, desk: Path) -> None:
    Path("kindred-data/store.json").write_text(json.dumps({"format": 99, "writer": "9.0"}))
    assert "9.0" in refused(call("communities"))["found"]
    refused(call(*EDGE_LIST))
    assert json.loads(Path("kindred-data/store.json").read_text())["format"] == 99


@pytest.mark.parametrize(
    "words",
    [
        ("communities", "--limit", "0"),
        ("communities", "--members"),
        ("communities", "--format", "xml"),
        ("comunities",),
        ("load",),
        ("analyse", "--folds", "1"),
        ("analyse", "--gamma", "-1"),
        ("analyse", "--ties", "love"),
        ("query", "MATCH (u:User) RETURN u.user_id", "--param", "x"),
        ("export", "nothing", "-o", "a.csv"),
        ("export", "scores", "-o", "a.xls"),
        ("export", "scores", "-o", "no/folder/a.csv"),
        ("serve", "--host", "0.0.0.0"),  # noqa: S104 - that it is refused is the test
        ("serve", "--host", "192.168.1.5"),
        ("serve", "--host", "example.org"),
        ("serve", "--port", "70000"),
    ],
)
def test_wrong_usage(call: Call, desk: Path, words: tuple[str, ...]) -> None:
    refused(call(*words), code=2)


def test_a_query_that_writes_is_refused(call: Call, desk: Path) -> None:
    said = call("query", "MATCH (u:User) DELETE u")
    assert said.code in (1, 2)
    assert len(said.told) == 3
    assert (
        call("query", "MATCH (u:User) RETURN count(u) AS n", "--format", "csv").out == '"n"\n120\n'
    )


def test_export_keeps_a_file_that_is_there(call: Call, desk: Path) -> None:
    Path("scores.csv").write_text("mine")
    refused(call("export", "scores", "-o", "scores.csv"), code=2)
    assert Path("scores.csv").read_text() == "mine"
    assert call("export", "scores", "-o", "scores.csv", "--force", "--quiet").err == ""
    assert Path("scores.csv").read_text().startswith('"source_kind","source_id","community_id"')


def test_debug_shows_where(call: Call, desk: Path) -> None:
    ended = call("communities", "c99", "--debug")
    assert ended.code == 1
    assert "Traceback" in ended.err
    assert ended.told[-3].startswith("wanted: ")


def test_strict_ends_with_3_when_rows_are_rejected(call: Call, desk: Path) -> None:
    ended = call("load", "export", "--store", "strict", "--strict", "--format", "jsonl")
    assert ended.code == 3
    rejected = [row for row in map(json.loads, ended.out.splitlines()) if row["reason"]]
    assert [(row["reason"], row["rows"]) for row in rejected] == [("time", 1)]
    assert call("load", "export", "--store", "lax").code == 0
    assert call(*EDGE_LIST, "--store", "well", "--strict").code == 0
    kept = call("export", "rejects", "-o", "r.jsonl", "--store", "strict")
    assert kept.code == 0
    (row,) = map(json.loads, Path("r.jsonl").read_text().splitlines())
    assert "no time at all" in row["raw"]


@pytest.mark.parametrize(
    "words",
    [
        ("influence", "x:u008", "--kind", "user"),
        ("influence",),
        ("communities",),
        ("communities", "c1"),
        ("communities", "c1", "--members"),
        ("resonance", "--community", "c1"),
        ("analyse", "--rewirings", "0", "--no-split"),
    ],
)
def test_a_hostile_name_reaches_no_terminal(
    call: Call, hostile_store: Path, words: tuple[str, ...]
) -> None:
    ended = call(*words, "--store", hostile_store)
    assert ended.code == 0
    assert "onerror" in ended.out
    assert not any(sign in ended.out + ended.err for sign in SIGNS)


def test_a_hostile_name_in_an_error_reaches_no_terminal(call: Call, desk: Path) -> None:
    ended = call("influence", f"nobody{SIGNS}")
    refused(ended)
    assert "nobody" in ended.err
    assert not any(sign in ended.err for sign in SIGNS)
