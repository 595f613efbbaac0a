"""Bunches of shares: found where planted, not invented where there are none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from engine.csr import Ints
from engine.dispersion import dispersion
from engine.snapshot import NO_TIME
from engine.sources import SourceEvents

Longs = npt.NDArray[np.int64]


def events(source: Longs, content: Longs, at: Longs | None = None) -> SourceEvents:
    sources = int(source.max()) + 1
    ids = pa.array([f"s{i}" for i in range(sources)])
    n = len(source)
    return SourceEvents(
        source_kind="user",
        source_id=ids,
        label=ids,
        group=np.zeros(sources, np.int32),
        n_posts=np.full(sources, -1, np.int64),
        repeats=np.zeros(sources, np.int64),
        user=np.arange(n, dtype=np.int32),
        source=source.astype(np.int32),
        at=np.full(n, NO_TIME, np.int64) if at is None else at,
        content=content.astype(np.int32),
        platform=np.zeros(n, np.int32),
    )


def planted(phi: float) -> tuple[SourceEvents, Ints]:
    """200 sources of 10 posts of 30 shares; posts differ in how well they do in community 0."""
    draw = np.random.default_rng(1)
    source, post = np.repeat(np.arange(200), 10), np.arange(2000)
    appeal = draw.gamma(1.0 / phi, phi, 2000) if phi > 0 else np.ones(2000)
    inside = draw.binomial(30, np.clip(0.1 * appeal, 0.0, 1.0))
    label = np.where(np.arange(30) < inside[:, None], 0, -1).ravel().astype(np.int32)
    return events(np.repeat(source, 30), np.repeat(post, 30)), label


@pytest.mark.parametrize("phi", [0.5, 1.0])
def test_finds_what_was_planted(phi: float) -> None:
    assert dispersion(*planted(phi)).phi == pytest.approx(phi, rel=0.15)


def test_invents_nothing() -> None:
    assert dispersion(*planted(0.0)).phi == 0.1


def test_a_post_shared_once_bunches_nothing() -> None:
    found = dispersion(events(np.zeros(9, np.int64), np.arange(9)), np.zeros(9, np.int32))
    assert (found.phi, found.bunching.tolist()) == (0.5, [0.0])
    assert found.weight(np.zeros(1, np.int32), np.array([50.0])).tolist() == [1.0]


def test_one_viral_post_is_one_event() -> None:
    found = dispersion(
        events(np.zeros(10, np.int64), np.zeros(10, np.int64)), np.zeros(10, np.int32)
    )
    assert found.bunching.tolist() == [0.9]
    weight = found.weight(np.zeros(1, np.int32), np.array([1e6]))
    assert 1e6 * weight[0] == pytest.approx(1.0 / (0.5 * 0.9), rel=1e-3)


def test_windows_of_time_stand_in_for_contents() -> None:
    at = np.arange(40, dtype=np.int64)
    found = dispersion(events(np.zeros(40, np.int64), np.full(40, -1), at), np.zeros(40, np.int32))
    assert found.bunching == pytest.approx([20 * 2 * 1 / 40**2], rel=0.1)


def test_without_contents_and_times_nothing_is_known() -> None:
    found = dispersion(events(np.zeros(4, np.int64), np.full(4, -1)), np.zeros(4, np.int32))
    assert np.isnan(found.bunching).tolist() == [True]
    assert found.weight(np.zeros(1, np.int32), np.array([5.0])).tolist() == [1.0]
