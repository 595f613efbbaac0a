"""A progress bar with the time left, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Self

from engine.progress import Progress, silent

__all__ = ["bar"]


@contextmanager
def bar(*, quiet: bool = False) -> Iterator[Progress]:
    """Show progress while the block runs, and leave no trace of it behind.

    Where stderr is not a terminal only the reason for waiting is printed.
    """
    if quiet:
        yield silent
    elif not sys.stderr.isatty():
        yield _WaitingOnly()
    else:
        with _Bar() as shown:
            yield shown


class _WaitingOnly:
    """Say once what is waited for."""

    def __init__(self) -> None:
        self._told = ""

    def __call__(self, stage: str, *_: object, **__: object) -> None:
        if stage.startswith("waiting") and stage != self._told:
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
                self._line.reset(self._task, description=stage, total=total)
            self._line.update(self._task, completed=done, total=total)

    def __enter__(self) -> Self:
        self._line.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._line.stop()
