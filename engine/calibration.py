"""Do the claims come true: what was scored before a moment, held against what came after.

Communities, spread of lifts and scores are learned on the first part of the time only; the
rest is forecast for people who had not shared a source before (`engine.forecast`). A slope
of 1 says that claims are realised; 0.5 that half of a claimed log-lift is; 0 that claims say
nothing. The verdict goes by the lower end of the slope's interval. Beside it stands the
same exercise on communities that saw the shares (*naive*), to show what cross-fitting is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import sparse

from engine import communities
from engine.algorithms import Algorithms
from engine.coming import coming, newcomers
from engine.csr import Floats, Ints
from engine.exposure import Exposure
from engine.forecast import STEP, Claims, Forecast, forecast, new_sharers
from engine.groups import root_groups
from engine.kind_scores import enough_shares
from engine.model import TOPIC_KINDS
from engine.params import AnalysisParams, SourceKind
from engine.progress import Progress, silent
from engine.resonance import setting
from engine.results import table
from engine.shares import first_shares
from engine.snapshot import NO_TIME, Snapshot
from engine.sources import SourceEvents, all_events
from engine.tiers import Tiers, choose, exposure_in
from engine.ties import ItemTies, PairTies

__all__ = [
    "BIN_EDGES",
    "ENOUGH",
    "Calibration",
    "Slope",
    "calibrate",
    "claims_by_method",
    "poisson_slopes",
    "replicates",
    "slope",
    "split_at",
    "train_tiers",
    "window",
]

ENOUGH: Final = 1000
"""Future shares needed before a slope is worth telling."""
GREEN: Final = 0.8
AMBER: Final = 0.5
REPLICATES: Final = 1000
BIN_EDGES: Final = (0.5, 0.8, 1.25, 2.0, 4.0)
"""Bins of claimed lift: below .5, .5 to .8, about 1, to 2, to 4, above 4."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """The declared tables `calibration` and `calibration_bins`."""

    calibration: pa.Table
    calibration_bins: pa.Table


def calibrate(
    snapshot: Snapshot,
    params: AnalysisParams,
    progress: Progress = silent,
    *,
    gamma: float | None = None,
    events_by_kind: Mapping[SourceKind, SourceEvents] | None = None,
    algorithms: Algorithms | None = None,
    found: communities.Found | None = None,
    tiers: Tiers | None = None,
) -> Calibration:
    """Hold the claims of the first part of the time against the rest of it.

    Parameters
    ----------
    snapshot
        The data.
    params
        `split` is the part of all events that comes before the cut; None calibrates nothing.
    progress
        Told of each stage.
    gamma
        A resolution found already; by default found on the first part.
    events_by_kind
        What counts as a share, where it is known already; by default all kinds asked for.
    algorithms
        Who finds communities: the one whose claims are held to account.
    found
        The communities of the time before the cut, where they are known already.
    tiers
        The tier of each kind with its exposure, where it is known already: what is claimed in
        a tier is held to account by what that tier goes by.

    Returns
    -------
    Calibration
        For each kind of source, over all platforms and for each, cross-fitted and naive. A
        kind with fewer than 1,000 future shares, or without times, is `uncalibrated`.

    Notes
    -----
    One more search for communities, and O(sources * communities) for each kind.
    """
    if events_by_kind is None:
        events_by_kind = all_events(snapshot, params)
    present = {kind: shares for kind, shares in events_by_kind.items() if len(shares)}
    if params.split is None or not present:
        return Calibration(table("calibration", {}), table("calibration_bins", {}))
    moment = split_at(snapshot, tuple(present), params.split)
    if moment is None:
        reason = "cannot be calibrated: the data carry no times"
        return _tables([_untold(kind, shares, reason) for kind, shares in present.items()], [])
    tiers = choose(snapshot, params, present) if tiers is None else tiers
    windows = {
        kind: window(shares, moment, tiers.exposure.get(kind)) for kind, shares in present.items()
    }
    rows: list[Row] = []
    bins: list[Row] = []
    told = {kind: parts for kind, parts in windows.items() if len(parts[1]) >= ENOUGH}
    for kind, (train, future) in windows.items():
        if kind not in told:
            reason = f"cannot be calibrated: {len(future):,} future shares, {ENOUGH:,} are needed"
            rows.append(_untold(kind, train, reason) | _window_columns(train, future, moment))
    if not told:
        return _tables(rows, bins)
    found = found or communities.find(
        snapshot, params, progress, before=moment, gamma=gamma, algorithms=algorithms
    )
    single = _single_share_members(found)
    before = train_tiers(snapshot, tiers, {k: train for k, (train, _) in told.items()}, moment)
    for kind, (train, future) in told.items():
        progress(f"calibration: {kind}")
        for method, claims in claims_by_method(
            snapshot, found, params, train, before=before, tiers=tiers
        ):
            # Who was exposed is not told apart by platform.
            for platform in _platforms(future) if claims.coming is None else [None]:
                here = _on(future, platform)
                name = None if platform is None else snapshot.platforms[platform]
                key: Row = {"source_kind": kind, "platform": name, "method": method}
                row, parts = _judge(claims, here, params.seed)
                row |= _window_columns(_on(train, platform), here, moment)
                rows.append(key | row | {"single_share_count": single})
                bins.extend(key | part for part in parts)
    return _tables(rows, bins)


def split_at(snapshot: Snapshot, kinds: tuple[SourceKind, ...], part: float) -> int | None:
    """Return the time (microseconds) before which this part of all events lies; None without.

    Events are shares and pairwise interactions, and posts where topics or brands are sources.
    """
    at = [snapshot.shares.at, snapshot.interactions.at]
    if any(kind in (*TOPIC_KINDS, "brand") for kind in kinds):
        at.append(snapshot.contents.created_at[snapshot.contents.posted])
    known = np.concatenate(at)
    known = known[known != NO_TIME]
    if len(known) == 0:
        return None
    return int(np.quantile(known, part, method="higher"))


@dataclass(frozen=True, slots=True)
class Slope:
    """Slope of what was realised on ln of what was claimed, with its 95 % interval."""

    value: float
    low: float
    high: float


def slope(held: Forecast, seed: int) -> Slope:
    """Regress what was realised on the claims (Poisson, margins as offset).

    `realised ~ Poisson(margin * exp(a + b claim))`; b with its interval by bootstrap over
    sources: 1,000 replicates in which every source counts Poisson(1) times.
    """
    rows, inverse = np.unique(held.source, return_inverse=True)
    claims, column = np.unique(held.claim, return_inverse=True)
    shape = (len(rows), len(claims))
    realised = sparse.csr_array((held.realised, (inverse, column)), shape=shape)
    margin = sparse.csr_array((held.margin, (inverse, column)), shape=shape)
    x = (claims * STEP).astype(np.float64)
    once = np.ones((len(rows), 1))
    value = poisson_slopes(x, _drawn(realised, once), _drawn(margin, once))[0]
    found = np.concatenate(
        [
            poisson_slopes(x, _drawn(realised, weight), _drawn(margin, weight))
            for weight in replicates(len(rows), seed)
        ]
    )
    if not np.isfinite(value) or not np.isfinite(found).any():
        return Slope(float("nan"), float("nan"), float("nan"))
    low, high = np.nanquantile(found, (0.025, 0.975))
    return Slope(float(value), float(low), float(high))


def replicates(rows: int, seed: int) -> list[Floats]:
    """Return how often each of `rows` things counts in each of 1,000 bootstrap replicates.

    Counts are Poisson(1), in blocks of float64[rows, 100].
    """
    blocks = np.random.SeedSequence([seed, rows]).spawn(REPLICATES // 100)
    return [
        np.random.Generator(np.random.PCG64(block)).poisson(1.0, (rows, 100)).astype(np.float64)
        for block in blocks
    ]


def _drawn(summed: sparse.csr_array, weight: Floats) -> Floats:
    """Sum over sources, each as often as it was drawn: float64[replicates, columns]."""
    return np.asarray((summed.T @ weight).T, np.float64)


def poisson_slopes(x: Floats, realised: Floats, margin: Floats) -> Floats:
    """Fit one Poisson regression a row by Newton steps; NaN where claims do not differ.

    `realised ~ Poisson(margin * exp(a + b x))` with `x` float64[n] the ln of a claim, and
    `realised` and `margin` float64[rows, n]; returns b of each row.
    """
    a = np.log(np.maximum(realised.sum(axis=1), 0.5) / np.maximum(margin.sum(axis=1), 1e-12))
    b = np.zeros(len(a))
    with np.errstate(all="ignore"):
        for _ in range(60):
            mean = margin * np.exp(np.clip(a[:, None] + b[:, None] * x, -50.0, 50.0))
            miss = realised - mean
            g0, g1 = miss.sum(axis=1), (miss * x).sum(axis=1)
            h00, h01 = mean.sum(axis=1), (mean * x).sum(axis=1)
            h11 = (mean * x**2).sum(axis=1)
            determinant = h00 * h11 - h01**2
            step_a = np.clip((h11 * g0 - h01 * g1) / determinant, -1.0, 1.0)
            step_b = np.clip((h00 * g1 - h01 * g0) / determinant, -1.0, 1.0)
            a, b = a + step_a, b + step_b
            if bool(np.nanmax(np.abs(np.concatenate((step_a, step_b))), initial=0.0) < 1e-9):
                break
    flat = determinant <= 1e-12 * h00 * np.maximum(h11, 1e-300)
    return np.where(flat, np.nan, b)


def window(
    shares: SourceEvents, moment: int, exposure: Exposure | None = None
) -> tuple[SourceEvents, SourceEvents]:
    """Return the shares before a moment, and those of new sharers from then on.

    With exposure, all later shares count of people who were exposed and had not shared before.
    """
    train = shares.before(moment)
    if exposure is not None:
        return train, newcomers(train, exposure, moment)
    return train, new_sharers(train, shares.since(moment))


def claims_by_method(
    snapshot: Snapshot,
    found: communities.Found,
    params: AnalysisParams,
    train: SourceEvents,
    *,
    before: Tiers | None = None,
    tiers: Tiers | None = None,
) -> list[tuple[str, Claims]]:
    """Return the claims of cross-fitted communities, and of those that saw the shares.

    Parameters
    ----------
    snapshot, params
        The data, and folds, seed and smallest community.
    found
        Communities of the time before the cut.
    train
        Shares before the cut.
    before, tiers
        The tier of each kind with its exposure, before the cut (`train_tiers`) and in all; by
        default everything is affinity.

    Returns
    -------
    list
        `("crossfit", claims)` and `("naive", claims)`.
    """
    partitions, kind = found.partitions, train.source_kind
    exposure = {} if before is None else before.exposure
    whole_time = None if tiers is None else tiers.exposure.get(kind)
    fitted = setting(snapshot, partitions, params)
    fitted = replace(fitted, scored=enough_shares(train, fitted, params))
    whole = replace(
        fitted,
        labels=partitions.reference[None, :],
        fold_of_group=np.zeros_like(fitted.fold_of_group),
    )
    made = []
    for method, on in (("crossfit", fitted), ("naive", whole)):
        then = exposure.get(kind)
        cells = on.score(train, then)
        fold = on.fold(train.group)
        later = None
        if then is not None and whole_time is not None and cells.exposed is not None:
            every = on.fold(then.group)
            later = coming(whole_time, then, cells.exposed, every, on.masked)
        claims = Claims(train, fold, on.labels, on.scored, on.platforms, cells, later)
        made.append((method, claims))
    return made


def train_tiers(
    snapshot: Snapshot,
    tiers: Tiers,
    trains: Mapping[SourceKind, SourceEvents],
    moment: int,
) -> Tiers:
    """Return the exposure of each kind before a moment, in the tiers of the whole time."""
    counted, groups = first_shares(snapshot), root_groups(snapshot)
    return Tiers(
        {
            kind: exposure_in(
                tiers.exposure[kind].tier, snapshot, train, counted, groups=groups, before=moment
            )
            for kind, train in trains.items()
            if kind in tiers.exposure
        }
    )


def _platforms(future: SourceEvents) -> list[int | None]:
    used = np.unique(future.platform).tolist()
    return [None, *used] if len(used) > 1 else [None]


def _on(shares: SourceEvents, platform: int | None) -> SourceEvents:
    return shares if platform is None else shares.only(shares.platform == platform)


def _judge(claims: Claims, future: SourceEvents, seed: int) -> tuple[Row, list[Row]]:
    held = forecast(claims, future)
    enough = len(future) >= ENOUGH and bool((held.realised > 0).any())
    line = slope(held, seed) if enough else Slope(np.nan, np.nan, np.nan)
    verdict, reason = _verdict(line, len(future))
    flagged = held.flagged
    row: Row = {
        "verdict": verdict,
        "reason": reason,
        "slope": line.value,
        "slope_low": line.low,
        "slope_high": line.high,
        "deviance_explained": held.explained("score"),
        "deviance_smoothed": held.explained("smoothed"),
        "deviance_raw": held.explained("raw"),
        "cell_count": int(held.cells.sum()),
        "flagged_count": int(claims.found.flagged.sum()),
        "flagged_lift": _ratio(held.realised[flagged].sum(), held.margin[flagged].sum()),
        "lost_share": held.lost_share,
    }
    return row, _bins(held, seed)


def _verdict(line: Slope, future: int) -> tuple[str, str]:
    if future < ENOUGH:
        return "uncalibrated", (
            f"cannot be calibrated: {future:,} future shares, {ENOUGH:,} are needed"
        )
    if not np.isfinite(line.value):
        return "uncalibrated", "cannot be calibrated: no claim differs from any other"
    said = f"slope {line.value:.2f}, 95 % interval {line.low:.2f} to {line.high:.2f}"
    if line.low >= GREEN:
        return "green", f"claims made before the cut came true after it ({said})"
    if line.low >= AMBER:
        return "amber", f"claims made before the cut came true in part ({said})"
    return "red", f"claims made before the cut may not come true at all ({said})"


def _bins(held: Forecast, seed: int) -> list[Row]:
    """Return claimed against realised lift by bins of the claim, 90 % interval by bootstrap."""
    if len(held.source) == 0:
        return []
    rows, inverse = np.unique(held.source, return_inverse=True)
    which = np.searchsorted(BIN_EDGES, np.exp(held.claim * STEP), "right")
    shape = (len(rows), len(BIN_EDGES) + 1)
    realised = sparse.csr_array((held.realised, (inverse, which)), shape=shape)
    margin = sparse.csr_array((held.margin, (inverse, which)), shape=shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.concatenate(
            [_drawn(realised, w) / _drawn(margin, w) for w in replicates(len(rows), seed)]
        )
    made: list[Row] = []
    for number in np.unique(which).tolist():
        of = which == number
        total = held.margin[of].sum()
        low, high = np.nanquantile(ratios[:, number], (0.05, 0.95))
        made.append(
            {
                "bin": number + 1,
                "predicted": _ratio(held.claimed[of].sum(), total),
                "realised": _ratio(held.realised[of].sum(), total),
                "realised_low": float(low),
                "realised_high": float(high),
                "cell_count": int(held.cells[of].sum()),
                "future_count": int(held.realised[of].sum()),
            }
        )
    return made


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below > 0 else float("nan")


def _single_share_members(found: communities.Found) -> int:
    """Count members who have a place because of one share, or one post, alone."""
    ties = found.ties
    n = len(found.partitions.reference)
    if isinstance(ties, PairTies):
        count = np.bincount(ties.user, minlength=n) + np.bincount(ties.other, minlength=n)
    elif isinstance(ties, ItemTies):
        count = _distinct_contents(ties.user, ties.content, n)
    else:
        count = np.zeros(n, np.int64)
    return int(((found.partitions.reference >= 0) & (count == 1)).sum())


def _distinct_contents(user: Ints, content: Ints, n: int) -> npt.NDArray[np.int64]:
    width = int(content.max(initial=0)) + 1
    pairs = np.unique(user.astype(np.int64) * width + content)
    return np.bincount(pairs // width, minlength=n).astype(np.int64)


def _untold(kind: SourceKind, train: SourceEvents, reason: str) -> Row:
    return {
        "source_kind": kind,
        "platform": None,
        "method": "crossfit",
        "verdict": "uncalibrated",
        "reason": reason,
        "train_count": len(train),
        "future_count": 0,
        "cell_count": 0,
    }


def _window_columns(train: SourceEvents, future: SourceEvents, moment: int) -> Row:
    return {"train_count": len(train), "future_count": len(future), "split_at": moment}


def _tables(rows: list[Row], bins: list[Row]) -> Calibration:
    return Calibration(
        table("calibration", _columns(rows)), table("calibration_bins", _columns(bins))
    )


def _columns(rows: list[Row]) -> dict[str, list[Any]]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: [_known(row.get(name)) for row in rows] for name in names}


def _known(value: Any) -> Any:
    """Say null for NaN."""
    return None if isinstance(value, float) and np.isnan(value) else value
