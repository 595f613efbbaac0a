"""Accounts in step, against counting pairs by hand."""

from __future__ import annotations

import numpy as np
import pytest

from engine.assemble import assemble
from engine.in_step import GAP, in_step_counts, most_in_step
from engine.shares import first_shares
from engine.snapshot import NO_TIME, Snapshot
from tests.engine.backends.worlds import world
from tests.engine.test_window import moment


def shared(seed: int, many: int = 300) -> Snapshot:
    draw = np.random.default_rng(seed)
    return assemble(
        world(
            shares=[
                {
                    "user_id": f"x:{draw.integers(40)}",
                    "content_id": f"x:p{draw.integers(6)}",
                    "at": None if draw.random() < 0.1 else moment(float(draw.integers(400)) / 720),
                }
                for _ in range(many)
            ]
        )
    )


@pytest.mark.parametrize("seed", range(10))
def test_counts_are_those_of_all_pairs(seed: int) -> None:
    s = shared(seed)
    f = first_shares(s)
    count = [0] * len(s.users)
    for i in range(len(f)):
        near = [
            j
            for j in range(len(f))
            if j != i
            and f.content[j] == f.content[i]
            and NO_TIME not in {int(f.at[i]), int(f.at[j])}
            and abs(int(f.at[j]) - int(f.at[i])) <= GAP
        ]
        count[int(f.user[i])] += bool(near)
    assert sum(count) > 10
    assert in_step_counts(f, len(s.users)).tolist() == count


def test_one_in_a_hundred_is_taken_and_none_that_never_is() -> None:
    s = shared(1)
    f = first_shares(s)
    count = in_step_counts(f, len(s.users))
    (most,) = np.flatnonzero(most_in_step(f, len(s.users)))
    assert count[most] == count.max()
    alone = assemble(world(shares=[{"user_id": "x:a", "content_id": "x:1", "at": moment(0)}]))
    assert not most_in_step(first_shares(alone), 1).any()
