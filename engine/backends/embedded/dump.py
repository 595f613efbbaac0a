"""From the log back to canonical tables: the rows that exports held, ids for numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from engine.backends.embedded.logviews import define
from engine.backends.embedded.manifest import BatchEntry
from engine.backends.embedded.shape import LOG, LogTable
from engine.backends.files.duck import copy_to, quoted

__all__ = ["write_canonical"]


def write_canonical(
    con: duckdb.DuckDBPyConnection, batches: Sequence[tuple[BatchEntry, Path]], folder: Path
) -> None:
    """Write `<table>.parquet` for each canonical table that the log has rows of.

    A row that several loads brought stands there once.
    """
    define(con, batches)
    for name, table in LOG.items():
        if any(name in entry.files for entry, _ in batches):
            copy_to(con, _select(table), folder / f"{name}.parquet")


def _select(table: LogTable) -> str:
    """Return SQL for the canonical rows of a table of the log."""
    chosen, joins = [], []
    for i, column in enumerate(table.columns):
        if column.name in {"user_no", "topic_no"} and table.name == "brand_members":
            continue  # derived from its value
        if column.space is None:
            chosen.append(f"l.{quoted(column.name)}")
            continue
        joins.append(f" LEFT JOIN keys_{column.space} k{i} ON k{i}.no = l.{column.name}")
        if column.space == "topic":
            kind = f"split_part(k{i}.id, ':', 1)"
            chosen += [f"{kind} AS kind", f"substr(k{i}.id, length({kind}) + 2) AS label"]
        else:
            chosen.append(f"k{i}.id AS {column.name.removesuffix('_no')}_id")
    return f"SELECT {', '.join(chosen)} FROM log_{table.name} l{''.join(joins)}"
