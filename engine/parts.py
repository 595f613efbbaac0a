"""Communities inside a community, found where ties that were held out insist.

A community is searched as if its members and the ties among them were all there is. The
resolution limit is that of the community then, not of the whole graph, so that even a large
graph shows what its communities are made of.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from engine.csr import Csr, Floats, Ints
from engine.kernels.leiden import leiden
from engine.tie_gain import LEAST, Gain, gain

__all__ = ["FINER", "by_falling_size", "parts", "worth"]

FINER: Final = 2.0
"""By how much the resolution rises from a community to its parts."""

_BETTER: Final = 0.02
"""Least part by which knowing the parts must raise the gain of a held-out tie inside."""

Flags = npt.NDArray[np.bool_]


def parts(graph: Csr, inside: Flags, gamma: float, seed: int) -> Ints:
    """Find the parts of a community at resolution `gamma` of its own ties. A Leiden run.

    Parameters
    ----------
    graph
        The whole undirected graph.
    inside
        Its nodes that are members, bool[n].
    gamma
        Resolution: what degrees alone explain is reckoned among the members only.
    seed
        As for Leiden.

    Returns
    -------
    Ints
        The part of each member, in the order of the members: 0, 1, ... by falling size.

    Examples
    --------
    Two triangles with one tie between them, and somebody else:

    >>> u, v = [0, 0, 1, 2, 3, 3, 4, 5], [1, 2, 2, 3, 4, 5, 5, 6]
    >>> graph = Csr.undirected(u, v, np.ones(8), 7)
    >>> parts(graph, np.arange(7) < 6, 1.0, 1).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    return leiden(_within(graph, inside), gamma, seed)


def worth(  # noqa: PLR0917 - a graph, a community, held-out ties, how they were scored before
    graph: Csr, inside: Flags, found: Ints, u: Ints, v: Ints, whole: Gain, unit: float
) -> bool:
    """Say whether parts of a community predict ties that were held out inside it.

    A tie inside gains, by knowing the parts, what they add to the community's own gain. They
    are worth it if that is over two standard errors, and over 2 % of the community's.

    Parameters
    ----------
    graph
        The graph without the held-out ties; `found` are the parts that `parts` gives on it.
    inside
        Members of the community, bool[n].
    u, v
        Ends of the held-out ties.
    whole
        What the communities gain on those ties.
    unit
        The weight of one observation, as `engine.edges` says.
    """
    if (np.bincount(found) >= LEAST).sum() < 2:
        return False
    both = inside[u] & inside[v]
    place = np.cumsum(inside) - 1
    ends = place[u[both]].astype(np.int32), place[v[both]].astype(np.int32)
    added = gain(_within(graph, inside), found, *ends, unit)
    before: Floats = whole.ties[both]
    before = before[~np.isnan(before)]
    least = _BETTER * max(float(before.mean()), 0.0) if len(before) else 0.0
    return added.overall > max(least, 2 * added.error)


def by_falling_size(labels: Ints) -> Ints:
    """Renumber labels by falling size, the lowest node first among equals; -1 stays.

    Examples
    --------
    >>> by_falling_size(np.array([7, 3, 3, -1], np.int32)).tolist()
    [1, 0, 0, -1]
    """
    found = np.full(len(labels), -1, np.int32)
    known = np.flatnonzero(labels >= 0)
    _, first, which, size = np.unique(
        labels[known], return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(size), np.int32)
    rank[np.lexsort((first, -size))] = np.arange(len(size), dtype=np.int32)
    found[known] = rank[which]
    return found


def _within(graph: Csr, inside: Flags) -> Csr:
    """Return the graph among members, numbered as they stand."""
    rows = np.repeat(np.arange(graph.n), np.diff(graph.indptr))
    kept = inside[rows] & inside[graph.indices]
    place = np.cumsum(inside) - 1
    count = np.bincount(place[rows[kept]], minlength=int(inside.sum()))
    return Csr(
        np.concatenate(([0], np.cumsum(count))).astype(np.int64),
        place[graph.indices[kept]].astype(np.int32),
        graph.weights[kept],
    )
