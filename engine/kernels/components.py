"""Connected components by union-find."""

from __future__ import annotations

import numpy as np

from engine.csr import Csr, Ints, Longs
from engine.kernels.compile import kernel

__all__ = ["components", "connected_parts"]


def components(graph: Csr) -> Ints:
    """Tell the weakly connected components apart.

    The direction of edges is ignored, so a directed graph needs no symmetric copy; a weight
    of zero still connects. O(edges), up to the inverse Ackermann function.

    Parameters
    ----------
    graph
        Any graph, directed or not.

    Returns
    -------
    Ints
        The component of each node: 0, 1, ... in the order of their lowest nodes. A node
        without edges is a component of its own.

    References
    ----------
    R. E. Tarjan, J. van Leeuwen (1984). Worst-case analysis of set union algorithms. JACM 31(2).

    Examples
    --------
    >>> import numpy as np
    >>> from engine.csr import Csr
    >>> components(Csr.directed([3, 1], [1, 4], [1.0, 1.0], 5)).tolist()
    [0, 1, 2, 1, 1]
    """
    return connected_parts(graph, np.zeros(graph.n, np.int32))


def connected_parts(graph: Csr, labels: Ints) -> Ints:
    """Split every group of nodes that bear one label into its connected parts.

    Parameters
    ----------
    graph
        Any graph, directed or not.
    labels
        A label of each node, any integers; edges between different labels do not connect.

    Returns
    -------
    Ints
        The part of each node: 0, 1, ... in the order of their lowest nodes.
    """
    # As kernels know them: a read-only array would be compiled for anew.
    return _parts(
        np.require(graph.indptr, np.int64, ["C", "W"]),
        np.require(graph.indices, np.int32, ["C", "W"]),
        np.require(labels, np.int32, ["C", "W"]),
    )


@kernel
def _parts(indptr: Longs, indices: Ints, labels: Ints) -> Ints:
    n = len(indptr) - 1
    # The root of a tree is its lowest node: that numbers the parts by their lowest nodes.
    parent = np.arange(n, dtype=np.int32)
    for v in range(n):
        a = _root(parent, v)
        for e in range(indptr[v], indptr[v + 1]):
            u = indices[e]
            if labels[u] == labels[v] and parent[u] != a:
                b = _root(parent, int(u))
                if a < b:
                    parent[b] = a
                elif b < a:
                    parent[a] = b
                    a = b
    count = 0
    for v in range(n):
        if parent[v] == v:
            parent[v] = count
            count += 1
        else:  # a parent is lower than its child: it has its number already
            parent[v] = parent[parent[v]]
    return parent


@kernel
def _root(parent: Ints, v: int) -> int:
    while parent[v] != v:
        parent[v] = parent[parent[v]]  # halves the path for the next search
        v = parent[v]
    return v
