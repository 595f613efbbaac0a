"""Every example of every help page runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from kindred.cli import analysing
from kindred.cli.app import app

Call = Callable[..., Any]

ELSEWHERE = {"demo", "serve"}
"""Proven by tests of their own: they serve until they are stopped."""


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
        "load", "formats", "analyse", "communities", "resonance", "influence", "cascades",
        "calibration", "view", "export", "query", "runs", "doctor",
    }  # fmt: skip


@pytest.mark.parametrize("example", examples())
def test_example(call: Call, desk: Path, example: str) -> None:
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
