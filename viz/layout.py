"""Where to draw things: a force layout for ties, rings for cascades, lanes for unknown parents.

Positions are deterministic by seed and normalised to a canvas of `WIDTH` x `HEIGHT`
units around the origin (y grows downwards, as on a screen), so that sizes in pixels
mean what they say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.csr import Csr, Floats, Ints
from viz.forces import part, relax

__all__ = ["HEIGHT", "WIDTH", "Rings", "fitted", "force", "lanes", "rings", "separate"]

WIDTH: Final = 1120.0
HEIGHT: Final = 640.0


def force(graph: Csr, *, seed: int = 1, iterations: int = 400, margin: float = 40.0) -> Floats:
    """Lay out an undirected graph so that tightly tied nodes lie together.

    Repulsion between all pairs by mass (degree + 1) over distance, attraction along ties by
    the logarithm of distance (LinLog, which pulls communities apart), gravity to the
    middle, and ForceAtlas2's adaptive speed; distant nodes are summed by a Barnes-Hut
    quadtree. The long axis is turned to lie flat.

    Parameters
    ----------
    graph
        Undirected; weights are taken relative to their mean.
    margin
        Units kept free on each side of the canvas.

    Returns
    -------
    Floats
        float64[n, 2]. O(iterations · (n log n + ties)).

    References
    ----------
    Jacomy et al. (2014), ForceAtlas2, PLoS ONE 9(6); Noack (2009), Modularity clustering is
    force-directed layout, Phys. Rev. E 79; Barnes and Hut (1986), Nature 324.

    Examples
    --------
    Two triangles joined by one tie come out as two triangles:

    >>> import numpy as np
    >>> u, v = np.array([0, 1, 2, 3, 4, 5, 2]), np.array([1, 2, 0, 4, 5, 3, 3])
    >>> xy = force(Csr.undirected(u, v, np.ones(7), 6))
    >>> left = xy[:, 0] < 0
    >>> sorted([left[:3].tolist(), left[3:].tolist()])
    [[False, False, False], [True, True, True]]
    """
    n = graph.n
    if n == 0:
        return np.empty((0, 2))
    angle = np.arange(n) * math.pi * (3 - math.sqrt(5))
    start = np.sqrt(np.arange(n) + 0.5)[:, None] * np.c_[np.cos(angle), np.sin(angle)]
    xy = start[np.random.default_rng(seed).permutation(n)] * 10
    weights = graph.weights / graph.weights.mean() if len(graph.weights) else graph.weights
    relax(xy, (graph.indptr, graph.indices, weights), iterations)
    return _fit(_gathered(_flat(xy)), margin)


def _flat(xy: Floats) -> Floats:
    """Turn the long axis to lie flat; the sign of each axis is fixed by its heavier tail."""
    xy = xy - xy.mean(axis=0)
    if len(xy) < 3:
        return xy
    _, axes = np.linalg.eigh(xy.T @ xy)
    turned: Floats = xy @ axes[:, ::-1]
    skew = (turned**3).sum(axis=0)
    turned *= np.where(skew < 0, -1.0, 1.0)
    return turned


def _gathered(xy: Floats) -> Floats:
    """Draw in the few that lie far out: they would press all others into a corner."""
    far = np.hypot(xy[:, 0], xy[:, 1])
    edge = 1.1 * float(np.quantile(far, 0.95))
    drawn = np.where(far > edge, edge + 0.2 * (far - edge), far)
    gathered: Floats = xy * (drawn / np.maximum(far, 1e-12))[:, None]
    return gathered


def _fit(xy: Floats, margin: float) -> Floats:
    """Scale evenly into the canvas and centre."""
    low, high = xy.min(axis=0), xy.max(axis=0)
    room = np.array([WIDTH, HEIGHT]) - 2 * margin
    extent = np.maximum(high - low, 1e-9)
    # Up to a third more along one axis: a square picture leaves half of a wide canvas empty.
    scale = room / extent
    scale = np.minimum(scale, scale.min() * 1.33)
    if len(xy) == 1:
        scale = np.zeros(2)
    fitted: Floats = (xy - (low + high) / 2) * scale
    return fitted


def separate(xy: Floats, radius: Floats, *, gap: float = 6.0, sweeps: int = 200) -> Floats:
    """Push circles apart until none overlaps, moving them as little as it takes.

    Returns float64[n, 2], a new array. O(sweeps · n²): for hundreds of circles.

    Examples
    --------
    >>> import numpy as np
    >>> separate(np.array([[0.0, 0.0], [4.0, 0.0]]), np.array([5.0, 5.0]), gap=2.0).round(3)
    array([[-4.,  0.],
           [ 8.,  0.]])
    """
    apart = np.array(xy, np.float64)
    part(apart, np.asarray(radius, np.float64), gap, sweeps)
    return apart


def fitted(
    xy: Floats, radius: Floats, *, below: float = 22.0, margin: float = 16.0
) -> tuple[Floats, Floats]:
    """Move and, if need be, shrink circles so that all of them and names below them fit.

    Examples
    --------
    >>> import numpy as np
    >>> xy, radius = fitted(np.array([[0.0, 0.0], [100.0, 0.0]]), np.array([10.0, 10.0]))
    >>> xy.tolist(), radius.tolist()
    ([[-50.0, -11.0], [50.0, -11.0]], [10.0, 10.0])
    """
    if len(xy) == 0:
        return xy, radius
    low = (xy - radius[:, None]).min(axis=0)
    high = (xy + radius[:, None]).max(axis=0) + np.array([0.0, below])
    room = np.array([WIDTH, HEIGHT]) - 2 * margin
    scale = min(1.0, float((room / np.maximum(high - low, 1e-9)).min()))
    return (xy - (low + high) / 2) * scale, radius * scale


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """A tree on rings: where its nodes are, where strangers to it are, and the rings' half axes."""

    xy: Floats
    outside: Floats
    circles: tuple[tuple[float, float], ...]


def rings(parent: Ints, order: Ints, *, strangers: int = 0, margin: float = 40.0) -> Rings:
    """Lay out a tree on rings: the root in the middle, ring = depth, a wedge for each branch.

    Parameters
    ----------
    parent
        int32[n], -1 for the root; a parent stands before its children.
    order
        Rank among siblings, such as the order in time.
    strangers
        Nodes that belong to no branch: they get a ring of their own, outside all others.

    Notes
    -----
    A branch gets an angle in proportion to its leaves, so no two branches cross. Rings are
    ellipses, as wide as the canvas. O(n log n).

    Examples
    --------
    >>> import numpy as np
    >>> tree = rings(np.array([-1, 0, 0], np.int32), np.array([0, 1, 2], np.int32))
    >>> tree.xy.round().tolist()
    [[0.0, 0.0], [520.0, 0.0], [-520.0, 0.0]]
    """
    n = len(parent)
    depth = np.zeros(n, np.int64)
    for i in range(1, n):
        depth[i] = depth[parent[i]] + 1
    inner = np.zeros(n, bool)
    inner[parent[1:]] = True
    leaves = np.where(inner, 0.0, 1.0)
    for i in range(n - 1, 0, -1):
        leaves[parent[i]] += leaves[i]
    start = np.zeros(n)
    used = np.zeros(n)
    for i in sorted(range(1, n), key=lambda i: (depth[i], order[i])):
        start[i] = start[parent[i]] + used[parent[i]]
        used[parent[i]] += leaves[i]
    angle = 2 * math.pi * (start + leaves / 2) / max(leaves[0], 1.0) - math.pi / 2
    on_ring = np.bincount(depth)[1:].astype(np.float64)
    if strangers:
        on_ring = np.append(on_ring, strangers)
    if len(on_ring) == 0:
        return Rings(np.zeros((n, 2)), np.empty((0, 2)), ())
    # Crowded rings get more room than the long thin end of a chain.
    reach = np.cumsum(np.sqrt(on_ring) + 0.35 * np.sqrt(on_ring.max()))
    reach = np.concatenate(([0.0], reach / reach[-1]))
    room = np.array([WIDTH, HEIGHT]) / 2 - margin
    xy = reach[depth][:, None] * np.c_[np.cos(angle), np.sin(angle)] * room
    turn = 2 * math.pi * np.arange(strangers) / max(strangers, 1) - math.pi / 2
    circles = tuple((float(room[0] * r), float(room[1] * r)) for r in reach[1:])
    return Rings(xy, np.c_[np.cos(turn), np.sin(turn)] * room, circles)


def lanes(position: Floats, lane: Ints, lane_count: int, *, margin: float = 40.0) -> Floats:
    """Lay out points by position (0 left, 1 right), one lane a group, spread within the lane.

    Examples
    --------
    >>> import numpy as np
    >>> lanes(np.array([0.0, 1.0]), np.array([0, 1], np.int32), 2, margin=20.0).round()
    array([[-540., -150.],
           [ 540.,  150.]])
    """
    tall = (HEIGHT - 2 * margin) / max(lane_count, 1)
    # A low-discrepancy spread keeps neighbours in time apart without chance.
    seen = np.zeros(len(lane))
    for k in range(lane_count):
        inside = lane == k
        seen[inside] = np.arange(inside.sum())
    spread = ((seen + 1) * (math.sqrt(5) - 1) / 2 + 0.5 * (math.sqrt(5) - 1)) % 1.0 - 0.5
    single = np.bincount(lane, minlength=lane_count)[lane] == 1
    spread[single] = 0.0
    x = (position - 0.5) * (WIDTH - 2 * margin)
    y = -HEIGHT / 2 + margin + (lane + 0.5 + 0.72 * spread) * tall
    xy: Floats = np.c_[x, y]
    return xy
