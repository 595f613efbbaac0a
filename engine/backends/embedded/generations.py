"""Making the next generation of the graph, and clearing what nobody uses any more."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from engine.backends.embedded.claims import is_claimed
from engine.backends.embedded.faults import is_disk_full
from engine.backends.embedded.graph import (
    apply,
    build,
    derived_counts,
    ladybug_version,
    publish_filler,
    verify,
)
from engine.backends.embedded.graph_files import NotAdditive, all_files, new_files
from engine.backends.embedded.graph_rows import derive
from engine.backends.embedded.graph_schema import PUBLISHED, model_hash
from engine.backends.embedded.layout import Layout
from engine.backends.embedded.manifest import BatchEntry, FileEntry, GraphEntry, Manifest
from engine.backends.embedded.run_graph import RunRows
from engine.backends.files import duck
from engine.backends.files.durable import digest
from engine.progress import Progress

__all__ = ["Builder", "clear", "is_usable"]

Batches = Sequence[tuple[BatchEntry, Path]]


def is_usable(graph: GraphEntry, layout: Layout) -> bool:
    """Say whether a generation can be read and built upon, without opening it."""
    file = layout.graph_file(graph.generation)
    return (
        graph.engine == ladybug_version()
        and graph.model == model_hash()
        and file.exists()
        and file.stat().st_size == graph.file.size
    )


class Builder:
    """Builds the generation that follows a manifest.

    Parameters
    ----------
    layout, manifest
        The store and what it holds now.
    work
        An empty folder on the store's disk.
    progress
        Who listens.
    """

    def __init__(self, layout: Layout, manifest: Manifest, work: Path, progress: Progress) -> None:
        self._layout = layout
        self._manifest = manifest
        self._work = work
        self._progress = progress
        self.name = f"g{manifest.revision + 1:06d}"
        self._file = layout.graph_file(self.name)

    def after_load(
        self, con: duckdb.DuckDBPyConnection, batches: Batches, run: tuple[str, Path] | None
    ) -> GraphEntry:
        """Build the graph of these batches, of which the last is new.

        `con` has what `graph_rows.derive` lays out of them in its schema `now`.
        """
        graph = self._manifest.graph
        if graph is not None and is_usable(graph, self._layout):
            try:
                return self._add(con, graph, batches)
            except NotAdditive:
                pass
            except Exception as fault:
                if is_disk_full(fault):
                    raise
        return self._whole(con, batches, run)

    def after_run(self, batches: Batches, run: tuple[str, Path]) -> GraphEntry:
        """Build the graph of these batches with this run in the place of the one before."""
        graph = self._manifest.graph
        if graph is not None and is_usable(graph, self._layout):
            try:
                return self._replace_run(graph, run)
            except Exception as fault:
                if is_disk_full(fault):
                    raise
        return self.anew(batches, run)

    def without_run(self, batches: Batches) -> GraphEntry:
        """Build the graph of these batches with no run in it."""
        graph = self._manifest.graph
        if graph is not None and is_usable(graph, self._layout):
            self._start("none")
            current = self._layout.graph_file(graph.generation)
            apply(current, self._file, [], publish_filler(lambda _: ()))
            return self._verified(derived_counts([], graph.counts), None, graph.batches, None)
        return self.anew(batches, None)

    def anew(self, batches: Batches, run: tuple[str, Path] | None) -> GraphEntry:
        """Build the graph from the log and a run."""
        with duck.connect(self._work) as con:
            derive(con, "now", batches)
            return self._whole(con, batches, run)

    def _whole(
        self, con: duckdb.DuckDBPyConnection, batches: Batches, run: tuple[str, Path] | None
    ) -> GraphEntry:
        folder = self._start("all")
        self._progress("building the graph")
        files = all_files(con, batches, folder)
        rows = self._rows(run, folder)
        build(self._file, files, publish_filler(rows.write) if rows else None)
        return self._verified(derived_counts(files, {}), rows, len(batches), run)

    def _add(
        self, con: duckdb.DuckDBPyConnection, graph: GraphEntry, batches: Batches
    ) -> GraphEntry:
        folder = self._start("new")
        self._progress("adding to the graph")
        files = new_files(con, batches, folder)
        apply(self._layout.graph_file(graph.generation), self._file, files)
        counts = derived_counts(files, graph.counts)
        counts |= {name: graph.counts.get(name, 0) for name in PUBLISHED}
        verify(self._file, counts)
        return self._entry(counts, len(batches), graph.run_id)

    def _replace_run(self, graph: GraphEntry, run: tuple[str, Path]) -> GraphEntry:
        folder = self._start("run")
        self._progress("publishing into the graph")
        rows = self._rows(run, folder)
        current = self._layout.graph_file(graph.generation)
        apply(current, self._file, [], publish_filler(rows.write) if rows else None)
        return self._verified(derived_counts([], graph.counts), rows, graph.batches, run)

    def _rows(self, run: tuple[str, Path] | None, folder: Path) -> RunRows | None:
        return RunRows(run[1], folder) if run is not None else None

    def _start(self, name: str) -> Path:
        shutil.rmtree(self._layout.generation(self.name), ignore_errors=True)
        self._layout.leases(self.name).mkdir(parents=True)
        folder = self._work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def _verified(
        self,
        counts: dict[str, int],
        rows: RunRows | None,
        batches: int,
        run: tuple[str, Path] | None,
    ) -> GraphEntry:
        published = rows.counts if rows is not None else {}
        counts |= {name: published.get(name, 0) for name in PUBLISHED}
        verify(self._file, counts)
        return self._entry(counts, batches, run[0] if run is not None else None)

    def _entry(self, counts: dict[str, int], batches: int, run_id: str | None) -> GraphEntry:
        return GraphEntry(
            generation=self.name,
            engine=ladybug_version(),
            model=model_hash(),
            batches=batches,
            run_id=run_id,
            counts=dict(sorted(counts.items())),
            file=FileEntry(sum(counts.values()), self._file.stat().st_size, digest(self._file)),
        )


def clear(layout: Layout, manifest: Manifest) -> list[str]:
    """Remove what no manifest names and nobody uses; return what went.

    Only the holder of the writer's lock may call it.
    """
    current = manifest.graph.generation if manifest.graph else None
    gone: list[str] = []
    kept = {b.batch_id for b in manifest.batches}
    gone += _remove(p for p in _folders(layout.log) if p.name not in kept)
    kept = {r.folder for r in manifest.runs}
    gone += _remove(p for p in _folders(layout.runs) if p.name not in kept)
    gone += _remove(
        p for p in _folders(layout.graph) if p.name != current and not _leased(layout, p.name)
    )
    gone += _remove(p for p in _folders(layout.staging) if not is_claimed(_claim_of(p)))
    for claim in sorted(layout.staging.glob("*.claim")):
        if not is_claimed(claim):
            claim.unlink(missing_ok=True)
    for beside in sorted(layout.root.glob("*.new")):
        beside.unlink(missing_ok=True)
        gone.append(beside.name)
    if current is not None:
        for lease in sorted(layout.leases(current).glob("*.claim")):
            if not is_claimed(lease):
                lease.unlink(missing_ok=True)
    return gone


def _leased(layout: Layout, generation: str) -> bool:
    return any(is_claimed(lease) for lease in sorted(layout.leases(generation).glob("*.claim")))


def _claim_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.claim")


def _folders(parent: Path) -> list[Path]:
    return sorted(p for p in parent.iterdir() if p.is_dir()) if parent.is_dir() else []


def _remove(paths: Iterable[Path]) -> list[str]:
    names: list[str] = []
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
        names.append(f"{path.parent.name}/{path.name}")
    return names
