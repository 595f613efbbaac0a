"""From a loader's batch to files of the log: number the ids, keep what is new.

Everything is written into a folder beside the log; nothing counts until the manifest
names it. Cost: hash joins and one anti-join against the log, in DuckDB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from engine.backends.embedded.logviews import define
from engine.backends.embedded.manifest import BatchEntry, FileEntry
from engine.backends.embedded.shape import LOG, SPACES, LogTable, Space, keys_file
from engine.backends.files.batch import REJECTS, count_rejects, raw_views
from engine.backends.files.duck import copy_to, quoted, scalar
from engine.backends.files.durable import digest, sync_tree
from engine.contract import Batch
from engine.progress import Progress

__all__ = ["Written", "copy_rows", "file_entries", "write_batch"]


@dataclass(frozen=True, slots=True)
class Written:
    """A batch written beside the log, and how many keys there are with it."""

    entry: BatchEntry
    keys: Mapping[str, int]


def write_batch(
    con: duckdb.DuckDBPyConnection,
    batch: Batch,
    *,
    folder: Path,
    earlier: Sequence[tuple[BatchEntry, Path]],
    keys: Mapping[str, int],
    progress: Progress,
) -> Written:
    """Write a batch's log tables into `folder`.

    Parameters
    ----------
    con
        A fresh DuckDB connection; its catalogue is used as scratch space.
    batch
        Canonical Parquet files.
    folder
        An empty folder on the store's disk.
    earlier
        Entries and folders of the batches in the log.
    keys
        How many ids of each space have a number.

    Raises
    ------
    WrongColumns, InputError
        If a file is not the canonical table it is named for.
    """
    number = len(earlier)
    define(con, earlier, "before")
    tables = raw_views(con, batch.folder)
    progress(f"numbering {batch.source}", 0, len(tables))
    firsts: dict[str, int] = {s: keys.get(s, 0) for s in SPACES}
    after: dict[str, int] = {
        s: firsts[s] + _number_ids(con, s, tables, firsts[s], folder) for s in SPACES
    }
    rows: dict[str, int] = {}
    new: dict[str, int] = {}
    repeated: dict[str, int] = {}
    for done, name in enumerate(tables):
        rows[name] = _count(con, f"raw_{name}")
        written, new[name] = _write_table(con, LOG[name], number, folder, compare=bool(earlier))
        if not LOG[name].merges and written > new[name]:
            repeated[name] = written - new[name]
        progress(f"numbering {batch.source}", done + 1, len(tables))
    rejected = _take_rejects(con, batch.folder, folder)
    sync_tree(folder)
    entry = BatchEntry(
        batch_id=f"b{number + 1:04d}-{batch.fingerprint[:8]}",
        number=number,
        fingerprint=batch.fingerprint,
        source=batch.source,
        format=batch.format,
        options=dict(batch.options),
        rows=rows,
        new_rows=new,
        rejected=rejected,
        firsts=firsts,
        repeated=repeated,
        files=file_entries(folder),
    )
    return Written(entry, after)


def file_entries(folder: Path) -> dict[str, FileEntry]:
    """Describe the Parquet files of a folder: rows, bytes, checksum."""
    return {
        path.stem: FileEntry(pq.read_metadata(path).num_rows, path.stat().st_size, digest(path))
        for path in sorted(folder.glob("*.parquet"))
    }


def _number_ids(
    con: duckdb.DuckDBPyConnection, space: Space, tables: Sequence[str], first: int, folder: Path
) -> int:
    """Make `key_<space>` of all ids in the batch; write the new ones; return their number."""
    sources = [
        f"SELECT {c.source} AS id FROM raw_{name}"
        for name in tables
        for c in LOG[name].columns
        if c.space == space
    ]
    if not sources:
        return 0
    con.execute(
        f"CREATE TABLE ids_{space} AS SELECT DISTINCT id FROM ({' UNION ALL '.join(sources)})"
        " WHERE id IS NOT NULL"
    )
    con.execute(
        f"""
        CREATE TABLE fresh_{space} AS
        SELECT CAST({first} + row_number() OVER (ORDER BY id) - 1 AS INTEGER) AS no, id
        FROM ids_{space} ANTI JOIN keys_{space} USING (id)
        """
    )
    con.execute(
        f"""
        CREATE TABLE key_{space} AS
        SELECT no, id FROM fresh_{space}
        UNION ALL SELECT no, id FROM keys_{space} SEMI JOIN ids_{space} USING (id)
        """
    )
    new = _count(con, f"fresh_{space}")
    if new:
        copy_rows(
            con,
            f"SELECT no, id FROM fresh_{space} ORDER BY no",
            folder / f"{keys_file(space)}.parquet",
        )
    return new


def _write_table(
    con: duckdb.DuckDBPyConnection, table: LogTable, number: int, folder: Path, *, compare: bool
) -> tuple[int, int]:
    """Write the rows the log does not hold; return how many, and how many keys are new."""
    joins = "".join(
        f" LEFT JOIN key_{c.space} k{i} ON k{i}.id = {c.source}"
        for i, c in enumerate(table.columns)
        if c.space is not None
    )
    chosen = ", ".join(
        f"{f'k{i}.no' if c.space is not None else c.source} AS {quoted(c.name)}"
        for i, c in enumerate(table.columns)
    )
    names = ", ".join(quoted(c.name) for c in table.columns)
    key = ", ".join(quoted(k) for k in table.key)
    con.execute(
        f"CREATE TABLE new_{table.name} AS SELECT DISTINCT {chosen} FROM raw_{table.name}{joins}"
    )
    if compare:
        con.execute(
            f"CREATE TABLE kept_{table.name} AS SELECT {names} FROM new_{table.name}"
            f" EXCEPT SELECT {names} FROM log_{table.name}"
        )
        known = f" EXCEPT SELECT {key} FROM log_{table.name}"
        kept = f"kept_{table.name}"
    else:
        known, kept = "", f"new_{table.name}"
    keys = int(scalar(con, f"SELECT count(*) FROM (SELECT DISTINCT {key} FROM {kept}{known})"))
    rows = _count(con, kept)
    if rows:
        copy_rows(
            con,
            f"SELECT {names}, CAST({number} AS INTEGER) AS batch FROM {kept} ORDER BY {key}",
            folder / f"{table.name}.parquet",
        )
    return rows, keys


def _take_rejects(con: duckdb.DuckDBPyConnection, source: Path, folder: Path) -> dict[str, int]:
    path = source / f"{REJECTS}.parquet"
    if path.exists():
        con.read_parquet([str(path)]).create_view("raw_rejects")
        copy_rows(con, "SELECT * FROM raw_rejects", folder / f"{REJECTS}.parquet")
    return count_rejects(con, source)


def copy_rows(con: duckdb.DuckDBPyConnection, select: str, path: Path) -> None:
    """Write a select's rows to a file of the log, in their order."""
    copy_to(con, select, path, ", COMPRESSION zstd, COMPRESSION_LEVEL 1")


def _count(con: duckdb.DuckDBPyConnection, relation: str, where: str = "true") -> int:
    return int(scalar(con, f"SELECT count(*) FROM {relation} WHERE {where}"))
