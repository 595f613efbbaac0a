"""`kindred validate`: the rows of the library, nothing written unless asked, errors in words."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kindred
from engine.baselines import RIVALS

Call = Callable[..., Any]


def files(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_rows_are_those_of_the_library_and_the_store_stays_as_it_was(
    call: Call, desk: Path
) -> None:
    before = files(desk / "kindred-data")
    ended = call("validate", "--sources", "user", "--format", "json", "-o", "out")
    assert ended.code == 0, ended.err
    with kindred.connect("kindred-data") as k:
        found = k.validate(sources=["user"])
    assert json.loads(ended.out) == found.to_dicts()
    assert {row["rival"] for row in found} == set(RIVALS)
    for name, rows in {
        "rivals": found,
        "calibration": found.calibration,
        "calibration_bins": found.bins,
    }.items():
        with (desk / "out" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            header, *lines = csv.reader(file)
        assert header == rows.columns
        assert len(lines) == len(rows)
    assert files(desk / "kindred-data") == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--split", "soon"), "wanted: a split at 'soon'"),
        (("--split", "99%"), "split"),
        (("--sources", "planet"), "planet"),
        (("--split", "90%", "--sources", "user"), "1,000 are needed"),
    ],
)
def test_what_cannot_be_validated_is_said_in_three_lines(
    call: Call, desk: Path, words: tuple[str, ...], said: str
) -> None:
    ended = call("validate", "--quiet", *words)
    assert ended.code in (1, 2)
    assert said in ended.err
    assert len(ended.told) == 3
