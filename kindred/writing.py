"""Rows as csv, json, jsonl or parquet: to a stream, or to a file at once or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import DiskFull, UsageError
from kindred.suffix import FileFormat, format_of

__all__ = ["whole", "write", "write_file"]

_CHUNK = 20_000
_JSON = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


def write(table: pa.Table, stream: IO[bytes], format: FileFormat) -> None:
    r"""Write rows to a binary stream.

    Lists and structs are JSON text in csv; times are UTC, ISO 8601 with `Z`.

    Examples
    --------
    >>> import io
    >>> out = io.BytesIO()
    >>> write(pa.table({"id": ["a"], "flags": [["x", "y"]]}), out, "csv")
    >>> out.getvalue()
    b'"id","flags"\n"a","[""x"",""y""]"\n'
    """
    if format == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(table, stream, compression="zstd")
    elif format == "csv":
        _write_csv(table, stream)
    else:
        _write_json(table, stream, lines=format == "jsonl")


def write_file(
    table: pa.Table, path: Path, format: FileFormat | None = None, *, force: bool = False
) -> None:
    """Write rows to a file that appears complete or not at all.

    Raises
    ------
    UsageError
        If the file is there and `force` is false, or its folder is missing.
    DiskFull
        If the disk is full; nothing is left behind.
    """
    format = format or format_of(path)
    with whole(path, force=force) as stream:
        write(table, stream, format)


@contextlib.contextmanager
def whole(path: Path, *, force: bool = False) -> Iterator[IO[bytes]]:
    """Lend a file beside `path` that takes its name when the block ends well.

    Raises
    ------
    UsageError
        If the file is there and `force` is false, or its folder is missing.
    DiskFull
        If the disk is full; nothing is left behind.
    """
    if not path.parent.is_dir():
        raise UsageError(
            f"to write {path}", f"there is no folder {path.parent}", "make the folder first"
        )
    if path.is_dir():
        raise UsageError(f"to write {path}", "it is a folder", "give a file's name")
    if path.exists() and not force:
        raise UsageError(
            f"to write {path}", "the file is there already", "give another name, or --force"
        )
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        beside.chmod(0o666 & ~umask)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        if error.errno != errno.ENOSPC:
            raise
        raise DiskFull(
            f"to write {path}",
            "the disk is full; nothing was written",
            "make room, or write elsewhere",
        ) from error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _write_csv(table: pa.Table, stream: IO[bytes]) -> None:
    import pyarrow.csv as pa_csv

    plain = pa.table([_plain(table[name]) for name in table.column_names], table.column_names)
    pa_csv.write_csv(plain, stream)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Turn what csv has no cell for into text."""
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column.cast(pa.timestamp("us", "UTC")), format="%Y-%m-%dT%H:%M:%SZ")
    if pa.types.is_list(column.type) and pa.types.is_string(column.type.value_type):
        return pa.chunked_array([_json_lists(chunk) for chunk in column.chunks], pa.string())
    if pa.types.is_nested(column.type):
        values = [None if v is None else orjson.dumps(v).decode() for v in column.to_pylist()]
        return pa.chunked_array([pa.array(values, pa.string())])
    return column


def _json_lists(lists: pa.ListArray) -> pa.StringArray:
    """Turn lists of text into JSON text; each distinct word is encoded once."""
    words = lists.flatten().dictionary_encode()
    quoted = pa.array([orjson.dumps(w).decode() for w in words.dictionary.to_pylist()], pa.string())
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    ends = pc.cumulative_sum(lengths.cast(pa.int32()))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    joined = pc.binary_join(
        pa.ListArray.from_arrays(offsets, pc.fill_null(quoted.take(words.indices), "null")), ","
    )
    text = pc.binary_join_element_wise("[", joined, "]", "")
    return pc.if_else(lists.is_valid(), text, pa.scalar(None, pa.string()))


def _write_json(table: pa.Table, stream: IO[bytes], *, lines: bool) -> None:
    between = b"\n" if lines else b",\n"
    stream.write(b"" if lines else b"[")
    for start in range(0, table.num_rows, _CHUNK):
        rows = table.slice(start, _CHUNK).to_pylist()
        stream.write(between if start else b"")
        stream.write(between.join(orjson.dumps(row, option=_JSON) for row in rows))
    stream.write((b"\n" if table.num_rows else b"") if lines else b"]\n")
