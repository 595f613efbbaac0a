"""A loader's batch as relations of DuckDB, checked: every store takes in the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from engine.backends.files.duck import quoted, scalar
from engine.errors import InputError, UsageError, WrongColumns
from engine.model import CANONICAL

__all__ = [
    "DEFAULTS",
    "REJECTS",
    "REJECTS_SCHEMA",
    "count_rejects",
    "raw_views",
    "read_rejects",
    "sql_type",
]

REJECTS: Final = "rejects"
"""Name of the file of rows that a loader refused."""

REJECTS_SCHEMA: Final = pa.schema(
    [
        ("batch_id", pa.string()),
        ("table", pa.string()),
        ("line", pa.int64()),
        ("reason", pa.string()),
        ("sentence", pa.string()),
        ("raw", pa.string()),
    ]
)
"""Columns of rejected rows as a store gives them back."""

DEFAULTS: Final = {("shares", "kind"): "'share'", ("interactions", "weight"): "1.0"}
"""What null means, where it means something: so a null and the word are one key."""

_SQL_TYPES: Final[dict[pa.DataType, str]] = {
    pa.string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.bool_(): "BOOLEAN",
    pa.float64(): "DOUBLE",
    pa.timestamp("us", tz="UTC"): "TIMESTAMPTZ",
    pa.list_(pa.string()): "VARCHAR[]",
}


def sql_type(type: pa.DataType) -> str:
    """Return DuckDB's name of a column type of the model.

    Examples
    --------
    >>> sql_type(pa.list_(pa.string()))
    'VARCHAR[]'
    """
    return _SQL_TYPES[type]


def raw_views(con: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """Make a view `raw_<table>` over each canonical file of a folder; return their tables.

    A view has the declared columns in their order and types, null where the file has none.

    Raises
    ------
    UsageError
        If a file is no canonical table.
    WrongColumns, InputError
        If a file is not the canonical table it is named for.
    """
    found = {path.stem: path for path in sorted(folder.glob("*.parquet"))}
    if unknown := sorted(set(found) - set(CANONICAL) - {REJECTS}):
        raise UsageError(
            "a batch of canonical tables",
            f"files named {', '.join(unknown)}",
            f"name them as one of {', '.join(CANONICAL)}",
        )
    tables = [name for name in CANONICAL if name in found]
    for name in tables:
        _raw_view(con, name, found[name])
    return tables


def _raw_view(con: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    declared = CANONICAL[name].columns
    present = set(pq.read_schema(path).names)
    unknown = sorted(present - {c.name for c in declared})
    missing = [c.name for c in declared if c.required and c.name not in present]
    if unknown or missing:
        raise WrongColumns(
            f"the canonical table {name} with the columns {', '.join(c.name for c in declared)}",
            f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}",
            "write the table with the declared columns",
        )
    chosen = ", ".join(
        f"CAST({quoted(c.name) if c.name in present else 'NULL'} AS {sql_type(c.type)})"
        f" AS {quoted(c.name)}"
        for c in declared
    )
    con.read_parquet([str(path)]).create_view(f"file_{name}")
    con.execute(f"CREATE VIEW raw_{name} AS SELECT {chosen} FROM file_{name}")
    for c in declared:
        if not c.required:
            continue
        nulls = scalar(con, f"SELECT count(*) FROM raw_{name} WHERE {quoted(c.name)} IS NULL")
        if nulls:
            raise InputError(
                f"a value for {c.name} in every row of {name}",
                f"{nulls} rows without one",
                "leave those rows out, or give them the value",
            )


def count_rejects(con: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, int]:
    """Return how many rows a loader refused, by reason, sorted."""
    path = folder / f"{REJECTS}.parquet"
    if not path.exists():
        return {}
    counted = con.execute(
        "SELECT reason, count(*) FROM read_parquet($path) GROUP BY reason ORDER BY reason",
        {"path": str(path)},
    ).fetchall()
    return {str(reason): int(count) for reason, count in counted}


def read_rejects(con: duckdb.DuckDBPyConnection, batch_id: str, path: Path) -> pa.Table:
    """Return a batch's rejected rows in the order of tables and lines."""
    present = set(pq.read_schema(path).names)
    chosen = ", ".join(
        quoted(name) if name in present else f"NULL AS {quoted(name)}"
        for name in REJECTS_SCHEMA.names[1:]
    )
    rows = con.sql(
        f'SELECT $b AS batch_id, {chosen} FROM read_parquet($p) ORDER BY "table", line',
        params={"b": batch_id, "p": str(path)},
    ).to_arrow_table()
    return rows.cast(REJECTS_SCHEMA)
