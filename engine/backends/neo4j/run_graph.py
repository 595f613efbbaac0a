"""A run in the graph: written beside the one that readers see, then shown in its place.

A publication is a node that the communities of a run stand at (`kindred_OF`). It is called
`Run` only while it is the answer, so that whoever goes through the `Run` sees one run, whole.
Everything is written and deleted in transactions of a few thousand rows; those that create
are done once even where the answer to a commit is lost.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, groupby
from pathlib import Path
from typing import Any, Final

import duckdb

from cypher import statement
from engine.backends.files import duck
from engine.backends.files.run_rows import (
    SOURCES,
    community_rows,
    member_rows,
    open_run,
    score_rows,
    user_rows,
)
from engine.backends.neo4j.driver import Rows, Work
from engine.backends.neo4j.layout import OWN
from engine.backends.neo4j.lock import Held
from engine.contract import RunInfo
from engine.model import EDGES, NODES
from engine.progress import Progress

__all__ = ["RunGraph"]

AT_ONCE: Final = 5_000
"""Rows of one transaction."""
_LANES: Final = 2
"""Transactions that write side by side."""
_FIRST: Final = 1_000
"""Communities that are deleted at once, when their relationships are gone."""
_WANTED: Final = "to write a run into the graph"

Chunk = list[list[Any]]


class RunGraph:
    """Writes runs into the graph and takes them out again.

    Beside somebody's own graph the nodes at the other ends of memberships and scores are
    made as well: they hold the keys of a graph that is only read.

    Parameters
    ----------
    held
        The writer's lock.
    progress
        Who listens.
    """

    def __init__(self, held: Held, progress: Progress) -> None:
        self._held = held
        self._names = held.link.names
        self._progress = progress

    def fill(self, place: str, run: Path) -> None:
        """Write the publication of a run from its tables; nothing shows yet."""
        self._run("publish_begin", {"place": place})
        with duck.connect(run) as con:
            open_run(con, run)
            self._communities(con, place)
            self._edges(con, place, "MEMBER_OF", "User", member_rows())
            for node in SOURCES:
                self._edges(con, place, "RESONATES_IN", node, score_rows(node))

    def show(self, work: Work, place: str, info: RunInfo) -> None:
        """Make a publication the answer, in a transaction that is open."""
        run = self._names.of("Run")
        properties = {
            "run_id": info.run_id,
            "tier": info.tier,
            "seed": info.params.seed,
            "fingerprint": info.fingerprint,
        }
        given = {"place": place}
        work.run(statement("publish_retire", "neo4j").named(run=run), given)
        work.run(
            statement("publish_show", "neo4j").named(run=run), {**given, "properties": properties}
        )

    def hide(self, work: Work) -> None:
        """Make no publication the answer, in a transaction that is open."""
        run = statement("publish_retire", "neo4j").named(run=self._names.of("Run"))
        work.run(run, {"place": None})

    def finish(self, place: str, run: Path, run_id: str) -> None:
        """Write what a shown run says of users onto their nodes; twice is once."""
        user = self._names.of("User")
        text = statement("publish_users", "neo4j").named(user=user)
        stage = "writing authority and influence"
        with duck.connect(run) as con:
            open_run(con, run)
            rows = _counted(con, user_rows())
            self._side_by_side(
                stage,
                rows,
                _chunks(con, f"{user_rows()} ORDER BY user_id"),
                lambda chunk: (text, {"run_id": run_id, "rows": chunk}),
            )
        self.forget_users(run_id)
        self._run("publish_done", {"place": place})

    def forget_users(self, run_id: str | None) -> int:
        """Take what other runs said of users off their nodes; return how many users."""
        given = {"run_id": run_id, "most": AT_ONCE}
        return self._until_none("publish_forget_users", given, user=self._names.of("User"))

    def drop_ends(self) -> int:
        """Delete the nodes made as ends of edges that have none left; return how many."""
        if self._names == OWN:
            return 0
        return sum(
            self._until_none("drop_ends", {"most": AT_ONCE}, label=self._names.of(node))
            for node in SOURCES
        )

    def drop(self, place: str) -> dict[str, int]:
        """Delete a publication; return how many relationships and nodes went."""
        self._progress("removing a run from the graph")
        given = {"place": place, "communities": _FIRST}
        gone = {"relationships": 0, "nodes": 0}
        while True:
            edges = self._until_none("drop_run_edges", {**given, "most": AT_ONCE})
            nodes = int(self._run("drop_communities", given).one("dropped"))
            gone["relationships"] += edges + nodes
            gone["nodes"] += nodes
            if nodes < _FIRST:
                break
        gone["nodes"] += self._run("drop_publication", {"place": place}).counters["nodes_deleted"]
        return gone

    # How ----------------------------------------------------------------------------------

    def _run(self, name: str, given: Mapping[str, Any], **slots: str) -> Rows:
        return self._write(statement(name, "neo4j").named(**slots), given)

    def _write(self, text: str, given: Mapping[str, Any]) -> Rows:
        return self._held.writing(lambda work: work.run(text, given), wanted=_WANTED)

    def _until_none(self, name: str, given: Mapping[str, Any], **slots: str) -> int:
        """Run a statement that says how much it did until it did less than it might."""
        every = 0
        while True:
            done = int(next(iter(self._run(name, given, **slots).columns.values()))[0])
            every += done
            if done < given["most"]:
                return every

    def _communities(self, con: duckdb.DuckDBPyConnection, place: str) -> None:
        names = [name for name, _ in NODES["Community"].properties]
        text = statement("publish_communities", "neo4j").named(
            community=self._names.of("Community")
        )
        for chunk in _chunks(con, f"{community_rows()} ORDER BY community_id"):
            rows = [{**dict(zip(names, row, strict=True)), "kindred_load": 0} for row in chunk]
            self._once(text, {"place": place, "rows": rows}, lane=0)

    def _edges(
        self, con: duckdb.DuckDBPyConnection, place: str, edge: str, node: str, select: str
    ) -> None:
        rows = _counted(con, select)
        if not rows:
            return
        label, key = self._names.of(node), NODES[node].key
        if self._names != OWN:
            self._ends(con, node, select)
        text = statement("publish_edges", "neo4j").named(
            community=self._names.of("Community"), label=label, key=key, type=self._names.of(edge)
        )
        figures = [name for name, _ in EDGES[edge].properties]
        self._side_by_side(
            f"publishing {edge}",
            rows,
            _chunks(con, f'{select} ORDER BY "to", "from"'),
            lambda chunk: (text, {"place": place, "groups": _grouped(chunk, figures)}),
        )

    def _ends(self, con: duckdb.DuckDBPyConnection, node: str, select: str) -> None:
        names = self._names
        text = statement("publish_ends", "neo4j").named(label=names.of(node), id=NODES[node].key)
        for chunk in _chunks(con, f'SELECT DISTINCT "from" FROM ({select}) ORDER BY "from"'):
            self._write(text, {"rows": [[row[0], names.key(node, row[0])] for row in chunk]})

    def _side_by_side(
        self,
        stage: str,
        rows: int,
        chunks: Iterator[Chunk],
        told: Callable[[Chunk], tuple[str, Mapping[str, Any]]],
    ) -> None:
        """Write chunks in lanes, each of which takes the next one when it is done."""
        turn, done = threading.Lock(), count(0)
        lanes = min(_LANES, self._held.link.server.transactions)

        def lane(number: int) -> None:
            while True:
                with turn:
                    chunk = next(chunks, None)
                if chunk is None:
                    return
                text, given = told(chunk)
                self._once(text, given, lane=number)
                self._progress(stage, min(rows, (next(done) + 1) * AT_ONCE), rows)

        self._progress(stage, 0, rows)
        jobs = [lambda number=number: lane(number) for number in range(lanes)]
        for _ in self._held.link.side_by_side(jobs, lanes):
            pass

    def _once(self, text: str, given: Mapping[str, Any], *, lane: int) -> None:
        """Run a statement once, even where it is tried again after its commit.

        The lane's last step stands on its worker's node, which the transaction holds anyway.
        """
        mark = {"owner": self._held.owner, "number": lane, "step": uuid.uuid4().hex}
        first = statement("publish_step", "neo4j").text

        def write(work: Work) -> None:
            if len(work.run(first, mark)):
                work.run(text, given)

        self._held.writing(write, wanted=_WANTED, worker=lane)


def _chunks(con: duckdb.DuckDBPyConnection, select: str) -> Iterator[Chunk]:
    """Return the rows of a select, a transaction's worth at a time."""
    found = con.cursor().execute(select)
    while rows := found.fetchmany(AT_ONCE):
        yield [list(row) for row in rows]


def _counted(con: duckdb.DuckDBPyConnection, select: str) -> int:
    return int(duck.scalar(con, f"SELECT count(*) FROM ({select})"))


def _grouped(chunk: Chunk, figures: Sequence[str]) -> list[list[Any]]:
    """Return rows (from, to, figures …) as one list a community."""
    return [
        [
            community,
            [
                [row[0], {**dict(zip(figures, row[2:], strict=True)), "kindred_load": 0}]
                for row in rows
            ],
        ]
        for community, rows in groupby(chunk, key=lambda row: row[1])
    ]
