"""A run a window of time, and the scores along them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kindred
from engine.errors import NotFound, TooLittleData, UsageError
from engine.series import MOST_WINDOWS

QUICK: dict[str, Any] = {"rewirings": 0, "split": None, "ensemble": 0, "folds": 2}


@pytest.fixture(scope="module")
def k(small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[kindred.Kindred]:
    store = tmp_path_factory.mktemp("series") / "store"
    shutil.copytree(small_store, store)
    with kindred.connect(store) as opened:
        yield opened


@pytest.fixture(scope="module")
def runs(k: kindred.Kindred) -> kindred.Result:
    return k.analyse(every="10d", **QUICK)


def test_windows_follow_one_another(k: kindred.Kindred, runs: kindred.Result) -> None:
    rows = runs.to_dicts()
    assert [row["since"].isoformat()[:10] for row in rows] == [
        "2021-09-01", "2021-09-11", "2021-09-21",
    ]  # fmt: skip
    assert [row["until"] for row in rows[:-1]] == [row["since"] for row in rows[1:]]
    assert [row["active"] for row in rows] == [False, False, True]
    known = {run.run_id: run for run in k.backend.runs()}
    assert [known[row["run_id"]].params.continues for row in rows[1:]] == [
        row["run_id"] for row in rows[:-1]
    ]
    shares = sum(known[row["run_id"]].counts["shares"] for row in rows)
    assert shares == 4_200


def test_a_window_alone_gives_the_same_figures(k: kindred.Kindred, runs: kindred.Result) -> None:
    row = runs.to_dicts()[1]
    alone = k.analyse(
        window="2021-09-11..2021-09-21",
        continues=runs.to_dicts()[0]["run_id"],
        **QUICK,
    )
    assert alone.run_id == row["run_id"]


def test_communities_keep_their_ids(k: kindred.Kindred, runs: kindred.Result) -> None:
    members = [
        {
            row["user_id"]: row["community_id"]
            for row in k.table("memberships", run=run["run_id"]).to_dicts()
            if row["fold"] is None and row["level"] == 1
        }
        for run in runs
    ]
    both = members[0].keys() & members[2].keys()
    same = sum(members[0][user] == members[2][user] for user in both)
    assert len(both) > 100
    assert same / len(both) > 0.95


def test_the_series_of_a_source(k: kindred.Kindred, runs: kindred.Result) -> None:
    last = runs.to_dicts()[-1]["run_id"]
    rows = k.series("u003", run=last).to_dicts()
    ids = [row["run_id"] for row in runs]
    by_place = {(row["run_id"], row["community_id"]): row for row in rows}
    places = {place for _, place in by_place}
    assert [row["run_id"] for row in rows] == ids * len(places)
    for run in ids:
        stored = {
            row["community_id"]: row
            for row in k.table("scores", run=run).to_dicts()
            if row["source_id"] == "x:u003"
        }
        for place in places:
            row = by_place[run, place]
            if place in stored:
                assert {n: row[n] for n in stored[place] if n in row} == {
                    n: stored[place][n] for n in stored[place] if n in row
                }
                assert row["reason"] is None
            else:
                assert (row["observed"], row["lift"]) == (0.0, None)
                assert row["reason"] == "not shared there in this window"


def test_a_series_ends_with_a_window(k: kindred.Kindred, runs: kindred.Result) -> None:
    whole = next(row["run_id"] for row in k.runs() if row["since"] is None)
    with pytest.raises(NotFound, match="over all times"):
        k.series("u003", run=whole)
    with pytest.raises(NotFound, match="the source 'nobody'"):
        k.series("nobody", run=runs.to_dicts()[-1]["run_id"])


def test_a_window_in_which_nothing_happened_is_said(k: kindred.Kindred) -> None:
    found = k.analyse(every="20d", until="2021-10-31", since="2021-09-01", **QUICK)
    assert len(found) == 2
    (said,) = found.notes
    assert said.startswith("2021-10-11 up to 2021-10-31: no run, 0 shares in it, of 4,200 shares")
    assert said.endswith("from 2021-09-01 03:28:00 to 2021-09-27 23:47:00")


@pytest.mark.parametrize(
    ("options", "fault", "found"),
    [
        ({"every": "soon"}, UsageError, "not a number of hours"),
        ({"every": "1h", "since": "1999-01-01"}, UsageError, f"more than {MOST_WINDOWS}"),
        ({"window": "2021-09-01"}, UsageError, "not two times"),
        ({"window": "2020-01-01..2020-02-01"}, TooLittleData, "0 shares in it"),
        ({"every": "30d", "until": "2021-01-30", "since": "2021-01-01"}, TooLittleData, "0 shares"),
    ],
)
def test_windows_that_cannot_be(
    k: kindred.Kindred, options: dict[str, str], fault: type[Exception], found: str
) -> None:
    with pytest.raises(fault, match=found):
        k.analyse(None, **options)  # type: ignore[arg-type]
