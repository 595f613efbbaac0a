"""Formats of files that are written, and the suffixes that name them."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, cast, get_args

from engine.errors import UsageError

__all__ = ["FileFormat", "GraphFormat", "format_of"]

FileFormat = Literal["parquet", "csv", "json", "jsonl"]
GraphFormat = Literal["neo4j-admin"]

_SUFFIXES: Final = {".ndjson": "jsonl"} | {f".{name}": name for name in get_args(FileFormat)}


def format_of(path: Path) -> FileFormat:
    """Read a format off a file's suffix.

    Raises
    ------
    UsageError
        If the suffix is none of .parquet, .csv, .json, .jsonl, .ndjson.

    Examples
    --------
    >>> format_of(Path("scores.parquet"))
    'parquet'
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(
            f"to write {path.name}",
            f"the suffix '{path.suffix}' names no format",
            f"end the name in {', '.join(_SUFFIXES)}, or give --format",
        )
    return cast("FileFormat", _SUFFIXES[path.suffix.lower()])
