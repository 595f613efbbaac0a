"""A full disk, in whatever words it is told, becomes `DiskFull`."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from engine.errors import DiskFull

__all__ = ["disk_faults", "is_disk_full", "require_space"]

_WORDS: Final = (
    "no space left", "errno 28", "errno: 28", "disk full", "disk quota", "enospc",
    "max_temp_directory_size",  # DuckDB spills into what is free, and then says so
)  # fmt: skip

_TOLD_IN_WORDS: Final = (OSError, RuntimeError, duckdb.OperationalError, duckdb.FatalException)
"""Faults of a machine. Others quote what users wrote, which may well be "disk full"."""


def is_disk_full(fault: BaseException) -> bool:
    """Say whether an error, or what it was raised from, tells of a full disk.

    Examples
    --------
    >>> is_disk_full(OSError(28, "No space left on device"))
    True
    >>> is_disk_full(RuntimeError("IO exception: Cannot write: No space left on device"))
    True
    >>> is_disk_full(ValueError("28 days"))
    False
    """
    seen: BaseException | None = fault
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in {errno.ENOSPC, errno.EDQUOT}:
            return True
        text = str(seen).lower() if isinstance(seen, _TOLD_IN_WORDS) else ""
        if any(word in text for word in _WORDS):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


@contextmanager
def disk_faults(wanted: str, place: Path) -> Iterator[None]:
    """Turn a full disk into `DiskFull`; every other error passes unchanged.

    A loader may have put an error of its own before that of the disk.
    """
    try:
        yield
    except DiskFull:
        raise
    except Exception as fault:
        if is_disk_full(fault):
            raise _disk_full(wanted, place) from fault
        raise


def require_space(wanted: str, place: Path, needed: int) -> None:
    """Raise `DiskFull` where fewer than `needed` bytes are free, before anything is written."""
    free = shutil.disk_usage(place).free
    if free < needed:
        raise _disk_full(wanted, place, f"{free / 1e6:,.0f} MB free, {needed / 1e6:,.0f} MB needed")


def _disk_full(wanted: str, place: Path, detail: str = "") -> DiskFull:
    where = f"the disk of {place} is full"
    return DiskFull(
        wanted,
        f"{where} ({detail})" if detail else where,
        "free some space and run it again; the store is as it was before",
    )
