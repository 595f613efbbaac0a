"""Reading what loaders left beside their rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from engine.backends.embedded.manifest import BatchEntry
from engine.backends.files.batch import REJECTS, REJECTS_SCHEMA, read_rejects

__all__ = ["rejects"]


def rejects(con: duckdb.DuckDBPyConnection, batches: Sequence[tuple[BatchEntry, Path]]) -> pa.Table:
    """Return the rejected rows of these batches, in the order of batches, tables and lines."""
    return pa.concat_tables(
        [
            REJECTS_SCHEMA.empty_table(),
            *(
                read_rejects(con, entry.batch_id, folder / f"{REJECTS}.parquet")
                for entry, folder in batches
                if REJECTS in entry.files
            ),
        ]
    )
