"""Every example of every help page runs."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from engine.backends.embedded.store import EmbeddedStore
from kindred.cli import analysing
from kindred.cli.app import app
from tests.cli.test_compare import again_with_other_scores
from tests.follows import learn_follows

Call = Callable[..., Any]

ELSEWHERE = {"adopt", "demo", "serve"}
"""Proven by tests of their own: two serve until they are stopped, one needs a server."""


def examples() -> list[str]:
    group: Any = typer.main.get_command(app)
    commands = {**group.commands, "analyse": analysing.command("analyse")}
    found = []
    for name in sorted(commands):
        if name not in ELSEWHERE and commands[name].epilog:
            found += re.findall(r"^\$ (kindred .*)$", commands[name].epilog, re.MULTILINE)
    return found


def test_there_are_examples_for_every_command() -> None:
    assert {e.split()[1] for e in examples()} == {
        "load", "formats", "analyse", "communities", "resonance", "influence", "reach", "seeds",
        "cascades", "calibration", "validate", "view", "export", "query", "runs", "compare",
        "doctor", "remove", "why", "scorecard", "bundle", "replay",
    }  # fmt: skip


def compared(desk: Path) -> None:
    """Beside the store its copy of last week, and in it a second run of other scores."""
    shutil.copytree(desk / "kindred-data", desk / "last-week")
    with EmbeddedStore.open(desk / "kindred-data") as store:
        again_with_other_scores(store)


@pytest.mark.parametrize("example", examples())
def test_example(call: Call, desk: Path, example: str) -> None:
    if " compare" in example or "last-week" in example:
        compared(desk)
    if "--series" in example:
        assert call("analyse", "--every", "14d", "--rewirings", 0, "--no-split", "-q").code == 0
    if " replay " in example:
        assert call("bundle", "-o", "paper.zip", "-q").code == 0
    if example.startswith("kindred seeds"):
        learn_follows(desk / "kindred-data", desk / "follows")
    line, _, target = re.sub(r" > (\S+\.\w+)$", "\t\\1", example).partition("\t")
    if "--force" in line:
        (desk / "communities.jsonl").write_text("there already")
    ended = call(*shlex.split(line)[1:])
    assert ended.code in ((0, 3) if "--strict" in line else (0,)), ended.err
    assert "wanted:" not in ended.err
    written = shlex.split(line)
    if "-o" in written:
        assert (desk / written[written.index("-o") + 1]).exists()
    elif not target:
        assert ended.out
