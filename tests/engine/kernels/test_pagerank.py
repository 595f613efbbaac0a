from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.csr import Csr, Floats
from engine.errors import UsageError
from engine.kernels.pagerank import pagerank, pagerank_by_label


@st.composite
def graphs(draw: st.DrawFn) -> Csr:
    """Draw small directed graphs: self-loops, dangling and isolated nodes, chains, cycles."""
    n = draw(st.integers(1, 14))
    node = st.integers(0, n - 1)
    edges = draw(st.lists(st.tuples(node, node, st.sampled_from([0.5, 1.0, 7.0])), max_size=30))
    u, v, w = zip(*edges, strict=True) if edges else ((), (), ())
    return Csr.directed(np.array(u, np.int32), np.array(v, np.int32), np.array(w), n)


def step(graph: Csr, damping: float, restart: Floats) -> Floats:
    """Write one step of the walk as a dense matrix, by the book."""
    out = graph.degrees
    matrix = np.zeros((graph.n, graph.n))
    for u in range(graph.n):
        for e in range(graph.indptr[u], graph.indptr[u + 1]):
            matrix[graph.indices[e], u] = damping * graph.weights[e] / out[u]
        if out[u] == 0:
            matrix[:, u] = damping * restart
    return matrix + (1 - damping) * np.outer(restart, np.ones(graph.n))


def solved(graph: Csr, damping: float, restart: Floats) -> Floats:
    """Solve for the vector that a step leaves as it is, with sum 1."""
    matrix = step(graph, damping, restart) - np.eye(graph.n)
    system = np.vstack((matrix, np.ones(graph.n)))
    right = np.append(np.zeros(graph.n), 1.0)
    return np.asarray(np.linalg.lstsq(system, right, rcond=None)[0])


@given(graphs(), st.sampled_from([0.0, 0.3, 0.85, 0.95]), st.integers(0, 9))
@settings(max_examples=150, deadline=None)
def test_solves_the_equation(graph: Csr, damping: float, seed: int) -> None:
    restart = np.random.default_rng(seed).dirichlet(np.full(graph.n, 0.3))
    ours = pagerank(graph, damping, restart * 17, tolerance=1e-12)
    np.testing.assert_allclose(ours, solved(graph, damping, restart), atol=1e-9)
    assert ours.sum() == pytest.approx(1.0, abs=1e-12)


@given(graphs(), st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_takes_exactly_so_many_steps(graph: Csr, iterations: int) -> None:
    start = np.full(graph.n, 1 / graph.n)
    expected = np.linalg.matrix_power(step(graph, 0.85, start), iterations) @ start
    np.testing.assert_allclose(pagerank(graph, iterations=iterations), expected, atol=1e-14)


@given(graphs(), st.integers(1, 20), st.integers(0, 9))
@settings(max_examples=80, deadline=None)
def test_by_label_is_the_personalised_rank_of_each(graph: Csr, k: int, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(-1, k, graph.n).astype(np.int32)
    expected = np.zeros(graph.n)
    for c in range(k):
        own = labels == c
        if own.any():
            expected[own] = pagerank(graph, restart=own.astype(np.float64), tolerance=1e-12)[own]
    ours = pagerank_by_label(graph, labels, k, tolerance=1e-12)
    np.testing.assert_allclose(ours, expected, atol=1e-10)
    # Labels that are not counted are nobody's.
    fewer = pagerank_by_label(graph, labels, k - 1, tolerance=1e-12)
    np.testing.assert_allclose(fewer, np.where(labels < k - 1, expected, 0.0), atol=1e-10)


def test_a_cycle_with_a_way_in_and_a_way_out() -> None:
    """0 > 1 > (2 > 3 > 4 > 2) > 5 > 6, and 7 alone with itself: each part is settled apart."""
    graph = Csr.directed(
        [0, 1, 2, 3, 4, 4, 5, 7, 6], [1, 2, 3, 4, 2, 5, 6, 7, 6], [1, 2, 1, 1, 3, 1, 1, 4, 2], 8
    )
    uniform = np.full(8, 1 / 8)
    np.testing.assert_allclose(pagerank(graph), solved(graph, 0.85, uniform), atol=1e-9)


def test_tolerance_is_kept_on_a_slow_graph() -> None:
    """A long cycle mixes slowest of all."""
    n = 500
    cycle = Csr.directed(np.arange(n), np.roll(np.arange(n), -1), np.ones(n), n)
    restart = np.zeros(n)
    restart[250] = 1.0
    ours = pagerank(cycle, 0.99, restart, tolerance=1e-9)
    expected = np.roll(0.99 ** np.arange(n), 250)
    np.testing.assert_allclose(ours, expected / expected.sum(), atol=1e-8)


def test_the_scale_of_weights_and_the_names_of_nodes_do_not_matter() -> None:
    rng = np.random.default_rng(5)
    u, v, w = rng.integers(0, 300, 2000), rng.integers(0, 400, 2000), rng.integers(1, 5, 2000)
    name = rng.permutation(400)
    plain = pagerank(Csr.directed(u, v, w, 400))
    assert pagerank(Csr.directed(u, v, w * 4, 400)).tobytes() == plain.tobytes()
    renamed = pagerank(Csr.directed(name[u], name[v], w, 400))
    np.testing.assert_allclose(renamed[name], plain, atol=1e-9)


def test_same_bytes_whatever_the_threads_and_the_order_of_edges() -> None:
    rng = np.random.default_rng(6)
    u, v, w = rng.integers(0, 3000, 9000), rng.integers(0, 3000, 9000), rng.integers(1, 5, 9000)
    labels = rng.integers(0, 20, 3000).astype(np.int32)
    order = rng.permutation(9000)
    graph = Csr.directed(u, v, w, 3000)
    again = Csr.directed(u[order], v[order], w[order], 3000)
    alone = (pagerank(graph).tobytes(), pagerank_by_label(graph, labels, 20).tobytes())
    with ThreadPoolExecutor(4) as pool:
        plain = list(pool.map(lambda _: pagerank(again).tobytes(), range(4)))
        own = list(pool.map(lambda _: pagerank_by_label(again, labels, 20).tobytes(), range(4)))
    assert plain == [alone[0]] * 4
    assert own == [alone[1]] * 4


def test_an_empty_graph_and_one_without_edges() -> None:
    nothing = np.empty(0, np.int32)
    assert pagerank(Csr.directed(nothing, nothing, [], 0)).tolist() == []
    lone = Csr.directed(nothing, nothing, [], 4)
    assert pagerank(lone).tolist() == [0.25] * 4
    assert pagerank_by_label(lone, np.array([0, 0, 1, -1], np.int32), 2).tolist() == [
        0.5,
        0.5,
        1,
        0,
    ]


def test_wrong_arguments_are_refused() -> None:
    graph = Csr.directed([0], [1], [1.0], 2)
    with pytest.raises(UsageError, match="damping 1"):
        pagerank(graph, damping=1.0)
    with pytest.raises(UsageError, match="tolerance 0"):
        pagerank(graph, tolerance=0.0)
    with pytest.raises(UsageError, match="iterations -1"):
        pagerank(graph, iterations=-1)
    with pytest.raises(UsageError, match="an edge of weight -2"):
        pagerank(Csr.directed([0], [1], [-2.0], 2))
    for restart in ([1.0], [0.0, 0.0], [-1.0, 2.0], [np.nan, 1.0]):
        with pytest.raises(UsageError, match="a restart weight for each of 2 nodes"):
            pagerank(graph, restart=np.array(restart))
    with pytest.raises(UsageError, match="1 labels"):
        pagerank_by_label(graph, np.zeros(1, np.int32), 1)
