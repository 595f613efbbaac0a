"""What every store can do: the contract that backends implement and everything else calls.

A backend counts and keeps; it never reasons. Analyses see a `Snapshot`, results are
tables of `engine.results`, and neighbourhoods are read with Cypher.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Literal, Self

import pyarrow as pa

from engine.algorithms import Algorithms, Local
from engine.errors import MissingProcedure, UsageError
from engine.params import AnalysisParams, Engine
from engine.progress import Progress, silent
from engine.snapshot import Snapshot

__all__ = [
    "Backend",
    "Batch",
    "Finding",
    "LoadReport",
    "Loaded",
    "Removable",
    "RunInfo",
    "RunTables",
]

Removable = Literal["results", "all"]
"""What can be taken out of a store: its runs, or everything."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a loader hands over: a folder of canonical Parquet files.

    `folder` holds `<table>.parquet` for the canonical tables the source has, with string
    ids and the columns of `engine.model.CANONICAL`, and `rejects.parquet` (see
    `loaders.check`) where rows were refused. `fingerprint` is the hash of the source's
    bytes and of the options it was read with: the same source is loaded once.
    """

    fingerprint: str
    source: str
    format: str
    folder: Path
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did: rows read and rows new to the store, by canonical table."""

    batch_id: str
    source: str
    format: str
    already_loaded: bool
    rows: Mapping[str, int]
    new_rows: Mapping[str, int]
    rejected: Mapping[str, int]
    """Rejected rows by reason."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What it was read with. `options["source"]` holds the folder's `source.toml`, if any:
    title, licence, note, and `made = true` for data that was made up."""
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A load as it stands in a store, for another store to take over."""

    fingerprint: str
    report: LoadReport
    rejects: Path | None
    """File of the rows that were refused, where there were any."""


@dataclass(frozen=True, slots=True)
class RunTables:
    """The answer of an analysis: declared tables by name, and how they came about."""

    params: AnalysisParams
    fingerprint: str
    tier: str | None
    tables: Mapping[str, pa.Table]
    timings: Mapping[str, float]
    counts: Mapping[str, int]
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of what computed beside kindred: a server's and its algorithms'."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run as it stands in a store."""

    run_id: str
    created_at: datetime
    active: bool
    stale: bool
    """Its tables were written by another result schema: analyse again."""
    params: AnalysisParams
    fingerprint: str
    tier: str | None
    versions: Mapping[str, str]
    timings: Mapping[str, float]
    counts: Mapping[str, int]
    batches: Sequence[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing `doctor` looked at."""

    what: str
    ok: bool
    found: str
    todo: str = ""


class Backend(ABC):
    """A store of exports, their graph, and the runs over them."""

    schemes: ClassVar[tuple[str, ...]] = ()
    """URL schemes that `engine.connect` gives to this backend."""
    cannot: ClassVar[Mapping[str, str]] = {}
    """Verbs this backend cannot do, each with the reason."""

    @abstractmethod
    def stage(self) -> AbstractContextManager[Path]:
        """Lend an empty folder on the store's disk; it is gone when the context ends."""

    @abstractmethod
    def write(self, batch: Batch, progress: Progress = silent) -> LoadReport:
        """Take in a batch, all of it or nothing. A batch known by fingerprint is left alone."""

    @abstractmethod
    def knows(self, fingerprint: str) -> bool:
        """Say whether a batch with this fingerprint is in the store."""

    @abstractmethod
    def batches(self) -> list[LoadReport]:
        """List what was loaded, oldest first."""

    @abstractmethod
    def rejects(self) -> pa.Table:
        """Return rejected rows: batch_id, table, line, reason, sentence, raw."""

    def dump(self, folder: Path) -> Sequence[Loaded]:
        """Write all that was loaded into an empty folder, as canonical tables.

        Returns
        -------
        Sequence[Loaded]
            The loads, oldest first. Their files are the store's: read them while it is open.

        Raises
        ------
        UsageError
            If the store keeps no copy of what it was given.
        """
        raise UsageError(
            f"the rows that were loaded, in {folder}",
            f"this store {self.cannot['dump']}",
            "load the exports into a folder (--store ./kindred-data) and take them from there",
        )

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """Project the whole store onto integer columns."""

    def algorithms(
        self,
        engine: Engine,
        progress: Progress = silent,  # noqa: ARG002 - told of by those that have more to tell
    ) -> Algorithms:
        """Return who computes for an analysis of this store: by default kindred's kernels.

        Raises
        ------
        MissingProcedure
            If `gds` is asked for and the store has no Graph Data Science.
        """
        if engine == "gds":
            raise MissingProcedure(
                "an analysis with Graph Data Science",
                "this store has no algorithms of its own; kindred's kernels work on it",
                "leave --engine out, or give a Neo4j server that has the plugin with --store",
            )
        return Local()

    @abstractmethod
    def publish(self, run: RunTables, progress: Progress = silent) -> RunInfo:
        """Store a run, make it the active one, and write it back into the graph, at once."""

    @abstractmethod
    def runs(self) -> list[RunInfo]:
        """List the runs, newest first."""

    @abstractmethod
    def run(self, run_id: str | None = None) -> RunInfo:
        """Return this run, or the active one. Raises `NotFound`."""

    @abstractmethod
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
        """Read rows of a result table of this run, or of the active one.

        Parameters
        ----------
        where
            Column to value; None asks for null, a list or tuple for any of its members,
            a key ending in `__ge`, `__gt`, `__le`, `__lt` or `__ne` compares (`__ne` None
            asks for not null), and one ending in `__has` or `__lacks` asks that a list
            column holds the value (each of these values), or that it holds none of them.
        order
            Columns, `-` before one to descend; nulls last. Default: the declared order.
        limit
            Most rows.
        after
            Keyset paging: the `order` columns' values of the last row of the page before.
        """

    @abstractmethod
    def users(self, user_ids: Sequence[str]) -> pa.Table:
        """Return user_id, platform, handle, name, followers_count, labels of these users.

        Rows come in the order asked for; unknown ids are left out.
        """

    @abstractmethod
    def contents(self, content_ids: Sequence[str]) -> pa.Table:
        """Return content_id, platform, kind, author_id, created_at, text, url of these contents."""

    @abstractmethod
    def statement(self, name: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a named reading statement of `cypher/` on the graph."""

    @abstractmethod
    def query(
        self, cypher: str, parameters: Mapping[str, Any] | None = None, *, limit: int = 10_000
    ) -> pa.Table:
        """Run a reader's own Cypher, read-only, at most `limit` rows."""

    @abstractmethod
    def doctor(self, *, rebuild: bool = False, progress: Progress = silent) -> Iterator[Finding]:
        """Check every file and, if asked, rebuild what is derived."""

    @abstractmethod
    def remove(self, what: Removable, progress: Progress = silent) -> Mapping[str, int]:
        """Take out what kindred wrote, and nothing else; return how much of what went.

        Parameters
        ----------
        what
            `results`: all runs, and what of them is in the graph. `all`: the store itself;
            the place is then as it was before kindred wrote there, and this store is closed
            for everything but `close`.
        progress
            Who listens.

        Raises
        ------
        StoreError
            If the place holds something that is not kindred's where everything is to go.
            Nothing is removed then.
        """

    def mapping(self) -> str | None:
        """Return the mapping of somebody's own graph that the runs are about; None without one."""
        return None

    def keep_mapping(self, text: str) -> None:
        """Keep such a mapping: the runs of this store are about that graph from now on.

        Raises
        ------
        UsageError
            If the store holds data of its own, or cannot hold a mapping.
        """
        raise UsageError(
            "to keep the results on an adopted graph",
            f"this store takes no mapping ({len(text)} characters)",
            "name a folder or a database with --results",
        )

    @abstractmethod
    def close(self) -> None:
        """Let go of every file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
