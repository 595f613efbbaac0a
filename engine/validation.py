"""Is the score worth more than simpler figures? A forecast of later sharing tells.

Everything is learned on the first part of the time, and what new sharers did in the rest is
forecast twice: with the margins of the future given away (only the claim *in this community
more than in others* is tested), and with nothing given away. The score is held beside every
rival of `engine.baselines` on the same cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from engine import communities
from engine.algorithms import Algorithms
from engine.baselines import RIVALS, Accounts, accounts, rivals
from engine.calibration import (
    ENOUGH,
    calibrate,
    claims_by_method,
    split_at,
    train_tiers,
    window,
)
from engine.errors import TooLittleData, UsageError
from engine.forecast import Claims, HeldCells, held_cells
from engine.model import COUNT, TEXT
from engine.paired import Judged, judge, predictions
from engine.params import AnalysisParams, Tier
from engine.progress import Progress, silent
from engine.snapshot import Snapshot
from engine.sources import all_events
from engine.tiers import choose

__all__ = ["REPORTS", "Validation", "validate"]

REPORTS: Final = {
    "given": "how much is shared later is given away",
    "forecast": "nothing is given away",
}
"""The two exercises, in words."""

_FIGURE: Final = pa.float64()
_RIVALS: Final = pa.schema(
    [
        pa.field("source_kind", TEXT, nullable=False),
        pa.field("tier", TEXT, nullable=False),
        pa.field("volume", TEXT, nullable=False),
        pa.field("rival", TEXT, nullable=False),
        pa.field("label", TEXT, nullable=False),
        ("deviance_explained", _FIGURE),
        ("ahead", _FIGURE),
        ("ahead_low", _FIGURE),
        ("ahead_high", _FIGURE),
        ("spearman", _FIGURE),
        ("spearman_ahead", _FIGURE),
        ("spearman_ahead_low", _FIGURE),
        ("spearman_ahead_high", _FIGURE),
        ("ndcg", _FIGURE),
        ("ndcg_ahead", _FIGURE),
        ("ndcg_ahead_low", _FIGURE),
        ("ndcg_ahead_high", _FIGURE),
        pa.field("cell_count", COUNT, nullable=False),
        pa.field("future_count", COUNT, nullable=False),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """What a validation says.

    `rivals` has a row a kind of source, exercise and rival: deviance explained, rank
    correlation and NDCG at 10, and how far the score is ahead of it, with 95 % intervals by
    paired bootstrap over sources (of NDCG over communities). `calibration` and
    `calibration_bins` are those of `engine.calibration`: slopes naive and cross-fitted, and
    realised against predicted by bin.
    """

    rivals: pa.Table
    calibration: pa.Table
    calibration_bins: pa.Table


def validate(
    snapshot: Snapshot,
    params: AnalysisParams,
    progress: Progress = silent,
    *,
    algorithms: Algorithms | None = None,
) -> Validation:
    """Hold the score and its rivals against what new sharers did later.

    Parameters
    ----------
    snapshot
        The data.
    params
        `split` is the part of all events that is learned from; kinds of sources, folds,
        seed and ties as for an analysis.
    progress
        Told of each stage.
    algorithms
        Who finds communities; by default kindred's own kernels.

    Raises
    ------
    UsageError
        If no split is given.
    TooLittleData
        If no kind of source has 1,000 shares by new sharers after the split, or the data
        carry no times.

    Notes
    -----
    One search for communities, one PageRank a scored community where sources are accounts,
    and O(sources * communities) for each kind, some 200 bytes a cell.
    """
    if params.split is None:
        raise UsageError(
            "a validation", "no part of the time is given to learn on", "give one: --split 60%"
        )
    shared = all_events(snapshot, params)
    moment = split_at(snapshot, tuple(shared), params.split) if shared else None
    if moment is None:
        raise TooLittleData(
            "a validation",
            "no share has a time" if shared else "nobody shares anything",
            "load data with times, and name their sources: --sources url",
        )
    tiers = choose(snapshot, params, shared)
    windows = {
        kind: window(shares, moment, tiers.exposure.get(kind)) for kind, shares in shared.items()
    }
    counts = {kind: len(future) for kind, (_, future) in windows.items()}
    if max(counts.values()) < ENOUGH:
        said = ", ".join(f"{count:,} of {kind}" for kind, count in counts.items())
        raise TooLittleData(
            "a validation",
            f"shares by new sharers after the split: {said}",
            f"{ENOUGH:,} are needed; split earlier, or load more",
        )
    found = communities.find(snapshot, params, progress, before=moment, algorithms=algorithms)
    held = calibrate(snapshot, params, progress, events_by_kind=shared, found=found, tiers=tiers)
    before = train_tiers(snapshot, tiers, {k: train for k, (train, _) in windows.items()}, moment)
    rows: list[dict[str, Any]] = []
    for number, (kind, (train, future)) in enumerate(windows.items()):
        progress(f"rivals: {kind}", number, len(windows))
        if len(future) >= ENOUGH:
            claims = dict(
                claims_by_method(snapshot, found, params, train, before=before, tiers=tiers)
            )["crossfit"]
            known = accounts(snapshot, claims, found.partitions.reference, moment)
            cells = held_cells(claims, future)
            exercise = _Exercise(tiers.of(kind), claims, cells, known, params.seed)
            for report in REPORTS:
                rows.extend(exercise.rows(report))
    return Validation(pa.Table.from_pylist(rows, _RIVALS), held.calibration, held.calibration_bins)


@dataclass(frozen=True, slots=True)
class _Exercise:
    """The claims on one kind of source, and the cells they are held to account in."""

    tier: Tier
    claims: Claims
    cells: HeldCells
    known: Accounts | None
    seed: int

    def rows(self, report: str) -> Iterator[dict[str, Any]]:
        """Yield the row of each rival."""
        cells, given = self.cells, report == "given"
        if not given:
            # Of what was never shared before, nobody can forecast how much it will be.
            cells = cells.only(cells.expected > 0)
        if not cells.realised.any():
            return
        said = rivals(self.claims, cells, self.known)
        base = cells.margin if given else cells.expected
        judged = judge(cells, predictions(cells, said, base, volume=given), self.seed)
        for name, found in judged.items():
            yield {
                "source_kind": self.claims.train.source_kind,
                "tier": self.tier,
                "volume": report,
                "rival": name,
                "label": RIVALS[name],
                **_figures(name, found),
                "cell_count": len(cells),
                "future_count": int(cells.realised.sum()),
            }


def _figures(name: str, found: Judged) -> dict[str, float | None]:
    figures = {
        "deviance_explained": found.explained,
        "spearman": found.spearman,
        "ndcg": found.ndcg,
    }
    if name != "score":
        for words, ahead in (
            ("ahead", found.ahead),
            ("spearman_ahead", found.ahead_rank),
            ("ndcg_ahead", found.ahead_top),
        ):
            figures |= {words: ahead.value, f"{words}_low": ahead.low, f"{words}_high": ahead.high}
    return {key: float(value) if np.isfinite(value) else None for key, value in figures.items()}
