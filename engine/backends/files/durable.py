"""Bytes that are on the disk when a call returns, and files that are replaced whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["digest", "replace_json", "sync_file", "sync_folder", "sync_tree"]


def sync_file(path: Path) -> None:
    """Force a file's bytes to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """Force a folder's names to the disk."""
    sync_file(path)


def sync_tree(folder: Path) -> None:
    """Force a flat folder, its files and its own name to the disk."""
    for path in sorted(folder.iterdir()):
        if path.is_file():
            sync_file(path)
    sync_folder(folder)
    sync_folder(folder.parent)


def replace_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON beside `path` and rename it there: readers see the old or the new file."""
    beside = path.with_name(path.name + ".new")
    try:
        with beside.open("w", encoding="utf-8") as out:
            json.dump(value, out, indent=1, ensure_ascii=False)
            out.write("\n")
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
