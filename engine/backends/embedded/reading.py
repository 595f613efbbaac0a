"""Reading what loaders left beside their rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from engine.backends.embedded.duck import quoted
from engine.backends.embedded.manifest import BatchEntry

__all__ = ["REJECTS", "rejects"]

REJECTS: Final = pa.schema(
    [
        ("batch_id", pa.string()),
        ("table", pa.string()),
        ("line", pa.int64()),
        ("reason", pa.string()),
        ("sentence", pa.string()),
        ("raw", pa.string()),
    ]
)
"""Columns of rejected rows."""


def rejects(con: duckdb.DuckDBPyConnection, batches: Sequence[tuple[BatchEntry, Path]]) -> pa.Table:
    """Return the rejected rows of these batches, in the order of batches, tables and lines."""
    found = [REJECTS.empty_table()]
    for entry, folder in batches:
        if "rejects" not in entry.files:
            continue
        path = folder / "rejects.parquet"
        present = set(pq.read_schema(path).names)
        chosen = ", ".join(
            quoted(name) if name in present else f"NULL AS {quoted(name)}"
            for name in REJECTS.names[1:]
        )
        rows = con.sql(
            f'SELECT $b AS batch_id, {chosen} FROM read_parquet($p) ORDER BY "table", line',
            params={"b": entry.batch_id, "p": str(path)},
        ).to_arrow_table()
        found.append(rows.cast(REJECTS))
    return pa.concat_tables(found)
