"""algorithms: whoever computes, the ranks are networkx's and the communities as good as igraph's.

Exact: components, degrees. Tolerance: authority, 1e-6. Up to relabelling: planted communities
are recovered, and on other graphs modularity is no more than half a percent worse.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping
from typing import Final

import igraph
import networkx as nx
import numpy as np
import pytest

from engine.algorithms import Algorithms
from engine.csr import Csr, Ints
from engine.params import Engine
from engine.partition import UNASSIGNED
from tests.conformance.shelf import Stock

DAMPING: Final = 0.85
TOLERANCE: Final = 1e-9
GROUPS: Final = 4
SIZE: Final = 25


def directed(pairs: list[tuple[int, int]], n: int) -> Csr:
    source, target = zip(*pairs, strict=True) if pairs else ((), ())
    return Csr.directed(source, target, np.ones(len(pairs)), n)


def undirected(graph: nx.Graph[int], alone: int = 0) -> Csr:
    u, v = zip(*graph.edges, strict=True)
    return Csr.undirected(u, v, np.ones(len(u)), len(graph) + alone)


def random_pairs() -> list[tuple[int, int]]:
    """Three hundred acts among sixty, to a few of them much more than to others."""
    draw = np.random.default_rng(11)
    source, target = draw.integers(0, 60, 300), (60 * draw.random(300) ** 3).astype(int)
    return [(int(a), int(b)) for a, b in zip(source, target, strict=True) if a != b]


ACTS: Final[Mapping[str, Csr]] = {
    "one user": directed([], 1),
    "self": directed([(0, 0)], 2),
    "parallel": Csr.directed([1, 1, 2], [0, 0, 0], [1.0, 2.5, 1.0], 3),
    "star": directed([(i, 0) for i in range(1, 7)], 7),
    "chain": directed([(i + 1, i) for i in range(5)], 6),
    "reciprocal pair": directed([(0, 1), (1, 0), (2, 0)], 3),
    "two apart": directed([(0, 1), (1, 2), (3, 4), (4, 3)], 6),
    "acts among sixty": directed(random_pairs(), 60),
}
"""Who acts towards whom."""
PLANTED = nx.planted_partition_graph(GROUPS, SIZE, 0.4, 0.01, seed=5)
TIED: Final[Mapping[str, Csr]] = {
    "karate club": undirected(nx.karate_club_graph()),
    "planted": undirected(PLANTED),
    "planted and two alone": undirected(PLANTED, alone=2),
    "caves": undirected(nx.connected_caveman_graph(6, 8)),
    "no structure": undirected(nx.gnp_random_graph(80, 0.08, seed=2)),
}
"""Who is tied to whom."""


@pytest.fixture(params=["local", "gds"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Who computes."""
    name: Engine = request.param
    return name


@pytest.fixture
def computing(stock: Stock, engine: Engine) -> Callable[[], Algorithms]:
    """Return who computes for a store; asked for inside the test, which may be a gap."""
    return lambda: stock.store.algorithms(engine)


def as_networkx(graph: Csr) -> nx.DiGraph[int]:
    """The same graph, edge by edge."""
    made: nx.DiGraph[int] = nx.DiGraph()
    made.add_nodes_from(range(graph.n))
    rows = np.repeat(np.arange(graph.n), np.diff(graph.indptr))
    for a, b, w in zip(rows.tolist(), graph.indices.tolist(), graph.weights.tolist(), strict=True):
        made.add_edge(a, b, weight=w)
    return made


def ranked(graph: nx.DiGraph[int], restart: dict[int, float] | None = None) -> list[float]:
    found = nx.pagerank(
        graph, DAMPING, personalization=restart, dangling=restart, tol=1e-13, max_iter=2000
    )
    return [found[node] for node in range(len(graph))]


def test_who_computes_says_so(computing: Callable[[], Algorithms], engine: Engine) -> None:
    assert computing().engine == engine


def test_degrees(computing: Callable[[], Algorithms]) -> None:
    algorithms = computing()
    for name, graph in ACTS.items():
        said = as_networkx(graph).out_degree(weight="weight")
        assert algorithms.degrees(graph).tolist() == [d for _, d in said], name


def test_components(computing: Callable[[], Algorithms]) -> None:
    algorithms = computing()
    for name, graph in ACTS.items():
        found = algorithms.components(graph).tolist()
        parts = sorted(nx.weakly_connected_components(as_networkx(graph)), key=min)
        number = {node: i for i, part in enumerate(parts) for node in part}
        assert found == [number[node] for node in range(graph.n)], name


NOBODY: Final = -1
"""The label of who belongs nowhere."""


def test_authority(computing: Callable[[], Algorithms]) -> None:
    algorithms = computing()
    for name, graph in ACTS.items():
        nowhere = np.full(graph.n, NOBODY, np.int32)
        found, inside = algorithms.pagerank(graph, nowhere, DAMPING, TOLERANCE)
        assert found.sum() == pytest.approx(1, abs=1e-9), name
        assert found == pytest.approx(ranked(as_networkx(graph)), abs=1e-6), name
        assert not inside.any(), name


def test_authority_inside_a_community(computing: Callable[[], Algorithms]) -> None:
    algorithms = computing()
    graph = ACTS["acts among sixty"]
    labels = np.where(np.arange(graph.n) > 50, NOBODY, np.arange(graph.n) % 2).astype(np.int32)
    _, found = algorithms.pagerank(graph, labels, DAMPING, TOLERANCE)
    assert not found[labels == NOBODY].any()
    for label in range(2):
        members = np.flatnonzero(labels == label)
        restart = dict.fromkeys(members.tolist(), 1.0)
        said = np.array(ranked(as_networkx(graph), restart))
        assert found[members] == pytest.approx(said[members], abs=1e-6)


def modularity(graph: Csr, labels: Ints) -> float:
    u, v, w = graph.pairs()
    made = igraph.Graph(n=graph.n, edges=np.column_stack((u, v)).tolist())
    alone = graph.n + np.arange(graph.n)
    return float(made.modularity(np.where(labels >= 0, labels, alone).tolist(), weights=w.tolist()))


def usual(graph: Csr) -> float:
    """Modularity that igraph's Leiden finds at its default effort, the median of 51 runs."""
    u, v, _ = graph.pairs()
    made = igraph.Graph(n=graph.n, edges=np.column_stack((u, v)).tolist())
    igraph.set_random_number_generator(random.Random(1))  # noqa: S311 - the same each time
    runs = (made.community_leiden(objective_function="modularity") for _ in range(51))
    return statistics.median(float(made.modularity(found.membership)) for found in runs)


def communities(algorithms: Algorithms, *graphs: Csr) -> list[Ints]:
    makers = [lambda graph=graph: graph for graph in graphs]
    return list(algorithms.communities(makers, 1.0, 1))


def test_communities(computing: Callable[[], Algorithms]) -> None:
    algorithms = computing()
    found = {name: communities(algorithms, graph)[0] for name, graph in TIED.items()}
    for name, labels in found.items():
        graph = TIED[name]
        assert labels.tolist() == communities(algorithms, graph)[0].tolist(), name
        assert ((labels == UNASSIGNED) == (np.diff(graph.indptr) == 0)).all(), name
        size = np.bincount(labels[labels >= 0])
        assert (np.diff(size) <= 0).all(), name
        for label in range(len(size)):
            part = as_networkx(graph).subgraph(np.flatnonzero(labels == label).tolist())
            assert nx.is_weakly_connected(part), name
        assert modularity(graph, labels) >= 0.995 * usual(graph), name
    planted = (np.arange(GROUPS * SIZE) // SIZE).tolist()
    for name in ("planted", "planted and two alone"):
        labels = found[name][: GROUPS * SIZE].tolist()
        assert igraph.compare_communities(planted, labels, method="adjusted_rand") == 1, name


def test_what_changes_nothing(computing: Callable[[], Algorithms]) -> None:
    """Doubled weights and a bystander move nobody."""
    algorithms = computing()
    acts, ties = ACTS["acts among sixty"], TIED["planted"]
    heavier = Csr(acts.indptr, acts.indices, 2 * acts.weights)
    labels = (np.arange(acts.n) % 3).astype(np.int32)
    for found, again in zip(
        algorithms.pagerank(acts, labels, DAMPING, TOLERANCE),
        algorithms.pagerank(heavier, labels, DAMPING, TOLERANCE),
        strict=True,
    ):
        assert again == pytest.approx(found, abs=1e-7)
    double = Csr(ties.indptr, ties.indices, 2 * ties.weights)
    once, twice = communities(algorithms, ties, double)
    (more,) = communities(algorithms, TIED["planted and two alone"])
    assert once.tolist() == twice.tolist() == more[:-2].tolist()
