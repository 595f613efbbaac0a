"""Sources beside each other: differences against draws of each alone, and who shares what."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import kindred
from tests.engine.asked.conftest import Asked

NAMES = ["x:u003", "x:u004", "x:u050", "paper10.org"]


@pytest.mark.parametrize("tier", ["affinity", "follows"])
def test_every_pair_in_every_community(asked: Asked, tier: str) -> None:
    found = asked.k.compare_sources(NAMES, run=asked.runs[tier])
    communities = asked.scene(tier).partitions.community_ids.to_pylist()
    keys = [
        (row["source_id"], row["other_source_id"], row["community_id"]) for row in found.differences
    ]
    ids = ["x:u003", "x:u004", "x:u050", "domain:paper10.org"]
    assert keys == [(a, b, c) for a, b in combinations(ids, 2) for c in (None, *communities)]
    cells = {(row["source_id"], row["community_id"]): row for row in found.cells}
    assert set(cells) == {(i, c) for i in ids for c in communities}
    for row in found.differences:
        if row["community_id"] is None:
            continue
        one, other = (
            cells[row[name], row["community_id"]] for name in ("source_id", "other_source_id")
        )
        middle = np.log2(one["lift"] / other["lift"])
        width = row["log2_lift_high"] - row["log2_lift_low"]
        assert abs(row["log2_lift"] - middle) < 0.15 * width
        # Of independent figures the square of the width is near the sum of the squares.
        widths = [np.log2(c["lift_high"] / c["lift_low"]) for c in (one, other)]
        assert width == pytest.approx(np.hypot(*widths), rel=0.25)
        assert row["resonance_low"] <= row["resonance"] <= row["resonance_high"]


def test_a_pair_turned_round_has_the_other_sign(asked: Asked) -> None:
    one = asked.k.compare_sources(NAMES[:2]).differences.to_dicts()
    other = asked.k.compare_sources(NAMES[1::-1]).differences.to_dicts()
    for a, b in zip(one, other, strict=True):
        assert a["resonance"] == pytest.approx(-b["resonance"])
        assert a["resonance_low"] == pytest.approx(-b["resonance_high"])
        if a["community_id"]:
            assert a["log2_lift"] == pytest.approx(-b["log2_lift"])
            assert a["prob_above"] == pytest.approx(1 - b["prob_above"])


def test_shared_and_exclusive_communities(asked: Asked) -> None:
    run = asked.runs["affinity"]
    found = asked.k.compare_sources(NAMES[:3], run=run)
    flagged: dict[str, set[str]] = {}
    for row in asked.k.scores(flagged=True, run=run):
        flagged.setdefault(row["community_id"], set()).add(row["label"])
    standing = set()
    for row in found:
        names = {"Person 3", "Person 4", "Person 50"} & flagged.get(row["community_id"], set())
        assert set(row["sources"]) == names
        assert row["standing"] == ("open", "exclusive", "shared", "shared")[len(names)]
        standing.add(row["standing"])
    assert standing == {"open", "exclusive", "shared"}


@pytest.mark.parametrize(
    "names", [["x:u003"], ["x:u003", "u003"], [f"x:u{i:03}" for i in range(11)]]
)
def test_two_to_ten_can_be_compared(asked: Asked, names: list[str]) -> None:
    with pytest.raises(kindred.UsageError, match="name two to 10"):
        asked.k.compare_sources(names)
