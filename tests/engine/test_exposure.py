"""Exposure by follows and impressions: the toy, an expectation written out, what counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special
from scipy.stats import spearmanr

from engine.assemble import assemble
from engine.csr import Floats, Ints
from engine.exposed_fit import Passes, gauge, homes
from engine.exposure import Exposure, by_follows, by_impressions
from engine.groups import root_groups
from engine.lift import Prior, posterior
from engine.params import SourceKind
from engine.posters import posters
from engine.propensity import Habits, fit_habits, habit
from engine.shares import first_shares
from engine.snapshot import Snapshot
from engine.sources import events

PRIOR = Prior(25.0, np.array([0.25, 1.0, 4.0]), np.array([0.1, 0.75, 0.15]))
FOLLOWS = {1: [0], 2: [0, 5], 3: [0], 4: [0, 1], 6: [5], 7: [5, 0], 8: [5, 6], 9: [0, 5]}
CASCADES = [(0, [1, 2, 4]), (0, [1, 3]), (0, [2, 9]), (5, [6, 8]), (5, [7])]


def micro(seconds: Sequence[int | None]) -> pa.Array:
    return pa.array(
        [None if s is None else s * 1_000_000 for s in seconds], pa.timestamp("us", "UTC")
    )


def world(
    follows: Sequence[tuple[int, int]],
    cascades: Sequence[tuple[int, Sequence[int]]],
    users: int,
    *,
    times: bool = True,
) -> Snapshot:
    """Users 0, 1, ...; contents in order, each shared by its users one second after another."""
    rows = [(i, u, s + 1) for i, (_, who) in enumerate(cascades) for s, u in enumerate(who)]
    return assemble(
        {
            "users": pa.table({"user_id": [f"x:{u:03d}" for u in range(users)]}),
            "content": pa.table(
                {
                    "content_id": [f"x:c{i:03d}" for i in range(len(cascades))],
                    "author_id": [f"x:{a:03d}" for a, _ in cascades],
                    "created_at": micro([0 if times else None] * len(cascades)),
                }
            ),
            "shares": pa.table(
                {
                    "user_id": [f"x:{u:03d}" for _, u, _ in rows],
                    "content_id": [f"x:c{i:03d}" for i, _, _ in rows],
                    "at": micro([t if times else None for _, _, t in rows]),
                }
            ),
            "follows": pa.table(
                {
                    "follower_id": [f"x:{u:03d}" for u, _ in follows],
                    "followee_id": [f"x:{v:03d}" for _, v in follows],
                }
            ),
        }
    )


def exposure_of(snapshot: Snapshot, kind: SourceKind = "user", *, shown: bool = False) -> Exposure:
    acts = posters(snapshot, events(snapshot, kind), first_shares(snapshot), root_groups(snapshot))
    return by_impressions(acts, snapshot) if shown else by_follows(acts, snapshot)


def toy() -> tuple[Exposure, npt.NDArray[np.int32]]:
    pairs = [(u, v) for u, followed in FOLLOWS.items() for v in followed]
    label = np.repeat(np.array([0, 1], np.int32), 5)[None, :]
    return exposure_of(world(pairs, CASCADES, 10)), label


def test_toy_to_the_sixth_digit() -> None:
    """The figures of the reference, worked out by hand: first pass, phi .5, ten exposures."""
    exposure, labels = toy()
    passes = Passes(exposure, np.zeros(exposure.sources, np.int32), labels, 2)
    ones = np.ones(len(passes.community))
    first = passes.over(np.ones(10), np.ones(2), ones, 0.0)
    assert first.risk.tolist() == [0, 3, 5, 3, 5, 0, 2, 5, 3, 5]
    assert first.shared.tolist() == [0, 2, 2, 1, 1, 0, 1, 1, 1, 1]
    home = homes(labels, 2)
    mean = np.bincount(home, first.shared, 2) / np.bincount(home, first.risk, 2)
    assert mean == pytest.approx([0.375, 0.2666667])
    rho = habit(first.shared, first.risk, home, Habits(10.0 * mean, np.full(2, 10.0)))
    assert rho[1:5] == pytest.approx([0.442308, 0.383333, 0.365385, 0.316667], abs=1e-6)
    assert rho[6:] == pytest.approx([0.305556, 0.244444, 0.282051, 0.244444], abs=1e-6)
    expected = written_out(exposure, labels[0], rho, 2)
    assert expected[:, 0] == pytest.approx(
        [1.824359, 1.824359, 1.507692, 0.383333, 0.383333], abs=1e-6
    )
    assert expected[:, 1] == pytest.approx(
        [0.488889, 0.488889, 0.488889, 1.358547, 1.076496], abs=1e-6
    )
    sums = passes.over(rho, np.ones(2), ones, 0.5)
    assert passes.community.tolist() == [0, 1, 0, 1]
    assert sums.weighted_observed == pytest.approx([3.184993, 0.803571, 0, 1.841082], abs=1e-6)
    assert sums.weighted_expected == pytest.approx(
        [2.767795, 1.178571, 0.643357, 1.508828], abs=1e-6
    )
    factor = gauge(sums.weighted_observed, sums.weighted_expected, passes.community, 2)
    assert factor == pytest.approx([0.933700, 0.984094], abs=1e-6)
    scaled = sums.weighted_expected * factor[passes.community]
    assert scaled == pytest.approx([2.584291, 1.159825, 0.600702, 1.484828], abs=1e-6)
    found = posterior(PRIOR, sums.weighted_observed, scaled)
    assert (
        found.resonance[0], found.lift[0], found.lift_low[0], found.lift_high[0]
    ) == pytest.approx((7.773849, 1.004681, 0.708968, 1.393653), abs=1e-6)  # fmt: skip
    assert found.resonance[3] == pytest.approx(8.836385, abs=1e-6)


def written_out(exposure: Exposure, label: Ints, rho: Floats, k: int) -> Floats:
    """Expected shares of each unit in each community, by a pass that weighs nothing down."""
    units = len(exposure.content)
    alone = replace(exposure, unit_of_source=np.arange(units + 1), group=np.zeros(units, np.int32))
    passes = Passes(alone, np.zeros(units, np.int32), label[None, :], k)
    sums = passes.over(rho, np.ones(k), np.ones(len(passes.community)), 0.0)
    found = np.zeros((units, k))
    unit = np.repeat(np.arange(units), np.diff(passes.cell_of_source))
    found[unit, passes.community] = sums.expected
    return found


@dataclass(frozen=True)
class Graph:
    users: int
    follows: list[tuple[int, int]]
    cascades: list[tuple[int, list[int]]]
    label: Ints
    rho: Floats


def drawn(seed: int, *, times: bool = True) -> Graph:
    random = np.random.default_rng([seed, int(times)])
    users, k = 30, 3
    pairs = np.unique(random.integers(0, users, (int(random.integers(20, 160)), 2)), axis=0)
    cascades = [
        (
            int(random.integers(0, 6)),
            random.permutation(users)[: int(random.integers(0, 14))].tolist(),
        )
        for _ in range(int(random.integers(1, 14)))
    ]
    return Graph(
        users,
        [(int(u), int(v)) for u, v in pairs if u != v],
        cascades,
        random.integers(-1, k, users).astype(np.int32),
        random.random(users),
    )


def at_risk(graph: Graph, *, stop: bool) -> tuple[Floats, Floats, Floats]:
    """Observed, expected and exposures, each exposure by itself: the definition.

    With `stop`, nobody is exposed any more once they have shared; without, everyone who
    follows a poster is, which is the factorised form alone.
    """
    followers: dict[int, list[int]] = {}
    for u, v in graph.follows:
        followers.setdefault(v, []).append(u)
    k, units = 3, len(graph.cascades)
    observed, expected = np.zeros((units, k)), np.zeros((units, k))
    exposures = np.zeros((units, k))
    for i, (author, who) in enumerate(graph.cascades):
        sharers = [u for u in who if u != author]
        done, seen = {author}, set()
        for poster in [author, *sharers]:
            c = int(graph.label[poster])
            if poster != author and poster in seen and c >= 0:
                observed[i, c] += 1.0
            done.add(poster)
            for u in followers.get(poster, []):
                at = int(graph.label[u])
                if u not in done or not stop:
                    seen.add(u)
                    if at >= 0:
                        expected[i, at] += graph.rho[u]
                        exposures[i, at] += 1.0
    return observed, expected, exposures


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_every_exposure_written_out(seed: int) -> None:
    graph = drawn(seed)
    exposure = exposure_of(world(graph.follows, graph.cascades, graph.users))
    position = exposure.content
    assert sorted(position.tolist()) == list(range(len(graph.cascades)))
    observed, expected, exposures = (m[position] for m in at_risk(graph, stop=True))
    ones = np.ones(graph.users)
    assert written_out(exposure, graph.label, graph.rho, 3) == pytest.approx(expected, abs=1e-12)
    assert written_out(exposure, graph.label, ones, 3) == pytest.approx(exposures, abs=1e-12)
    counted = np.zeros_like(observed)
    unit = np.repeat(np.arange(len(exposure.content)), np.diff(exposure.share_of_unit))
    inside = graph.label[exposure.sharer] >= 0
    np.add.at(counted, (unit[inside], graph.label[exposure.sharer][inside]), 1.0)
    assert counted.tolist() == observed.tolist()


def test_the_factorised_form_alone_ranks_alike() -> None:
    """What stopping at a share takes off is small, and is taken off exactly all the same."""
    graph = drawn(7)
    random = np.random.default_rng(3)
    users = 400
    pairs = np.unique(random.integers(0, users, (6000, 2)), axis=0)
    large = replace(
        graph,
        users=users,
        follows=[(int(u), int(v)) for u, v in pairs if u != v],
        cascades=[
            (
                int(random.integers(0, 40)),
                random.permutation(users)[: random.integers(0, 25)].tolist(),
            )
            for _ in range(200)
        ],
        label=random.integers(0, 3, users).astype(np.int32),
        rho=random.gamma(1.0, 0.05, users),
    )
    exposure = exposure_of(world(large.follows, large.cascades, users))
    _, exact, _ = at_risk(large, stop=True)
    loose = written_out(
        replace(exposure, pair_count=np.zeros_like(exposure.pair_count)), large.label, large.rho, 3
    )
    assert written_out(exposure, large.label, large.rho, 3) == pytest.approx(
        exact[exposure.content], abs=1e-12
    )
    assert spearmanr(loose.ravel(), exact[exposure.content].ravel()).statistic > 0.99
    assert loose.sum() == pytest.approx(exact.sum(), rel=0.1)


def test_without_times_only_an_author_comes_first() -> None:
    s = world([(1, 0), (2, 1), (3, 1)], [(0, [1, 2])], 4, times=False)
    exposure = exposure_of(s)
    assert exposure.seen.tolist() == [True, False]
    # 2 shared too, when nobody knows, and cannot be said to have been at risk; 3 did not share.
    assert written_out(exposure, np.zeros(4, np.int32), np.ones(4), 1).tolist() == [[2.0]]


def test_a_topic_is_adopted_once_from_whoever_posted_about_it() -> None:
    s = assemble(
        {
            "content": pa.table(
                {
                    "content_id": ["x:1", "x:2", "x:3", "x:4"],
                    "author_id": ["x:a", "x:b", "x:c", "x:a"],
                    "created_at": micro([0, 10, 20, 30]),
                }
            ),
            "topics": pa.table(
                {
                    "content_id": ["x:1", "x:2", "x:3", "x:4"],
                    "kind": ["url"] * 4,
                    "label": ["u"] * 4,
                }
            ),
            "follows": pa.table(
                {"follower_id": ["x:b", "x:d", "x:d"], "followee_id": ["x:a", "x:a", "x:b"]}
            ),
        }
    )
    exposure = exposure_of(s, "url")
    # a and c posted unexposed; b followed a. d was exposed by the first posts of a and b.
    assert exposure.seen.tolist() == [False, True, False]
    assert exposure.ambient_share == pytest.approx(2 / 3)
    assert written_out(exposure, np.zeros(4, np.int32), np.ones(4), 1).tolist() == [[3.0]]
    # Three posts of three contents: no two shares of one.
    assert exposure.bunching.tolist() == [0.0]


def test_a_brand_exposes_by_its_accounts_and_by_its_domain() -> None:
    s = assemble(
        {
            "content": pa.table(
                {
                    "content_id": ["x:1", "x:2", "x:3"],
                    "author_id": ["x:acme", "x:acme", "x:u"],
                    "created_at": micro([0, 10, 20]),
                }
            ),
            "topics": pa.table(
                {"content_id": ["x:2", "x:3"], "kind": ["domain"] * 2, "label": ["acme.com"] * 2}
            ),
            "shares": pa.table(
                {"user_id": ["x:help", "x:v"], "content_id": ["x:1"] * 2, "at": micro([5, 6])}
            ),
            "brands": pa.table({"brand_id": ["acme"], "name": ["Acme"]}),
            "brand_members": pa.table(
                {
                    "brand_id": ["acme"] * 3,
                    "kind": ["account", "account", "domain"],
                    "value": ["x:acme", "x:help", "acme.com"],
                }
            ),
            "follows": pa.table(
                {"follower_id": ["x:v", "x:u"], "followee_id": ["x:help", "x:acme"]}
            ),
        }
    )
    exposure = exposure_of(s, "brand")
    user = s.users.user_id.to_pylist()
    # v shared what the second account had passed on; u wrote of the domain after the first did.
    assert [user[u] for u in exposure.shares.user] == ["x:v", "x:u"]
    assert exposure.seen.tolist() == [True, True]
    assert exposure.content.tolist() == [-1, 0, 1]
    label = np.zeros(len(user), np.int32)
    assert written_out(exposure, label, np.ones(len(user)), 1).tolist() == [[1.0], [2.0], [1.0]]


def shown(extra: dict[str, pa.Table]) -> Snapshot:
    return assemble(
        {
            "users": pa.table(
                {
                    "user_id": ["x:a", "x:b", "x:c", "x:d"],
                    "labels": [None, ["press"], ["press"], ["party"]],
                }
            ),
            "content": pa.table({"content_id": ["x:1", "x:2"], "author_id": ["x:a"] * 2}),
            "shares": pa.table(
                {"user_id": ["x:b", "x:d", "x:c"], "content_id": ["x:1", "x:1", "x:2"]}
            ),
            **extra,
        }
    )


def test_impressions_by_user() -> None:
    s = shown(
        {
            "impressions": pa.table(
                {
                    "content_id": ["x:1"] * 3 + ["x:2"],
                    "user_id": ["x:a", "x:b", "x:c", "x:c"],
                    "count": [9, 3, 2, 0],
                }
            )
        }
    )
    exposure = exposure_of(s, shown=True)
    assert exposure.seen.tolist() == [True, False, False]
    rho = np.array([1.0, 0.5, 0.25, 0.125])
    # One's own content is no impression, and nought is none.
    assert written_out(exposure, np.zeros(4, np.int32), rho, 1).tolist() == [[2.0], [0.0]]


def test_impressions_by_a_named_group_are_those_of_its_accounts() -> None:
    s = shown(
        {
            "impressions": pa.table(
                {
                    "content_id": ["x:1", "x:1", "x:2", "x:2"],
                    "user_id": [None, None, None, "x:d"],
                    "community": ["press", "nobody", "press", None],
                    "count": [8, 5, 4, 1],
                }
            )
        }
    )
    exposure = exposure_of(s, shown=True)
    assert exposure.unused == ("nobody",)
    assert exposure.seen.tolist() == [True, False, False]
    rho = np.array([1.0, 0.5, 0.25, 0.125])
    # Eight for two members are four each; of content 2 there are impressions by user as well.
    assert written_out(exposure, np.zeros(4, np.int32), rho, 1).tolist() == [[3.0], [0.125]]


def test_habits_against_another_search() -> None:
    random = np.random.default_rng(4)
    group = np.repeat(np.array([0, 1], np.int32), 2000)
    shape, mean = np.array([0.3, 2.0])[group], np.array([0.02, 0.1])[group]
    x = random.lognormal(3.0, 1.0, 4000)
    s = random.poisson(random.gamma(shape) * mean / shape * x).astype(np.float64)
    found = fit_habits(s, x, group, 3)
    for g in (0, 1):
        of = group == g

        def miss(logs: Floats, of: npt.NDArray[np.bool_] = of) -> float:
            a, b = np.exp(logs)
            each = special.gammaln(s[of] + a) - special.gammaln(a) + a * np.log(b)
            return -float(np.sum(each - (s[of] + a) * np.log(b + x[of])))

        a, b = np.exp(optimize.minimize(miss, [0.0, 3.0], method="L-BFGS-B").x)
        # Communities are drawn towards each other a little.
        assert (found.shape[g], found.shape[g] / found.rate[g]) == pytest.approx(
            (a, a / b), rel=0.03
        )
    # Nobody in the third was exposed: it has the habits of everyone.
    assert found.shape[2] / found.rate[2] == pytest.approx(s.sum() / x.sum(), rel=0.35)
