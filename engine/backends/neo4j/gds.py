"""Communities, authority, components and degrees by Graph Data Science, on the server.

The graphs are those that kindred's own kernels would get. What an export's ties weigh (a
logarithm of counts a direction, follows scaled to equal weight, co-shares spread over a
topic's users, and all of it once more for every fold without its sources) no projection of
the stored graph can say, so ties are sent; only follows alone are projected natively.

No answer is taken on trust: degrees and components are compared with the ties, the modularity
that the server reports with that of the labels it gives, and PageRank is put back into the
equation it must solve.

The server's Leiden ends after one descent, measured 1.1 % (Higgs) and 2.3 % (German election
posts) of modularity below what kindred's kernel reaches, whatever its seed, theta and
tolerance; and 2.13.9 cannot start from a partition: it then returns labels that are not those
whose modularity it reports. So the kernel goes on from the communities that the server found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import metadata
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.algorithms import Algorithms, of_tied
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.gds_catalog import Catalogue, Projection
from engine.backends.neo4j.gds_same import Walk, key, other_ties, union
from engine.backends.neo4j.gds_support import Installed
from engine.csr import Csr, Floats, Ints
from engine.groups import Flags
from engine.kernels.components import components
from engine.kernels.leiden import leiden, modularity
from engine.model import EDGES, NODES
from engine.partition import UNASSIGNED
from engine.progress import Progress, silent

__all__ = ["Gds"]

LEVELS: Final = 30
"""Most levels of Leiden; six are usual."""
TOLERANCE: Final = 1e-9
"""Modularity a level must bring. The server's own, 1e-4, would end sooner."""
ITERATIONS: Final = 2000
"""Most steps of PageRank. The server's own, 20, would end with a hundredth misplaced."""

_SAME: Final = 1e-6
"""How far a figure of the server may be from ours: it adds up in another order."""


class Gds(Algorithms):
    """Graph Data Science of a server, through its typed client.

    Parameters
    ----------
    link
        The store's connection.
    found
        What the server runs.
    users
        Gives the user ids by number, for projections of the stored graph; None where the
        graph is not kindred's, and ties are sent in any case.
    progress
        Told of what is sent and how far the server is.
    """

    engine = "gds"

    def __init__(
        self,
        link: Link,
        found: Installed,
        users: Callable[[], pa.StringArray] | None,
        progress: Progress = silent,
    ) -> None:
        self._found = found
        self._users = users
        self._catalogue = Catalogue(link, found.gds or "", progress)
        self._client = self._catalogue.client
        self._reached: list[tuple[float, float]] = []

    @property
    def reason(self) -> str:
        """Why it is this engine: it was asked for."""
        stands = "tried" if self._found.standing == "tried" else "not tried with this version"
        return f"Graph Data Science {self._found.gds} on the server, as asked ({stands})"

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of the server, of Graph Data Science and of its client."""
        return {
            "neo4j": f"{self._found.neo4j} {self._found.edition}",
            "gds": self._found.gds or "",
            "graphdatascience": metadata.version("graphdatascience"),
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """Say who computed what, and how far the server's Leiden came by itself."""
        said = (
            f"Communities and authority were computed by Graph Data Science {self._found.gds} "
            f"on Neo4j {self._found.neo4j}, one thread, and checked against the ties; the "
            "resolution, the verdict and the scores by kindred's own kernels."
        )
        if not self._reached:
            return (said,)
        there, here = self._reached[0]
        went_on = (
            f"The server's Leiden ended at modularity {there:.4f}; kindred's went on from its "
            f"communities to {here:.4f}."
        )
        return (said, went_on)

    # Communities --------------------------------------------------------------------------

    def communities(
        self,
        graphs: Sequence[Callable[[], Csr]],
        gamma: float,
        seed: int,
        kinds: Sequence[str] = (),
    ) -> Iterator[Ints]:
        """Run Leiden on each graph: one projection, with a weight for each.

        A pair that one of the graphs lacks weighs nothing there. Graphs that are equal are
        searched once.

        Raises
        ------
        OutOfMemory
            If the projection would not fit the server.
        ServerError
            If the server's answer is about other ties than these.
        """
        made = [make() for make in graphs]
        first: dict[bytes, int] = {}
        place = [first.setdefault(key(graph), len(first)) for graph in made]
        distinct = [made[place.index(i)] for i in range(len(first))]
        if not any(len(graph.weights) for graph in distinct):
            yield from (np.full(graph.n, UNASSIGNED, np.int32) for graph in made)
            return
        found = None
        if tuple(kinds) == ("follows",) and len(distinct) == 1 and self._users is not None:
            found = self._on_follows(distinct[0], self._users(), gamma, seed)
        found = found or self._on_sent(distinct, gamma, seed)
        yield from (found[i] for i in place)

    def _on_follows(
        self, graph: Csr, users: pa.StringArray, gamma: float, seed: int
    ) -> list[Ints] | None:
        """Project follows natively; None if what the graph holds are not just these ties."""
        user, follows = NODES["User"].name, EDGES["FOLLOWS"].name
        types = {follows: {"type": follows, "orientation": "UNDIRECTED"}}
        with self._catalogue.native([user], types) as projected:
            self._client.degree.mutate(projected, "degree", concurrency=1)
            nodes, ids = self._catalogue.users(projected, "degree")
            number = pc.index_in(ids, users).combine_chunks()
            if number.null_count:
                return None
            places = number.to_numpy(zero_copy_only=False).astype(np.int32)
            there = Projection(projected, graph.n, nodes, places)
            if not self._same_ties(there, None, graph, components(graph)):
                return None
            return [self._leiden(there, None, graph, gamma, seed)]

    def _on_sent(self, graphs: Sequence[Csr], gamma: float, seed: int) -> list[Ints]:
        n = graphs[0].n
        u, v, weights = union(graphs)
        parts = components(Csr.undirected(u, v, np.ones(len(u)), n))
        with self._catalogue.sent(n, u, v, weights, directed=False) as there:
            if not self._same_ties(there, "w0", graphs[0], parts):
                raise other_ties("degrees or components differ")
            return [
                self._leiden(there, weight, graph, gamma, seed, which=f"{i} of {len(graphs)}")
                for i, (weight, graph) in enumerate(zip(weights, graphs, strict=True), 1)
            ]

    def _leiden(
        self,
        there: Projection,
        weight: str | None,
        graph: Csr,
        gamma: float,
        seed: int,
        *,
        which: str = "1 of 1",
    ) -> Ints:
        if not len(graph.weights):
            return np.full(graph.n, UNASSIGNED, np.int32)
        name = f"labels_{weight or 'all'}"
        result = self._catalogue.told(
            f"gds: communities {which}",
            lambda job: self._client.leiden.mutate(
                there.graph,
                name,
                gamma=gamma,
                random_seed=seed,
                concurrency=1,  # more would make the answer depend on the clock
                max_levels=LEVELS,
                tolerance=TOLERANCE,
                relationship_weight_property=weight,
                consecutive_ids=True,
                job_id=job,
            ),
        )
        labels = self._catalogue.values(there, name, np.full(graph.n, -1, np.int32))
        # Who is not in the projection is alone; the numbers do not matter here.
        alone = labels < 0
        labels[alone] = labels.max(initial=-1) + 1 + np.arange(int(alone.sum()), dtype=np.int32)
        ours = modularity(graph, labels, gamma)
        if abs(ours - result.modularity) > _SAME:
            raise other_ties(f"modularity {result.modularity:.6f} there, {ours:.6f} here")
        further = leiden(graph, gamma, seed, initial=labels)
        reached = modularity(graph, further, gamma)
        self._reached.append((ours, reached))
        return of_tied(graph, further)

    def _same_ties(self, there: Projection, weight: str | None, graph: Csr, parts: Ints) -> bool:
        """Say whether a projection has the degrees of a graph, and these components."""
        return np.allclose(
            self._degrees(there, weight), graph.degrees, rtol=_SAME, atol=0
        ) and np.array_equal(self._components(there), parts)

    # Degrees and components ---------------------------------------------------------------

    def degrees(self, graph: Csr) -> Floats:
        """Return the sum of each node's out-weights."""
        if not len(graph.weights):
            return np.zeros(graph.n)
        with self._arcs(graph) as there:
            return self._degrees(there, "w0")

    def components(self, graph: Csr) -> Ints:
        """Return the weakly connected component of each node, numbered by lowest node."""
        if not len(graph.weights):
            return np.arange(graph.n, dtype=np.int32)
        with self._arcs(graph) as there:
            return self._components(there)

    def _degrees(self, there: Projection, weight: str | None) -> Floats:
        name = f"degree_{weight or 'all'}"
        self._client.degree.mutate(
            there.graph, name, concurrency=1, relationship_weight_property=weight
        )
        return self._catalogue.values(there, name, np.zeros(there.n))

    def _components(self, there: Projection) -> Ints:
        self._client.wcc.mutate(there.graph, "part", concurrency=1, consecutive_ids=True)
        parts = self._catalogue.values(there, "part", np.full(there.n, -1, np.int64))
        alone = parts < 0
        parts[alone] = there.n + np.flatnonzero(alone)
        _, lowest, part = np.unique(parts, return_index=True, return_inverse=True)
        rank = np.empty(len(lowest), np.int32)
        rank[np.argsort(lowest)] = np.arange(len(lowest), dtype=np.int32)
        return rank[part]

    # Authority ----------------------------------------------------------------------------

    def pagerank(
        self, graph: Csr, labels: Ints, damping: float, tolerance: float
    ) -> tuple[Floats, Floats]:
        """Return the mass of each node overall, and in the walk of its own label.

        The server does not hand on the mass of nodes without out-edges. Scaled to sum 1 over
        everyone, those without any edge included, its figures are the same as if that mass
        went back to where the walk restarts. One run a label: with many labels, kindred's
        kernels, which take eight at a time, are much the faster.

        Raises
        ------
        OutOfMemory
            If the projection would not fit the server.
        ServerError
            If an answer does not solve the equation of PageRank on this graph.
        """
        k = int(labels.max(initial=-1)) + 1
        inside = np.zeros(graph.n)
        if not len(graph.weights):
            return _alone(graph.n, labels)
        with self._arcs(graph) as there:
            walk = Walk(graph, damping)
            everyone = np.ones(graph.n, np.bool_)
            overall = self._walked(there, walk, everyone, tolerance, "gds: authority")
            for label in range(k):
                members = labels == label
                if not members.any():
                    continue
                stage = f"gds: authority in community {label + 1} of {k}"
                mass = self._walked(there, walk, members, tolerance, stage)
                inside[members] = mass[members]
        return overall, inside

    def _walked(
        self, there: Projection, walk: Walk, restart: Flags, tolerance: float, stage: str
    ) -> Floats:
        sources = np.flatnonzero(restart & walk.tied)
        found: Floats = np.where(restart, 1.0 - walk.damping, 0.0)
        if len(sources):
            self._catalogue.told(
                stage,
                lambda job: self._client.page_rank.mutate(
                    there.graph,
                    "mass",
                    damping_factor=walk.damping,
                    tolerance=tolerance,
                    max_iterations=ITERATIONS,
                    concurrency=1,
                    relationship_weight_property="w0",
                    source_nodes=None if restart.all() else sources.tolist(),
                    job_id=job,
                ),
            )
            found = self._catalogue.values(there, "mass", found)
            self._client.graph.node_properties.drop(there.graph, ["mass"])
        if (off := walk.off(found, restart)) > _SAME / 100:
            raise other_ties(f"PageRank misses its equation by {off:.1e}")
        return np.asarray(found / found.sum())

    def _arcs(self, graph: Csr) -> AbstractContextManager[Projection]:
        source = np.repeat(np.arange(graph.n, dtype=np.int32), np.diff(graph.indptr))
        weights = {"w0": graph.weights}
        return self._catalogue.sent(graph.n, source, graph.indices, weights, directed=True)


def _alone(n: int, labels: Ints) -> tuple[Floats, Floats]:
    """Return the masses where nobody turns to anybody."""
    size = np.append(np.bincount(labels[labels >= 0], minlength=1), 1)
    inside = np.where(labels >= 0, 1.0 / np.maximum(size[labels], 1), 0.0)
    return np.full(n, 1.0 / max(n, 1)), inside
