"""Sketches against sets."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels.hashing import coin, mix, seeded
from engine.kernels.hyperloglog import count_registers, estimates, fill, merge_into
from engine.sketch import SEED, SPARSE, Counted, Sketch, relative_deviation


def test_hashing_is_that_of_splitmix64() -> None:
    # The first outputs of SplitMix64 from seeds 0 and 1234567, as its authors' code gives them.
    assert int(mix(np.uint64(0))) == 0xE220A8397B1DCDAF
    assert int(mix(np.uint64(1234567))) == 6457827717110365317


def test_coins_are_even_and_seeds_are_apart() -> None:
    luck, other = (
        np.array([coin(np.uint64(seeded(seed, i))) for i in range(20_000)]) for seed in (1, 2)
    )
    assert luck.min() >= 0.0
    assert luck.max() < 1.0
    assert np.bincount((luck * 10).astype(int)).min() > 1_850
    assert abs(np.corrcoef(luck, other)[0, 1]) < 0.03
    assert abs(np.corrcoef(luck[1:], luck[:-1])[0, 1]) < 0.03


@pytest.mark.parametrize("p", [8, 10])
def test_followers_of_a_random_graph_within_three_deviations(p: int) -> None:
    graph = nx.gnp_random_graph(1_000, 0.4, seed=4, directed=True)
    right = 0
    for v in graph:
        followers = np.array([u for u, _ in graph.in_edges(v)], np.int32)
        found = Sketch.of(followers, p).counted()
        assert found.deviation > 0
        right += abs(found.count - len(followers)) <= 3 * relative_deviation(p) * len(followers)
    assert right >= 0.99 * len(graph)


@pytest.mark.parametrize("p", [4, 6, 9, 14, 16])
def test_estimates_are_centred_and_spread_as_said(p: int) -> None:
    draws = 120
    for n in (1_000, 30_000):
        relative = []
        for draw in range(draws):
            users = np.arange(n, dtype=np.int32) + draw * n
            registers = fill(np.array([0, n]), users, p, SEED)[0]
            relative.append(count_registers(registers, 1 << p) / n - 1.0)
        deviation = relative_deviation(p)
        # With 16 registers the estimator has a bias of some percent and a long tail.
        bias, tail = (0.1, 1.5) if p == 4 else (0.0, 1.25)
        assert abs(np.mean(relative)) < bias + 4 * deviation / np.sqrt(draws)
        assert np.std(relative) < tail * deviation


def test_a_part_of_the_registers_estimates_the_whole() -> None:
    users = np.arange(50_000, dtype=np.int32)
    registers = fill(np.array([0, len(users)]), users, 10, SEED)[0]
    parts = [count_registers(registers[g::8].copy(), 1 << 10) for g in range(8)]
    assert np.mean(parts) == pytest.approx(50_000, rel=4 * relative_deviation(10))


def test_few_are_exact() -> None:
    users = np.arange(SPARSE, dtype=np.int32)
    assert Sketch.of(np.repeat(users, 3), 12).counted() == Counted(SPARSE, SPARSE, SPARSE, 0.0)
    assert Sketch.of(np.arange(SPARSE + 1), 12).counted().deviation > 0
    assert Sketch.of(np.empty(0, np.int32), 4).counted().count == 0


@given(
    st.lists(st.integers(0, 2_000), max_size=600),
    st.lists(st.integers(0, 2_000), max_size=600),
    st.integers(4, 16),
    st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_a_union_is_the_sketch_of_both_in_any_order(
    one: list[int], other: list[int], p: int, random: object
) -> None:
    both = one + other
    shuffled = list(both)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    whole = Sketch.of(np.array(shuffled, np.int32), p)
    joined = Sketch.of(np.array(one, np.int32), p).union(Sketch.of(np.array(other, np.int32), p))
    assert joined.counted() == whole.counted()
    assert joined.counted() == whole.union(whole).counted()
    if len(set(both)) <= SPARSE:
        assert joined.counted().count == len(set(both))


def test_registers_merge_by_the_greater() -> None:
    one, other = np.array([1, 5, 0], np.uint8), np.array([2, 3, 0], np.uint8)
    merge_into(one, other)
    assert one.tolist() == [2, 5, 0]


def test_sketches_that_differ_do_not_merge() -> None:
    with pytest.raises(ValueError, match="precision 4 and 5"):
        Sketch.of(np.arange(3), 4).union(Sketch.of(np.arange(3), 5))
    with pytest.raises(ValueError, match=r"not 2\^17"):
        Sketch.of(np.arange(3), 17)


def test_large_groups_merged_and_small_ones_walked_say_the_same() -> None:
    random = np.random.default_rng(3)
    label = random.integers(-1, 2, 3_000).astype(np.int32)
    audience = [np.unique(random.integers(0, 3_000, size)) for size in (2_000, 500, 40)]
    offset, poster = np.array([0, 3], np.int64), np.arange(3, dtype=np.int32)
    indptr = np.cumsum([0, *map(len, audience)]).astype(np.int64)
    none = np.zeros(4, np.int64)
    walked = estimates(
        offset, poster, indptr, np.concatenate(audience).astype(np.int32), label, 2,
        none, np.empty(0, np.int32), np.zeros((0, 1 << 10), np.uint8), SEED,
    )  # fmt: skip
    groups = [(v, c) for v in range(3) for c in (0, 1, 2)]
    of = [audience[v][label[audience[v]] == (c if c < 2 else -1)] for v, c in groups]
    sketches = fill(
        np.cumsum([0, *map(len, of)]).astype(np.int64),
        np.concatenate(of).astype(np.int32),
        10,
        SEED,
    )
    merged = estimates(
        offset, poster, np.zeros(4, np.int64), np.empty(0, np.int32), label, 2,
        np.array([0, 3, 6, 9]), np.array([c for _, c in groups], np.int32), sketches, SEED,
    )  # fmt: skip
    assert merged.tolist() == walked.tolist()
    everyone = np.unique(np.concatenate(audience))
    exact = [*(int((label[everyone] == c).sum()) for c in (0, 1, -1)), len(everyone)]
    assert walked[0] == pytest.approx(exact, rel=4 * relative_deviation(10))
