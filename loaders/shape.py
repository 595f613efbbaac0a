"""From text to canonical tables: runs the SQL that stands beside each export.

A mapping is a file of statements, each under a line that says what it is for:

    -- step posts        makes the temporary table `posts`
    -- reject content    refuses what it selects: row, reason and what was found there
    -- table users       its answer is the canonical table `users`

Statements run in order over `raw`. A column that a table statement leaves out is null.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final, Literal, cast

import pyarrow as pa

from engine.merge import merged_sql
from engine.model import CANONICAL, COUNT, TEXT, TIME, Table
from engine.progress import Progress, silent
from loaders.read import Session, quoted

__all__ = ["SQL_TYPES", "Part", "mapping", "prepare", "shape", "write_table"]

SQL_TYPES: Final[Mapping[pa.DataType, str]] = {
    TEXT: "VARCHAR",
    COUNT: "BIGINT",
    TIME: "TIMESTAMPTZ",
    pa.bool_(): "BOOLEAN",
    pa.float64(): "DOUBLE",
    pa.list_(TEXT): "VARCHAR[]",
}
"""DuckDB's names of the model's column types."""

Kind = Literal["step", "reject", "table"]

_HEAD: Final = re.compile(r"^-- (step|reject|table) ([a-z_]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """One statement of a mapping."""

    kind: Kind
    name: str
    statement: str


@cache
def mapping(name: str) -> tuple[Part, ...]:
    """Return the statements of `exports/<name>.sql`.

    Examples
    --------
    >>> [p.name for p in mapping("higgs") if p.kind == "table"]
    ['users', 'interactions']
    """
    text = (resources.files("loaders") / "exports" / f"{name}.sql").read_text("utf-8")
    heads = list(_HEAD.finditer(text))
    ends = [h.start() for h in heads[1:]] + [len(text)]
    return tuple(
        Part(cast("Kind", head[1]), head[2], _statement(text[head.end() : end]))
        for head, end in zip(heads, ends, strict=True)
    )


def _statement(text: str) -> str:
    """Return the statement without the comment that leads on to the next one."""
    lines = text.strip().split("\n")
    while lines[-1].startswith("--") or not lines[-1]:
        lines.pop()
    return "\n".join(lines)


def prepare(session: Session) -> None:
    """Give a session the words that mappings use: times, ids, and a place for refusals."""
    for name in ("times.sql", "ids.sql", "cells.sql"):
        session.run((resources.files("loaders") / name).read_text("utf-8"))
    session.run(
        "CREATE OR REPLACE TEMP TABLE rejected"
        " (row BIGINT, target VARCHAR, reason VARCHAR, found VARCHAR)"
    )


def shape(
    session: Session,
    name: str,
    folder: Path,
    *,
    source: str,
    leave_out: Collection[str] = (),
    progress: Progress = silent,
) -> dict[str, int]:
    """Run the mapping of this name and write its tables into `folder`.

    Parameters
    ----------
    source
        The file's name, for messages.
    leave_out
        Tables that this file cannot have.

    Returns
    -------
    Rows by table; an empty table is not written.
    """
    parts = mapping(name)
    rows: dict[str, int] = {}
    for done, part in enumerate(parts):
        progress(f"shaping {source}", done, len(parts))
        if part.kind == "step":
            session.run(f"CREATE OR REPLACE TEMP TABLE {part.name} AS {part.statement}")
        elif part.kind == "reject":
            _refuse(session, part)
        elif part.name not in leave_out:
            rows[part.name] = write_table(session, CANONICAL[part.name], part.statement, folder)
    progress(f"shaping {source}", len(parts), len(parts))
    return {table: count for table, count in rows.items() if count}


def _refuse(session: Session, part: Part) -> None:
    session.run(
        f"INSERT INTO rejected SELECT row, '{part.name}', reason, CAST(found AS VARCHAR)"
        f" FROM ({part.statement})"
    )


def write_table(session: Session, table: Table, select: str, folder: Path) -> int:
    """Write what a SELECT answers as this canonical table; return its rows.

    Things are merged to one row each; events stay as they are.
    """
    known = {str(name) for name, *_ in session.run(f"DESCRIBE {select}")}
    statement = f"SELECT {_columns(table, known)} FROM ({select})"
    if table.merges:
        statement = _one_row_each(session, table, select, known)
    path = folder / f"{table.name}.parquet"
    rows = session.write(statement, path)
    if not rows:
        path.unlink()
    return rows


def _columns(table: Table, known: Collection[str]) -> str:
    return ", ".join(
        f"CAST({quoted(c.name) if c.name in known else 'NULL'} AS {SQL_TYPES[c.type]})"
        f" AS {quoted(c.name)}"
        for c in table.columns
    )


def _one_row_each(session: Session, table: Table, select: str, known: Collection[str]) -> str:
    """Return the SELECT of things, those with several rows merged; mostly there are none."""
    (key,) = table.key
    has = replace(table, columns=tuple(c for c in table.columns if c.name in {*known, "seen_at"}))
    session.run(
        f"CREATE OR REPLACE TEMP TABLE things AS SELECT {_columns(has, known)} FROM ({select})"
    )
    session.run(
        f"CREATE OR REPLACE TEMP TABLE several AS SELECT {key} FROM things"
        f" GROUP BY {key} HAVING count(*) > 1"
    )
    names = ", ".join(has.schema.names)
    merged = merged_sql(has, f"(FROM things SEMI JOIN several USING ({key}))")
    return (
        f"SELECT {_columns(table, has.schema.names)} FROM ("
        f"SELECT {names} FROM things ANTI JOIN several USING ({key})"
        f" UNION ALL SELECT {names} FROM ({merged}))"
    )
