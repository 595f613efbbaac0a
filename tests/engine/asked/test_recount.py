"""Counted again, every cell is what the run kept; without some people, what the data are then."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from engine.affinity import event_labels
from engine.recount import Counting, Recount, lacking
from tests.engine.asked.conftest import Asked

CASES = [("affinity", "user"), ("affinity", "domain"), ("follows", "user"), ("follows", "domain")]


def counted(asked: Asked, tier: str, kind: str) -> tuple[Counting, list[str], Recount]:
    scene = asked.scene(tier)
    counting = Counting.of(asked.k.backend, scene, kind)
    ids = sorted(scene.events(counting.kind).source_id.to_pylist())
    return counting, ids, counting.cells(pa.array(ids, pa.string()))


@pytest.mark.parametrize(("tier", "kind"), CASES)
def test_every_cell_is_the_one_the_run_kept(asked: Asked, tier: str, kind: str) -> None:
    counting, ids, found = counted(asked, tier, kind)
    communities = counting.scene.partitions.community_ids.to_pylist()
    rows = [
        row
        for row in asked.k.table("scores", run=asked.runs[tier]).to_dicts()
        if row["source_kind"] == kind and row["community_id"] is not None
    ]
    assert len(rows) > 12
    assert {row["tier"] for row in rows} == {tier}
    for row in rows:
        at = ids.index(row["source_id"]), communities.index(row["community_id"])
        assert found.observed[at] == row["observed"]
        assert found.expected[at] == pytest.approx(row["expected"], rel=1e-9, nan_ok=True)
        # With unknown exposure weight and lift are let settle; the run stops a turn earlier.
        close = 1e-9 if tier == "follows" else 5e-3
        assert found.weight[at] == pytest.approx(row["weight"], rel=close, nan_ok=True)


def test_cells_without_a_share_expect_something(asked: Asked) -> None:
    counting, ids, found = counted(asked, "affinity", "user")
    shares = counting.scene.events("user")
    label = event_labels(
        shares, counting.scene.group_folds[shares.group], counting.scene.partitions.folds
    )
    empty = [
        (i, c)
        for i, source_id in enumerate(ids)
        for c in range(counting.scene.partitions.k)
        if not np.any((label == c) & (shares.source == shares.source_id.index(source_id).as_py()))
    ]
    assert len(empty) > 5
    assert all(found.observed[at] == 0 and found.expected[at] > 0 for at in empty)


@pytest.mark.parametrize("tier", ["affinity", "follows"])
def test_without_people_is_as_if_they_had_done_nothing(asked: Asked, tier: str) -> None:
    scene = asked.scene(tier)
    counting = Counting.of(asked.k.backend, scene, "domain")
    gone = np.zeros(len(scene.snapshot.users), np.bool_)
    gone[::7] = True
    ids = pa.array(sorted(scene.events("domain").source_id.to_pylist()), pa.string())
    found, whole = counting.cells(ids, without=gone), counting.cells(ids)
    assert not gone[found.shares.user].any()
    kept = [
        np.sum((whole.source == s) & (whole.label == c) & ~gone[whole.shares.user])
        for s in range(len(ids))
        for c in range(scene.partitions.k)
    ]
    if tier == "affinity":
        assert found.observed.ravel().tolist() == kept
    else:
        # Who is gone put nothing before others: some shares of others lose their exposure.
        assert np.all(found.observed.ravel() <= kept)
    assert np.all(found.expected.sum(axis=0) < whole.expected.sum(axis=0))


def test_what_is_lacking(asked: Asked) -> None:
    whole = asked.scene("follows").snapshot
    gone = np.zeros(len(whole.users), np.bool_)
    gone[3] = True
    cut = lacking(whole, gone)
    assert len(cut.users) == len(whole.users)
    assert 3 not in cut.shares.user
    assert 3 not in cut.follows.follower
    assert 3 in cut.follows.followee
    assert np.array_equal(cut.contents.author, whole.contents.author)
    assert not cut.contents.posted[cut.contents.author == 3].any()
    assert cut.contents.posted[cut.contents.author != 3].all()
