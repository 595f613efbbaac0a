"""Copies of files kept in the database, on this machine while the store is open.

A file is known by its checksum, so that a copy is never out of date; how many stay is
limited, so that a server that follows one run after the other does not fill its disk.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from typing import Final

from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.files import Kept, get

__all__ = ["FileCache"]

MOST: Final = 64
"""Copies that stay: the tables of about five runs."""


class FileCache:
    """Fetches kept files once. Safe to share between threads.

    Parameters
    ----------
    link
        The server.
    most
        Copies that stay; those not asked for the longest go first.
    """

    def __init__(self, link: Link, most: int = MOST) -> None:
        self._link = link
        self._most = most
        self._folder: Path | None = None
        self._held: dict[str, Path] = {}
        self._turn = threading.Lock()

    def path(self, file: Kept) -> Path:
        """Return a copy of the file, which stays until others are asked for more recently."""
        with self._turn:
            path = self._held.pop(file.sha256, None)
            if path is None:
                path = self._room() / file.sha256
                get(self._link, file, path)
            self._held[file.sha256] = path
            while len(self._held) > self._most:
                self._held.pop(next(iter(self._held))).unlink(missing_ok=True)
            return path

    def _room(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="kindred-"))
        return self._folder

    def close(self) -> None:
        """Let go of every copy."""
        with self._turn:
            self._held.clear()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None
