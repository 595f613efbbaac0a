from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.agreement import adjusted_rand
from engine.kernels.leiden import leiden
from engine.resolution import choose
from engine.tie_gain import fit, gain
from tests.engine.communities.lfr import lfr


@pytest.mark.parametrize(("mixing", "least"), [(0.3, 0.96), (0.5, 0.94), (0.6, 0.88)])
def test_held_out_ties_find_a_better_resolution_than_one(
    plant: Callable[..., Any], mixing: float, least: float
) -> None:
    made = plant(5_000, 20, mixing, 1)
    graph = made.edges.graph()
    choice = choose(made.edges, 5_000, seed=1)
    chosen = adjusted_rand(leiden(graph, choice.gamma), made.truth)
    plain = adjusted_rand(leiden(graph, 1.0), made.truth)
    assert choice.gamma > 1
    assert chosen > plain + 0.1
    assert chosen > least


@pytest.mark.parametrize(
    ("mixing", "least", "seed"),
    [
        (0.5, 0.97, 1),
        (0.6, 0.95, 1),
        *[
            pytest.param(mixing, least, seed, marks=pytest.mark.gates)
            for mixing, least in ((0.5, 0.97), (0.6, 0.95))
            for seed in (2, 3, 4)
        ],
    ],
)
def test_benchmark_graphs_are_found_again(mixing: float, least: float, seed: int) -> None:
    edges, truth = lfr(5_000, mixing, seed)
    apart = float((truth[edges.u] != truth[edges.v]).mean())
    assert mixing <= apart < mixing + 0.05, "no easier than asked for"
    choice = choose(edges, 5_000, seed=1)
    assert adjusted_rand(leiden(edges.graph(), choice.gamma), truth) >= least


def test_under_a_thousand_users_the_resolution_is_one(plant: Callable[..., Any]) -> None:
    choice = choose(plant(900, 10, 0.2, 1).edges, 900, seed=1)
    assert (choice.gamma, choice.curve, choice.gain) == (1.0, {}, None)
    assert choice.reason.startswith("900 users with a tie are too few")


def test_a_random_graph_predicts_nothing_at_any_resolution(plant: Callable[..., Any]) -> None:
    edges = plant(2_000, 8, 0.2, 1).edges.rewire(1)
    choice = choose(edges, 2_000, seed=1)
    assert choice.gamma == 1.0
    assert max(choice.curve.values()) < 0.02
    assert choice.reason == "No resolution predicts held-out ties; it is 1."


def test_the_gain_is_the_formula_over_all_pairs_of_communities(plant: Callable[..., Any]) -> None:
    made = plant(1_000, 10, 0.4, 2, (50, 100))
    kept, u, v = made.edges.hide(0.1, 1)
    graph = kept.graph()
    labels = made.truth  # every community has ten members or more
    found = gain(graph, labels, u, v, 1.0, exponent=0.7)
    k = int(labels.max()) + 1
    rows = np.repeat(np.arange(1_000), np.diff(graph.indptr))
    m = np.zeros((k, k))
    np.add.at(m, (labels[rows], labels[graph.indices]), graph.weights)
    kappa, total = m.sum(axis=1), m.sum()
    odds = ((m + 1) / (np.outer(kappa, kappa) / total + 1)) ** 0.7
    share = kappa / total
    tied = (graph.degrees[u] > 0) & (graph.degrees[v] > 0)
    r, s = labels[u[tied]], labels[v[tied]]
    log_odds = np.log(odds[r, s])
    assert found.overall == pytest.approx(log_odds.mean() - np.log(share @ odds @ share))
    norm = np.log(odds @ share)
    ends, seen = np.concatenate((r, s)), np.concatenate((log_odds, log_odds))
    wanted = [(seen - norm[ends])[ends == c].mean() for c in range(k)]
    assert found.of.tolist() == pytest.approx(wanted)


def test_many_communities_are_summed_up_by_level_of_degree(plant: Callable[..., Any]) -> None:
    made = plant(8_000, 6, 0.3, 2, sizes=(12, 40))
    found = fit(made.edges, 8.0, seed=1, exponent=1.0)
    assert (~np.isnan(found.of)).sum() > 256, "else the levels are not at work"
    kept, u, v = made.edges.hide(0.1, 1)
    whole = gain(kept.graph(), made.truth, u, v, 1.0)
    assert 1.5 < found.overall < whole.overall


def test_doubling_all_weights_changes_no_gain(plant: Callable[..., Any]) -> None:
    edges = plant(1_500, 8, 0.3, 2).edges
    double = type(edges)(edges.n, edges.u, edges.v, 2 * edges.weight)
    once, twice = fit(edges, 2.0, seed=1), fit(double, 2.0, seed=1)
    assert twice.overall == pytest.approx(once.overall)
    assert twice.labels.tolist() == once.labels.tolist()
