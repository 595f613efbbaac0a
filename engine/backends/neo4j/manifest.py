"""The manifest: what the nodes of bookkeeping say the store holds, read in one transaction.

A load counts from the moment its `kindred_Batch` node is called done, which happens in one
transaction with the store's `revision`. Until then nothing that carries its number counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Self

import orjson

import cypher
from engine.backends.neo4j.driver import Link
from engine.contract import LoadReport
from engine.errors import StoreDamaged

__all__ = ["BatchEntry", "Manifest", "report_from_json", "report_to_json"]

State = Literal["open", "done"]

_REVISION_OF_OPEN: Final = 0


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """A load as it stands on the server.

    `number`, from 1, stands in `kindred_load` of everything the load wrote; `revision` is the
    store's at the moment it was done, 0 while it is open.
    """

    number: int
    state: State
    fingerprint: str
    revision: int
    report: LoadReport

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """Read the properties of a `kindred_Batch` node."""
        return cls(
            number=value["number"],
            state=value["state"],
            fingerprint=value["fingerprint"],
            revision=value["revision"] or _REVISION_OF_OPEN,
            report=report_from_json(value["report"]),
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a store holds, at one moment."""

    format: int
    writer: str
    """Version of kindred that made or last migrated it."""
    revision: int
    """Grows with every load that is done and every run that is published."""
    settled: bool
    """Whether what the loads that are done change of earlier ones has been applied."""
    active: str | None
    """The run whose results are the answer."""
    batches: tuple[BatchEntry, ...]
    mapping: str | None = None
    """JSON of the mapping of somebody's own graph, where the store reads one."""

    @classmethod
    def read(cls, link: Link) -> Self | None:
        """Read the manifest; None where the database holds no store.

        Raises
        ------
        StoreDamaged
            If a node of bookkeeping lacks what this version writes.
        """
        rows = link.read(
            cypher.statement("manifest", "neo4j").text, wanted="to read what the store holds"
        ).rows()
        if not rows:
            return None
        (value,) = rows
        try:
            return cls(
                format=int(value["format"]),
                writer=str(value["writer"]),
                revision=int(value["revision"]),
                settled=bool(value["settled"]),
                active=value["active"],
                batches=tuple(BatchEntry.of(b) for b in value["batches"]),
                mapping=value["mapping"],
            )
        except (ValueError, KeyError, TypeError) as fault:
            raise StoreDamaged(
                f"the manifest of the store on {link.address}",
                f"a kindred_ node cannot be read ({type(fault).__name__}: {fault})",
                "restore the database from a backup, or load the exports into an empty one",
            ) from fault

    @property
    def done(self) -> tuple[BatchEntry, ...]:
        """The loads that count, oldest first."""
        return tuple(b for b in self.batches if b.state == "done")

    @property
    def open(self) -> tuple[BatchEntry, ...]:
        """The loads that were begun and are not done: going on, or to be swept."""
        return tuple(b for b in self.batches if b.state == "open")


def report_to_json(report: LoadReport) -> str:
    """Return a report as it is kept on a `kindred_Batch` node.

    Examples
    --------
    >>> report = LoadReport("b0001-ab", "a.csv", "edges", False, {"follows": 2}, {"follows": 2}, {})
    >>> report_from_json(report_to_json(report)) == report
    True
    """
    return orjson.dumps(asdict(report)).decode()


def report_from_json(text: str) -> LoadReport:
    """Read what `report_to_json` wrote."""
    value = orjson.loads(text)
    return LoadReport(**{**value, "notes": tuple(value["notes"])})
