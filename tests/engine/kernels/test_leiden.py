from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.csr import Csr, Floats, Ints
from engine.errors import UsageError
from engine.kernels.leiden import leiden, modularity

GAMMAS = [0.01, 0.5, 1.0, 4.0, 1000.0]


@st.composite
def graphs(draw: st.DrawFn) -> Csr:
    """Draw small weighted graphs: parallel edges, self-loops and isolated nodes among them."""
    n = draw(st.integers(1, 16))
    node = st.integers(0, n - 1)
    edges = draw(st.lists(st.tuples(node, node, st.sampled_from([0.5, 1.0, 3.0])), max_size=40))
    u, v, w = zip(*edges, strict=True) if edges else ((), (), ())
    return Csr.undirected(np.array(u, np.int32), np.array(v, np.int32), np.array(w), n)


def ring(cliques: int, size: int) -> Csr:
    """Cliques in a ring, neighbours joined by one edge."""
    start = np.arange(cliques) * size
    a, b = np.triu_indices(size, 1)
    u = np.concatenate(((start[:, None] + a).ravel(), start))
    v = np.concatenate(((start[:, None] + b).ravel(), (start + size + 1) % (cliques * size)))
    return Csr.undirected(u, v, np.ones(len(u)), cliques * size)


def noise(seed: int = 3, n: int = 3000, edges: int = 12_000) -> Csr:
    """A graph without structure, on which seeds differ."""
    ends = np.random.default_rng(seed).integers(0, n, (2, edges))
    return Csr.undirected(ends[0], ends[1], np.ones(edges), n)


def as_networkx(graph: Csr) -> nx.Graph[int]:
    out: nx.Graph[int] = nx.Graph()
    out.add_nodes_from(range(graph.n))
    u, v, _ = graph.pairs()
    out.add_edges_from(zip(u.tolist(), v.tolist(), strict=True))
    return out


@given(graphs(), st.sampled_from(GAMMAS), st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_labels_are_connected_and_numbered_by_falling_size(
    graph: Csr, gamma: float, seed: int
) -> None:
    labels = leiden(graph, gamma, seed)
    assert labels.dtype == np.int32
    members = [np.flatnonzero(labels == c).tolist() for c in range(labels.max() + 1)]
    whole = as_networkx(graph)
    assert all(nx.is_connected(whole.subgraph(group)) for group in members)
    assert members == sorted(members, key=lambda group: (-len(group), group[0]))


@given(graphs(), st.sampled_from(GAMMAS))
@settings(max_examples=80, deadline=None)
def test_no_node_gains_by_moving(graph: Csr, gamma: float) -> None:
    labels = leiden(graph, gamma)
    found = modularity(graph, labels, gamma)
    for v in range(graph.n):
        for c in range(labels.max() + 2):  # the last one is a new community
            moved = labels.copy()
            moved[v] = c
            assert modularity(graph, moved, gamma) <= found + 1e-6 * max(gamma, 1.0)


@given(graphs(), st.sampled_from(GAMMAS), st.sampled_from([2.0, 0.25]))
@settings(max_examples=50, deadline=None)
def test_the_scale_of_weights_does_not_matter(graph: Csr, gamma: float, scale: float) -> None:
    scaled = Csr(graph.indptr, graph.indices, graph.weights * scale)
    assert leiden(scaled, gamma).tolist() == leiden(graph, gamma).tolist()


@given(graphs(), st.integers(0, 999))
@settings(max_examples=50, deadline=None)
def test_names_of_nodes_do_not_matter(graph: Csr, seed: int) -> None:
    rename = np.random.default_rng(seed).permutation(graph.n)
    u, v, w = graph.pairs()
    plain = Csr.undirected(u, v, w, graph.n)
    renamed = Csr.undirected(rename[u], rename[v], w, graph.n)
    assert modularity(renamed, leiden(renamed)) == pytest.approx(
        modularity(plain, leiden(plain)), abs=0.02
    )


@given(graphs(), st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_isolated_nodes_are_alone_and_change_no_figure(graph: Csr, more: int) -> None:
    last = np.full(more, graph.indptr[-1])
    wider = Csr(np.concatenate((graph.indptr, last)), graph.indices, graph.weights)
    labels = leiden(wider)
    assert all(np.sum(labels == c) == 1 for c in labels[graph.n :])
    assert modularity(wider, labels) == pytest.approx(modularity(graph, leiden(graph)), abs=0.02)


def test_ring_of_cliques() -> None:
    graph = ring(8, 6)
    expected = np.repeat(np.arange(8), 6).tolist()
    assert [leiden(graph, seed=seed).tolist() for seed in range(5)] == [expected] * 5
    assert leiden(graph, gamma=1e-4).tolist() == [0] * 48
    assert leiden(graph, gamma=1e4).tolist() == list(range(48))


def test_a_resolution_limit_is_overcome_by_gamma() -> None:
    """30 cliques of 5 in a ring are joined in pairs at gamma 1 (Fortunato, Barthélemy 2007)."""
    graph = ring(30, 5)
    apart = np.repeat(np.arange(30), 5).tolist()
    assert leiden(graph, gamma=2.0).tolist() == apart
    assert modularity(graph, leiden(graph)) > modularity(graph, np.array(apart, np.int32))


def test_weights_decide() -> None:
    u, v = [0, 1, 2, 3], [1, 2, 3, 0]
    assert leiden(Csr.undirected(u, v, [5.0, 1.0, 5.0, 1.0], 4)).tolist() == [0, 0, 1, 1]
    assert leiden(Csr.undirected(u, v, [1.0, 5.0, 1.0, 5.0], 4)).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("n", [0, 1, 5])
def test_without_edges_everyone_is_alone(n: int) -> None:
    none = Csr.undirected(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0), n)
    assert leiden(none).tolist() == list(range(n))
    assert leiden(none, initial=np.zeros(n, np.int32)).tolist() == list(range(n))
    assert modularity(none, np.arange(n, dtype=np.int32)) == 0.0


def test_same_bytes_whatever_the_threads_and_the_order_of_edges() -> None:
    graph = noise()
    u, v, w = graph.pairs()
    shuffle = np.random.default_rng(0).permutation(len(u))
    again = Csr.undirected(v[shuffle], u[shuffle], w[shuffle], graph.n)
    plain = Csr.undirected(u, v, w, graph.n)
    alone = [leiden(plain, seed=seed).tobytes() for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = pool.map(lambda seed: leiden(again, seed=seed).tobytes(), range(4))
    assert list(together) == alone
    assert len(set(alone)) == 4


def test_initial_labels_are_improved_on() -> None:
    graph = noise()
    first = leiden(graph, seed=1)
    later = leiden(graph, seed=2, initial=first * 7 - 3)
    assert modularity(graph, later) >= modularity(graph, first)
    apart = ring(8, 6)
    assert leiden(apart, initial=np.zeros(48, np.int32)).tolist() == leiden(apart).tolist()


def test_arguments_stay_as_they_are() -> None:
    graph = ring(4, 4)
    initial = np.arange(16, dtype=np.int32)
    frozen: tuple[Ints | Floats, ...] = (graph.indices, graph.weights, initial)
    before = [array.copy() for array in frozen]
    for array in frozen:
        array.flags.writeable = False
    assert leiden(graph, initial=initial).max() == 3
    assert all((a == b).all() for a, b in zip(frozen, before, strict=True))


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(UsageError, match="an edge of weight -1"):
        leiden(Csr.undirected([0], [1], [-1.0], 2))
    with pytest.raises(UsageError, match="3 labels"):
        leiden(ring(3, 3), initial=np.zeros(3, np.int32))
