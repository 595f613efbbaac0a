"""The store on a Neo4j server: the contract, told in terms of the rooms beside this file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import pyarrow as pa

from cypher import statement
from engine.algorithms import Algorithms
from engine.backends.neo4j import doctor, engines, log, project, reader, runs, settle
from engine.backends.neo4j.adoption import Adoption
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.layout import OWN, Names
from engine.backends.neo4j.lock import Held, writer_lock
from engine.backends.neo4j.manifest import Manifest
from engine.backends.neo4j.migrations import make, migrate
from engine.backends.neo4j.remove import remove_graph, remove_lock
from engine.contract import Backend, Batch, Finding, LoadReport, Removable, RunInfo, RunTables
from engine.errors import StoreMissing, UsageError
from engine.params import Engine
from engine.progress import Progress, silent
from engine.server import SCHEMES, Server
from engine.snapshot import Snapshot

__all__ = ["Neo4jStore"]


class Neo4jStore(Backend):
    """A store in a database of a Neo4j server. Open it with `engine.connect.connect`.

    Safe to share between threads and processes: readers never wait, writers wait for each
    other unless opened with `wait=False`.
    """

    schemes: ClassVar[tuple[str, ...]] = SCHEMES
    cannot: ClassVar[Mapping[str, str]] = {
        "dump": "keeps the graph that exports make, not the exports themselves"
    }

    def __init__(self, link: Link, *, wait: bool) -> None:
        self.link = link
        self.wait = wait
        self._runs = runs.Runs(link)
        self._snapshot: tuple[int, Snapshot] | None = None

    @classmethod
    def open(
        cls,
        address: str,
        server: Server,
        *,
        create: bool = True,
        read_only: bool = False,
        wait: bool = True,
        mapping: str | None = None,
    ) -> Self:
        """Open the store in a server's database.

        Parameters
        ----------
        mapping
            Make it, where there is none, the place of results on the graph that this maps.

        Raises
        ------
        StoreMissing
            If the database holds none and none may be made.
        ForeignData
            If one is to be made where somebody's data carry kindred's labels.
        StoreNewer
            If a newer version of kindred wrote it.
        ServerAway, AccessDenied
            If the server does not let us in.
        """
        link = Link(address, server, read_only=read_only)
        try:
            manifest = Manifest.read(link)
            if manifest is not None:
                link.names = _names(manifest.mapping)
                migrate(link, manifest, wait=wait)
            elif create and not read_only:
                link.names = _names(mapping)
                make(link, mapping)
        except BaseException:
            link.close()
            raise
        if manifest is None and (read_only or not create):
            link.close()
            raise StoreMissing(
                f"the store on {address}",
                "the database holds none",
                "load something into it with: kindred load FILE --store ADDRESS",
            )
        return cls(link, wait=wait)

    # What the store holds -----------------------------------------------------------------

    def manifest(self) -> Manifest:
        """Return what the store holds now."""
        found = Manifest.read(self.link)
        if found is None:
            raise StoreMissing(
                f"the store on {self.link.address}",
                "it was removed while it was open",
                "load again: kindred load FILE",
            )
        return found

    def knows(self, fingerprint: str) -> bool:
        """Say whether a batch with this fingerprint is in the store."""
        return any(b.fingerprint == fingerprint for b in self.manifest().done)

    def batches(self) -> list[LoadReport]:
        """List what was loaded, oldest first."""
        return [b.report for b in self.manifest().done]

    def rejects(self) -> pa.Table:
        """Return rejected rows: batch_id, table, line, reason, sentence, raw."""
        return log.rejects(self.link, self.manifest())

    def snapshot(self) -> Snapshot:
        """Stream the graph into integer columns; kept until a load changes it."""
        manifest = self._settled()
        if self._snapshot is None or self._snapshot[0] != manifest.revision:
            self._snapshot = project.project(self.link, manifest)
        return self._snapshot[1]

    def algorithms(self, engine: Engine, progress: Progress = silent) -> Algorithms:
        """Return the server's Graph Data Science, or kindred's kernels: see `engines`."""
        return engines.choose(self.link, engine, lambda: self.snapshot().users.user_id, progress)

    def _settled(self) -> Manifest:
        """Return the manifest once no finished load has changes left to apply."""
        manifest = self.manifest()
        if manifest.settled or self.link.read_only:
            return manifest
        with self._writing("to finish an earlier load", silent):
            return self.manifest()

    def mapping(self) -> str | None:
        """Return the mapping of somebody's own graph that the runs are about; None without one."""
        return self.manifest().mapping

    def keep_mapping(self, text: str) -> None:
        """Keep another mapping: runs are about that graph from now on.

        Raises
        ------
        UsageError
            If the store holds data of its own.
        """
        wanted = "to keep the results on an adopted graph"
        if self.mapping() is None:
            raise UsageError(
                wanted,
                f"the database on {self.link.address} holds a store of kindred's own",
                "name another place with --results, or take it out: kindred remove --all",
            )
        keep = statement("adopted_keep", "neo4j").text
        with self._writing(wanted, silent) as held:
            held.writing(lambda work: work.run(keep, {"mapping": text}), wanted=wanted)
        self.link.names = _names(text)

    # Writing ------------------------------------------------------------------------------

    @contextmanager
    def stage(self) -> Iterator[Path]:
        """Lend an empty folder on this machine; it is gone when the context ends."""
        self._check_writable("to prepare a load")
        with tempfile.TemporaryDirectory(prefix="kindred-") as folder:
            yield Path(folder)

    def write(self, batch: Batch, progress: Progress = silent) -> LoadReport:
        """Take in a batch, all of it or nothing. A batch known by fingerprint is left alone."""
        with self._writing(f"to load {batch.source}", progress) as held:
            return log.write_batch(self.link, batch, held, progress)

    def publish(self, run: RunTables, progress: Progress = silent) -> RunInfo:
        """Store a run, make it the active one, and write it back into the graph, at once."""
        with self._writing("to store a run", progress) as held:
            return self._runs.publish(run, self._batches_behind(run), held, progress)

    def _batches_behind(self, run: RunTables) -> Sequence[str]:
        """Name the batches a run saw: those of the snapshot it was made from."""
        manifest = self.manifest()
        kept = self._snapshot
        seen = (
            kept[0]
            if kept is not None and kept[1].fingerprint == run.fingerprint
            else manifest.revision
        )
        return [b.report.batch_id for b in manifest.done if b.revision <= seen]

    @contextmanager
    def _writing(self, wanted: str, progress: Progress) -> Iterator[Held]:
        """Hold the writer's lock, with what earlier writers left undone cleared or finished."""
        self._check_writable(wanted)
        with writer_lock(self.link, wanted, wait=self.wait, progress=progress) as held:
            settle.clear(self.link, held, progress)
            self._runs.clear(held)
            yield held

    def _check_writable(self, wanted: str) -> None:
        if self.link.read_only:
            raise UsageError(wanted, "the store was opened read-only", "open it for writing")

    # Runs ---------------------------------------------------------------------------------

    def runs(self) -> list[RunInfo]:
        """List the runs, newest first."""
        return self._runs.list()

    def run(self, run_id: str | None = None) -> RunInfo:
        """Return this run, or the active one. Raises `NotFound`."""
        return self._runs.info(run_id)

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
        return self._runs.read(
            table, run_id=run_id, where=where, order=order, limit=limit, after=after
        )

    # The graph ----------------------------------------------------------------------------

    def users(self, user_ids: Sequence[str]) -> pa.Table:
        """Return user_id, platform, handle, name, followers_count, labels of these users."""
        return self.statement("users", {"ids": list(user_ids)}).drop_columns("position")

    def contents(self, content_ids: Sequence[str]) -> pa.Table:
        """Return content_id, platform, kind, author_id, created_at, text, url of these contents."""
        return self.statement("contents", {"ids": list(content_ids)}).drop_columns("position")

    def statement(self, name: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a named reading statement of `cypher/` on the graph."""
        return reader.named(self.link, name, parameters)

    def query(
        self, cypher: str, parameters: Mapping[str, Any] | None = None, *, limit: int = 10_000
    ) -> pa.Table:
        """Run a reader's own Cypher, read-only, at most `limit` rows, at most a minute."""
        return reader.query(self.link, cypher, parameters, limit)

    # Care ---------------------------------------------------------------------------------

    def doctor(self, *, rebuild: bool = False, progress: Progress = silent) -> Iterator[Finding]:
        """Check the database and, if asked, make again what is derived."""
        if rebuild:
            with self._writing("to rebuild what is derived", progress) as held:
                settle.again(self.link, held, progress)
        yield from doctor.examine(self.link, self.manifest(), progress)

    def remove(self, what: Removable, progress: Progress = silent) -> Mapping[str, int]:
        """Take out what kindred wrote; a stranger's data in the same database stays as it is."""
        with self._writing(f"to remove {what} from the database", progress) as held:
            gone = dict(self._runs.remove(held, progress))
            if what == "results":
                return gone
            gone["batches"] = len(self.manifest().done)
            for kind, number in remove_graph(held, progress).items():
                gone[kind] += number
        remove_lock(self.link)
        return gone

    def close(self) -> None:
        """Let go of every connection and every copy of a file."""
        self._runs.close()
        self._snapshot = None
        self.link.close()


def _names(mapping: str | None) -> Names:
    """Return what the model's labels are called in the database that keeps this mapping."""
    return OWN if mapping is None else Adoption.from_json(mapping).names
