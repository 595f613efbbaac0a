from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.edges import ItemEdges, PairEdges


def rows(seed: int = 1) -> ItemEdges:
    chance = np.random.default_rng(seed)
    user = chance.integers(0, 60, 400).astype(np.int32)
    item = np.minimum(chance.geometric(0.05, 400), 50).astype(np.int32)
    return ItemEdges.of(60, 51, user, item)


def keys(edges: PairEdges) -> set[tuple[int, int]]:
    return set(zip(edges.u.tolist(), edges.v.tolist(), strict=True))


@given(seed=st.integers(0, 1_000), edges=st.sets(st.tuples(st.integers(0, 12), st.integers(0, 12))))
@settings(max_examples=60, deadline=None)
def test_rewiring_keeps_every_degree_and_makes_nothing_up(
    seed: int, edges: set[tuple[int, int]]
) -> None:
    pairs = sorted({(min(e), max(e)) for e in edges if e[0] != e[1]})
    u, v = (np.array([p[i] for p in pairs], np.int32) for i in (0, 1))
    before = PairEdges(13, u, v, np.ones(len(u)))
    after = before.rewire(seed)
    degree = [np.bincount(np.concatenate((e.u, e.v)), minlength=13) for e in (before, after)]
    assert degree[0].tolist() == degree[1].tolist()
    assert after.weight.tolist() == before.weight.tolist()


def test_a_rewired_graph_is_simple_and_new(plant: Callable[..., Any]) -> None:
    before = plant(2_000, 8, 0.2, 3).edges
    after = before.rewire(5)
    assert len(keys(after)) == len(before.u)
    assert not (after.u == after.v).any()
    assert len(keys(after) & keys(before)) < 0.03 * len(before.u)


def test_a_star_can_only_be_rewired_into_itself() -> None:
    star = PairEdges(9, np.zeros(8, np.int32), np.arange(1, 9, dtype=np.int32), np.ones(8))
    assert keys(star.rewire(1)) == keys(star)


def test_pairs_swap_ends_with_pairs_of_like_weight(plant: Callable[..., Any]) -> None:
    made = plant(1_000, 8, 0.2, 3).edges
    weight = np.where(np.arange(len(made.u)) % 3 == 0, 4.0, 1.0)
    before = PairEdges(made.n, made.u, made.v, weight)
    after = before.rewire(2)
    assert after.graph().degrees.tolist() == pytest.approx(before.graph().degrees.tolist())


def test_rewired_items_keep_both_sides() -> None:
    before = rows()
    after = before.rewire(3)
    assert (
        np.bincount(after.user, minlength=60).tolist()
        == np.bincount(before.user, minlength=60).tolist()
    )
    assert (
        np.bincount(after.item, minlength=51).tolist()
        == np.bincount(before.item, minlength=51).tolist()
    )
    distinct = set(zip(after.user.tolist(), after.item.tolist(), strict=True))
    assert len(distinct) == len(before.user)


def test_projection_equals_networkx() -> None:
    edges = rows()
    graph: nx.Graph[Any] = nx.Graph()
    graph.add_nodes_from(range(60))
    graph.add_edges_from(
        (u, ("item", i)) for u, i in zip(edges.user.tolist(), edges.item.tolist(), strict=True)
    )
    wanted = nx.bipartite.collaboration_weighted_projected_graph(graph, range(60))
    u, v, weight = edges.graph().pairs()
    found = {
        (a, b): round(w, 9) for a, b, w in zip(u.tolist(), v.tolist(), weight.tolist(), strict=True)
    }
    links: list[tuple[int, int, float]] = list(wanted.edges(data="weight"))
    assert found == {(min(a, b), max(a, b)): round(w, 9) for a, b, w in links}


def test_items_of_one_or_of_too_many_users_tie_nobody() -> None:
    user = np.concatenate((np.arange(401), [0, 1, 2])).astype(np.int32)
    item = np.concatenate((np.zeros(401), [1, 1, 2])).astype(np.int32)
    assert ItemEdges.of(401, 3, user, item).graph().pairs()[0].tolist() == [0]


def test_hidden_pairs_and_the_rest_are_all(plant: Callable[..., Any]) -> None:
    edges = plant(1_000, 8, 0.2, 3).edges
    kept, u, v = edges.hide(0.1, 4)
    hidden = set(zip(u.tolist(), v.tolist(), strict=True))
    assert hidden | keys(kept) == keys(edges)
    assert not hidden & keys(kept)
    assert 0.07 < len(hidden) / len(edges.u) < 0.13


def test_ties_of_hidden_rows_lead_to_those_left_with_the_item() -> None:
    edges = rows()
    kept, u, v = edges.hide(0.2, 1)
    has = set(zip(edges.user.tolist(), edges.item.tolist(), strict=True))
    left = set(zip(kept.user.tolist(), kept.item.tolist(), strict=True))
    gone = has - left
    for a, b in set(zip(u.tolist(), v.tolist(), strict=True)):
        assert any((a, i) in gone and (b, i) in left for i in range(51))
    assert len(u) % 8 == 0
    assert len(u)
