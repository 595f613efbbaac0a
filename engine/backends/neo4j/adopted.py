"""Somebody's own graph as a store: read through a mapping, never written to.

The graph stays where it is. Runs stand in another store, the place of results: a folder, a
database, or kindred's own nodes beside the graph, which hold the foreign keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final, NoReturn, Self

import pyarrow as pa

from engine.algorithms import Algorithms
from engine.assemble import assemble
from engine.backends.files.batch import REJECTS_SCHEMA
from engine.backends.neo4j import engines, reader
from engine.backends.neo4j.adopt import told
from engine.backends.neo4j.adopted_reader import AdoptedReader
from engine.backends.neo4j.adopted_rows import read_tables
from engine.backends.neo4j.adoption import Adoption
from engine.backends.neo4j.driver import Link
from engine.contract import (
    Backend,
    Batch,
    Finding,
    LoadReport,
    Removable,
    RunInfo,
    RunTables,
)
from engine.errors import KindredError, UsageError
from engine.params import Engine
from engine.progress import Progress, silent
from engine.results import empty, table
from engine.server import SCHEMES, Server
from engine.snapshot import Snapshot

__all__ = ["FORMAT", "AdoptedStore"]

FORMAT: Final = "adopted graph"
"""What an adopted graph is called among the formats of loads."""


class AdoptedStore(Backend):
    """A mapped graph on a Neo4j server, and the store that holds the runs over it.

    Parameters
    ----------
    link
        The database that holds the graph, opened read-only.
    adoption
        What it means.
    results
        Where runs are kept.
    """

    schemes: ClassVar[tuple[str, ...]] = SCHEMES
    cannot: ClassVar[Mapping[str, str]] = {
        "write": "the graph is somebody's own, and is only read",
        "stage": "the graph is somebody's own, and is only read",
        "dump": "reads somebody's own graph, and holds no exports",
    }

    def __init__(self, link: Link, adoption: Adoption, results: Backend) -> None:
        self.link = link
        self.adoption = adoption
        self.results = results
        self._reader = AdoptedReader(link, adoption, results)

    @classmethod
    def over(cls, results: Backend, text: str, address: str, server: Server) -> Self:
        """Open the graph that a store of results keeps a mapping of.

        Parameters
        ----------
        results
            The store; closed with this one.
        text
            The mapping as it is kept.
        address, server
            Where the results are, and how the graph's server is asked.
        """
        try:
            adoption = Adoption.from_json(text)
            if adoption.database is not None:
                server = replace(server, database=adoption.database)
            link = Link(adoption.address or address, server, read_only=True)
        except BaseException:
            results.close()
            raise
        return cls(link, adoption, results)

    # What the store holds -----------------------------------------------------------------

    @property
    def batch_id(self) -> str:
        """A name for what the runs are about: the mapping, not what the graph holds."""
        said = repr((self.adoption.platform, [str(one) for one in self.adoption.parts]))
        digest = hashlib.blake2b(said.encode(), digest_size=6)
        return f"adopted-{digest.hexdigest()}"

    def batches(self) -> list[LoadReport]:
        """Return the graph as if it had been loaded: what was understood when it was adopted."""
        rows: dict[str, int] = {}
        for one in self.adoption.understood:
            rows[one.table] = rows.get(one.table, 0) + one.rows
        left_out = sum(one.left_out for one in self.adoption.understood)
        return [
            LoadReport(
                self.batch_id,
                self.link.address,
                FORMAT,
                already_loaded=False,
                rows=rows,
                new_rows=rows,
                rejected={"no_id": left_out} if left_out else {},
                notes=tuple(f"{o.says}: {o.rows:,}" for o in self.adoption.understood),
            )
        ]

    def rejects(self) -> pa.Table:
        """Return what could not be read when the graph was adopted: a row a reason, not a row."""
        rows = [
            {
                "batch_id": self.batch_id,
                "table": one.table,
                "reason": reason,
                "sentence": f"{one.path}: {sentence}",
                "raw": example,
            }
            for one in self.adoption.understood
            for reason, sentence, example in one.unreadable()
        ]
        return pa.Table.from_pylist(rows, REJECTS_SCHEMA)

    def snapshot(self) -> Snapshot:
        """Read the graph, all of it, as it is now."""
        return assemble(read_tables(self.link, self.adoption, silent)[0])

    def mapping(self) -> str | None:
        """Return what the graph means, as it is kept."""
        return self.adoption.to_json()

    # Refused ------------------------------------------------------------------------------

    def stage(self) -> AbstractContextManager[Path]:
        """Refuse: nothing is loaded into somebody's own graph."""
        self._refuse("to prepare a load")

    def write(self, batch: Batch, progress: Progress = silent) -> LoadReport:  # noqa: ARG002
        """Refuse: nothing is loaded into somebody's own graph."""
        self._refuse(f"to load {batch.source}")

    def knows(self, fingerprint: str) -> bool:  # noqa: ARG002
        """Return False: nothing was loaded here."""
        return False

    def _refuse(self, wanted: str) -> NoReturn:
        raise UsageError(
            wanted,
            f"this store reads the graph on {self.link.address}, which is somebody's own",
            "load into a store of kindred's: another folder or database with --store",
        )

    # Runs ---------------------------------------------------------------------------------

    def algorithms(self, engine: Engine, progress: Progress = silent) -> Algorithms:
        """Return the server's Graph Data Science, or kindred's kernels: ties are sent to it."""
        return engines.choose(self.link, engine, None, progress)

    def publish(self, run: RunTables, progress: Progress = silent) -> RunInfo:
        """Keep a run in the place of results; nothing of the graph is touched.

        The graph is read once more: where it changed since the analysis read it, a note of
        the run says so.
        """
        progress("looking whether the graph changed")
        now = self.snapshot().fingerprint
        if now != run.fingerprint:
            run = _noted(run, now)
        return self.results.publish(run, progress)

    def runs(self) -> list[RunInfo]:
        """List the runs, newest first."""
        return self.results.runs()

    def run(self, run_id: str | None = None) -> RunInfo:
        """Return this run, or the active one. Raises `NotFound`."""
        return self.results.run(run_id)

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
        return self.results.read(
            table, run_id=run_id, where=where, order=order, limit=limit, after=after
        )

    def remove(self, what: Removable, progress: Progress = silent) -> Mapping[str, int]:
        """Take the runs out of the place of results, or all that kindred wrote there."""
        return self.results.remove(what, progress)

    # The graph ----------------------------------------------------------------------------

    def users(self, user_ids: Sequence[str]) -> pa.Table:
        """Return user_id, platform, handle, name, followers_count, labels of these users."""
        return self.statement("users", {"ids": list(user_ids)}).drop_columns("position")

    def contents(self, content_ids: Sequence[str]) -> pa.Table:
        """Return content_id, platform, kind, author_id, created_at, text, url of these contents."""
        return self.statement("contents", {"ids": list(content_ids)}).drop_columns("position")

    def statement(self, name: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Answer a named reading statement of `cypher/` along the mapped paths."""
        return self._reader.statement(name, parameters or {})

    def query(
        self, cypher: str, parameters: Mapping[str, Any] | None = None, *, limit: int = 10_000
    ) -> pa.Table:
        """Run a reader's own Cypher on the graph itself, read-only, at most `limit` rows."""
        return reader.query(self.link, cypher, parameters, limit)

    # Care ---------------------------------------------------------------------------------

    def doctor(self, *, rebuild: bool = False, progress: Progress = silent) -> Iterator[Finding]:
        """Read the graph through its mapping, then check the place of results."""
        yield from self._examined(progress)
        yield from self.results.doctor(rebuild=rebuild, progress=progress)

    def _examined(self, progress: Progress) -> Iterator[Finding]:
        what = f"the adopted graph on {self.link.address}"
        try:
            tables, found = read_tables(self.link, self.adoption, progress)
        except KindredError as fault:
            yield Finding(what, ok=False, found=fault.found, todo=fault.todo)
            return
        for one in found:
            now = told(one, self.adoption)
            yield Finding(
                f"{now.option} {now.path}",
                ok=now.rows > 0,
                found="; ".join([f"{now.says}: {now.rows:,} rows", *now.remarks]),
                todo="" if now.rows else "adopt the graph again: kindred adopt",
            )
        active = next((run for run in self.runs() if run.active), None)
        if active is not None:
            same = assemble(tables).fingerprint == active.fingerprint
            yield Finding(
                what,
                ok=same,
                found=f"it {'is as' if same else 'has changed since'} {active.run_id} read it",
                todo="" if same else "analyse it again: kindred analyse",
            )

    def close(self) -> None:
        """Let go of both stores."""
        self.link.close()
        self.results.close()


def _noted(run: RunTables, now: str) -> RunTables:
    """Return a run with the note that its graph has changed while it was analysed."""
    notes = run.tables.get("notes", empty("notes")).to_pylist()
    text = (
        "The graph changed while it was analysed: the run describes it as it was read at first"
        f" (fingerprint {run.fingerprint}); it is {now} by now. Analyse again when nobody writes."
    )
    number = max((note["number"] for note in notes), default=0) + 1
    rows = [*notes, {"number": number, "topic": "graph", "text": text, "value": None}]
    columns = {name: [row[name] for row in rows] for name in ("number", "topic", "text", "value")}
    return replace(run, tables={**run.tables, "notes": table("notes", columns)})
