"""Calibration: claims known to be right or wrong, by hand, and the German election of 2021."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from scipy import optimize

from engine.assemble import assemble
from engine.calibration import BIN_EDGES, calibrate, slope, split_at
from engine.cells import score_cells
from engine.csr import Floats
from engine.forecast import STEP, Claims, Forecast, forecast, new_sharers
from engine.params import AnalysisParams
from engine.results import result
from engine.snapshot import Snapshot
from engine.sources import SourceEvents

Longs = npt.NDArray[np.int64]
USERS, SOURCES, K = 20_000, 300, 12


def events(user: Longs, source: Longs, at: Longs) -> SourceEvents:
    order = np.lexsort((user, at, source))
    ids = pa.array([f"s{i:03d}" for i in range(SOURCES)])
    return SourceEvents(
        source_kind="domain",
        source_id=ids,
        label=ids,
        group=np.zeros(SOURCES, np.int32),
        n_posts=np.full(SOURCES, -1, np.int64),
        repeats=np.zeros(SOURCES, np.int64),
        user=user[order].astype(np.int32),
        source=source[order].astype(np.int32),
        at=at[order],
        content=np.arange(len(user), dtype=np.int32),
        platform=(user[order] % 2).astype(np.int32),
    )


def planted(n: int = 20_000, *, lasting: bool = True) -> tuple[SourceEvents, SourceEvents, Floats]:
    """Communities with tastes of their own, which last past time 0 or not."""
    draw = np.random.default_rng(3)
    taste = np.exp(draw.normal(0.0, 0.8, (2, SOURCES, K)))
    size = draw.dirichlet(np.full(SOURCES, 0.5))
    label = np.where(np.arange(USERS) % 5 == 0, -1, np.arange(USERS) % K)
    parts = []
    for when in (0, 1):
        user = draw.integers(0, USERS, n)
        weight = size[:, None] * taste[when if not lasting else 0]
        weight = np.cumsum(np.column_stack((weight, size)) / np.append(weight.sum(0), 1.0), axis=0)
        source = (draw.random(n) > weight[:, label[user]]).sum(axis=0)
        key = np.unique(user * SOURCES + np.minimum(source, SOURCES - 1))
        at = when * 10**14 + draw.integers(0, 10**14, len(key))
        parts.append(events(key // SOURCES, key % SOURCES, at))
    train, future = parts
    return train, new_sharers(train, future), label.astype(np.float64)


def claims_of(train: SourceEvents, label: Floats) -> Claims:
    fold = (np.arange(SOURCES) % 2).astype(np.int32)
    labels = np.tile(label.astype(np.int32), (2, 1))
    scored = np.ones(K, np.bool_)
    found = score_cells(train, fold, labels, scored, platforms=2, false_sign_rate=0.05)
    return Claims(train, fold, labels, scored, 2, found)


def test_claims_that_last_come_true() -> None:
    train, future, label = planted()
    held = forecast(claims_of(train, label), future)
    # A little above 1: what a source is shared in one community it is not in another, so that
    # counts vary less than the Poisson thinks, and lifts are drawn in a little too far.
    assert 0.95 < slope(held, seed=1).value < 1.1
    assert held.explained("score") > held.explained("smoothed") > held.explained("raw")
    assert held.explained("margins") == pytest.approx(0.0)
    flagged = held.realised[held.flagged].sum() / held.margin[held.flagged].sum()
    assert flagged == pytest.approx(
        held.claimed[held.flagged].sum() / held.margin[held.flagged].sum(), rel=0.15
    )


def test_claims_that_do_not_last_do_not_come_true() -> None:
    train, future, label = planted(lasting=False)
    line = slope(forecast(claims_of(train, label), future), seed=1)
    assert line.high < 0.3


def test_forecast_against_cells_written_out() -> None:
    train, future, label = planted(4000)
    claims = claims_of(train, label)
    held = forecast(claims, future)
    margin, realised = np.zeros(SOURCES), np.zeros(SOURCES)
    for a in range(SOURCES):
        in_fold = claims.fold[future.source] == claims.fold[a]
        sharers = train.user[train.source == a]
        could = in_fold & ~np.isin(future.user, sharers)
        for c in range(K):
            chance = total = 0.0
            for p in (0, 1):
                here = could & (future.platform == p)
                own = ((future.source == a) & (future.platform == p)).sum()
                inside = (here & (label[future.user] == c)).sum()
                chance += own * inside / max(here.sum(), 1)
                total += inside
            y = ((future.source == a) & (label[future.user] == c)).sum()
            m = chance * (total - y) / (total - chance) if chance > 0 and total > y else 0.0
            margin[a] += m
            realised[a] += y if m > 1e-9 else 0.0
    assert np.bincount(held.source, held.margin, SOURCES) == pytest.approx(margin)
    assert np.bincount(held.source, held.realised, SOURCES) == pytest.approx(realised)
    assert held.lost_share == pytest.approx(float((label[future.user] < 0).mean()))


def test_new_sharers_have_not_shared_before_and_count_once() -> None:
    train = events(np.array([1, 2]), np.array([0, 1]), np.array([0, 0]))
    later = events(np.array([1, 1, 2, 2]), np.array([0, 1, 0, 0]), np.array([5, 5, 6, 7]))
    found = new_sharers(train, later)
    assert list(
        zip(found.user.tolist(), found.source.tolist(), found.at.tolist(), strict=True)
    ) == [
        (2, 0, 6),
        (1, 1, 5),
    ]


def made_forecast(seed: int, truth: float) -> Forecast:
    draw = np.random.default_rng(seed)
    claim = draw.integers(-150, 200, 4000)
    margin = draw.gamma(1.0, 1.0, 4000)
    realised = draw.poisson(margin * np.exp(0.2 + truth * claim * STEP)).astype(np.float64)
    return Forecast(
        source=np.arange(4000, dtype=np.int32) // 4,
        claim=claim,
        flagged=np.zeros(4000, np.bool_),
        margin=margin,
        claimed=margin * np.exp(claim * STEP),
        realised=realised,
        cells=np.ones(4000, np.int64),
        deviance={},
        lost_share=0.0,
    )


@pytest.mark.parametrize("truth", [0.0, 0.5, 1.0])
def test_slope_is_the_likeliest(truth: float) -> None:
    held = made_forecast(1, truth)

    def miss(at: Floats) -> float:
        log = at[0] + at[1] * held.claim * STEP
        return float(np.sum(held.margin * np.exp(log) - held.realised * log))

    found = slope(held, seed=1)
    best = optimize.minimize(miss, np.zeros(2), method="BFGS")
    assert found.value == pytest.approx(best.x[1], abs=1e-4)
    assert found.low < truth < found.high
    assert slope(held, seed=1) == found


def test_claims_that_do_not_differ_have_no_slope() -> None:
    held = made_forecast(1, 0.0)
    same = Forecast(
        held.source,
        np.zeros_like(held.claim),
        held.flagged,
        held.margin,
        held.claimed,
        held.realised,
        held.cells,
        {},
        0.0,
    )
    assert np.isnan(slope(same, seed=1).value)


def posts(rows: int, *, times: bool) -> Snapshot:
    draw = np.random.default_rng(1)
    ids = [f"x:{i}" for i in range(rows)]
    at = pa.array(
        [i * 1_000_000 if times else None for i in range(rows)], pa.timestamp("us", "UTC")
    )
    author = [f"x:u{u}" for u in draw.integers(0, rows // 2, rows)]
    label = [f"d{d}.org" for d in draw.integers(0, 9, rows)]
    return assemble(
        {
            "content": pa.table({"content_id": ids, "author_id": author, "created_at": at}),
            "topics": pa.table({"content_id": ids, "kind": ["domain"] * rows, "label": label}),
        }
    )


def test_without_times_nothing_can_be_calibrated() -> None:
    found = calibrate(posts(50, times=False), AnalysisParams())
    row = found.calibration.to_pylist()[0]
    assert (row["verdict"], row["reason"]) == (
        "uncalibrated",
        "cannot be calibrated: the data carry no times",
    )
    assert (row["slope"], row["split_at"], row["future_count"]) == (None, None, 0)
    assert found.calibration_bins.num_rows == 0


def test_a_short_future_cannot_calibrate() -> None:
    row = calibrate(posts(50, times=True), AnalysisParams()).calibration.to_pylist()[0]
    assert row["verdict"] == "uncalibrated"
    assert row["reason"].endswith("future shares, 1,000 are needed")
    assert row["train_count"] + row["future_count"] <= 50


def test_nothing_is_calibrated_unasked_or_without_sources() -> None:
    s = posts(50, times=True)
    for found in (
        calibrate(s, AnalysisParams(split=None)),
        calibrate(s, AnalysisParams(sources=("hashtag",))),
    ):
        assert found.calibration.num_rows == 0
        assert found.calibration.schema.equals(result("calibration").schema)


def test_without_a_community_nothing_is_claimed() -> None:
    found = calibrate(posts(6000, times=True), AnalysisParams(min_members=1_000_000, gamma=1.0))
    row = found.calibration.to_pylist()[0]
    assert (row["verdict"], row["lost_share"], row["cell_count"]) == ("uncalibrated", 1.0, 0)
    assert row["reason"] == "cannot be calibrated: no claim differs from any other"
    assert row["future_count"] >= 1000


def test_split_leaves_its_part_before() -> None:
    s = posts(100, times=True)
    moment = split_at(s, ("domain",), 0.6)
    assert moment is not None
    assert int((s.contents.created_at < moment).sum()) == 60


POSTS = """
    SELECT split_part(account_id, '_', 1) AS platform, account_id, post_id,
           domain_id, to_timestamp(timestamp::BIGINT) AS moment
    FROM read_csv($file, all_varchar = true)
"""


@pytest.fixture(scope="module")
def german(shared: Path) -> Snapshot:
    """Posts of the German election 2021, each about the domain it names."""
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        file = {"file": str(shared / "coortweet" / "german_elections.csv.gz")}
        db.execute(f"CREATE TABLE posts AS {POSTS}", file)
        content = db.sql(
            """
            SELECT platform || ':' || post_id AS content_id, min(platform) AS platform,
                   min(platform || ':' || account_id) AS author_id, min(moment) AS created_at
            FROM posts GROUP BY content_id
            """
        ).to_arrow_table()
        topics = db.sql(
            """
            SELECT DISTINCT platform || ':' || post_id AS content_id, 'domain' AS kind,
                   domain_id AS label
            FROM posts WHERE domain_id IS NOT NULL
            """
        ).to_arrow_table()
    return assemble({"content": content, "topics": topics})


@pytest.mark.shared
def test_claims_about_german_domains_come_true(german: Snapshot) -> None:
    found = calibrate(german, AnalysisParams())
    rows = {(r["platform"], r["method"]): r for r in found.calibration.to_pylist()}
    assert sorted(rows, key=str) == sorted(
        ((p, m) for p in (None, "fb", "tw") for m in ("crossfit", "naive")), key=str
    )
    pooled, naive = rows[None, "crossfit"], rows[None, "naive"]
    assert (pooled["train_count"], pooled["future_count"]) == (23_084, 9_908)
    assert 0.8 <= pooled["slope"] <= 1.2
    assert pooled["deviance_explained"] > max(pooled["deviance_smoothed"], 0.094)
    assert pooled["deviance_raw"] < 0
    assert pooled["flagged_lift"] > 1.5
    assert pooled["verdict"] in ("green", "amber")
    # Communities that saw the shares claim much and keep little.
    assert naive["slope"] < 0.5
    assert naive["verdict"] == "red"
    assert naive["deviance_explained"] < 0
    bins = [
        r
        for r in found.calibration_bins.to_pylist()
        if (r["platform"], r["method"]) == (None, "crossfit")
    ]
    assert [b["bin"] for b in bins] == list(range(1, len(BIN_EDGES) + 2))
    realised = [b["realised"] for b in bins]
    assert realised == sorted(realised)
    assert all(b["realised_low"] <= b["realised"] <= b["realised_high"] for b in bins)
