"""compare: two runs in words, tables and rows, the same on the command line and in the library."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import kindred
from engine.comparison import PARTS
from engine.contract import Backend, RunInfo, RunTables
from engine.results import RESULTS
from kindred import writing

Call = Callable[..., Any]
LOUDER: Final = 30.0
"""Points by which the first scores of the second run are higher."""


def again_with_other_scores(store: Backend) -> RunInfo:
    """Publish the active run once more under another seed, the first three scores raised."""
    run = store.run()
    tables = {name: store.read(name) for name in RESULTS}
    scores = tables["scores"]
    known = pc.and_(scores["quadrant"].is_valid(), scores["community_id"].is_valid())
    chosen = pc.fill_null(known, False).to_numpy(zero_copy_only=False)
    chosen &= chosen.cumsum() <= 3
    for place, name in enumerate(scores.column_names):
        column = scores[name].combine_chunks()
        if name in {"resonance", "resonance_low", "resonance_high"}:
            column = pc.if_else(pa.array(chosen), pc.add(column, LOUDER), column)
        if name == "quadrant":
            column = pc.if_else(pa.array(chosen), pa.scalar("leader"), column)
        scores = scores.set_column(place, scores.schema.field(name), column)
    tables["scores"] = scores
    params = run.params.model_copy(update={"seed": run.params.seed + 1})
    return store.publish(
        RunTables(params, run.fingerprint, run.tier, tables, run.timings, run.counts)
    )


@pytest.fixture
def runs(desk: Path) -> tuple[str, str]:
    """The run of the desk's store, and a second one that is active."""
    with kindred.connect("kindred-data") as k:
        first = k.backend.run()
        return first.run_id, again_with_other_scores(k.backend).run_id


def test_library_and_command_answer_alike(call: Call, desk: Path, runs: tuple[str, str]) -> None:
    with kindred.connect("kindred-data") as k:
        found = k.compare(*runs)
        assert found.to_arrow().equals(k.compare().to_arrow())
        changed = k.compare(changed=True, limit=2).scores
    parts = {"summary": found, "communities": found.communities, "scores": found.scores}
    for part, rows in parts.items():
        assert rows.to_arrow().schema == PARTS[part].schema
        ended = call("compare", *runs, "--part", part, "--format", "jsonl")
        out = io.BytesIO()
        writing.write(rows.to_arrow(), out, "jsonl")
        assert (ended.code, ended.out.encode()) == (0, out.getvalue())
    ended = call("compare", "--part", "scores", "--changed", "-n", "2", "--format", "json")
    assert json.loads(ended.out) == changed.to_arrow().to_pylist()
    assert len(changed) == 2


def test_the_raised_scores_come_first_with_both_intervals(
    desk: Path, runs: tuple[str, str]
) -> None:
    with kindred.connect("kindred-data") as k:
        found = k.compare()
        scores = found.scores.to_dicts()
        before = {
            (r["source_id"], r["community_id"]): r
            for r in k.table("scores", run=runs[0]).to_dicts()
        }
    raised = scores[:3]
    assert [row["difference"] for row in raised] == pytest.approx([LOUDER] * 3)
    for row in raised:
        was = before[row["source_id"], row["community_id"]]
        assert row["changed"] == (was["quadrant"] != "leader")
        for name in ("resonance", "resonance_low", "resonance_high"):
            assert row[name] == was[name]
            assert row[f"other_{name}"] == pytest.approx(was[name] + LOUDER)
    assert all(row["difference"] in {0.0, None} for row in scores[3:])
    assert (found.run_id, found.title) == (runs[0], "The same communities.")


def test_a_person_is_told_all_three_parts(call: Call, desk: Path, runs: tuple[str, str]) -> None:
    ended = call("compare", "--limit", "3")
    assert ended.code == 0
    assert ended.out.splitlines()[0] == "The same communities."
    assert f"communities, {runs[0]} against {runs[1]}" in ended.out
    assert f"affinity (exposure unknown), {runs[0]} against {runs[1]}" in ended.out
    assert "The same data." in ended.out
    assert "loud, strong affinity" in ended.out
    assert "leader" not in ended.out


def test_runs_of_two_stores(call: Call, desk: Path) -> None:
    shutil.copytree("kindred-data", "last-week")
    ended = call("compare", "--other-store", "last-week", "--format", "json")
    rows = {(r["topic"], r["name"]): r for r in json.loads(ended.out)}
    assert rows["verdict", "communities"]["text"] == "The same communities."
    assert rows["scores", "changed"]["figure"] == 0


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("compare",), "found: the store has no other"),
        (("compare", "r-none", "r-other"), "wanted: the run r-none"),
        (("compare", "--other-store", "nowhere"), "wanted: the store nowhere"),
    ],
)
def test_what_cannot_be_compared_is_told_in_three_lines(
    call: Call, desk: Path, words: tuple[str, ...], fault: str
) -> None:
    ended = call(*words)
    assert (ended.code, ended.out) == (1, "")
    assert fault in ended.told
    assert len(ended.told) == 3
