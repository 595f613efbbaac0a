"""One writer a store: a lock file that names its holder."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import StoreLocked
from engine.progress import Progress, silent

__all__ = ["holder", "writer_lock"]

_POLL_SECONDS = 0.1


def holder(path: Path) -> str:
    """Return the words in which the last holder of the lock described itself."""
    try:
        return path.read_text(encoding="utf-8").strip() or "another process"
    except FileNotFoundError:
        return "another process"


@contextmanager
def writer_lock(path: Path, *, wait: bool, progress: Progress = silent) -> Iterator[None]:
    """Hold the store's writer lock.

    Parameters
    ----------
    path
        The lock file; made where there is none, and never removed, so that all
        processes lock the same file.
    wait
        Wait for the writer before us, saying its name through `progress`; otherwise
        `StoreLocked` is raised at once.

    Notes
    -----
    `flock` belongs to the open file, so it also keeps two stores in one process apart,
    and the system lets it go with a killed process.
    """
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    try:
        _acquire(handle, path, wait=wait, progress=progress)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} ({_command()})\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, path: Path, *, wait: bool, progress: Progress) -> None:
    told = ""
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            first = holder(path)
        else:
            return
        if not wait:
            raise StoreLocked(
                f"to write to the store {path.parent}",
                f"{first} is writing to it",
                "wait until it is done, or leave --no-wait out to wait for it here",
            )
        if first != told:
            progress(f"waiting for {first}, which is writing to the store")
            told = first
        time.sleep(_POLL_SECONDS)


def _command() -> str:
    return " ".join(Path(word).name for word in sys.argv[:2]) or "python"
