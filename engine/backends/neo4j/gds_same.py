"""Whether the server's graphs and answers are those of our ties."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from engine.csr import Csr, Floats, Ints
from engine.errors import ServerError
from engine.groups import Flags

__all__ = ["Walk", "key", "other_ties", "union"]


class Walk:
    """The equation that PageRank solves: y = (1 - d) restart + d P'y.

    Parameters
    ----------
    graph
        Directed; rows are out-edges.
    damping
        d, the chance of following an edge.

    Examples
    --------
    Two turn to a third, who turns to nobody; nothing is handed on from there:

    >>> walk = Walk(Csr.directed([0, 1], [2, 2], [1.0, 1.0], 3), 0.85)
    >>> round(walk.off(np.array([0.15, 0.15, 0.405]), np.ones(3, np.bool_)), 12)
    0.0
    """

    def __init__(self, graph: Csr, damping: float) -> None:
        rows = np.repeat(np.arange(graph.n), np.diff(graph.indptr))
        out = graph.degrees
        self.damping = damping
        self.tied = (np.bincount(graph.indices, minlength=graph.n) > 0) | (out > 0)
        passed = graph.weights / out[rows]
        self._back = sparse.csr_array((passed, graph.indices, graph.indptr), (graph.n,) * 2).T

    def off(self, mass: Floats, restart: Flags) -> float:
        """Return by how much, of the whole, a solution misses."""
        solved = (1.0 - self.damping) * restart + self.damping * (self._back @ mass)
        return float(np.abs(solved - mass).sum() / mass.sum())


def key(graph: Csr) -> bytes:
    """Return bytes that are the same for the same graph only."""
    found = hashlib.blake2b()
    for array in (graph.indptr, graph.indices, graph.weights):
        found.update(np.ascontiguousarray(array).tobytes())
    return found.digest()


def union(graphs: Sequence[Csr]) -> tuple[Ints, Ints, dict[str, Floats]]:
    """Return every pair that has a tie in any graph, and its weight in each: w0, w1, ...

    Examples
    --------
    >>> two = [Csr.undirected([0], [1], [1.0], 3), Csr.undirected([0, 1], [1, 2], [2.0, 1.0], 3)]
    >>> u, v, weights = union(two)
    >>> u.tolist(), v.tolist(), {name: w.tolist() for name, w in weights.items()}
    ([0, 1], [1, 2], {'w0': [1.0, 0.0], 'w1': [2.0, 1.0]})
    """
    n = graphs[0].n
    parts = [graph.pairs() for graph in graphs]
    keys = [u.astype(np.int64) * n + v for u, v, _ in parts]
    every = np.unique(np.concatenate(keys))
    weights = {}
    for i, (key, (_, _, weight)) in enumerate(zip(keys, parts, strict=True)):
        weights[f"w{i}"] = column = np.zeros(len(every))
        column[np.searchsorted(every, key)] = weight
    u, v = np.divmod(every, n)
    return u.astype(np.int32), v.astype(np.int32), weights


def other_ties(found: str) -> ServerError:
    """Return the refusal of an answer that is not about our ties."""
    return ServerError(
        "an answer of Graph Data Science about these ties",
        f"it is about others: {found}",
        "use --engine local, and report the versions of Neo4j and Graph Data Science",
    )
