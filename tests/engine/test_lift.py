"""The lift: toy figures, ends of intervals that hit their probability, an optimal fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from engine.csr import Floats
from engine.lift import MEANS, SHAPE, Prior, excess, fit, posterior, posterior_mean, squash

TOY = Prior(25.0, np.array([0.25, 1.0, 4.0]), np.array([0.1, 0.75, 0.15]))


@pytest.mark.parametrize(
    ("observed", "expected", "figures"),
    [
        (0.0, 0.5, (0.817073, 0.223252, 1.459077, 0.388396, 7.230710)),
        (3.0, 1.0, (1.699705, 0.799800, 4.678255, 0.764855, 33.343555)),
        (12.0, 3.0, (3.907398, 2.935445, 5.136174, 0.999476, 73.846902)),
        (5.0, 5.0, (0.975694, 0.709722, 1.319436, 0.472898, 5.890468)),
        (120.0, 100.0, (1.156003, 1.006224, 1.322871, 0.956924, 13.354679)),
    ],
)
def test_toy_figures(observed: float, expected: float, figures: tuple[float, ...]) -> None:
    p = posterior(TOY, [observed], [expected])
    found = (p.lift[0], p.lift_low[0], p.lift_high[0], p.prob_above[0], p.resonance[0])
    assert found == pytest.approx(figures, abs=1e-6)


def test_toy_ends_of_the_score() -> None:
    p = posterior(TOY, [40.0], [10.0])
    assert (p.resonance_low[0], p.resonance_high[0], p.resonance[0]) == pytest.approx(
        (68.947682, 79.379470, 74.609339), abs=1e-6
    )


def cdf(prior: Prior, observed: Floats, expected: Floats, at: Floats) -> Floats:
    """Posterior distribution of the lift, written out over all components."""
    rate = prior.shape / prior.means
    with np.errstate(divide="ignore"):
        logs = np.log(prior.weights) + prior.shape * np.log(rate)
    logs = logs - (prior.shape + observed)[:, None] * np.log(rate + expected[:, None])
    weight = special.softmax(logs, axis=1)
    tails = special.gammainc(
        (prior.shape + observed)[:, None], (rate + expected[:, None]) * at[:, None]
    )
    return np.asarray((weight * tails).sum(axis=1))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5000), st.floats(1e-4, 5000.0)), min_size=1, max_size=20),
    st.lists(st.floats(0.0, 1.0), min_size=57, max_size=57).filter(lambda w: sum(w) > 0.01),
)
def test_ends_hit_their_probability(cells: list[tuple[int, float]], weights: list[float]) -> None:
    prior = Prior(SHAPE, MEANS, np.array(weights) / sum(weights))
    observed, expected = (np.array(c, np.float64) for c in zip(*cells, strict=True))
    p = posterior(prior, observed, expected)
    assert cdf(prior, observed, expected, p.lift_low) == pytest.approx(0.05, abs=1e-6)
    assert cdf(prior, observed, expected, p.lift_high) == pytest.approx(0.95, abs=1e-6)
    assert 1.0 - cdf(prior, observed, expected, np.ones(len(cells))) == pytest.approx(
        p.prob_above, abs=1e-6
    )


def test_ends_where_the_lift_may_be_one_of_two_far_apart() -> None:
    prior = Prior(25.0, np.array([0.02, 200.0]), np.array([0.95, 0.05]))
    observed, expected = np.array([0.0, 1.0, 3.0]), np.array([0.004, 0.04, 0.15])
    p = posterior(prior, observed, expected)
    assert cdf(prior, observed, expected, p.lift_low) == pytest.approx(0.05, abs=1e-6)
    assert cdf(prior, observed, expected, p.lift_high) == pytest.approx(0.95, abs=1e-6)


def test_score_is_the_mean_excess_by_integration() -> None:
    p = posterior(TOY, [3.0], [1.0])
    draw = np.linspace(1e-4, 20.0, 200_001)
    density = np.gradient(cdf(TOY, np.full(len(draw), 3.0), np.ones(len(draw)), draw), draw)
    by_hand = np.trapezoid(excess(draw) * density, draw)
    assert p.resonance[0] == pytest.approx(by_hand, abs=1e-3)


def test_nothing_known_gives_the_prior_back() -> None:
    p = posterior(TOY, [0.0], [0.0])
    assert p.mean[0] == pytest.approx(0.1 * 0.25 + 0.75 + 0.15 * 4.0)


def test_mean_alone_agrees_with_the_whole() -> None:
    observed, expected = np.array([0.0, 4.0, 9.0]), np.array([0.0, 1.0, 12.0])
    whole = posterior(TOY, observed, expected).mean
    assert posterior_mean(TOY, observed, expected) == pytest.approx(whole, rel=1e-8)


def cells(seed: int, n: int) -> tuple[Floats, Floats]:
    draw = np.random.default_rng(seed)
    expected = np.exp(draw.normal(-1.0, 1.5, n))
    lift = np.where(draw.random(n) < 0.2, 4.0, 1.0)
    return draw.poisson(expected * lift).astype(np.float64), expected


def test_fit_is_optimal() -> None:
    """No component could be given more weight to the good of the likelihood."""
    observed, expected, count = squash(*cells(1, 4000))
    prior = fit(observed, expected, count)
    rate = prior.shape / prior.means
    logs = prior.shape * np.log(rate) - (prior.shape + observed)[:, None] * np.log(
        rate + expected[:, None]
    )
    likelihood = np.exp(logs - logs.max(axis=1, keepdims=True))
    gain = (count / (likelihood @ prior.weights)) @ likelihood / count.sum()
    assert gain.max() < 1.005
    assert float(gain @ prior.weights) == pytest.approx(1.0)


def test_fit_finds_what_was_planted() -> None:
    prior = fit(*cells(2, 20_000))
    high = prior.weights[prior.means > 2.0].sum()
    assert high == pytest.approx(0.2, abs=0.03)


def test_fit_counts_groups_of_equal_cells() -> None:
    observed, expected = cells(3, 500)
    grouped = squash(observed, expected)
    single = fit(observed, expected)
    assert fit(*grouped).weights == pytest.approx(single.weights, abs=1e-12)


def test_fit_does_not_depend_on_the_order() -> None:
    observed, expected = cells(4, 500)
    order = np.random.default_rng(5).permutation(500)
    forwards, shuffled = fit(observed, expected), fit(observed[order], expected[order])
    assert forwards.weights.tobytes() == shuffled.weights.tobytes()


def test_fit_of_nothing_says_one() -> None:
    prior = fit([], [])
    assert posterior(prior, [0.0], [0.0]).mean[0] == pytest.approx(1.0)


def test_posterior_of_no_cells_is_empty() -> None:
    assert posterior(TOY, [], []).lift.tolist() == []
