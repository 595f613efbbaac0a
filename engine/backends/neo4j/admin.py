"""A store as files for `neo4j-admin database import full`: the fast way into an empty database.

The rows are those that a load into an empty database would write (`engine.backends.neo4j.diff`),
with the bookkeeping that makes the database a store of kindred's: as if every export had been
loaded, in one load. Runs are not among them. Constraints are made when the store is first opened.

Cost: one pass of DuckDB over all rows, in memory or spilled beside the files.
Source: Neo4j Operations Manual 5, "Neo4j Admin import" (CSV header format).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb

from engine.backends.files import duck
from engine.backends.files.batch import raw_views
from engine.backends.files.duck import quoted, scalar
from engine.backends.neo4j import layout
from engine.backends.neo4j.admin_kept import FIRST_LOAD, keep
from engine.backends.neo4j.diff import compare
from engine.backends.neo4j.gather import gather
from engine.backends.neo4j.graph import NEW_EDGES, NEW_NODES, Write
from engine.backends.neo4j.graph_rows import NO_TIME_SQL
from engine.backends.neo4j.known import nothing_known
from engine.contract import Loaded
from engine.errors import InputError, NotFound
from engine.progress import Progress, silent

__all__ = ["SCRIPT", "Written", "write_import"]

SCRIPT: Final = "import.sh"
"""The file that holds the command line."""

_PROPERTIES: Final = {
    "seen": layout.SEEN, "told": layout.TOLD, "claim": layout.CLAIM, "to": layout.TO,
    "said": layout.SAID,
}  # fmt: skip
"""Properties that are called otherwise in DuckDB."""

_TYPES: Final = {
    "VARCHAR": "string", "BIGINT": "long", "INTEGER": "long", "DOUBLE": "double",
    "BOOLEAN": "boolean", "TIMESTAMP WITH TIME ZONE": "datetime", "VARCHAR[]": "string[]",
    "BIGINT[]": "long[]", "TINYINT[]": "byte[]",
}  # fmt: skip
"""Types of DuckDB as the import calls them."""

_DELIMITERS: Final = "\x1f\x1e\x1d\x1c"
"""What may stand between the elements of a list: the first that is in none of them."""
_BUFFER: Final = 4 * 2**20
"""Bytes of a value that the import takes without being told."""


@dataclass(frozen=True, slots=True)
class Written:
    """A file of the import: nodes of a label, or relationships of a type."""

    file: str
    kind: str
    """`nodes` or `relationships`."""
    name: str
    """Label or type; empty where the rows say it themselves."""
    rows: int
    multiline: bool
    longest: int
    """Characters of its longest value."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file to write: a table of DuckDB, and what its columns mean.

    `ends` gives the id space of columns that are ids; `labels` is SQL for labels that differ
    from row to row.
    """

    table: str
    kind: str
    name: str
    columns: tuple[str, ...]
    ends: dict[str, str] = field(default_factory=dict)
    labels: str = ""
    where: str = "true"
    marked: bool = True
    """Whether its rows carry the number of the load."""


def write_import(
    canonical: Path, loads: Sequence[Loaded], out: Path, progress: Progress = silent
) -> list[Written]:
    """Write the files of an import, and beside them the command line as a script.

    Parameters
    ----------
    canonical
        Folder of canonical Parquet files, as `Backend.dump` writes them.
    loads
        What was loaded, oldest first, as it returns them.
    out
        An empty folder.
    progress
        Hears how many files are written.

    Raises
    ------
    NotFound
        If nothing was loaded.
    InputError
        If an id is longer than an index of the server takes, or lists hold every control
        character that could part their elements.
    """
    if not loads:
        raise NotFound("a graph to export", "nothing was loaded", "load something: kindred load")
    spill = out / ".spill"
    spill.mkdir()
    with duck.connect(spill) as con:
        tables = raw_views(con, canonical)
        nothing_known(con)
        gather(con, tables, None)
        compare(con)
        keep(con, loads)
        files = [f for f in _files(con) if _count(con, f)]
        delimiter = _delimiter(con, files)
        written = []
        for done, file in enumerate(files):
            progress("writing files for neo4j-admin", done, len(files))
            written.append(_write(con, file, out, delimiter))
        progress("writing files for neo4j-admin", len(files), len(files))
    spill.rmdir()
    (out / SCRIPT).write_text(_script(written, delimiter), encoding="utf-8")
    return written


# Which files there are ------------------------------------------------------------------------


def _files(con: duckdb.DuckDBPyConnection) -> list[_File]:
    return [
        *map(_nodes, NEW_NODES),
        _File("keep_store", "nodes", layout.STORE, _names(con, "keep_store"), marked=False),
        _File("keep_batches", "nodes", layout.BATCH, _names(con, "keep_batches"), marked=False),
        _File("keep_files", "nodes", layout.FILE, _names(con, "keep_files"), marked=False),
        _File("keep_chunks", "nodes", layout.CHUNK, _names(con, "keep_chunks"), marked=False),
        _File("keep_changes", "nodes", layout.CHANGE, _names(con, "keep_changes"), marked=False),
        *map(_relationships, NEW_EDGES),
    ]


_LABELS: Final = {
    "make_users": "User", "make_handles": layout.HANDLE, "make_content": "Content",
    "make_topics": "Topic", "make_brands": "Brand", "make_members": layout.MEMBER,
    "make_exposures": layout.EXPOSURE, "make_names": layout.NAME,
}  # fmt: skip


def _nodes(write: Write) -> _File:
    label = _LABELS[write.table]
    columns = tuple(c for c in write.columns if c != "is_user")
    # A handle may be a user: relationships find both in one space.
    spaces = {"make_handles": "User"}
    keyed = label not in {layout.MEMBER, layout.EXPOSURE}
    ends = {columns[0]: f"ID({spaces.get(write.table, label)})"} if keyed else {}
    if write.table == "make_handles":
        labels = f"CASE WHEN is_user THEN '{label}{{}}User' ELSE '{label}' END"
        return _File(write.table, "nodes", "", columns, ends, labels)
    return _File(write.table, "nodes", label, columns, ends)


def _relationships(write: Write) -> _File:
    start, end = write.slots["start_label"], write.slots["end_label"]
    ends = {"start": f"START_ID({start})", "end": f"END_ID({end})"}
    return _File(
        write.table, "relationships", write.slots["type"], write.columns, ends,
        where=write.where,
    )  # fmt: skip


# How a file is written ------------------------------------------------------------------------


def _write(con: duckdb.DuckDBPyConnection, file: _File, out: Path, delimiter: str) -> Written:
    """Write a file; properties that no row has are left out."""
    types = _types(con, file.table)
    filled, longest, multiline = _looked_over(con, file, types)
    chosen, texts = [], []
    for name in file.columns:
        if name not in filled and name not in file.ends:
            continue
        header = _header(file, name, types[name])
        chosen.append(f"{_value(name, types[name], delimiter)} AS {quoted(header)}")
        if types[name] in {"VARCHAR", "VARCHAR[]"}:
            texts.append(quoted(header))
    if file.marked:
        chosen.append(f"{FIRST_LOAD} AS {quoted(layout.LOAD + ':long')}")
    if file.labels:
        chosen.append(f"{file.labels.format(delimiter)} AS {quoted(':LABEL')}")
    name = _file_name(file)
    # A text is quoted, so that an empty one is not an unknown one.
    force = f", FORCE_QUOTE ({', '.join(texts)})" if texts else ""
    order = ", ".join(quoted(name) for name in file.columns)
    rows = scalar(
        con,
        f"COPY (SELECT {', '.join(chosen)} FROM {file.table} WHERE {file.where} ORDER BY {order})"
        f" TO $path (FORMAT csv, HEADER{force})",
        {"path": str(out / name)},
    )
    return Written(name, file.kind, file.name, int(rows), multiline, longest)


def _file_name(file: _File) -> str:
    """Return a name that says what is in it: a type may lead to several labels."""
    if file.kind == "nodes":
        return f"nodes-{file.name or layout.HANDLE}.csv"
    end = file.ends["end"].partition("(")[2].rstrip(")")
    return f"relationships-{file.name}-{end}.csv"


def _header(file: _File, name: str, type: str) -> str:
    """Return a column's header: property, type, and the space it is an id of."""
    if name in {"start", "end"} and name in file.ends:
        return f":{file.ends[name]}"
    if name in file.ends:
        return f"{name}:{file.ends[name]}"
    time = name in {"at", "created_at"}
    return f"{_PROPERTIES.get(name, name)}:{'datetime' if time else _TYPES[type]}"


def _value(name: str, type: str, delimiter: str) -> str:
    """Return SQL for a column as the import reads it."""
    column = quoted(name)
    if name in {"at", "created_at"}:
        micros = f"epoch_us({column})" if type != "BIGINT" else f"nullif({column}, {NO_TIME_SQL})"
        return f"strftime(make_timestamp({micros}), '%Y-%m-%dT%H:%M:%S.%fZ')"
    if type.endswith("[]"):
        return f"array_to_string({column}, '{delimiter}')"
    if type == "DOUBLE":
        return (
            f"CASE WHEN isnan({column}) THEN 'NaN' WHEN isinf({column})"
            f" THEN CASE WHEN {column} > 0 THEN 'Infinity' ELSE '-Infinity' END"
            f" ELSE CAST({column} AS VARCHAR) END"
        )
    return column


def _looked_over(
    con: duckdb.DuckDBPyConnection, file: _File, types: dict[str, str]
) -> tuple[set[str], int, bool]:
    """Return the columns that have values, the longest of them, and whether one has lines."""
    asked, texts = [], []
    for name in file.columns:
        known = quoted(name)
        if name == "at":
            known = f"nullif({known}, {NO_TIME_SQL})"
        asked.append(f"count({known})")
        if types[name] == "VARCHAR":
            texts.append(known)
        elif types[name].endswith("[]"):
            texts.append(f"array_to_string({known}, ' ')")
    longest = ", ".join(f"coalesce(max(length({text})), 0)" for text in texts) or "0"
    lines = " OR ".join(f"coalesce(bool_or(regexp_matches({t}, '[\r\n]')), false)" for t in texts)
    (row,) = con.execute(
        f"SELECT {', '.join(asked)}, greatest({longest}, 0), {lines or 'false'}"
        f" FROM {file.table} WHERE {file.where}"
    ).fetchall()
    filled = {name for name, count in zip(file.columns, row[:-2], strict=True) if count}
    return filled, int(row[-2]), bool(row[-1])


def _delimiter(con: duckdb.DuckDBPyConnection, files: Sequence[_File]) -> str:
    """Return a character that no element of a list holds."""
    lists = [
        f"SELECT array_to_string({quoted(name)}, '') AS held FROM {file.table}"
        for file in files
        for name, type in _types(con, file.table).items()
        if type == "VARCHAR[]" and name in file.columns
    ]
    for delimiter in _DELIMITERS:
        held = " UNION ALL ".join(lists)
        if not lists or not scalar(
            con,
            f"SELECT EXISTS (SELECT 1 FROM ({held}) WHERE contains(held, $d))",
            {"d": delimiter},
        ):
            return delimiter
    raise InputError(
        "lists whose elements a control character can part",
        "elements that hold every one of U+001C to U+001F",
        "take those characters out of the export, or load over the driver: --store neo4j://HOST",
    )


def _types(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    return {str(row[0]): str(row[1]) for row in con.execute(f"DESCRIBE {table}").fetchall()}


def _names(con: duckdb.DuckDBPyConnection, table: str) -> tuple[str, ...]:
    return tuple(_types(con, table))


def _count(con: duckdb.DuckDBPyConnection, file: _File) -> int:
    return int(scalar(con, f"SELECT count(*) FROM {file.table} WHERE {file.where}"))


# The command line -----------------------------------------------------------------------------


def _script(written: Sequence[Written], delimiter: str) -> str:
    """Return a shell script that imports the files that stand beside it."""
    options = ["--id-type=string", f"--array-delimiter=U+{ord(delimiter):04X}"]
    if lines := [w.file for w in written if w.multiline]:
        options += ["--multiline-fields-format=v2", f"--multiline-fields={','.join(lines)}"]
    # Characters have up to four bytes.
    if (longest := 4 * max(w.longest for w in written)) > _BUFFER:
        options.append(f"--read-buffer-size={longest}")
    for w in written:
        options.append(f"--{w.kind}={w.name + '=' if w.name else ''}{w.file}")
    told = " \\\n  ".join(options)
    return _ABOUT + f'cd "$(dirname "$0")"\n{_COMMAND} \\\n  {told} \\\n  "$@"\n'


_ABOUT: Final = """\
#!/bin/sh
# Import these files into an empty database of a Neo4j 5 server, as a store of kindred's:
#
#   sh import.sh [DATABASE] [OPTION...]
#
# The server must be stopped, and the user must be the one it runs as. Options are those of
# `neo4j-admin database import full`: --overwrite-destination replaces a database that is
# there. NEO4J_ADMIN names the program where it is not on the path. Afterwards start the server
# (a database other than neo4j: CREATE DATABASE name) and run
#
#   kindred analyse --store neo4j://localhost:7687
set -eu
database=${1:-neo4j}
[ $# -eq 0 ] || shift
"""
_COMMAND: Final = 'exec "${NEO4J_ADMIN:-neo4j-admin}" database import full "$database"'
