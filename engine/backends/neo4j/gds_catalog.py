"""Graphs in the server's memory: made if they fit, told of while at work, dropped always.

A projection is named after the machine and process that made it. What a process that has
ended left behind is dropped by the next one; a server that restarts has none anyway.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from graphdatascience import GraphDataScience
from graphdatascience.graph.graph_api import Graph

import cypher
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.gds_calls import Calls
from engine.backends.neo4j.process import alive, machine
from engine.csr import Floats, Ints, Longs
from engine.errors import KindredError, OutOfMemory
from engine.progress import Progress

__all__ = ["PREFIX", "Catalogue", "Projection"]

_T = TypeVar("_T")
_N = TypeVar("_N", bound=np.generic)

PREFIX: Final = "kindred"
_AGE: Final = timedelta(days=1)
"""After this long a projection of another machine counts as left behind."""
_SENT: Final = 112
"""Bytes a tie takes on the server while it is sent: three boxed numbers and their places."""
_POLL_SECONDS: Final = 0.5
_STRAY_SECONDS: Final = 0.5
_STRAY_TRIES: Final = 4

_PARTS: Final = 5
"""Of a name: kindred, the machine, the process, what tells it from an earlier one, a number."""

_process: Final = uuid.uuid4().hex[:8]
"""Tells this process from an earlier one of the same number."""
_count: Final = itertools.count(1)


class Projection:
    """A projection, and where its nodes stand in our graphs.

    Parameters
    ----------
    graph
        As the typed client knows it.
    n
        Number of nodes of our graphs; the projection may lack some.
    nodes, number
        The server's numbers of nodes, and ours.
    """

    def __init__(self, graph: Graph, n: int, nodes: Longs, number: Ints) -> None:
        order = np.argsort(nodes)
        self.graph = graph
        self.n = n
        self.nodes = nodes[order]
        self.number = number[order]


class Catalogue:
    """The graph catalogue of a server, and the typed client for it.

    Parameters
    ----------
    link
        The store's connection.
    version
        Of Graph Data Science.
    progress
        Told of what is sent and how far the server is.
    """

    def __init__(self, link: Link, version: str, progress: Progress) -> None:
        self.link = link
        self.progress = progress
        self.client = GraphDataScience(Calls(link, version), arrow=False, show_progress=False)
        self.sweep()

    def sweep(self) -> list[str]:
        """Drop what processes that have ended left behind; return the names."""
        gone = [
            one.graph_name
            for one in self.client.graph.list()
            if _left_behind(one.graph_name, one.creation_time)
        ]
        for name in gone:
            self.client.graph.drop(name, fail_if_missing=False)
        return gone

    @contextmanager
    def sent(
        self, n: int, source: Ints, target: Ints, weights: Mapping[str, Floats], *, directed: bool
    ) -> Iterator[Projection]:
        """Project ties that are sent, and drop the projection when the context ends.

        Nodes are numbered as in `source` and `target`, below `n`; those without a tie are left
        out.

        Raises
        ------
        OutOfMemory
            If it would not fit the heap that the server has left.
        """
        self.check_memory(
            len(np.union1d(source, target)), len(source), list(weights), directed=directed
        )
        self.progress(f"gds: sending {len(source):,} ties", 0, None)
        distinct, kind = np.unique(
            np.column_stack(list(weights.values())), axis=0, return_inverse=True
        )
        parameters = {
            "source": source.tolist(),
            "target": target.tolist(),
            "kind": kind.ravel().tolist(),
            "weights": [dict(zip(weights, row, strict=True)) for row in distinct.tolist()],
            "configuration": {} if directed else {"undirectedRelationshipTypes": ["*"]},
        }
        with self.named() as name:
            self.link.once(
                cypher.statement("gds_project", "neo4j").text,
                {"graph": name, **parameters},
                wanted="to project ties into the server's memory",
            )
            parameters.clear()  # the lists are larger than the arrays: let go of them
            numbers = np.arange(n, dtype=np.int32)
            graph = self.client.graph.get(name)
            yield Projection(graph, n, numbers.astype(np.int64), numbers)

    @contextmanager
    def native(self, labels: list[str], types: dict[str, Any]) -> Iterator[Graph]:
        """Project the graph itself, and drop the projection when the context ends.

        Raises
        ------
        OutOfMemory
            If it would not fit the heap that the server has left.
        """
        estimate = self.client.graph.project.estimate(labels, types)
        nodes, ties = estimate.node_count, estimate.relationship_count
        self._fits(estimate.bytes_max + self._leiden_bytes(nodes, ties, None), nodes, ties)
        self.progress("gds: native projection", 0, None)
        with self.named() as name:
            yield self.client.graph.project.native(name, labels, types).graph

    @contextmanager
    def named(self) -> Iterator[str]:
        """Lend a name for a projection, and drop what bears it when the context ends."""
        name = f"{PREFIX}-{_here()}-{os.getpid()}-{_process}-{next(_count)}"
        try:
            yield name
        except BaseException:
            # The fault is what is told; a server that is gone has no projection any more.
            with contextlib.suppress(KindredError):
                self._drop_stray(name)
            raise
        self.client.graph.drop(name, fail_if_missing=False)

    def _drop_stray(self, name: str) -> None:
        """Drop a projection that the server may just be making for someone who hung up."""
        for attempt in range(_STRAY_TRIES):
            if attempt:
                threading.Event().wait(_STRAY_SECONDS)
            if self.client.graph.drop(name, fail_if_missing=False):
                return

    # Memory -------------------------------------------------------------------------------

    def check_memory(self, nodes: int, ties: int, weights: list[str], *, directed: bool) -> None:
        """Refuse, with the figures, what would not fit the server's heap.

        Counted are the projection, as the server estimates it, Leiden on it (PageRank takes
        less), and the ties on their way.

        Raises
        ------
        OutOfMemory
            If that is more than the heap has left.
        """
        kind = {
            "type": "*",
            "orientation": "NATURAL" if directed else "UNDIRECTED",
            "properties": weights,
        }
        projected = self.link.read(
            cypher.statement("gds_estimate", "neo4j").text,
            {"nodes": nodes, "ties": ties, "projection": {"TIE": kind}},
            wanted="to estimate a projection",
        ).one("bytes")
        at_work = self._leiden_bytes(nodes, ties, weights[0])
        self._fits(projected + at_work + _SENT * ties, nodes, ties)

    def _leiden_bytes(self, nodes: int, ties: int, weight: str | None) -> int:
        """Return what Leiden takes at most on so many undirected ties."""
        tie = {"type": "*", "orientation": "UNDIRECTED", "properties": [weight] if weight else []}
        return self.client.leiden.estimate(
            {
                "nodeCount": nodes,
                "relationshipCount": ties,
                "nodeProjection": "*",
                "relationshipProjection": {"TIE": tie},
            },
            relationship_weight_property=weight,
            concurrency=1,
        ).bytes_max

    def _fits(self, needed: int, nodes: int, ties: int) -> None:
        heap = self.link.read(
            cypher.statement("gds_heap", "neo4j").text, wanted="to ask for the server's memory"
        )
        known = dict(zip(heap.columns["key"], heap.columns["value"], strict=True))
        left = known["availableHeapInBytes"]
        if needed > left:
            raise OutOfMemory(
                f"a projection of {nodes:,} users and {ties:,} ties",
                f"it needs {_mib(needed)} of heap; the server has {_mib(left)} left of "
                f"{_mib(known['heapMaxInBytes'])}",
                "raise server.memory.heap.max_size, or use --engine local",
            )

    # Answers ------------------------------------------------------------------------------

    def told(self, stage: str, run: Callable[[str], _T]) -> _T:
        """Run a job of the server under an id, telling how far it is."""
        job = str(uuid.uuid4())
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(stage, job, over), daemon=True)
        self.progress(stage, 0, None)
        watcher.start()
        try:
            return run(job)
        finally:
            over.set()
            watcher.join()

    def _watch(self, stage: str, job: str, over: threading.Event) -> None:
        text = cypher.statement("gds_progress", "neo4j").text
        while not over.wait(_POLL_SECONDS):
            # What goes wrong here goes wrong for the job too, which says so.
            with contextlib.suppress(KindredError):
                said = self.link.read(text, {"job": job}, wanted="to ask how far a job is")
                if (done := _percent(said.one("progress"))) is not None:
                    self.progress(stage, done, 100)

    def values(self, of: Projection, name: str, into: npt.NDArray[_N]) -> npt.NDArray[_N]:
        """Put a property of a projection's nodes where they stand in our graphs."""
        found = self.link.read(
            cypher.statement("gds_values", "neo4j").text,
            {"graph": of.graph.name(), "property": name},
            wanted="to read what the server found",
        )
        for nodes, values in zip(found.columns["node"], found.columns["value"], strict=True):
            at = np.searchsorted(of.nodes, np.array(nodes, np.int64))
            into[of.number[at]] = np.array(values)
        return into

    def users(self, graph: Graph, name: str) -> tuple[Longs, pa.ChunkedArray]:
        """Return the nodes of a native projection, and the ids of the users they stand for."""
        found = self.link.read(
            cypher.statement("gds_users", "neo4j").text,
            {"graph": graph.name(), "property": name},
            wanted="to read whom the server's numbers stand for",
        )
        nodes = [np.array(part, np.int64) for part in found.columns["node"]]
        ids = [pa.array(part, pa.string()) for part in found.columns["user_id"]]
        return np.concatenate([np.empty(0, np.int64), *nodes]), pa.chunked_array(ids, pa.string())


def _left_behind(name: str, made: datetime) -> bool:
    """Say whether a projection is kindred's and nobody's any more."""
    parts = name.split("-")
    if len(parts) != _PARTS or parts[0] != PREFIX or not parts[2].isdecimal():
        return False
    _, place, number, process, _ = parts
    if place != _here():
        return datetime.now(UTC) - made.astimezone(UTC) > _AGE
    return process != _process and (int(number) == os.getpid() or not alive(int(number)))


def _here() -> str:
    """Return a short mark of the system in which process numbers mean something."""
    return hashlib.blake2b(machine().encode(), digest_size=6).hexdigest()


def _percent(said: str | None) -> float | None:
    """Read the server's `12.5%`; None where it cannot say."""
    try:
        return float((said or "").removesuffix("%"))
    except ValueError:
        return None


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"
