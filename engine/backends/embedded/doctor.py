"""The doctor: looks at every file of a store and says in a sentence what it found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.backends.embedded.claims import claimant, is_claimed
from engine.backends.embedded.graph import count_rows, ladybug_version
from engine.backends.embedded.graph_schema import model_hash
from engine.backends.embedded.layout import Layout
from engine.backends.embedded.manifest import FileEntry, GraphEntry, Manifest
from engine.backends.embedded.migrations import FORMAT, stored_format
from engine.backends.files.durable import digest
from engine.backends.files.runs import read_info
from engine.contract import Finding
from engine.errors import KindredError
from engine.model import EDGES
from engine.progress import Progress
from engine.results import RESULTS

__all__ = ["examine"]

_REBUILD = "run: kindred doctor --rebuild"


def examine(layout: Layout, manifest: Manifest, progress: Progress) -> Iterator[Finding]:
    """Look at the version, the log, the runs, the graph and what was left lying about."""
    found = stored_format(layout)
    yield Finding(
        "version",
        found == FORMAT,
        f"store format {found}",
        "" if found == FORMAT else "open the store for writing: it is migrated then",
    )
    total = len(manifest.batches) + len(manifest.runs) + 1
    for done, batch in enumerate(manifest.batches):
        progress("checking the log", done, total)
        wrong = _files(layout.batch(batch.batch_id), batch.files)
        rows = sum(f.rows for f in batch.files.values())
        yield Finding(
            f"batch {batch.batch_id}",
            not wrong,
            wrong or f"{len(batch.files)} files, {rows:,} rows, as they were written",
            f"restore log/{batch.batch_id} from a backup, or load {batch.source} into a new store"
            if wrong
            else "",
        )
    for run in manifest.runs:
        yield _run(
            layout.run(run.folder), run.run_id, run.files, active=run.run_id == manifest.active
        )
    progress("checking the graph", total - 1, total)
    yield _graph(layout, manifest)
    yield from _leftovers(layout, manifest)
    progress("checking the graph", total, total)


def _files(folder: Path, files: Mapping[str, FileEntry]) -> str:
    """Return what is wrong with a folder's files; nothing where all is as it was written."""
    for name, entry in files.items():
        path = folder / f"{name}.parquet"
        if not path.exists():
            return f"{path.name} is missing"
        if path.stat().st_size != entry.size or digest(path) != entry.sha256:
            return f"{path.name} is not what was written: its bytes have changed"
        try:
            rows = pq.read_metadata(path).num_rows
        except (OSError, pa.ArrowException) as fault:
            return f"{path.name} cannot be read: {fault}"
        if rows != entry.rows:
            return f"{path.name} has {rows:,} rows, not {entry.rows:,}"
    return ""


def _run(folder: Path, run_id: str, files: Mapping[str, FileEntry], *, active: bool) -> Finding:
    what = f"run {run_id}"
    again = "run: kindred analyse"
    if wrong := _files(folder, files):
        return Finding(what, ok=False, found=wrong, todo=again)
    try:
        info = read_info(folder, active=active)
    except KindredError as fault:
        return Finding(what, ok=False, found=fault.found, todo=again)
    if info.stale:
        return Finding(what, ok=True, found="written by another result schema (stale)", todo=again)
    for name, table in RESULTS.items():
        if name not in files:
            return Finding(what, ok=False, found=f"{name}.parquet is missing", todo=again)
        if not pq.read_schema(folder / f"{name}.parquet").equals(table.schema):
            return Finding(
                what, ok=False, found=f"{name} has other columns than declared", todo=again
            )
    words = "the active run, " if active else ""
    return Finding(what, ok=True, found=f"{words}{len(files)} tables, as they were written")


def _graph(layout: Layout, manifest: Manifest) -> Finding:
    graph = manifest.graph
    if graph is None:
        empty = not manifest.batches and manifest.active is None
        return Finding(
            "graph", empty, "nothing loaded yet" if empty else "there is none",
            "" if empty else _REBUILD,
        )  # fmt: skip
    wrong = _disagreement(layout, manifest, graph)
    if wrong:
        return Finding("graph", ok=False, found=wrong, todo=_REBUILD)
    nodes = graph.counts.get("User", 0)
    edges = sum(count for name, count in graph.counts.items() if name in EDGES)
    return Finding(
        "graph",
        ok=True,
        found=f"generation {graph.generation} opens: {nodes:,} users, {edges:,} edges,"
        " as the log says",
    )


def _disagreement(layout: Layout, manifest: Manifest, graph: GraphEntry) -> str:
    if graph.engine != ladybug_version():
        return f"written by Ladybug {graph.engine}, {ladybug_version()} is installed"
    if graph.model != model_hash():
        return "it declares other tables than this version"
    if graph.batches != len(manifest.batches):
        return f"it holds {graph.batches} of {len(manifest.batches)} batches"
    if graph.run_id != manifest.active:
        return f"it holds the run {graph.run_id}, the active one is {manifest.active}"
    file = layout.graph_file(graph.generation)
    if not file.exists():
        return f"the file of generation {graph.generation} is missing"
    if file.stat().st_size != graph.file.size or digest(file) != graph.file.sha256:
        return f"generation {graph.generation} is not what was written: its bytes have changed"
    try:
        counts = count_rows(file)
    except (RuntimeError, OSError) as fault:
        return f"generation {graph.generation} cannot be opened: {str(fault).splitlines()[0]}"
    wrong = [f"{counts[n]:,} of {c:,} {n}" for n, c in graph.counts.items() if counts[n] != c]
    return f"it holds {', '.join(wrong)}" if wrong else ""


def _leftovers(layout: Layout, manifest: Manifest) -> Iterator[Finding]:
    current = manifest.graph.generation if manifest.graph else None
    kept: dict[Path, set[str | None]] = {
        layout.log: {b.batch_id for b in manifest.batches},
        layout.runs: {r.folder for r in manifest.runs},
        layout.graph: {current},
        layout.staging: set(),
    }
    held: list[str] = []
    idle: list[str] = []
    for parent, names in kept.items():
        for folder in sorted(p for p in parent.glob("*") if p.is_dir() and p.name not in names):
            users = _users(folder)
            (held if users else idle).append(
                f"{parent.name}/{folder.name}" + (f" (process {', '.join(users)})" if users else "")
            )
    if held:
        yield Finding("in use", ok=True, found=f"{', '.join(held)}: goes when it is let go")
    # What no manifest names harms nobody: it is told, not held against the store.
    yield Finding(
        "leftovers",
        ok=True,
        found=f"{', '.join(idle)}: of work that was interrupted; the next load, analysis or"
        " doctor --rebuild removes them"
        if idle
        else "none",
    )


def _users(folder: Path) -> list[str]:
    """Return the processes that use a generation or a staging folder."""
    claims = [folder.with_name(f"{folder.name}.claim"), *sorted(folder.glob("leases/*.claim"))]
    return [claimant(claim) for claim in claims if claim.exists() and is_claimed(claim)]
