"""Rows in every format are the same rows, and files appear whole or not at all."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

import kindred
from engine.errors import DiskFull
from engine.results import RESULTS
from kindred import writing
from kindred.cli import main

Call = Callable[..., Any]
Binary = pytest.CaptureFixture[bytes]


@pytest.fixture(scope="module")
def scores(small_store: Path) -> pa.Table:
    with kindred.connect(small_store, create=False) as k:
        table: pa.Table = k.table("scores").to_arrow()
    assert table.num_rows > 100
    return table


def test_library_and_command_answer_alike(call: Call, desk: Path) -> None:
    with kindred.connect("kindred-data") as k:
        for words, result in (
            (("communities",), k.communities()),
            (("communities", "c1", "--members"), k.members("c1")),
            (("resonance",), k.scores()),
            (("resonance", "--community", "c1"), k.scores(community="c1")),
            (("influence", "--kind", "user"), k.influence(kind="user")),
            (("cascades",), k.cascades()),
            (("calibration",), k.calibration()),
        ):
            ended = call(*words, "--format", "json")
            assert ended.code == 0
            assert result.run_id
            out = io.BytesIO()
            writing.write(result.to_arrow(), out, "json")
            assert ended.out.encode() == out.getvalue()
            assert json.loads(ended.out)


@pytest.mark.parametrize("name", ["scores", "memberships", "communities", "authority", "cascades"])
def test_export_has_exactly_the_declared_columns(call: Call, desk: Path, name: str) -> None:
    assert call("export", name, "-o", f"{name}.parquet", "--quiet").code == 0
    assert pq.read_schema(f"{name}.parquet").names == RESULTS[name].schema.names
    assert call("export", name, "-o", f"{name}.csv", "--quiet").code == 0
    assert list(pd.read_csv(f"{name}.csv").columns) == RESULTS[name].schema.names


def test_export_formats_hold_the_same_rows(call: Call, desk: Path, scores: pa.Table) -> None:
    for suffix in ("parquet", "csv", "json", "jsonl"):
        assert call("export", "scores", "-o", f"s.{suffix}", "--quiet").code == 0
    assert pq.read_table("s.parquet").equals(scores)
    rows = json.loads(Path("s.json").read_text())
    assert rows == [json.loads(line) for line in Path("s.jsonl").read_text().splitlines()]
    assert rows == scores.to_pylist()
    read = pa_csv.read_csv(
        "s.csv",
        convert_options=pa_csv.ConvertOptions(
            column_types=scores.drop_columns("flags").schema,
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    plain = read.drop_columns("flags").cast(scores.drop_columns("flags").schema)
    assert plain.equals(scores.drop_columns("flags"))
    assert [json.loads(text) for text in read["flags"].to_pylist()] == scores["flags"].to_pylist()


def test_csv_takes_whatever_a_text_holds() -> None:
    nasty = ['a"b', "c,d", "e\nf", "", None, "é\u202e", "\x00"]
    table = pa.table({"text": nasty, "list": [[t, "x"] if t else None for t in nasty]})
    out = io.BytesIO()
    writing.write(table, out, "csv")
    options = pa_csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    read = pa_csv.read_csv(
        io.BytesIO(out.getvalue()),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=options,
    )
    assert read["text"].to_pylist() == nasty
    assert [t and json.loads(t) for t in read["list"].to_pylist()] == table["list"].to_pylist()


def test_sliced_lists_keep_their_members() -> None:
    table = pa.table({"list": [["a"], ["b", "c"], [], None, ["d"]]}).slice(1, 4)
    out = io.BytesIO()
    writing.write(table, out, "csv")
    assert out.getvalue().decode() == '"list"\n"[""b"",""c""]"\n"[]"\n\n"[""d""]"\n'


def test_a_full_disk_leaves_nothing(tmp_path: Path, scores: pa.Table) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with full.open("wb", buffering=0) as stream, pytest.raises(OSError, match="No space left"):
        writing.write(scores, stream, "jsonl")


def test_a_failed_write_leaves_the_file_before(
    tmp_path: Path, scores: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text("before")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(DiskFull):
        writing.write_file(scores, path, force=True)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["s.jsonl"]


def test_parquet_on_a_pipe_is_parquet(desk: Path, capfdbinary: Binary) -> None:
    assert main(["communities", "--format", "parquet"]) == 0
    with kindred.connect("kindred-data") as k:
        expected = k.communities().to_arrow()
    assert pq.read_table(io.BytesIO(capfdbinary.readouterr().out)).equals(expected)
