"""Nodes and relationships out of a server as columns, many of them to a record.

A server sends a record of twenty thousand numbers in lists about ten times faster than as
many records. Nodes come in pages by their key, so that no transaction holds more than a
page; relationships by the nodes they begin at, as many as make a record of a good size,
several records side by side. The nodes' own numbers on the server stand for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

import cypher
from engine.backends.neo4j.driver import Link, Work
from engine.csr import Longs
from engine.snapshot import NO_TIME

__all__ = ["Lists", "Streams", "pieces"]

Lists = Mapping[str, Sequence[Any]]
"""Columns of one record."""

_WANTED: Final = "to read the graph for an analysis"
_PAGE: Final = 20_000
"""Nodes a record."""
_ROWS: Final = 20_000
"""Relationships a record, about."""


class Streams:
    """Reads what the loads that count have written.

    Parameters
    ----------
    link
        The server.
    loads
        Numbers of those loads.
    """

    def __init__(self, link: Link, loads: Sequence[int]) -> None:
        self._link = link
        self._loads = list(loads)
        self.types = frozenset(self._run("project_types", {})["type"])
        """Types of relationships, and labels, that the database has."""

    def _run(self, name: str, given: Mapping[str, Any]) -> Lists:
        text, parameters = _statement(name, given)
        return self._link.read(text, parameters, wanted=_WANTED).columns

    def whole(self, name: str) -> Lists:
        """Return the one record of a statement."""
        return _record(self._run(name, {"loads": self._loads}))

    def pages(self, name: str, key: str) -> Iterator[Lists]:
        """Read nodes page by page in the order of their key, as the server orders text."""
        given = {"after": "", "size": _PAGE, "loads": self._loads, "unknown": NO_TIME}
        while True:
            page = _record(self._run(name, given))
            yield page
            if len(page[key]) < _PAGE:
                return
            given["after"] = page[key][-1]

    def jobs(self, names: Sequence[str], page: Lists) -> Iterator[Callable[[], dict[str, Lists]]]:
        """Return what to do for the relationships that begin at the nodes of a page.

        Parameters
        ----------
        names
            Statements to run, each in the same transaction.
        page
            Its columns `node` and `degree`.
        """
        if not names:
            return
        node = np.asarray(page["node"], np.int64)
        for starts, part, parts in pieces(node, np.asarray(page["degree"], np.int64), _ROWS):
            given = {"starts": starts.tolist(), "part": part, "parts": parts}
            yield partial(self._edges, names, {**given, "loads": self._loads, "unknown": NO_TIME})

    def _edges(self, names: Sequence[str], given: Mapping[str, Any]) -> dict[str, Lists]:
        def read(work: Work) -> dict[str, Lists]:
            found = {}
            for name in names:
                found[name] = _record(work.run(*_statement(name, given)).columns)
            return found

        return self._link.reading(read, wanted=_WANTED)

    def side_by_side(
        self, jobs: Iterable[Callable[[], dict[str, Lists]]]
    ) -> Iterator[dict[str, Lists]]:
        """Do jobs in as many threads as the server may be asked by at once."""
        return self._link.side_by_side(jobs, self._link.server.transactions)


def pieces(node: Longs, degree: Longs, rows: int) -> Iterator[tuple[Longs, int, int]]:
    """Divide nodes so that each piece has about as many relationships.

    A piece with one node of very many is read in several parts.

    Returns
    -------
    Iterator[tuple[Longs, int, int]]
        Nodes, which part of their relationships, and how many parts there are.

    Examples
    --------
    >>> node, degree = np.array([7, 8, 9, 10]), np.array([1, 2, 0, 9])
    >>> [(n.tolist(), part, parts) for n, part, parts in pieces(node, degree, rows=3)]
    [([7, 8], 0, 1), ([10], 0, 2), ([10], 1, 2)]
    """
    some = degree > 0
    node, degree = node[some], degree[some]
    piece = (np.cumsum(degree) - degree) // rows
    for at in np.split(np.arange(len(node)), np.flatnonzero(np.diff(piece)) + 1):
        if len(at):
            parts = int(-(-degree[at].sum() // (2 * rows)))
            for part in range(parts):
                yield node[at], part, parts


def _statement(name: str, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a statement's text, and those of the given values that it takes."""
    found = cypher.statement(name, "neo4j")
    return found.text, {p: given[p] for p in found.parameters}


def _record(columns: Lists) -> Lists:
    return {name: values[0] for name, values in columns.items()}
