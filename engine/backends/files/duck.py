"""DuckDB as this store uses it: in memory, in UTC, never reaching out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

__all__ = ["connect", "copy_to", "quoted", "scalar"]

_MEMORY_PART = 0.5


def connect(spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB.

    Parameters
    ----------
    spill
        Folder for what does not fit into half of the machine's memory; without one
        nothing is ever written.
    """
    memory = int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * _MEMORY_PART)
    con = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": f"{memory // 2**20}MiB",
            "temp_directory": str(spill) if spill is not None else "",
        },
    )
    con.execute("SET TimeZone = 'UTC'")
    return con


def quoted(name: str) -> str:
    """Quote a declared name: some, such as `at`, are words of SQL.

    Examples
    --------
    >>> quoted("at")
    '"at"'
    """
    return '"' + name.replace('"', '""') + '"'


def scalar(
    con: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Any] | None = None
) -> Any:
    """Return the one value that a statement answers with.

    All rows are fetched: DuckDB 2 refuses other work on a connection with a result that
    was not read to its end.
    """
    return con.execute(sql, dict(parameters or {})).fetchall()[0][0]


def copy_to(con: duckdb.DuckDBPyConnection, select: str, path: Path, options: str = "") -> int:
    """Write a select's rows to a Parquet file and return how many."""
    return int(
        scalar(con, f"COPY ({select}) TO $path (FORMAT parquet{options})", {"path": str(path)})
    )
