"""Rows of a result table: filtered, ordered, paged, in DuckDB.

Column names come from `engine.results` only, values travel as parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from engine.backends.files.duck import quoted
from engine.backends.files.runs import as_values
from engine.errors import UsageError
from engine.results import RESULTS, ResultTable

__all__ = ["declared", "read_rows"]

_COMPARE: Final = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "ne": "IS DISTINCT FROM"}
_HOLDS: Final = {"has": "list_has_all({}, ?)", "lacks": "NOT list_has_any({}, ?)"}
"""What may be asked of the members of a list column."""


def read_rows(
    con: duckdb.DuckDBPyConnection,
    file: Path,
    table: str,
    *,
    where: Mapping[str, Any] | None = None,
    order: Sequence[str] = (),
    limit: int | None = None,
    after: Sequence[Any] | None = None,
) -> pa.Table:
    """Read rows of one result file; see `engine.contract.Backend.read`.

    A value for a column of lists asks for the lists that hold it. Rows that the order
    leaves equal follow in the declared order. Of a run that another version wrote, columns
    that were not declared then are null.
    """
    found = declared(table)
    conditions, values = _conditions(found, where or {})
    keys = [_order(found, key) for key in order or found.order]
    if after is not None:
        condition, more = _after(found, keys, after)
        conditions.append(condition)
        values += more
    ties = [(c, False) for c in found.order if c not in {k for k, _ in keys}]
    sort = ", ".join(
        f"{quoted(c)} {'DESC' if down else 'ASC'} NULLS LAST" for c, down in [*keys, *ties]
    )
    chosen = ", ".join(quoted(c.name) for c in found.columns)
    since = sorted(set(found.schema.names) - set(pq.read_schema(file).names))
    absent = ", ".join(f"NULL AS {quoted(name)}" for name in since)
    rows_of = f"(SELECT *, {absent} FROM read_parquet(?))" if since else "read_parquet(?)"
    sql = f"SELECT {chosen} FROM {rows_of}"
    if conditions:
        sql += f" WHERE {' AND '.join(conditions)}"
    sql += f" ORDER BY {sort}"
    if limit is not None:
        sql += " LIMIT ?"
        values.append(_positive(limit))
    rows = con.sql(sql, params=[str(file), *as_values(values)]).to_arrow_table()
    return rows.cast(
        pa.schema([f.with_nullable(True) if f.name in since else f for f in found.schema])
    )


def declared(table: str) -> ResultTable:
    """Return the declaration of a result table; `UsageError` where there is none."""
    if table not in RESULTS:
        raise UsageError(
            f"the result table {table!r}", "there is none of this name", f"ask for {_list(RESULTS)}"
        )
    return RESULTS[table]


def _list(names: Any) -> str:
    return ", ".join(names)


def _column(table: ResultTable, name: str) -> str:
    names = table.schema.names
    if name not in names:
        raise UsageError(
            f"the column {name!r} of {table.name}", "there is none", f"it has {_list(names)}"
        )
    return name


def _positive(limit: int) -> int:
    if limit < 0:
        raise UsageError("a limit of rows", f"{limit}", "give a number from 0 up")
    return int(limit)


def _conditions(table: ResultTable, where: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    for key, value in where.items():
        name, _, comparison = key.partition("__")
        column = quoted(_column(table, name))
        if comparison in _HOLDS:
            members = list(value) if isinstance(value, (list, tuple)) else [value]
            if members:
                conditions.append(_HOLDS[comparison].format(column))
                values.append(members)
        elif comparison:
            if comparison not in _COMPARE:
                known = _list((*_COMPARE, *_HOLDS))
                raise UsageError(
                    f"the comparison {key!r}", f"{comparison} is not one", f"use {known}"
                )
            conditions.append(f"{column} {_COMPARE[comparison]} ?")
            values.append(value)
        elif value is None:
            conditions.append(f"{column} IS NULL")
        elif isinstance(value, (list, tuple)):
            conditions.append(_among(column, value))
            values += [v for v in value if v is not None]
        elif pa.types.is_list(table.schema.field(name).type):
            conditions.append(f"list_contains({column}, ?)")
            values.append(value)
        else:
            conditions.append(f"{column} = ?")
            values.append(value)
    return conditions, values


def _among(column: str, members: Sequence[Any]) -> str:
    marks = ", ".join("?" for v in members if v is not None)
    among = f"{column} IN ({marks})" if marks else "false"
    return f"({among} OR {column} IS NULL)" if None in members else among


def _order(table: ResultTable, key: str) -> tuple[str, bool]:
    return _column(table, key.removeprefix("-")), key.startswith("-")


def _after(
    table: ResultTable, keys: Sequence[tuple[str, bool]], after: Sequence[Any]
) -> tuple[str, list[Any]]:
    """Return the condition "behind this row": equal in the first i columns, beyond in the next."""
    if len(after) != len(keys):
        raise UsageError(
            f"the page of {table.name} after a row",
            f"{len(after)} values",
            f"give one for each of {_list(k for k, _ in keys)}",
        )
    alternatives: list[str] = []
    values: list[Any] = []
    for i, (column, down) in enumerate(keys):
        if after[i] is None:  # nulls are last: nothing is beyond one
            continue
        same = [f"{quoted(c)} IS NOT DISTINCT FROM ?" for c, _ in keys[:i]]
        beyond = f"({quoted(column)} {'<' if down else '>'} ? OR {quoted(column)} IS NULL)"
        alternatives.append(f"({' AND '.join([*same, beyond])})")
        values += [*after[: i + 1]]
    return f"({' OR '.join(alternatives) or 'false'})", values
