"""How the tests of the command line call it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kindred.cli import main
from kindred.settings import Settings

SET = ("KINDRED_NO_WAIT", *(f"KINDRED_{name.upper()}" for name in Settings.model_fields))


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> list[str]:
        """Lines on stderr."""
        return self.err.splitlines()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SET:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run a command in this process."""

    def run(*words: object) -> Ended:
        code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        return Ended(code, out, err)

    return run


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a command in a process of its own, and end it with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "kindred", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def desk(
    tmp_path: Path, small_store: Path, small_export: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A working folder as in the examples: a store, an export and an edge list."""
    shutil.copytree(small_store, tmp_path / "kindred-data")
    shutil.copytree(small_export, tmp_path / "export")
    (tmp_path / "edges.csv").write_text("from,to\nann,bob\nbob,cid\ncid,ann\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path
