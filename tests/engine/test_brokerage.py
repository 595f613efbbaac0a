"""Brokerage against counting every user's ties one by one."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.assemble import assemble
from engine.brokerage import brokerage
from engine.partition import Partitions
from engine.snapshot import Snapshot

people = st.sampled_from([f"x:{c}" for c in "abcdefgh"])
turns = st.lists(st.tuples(people, people), min_size=1, max_size=40)
PLACES = {"x:a": 0, "x:b": 0, "x:c": 1, "x:d": 1, "x:e": 2, "x:f": 2, "x:g": 2}
"""x:h is in no community."""


def partition(snapshot: Snapshot) -> Partitions:
    ids = snapshot.users.user_id.to_pylist()
    label = np.array([PLACES.get(u, -1) for u in ids], np.int32)
    return Partitions(label, label[None, :], np.ones(len(ids)), np.ones(3, np.bool_), 1.0)


@given(turns)
@settings(max_examples=25, deadline=None)
def test_brokerage_is_the_participation_of_distinct_ties(turned: list[tuple[str, str]]) -> None:
    names = {"user_id": [u for u, _ in turned], "target_id": [v for _, v in turned]}
    snapshot = assemble({"mentions": pa.table(names)})
    ties: defaultdict[str, set[str]] = defaultdict(set)
    for u, v in turned:
        if u != v:
            ties[u].add(v)
            ties[v].add(u)
    found = brokerage(snapshot, partition(snapshot))
    for user, value in zip(snapshot.users.user_id.to_pylist(), found.tolist(), strict=True):
        counts = Counter(PLACES[v] for v in ties[user] if v in PLACES)
        total = sum(counts.values())
        if total:
            expected = 1 - sum((n / total) ** 2 for n in counts.values())
            assert value == pytest.approx(expected, abs=1e-12)
        else:
            assert np.isnan(value)


def test_nobody_brokers_where_there_are_no_communities() -> None:
    snapshot = assemble({"mentions": pa.table({"user_id": ["x:a"], "target_id": ["x:b"]})})
    nobody = Partitions(
        np.full(2, -1, np.int32),
        np.zeros((0, 2), np.int32),
        np.zeros(2),
        np.zeros(0, np.bool_),
        1.0,
    )
    assert np.isnan(brokerage(snapshot, nobody)).tolist() == [True, True]
