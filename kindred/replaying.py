"""`replay`: compute the run of a bundle again, and say whether it comes out the same.

A bundle may come from anybody: nothing of it is unpacked by its own names, what it may hold is
listed, and its size is looked at before and while it is read.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from engine.errors import InputError
from engine.model import CANONICAL, TEXT
from engine.progress import Progress, silent
from engine.results import RESULTS
from kindred.bundles import FORMAT, MANIFEST, Manifest, computed, digest

__all__ = ["COMPARED", "MOST_BYTES", "MOST_FILES", "read_bundle", "replay"]

MOST_FILES: Final = 200
MOST_BYTES: Final = 8 << 30
"""Size of everything in a bundle, unpacked."""
_MOST_MANIFEST: Final = 16 << 20
_CHUNK: Final = 1 << 20

_NAME: Final = re.compile(
    r"(?:data|tables)/[a-z_]{1,40}\.parquet|csv/[a-z_]{1,40}\.csv"
    r"|figures/[a-z_]{1,60}\.svg|METHODS\.md|CITATION\.cff|citation\.bib|manifest\.json"
)

COMPARED: Final = pa.schema(
    [
        ("table", TEXT),
        ("rows", pa.int64()),
        ("same", pa.bool_()),
        ("digest", TEXT),
        ("difference", TEXT),
    ]
)
"""A row a result table: whether it came out the same, and where it first differs."""

Tables = dict[str, pa.Table]


def replay(path: Path, progress: Progress = silent) -> tuple[Manifest, pa.Table]:
    """Compute the run of a bundle again, in a store of its own, and compare every table.

    Parameters
    ----------
    path
        The zip.
    progress
        Told of the stages.

    Returns
    -------
    tuple
        What the bundle says of itself, and the rows of `COMPARED`.

    Raises
    ------
    InputError
        If it is no bundle, damaged, too large, or of another format.

    Notes
    -----
    Costs an analysis.
    """
    manifest, data, kept = read_bundle(path)
    source = next((one.source for one in manifest.inputs if one.source), {})
    with TemporaryDirectory() as room:
        _, found = computed(data, manifest.params, source, Path(room), progress)
    rows = [_compared(name, kept[name], found[name]) for name in sorted(kept)]
    return manifest, pa.Table.from_pylist(rows, COMPARED)


def read_bundle(path: Path) -> tuple[Manifest, Tables, Tables]:
    """Read a bundle: what it says of itself, its canonical data and its result tables.

    Raises
    ------
    InputError
        If it is no bundle, damaged, too large, or of another format.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            entries = _entries(path, bundle)
            manifest = _manifest(path, _content(path, bundle, entries[MANIFEST], _MOST_MANIFEST))
            if set(manifest.files) != set(entries) - {MANIFEST}:
                raise _no_bundle(path, "its manifest lists other files than it holds")
            contents = {}
            for name in sorted(manifest.files):
                content = _checked(path, bundle, entries[name], manifest.files[name])
                if name.endswith(".parquet"):
                    contents[name] = content
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise _no_bundle(path, str(error)) from error
    schemas = {name: table.schema for name, table in CANONICAL.items()}
    data = _tables(path, contents, "data", schemas, manifest)
    declared = {name: table.schema for name, table in RESULTS.items()}
    return manifest, data, _tables(path, contents, "tables", declared, manifest)


def _no_bundle(path: Path, found: str) -> InputError:
    return InputError(f"the bundle {path}", found, "take one that was written with: kindred bundle")


def _entries(path: Path, bundle: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    listed = bundle.infolist()
    if len(listed) > MOST_FILES:
        raise _no_bundle(path, f"{len(listed):,} files; at most {MOST_FILES} are read")
    total = sum(entry.file_size for entry in listed)
    if total > MOST_BYTES:
        raise _no_bundle(path, f"{total:,} bytes unpacked; at most {MOST_BYTES:,} are read")
    for entry in listed:
        if _NAME.fullmatch(entry.filename) is None:
            raise _no_bundle(path, f"it holds {entry.filename[:80]!r}, which no bundle does")
    found = {entry.filename: entry for entry in listed}
    if len(found) < len(listed) or MANIFEST not in found:
        raise _no_bundle(path, f"it has no {MANIFEST}, or a file twice")
    return found


def _content(path: Path, bundle: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """Unpack a file, no further than it may go, whatever size it claims to have."""
    most = min(most, entry.file_size)
    out = io.BytesIO()
    with bundle.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            out.write(chunk)
            if out.tell() > most:
                raise _no_bundle(path, f"{entry.filename} is larger than {most:,} bytes")
    return out.getvalue()


def _manifest(path: Path, content: bytes) -> Manifest:
    try:
        found = Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise _no_bundle(path, f"its manifest cannot be read: {place}: {first['msg']}") from error
    if found.format != FORMAT:
        raise _no_bundle(path, f"it is of format {found.format}; this version reads {FORMAT}")
    return found


def _checked(path: Path, bundle: zipfile.ZipFile, entry: zipfile.ZipInfo, expected: str) -> bytes:
    content = _content(path, bundle, entry, MOST_BYTES)
    if hashlib.sha256(content).hexdigest() != expected:
        raise _no_bundle(path, f"{entry.filename} is not as it was written")
    return content


def _tables(
    path: Path,
    contents: Mapping[str, bytes],
    room: str,
    declared: Mapping[str, pa.Schema],
    manifest: Manifest,
) -> Tables:
    found: Tables = {}
    for name, schema in declared.items():
        content = contents.get(f"{room}/{name}.parquet")
        if content is None:
            continue
        try:
            rows = pq.read_table(io.BytesIO(content))
            found[name] = rows.cast(_nullable(schema) if room == "data" else schema)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _no_bundle(path, f"{room}/{name}.parquet cannot be read: {error}") from error
        missing = [f.name for f in schema if not f.nullable and found[name][f.name].null_count]
        if missing:
            raise _no_bundle(path, f"{room}/{name}.parquet has rows without {missing[0]}")
    said = set(manifest.data if room == "data" else manifest.tables)
    held = {
        name.split("/")[1].removesuffix(".parquet") for name in contents if name.startswith(room)
    }
    if not said == set(found) == held:
        raise _no_bundle(path, f"it does not hold the tables it lists in {room}")
    return found


def _nullable(schema: pa.Schema) -> pa.Schema:
    return pa.schema([f.with_nullable(True) for f in schema])


def _compared(name: str, kept: pa.Table, found: pa.Table) -> dict[str, Any]:
    mark = digest(found)
    same = mark == digest(kept)
    return {
        "table": name,
        "rows": found.num_rows,
        "same": same,
        "digest": mark,
        "difference": None if same else _difference(kept, found),
    }


def _difference(kept: pa.Table, found: pa.Table) -> str:
    """Say where two tables first differ."""
    rows = min(kept.num_rows, found.num_rows)
    first: tuple[int, str] | None = None
    for name in found.column_names:
        pairs = zip(kept[name].to_pylist(), found[name].to_pylist(), strict=False)
        unequal = next((row for row, (was, now) in enumerate(pairs) if was != now), rows)
        if unequal < (rows if first is None else first[0]):
            first = unequal, name
    if first is None:
        return f"{kept.num_rows:,} rows in the bundle, {found.num_rows:,} computed again"
    at, column = first
    was, now = (kept[column][at].as_py(), found[column][at].as_py())
    return f"row {at + 1}, {column}: {was} in the bundle, {now} computed again"
