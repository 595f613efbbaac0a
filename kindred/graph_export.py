"""The graph of a store as files for other programs: a folder, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pyarrow as pa

from engine.backends.embedded.faults import disk_faults
from engine.contract import Backend
from engine.errors import UsageError
from engine.model import COUNT, TEXT
from engine.progress import Progress

__all__ = ["write_graph"]

_FILES = pa.schema([("file", TEXT), ("kind", TEXT), ("name", TEXT), ("rows", COUNT)])


def write_graph(backend: Backend, folder: Path, *, force: bool, progress: Progress) -> pa.Table:
    """Write a store's graph for `neo4j-admin database import full`; return its files.

    Parameters
    ----------
    folder
        Appears with everything in it, or not at all. `import.sh` in it is the command line.
    force
        Replace a folder that such an export made.

    Returns
    -------
    pa.Table
        A row a file: its name, `nodes` or `relationships`, their label or type (empty where
        the rows say it), and how many.

    Raises
    ------
    UsageError
        If something stands there, or the store keeps no copy of what it was given.
    DiskFull
        If the disk is full; nothing is left behind.
    """
    from engine.backends.neo4j.admin import SCRIPT, write_import

    folder = folder.absolute()
    _check_free(folder, SCRIPT, force=force)
    with (
        disk_faults(f"to write {folder}", folder.parent),
        tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as work,
    ):
        canonical, files = Path(work, "canonical"), Path(work, "files")
        canonical.mkdir()
        files.mkdir()
        progress("reading the log", 0)
        written = write_import(canonical, backend.dump(canonical), files, progress)
        if folder.exists():
            shutil.rmtree(folder)
        files.rename(folder)
    rows = [{"file": w.file, "kind": w.kind, "name": w.name, "rows": w.rows} for w in written]
    return pa.Table.from_pylist(rows, _FILES)


def _check_free(folder: Path, mark: str, *, force: bool) -> None:
    """Raise unless the folder may be made: it is not there, empty, or an older export."""
    wanted = f"to write {folder}"
    if not folder.parent.is_dir():
        raise UsageError(wanted, f"there is no folder {folder.parent}", "make the folder first")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(wanted, "it is a file", "give a folder's name")
    ours = (folder / mark).is_file()
    if any(folder.iterdir()) and not (force and ours):
        todo = "give another name, or --force" if ours else "give another name"
        raise UsageError(wanted, "the folder is there already, with files in it", todo)
