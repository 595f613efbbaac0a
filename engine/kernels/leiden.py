"""Communities by the Leiden algorithm, and the modularity it raises.

Each round moves nodes between communities until none gains by it, splits every community
into well-connected parts, draws the graph of those parts and goes on with it, starting from
the communities that were found. Rounds are repeated while they are worth it; of a small
graph the best of several tries is taken.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from engine.csr import Csr, Floats, Ints, Longs
from engine.errors import UsageError
from engine.kernels.compile import kernel
from engine.kernels.components import connected_parts

__all__ = ["leiden", "modularity"]

ROUNDS: Final = 10
"""Most rounds a run takes; two or three are usual."""

TRIES: Final = 10
"""Most tries at a small graph, of which the best is taken: seeds then agree, for a few
milliseconds. A graph of more than 10,000 entries gets one."""

WORTH: Final = 1e-9
"""Modularity a round must bring for each entry of the graph, to be followed by another: a
small graph is taken to where nothing changes, a large one to where seeds differ by more."""

TEMPERATURE: Final = 0.01
"""How readily refinement takes a lesser merge: theta of the paper, in mean edge weights."""

State = npt.NDArray[np.uint64]
"""One word: the state of the random numbers of a run."""

Graph = tuple[Longs, Ints, Floats, Floats]
"""indptr, indices, weights, degrees."""

Scale = tuple[float, float]
"""gamma / 2m, and the mean weight, so that doubled weights give the same communities."""


def leiden(graph: Csr, gamma: float = 1.0, seed: int = 1, initial: Ints | None = None) -> Ints:
    """Find the communities of an undirected weighted graph.

    Raises the modularity of Reichardt and Bornholdt at resolution `gamma`. Every community
    is connected, whatever `gamma`; a node without edges is a community of its own. The same
    graph, `gamma`, `seed` and `initial` give the same labels, in any number of threads.

    Parameters
    ----------
    graph
        An undirected graph as `Csr.undirected` builds it: both directions, self-loops 2w,
        weights not negative.
    gamma
        Resolution: higher gives more and smaller communities.
    seed
        Decides the order in which nodes are visited and the choices of refinement.
    initial
        A label of each node to start from, any integers; by default each node is alone.

    Returns
    -------
    Ints
        The community of each node: 0, 1, ... by falling size, ties by lowest node.

    Raises
    ------
    UsageError
        A weight is negative, or `initial` is not one label a node.

    Notes
    -----
    A round costs a few passes over the edges; memory is about twice the graph's. Kernels
    release the interpreter lock: several runs may go in threads.

    References
    ----------
    V. A. Traag, L. Waltman, N. J. van Eck (2019). From Louvain to Leiden: guaranteeing
    well-connected communities. Scientific Reports 9, 5233.
    J. Reichardt, S. Bornholdt (2006). Statistical mechanics of community detection.
    Physical Review E 74, 016110.

    Examples
    --------
    Two triangles, joined by one edge, and a node alone:

    >>> import numpy as np
    >>> from engine.csr import Csr
    >>> u, v = [0, 0, 1, 2, 3, 3, 4], [1, 2, 2, 3, 4, 5, 5]
    >>> graph = Csr.undirected(u, v, np.ones(7), 7)
    >>> leiden(graph).tolist()
    [0, 0, 0, 1, 1, 1, 2]
    >>> round(modularity(graph, leiden(graph)), 4)
    0.3571
    """
    if len(graph.weights) and graph.weights.min() < 0:
        raise UsageError(
            "the communities of a graph",
            f"an edge of weight {graph.weights.min():g}",
            "give weights of zero or more",
        )
    if initial is None:
        labels = np.arange(graph.n, dtype=np.int32)
    elif len(initial) == graph.n:
        labels = np.unique(initial, return_inverse=True)[1].astype(np.int32)
    else:
        raise UsageError(
            f"communities started from one label for each of {graph.n} nodes",
            f"{len(initial)} labels",
            "give the labels of an earlier run over the same nodes",
        )
    labels = _best(_arrays(graph), gamma, seed, labels)
    # Moving a node can cut the community it leaves in two; to part the pieces never costs
    # modularity, whatever gamma.
    return _by_falling_size(connected_parts(graph, labels))


def modularity(graph: Csr, labels: Ints, gamma: float = 1.0) -> float:
    """Weight inside communities beyond what the degrees alone would put there.

    Parameters
    ----------
    graph
        An undirected graph as `Csr.undirected` builds it.
    labels
        The community of each node, 0 or more.
    gamma
        Resolution: the weight of what the degrees explain.

    Returns
    -------
    float
        Sum over communities of `in_c / 2m - gamma (degree_c / 2m)^2`; 0 for no edges.

    References
    ----------
    M. E. J. Newman, M. Girvan (2004). Physical Review E 69, 026113.

    Examples
    --------
    >>> from engine.csr import Csr
    >>> graph = Csr.undirected([0, 2], [1, 3], [1.0, 1.0], 4)
    >>> modularity(graph, np.array([0, 0, 1, 1], np.int32))
    0.5
    """
    known = np.require(labels, np.int32, ["C", "W"])
    return float(_modularity(_arrays(graph), known, float(gamma)))


def _by_falling_size(labels: Ints) -> Ints:
    """Renumber labels that count up by first appearance: by falling size, ties as they are."""
    size = np.bincount(labels)
    rank = np.empty(len(size), np.int32)
    rank[np.argsort(-size, kind="stable")] = np.arange(len(size), dtype=np.int32)
    return rank[labels]


def _arrays(graph: Csr) -> Graph:
    """Give the arrays as kernels know them: a read-only one would be compiled for anew."""
    indptr = np.require(graph.indptr, np.int64, ["C", "W"])
    indices = np.require(graph.indices, np.int32, ["C", "W"])
    weights = np.require(graph.weights, np.float64, ["C", "W"])
    return indptr, indices, weights, _degrees(indptr, weights)


def _best(graph: Graph, gamma: float, seed: int, start: Ints) -> Ints:
    """Improve the labels `start` (0..n-1): the best of a few tries."""
    total = float(graph[2].sum())
    if total <= 0.0:
        return np.arange(len(start), dtype=np.int32)
    state = np.array([seed], np.uint64)
    scale = (float(gamma) / total, total / len(graph[2]))
    best, labels = -np.inf, start
    for _ in range(max(1, min(TRIES, 20_000 // len(graph[2])))):
        quality, found = _rounds(graph, scale, state, start)
        if quality > best + 1e-12:  # the same communities in another order are no better
            best, labels = quality, found
    return labels


def _rounds(graph: Graph, scale: Scale, state: State, labels: Ints) -> tuple[float, Ints]:
    """Improve labels until a round no longer brings what it costs; give modularity and labels."""
    before = -np.inf
    for _ in range(ROUNDS):
        quality, labels, coarse, part = _round(graph, scale, state, labels)
        if quality - before <= WORTH * len(graph[2]):
            break
        # A second round from the parts up costs little and brings much of what a whole one does.
        above = _lifted(labels, part, len(coarse[3]))
        before, above, _, _ = _round(coarse, scale, state, above)
        quality, labels = before, above[part]
    return quality, labels


def _round(
    graph: Graph, scale: Scale, state: State, labels: Ints
) -> tuple[float, Ints, Graph, Ints]:
    """Move, refine and draw together, level by level, until every community is one node.

    Gives the modularity, the labels, the graph of the parts that the first level was refined
    into, and the part of each node.
    """
    place = np.arange(len(labels), dtype=np.int32)  # the node of this level each node is in
    coarse, coarse_part = graph, place
    here = labels.copy()
    level = 0
    while True:
        n = len(here)
        order = _shuffled(n, state)
        _move(graph, scale, order, here)
        if _compact(here) == n:
            break
        part = _refine(graph, scale, order, state, here)
        parts = _compact(part)
        if parts == n:
            break
        graph = _aggregate(graph, part, parts)
        here = _lifted(here, part, parts)
        place = part if level == 0 else part[place]
        if level == 0:
            coarse, coarse_part = graph, part
        level += 1
    # The graph that is left is small and its weights are those of the first.
    quality = _modularity(graph, here, scale[0] * float(graph[2].sum()))
    return quality, here[place], coarse, coarse_part


@kernel
def _lifted(labels: Ints, part: Ints, parts: int) -> Ints:
    """Label each part as its nodes are."""
    above = np.empty(parts, np.int32)
    for v in range(len(part)):
        above[part[v]] = labels[v]
    return above


@kernel
def _move(graph: Graph, scale: Scale, order: Ints, labels: Ints) -> None:
    """Move nodes to the community they gain most by, until no move gains.

    A node waits in the queue at first, and again whenever a neighbour has left for another
    community. `labels` (0..n-1) change in place.
    """
    n = len(labels)
    indptr, indices, weights, degree = graph
    resolution, unit = scale
    slack = 1e-10 * unit
    mass = np.zeros(n)
    size = np.zeros(n, np.int32)
    for v in range(n):
        mass[labels[v]] += degree[v]
        size[labels[v]] += 1
    free = np.empty(n, np.int32)
    frees = 0
    for c in range(n - 1, -1, -1):
        if size[c] == 0:
            free[frees] = c
            frees += 1
    link = np.zeros(n)
    touched = np.empty(n + 1, np.int32)
    queue = order.copy()
    waiting = np.ones(n, np.bool_)
    head, length = 0, n
    while length > 0:
        v = queue[head]
        head = head + 1 if head + 1 < n else 0
        length -= 1
        waiting[v] = False
        k = degree[v]
        home = labels[v]
        mass[home] -= k
        touches = 0
        for e in range(indptr[v], indptr[v + 1]):
            u = indices[e]
            if u != v:
                c = labels[u]
                touched[touches] = c  # kept only if new; a branch would be mispredicted
                touches += link[c] == 0.0
                link[c] += weights[e]
        best = home
        gain = link[home] - resolution * k * mass[home] + slack
        for i in range(touches):
            c = touched[i]
            g = link[c] - resolution * k * mass[c]
            link[c] = 0.0
            if g > gain:
                gain = g
                best = c
        if gain < 0.0 and size[home] > 1:  # better alone
            best = free[frees - 1]
        mass[best] += k
        if best == home:
            continue
        if size[best] == 0:
            frees -= 1
        size[best] += 1
        size[home] -= 1
        if size[home] == 0:
            free[frees] = home
            frees += 1
        labels[v] = best
        for e in range(indptr[v], indptr[v + 1]):
            u = indices[e]
            if labels[u] != best and not waiting[u]:
                waiting[u] = True
                tail = head + length
                queue[tail if tail < n else tail - n] = u
                length += 1


@kernel
def _refine(graph: Graph, scale: Scale, order: Ints, state: State, labels: Ints) -> Ints:
    """Split every community into well-connected parts, grown from single nodes.

    A node that is still alone joins, within its community, a part it does not lose by, drawn
    with odds exp(gain / temperature). Node and part must both be well connected to the rest
    of the community. Returns the part of each node, named by one of its nodes.
    """
    n = len(labels)
    indptr, indices, weights, degree = graph
    resolution, unit = scale
    slack = 1e-10 * unit
    whole = np.zeros(n)
    for v in range(n):
        whole[labels[v]] += degree[v]
    part = np.arange(n, dtype=np.int32)
    mass = degree.copy()
    alone = np.ones(n, np.bool_)
    bridge = np.zeros(n)  # weight from a part to the rest of its community
    for v in range(n):
        for e in range(indptr[v], indptr[v + 1]):
            if indices[e] != v and labels[indices[e]] == labels[v]:
                bridge[v] += weights[e]
    link = np.zeros(n)
    touched = np.empty(n, np.int32)
    odds = np.empty(n)
    for i in range(n):
        v = order[i]
        k = degree[v]
        around = whole[labels[v]]
        if not alone[v] or bridge[v] + slack < resolution * k * (around - k):
            continue
        touches = 0
        for e in range(indptr[v], indptr[v + 1]):
            u = indices[e]
            if u != v and labels[u] == labels[v]:
                c = part[u]
                if link[c] == 0.0:
                    touched[touches] = c
                    touches += 1
                link[c] += weights[e]
        # Candidates move to the front of `touched`; to stay alone gains 0.
        candidates = 0
        for j in range(touches):
            c = touched[j]
            gain = link[c] - resolution * k * mass[c]
            if gain >= 0.0 and bridge[c] + slack >= resolution * mass[c] * (around - mass[c]):
                touched[j], touched[candidates] = touched[candidates], c
                odds[candidates] = gain
                candidates += 1
        drawn = _drawn(odds[:candidates], TEMPERATURE * unit, state)
        if drawn >= 0:
            chosen = touched[drawn]
            part[v] = chosen
            alone[chosen] = False
            alone[v] = False
            mass[chosen] += k
            bridge[chosen] += bridge[v] - 2.0 * link[chosen]
        for j in range(touches):
            link[touched[j]] = 0.0
    return part


@kernel
def _drawn(odds: Floats, heat: float, state: State) -> int:
    """Draw a candidate with odds exp(gain / heat), or -1, which gains 0.

    `odds` comes with the gains and is overwritten.
    """
    if len(odds) == 0:
        return -1
    most = odds.max()
    never = most - 40.0 * heat  # odds below 1e-17
    stay = np.exp(-most / heat) if never < 0.0 else 0.0
    total = stay
    for j in range(len(odds)):
        if odds[j] > never:
            total += np.exp((odds[j] - most) / heat)
        odds[j] = total
    at = total * (np.float64(_next(state) >> np.uint64(11)) * 2.0**-53)
    if at < stay:
        return -1
    for j in range(len(odds)):
        if at < odds[j]:
            return j
    return len(odds) - 1


@kernel
def _aggregate(graph: Graph, part: Ints, parts: int) -> Graph:
    """Draw the graph of parts; weight inside a part becomes its self-loop."""
    indptr, indices, weights, degree = graph
    n = len(part)
    start = np.zeros(parts + 1, np.int64)
    for v in range(n):
        start[part[v] + 1] += 1
    for c in range(parts):
        start[c + 1] += start[c]
    fill = start[:-1].copy()
    members = np.empty(n, np.int32)
    for v in range(n):
        members[fill[part[v]]] = v
        fill[part[v]] += 1
    rows = np.zeros(parts + 1, np.int64)
    columns = np.empty(len(indices), np.int32)
    values = np.empty(len(indices))
    at = np.full(parts, -1, np.int64)  # where in the row being written a part stands
    end = 0
    for c in range(parts):
        begin = end
        for i in range(start[c], start[c + 1]):
            v = members[i]
            for e in range(indptr[v], indptr[v + 1]):
                d = part[indices[e]]
                if at[d] < begin:
                    at[d] = end
                    columns[end] = d
                    values[end] = weights[e]
                    end += 1
                else:
                    values[at[d]] += weights[e]
        rows[c + 1] = end
    sums = np.zeros(parts)
    for v in range(n):
        sums[part[v]] += degree[v]
    return rows, columns[:end].copy(), values[:end].copy(), sums


@kernel
def _compact(labels: Ints) -> int:
    """Renumber labels below n in place by first appearance; return how many there are."""
    number = np.full(len(labels), -1, np.int32)
    count = 0
    for v in range(len(labels)):
        if number[labels[v]] < 0:
            number[labels[v]] = count
            count += 1
        labels[v] = number[labels[v]]
    return count


@kernel
def _degrees(indptr: Longs, weights: Floats) -> Floats:
    degree = np.zeros(len(indptr) - 1)
    for v in range(len(degree)):
        for e in range(indptr[v], indptr[v + 1]):
            degree[v] += weights[e]
    return degree


@kernel
def _modularity(graph: Graph, labels: Ints, gamma: float) -> float:
    indptr, indices, weights, degree = graph
    n = len(degree)
    total = degree.sum()
    if total <= 0.0:
        return 0.0
    mass = np.zeros(labels.max() + 1)
    inside = 0.0
    for v in range(n):
        mass[labels[v]] += degree[v]
        for e in range(indptr[v], indptr[v + 1]):
            if labels[indices[e]] == labels[v]:
                inside += weights[e]
    squares = 0.0
    for c in range(len(mass)):
        squares += (mass[c] / total) ** 2
    return float(inside / total - gamma * squares)


@kernel
def _shuffled(n: int, state: State) -> Ints:
    """Put 0..n-1 in an order drawn from `state` (Fisher-Yates)."""
    order = np.arange(n, dtype=np.int32)
    for i in range(n - 1, 0, -1):
        j = np.int64(((_next(state) >> np.uint64(32)) * np.uint64(i + 1)) >> np.uint64(32))
        order[i], order[j] = order[j], order[i]
    return order


@kernel
def _next(state: State) -> np.uint64:
    """Draw 64 random bits (splitmix64; Steele, Lea, Flood 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.uint64(z ^ (z >> np.uint64(31)))
