"""Forecasts side by side: deviance, ranks and gains against scipy and against counting."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from scipy import optimize
from scipy.stats import poisson, spearmanr

from engine.baselines import Rival
from engine.csr import Floats
from engine.forecast import HeldCells
from engine.paired import judge, predictions

SOURCES, K = 400, 5


def held(lift: Floats, seed: int = 3) -> HeldCells:
    """Cells whose margins expect a few shares each, and that get `lift` times as many."""
    draw = np.random.default_rng(seed)
    source, community = np.divmod(np.arange(SOURCES * K, dtype=np.int32), K)
    margin = draw.lognormal(0.0, 1.0, len(source))
    none = np.zeros(len(source))
    return HeldCells(
        source=source.astype(np.int32),
        community=community.astype(np.int32),
        observed=none,
        expected=none,
        lift=lift,
        flagged=none.astype(np.bool_),
        margin=margin,
        realised=draw.poisson(margin * lift).astype(np.float64),
    )


@pytest.fixture(scope="module")
def lift() -> Floats:
    return np.exp(np.random.default_rng(1).normal(0.0, 0.5, SOURCES * K))


@pytest.fixture(scope="module")
def cells(lift: Floats) -> HeldCells:
    return held(lift)


def forecasts(cells: HeldCells, lift: Floats) -> dict[str, Floats]:
    noise = np.random.default_rng(2).normal(0.0, 0.2, len(lift))
    under = np.log(cells.margin)
    return {
        "score": under + np.log(lift),
        "margins": under,
        "guess": under + np.log(lift) + noise,
        "same": under + np.log(lift) + 7.0,
    }


def deviance(cells: HeldCells, forecast: Floats) -> float:
    """Twice the log-likelihood lost against a forecast that knows, by scipy's Poisson."""
    y, mean = cells.realised, np.exp(forecast)
    mean = mean * y.sum() / mean.sum()
    return float(2 * (poisson.logpmf(y, np.maximum(y, 1e-300)) - poisson.logpmf(y, mean)).sum())


def test_deviance_and_ranks_are_those_of_scipy(cells: HeldCells, lift: Floats) -> None:
    said = forecasts(cells, lift)
    found = judge(cells, said, seed=1)
    for name, values in said.items():
        expected = 1.0 - deviance(cells, values) / deviance(cells, said["margins"])
        assert found[name].explained == pytest.approx(expected)
        assert found[name].spearman == pytest.approx(
            float(spearmanr(values, cells.realised).statistic)
        )
    assert found["score"].explained > found["guess"].explained > found["margins"].explained == 0


def test_gains_are_those_of_counting(cells: HeldCells, lift: Floats) -> None:
    def gain(order_by: Floats) -> list[float]:
        by_community: defaultdict[int, list[tuple[float, int, float]]] = defaultdict(list)
        for c, s, v, y in zip(cells.community, cells.source, order_by, cells.realised, strict=True):
            by_community[int(c)].append((-float(v), int(s), float(y)))
        return [
            sum(y / math.log2(rank + 2) for rank, (_, _, y) in enumerate(sorted(rows)[:10]))
            for _, rows in sorted(by_community.items())
        ]

    said = forecasts(cells, lift)
    best = gain(cells.realised)
    for name, found in judge(cells, said, seed=1).items():
        mine = [g / b for g, b in zip(gain(said[name]), best, strict=True)]
        assert found.ndcg == pytest.approx(sum(mine) / K)


def test_a_better_forecast_is_surely_ahead_and_an_equal_one_is_not(
    cells: HeldCells, lift: Floats
) -> None:
    found = judge(cells, forecasts(cells, lift), seed=1)
    same = found["same"].ahead
    assert (same.value, same.low, same.high) == pytest.approx((0.0, 0.0, 0.0))
    assert found["margins"].ahead.low > 0.2
    assert found["guess"].ahead.low > 0
    assert found["guess"].ahead.low < found["guess"].ahead.value < found["guess"].ahead.high


def test_intervals_hold(lift: Floats) -> None:
    """What a better forecast gains differs from data to data as its interval says."""
    guess = np.log(lift) * 0.7
    gained, intervals = [], []
    for seed in range(60):
        again = held(lift, seed)
        said = {"score": np.log(again.margin * lift), "margins": np.log(again.margin)}
        found = judge(again, said | {"guess": np.log(again.margin) + guess}, seed=1)["guess"].ahead
        gained.append(found.value)
        intervals.append(found)
    middle = float(np.mean(gained))
    inside = np.mean([i.low <= middle <= i.high for i in intervals])
    assert 0.85 <= inside <= 1.0
    assert np.std(gained) == pytest.approx(
        np.mean([(i.high - i.low) / 3.92 for i in intervals]), rel=0.3
    )


def test_who_claims_nothing_is_given_the_power_that_fits_best(
    cells: HeldCells, lift: Floats
) -> None:
    """Whatever figure orders cells as the lift does forecasts as well as the lift."""
    figure = Rival(np.log(lift) * 3.0 + 2.0, claims=False)
    said = {"score": Rival(np.log(lift), claims=True), "figure": figure}
    found = predictions(cells, said, cells.margin, volume=True)

    def lost(parameters: Floats) -> float:
        a, b = parameters
        mean = np.exp(a + b * figure.log) * cells.margin
        return float((mean - cells.realised * np.log(mean)).sum())

    _, b = optimize.minimize(lost, [0.0, 0.0], method="BFGS").x
    given = np.log(cells.margin) + b * figure.log
    assert found["figure"] == pytest.approx(given, abs=0.02 * abs(figure.log).max())
    judged = judge(cells, {**found, "margins": np.log(cells.margin)}, seed=1)
    assert judged["figure"].explained == pytest.approx(judged["score"].explained, abs=0.01)


def test_without_margins_a_figure_forecasts_by_itself(cells: HeldCells, lift: Floats) -> None:
    figure = Rival(np.log(cells.margin), claims=False)
    found = predictions(cells, {"figure": figure}, np.full(len(cells), 5.0), volume=False)
    power = np.polyfit(figure.log, found["figure"], 1)[0]
    assert power == pytest.approx(1.0, abs=0.05)
