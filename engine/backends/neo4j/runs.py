"""Runs on a server: their tables kept as files, the active one in the graph as well.

A run counts from the one transaction that makes its publication the `Run`, its record the
active one, and the store's `active` its name. What stands before that shows nowhere; what
remains to be done after it (figures on users, the run before) is done again by the next
writer where it was interrupted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import duckdb
import pyarrow as pa

from cypher import statement
from engine.backends.files import duck
from engine.backends.files.durable import digest
from engine.backends.files.run_read import declared, read_rows
from engine.backends.files.runs import RECORD, info_of, missing_run, run_id, write_run
from engine.backends.neo4j import files
from engine.backends.neo4j.cache import FileCache
from engine.backends.neo4j.driver import Link, Work
from engine.backends.neo4j.lock import Held
from engine.backends.neo4j.run_graph import RunGraph
from engine.contract import RunInfo, RunTables
from engine.errors import StoreDamaged
from engine.progress import Progress, silent
from engine.results import RESULTS, empty

__all__ = ["Runs"]

_T = TypeVar("_T")
_OWNER = "run:"


@dataclass(frozen=True, slots=True)
class _Record:
    """A run's record: `place` names its publication and owns its files."""

    run_id: str
    place: str
    info: str
    active: bool

    @property
    def owner(self) -> str:
        return f"{_OWNER}{self.place}"

    def told(self) -> RunInfo:
        return info_of(self.info, self.run_id, active=self.active)


@dataclass(frozen=True, slots=True)
class _State:
    """What stands of runs in the database at one moment."""

    records: tuple[_Record, ...]
    publications: Mapping[str, Mapping[str, bool]]
    owners: frozenset[str]

    @classmethod
    def read(cls, link: Link) -> Self:
        (row,) = link.read(
            statement("run_state", "neo4j").text, wanted="to see which runs there are"
        ).rows()
        return cls(
            tuple(_Record(**r) for r in row["results"]),
            {p["place"]: {"active": p["active"], "done": p["done"]} for p in row["publications"]},
            frozenset(row["owners"]),
        )

    def record(self, run_id: str) -> _Record | None:
        return next((r for r in self.records if r.run_id == run_id), None)

    @property
    def active(self) -> _Record | None:
        return next((r for r in self.records if r.active), None)

    def shows(self, record: _Record) -> bool:
        """Whether this run is the answer, and nothing of it is left to do."""
        stands = self.publications.get(record.place, {})
        return record.active and stands.get("active", False) and stands.get("done", False)

    def free_place(self, run_id: str) -> str:
        """Name a place for a run's files and publication that nothing holds."""
        taken = {r.place for r in self.records} | set(self.publications)
        taken |= {owner.removeprefix(_OWNER) for owner in self.owners}
        names = (run_id, *(f"{run_id}.{i}" for i in range(2, len(taken) + 3)))
        return next(name for name in names if name not in taken)


class Runs:
    """The runs of a store on a server. Reading is safe in several threads.

    Parameters
    ----------
    link
        The server.
    """

    def __init__(self, link: Link) -> None:
        self.link = link
        self._duck = duck.connect()
        self._cache = FileCache(link)

    # Writing ------------------------------------------------------------------------------

    def publish(
        self,
        run: RunTables,
        batches: Sequence[str],
        held: Held,
        progress: Progress = silent,
    ) -> RunInfo:
        """Store a run, make it the active one, and write it into the graph.

        Readers that go through the active `Run` see the run before or this one. The same
        run again changes nothing; another answer under the same id takes its place.

        Parameters
        ----------
        run
            The answer of an analysis.
        batches
            Ids of the batches that it saw.
        held
            The writer's lock, everything left behind being cleared.
        progress
            Who listens.
        """
        state = _State.read(self.link)
        graph = RunGraph(held, progress)
        with tempfile.TemporaryDirectory(prefix="kindred-") as name:
            folder = Path(name)
            write_run(folder, run, batches, self._server())
            record = self._kept(run_id(run), folder, state, held, progress)
            if state.shows(record):
                return record.told()
            shown = state.publications.get(record.place, {}).get("active", False)
            if not shown:
                graph.fill(record.place, folder)
                self._show(record, graph, held)
            self._tidy(record, folder, graph, held)
        found = _State.read(self.link).record(record.run_id)
        if found is None:
            raise missing_run(record.run_id, [])
        return found.told()

    def _kept(
        self, run_id: str, folder: Path, state: _State, held: Held, progress: Progress
    ) -> _Record:
        """Keep the tables of a run that is there and the same; else put the new ones beside."""
        known = state.record(run_id)
        if known is not None and _same(folder, files.kept(self.link, known.owner)):
            return known
        info = (folder / RECORD).read_text(encoding="utf-8")
        record = _Record(run_id, state.free_place(run_id), info, active=False)
        progress("storing the tables of the run")
        files.put_all(held, record.owner, [folder / f"{table}.parquet" for table in RESULTS])
        return record

    def _show(self, record: _Record, graph: RunGraph, held: Held) -> None:
        given = {"run_id": record.run_id, "place": record.place, "info": record.info}

        def swap(work: Work) -> None:
            graph.show(work, record.place, record.told())
            work.run(statement("publish_record", "neo4j").text, given)

        held.writing(swap, wanted="to make a run the active one")

    def _tidy(self, record: _Record, folder: Path, graph: RunGraph, held: Held) -> None:
        """Do what follows a swap: figures on users, and nothing left of other publications."""
        graph.finish(record.place, folder, record.run_id)
        self._sweep(_State.read(self.link), graph, held)

    def _sweep(self, state: _State, graph: RunGraph, held: Held) -> None:
        """Drop publications that are not shown, and files that no record names."""
        for place, stands in state.publications.items():
            if not stands["active"]:
                graph.drop(place)
                graph.drop_ends()
        for owner in sorted(state.owners - {r.owner for r in state.records}):
            files.drop(held, owner)

    def clear(self, held: Held) -> None:
        """Drop what an interrupted publish left, or finish it where it shows already."""
        state = _State.read(self.link)
        graph = RunGraph(held, silent)
        self._sweep(state, graph, held)
        if files.strays(self.link):
            files.sweep(held)
        record = state.active
        if record is not None and not state.shows(record):
            with tempfile.TemporaryDirectory(prefix="kindred-") as name:
                folder = Path(name)
                for file in files.kept(self.link, record.owner).values():
                    files.get(self.link, file, folder / file.name)
                graph.finish(record.place, folder, record.run_id)

    def remove(self, held: Held, progress: Progress = silent) -> dict[str, int]:
        """Delete all runs and everything of them in the graph; return how much went.

        First of all no run is active any more, so that no reader sees half of one.
        """
        state = _State.read(self.link)
        graph = RunGraph(held, progress)

        def forget(work: Work) -> None:
            graph.hide(work)
            work.run(statement("forget_runs", "neo4j").text)

        held.writing(forget, wanted="to remove the results")
        gone = {"relationships": 0, "nodes": 0}
        for place in state.publications:
            for what, number in graph.drop(place).items():
                gone[what] += number
        gone["users"] = graph.forget_users(None)
        gone["nodes"] += graph.drop_ends()
        for owner in sorted(state.owners):
            files.drop(held, owner)
        return {"runs": len(state.records), **gone}

    def _server(self) -> Mapping[str, str]:
        """Return what keeps the graph, and its version, for the record of a run."""
        found = self.link.read(
            statement("server_version", "neo4j").text, wanted="to ask for the server's version"
        )
        return {"neo4j": str(found.one("version"))}

    # Reading ------------------------------------------------------------------------------

    def list(self) -> list[RunInfo]:
        """List the runs, newest first."""
        found = [record.told() for record in _State.read(self.link).records]
        return sorted(found, key=lambda r: (r.created_at, r.run_id), reverse=True)

    def info(self, run_id: str | None = None) -> RunInfo:
        """Return this run, or the active one. Raises `NotFound`."""
        record, _ = self._record(run_id, None)
        return record.told()

    def _record(self, run_id: str | None, file: str | None) -> tuple[_Record, files.Kept | None]:
        """Look up a run, or the active one, and a file of it: one statement."""
        found = self.link.read(
            statement("run_record", "neo4j").text,
            {"run_id": run_id, "file": file},
            wanted="to look up a run",
        ).rows()
        if not found:
            raise missing_run(run_id, [r.run_id for r in reversed(self.list())])
        (row,) = found
        kept = row.pop("file")
        return _Record(**row), files.Kept(**kept) if kept else None

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
        """Read rows of a result table; see `engine.contract.Backend.read`.

        Which run is active is looked up each time, so that a reader follows a writer in
        another process; a table is fetched once.
        """
        declared(table)

        def rows() -> pa.Table:
            record, file = self._record(run_id, f"{table}.parquet")
            if file is None and record.told().stale:
                return empty(table)  # declared since that version wrote the run
            if file is None:
                raise StoreDamaged(
                    f"the table {table} of the run {record.run_id}",
                    "the database does not hold it",
                    "run: kindred analyse",
                )
            return read_rows(
                self._duck.cursor(), self._cache.path(file), table,
                where=where, order=order, limit=limit, after=after,
            )  # fmt: skip

        return _steadily(rows)

    def close(self) -> None:
        """Let go of every copy of a file."""
        self._cache.close()
        self._duck.close()


def _same(folder: Path, kept: Mapping[str, files.Kept]) -> bool:
    """Say whether the tables in a folder are just those that are kept."""
    written = {path.name: digest(path) for path in sorted(folder.glob("*.parquet"))}
    return written == {name: file.sha256 for name, file in kept.items()}


def _steadily(read: Callable[[], _T]) -> _T:
    """Read; where a writer has replaced a run's files meanwhile, once more."""
    try:
        return read()
    except (StoreDamaged, duckdb.IOException):
        return read()
