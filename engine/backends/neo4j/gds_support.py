"""Which pairs of Neo4j and Graph Data Science were tried, which may work, which are refused.

A pair is *tried* only if the tests of this version ran on it. *Expected* is one that the
makers of both declare to fit, and the client accepts; *refused* is one that kindred does not
use: an analysis then runs on kindred's own kernels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import cypher
from engine.backends.neo4j.driver import Link

__all__ = ["LEAST_GDS", "SUPPORT", "Installed", "Standing", "Support", "installed", "table"]

Standing = Literal["tried", "expected", "refused"]

LEAST_GDS: Final = (2, 13)
"""The oldest that `graphdatascience` 2.2 speaks with."""


_NUMBERS: Final = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Support:
    """A row of the table: versions from the first on, below the second; and how they stand."""

    neo4j: str
    gds: str
    gds_from: tuple[int, ...]
    gds_below: tuple[int, ...]
    standing: Standing
    note: str


SUPPORT: Final[tuple[Support, ...]] = (
    Support(
        "5.26.30 Community", "OpenGDS 2.13.9", (2, 13, 9), (2, 13, 10), "tried",
        "Java 17; every test of this tier",
    ),
    Support(
        "5.26", "2.13, other builds and patches", (2, 13), (2, 14), "expected",
        "declared to fit by its makers",
    ),
    Support(
        "2025.01 and later", "2.14 and later", (2, 14), (3,), "expected",
        "each release of GDS fits one release of Neo4j; see its own table",
    ),
    Support("any", "3 and later", (3,), (10_000,), "refused", "the client does not know it"),
    Support(
        "any", "before 2.13", (0,), LEAST_GDS, "refused",
        "older than the client needs; kindred's kernels are used",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Installed:
    """What a server runs; `gds` is None where the plugin is not there.

    Examples
    --------
    >>> Installed("5.26.30", "community", "2.13.9").standing
    'tried'
    >>> Installed("5.26.30", "community", "2.12.1").standing
    'refused'
    """

    neo4j: str
    edition: str
    gds: str | None

    @property
    def standing(self) -> Standing:
        """How this pair stands in the table."""
        if self.gds is None:
            return "refused"
        version = _numbers(self.gds)
        row = next(s for s in SUPPORT if s.gds_from <= version < s.gds_below)
        if row.standing == "tried" and not row.neo4j.startswith(f"{self.neo4j} "):
            return "expected"
        return row.standing


def _numbers(version: str) -> tuple[int, ...]:
    """Read 2.13.9, 2.14.0-alpha01 or 2.13.9+3 as numbers."""
    return tuple(int(part) for part in _NUMBERS.findall(version.split("-", 1)[0]))


def installed(link: Link) -> Installed:
    """Ask a server what it runs."""
    wanted = "to ask the server for its versions"
    server = link.read(cypher.statement("gds_server", "neo4j").text, wanted=wanted)
    there = link.read(cypher.statement("gds_presence", "neo4j").text, wanted=wanted)
    gds = None
    if there.one("found"):
        gds = link.read(cypher.statement("gds_version", "neo4j").text, wanted=wanted).one("version")
    return Installed(server.one("version"), server.one("edition"), gds)


def table() -> Sequence[Sequence[str]]:
    """Return the support table for the documentation: a header, then rows.

    Examples
    --------
    >>> table()[0]
    ('Neo4j', 'Graph Data Science', 'stands', 'note')
    """
    header = ("Neo4j", "Graph Data Science", "stands", "note")
    none = ("5.26.30 Community", "none", "tried", "kindred's kernels on the streamed graph")
    return (header, *((s.neo4j, s.gds, s.standing, s.note) for s in SUPPORT), none)
