"""Validation: a made world where the score is known to be worth something, and bad input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from engine.assemble import assemble
from engine.baselines import RIVALS
from engine.calibration import calibrate
from engine.errors import TooLittleData, UsageError
from engine.params import AnalysisParams
from engine.snapshot import Snapshot
from engine.validation import REPORTS, Validation, validate
from tests.worlds.planted import SMALL, make

PARAMS = AnalysisParams(sources=("user",), rewirings=0, folds=3, gamma=1.0)


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return assemble(make(replace(SMALL, habit=0.006, posts=60.0)).tables)


@pytest.fixture(scope="module")
def found(snapshot: Snapshot) -> Validation:
    return validate(snapshot, PARAMS)


def rows(found: Validation, report: str) -> dict[str, dict[str, Any]]:
    picked = found.rivals.filter(pc.equal(found.rivals["volume"], report)).to_pylist()
    return {row["rival"]: row for row in picked}


def test_every_rival_is_told_in_both_exercises(found: Validation) -> None:
    for report in REPORTS:
        assert list(rows(found, report)) == list(RIVALS)
    for row in found.rivals.to_pylist():
        assert row["label"] == RIVALS[row["rival"]]
        assert (row["ahead"] is None) == (row["rival"] == "score")
        assert row["rival"] == "score" or row["ahead_low"] <= row["ahead"] <= row["ahead_high"]


def test_the_score_is_surely_ahead_where_people_share_as_it_assumes(found: Validation) -> None:
    by_name = rows(found, "given")
    assert {row["tier"] for row in by_name.values()} == {"follows"}
    assert by_name["margins"]["deviance_explained"] == pytest.approx(0.0)
    assert by_name["score"]["deviance_explained"] > 0.3
    assert min(by_name[name]["ahead_low"] for name in RIVALS if name != "score") > 0.0
    # These say how loud a source is, and that is given away.
    for name in ("pagerank", "h_index"):
        assert by_name[name]["deviance_explained"] == pytest.approx(0.0, abs=0.05)


def test_slopes_are_those_of_calibration(snapshot: Snapshot, found: Validation) -> None:
    again = calibrate(snapshot, PARAMS)
    assert found.calibration.equals(again.calibration)
    assert found.calibration_bins.equals(again.calibration_bins)
    told = {row["method"]: row for row in found.calibration.to_pylist()}
    row = rows(found, "given")["score"]
    assert row["deviance_explained"] == pytest.approx(told["crossfit"]["deviance_explained"])
    assert rows(found, "given")["smoothed"]["deviance_explained"] == pytest.approx(
        told["crossfit"]["deviance_smoothed"]
    )
    assert row["cell_count"] == told["crossfit"]["cell_count"]


def test_of_topics_nobody_asks_for_followers() -> None:
    world = make(replace(SMALL, habit=0.006, posts=60.0))
    number = np.arange(world.tables["content"].num_rows)
    topics = pa.table(
        {
            "content_id": world.tables["content"]["content_id"],
            "kind": ["hashtag"] * len(number),
            "label": [f"tag{n % 40}" for n in number.tolist()],
        }
    )
    tagged = assemble({**world.tables, "topics": topics})
    made = validate(tagged, PARAMS.model_copy(update={"sources": ("hashtag",)}))
    assert list(rows(made, "given")) == [
        "score", "margins", "raw", "smoothed", "dirichlet", "shares", "h_index",
    ]  # fmt: skip


def test_what_cannot_be_validated_is_said_in_words(snapshot: Snapshot) -> None:
    with pytest.raises(UsageError, match="no part of the time"):
        validate(snapshot, PARAMS.model_copy(update={"split": None}))
    with pytest.raises(TooLittleData, match="nobody shares anything"):
        validate(assemble({"users": pa.table({"user_id": ["x:a"]})}), PARAMS)
    shares = pa.table({"user_id": ["x:b"], "content_id": ["x:1"]})
    content = pa.table({"content_id": ["x:1"], "author_id": ["x:a"]})
    with pytest.raises(TooLittleData, match="no share has a time"):
        validate(assemble({"shares": shares, "content": content}), PARAMS)
    at = pa.array([1_700_000_000_000_000], pa.timestamp("us", "UTC"))
    timed = assemble({"shares": shares.append_column("at", at), "content": content})
    with pytest.raises(TooLittleData, match="by new sharers after the split: 1 of user"):
        validate(timed, PARAMS)
