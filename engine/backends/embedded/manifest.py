"""The manifest: the one file that says what a store holds.

Batches, runs, the active run and the graph's generation stand in one file, replaced by
one atomic rename. So a load or a run is there as a whole or not at all, and the results
and the graph always speak of the same run: whatever a manifest does not name, is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import orjson

from engine.backends.files.durable import replace_json
from engine.errors import StoreDamaged

__all__ = ["BatchEntry", "FileEntry", "GraphEntry", "Manifest", "RunEntry"]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A Parquet file as it was committed."""

    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """A batch in the log.

    `number` stands in every row of the batch. `firsts` is the number of the first user,
    content and topic that the batch names for the first time, `repeated` the rows of
    each event table whose key was known already but whose other columns were not.
    """

    batch_id: str
    number: int
    fingerprint: str
    source: str
    format: str
    options: Mapping[str, Any]
    rows: Mapping[str, int]
    new_rows: Mapping[str, int]
    rejected: Mapping[str, int]
    firsts: Mapping[str, int]
    repeated: Mapping[str, int]
    files: Mapping[str, FileEntry]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """Read what `asdict` made."""
        files = {name: FileEntry(**entry) for name, entry in value["files"].items()}
        return cls(**{**value, "files": files, "notes": tuple(value["notes"])})


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A run: its folder below `runs/` and the files in it."""

    run_id: str
    folder: str
    files: Mapping[str, FileEntry]

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """Read what `asdict` made."""
        files = {name: FileEntry(**entry) for name, entry in value["files"].items()}
        return cls(**{**value, "files": files})


@dataclass(frozen=True, slots=True)
class GraphEntry:
    """The current generation of the graph: what it was built from and what it must hold."""

    generation: str
    engine: str
    """Version of Ladybug that wrote it."""
    model: str
    """Hash of the tables it declares."""
    batches: int
    run_id: str | None
    counts: Mapping[str, int]
    """Rows by graph table."""
    file: FileEntry

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """Read what `asdict` made."""
        return cls(**{**value, "file": FileEntry(**value["file"])})


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a store holds, at one moment."""

    revision: int = 0
    batches: tuple[BatchEntry, ...] = ()
    runs: tuple[RunEntry, ...] = ()
    active: str | None = None
    graph: GraphEntry | None = None
    keys: Mapping[str, int] = field(default_factory=dict)
    """How many users, contents and topics have a number."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a manifest.

        Raises
        ------
        StoreDamaged
            If it is missing or is not what this version writes.
        """
        try:
            value = orjson.loads(path.read_bytes())
            graph = value["graph"]
            return cls(
                revision=value["revision"],
                batches=tuple(BatchEntry.of(b) for b in value["batches"]),
                runs=tuple(RunEntry.of(r) for r in value["runs"]),
                active=value["active"],
                graph=GraphEntry.of(graph) if graph else None,
                keys=value["keys"],
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
            raise StoreDamaged(
                f"the manifest of the store {path.parent}",
                f"{path.name} cannot be read ({type(fault).__name__}: {fault})",
                "restore the file from a backup, or load the exports into a new store",
            ) from fault

    def save(self, path: Path) -> None:
        """Replace the manifest at `path` in one atomic rename."""
        replace_json(path, asdict(self))

    def next(self, **changes: Any) -> Manifest:
        """Return the manifest that follows this one."""
        return replace(self, revision=self.revision + 1, **changes)

    def run(self, run_id: str | None) -> RunEntry | None:
        """Return the entry of a run, or of the active one."""
        wanted = run_id if run_id is not None else self.active
        return next((r for r in self.runs if r.run_id == wanted), None)
