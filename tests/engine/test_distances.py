"""Distances along follows against networkx."""

from __future__ import annotations

from collections import Counter
from typing import Any

import networkx as nx
import numpy as np
import pytest

from engine.audiences import Pairs
from engine.distances import Distances, Separation, distances


def followers(graph: Any) -> Pairs:
    """Edges lead from who is followed to who follows."""
    edges = np.array(sorted(graph.edges), np.int64).reshape(-1, 2)
    return Pairs.of(edges[:, 0], edges[:, 1], len(graph), len(graph))


def each(graph: Any) -> Pairs:
    return Pairs.of(np.arange(len(graph)), np.arange(len(graph)), len(graph), len(graph))


def measured(graph: Any, exact_edges: int = 10**9) -> tuple[Distances, Separation]:
    (found,), whole = distances(followers(graph), [each(graph)], exact_edges=exact_edges)
    return found, whole


def by_networkx(graph: Any) -> tuple[np.ndarray, np.ndarray, Counter[int]]:
    """Return mean steps and the part of people within six, of each, and pairs by distance."""
    there = sum(1 for v in graph if graph.degree(v))
    mean, near = np.full(len(graph), np.nan), np.full(len(graph), np.nan)
    pairs: Counter[int] = Counter()
    for v, steps in nx.all_pairs_shortest_path_length(graph):
        reached = [step for u, step in steps.items() if u != v]
        pairs.update(reached)
        if graph.degree(v):
            near[v] = sum(step <= 6 for step in reached) / (there - 1)
            mean[v] = np.mean(reached) if reached else np.nan
    return mean, near, pairs


def diameter(pairs: Counter[int]) -> float:
    """Return where 90 % of the pairs are, between whole steps by line."""
    wanted, below = 0.9 * pairs.total(), 0
    for step in sorted(pairs):
        if below + pairs[step] >= wanted:
            return step - 1 + (wanted - below) / pairs[step]
        below += pairs[step]
    raise AssertionError


GRAPHS = {
    "sparse": nx.gnm_random_graph(400, 900, seed=1, directed=True),
    "dense": nx.gnm_random_graph(150, 4_000, seed=2, directed=True),
    "hubs": nx.DiGraph(nx.scale_free_graph(500, seed=3)),
    "line": nx.path_graph(40, create_using=nx.DiGraph),
    "one": nx.DiGraph([(0, 1)]),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_walks_are_those_of_networkx(name: str) -> None:
    graph = GRAPHS[name]
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    found, whole = measured(graph)
    mean, near, pairs = by_networkx(graph)
    np.testing.assert_allclose(found.mean, mean)
    np.testing.assert_allclose(found.within_six, near)
    average = sum(step * count for step, count in pairs.items()) / pairs.total()
    assert whole.mean == whole.mean_low == whole.mean_high == pytest.approx(average)
    assert whole.diameter == pytest.approx(diameter(pairs))
    assert whole.precision is None


@pytest.mark.parametrize("name", ["sparse", "dense", "hubs"])
def test_estimates_are_near(name: str) -> None:
    found, _ = measured(GRAPHS[name])
    rough, whole = measured(GRAPHS[name], exact_edges=0)
    assert whole.precision == 8
    known = ~np.isnan(found.mean)
    assert np.isnan(rough.mean).tolist() == (~known).tolist()
    # Errors of the counts at each step go together: a mean of steps errs less than a count.
    error = rough.mean[known] / found.mean[known] - 1
    assert (np.abs(error) <= 3 * 0.065).mean() >= 0.99
    near = rough.within_six - found.within_six
    assert (np.abs(near[~np.isnan(near)]) <= 3 * 0.065).mean() >= 0.99


def test_intervals_hold() -> None:
    inside = np.zeros(2)
    for seed in range(30):
        graph = nx.gnm_random_graph(300, 1_200, seed=seed, directed=True)
        # Other numbers for the same people: other hashes.
        graph = nx.relabel_nodes(graph, {v: v + 1_000 * seed for v in graph})
        graph.add_nodes_from(range(1_000 * seed))
        _, exact = measured(graph)
        _, rough = measured(graph, exact_edges=0)
        inside += (
            rough.mean_low <= exact.mean <= rough.mean_high,
            rough.diameter_low <= exact.diameter <= rough.diameter_high,
        )
    assert (inside >= 30 * 0.75).all(), inside


def test_accounts_of_a_source_start_together() -> None:
    graph = nx.path_graph(10, create_using=nx.DiGraph)
    accounts = Pairs.of(np.array([0, 0, 1]), np.array([0, 5, 9]), 3, 10)
    for exact_edges, tolerance in ((100, 1e-12), (0, 0.15)):
        (found,), _ = distances(followers(graph), [accounts], exact_edges=exact_edges)
        # From 0 and 5 at once: 1..4 and 6..9 are 1, 2, 3, 4 steps away, twice.
        assert found.mean[0] == pytest.approx(2.5, rel=tolerance)
        assert found.within_six[0] == pytest.approx(1.0, rel=tolerance)
        assert np.isnan(found.mean[1:]).all()
        assert found.within_six[1] == 0.0
        assert np.isnan(found.within_six[2])


def test_kinds_keep_apart() -> None:
    graph = GRAPHS["sparse"]
    brands = Pairs.of(np.array([0, 0, 1]), np.array([3, 4, 7]), 2, len(graph))
    for exact_edges in (10**9, 0):
        (users, few), _ = distances(
            followers(graph), [each(graph), brands], exact_edges=exact_edges
        )
        (alone,), _ = distances(followers(graph), [brands], exact_edges=exact_edges)
        assert few.mean.tolist() == alone.mean.tolist()
        assert users.mean[7] == few.mean[1]
