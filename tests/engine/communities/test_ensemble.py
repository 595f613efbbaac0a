"""Scores held against communities of resampled ties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from engine import ensemble
from engine.communities import find, seen_by_folds
from engine.edges import ItemEdges, PairEdges
from engine.ensemble import drawn, ranges, rescored
from engine.groups import folds
from engine.params import AnalysisParams
from engine.resonance import score
from engine.results import table
from engine.sources import all_events

PARAMS = AnalysisParams(folds=2, rewirings=0, ensemble=4, sources=("user",))


def test_resampled_pairs_keep_their_weight_on_average_and_weak_ones_go() -> None:
    n = 4_000
    pairs = PairEdges(
        2 * n,
        np.arange(n, dtype=np.int32),
        np.arange(n, 2 * n, dtype=np.int32),
        np.repeat([1.0, 5.0], n // 2),
    )
    drawn_again = pairs.resample([1, 2])
    weak, strong = drawn_again.u < n // 2, drawn_again.u >= n // 2
    unit = pairs.unit
    assert unit == 3.0
    assert drawn_again.weight[weak].sum() / (n / 2) == pytest.approx(1.0, abs=0.15)
    assert drawn_again.weight[strong].sum() / (n / 2) == pytest.approx(5.0, abs=0.3)
    assert weak.sum() / (n / 2) == pytest.approx(1 - np.exp(-1 / 3), abs=0.04)
    assert strong.sum() / (n / 2) == pytest.approx(1 - np.exp(-5 / 3), abs=0.04)
    assert set((drawn_again.weight / unit % 1).tolist()) == {0.0}
    assert pairs.resample([1, 2]).weight.tolist() == drawn_again.weight.tolist()
    assert pairs.resample([1, 3]).u.tolist() != drawn_again.u.tolist()


def test_resampled_items_are_there_whole_several_times_or_not_at_all() -> None:
    user = np.concatenate([np.arange(3 * i, 3 * i + 3) for i in range(2_000)]).astype(np.int32)
    item = np.repeat(np.arange(2_000), 3).astype(np.int32)
    edges = ItemEdges.of(6_000, 2_000, user, item)
    again = edges.resample([1])
    times = np.bincount(again.user, minlength=6_000).reshape(-1, 3)
    assert (times == times[:, :1]).all(), "all three users of an item or none"
    assert times[:, 0].mean() == pytest.approx(1.0, abs=0.07)
    assert (times[:, 0] == 0).mean() == pytest.approx(np.exp(-1), abs=0.04)
    assert again.graph().total == pytest.approx(edges.graph().total * times[:, 0].mean())


def test_members_of_clear_communities_stay_and_others_move(plant: Callable[..., Any]) -> None:
    clear = plant(1_200, 20, 0.1, 1, (60, 200)).snapshot()
    vague = plant(1_200, 4, 0.6, 1, (60, 200)).snapshot()
    steady, moved = (drawn(s, find(s, PARAMS, gamma=1.0), PARAMS) for s in (clear, vague))
    assert np.nanmean(steady.stability) > 0.95
    assert np.nanmean(moved.stability) < 0.5
    assert steady.runs == 4 * 3
    for member in steady.members:
        assert member.folds.shape == (2, 1_200)
        assert len(member.scored) == member.k


def test_a_user_in_no_community_has_no_stability(plant: Callable[..., Any]) -> None:
    snapshot = plant(600, 3, 0.2, 1, (60, 200)).snapshot()
    found = find(snapshot, PARAMS)
    none = found.partitions.reference < 0
    assert none.any()
    stability = drawn(snapshot, found, PARAMS).stability
    assert np.isnan(stability).tolist() == none.tolist()
    assert ((stability[~none] >= 0) & (stability[~none] <= 1)).all()


def test_a_fold_is_resampled_without_its_own_sources(plant: Callable[..., Any]) -> None:
    """Redirect every share of a source of fold 0 elsewhere: what it draws from is the same."""
    made = plant(900, 8, 0.2, 1)
    snapshot = made.snapshot()
    ties = find(snapshot, PARAMS, gamma=1.0).ties
    hidden = (folds(ties.groups, PARAMS.folds, PARAMS.seed) == 0)[ties.groups.of_user]
    other = np.random.default_rng(1).choice(np.flatnonzero(hidden), len(made.v))
    redirected = type(made)(made.u, np.where(hidden[made.v], other, made.v), made.truth)
    again = redirected.snapshot()
    parts = []
    for data in (snapshot, again):
        of = find(data, PARAMS, gamma=1.0)
        seen = seen_by_folds(data, of.ties, PARAMS)
        parts.append([make().resample([1]).graph().pairs() for make in seen])
    (zero, one), (zero_again, one_again) = parts
    assert [a.tolist() for a in zero] == [a.tolist() for a in zero_again]
    assert one[0].tolist() != one_again[0].tolist()


def test_large_graphs_get_fewer_members_and_a_sentence(
    plant: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = plant(600, 6, 0.2, 1, (60, 200)).snapshot()
    found = find(snapshot, PARAMS)
    ten = PARAMS.model_copy(update={"ensemble": 10})
    monkeypatch.setattr(ensemble, "ENOUGH", 5 * 3 * len(found.graph.indices))
    part = drawn(snapshot, found, ten)
    assert len(part.members) == 5
    assert any("too many for 10 draws; 5 were made" in text for _, text, _ in part.notes)
    monkeypatch.setattr(ensemble, "ENOUGH", 1)
    assert len(drawn(snapshot, found, ten).members) == 3
    off = drawn(snapshot, found, PARAMS.model_copy(update={"ensemble": 0}))
    assert (off.members, off.runs, off.notes) == ((), 0, ())
    assert np.isnan(off.stability).all()


def scores(rows: list[tuple[str, str, str | None, float | None]]) -> pa.Table:
    kind, source, community, resonance = zip(*rows, strict=True)
    n = len(rows)
    return table(
        "scores",
        {
            "source_kind": list(kind),
            "source_id": list(source),
            "community_id": pa.array(community, pa.string()),
            "observed": [1.0] * n,
            "resonance": pa.array(resonance, pa.float64()),
            "tier": ["affinity"] * n,
            "flags": [[]] * n,
        },
    )


def test_a_range_runs_from_the_lowest_to_the_highest_score_of_all_members() -> None:
    own = scores(
        [
            ("user", "a", None, 30.0),
            ("user", "a", "c1", 40.0),
            ("user", "a", "c2", 10.0),
            ("user", "b", "c1", 20.0),
            ("user", "b", "c3", 50.0),
            ("url", "a", "c1", 7.0),
            ("user", "c", "c1", None),
        ]
    )
    members = [
        scores(
            [
                ("user", "a", None, 35.0),
                ("user", "a", "c1", 44.0),
                ("user", "z", "c1", 99.0),
                ("user", "a", "c2", 5.0),
                ("user", "c", "c1", 3.0),
                ("user", "a", "c9", 1.0),
            ]
        ),
        scores([("user", "a", None, 20.0), ("user", "a", "c1", 30.0), ("user", "b", "c1", 26.0)]),
    ]
    found = ranges(own, iter(members)).to_pylist()
    told = {
        (r["source_kind"], r["source_id"], r["community_id"]): (
            r["partition_low"],
            r["partition_high"],
        )
        for r in found
    }
    assert told == {
        ("user", "a", None): (20.0, 35.0),
        ("user", "a", "c1"): (30.0, 44.0),
        ("user", "a", "c2"): (5.0, 10.0),  # the second member has no c2: it says nothing of it
        ("user", "b", "c1"): (0.0, 26.0),  # the first has c1, but nobody there shares b
        ("user", "b", "c3"): (None, None),  # no member has c3
        ("url", "a", "c1"): (None, None),
        ("user", "c", "c1"): (None, None),  # without a score of its own there is no range
    }


def test_scores_of_clear_communities_hardly_move(plant: Callable[..., Any]) -> None:
    wide = {}
    for name, degree, mixing in (("clear", 20, 0.1), ("vague", 8, 0.45)):
        snapshot = plant(900, degree, mixing, 1, (90, 200)).snapshot()
        found = find(snapshot, PARAMS, gamma=1.0)
        shared = all_events(snapshot, PARAMS)
        own = score(snapshot, found.partitions, PARAMS, events_by_kind=shared).table
        others = drawn(snapshot, found, PARAMS)
        rows = rescored(others, own, snapshot, PARAMS, shared)
        low, mid, high = (
            rows[c].to_numpy() for c in ("partition_low", "resonance", "partition_high")
        )
        known = ~np.isnan(low)
        assert known.mean() > 0.9
        assert (low[known] <= mid[known]).all()
        assert (mid[known] <= high[known]).all()
        assert rows.drop_columns(["partition_low", "partition_high"]).equals(
            own.drop_columns(["partition_low", "partition_high"])
        )
        wide[name] = float((high - low)[known].mean())
    assert wide["clear"] < 0.5 * wide["vague"]


def test_threads_change_no_draw(plant: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = plant(600, 6, 0.3, 1).snapshot()
    found = find(snapshot, PARAMS)
    said = []
    for threads in ("1", "3"):
        monkeypatch.setenv("KINDRED_THREADS", threads)
        members = drawn(snapshot, found, PARAMS).members
        said.append([(m.reference.tobytes(), m.folds.tobytes()) for m in members])
    assert said[0] == said[1]
