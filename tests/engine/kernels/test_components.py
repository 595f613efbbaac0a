from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.csr import Csr
from engine.kernels.components import components, connected_parts

EDGES = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30)


def numbered(graph: nx.Graph[int]) -> list[int]:
    """Number components by their lowest nodes."""
    label = [0] * len(graph)
    for i, group in enumerate(sorted(nx.connected_components(graph), key=min)):
        for v in group:
            label[v] = i
    return label


@given(EDGES, st.lists(st.integers(0, 2), min_size=20, max_size=20))
@settings(max_examples=100, deadline=None)
def test_components_and_parts_of_groups(edges: list[tuple[int, int]], groups: list[int]) -> None:
    u, v = np.array(edges, np.int32).reshape(-1, 2).T
    graph = Csr.directed(u, v, np.ones(len(u)), 20)
    whole: nx.Graph[int] = nx.Graph()
    whole.add_nodes_from(range(20))
    whole.add_edges_from(edges)
    assert components(graph).tolist() == numbered(whole)
    whole.remove_edges_from([(a, b) for a, b in edges if groups[a] != groups[b]])
    assert connected_parts(graph, np.array(groups, np.int32)).tolist() == numbered(whole)


def test_direction_does_not_matter() -> None:
    u, v = [5, 3, 0], [4, 5, 2]
    forth, back = Csr.directed(u, v, np.ones(3), 7), Csr.directed(v, u, np.ones(3), 7)
    assert components(forth).tolist() == components(back).tolist() == [0, 1, 0, 2, 2, 2, 3]


def test_nothing_and_a_long_path() -> None:
    nothing = np.empty(0, np.int32)
    assert components(Csr.directed(nothing, nothing, [], 0)).tolist() == []
    n = 200_000
    path = np.random.default_rng(1).permutation(n)
    graph = Csr.directed(path[:-1], path[1:], np.ones(n - 1), n)
    assert not components(graph).any()
