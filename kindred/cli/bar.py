"""A progress bar with the time left, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final, Self

from engine.progress import Progress, silent

__all__ = ["bar"]


@contextmanager
def bar(*, quiet: bool = False) -> Iterator[Progress]:
    """Show progress while the block runs, and leave no trace of it behind.

    Only who computes stays in sight, where a server could; where stderr is not a terminal,
    that and the reason for waiting are all that is printed.
    """
    if quiet:
        yield silent
    elif not sys.stderr.isatty():
        yield _LinesOnly()
    else:
        with _Bar() as shown:
            yield shown


_ENGINE: Final = "engine: "
"""How the line begins that says who computes, and why."""


class _LinesOnly:
    """Say once what is waited for, and who computes."""

    def __init__(self) -> None:
        self._told = ""

    def __call__(self, stage: str, *_: object, **__: object) -> None:
        if stage.startswith(("waiting", _ENGINE)) and stage != self._told:
            self._told = stage
            sys.stderr.write(f"{stage}\n")
            sys.stderr.flush()


class _Bar:
    """One line: the stage, how much of it is done, and the time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            SpinnerColumn,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import (
            Progress as Line,
        )

        self._line = Line(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._line.add_task("", total=None)
        self._stage = ""
        self._lock = Lock()

    def __call__(self, stage: str, done: float = 0, total: float | None = None) -> None:
        with self._lock:
            if stage != self._stage:
                self._stage = stage
                if stage.startswith(_ENGINE):
                    self._line.console.print(stage, markup=False, highlight=False)
                self._line.reset(self._task, description=stage, total=total)
            self._line.update(self._task, completed=done, total=total)

    def __enter__(self) -> Self:
        self._line.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._line.stop()
