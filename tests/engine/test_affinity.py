"""Observed and expected counts: the toy, cells that are never enumerated, invariants."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.affinity import count_cells, event_labels, leave_own_out, margins, volumes
from engine.csr import Floats, Ints
from engine.lift import SMALLEST_EXPECTED, Prior, expected_step, posterior
from engine.snapshot import NO_TIME
from engine.sources import SourceEvents

Numbers = npt.NDArray[np.integer[Any]]
TOY = np.array([[30, 5, 5], [10, 40, 50], [2, 3, 55]])
PRIOR = Prior(25.0, np.array([0.25, 1.0, 4.0]), np.array([0.1, 0.75, 0.15]))


def made(user: Numbers, source: Numbers, platform: Numbers, sources: int) -> SourceEvents:
    order = np.lexsort((user, source))
    ids = pa.array([f"s{i}" for i in range(sources)])
    return SourceEvents(
        source_kind="user",
        source_id=ids,
        label=ids,
        group=np.zeros(sources, np.int32),
        n_posts=np.full(sources, -1, np.int64),
        repeats=np.zeros(sources, np.int64),
        user=user[order].astype(np.int32),
        source=source[order].astype(np.int32),
        at=np.full(len(user), NO_TIME, np.int64),
        content=np.full(len(user), -1, np.int32),
        platform=platform[order].astype(np.int32),
    )


def toy() -> tuple[SourceEvents, npt.NDArray[np.int32]]:
    """One user an event, in the community its column says."""
    source, community = (a.ravel() for a in np.indices(TOY.shape))
    times = TOY.ravel()
    source, community = np.repeat(source, times), np.repeat(community, times)
    user = np.arange(len(source))
    return made(user, source, np.zeros_like(user), 3), community[None, :].astype(np.int32)


def test_toy_expectations() -> None:
    events, labels = toy()
    fold, scored = np.zeros(3, np.int32), np.ones(3, np.bool_)
    cells = count_cells(events, fold, labels, scored, platforms=1)
    assert cells.observed.reshape(3, 3).tolist() == TOY.tolist()
    assert cells.expected.reshape(3, 3) == pytest.approx(
        np.array([[3.0, 10.75, 26.25], [32.0, 8.0, 60.0], [17.142857, 19.285714, 23.571429]]),
        abs=1e-6,
    )
    margin = margins(events, fold, event_labels(events, fold, labels), (1, 1, 3))
    zero = np.zeros(3, np.int32)
    chance = margin.chance(volumes(events, 1)[zero], zero, np.arange(3, dtype=np.int32))
    assert chance == pytest.approx([8.4, 9.6, 22.0])


def test_toy_scores_and_sums() -> None:
    events, labels = toy()
    cells = count_cells(events, np.zeros(3, np.int32), labels, np.ones(3, np.bool_), platforms=1)
    p = posterior(PRIOR, cells.observed, cells.expected)
    r, low = p.resonance.reshape(3, 3), p.resonance_low.reshape(3, 3)
    high = p.resonance_high.reshape(3, 3)
    assert (r[0, 0], low[0, 0], high[0, 0]) == pytest.approx(
        (82.870370, 78.684580, 86.344866), abs=1e-6
    )
    assert r[1, 1] == pytest.approx(77.734375, abs=1e-6)
    assert (r[2, 2], low[2, 2], high[2, 2]) == pytest.approx(
        (60.835757, 45.066143, 68.594884), abs=1e-6
    )
    weight = TOY / TOY.sum(axis=1, keepdims=True)
    assert (weight * r).sum(axis=1) == pytest.approx([62.268583, 31.420196, 55.766122], abs=1e-6)
    assert (weight * low).sum(axis=1) == pytest.approx([59.013435, 29.107819, 41.310631], abs=1e-6)


def test_own_audience_and_nothing_to_expect() -> None:
    # Community 0 shares source 0 only; community 1 shares both, mostly source 1.
    source = np.repeat([0, 0, 1], [10, 4, 30])
    label = np.repeat([0, 1, 1], [10, 4, 30]).astype(np.int32)
    user = np.arange(44)
    events = made(user, source, np.zeros_like(user), 2)
    cells = count_cells(
        events, np.zeros(2, np.int32), label[None, :], np.ones(2, np.bool_), platforms=1
    )
    assert list(zip(cells.source.tolist(), cells.community.tolist(), strict=True)) == [
        (0, 0),
        (0, 1),
        (1, 1),
    ]
    assert np.isnan(cells.expected).tolist() == [True, False, False]
    assert cells.own_audience.tolist() == [True, False, True]


def test_a_platform_is_not_a_community() -> None:
    """Where communities are platforms, each shares its own at the rate of its platform: lift 1."""
    draw = np.random.default_rng(1)
    platform = np.repeat([0, 1], 500)
    source = np.where(platform == 0, draw.integers(0, 5, 1000), draw.integers(5, 10, 1000))
    events = made(np.arange(1000), source, platform, 10)
    label = platform[None, :].astype(np.int32)
    cells = count_cells(events, np.zeros(10, np.int32), label, np.ones(2, np.bool_), platforms=2)
    assert cells.observed == pytest.approx(cells.expected)


Setting = tuple[SourceEvents, Ints, npt.NDArray[np.int32], npt.NDArray[np.bool_]]


@st.composite
def settings_(draw: st.DrawFn) -> Setting:
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    users, sources, k, folds = 40, int(rng.integers(2, 12)), int(rng.integers(1, 5)), 3
    n = int(rng.integers(1, 120))
    user = rng.integers(0, users, n)
    platform = rng.integers(0, 2, users)[user]
    source = rng.integers(0, sources, n) ** 2 // sources
    labels = rng.integers(-1, k, (folds, users)).astype(np.int32)
    scored = rng.random(k) < 0.8
    return (
        made(user, source, platform, sources),
        rng.integers(0, folds, sources).astype(np.int32),
        labels,
        scored,
    )


def every_cell(setting: Setting) -> tuple[Floats, Floats]:
    """Observed and expected of all scored cells, written out: the reference."""
    events, fold, labels, scored = setting
    k, sources = len(scored), len(events.source_id)
    observed, expected = np.zeros((sources, k)), np.zeros((sources, k))
    for a in range(sources):
        f = fold[a]
        label = labels[f][events.user]
        held = fold[events.source] == f
        for c in range(k):
            total = float((held & (label == c)).sum())
            own = float(((events.source == a) & (label == c)).sum())
            chance = 0.0
            for p in (0, 1):
                on = held & (events.platform == p)
                if on.any():
                    s = float(((events.source == a) & (events.platform == p)).sum())
                    chance += s * float((on & (label == c)).sum()) / float(on.sum())
            observed[a, c] = own
            ratio = (total - own) / (total - chance) if total > chance + 1e-12 else np.nan
            expected[a, c] = chance * ratio if chance > 0 and total > own else np.nan
    return observed[:, scored], expected[:, scored]


@settings(max_examples=60, deadline=None)
@given(settings_())
def test_cells_and_the_histogram_of_the_others(setting: Setting) -> None:
    events, fold, labels, scored = setting
    cells = count_cells(events, fold, labels, scored, platforms=2)
    observed, expected = every_cell(setting)
    some = observed > 0
    assert cells.observed.tolist() == observed[some].tolist()
    assert cells.expected == pytest.approx(expected[some], nan_ok=True)
    zero = expected[~some & (np.nan_to_num(expected) > SMALLEST_EXPECTED)]
    steps, count = np.unique(expected_step(zero), return_counts=True)
    assert dict(
        zip(expected_step(cells.zero_expected).tolist(), cells.zero_count.tolist(), strict=True)
    ) == dict(zip(steps.tolist(), count.tolist(), strict=True))
    inside = observed.sum()
    assert cells.lost_share == pytest.approx(1.0 - inside / len(events))


@settings(max_examples=30, deadline=None)
@given(settings_())
def test_expectations_add_up_to_what_was_shared(setting: Setting) -> None:
    events, fold, labels, scored = setting
    k, sources = len(scored), len(events.source_id)
    label = event_labels(events, fold, labels)
    margin = margins(events, fold, label, (len(labels), 2, k))
    volume = volumes(events, 2)
    for f in range(len(labels)):
        for c in range(k):
            of = np.flatnonzero(fold == f)
            where = np.full(len(of), c, np.int32)
            total = margin.chance(volume[of], fold[of], where).sum()
            held = (fold[events.source] == f) & (label == c)
            assert total == pytest.approx(float(held.sum()))
    assert len(volume) == sources


@settings(max_examples=30, deadline=None)
@given(settings_())
def test_splitting_a_community_by_label_leaves_the_others_alone(setting: Setting) -> None:
    events, fold, labels, _ = setting
    k = int(labels.max()) + 1 if labels.max() >= 0 else 1
    scored = np.ones(k + 1, np.bool_)
    half = labels.copy()
    half[(labels == 0) & (np.arange(labels.shape[1]) % 2 == 0)] = k
    whole = count_cells(events, fold, labels, scored, platforms=2)
    split = count_cells(events, fold, half, scored, platforms=2)
    rest_whole = (whole.community > 0) & (whole.community < k)
    rest_split = (split.community > 0) & (split.community < k)
    assert whole.expected[rest_whole] == pytest.approx(split.expected[rest_split], nan_ok=True)
    parts = (split.community == 0) | (split.community == k)
    sums = np.bincount(split.source[parts], split.observed[parts], len(fold))
    first = whole.community == 0
    assert sums[whole.source[first]].tolist() == whole.observed[first].tolist()


@settings(max_examples=30, deadline=None)
@given(settings_(), st.integers(0, 99))
def test_numbers_of_users_do_not_matter(setting: Setting, seed: int) -> None:
    events, fold, labels, scored = setting
    names = np.random.default_rng(seed).permutation(labels.shape[1])
    renamed = np.empty_like(labels)
    renamed[:, names] = labels
    moved = made(names[events.user], events.source, events.platform, len(fold))
    a = count_cells(events, fold, labels, scored, platforms=2)
    b = count_cells(moved, fold, renamed, scored, platforms=2)
    assert a.expected.tobytes() == b.expected.tobytes()
    assert a.zero_count.tobytes() == b.zero_count.tobytes()


def test_no_events_give_no_cells() -> None:
    none = np.empty(0, np.int64)
    cells = count_cells(
        made(none, none, none, 0),
        np.empty(0, np.int32),
        np.zeros((2, 5), np.int32),
        np.ones(1, np.bool_),
        platforms=1,
    )
    assert (len(cells), cells.lost_share, len(cells.zero_count)) == (0, 0.0, 0)


def test_leave_own_out_is_null_where_nothing_is_left() -> None:
    found = leave_own_out(np.array([0.0, 5.0, 5.0]), np.array([5.0, 5.0, 9.0]), [1.0, 2.0, 9.0])
    assert np.isnan(found).tolist() == [True, True, True]
