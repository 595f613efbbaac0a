"""Layouts: what belongs together lies together, nothing overlaps, the same bytes every time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from engine.csr import Csr, Floats, Ints
from viz import forces, layout


def planted(groups: int, size: int, seed: int = 1) -> tuple[Csr, Ints]:
    """Groups with ten ties a node inside and one outside."""
    rng = np.random.default_rng(seed)
    n = groups * size
    label = np.repeat(np.arange(groups, dtype=np.int32), size)
    u = np.repeat(np.arange(n), 11)
    v = rng.integers(size, size=n * 11) + label[u] * size
    v[::11] = rng.integers(n, size=n)
    keep = u != v
    return Csr.undirected(u[keep], v[keep], np.ones(keep.sum()), n), label


def test_groups_lie_together() -> None:
    graph, label = planted(5, 40)
    xy = layout.force(graph)
    distance = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    near = np.argsort(distance, axis=1)[:, :10]
    assert (label[near] == label[:, None]).mean() > 0.95


def test_positions_fill_the_canvas_and_stay_inside() -> None:
    graph, _ = planted(4, 30)
    xy = layout.force(graph, margin=40.0)
    extent = np.ptp(xy, axis=0)
    room = np.array([layout.WIDTH, layout.HEIGHT]) - 80
    assert (extent <= room + 1e-6).all()
    assert (extent >= 0.99 * room).any()
    assert np.allclose(xy.min(axis=0) + xy.max(axis=0), 0)


def test_the_same_graph_gives_the_same_bytes() -> None:
    graph, _ = planted(3, 30)
    assert layout.force(graph).tobytes() == layout.force(graph).tobytes()
    assert layout.force(graph, seed=1).tobytes() != layout.force(graph, seed=2).tobytes()


@pytest.mark.parametrize("n", [0, 1, 2, 50])
def test_graphs_without_ties_have_finite_positions(n: int) -> None:
    empty = np.array([], np.int32)
    xy = layout.force(Csr.undirected(empty, empty, np.array([]), n))
    assert xy.shape == (n, 2)
    assert np.isfinite(xy).all()


def test_the_quadtree_repels_as_all_pairs_do() -> None:
    rng = np.random.default_rng(7)
    n = 300
    xy = rng.normal(size=(n, 2)) * 100
    mass = rng.integers(1, 9, size=n).astype(np.float64)
    most = 8 * n + 64
    tree = (
        np.empty((most, 4), np.int32),
        np.empty((most, 3)),
        np.empty((most, 3)),
        np.empty(most, np.int32),
    )
    forces._build(xy, mass, tree)
    stack = np.empty(4 * 40 + 64, np.int32)
    approximate = np.array([forces._push(i, xy, mass, tree, stack) for i in range(n)])
    away = xy[:, None] - xy[None]
    square = (away**2).sum(axis=2)
    np.fill_diagonal(square, np.inf)
    strength = 2.0 * mass[:, None] * mass[None] / square
    exact = (strength[:, :, None] * away).sum(axis=1)
    error = np.linalg.norm(approximate - exact, axis=1) / np.linalg.norm(exact, axis=1)
    assert np.median(error) < 0.02
    # The root holds everything.
    assert tree[2][0, 2] == pytest.approx(mass.sum())
    assert np.allclose(tree[2][0, :2] / mass.sum(), (mass[:, None] * xy).sum(axis=0) / mass.sum())


def test_coincident_points_come_apart() -> None:
    xy = np.zeros((20, 2))
    pairs = np.arange(19)
    graph = Csr.undirected(pairs, pairs + 1, np.ones(19), 20)
    forces.relax(xy, (graph.indptr, graph.indices, graph.weights), 200)
    distance = np.linalg.norm(xy[:, None] - xy[None], axis=2) + np.eye(20)
    assert distance.min() > 1e-3


def test_separated_circles_do_not_overlap() -> None:
    rng = np.random.default_rng(3)
    xy, radius = rng.normal(size=(60, 2)) * 60, rng.uniform(3, 25, size=60)
    apart = layout.separate(xy, radius, gap=4.0, sweeps=2_000)
    distance = np.linalg.norm(apart[:, None] - apart[None], axis=2)
    need = radius[:, None] + radius[None] + 4.0
    np.fill_diagonal(distance, np.inf)
    assert (distance >= need - 1e-3).all()


def wedges(parent: Ints, xy: Floats) -> list[tuple[float, float]]:
    """Angles between which each node's leaves lie, as fractions of a turn, the canvas undone."""
    room = np.array([layout.WIDTH, layout.HEIGHT]) / 2 - 40
    turn = (np.arctan2(*(xy / room).T[::-1]) / (2 * np.pi) + 0.25) % 1.0
    inner = np.isin(np.arange(len(parent)), parent[1:])
    span = [(1.0, 0.0)] * len(parent)
    for i in range(len(parent) - 1, -1, -1):
        low, high = span[i] if inner[i] else (float(turn[i]), float(turn[i]))
        span[i] = (low, high)
        p = int(parent[i])
        if p >= 0:
            span[p] = (min(span[p][0], low), max(span[p][1], high))
    return span


@pytest.mark.parametrize("seed", range(5))
def test_branches_of_a_cascade_never_cross(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parent = np.array([-1, *(rng.integers(i) for i in range(1, 80))], np.int32)
    tree = layout.rings(parent, np.arange(80, dtype=np.int32), strangers=6)
    span = wedges(parent, tree.xy)
    for p in range(80):
        children = sorted(span[i] for i in range(1, 80) if parent[i] == p)
        for (_, end), (start, _) in pairwise(children):
            assert end < start
    # A node lies on the ring of its depth; strangers outside all others.
    depth = np.zeros(80, int)
    for i in range(1, 80):
        depth[i] = depth[parent[i]] + 1
    reach = np.array([0.0, *(wide for wide, _ in tree.circles)])
    room = np.array([layout.WIDTH, layout.HEIGHT]) / 2 - 40
    assert np.allclose(np.linalg.norm(tree.xy / room, axis=1), reach[depth] / room[0])
    assert np.allclose(np.linalg.norm(tree.outside / room, axis=1), 1.0)
    assert len(tree.circles) == depth.max() + 1


def test_a_lone_root_needs_no_ring() -> None:
    tree = layout.rings(np.array([-1], np.int32), np.array([0], np.int32))
    assert (tree.xy.tolist(), tree.circles) == ([[0.0, 0.0]], ())


def test_lanes_keep_groups_apart_and_time_in_order() -> None:
    position = np.linspace(0, 1, 30)
    lane = (np.arange(30) % 3).astype(np.int32)
    xy = layout.lanes(position, lane, 3)
    assert (np.diff(xy[:, 0]) > 0).all()
    bounds = [(xy[lane == k, 1].min(), xy[lane == k, 1].max()) for k in range(3)]
    assert bounds[0][1] < bounds[1][0]
    assert bounds[1][1] < bounds[2][0]
