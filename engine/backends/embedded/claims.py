"""Files that say "somebody is using this", and stop saying so when that process dies.

A claim is a file held by an advisory lock (`flock`). The lock goes with the process
however it ends, so a claim left behind by a killed one is told from a living one
without trusting process numbers, which are used again; the number in its name is for
people.
"""

from __future__ import annotations

import fcntl
import itertools
import os
from pathlib import Path
from typing import Self

__all__ = ["Claim", "claimant", "is_claimed"]

_serial = itertools.count()


class Claim:
    """A file this process holds until `release`."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle: int | None = handle

    @classmethod
    def make(cls, folder: Path, prefix: str = "") -> Self:
        """Make and hold a new claim in a folder, which must exist."""
        while True:
            path = folder / f"{prefix}{os.getpid()}-{next(_serial)}.claim"
            try:
                handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o644)
            except FileExistsError:  # left by an earlier process of the same number
                continue
            fcntl.flock(handle, fcntl.LOCK_EX)
            # A cleaner may have taken the file between its creation and its lock.
            if path.exists() and path.stat().st_ino == os.fstat(handle).st_ino:
                return cls(path, handle)
            os.close(handle)

    def release(self) -> None:
        """Give the claim up and remove its file. Doing it again does nothing."""
        if self._handle is not None:
            self.path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None


def is_claimed(path: Path) -> bool:
    """Say whether a living process holds this claim."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)


def claimant(path: Path) -> str:
    """Return the process number that made a claim, as it stands in its name.

    Examples
    --------
    >>> claimant(Path("graph/g000001/leases/4711-0.claim"))
    '4711'
    """
    return path.stem.rsplit("-", 2)[-2]
