"""The embedded store: the contract, told in terms of the rooms beside this file."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import duckdb
import pyarrow as pa

from engine.backends.embedded import reading
from engine.backends.embedded.claims import Claim
from engine.backends.embedded.doctor import examine
from engine.backends.embedded.dump import write_canonical
from engine.backends.embedded.faults import disk_faults, require_space
from engine.backends.embedded.generations import Builder, clear, is_usable
from engine.backends.embedded.graph import ladybug_version
from engine.backends.embedded.graph_rows import derive
from engine.backends.embedded.graph_schema import PUBLISHED
from engine.backends.embedded.guard import bounded, check_reads_only
from engine.backends.embedded.layout import Layout
from engine.backends.embedded.lock import writer_lock
from engine.backends.embedded.log import file_entries, write_batch
from engine.backends.embedded.logviews import ambiguous_handles
from engine.backends.embedded.manifest import BatchEntry, GraphEntry, Manifest, RunEntry
from engine.backends.embedded.migrations import FORMAT, check_not_newer, migrate, stamp
from engine.backends.embedded.project import project
from engine.backends.embedded.reader import GraphReader, to_arrow
from engine.backends.embedded.remove import check_only_ours, empty
from engine.backends.files import duck
from engine.backends.files.batch import REJECTS
from engine.backends.files.durable import replace_json, sync_folder
from engine.backends.files.run_read import read_rows
from engine.backends.files.runs import missing_run, read_info, run_id, write_run
from engine.backends.named import chosen
from engine.contract import (
    Backend,
    Batch,
    Finding,
    Loaded,
    LoadReport,
    Removable,
    RunInfo,
    RunTables,
)
from engine.errors import KindredError, StoreDamaged, StoreMissing, UsageError
from engine.model import EDGES, NODES
from engine.progress import Progress, silent
from engine.results import RESULTS
from engine.results import empty as no_rows
from engine.snapshot import Snapshot

__all__ = ["EmbeddedStore"]

NO_WAIT = "KINDRED_NO_WAIT"
_T = TypeVar("_T")


class EmbeddedStore(Backend):
    """A store in a folder. Open it with `EmbeddedStore.open` or `engine.connect.connect`.

    Safe to share between threads and processes: readers never wait, writers wait for
    each other unless `no_wait` is set (or KINDRED_NO_WAIT in the environment).
    """

    cannot: ClassVar[Mapping[str, str]] = {}

    def __init__(self, layout: Layout, *, read_only: bool) -> None:
        self.layout = layout
        self.read_only = read_only
        self.no_wait = os.environ.get(NO_WAIT, "") not in {"", "0"}
        self._duck = duck.connect()
        self._lock = threading.Lock()
        self._manifest: tuple[tuple[int, int, int], Manifest] | None = None
        self._snapshot: tuple[tuple[str, ...], Snapshot] | None = None
        self._reader = GraphReader(layout, self._generation, leases=not read_only)

    @classmethod
    def open(cls, path: Path, *, create: bool = True, read_only: bool = False) -> Self:
        """Open the store in a folder.

        Parameters
        ----------
        path
            The store's folder.
        create
            Make an empty store where there is none.
        read_only
            Never write, not even a lock or a lease.

        Raises
        ------
        StoreMissing
            If there is none and none may be made.
        StoreNewer
            If a newer version of kindred wrote it.
        """
        layout = Layout(Path(path).expanduser().absolute())
        if not layout.store_json.exists():
            if read_only or not create:
                raise StoreMissing(
                    f"the store {path}",
                    "there is none" if not layout.root.exists() else "the folder holds no store",
                    "load something into it with: kindred load FILE",
                )
            _make(layout)
        store = cls(layout, read_only=read_only)
        if check_not_newer(layout) < FORMAT and not read_only:
            with store._writing(f"to bring the store {path} to this version", silent):
                migrate(layout)
        store.manifest()
        return store

    # What the store holds -----------------------------------------------------------------

    def manifest(self) -> Manifest:
        """Return what the store holds now; read again only where it was replaced."""
        with self._lock:
            try:
                stat = self.layout.manifest.stat()
            except FileNotFoundError:
                return Manifest.load(self.layout.manifest)
            mark = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if self._manifest is None or self._manifest[0] != mark:
                self._manifest = (mark, Manifest.load(self.layout.manifest))
            return self._manifest[1]

    def mapping(self) -> str | None:
        """Return the mapping of somebody's own graph that the runs are about; None without one."""
        try:
            return self.layout.adopted.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def keep_mapping(self, text: str) -> None:
        """Keep the mapping of somebody's own graph: runs are about that from now on.

        Raises
        ------
        UsageError
            If the store holds data of its own.
        """
        wanted = "to keep the results on an adopted graph"
        with self._writing(wanted, silent):
            if self.manifest().batches:
                raise UsageError(
                    wanted,
                    f"the store in {self.layout.root} holds data of its own",
                    "name another folder with --results",
                )
            replace_json(self.layout.adopted, json.loads(text))

    def _generation(self) -> str | None:
        graph = self.manifest().graph
        return graph.generation if graph is not None else None

    def _batches(self, manifest: Manifest) -> list[tuple[BatchEntry, Path]]:
        return [(b, self.layout.batch(b.batch_id)) for b in manifest.batches]

    def _active(self, manifest: Manifest) -> tuple[str, Path] | None:
        entry = manifest.run(None)
        return (entry.run_id, self.layout.run(entry.folder)) if entry is not None else None

    def knows(self, fingerprint: str) -> bool:
        """Say whether a batch with this fingerprint is in the store."""
        return any(b.fingerprint == fingerprint for b in self.manifest().batches)

    def batches(self) -> list[LoadReport]:
        """List what was loaded, oldest first."""
        return [_report(b, already=False) for b in self.manifest().batches]

    def rejects(self) -> pa.Table:
        """Return rejected rows: batch_id, table, line, reason, sentence, raw."""
        return reading.rejects(self._duck.cursor(), self._batches(self.manifest()))

    def dump(self, folder: Path) -> Sequence[Loaded]:
        """Write all that was loaded into an empty folder, as canonical tables."""
        batches = self._batches(self.manifest())
        with duck.connect(folder) as con:
            write_canonical(con, batches, folder)
        return [
            Loaded(
                entry.fingerprint,
                _report(entry, already=False),
                place / f"{REJECTS}.parquet" if REJECTS in entry.files else None,
            )
            for entry, place in batches
        ]

    def snapshot(self) -> Snapshot:
        """Project the whole store onto integer columns; kept until a batch comes in."""
        manifest = self.manifest()
        mark = tuple(b.batch_id for b in manifest.batches)
        if self._snapshot is None or self._snapshot[0] != mark:
            with duck.connect() as con:
                self._snapshot = (mark, project(con, self._batches(manifest)))
        return self._snapshot[1]

    # Writing ------------------------------------------------------------------------------

    @contextmanager
    def stage(self) -> Iterator[Path]:
        """Lend an empty folder on the store's disk; it is gone when the context ends."""
        self._check_writable("to prepare a load")
        with disk_faults("to prepare a load", self.layout.root), self._staged() as folder:
            yield folder

    @contextmanager
    def _staged(self) -> Iterator[Path]:
        self.layout.staging.mkdir(exist_ok=True)
        claim = Claim.make(self.layout.staging)
        folder = claim.path.with_suffix("")
        try:
            folder.mkdir()
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            claim.release()

    def write(self, batch: Batch, progress: Progress = silent) -> LoadReport:
        """Take in a batch, all of it or nothing. A batch known by fingerprint is left alone."""
        with self._writing(f"to load {batch.source}", progress), self._staged() as work:
            manifest = self.manifest()
            for known in manifest.batches:
                if known.fingerprint == batch.fingerprint:
                    return _report(known, already=True)
            self._require_space(f"to load {batch.source}", batch.folder)
            earlier = self._batches(manifest)
            folder = work / "log"
            folder.mkdir()
            with duck.connect(work) as con:
                written = write_batch(
                    con,
                    batch,
                    folder=folder,
                    earlier=earlier,
                    keys=manifest.keys,
                    progress=progress,
                )
                batches = [*earlier, (written.entry, folder)]
                derive(con, "now", batches)
                entry = replace(written.entry, notes=_notes(con))
                graph = Builder(self.layout, manifest, work, progress).after_load(
                    con, batches, self._active(manifest)
                )
            self._move(folder, self.layout.batch(entry.batch_id))
            self._commit(
                manifest.next(
                    batches=(*manifest.batches, entry), graph=graph, keys=dict(written.keys)
                )
            )
            return _report(entry, already=False)

    def publish(self, run: RunTables, progress: Progress = silent) -> RunInfo:
        """Store a run, make it the active one, and write it back into the graph, at once."""
        with self._writing("to store a run", progress), self._staged() as work:
            manifest = self.manifest()
            self._require_space("to store a run", None)
            folder = work / "tables"
            folder.mkdir()
            write_run(
                folder, run, self._batches_behind(run, manifest), {"ladybug": ladybug_version()}
            )
            entry = self._place_run(run_id(run), folder, manifest)
            place = self.layout.run(entry.folder)
            if not self._shows(manifest, entry):
                graph = Builder(self.layout, manifest, work, progress).after_run(
                    self._batches(manifest), (entry.run_id, place)
                )
                others = tuple(r for r in manifest.runs if r.run_id != entry.run_id)
                self._commit(manifest.next(runs=(*others, entry), active=entry.run_id, graph=graph))
            return read_info(place, active=True)

    def _batches_behind(self, run: RunTables, manifest: Manifest) -> Sequence[str]:
        """Name the batches a run saw: those of the snapshot it was made from."""
        if self._snapshot is not None and self._snapshot[1].fingerprint == run.fingerprint:
            return self._snapshot[0]
        return [b.batch_id for b in manifest.batches]

    def _place_run(self, name: str, folder: Path, manifest: Manifest) -> RunEntry:
        """Keep the tables of a run that is there and the same; else put the new ones beside."""
        files = file_entries(folder)
        known = manifest.run(name)
        if known is not None and known.files == files:
            return known
        taken = {r.folder for r in manifest.runs}
        names = (name, *(f"{name}.{i}" for i in range(2, len(taken) + 3)))
        entry = RunEntry(name, next(n for n in names if n not in taken), files)
        self._move(folder, self.layout.run(entry.folder))
        return entry

    def _shows(self, manifest: Manifest, entry: RunEntry) -> bool:
        """Say whether the store shows just this run already."""
        graph = manifest.graph
        return (
            manifest.active == entry.run_id
            and manifest.run(entry.run_id) == entry
            and graph is not None
            and graph.run_id == entry.run_id
            and is_usable(graph, self.layout)
        )

    @contextmanager
    def _writing(self, wanted: str, progress: Progress) -> Iterator[None]:
        """Hold the writer's lock; whatever fails inside leaves no half-done work behind."""
        self._check_writable(wanted)
        with (
            disk_faults(wanted, self.layout.root),
            writer_lock(self.layout.lock, wait=not self.no_wait, progress=progress),
        ):
            clear(self.layout, self.manifest())
            try:
                yield
            except BaseException:
                with suppress(KindredError, OSError):  # the first fault is the one to tell
                    clear(self.layout, self.manifest())
                raise

    def _check_writable(self, wanted: str) -> None:
        if self.read_only:
            raise UsageError(wanted, "the store was opened read-only", "open it for writing")

    def _require_space(self, wanted: str, folder: Path | None) -> None:
        """Ask for what a load or a run is known to need: a copy of the graph, and the rows."""
        graph = self._generation()
        file = self.layout.graph_file(graph) if graph is not None else None
        copy = file.stat().st_size if file is not None and file.exists() else 0
        rows = sum(p.stat().st_size for p in folder.glob("*.parquet")) if folder else 0
        require_space(wanted, self.layout.root, copy + 3 * rows)

    def _move(self, folder: Path, place: Path) -> None:
        place.parent.mkdir(exist_ok=True)
        folder.rename(place)
        sync_folder(place.parent)

    def _commit(self, manifest: Manifest) -> None:
        sync_folder(self.layout.graph)
        manifest.save(self.layout.manifest)
        with suppress(OSError):  # done is done; what cannot be cleared now goes next time
            clear(self.layout, manifest)

    # Runs ---------------------------------------------------------------------------------

    def runs(self) -> list[RunInfo]:
        """List the runs, newest first."""
        manifest = self.manifest()
        found = [
            read_info(self.layout.run(r.folder), active=r.run_id == manifest.active)
            for r in manifest.runs
        ]
        return sorted(found, key=lambda r: (r.created_at, r.run_id), reverse=True)

    def run(self, run_id: str | None = None) -> RunInfo:
        """Return this run, or the active one. Raises `NotFound`."""

        def info(manifest: Manifest) -> RunInfo:
            entry = _entry(manifest, run_id)
            return read_info(self.layout.run(entry.folder), active=entry.run_id == manifest.active)

        return self._steadily(info)

    def read(
        self,
        table: str,
        *,
        run_id: str | None = None,
        where: Mapping[str, Any] | None = None,
        order: Sequence[str] = (),
        limit: int | None = None,
        after: Sequence[Any] | None = None,
    ) -> pa.Table:
        """Read rows of a result table of this run, or of the active one."""

        def rows(manifest: Manifest) -> pa.Table:
            entry = _entry(manifest, run_id)
            folder = self.layout.run(entry.folder)
            # A run that another version wrote may lack tables that came since.
            if table in set(RESULTS) - set(entry.files) and read_info(folder, active=False).stale:
                return no_rows(table)
            return read_rows(
                self._duck.cursor(), folder / f"{table}.parquet", table,
                where=where, order=order, limit=limit, after=after,
            )  # fmt: skip

        return self._steadily(rows)

    def _steadily(self, read: Callable[[Manifest], _T]) -> _T:
        """Read by a manifest; where a writer has replaced a run's files meanwhile, once more."""
        manifest = self.manifest()
        try:
            return read(manifest)
        except (StoreDamaged, duckdb.IOException):
            if self.manifest().revision == manifest.revision:
                raise
            return read(self.manifest())

    # The graph ----------------------------------------------------------------------------

    def users(self, user_ids: Sequence[str]) -> pa.Table:
        """Return user_id, platform, handle, name, followers_count, labels of these users."""
        return self.statement("users", {"ids": list(user_ids)}).drop_columns("position")

    def contents(self, content_ids: Sequence[str]) -> pa.Table:
        """Return content_id, platform, kind, author_id, created_at, text, url of these contents."""
        return self.statement("contents", {"ids": list(content_ids)}).drop_columns("position")

    def statement(self, name: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a named reading statement of `cypher/` on the graph."""
        return self._query(chosen(name, parameters).text, parameters)

    def query(
        self, cypher: str, parameters: Mapping[str, Any] | None = None, *, limit: int = 10_000
    ) -> pa.Table:
        """Run a reader's own Cypher, read-only, at most `limit` rows, at most a minute."""
        check_reads_only(cypher)
        return self._query(bounded(cypher, limit), parameters).slice(0, limit)

    def _query(self, text: str, parameters: Mapping[str, Any] | None) -> pa.Table:
        with ExitStack() as held:
            try:
                self._check_graph()
                graph = held.enter_context(self._reader.graph())
            except StoreDamaged:
                if self.read_only:
                    raise
                self._heal()
                graph = held.enter_context(self._reader.graph())
            return to_arrow(held.enter_context(graph.connection()), text, parameters)

    def _check_graph(self) -> None:
        graph = self.manifest().graph
        if graph is not None and not is_usable(graph, self.layout):
            raise StoreDamaged(
                f"the graph of the store {self.layout.root}",
                f"generation {graph.generation} is damaged or of another version",
                "run: kindred doctor --rebuild",
            )

    def _heal(self) -> None:
        """Build the graph again, unless another process just has."""
        before = self.manifest().revision
        with self._writing("to rebuild the graph", silent), self._staged() as work:
            if self.manifest().revision == before:
                self._rebuild(work, silent)

    # Care ---------------------------------------------------------------------------------

    def doctor(self, *, rebuild: bool = False, progress: Progress = silent) -> Iterator[Finding]:
        """Check every file and, if asked, rebuild what is derived."""
        if rebuild:
            with self._writing("to rebuild the graph", progress), self._staged() as work:
                self._rebuild(work, progress)
        yield from examine(self.layout, self.manifest(), progress)

    def _rebuild(self, work: Path, progress: Progress) -> None:
        manifest = self.manifest()
        if not manifest.batches and manifest.active is None:
            return
        graph: GraphEntry = Builder(self.layout, manifest, work, progress).anew(
            self._batches(manifest), self._active(manifest)
        )
        self._commit(manifest.next(graph=graph))

    def remove(self, what: Removable, progress: Progress = silent) -> Mapping[str, int]:
        """Take out the runs, or empty the store's folder; raise where it holds other files."""
        if what == "all":
            check_only_ours(self.layout)
        with self._writing(f"to remove {what} from the store", progress):
            before = self.manifest()
            if what == "all":
                self._reader.close()
                self._commit(Manifest(revision=before.revision + 1))
                empty(self.layout)
            elif before.runs:
                with self._staged() as work:
                    graph = Builder(self.layout, before, work, progress).without_run(
                        self._batches(before)
                    )
                    self._commit(before.next(runs=(), active=None, graph=graph))
        return _removed(before, what)

    def close(self) -> None:
        """Let go of every file."""
        self._reader.close()
        self._snapshot = None
        self._duck.close()


def _make(layout: Layout) -> None:
    with disk_faults(f"to make the store {layout.root}", layout.root.parent):
        layout.root.mkdir(parents=True, exist_ok=True)
        with writer_lock(layout.lock, wait=True):
            if layout.store_json.exists():
                return
            for folder in (layout.log, layout.runs, layout.graph, layout.staging):
                folder.mkdir(exist_ok=True)
            Manifest().save(layout.manifest)
            stamp(layout)


def _entry(manifest: Manifest, run_id: str | None) -> RunEntry:
    entry = manifest.run(run_id)
    if entry is None:
        raise missing_run(run_id, [r.run_id for r in manifest.runs])
    return entry


def _report(entry: BatchEntry, *, already: bool) -> LoadReport:
    return LoadReport(
        batch_id=entry.batch_id,
        source=entry.source,
        format=entry.format,
        already_loaded=already,
        rows=dict(entry.rows),
        new_rows=dict.fromkeys(entry.new_rows, 0) if already else dict(entry.new_rows),
        rejected=dict(entry.rejected),
        options=dict(entry.options),
        notes=entry.notes,
    )


def _removed(before: Manifest, what: Removable) -> dict[str, int]:
    """Count what stood by a manifest: runs and what is published, or everything."""
    counts = before.graph.counts if before.graph is not None else {}
    gone = {name: count for name, count in counts.items() if what == "all" or name in PUBLISHED}
    removed = {
        "runs": len(before.runs),
        "relationships": sum(count for name, count in gone.items() if name in EDGES),
        "nodes": sum(count for name, count in gone.items() if name in NODES),
    }
    return removed if what == "results" else {**removed, "batches": len(before.batches)}


def _notes(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    ambiguous = ambiguous_handles(con)
    if not ambiguous:
        return ()
    return (f"{ambiguous} handles stay users of their own: several accounts claim each of them",)
