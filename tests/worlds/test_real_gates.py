"""The release gates of the measure on real data: the German election of 2021."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import kindred
from kindred.demo.shows import DATA
from kindred.validated import Validated
from tests.worlds.ledger import told

pytestmark = pytest.mark.gates

ELECTION = DATA / "election" / "german_elections.csv.gz"
KINDS = ("brand", "url", "hashtag")
"""Domains as brands are the set that is required; of the others only what every set must keep."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Validated:
    with kindred.connect(tmp_path_factory.mktemp("election") / "store") as k:
        k.load(ELECTION, brands="domains")
        return k.validate(split=0.6, sources=KINDS)


def rivals(found: Validated, kind: str) -> Mapping[str, Mapping[str, Any]]:
    return {
        row["rival"]: row
        for row in found
        if row["source_kind"] == kind and row["volume"] == "given"
    }


def slope(found: Validated, kind: str) -> Mapping[str, Any]:
    return next(
        row
        for row in found.calibration
        if (row["source_kind"], row["method"], row["platform"]) == (kind, "crossfit", None)
    )


def test_claims_on_domains_come_true(found: Validated) -> None:
    row = slope(found, "brand")
    said = f"{row['slope']:.2f} [{row['slope_low']:.2f}, {row['slope_high']:.2f}]"
    met = 0.8 <= row["slope"] <= 1.2
    assert told("4 real", "German domains", "slope in [.8, 1.2]", said, met=met)


def test_the_score_is_ahead_of_every_baseline_on_domains(found: Validated) -> None:
    by_name = rivals(found, "brand")
    nearest = min((row for name, row in by_name.items() if name != "score"), key=_behind)
    said = (
        f"{by_name['score']['deviance_explained']:.3f}, ahead of {nearest['label']} by "
        f"{nearest['ahead']:.3f} [{nearest['ahead_low']:.3f}, {nearest['ahead_high']:.3f}]"
    )
    target = "deviance explained ahead of every baseline"
    met = all(row["ahead_low"] > 0 for name, row in by_name.items() if name != "score")
    assert told("4 real", "German domains", target, said, met=met)


@pytest.mark.parametrize("kind", KINDS)
def test_the_score_is_nowhere_worse_than_the_raw_ratio(found: Validated, kind: str) -> None:
    by_name, line = rivals(found, kind), slope(found, kind)
    raw = by_name["raw"]
    said = (
        f"{by_name['score']['deviance_explained']:.3f} against {raw['deviance_explained']:.3f}, "
        f"slope {line['slope']:.2f} [{line['slope_low']:.2f}, {line['slope_high']:.2f}]"
    )
    target = "deviance explained not below raw O/E"
    met = raw["ahead"] >= 0
    assert told("4 real", f"German {kind}s", target, said, met=met)


def _behind(row: Mapping[str, Any]) -> float:
    return float(row["ahead_low"])
