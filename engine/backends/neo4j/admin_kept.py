"""The bookkeeping of an import: the store's own node, its loads, and the files they keep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.backends.files.version import writer
from engine.backends.neo4j.files import PIECE, Kept, described
from engine.backends.neo4j.graph import WRITES, pieces, rows_of
from engine.backends.neo4j.manifest import report_to_json
from engine.backends.neo4j.migrations import FORMAT
from engine.backends.neo4j.settle import owner, packed
from engine.contract import Loaded

__all__ = ["FIRST_LOAD", "keep"]

FIRST_LOAD: Final = 1
"""The load that all nodes and relationships of an import belong to."""

_CHUNKS: Final = pa.schema(
    [
        ("key", pa.string()),
        ("file", pa.string()),
        ("number", pa.int64()),
        ("bytes", pa.list_(pa.int8())),
        ("kindred_load", pa.int64()),
    ]
)
_CHANGES: Final = pa.schema(
    [
        ("kindred_load", pa.int64()),
        ("number", pa.int64()),
        ("kind", pa.string()),
        ("rows", pa.list_(pa.int8())),
    ]
)
_FILES: Final = pa.schema(
    [
        ("key", pa.string()),
        ("owner", pa.string()),
        ("name", pa.string()),
        ("size", pa.int64()),
        ("sha256", pa.string()),
        ("chunks", pa.int64()),
        ("kindred_load", pa.int64()),
    ]
)


def keep(con: duckdb.DuckDBPyConnection, loads: Sequence[Loaded]) -> None:
    """Make `keep_store`, `keep_batches`, `keep_files`, `keep_chunks` and `keep_changes`.

    Their columns are properties. The store is in the state after the last of the loads: all
    done, and all applied but for what files cannot say.
    """
    numbers = range(FIRST_LOAD, FIRST_LOAD + len(loads))
    changes = _changes(con)
    _table(con, "keep_changes", changes)
    _table(con, "keep_store", _store(len(loads), settled=not changes.num_rows))
    _table(con, "keep_batches", _batches(loads, numbers))
    kept = [
        (number, path, described(owner(number), path))
        for number, path in zip(numbers, (load.rejects for load in loads), strict=True)
        if path is not None
    ]
    files = [
        {
            "key": file.key, "owner": owner(number), "name": file.name, "size": file.size,
            "sha256": file.sha256, "chunks": file.chunks, "kindred_load": number,
        }
        for number, _, file in kept
    ]  # fmt: skip
    _table(con, "keep_files", pa.Table.from_pylist(files, _FILES))
    chunks = [_chunks(number, path, file) for number, path, file in kept]
    _table(con, "keep_chunks", pa.concat_tables([_CHUNKS.empty_table(), *chunks]))


def _table(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    con.register("given", rows)
    con.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
    con.unregister("given")


def _store(loads: int, *, settled: bool) -> pa.Table:
    return pa.table(
        {
            "name": ["kindred"],
            "format": [FORMAT],
            "writer": [writer()],
            "revision": [loads],
            "loads": [loads],
            "settled": [settled],
        }
    )


def _batches(loads: Sequence[Loaded], numbers: range) -> pa.Table:
    return pa.table(
        {
            "number": list(numbers),
            "state": ["done"] * len(loads),
            "fingerprint": [load.fingerprint for load in loads],
            "revision": list(numbers),
            "report": [report_to_json(load.report) for load in loads],
            "kindred_load": list(numbers),
        }
    )


def _chunks(number: int, path: Path, file: Kept) -> pa.Table:
    content = _bytes(path.read_bytes())
    parts = [content[at : at + PIECE] for at in range(0, len(content), PIECE)]
    return pa.table(
        {
            "key": file.pieces,
            "file": [file.key] * len(parts),
            "number": list(range(len(parts))),
            "bytes": parts,
            "kindred_load": [number] * len(parts),
        },
        _CHUNKS,
    )


def _changes(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Note what a file cannot say, to be applied as a load's changes are: a list that is empty.

    In a file it is an unknown one.
    """
    for table, handle_only in (("make_users", "false"), ("make_handles", "true")):
        columns = ", ".join(f'"{c}"' for c in WRITES["set_users User"].columns)
        con.execute(
            f"INSERT INTO set_users BY NAME SELECT {columns}, {handle_only} AS handle_only"
            f" FROM {table} WHERE array_to_string(labels, '') = ''"
        )
    noted = [
        # Made anew from its values: beside them, memory holds whatever was there.
        (kind, packed(pa.Table.from_pylist(piece.to_pylist(), piece.schema)))
        for kind, write in WRITES.items()
        for piece in pieces(rows_of(con, write))
    ]
    return pa.table(
        {
            "kindred_load": [FIRST_LOAD] * len(noted),
            "number": list(range(len(noted))),
            "kind": [kind for kind, _ in noted],
            "rows": [_bytes(rows) for _, rows in noted],
        },
        _CHANGES,
    )


def _bytes(content: bytes) -> npt.NDArray[np.int8]:
    """Return bytes as the server counts them, from -128."""
    return np.frombuffer(content, np.int8)
