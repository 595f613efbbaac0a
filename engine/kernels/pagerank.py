"""PageRank, plain and personalised, of a weighted directed graph.

With the mass of dangling nodes given to the restart vector r, PageRank is the solution of
y = r + d P'y, scaled to sum 1. That is solved node by node (Gauss-Seidel), which takes about
half the sweeps of the power iteration and, unlike it, needs none for what lies outside the
cycles: nodes that nothing circular feeds are settled once, before, and nodes that feed
nothing circular once, after. Among people who share, that is most of them.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from engine.csr import Csr, Floats, Ints, Longs
from engine.errors import UsageError
from engine.kernels.compile import kernel

__all__ = ["pagerank", "pagerank_by_label"]

WIDTH: Final = 8
"""Restart vectors solved side by side: one cache line of float64."""

Flow = tuple[Ints, Ints, Longs, Ints, Floats, Floats]
"""Where mass flows, in an order of nodes that settles as much as possible at once.

order: the node at each position; bounds: positions before bounds[0] are fed by no cycle,
from bounds[1] on they feed nobody; rows, sources, shares: who gives each position which share
of its mass, damped; loops: the share it gives itself, -1 where it has nothing to give by.
"""


def pagerank(
    graph: Csr,
    damping: float = 0.85,
    restart: Floats | None = None,
    tolerance: float = 1e-9,
    iterations: int | None = None,
) -> Floats:
    """Rank nodes by where a walk along the edges is found that now and then restarts.

    Parameters
    ----------
    graph
        Rows are out-edges: an edge u, v of weight w passes w / out-degree of u's mass on.
        Weights are zero or more. A node without out-weight passes its mass to `restart`.
    damping
        Chance of following an edge instead of restarting, in [0, 1).
    restart
        Where the walk restarts, any non-negative scale; by default anywhere alike.
    tolerance
        Stop when a sweep changes the result by less in all (L1).
    iterations
        Instead of `tolerance`: exactly so many steps of the power iteration from `restart`.

    Returns
    -------
    Floats
        Mass of each node; sums to 1.

    Raises
    ------
    UsageError
        An argument is outside of what is said above.

    Notes
    -----
    A sweep is one pass over the edges on and between cycles; 1e-9 takes 20 to 60 of them.

    References
    ----------
    S. Brin, L. Page (1998). The anatomy of a large-scale hypertextual web search engine.
    A. Arasu et al. (2002). PageRank computation and the structure of the web (Gauss-Seidel).
    G. M. Del Corso, A. Gulli, F. Romani (2005). Fast PageRank computation via a sparse linear
    system. Internet Mathematics 2(3).

    Examples
    --------
    Two people engage with a third, who engages with nobody:

    >>> graph = Csr.directed([0, 1], [2, 2], [1.0, 1.0], 3)
    >>> pagerank(graph).round(4).tolist()
    [0.2128, 0.2128, 0.5745]
    >>> pagerank(graph, restart=np.array([1.0, 0.0, 0.0])).round(4).tolist()
    [0.5405, 0.0, 0.4595]
    """
    _check(graph, damping, tolerance)
    if iterations is not None and iterations < 0:
        raise UsageError("PageRank", f"iterations {iterations}", "give zero or more")
    if graph.n == 0:
        return np.empty(0)
    start = np.full(graph.n, 1.0 / graph.n) if restart is None else _restart(restart, graph.n)
    flow = _flow(*_arrays(graph), float(damping))
    order = flow[0]
    if iterations is None:
        mass = _settled(flow, start[order], tolerance, _sweeps(damping, tolerance))
        mass /= mass.sum()
    else:
        mass = _stepped(flow, start[order], float(damping), iterations)
    ranks = np.empty(graph.n)
    ranks[order] = mass
    return ranks


def pagerank_by_label(
    graph: Csr, labels: Ints, k: int, damping: float = 0.85, tolerance: float = 1e-9
) -> Floats:
    """Rank every node inside its own community, by a walk that restarts in it.

    For each label 0..k-1 PageRank with a restart uniform on the nodes of that label is
    solved on the whole graph, and its mass kept for those nodes only.

    Parameters
    ----------
    graph
        As for `pagerank`.
    labels
        The community of each node; below 0 or from k on: none, and the result is 0.
    k
        Number of communities.
    damping, tolerance
        As for `pagerank`; eight communities share the tolerance.

    Returns
    -------
    Floats
        For each node its mass in the PageRank of its own community.

    Raises
    ------
    UsageError
        An argument is outside of what is said above.

    Notes
    -----
    Communities are solved eight at a time in one sweep, so the cost is about k/8 times two
    to three single runs, and 128 bytes a node of memory. The interpreter lock is released.

    References
    ----------
    T. H. Haveliwala (2002). Topic-sensitive PageRank. WWW.

    Examples
    --------
    >>> graph = Csr.directed([0, 1, 3], [1, 2, 0], [1.0, 1.0, 1.0], 5)
    >>> pagerank_by_label(graph, np.array([0, 0, 0, 1, -1], np.int32), 2).round(4).tolist()
    [0.1844, 0.3412, 0.4744, 0.3138, 0.0]
    """
    _check(graph, damping, tolerance)
    if len(labels) != graph.n:
        raise UsageError(
            f"a community for each of {graph.n} nodes", f"{len(labels)} labels", "give one a node"
        )
    flow = _flow(*_arrays(graph), float(damping))
    order = flow[0]
    placed = np.require(labels, np.int32)[order]
    ranks = np.empty(graph.n)
    ranks[order] = _settled_by_label(flow, placed, k, tolerance, _sweeps(damping, tolerance))
    return ranks


def _check(graph: Csr, damping: float, tolerance: float) -> None:
    if not 0.0 <= damping < 1.0:
        raise UsageError("PageRank", f"damping {damping}", "give a damping from 0 to below 1")
    if not tolerance > 0.0:
        raise UsageError("PageRank", f"tolerance {tolerance}", "give a tolerance above 0")
    if len(graph.weights) and graph.weights.min() < 0:
        raise UsageError(
            "PageRank", f"an edge of weight {graph.weights.min():g}", "give weights of zero or more"
        )


def _restart(restart: Floats, n: int) -> Floats:
    start = np.asarray(restart, np.float64)
    if start.shape != (n,) or not np.isfinite(start).all() or start.min() < 0 or start.sum() == 0:
        raise UsageError(
            f"a restart weight for each of {n} nodes",
            f"{start.shape} values, lowest {start.min(initial=0.0):g}, sum {start.sum():g}",
            "give one non-negative weight a node, some above zero",
        )
    return np.asarray(start / start.sum())


def _arrays(graph: Csr) -> tuple[Longs, Ints, Floats]:
    """Give the arrays as kernels know them: a read-only one would be compiled for anew."""
    return (
        np.require(graph.indptr, np.int64, ["C", "W"]),
        np.require(graph.indices, np.int32, ["C", "W"]),
        np.require(graph.weights, np.float64, ["C", "W"]),
    )


def _sweeps(damping: float, tolerance: float) -> int:
    """Give the number of sweeps after which theory leaves less than `tolerance` to change."""
    if damping == 0.0:
        return 1
    return math.ceil(math.log(tolerance * (1.0 - damping)) / math.log(damping)) + 1


@kernel
def _flow(indptr: Longs, indices: Ints, weights: Floats, damping: float) -> Flow:
    """Turn the graph round, in an order with cycles in the middle."""
    n = len(indptr) - 1
    order, bounds = _order(indptr, indices)
    place = np.empty(n, np.int32)
    for i in range(n):
        place[order[i]] = i
    rows = np.zeros(n + 1, np.int64)
    for v in range(n):
        for e in range(indptr[v], indptr[v + 1]):
            if indices[e] != v:
                rows[place[indices[e]] + 1] += 1
    for i in range(n):
        rows[i + 1] += rows[i]
    fill = rows[:-1].copy()
    sources = np.empty(rows[n], np.int32)
    shares = np.empty(rows[n])
    loops = np.full(n, -1.0)
    for i in range(n):  # in the order of places, so that each row's sources ascend
        v = order[i]
        out = 0.0
        for e in range(indptr[v], indptr[v + 1]):
            out += weights[e]
        if out > 0.0:
            loops[i] = 0.0
        for e in range(indptr[v], indptr[v + 1]):
            share = damping * weights[e] / out if out > 0.0 else 0.0
            if indices[e] != v:
                at = fill[place[indices[e]]]
                fill[place[indices[e]]] += 1
                sources[at] = i
                shares[at] = share
            elif out > 0.0:
                loops[i] = share
    return order, bounds, rows, sources, shares, loops


@kernel
def _order(indptr: Longs, indices: Ints) -> tuple[Ints, Ints]:
    """Order nodes: those fed by no cycle, then the cycles, then those that feed nobody."""
    n = len(indptr) - 1
    fed = np.zeros(n, np.int32)
    feeds = np.zeros(n, np.int32)
    for v in range(n):
        for e in range(indptr[v], indptr[v + 1]):
            if indices[e] != v:
                fed[indices[e]] += 1
                feeds[v] += 1
    order = np.empty(n, np.int32)
    placed = np.zeros(n, np.bool_)
    first = 0  # nodes placed so far, each after all that feed it (Kahn)
    for v in range(n):
        if fed[v] == 0:
            order[first] = v
            placed[v] = True
            first += 1
    i = 0
    while i < first:
        v = order[i]
        i += 1
        for e in range(indptr[v], indptr[v + 1]):
            u = indices[e]
            if u != v:
                fed[u] -= 1
                if fed[u] == 0:
                    order[first] = u
                    placed[u] = True
                    first += 1
    last = n
    i = first
    for v in range(n):
        if not placed[v]:
            if feeds[v]:
                order[i] = v
                i += 1
            else:
                last -= 1
                order[last] = v
    return order, np.array([first, last], np.int32)


@kernel
def _swept(flow: Flow, i: int, begin: int, base: float, mass: Floats) -> float:
    """Solve the equation of position i for its mass, given the others from `begin` on."""
    for e in range(begin, flow[2][i + 1]):
        base += flow[4][e] * mass[flow[3][e]]
    return float(base / (1.0 - max(flow[5][i], 0.0)))


@kernel
def _settled(flow: Flow, restart: Floats, tolerance: float, sweeps: int) -> Floats:
    """Solve y = r + d P'y by Gauss-Seidel; all in positions."""
    first, last = flow[1]
    rows = flow[2]
    n = len(restart)
    mass = restart.copy()
    for i in range(first):
        mass[i] = _swept(flow, i, rows[i], restart[i], mass)
    # What flows into the cycles from before them does not change any more.
    begin = _begins(flow)
    base = restart.copy()
    for i in range(first, last):
        for e in range(rows[i], begin[i]):
            base[i] += flow[4][e] * mass[flow[3][e]]
        mass[i] = base[i]
    for _ in range(sweeps):
        change = 0.0
        for i in range(first, last):
            now = _swept(flow, i, begin[i], base[i], mass)
            change += abs(now - mass[i])
            mass[i] = now
        if change < tolerance:
            break
    for i in range(last, n):
        mass[i] = _swept(flow, i, rows[i], restart[i], mass)
    return mass


@kernel
def _begins(flow: Flow) -> Longs:
    """Find where in each row on a cycle the sources that are fed by a cycle begin."""
    first, last = flow[1]
    begin = flow[2][:-1].copy()
    for i in range(first, last):
        while begin[i] < flow[2][i + 1] and flow[3][begin[i]] < first:
            begin[i] += 1
    return begin


@kernel
def _stepped(flow: Flow, restart: Floats, damping: float, iterations: int) -> Floats:
    """Take steps of the power iteration from `restart`; all in positions."""
    _, _, rows, sources, shares, loops = flow
    n = len(restart)
    mass = restart.copy()
    for _ in range(iterations):
        back = 1.0 - damping
        for i in range(n):
            if loops[i] < 0.0:
                back += damping * mass[i]
        after = np.empty(n)
        for i in range(n):
            gained = back * restart[i] + max(loops[i], 0.0) * mass[i]
            for e in range(rows[i], rows[i + 1]):
                gained += shares[e] * mass[sources[e]]
            after[i] = gained
        mass = after
    return mass


@kernel
def _settled_by_label(flow: Flow, labels: Ints, k: int, tolerance: float, sweeps: int) -> Floats:
    """Solve for `WIDTH` restart vectors at a time; all in positions."""
    first, last = flow[1]
    rows = flow[2]
    n = len(labels)
    size = np.zeros(k)
    for i in range(n):
        if 0 <= labels[i] < k:
            size[labels[i]] += 1.0
    ranks = np.zeros(n)
    mass = np.zeros((n, WIDTH))
    base = np.empty((n, WIDTH))
    begin = _begins(flow)
    for low in range(0, k, WIDTH):
        for i in range(n):
            for b in range(WIDTH):
                base[i, b] = 0.0
            if low <= labels[i] < min(low + WIDTH, k):
                base[i, labels[i] - low] = 1.0 / size[labels[i]]
        for i in range(first):
            _swept_abreast(flow, i, rows[i], base, mass)
        # As in `_settled`: from here on `base` of a cycle holds what comes from before it.
        for i in range(first, last):
            for e in range(rows[i], begin[i]):
                for b in range(WIDTH):
                    base[i, b] += flow[4][e] * mass[flow[3][e], b]
            for b in range(WIDTH):
                mass[i, b] = base[i, b]
        for _ in range(sweeps):
            change = 0.0
            for i in range(first, last):
                change += _swept_abreast(flow, i, begin[i], base, mass)
            if change < tolerance:
                break
        for i in range(last, n):
            _swept_abreast(flow, i, rows[i], base, mass)
        total = np.zeros(WIDTH)
        for i in range(n):
            for b in range(WIDTH):
                total[b] += mass[i, b]
        for i in range(n):
            if low <= labels[i] < min(low + WIDTH, k):
                ranks[i] = mass[i, labels[i] - low] / total[labels[i] - low]
    return ranks


@kernel
def _swept_abreast(flow: Flow, i: int, begin: int, base: Floats, mass: Floats) -> float:
    """Do as `_swept` for each restart, in place; return by how much the mass changed."""
    now = base[i].copy()
    for e in range(begin, flow[2][i + 1]):
        share = flow[4][e]
        u = flow[3][e]
        for b in range(WIDTH):
            now[b] += share * mass[u, b]
    rest = 1.0 - max(flow[5][i], 0.0)
    change = 0.0
    for b in range(WIDTH):
        change += abs(now[b] / rest - mass[i, b])
        mass[i, b] = now[b] / rest
    return change
