"""What was claimed before a moment, and what people who had not shared yet did after it.

Only *new sharers* are forecast: a user who shared the source before the moment cannot do so
for the first time after it. What happened is held against the margins of the future (how
much the source was shared then, and how much the community shared then, by platform, less
the cell's own shares), times the lift claimed before. So the volume of the future is given
away, and what is tested is only the claim: in *this* community more than in others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.affinity import event_labels, leave_own_out, margins, volumes
from engine.cells import ScoredCells
from engine.csr import Floats, Ints, Longs
from engine.lift import posterior_mean
from engine.sources import SourceEvents

__all__ = ["RAW_FLOOR", "STEP", "Claims", "Forecast", "forecast", "new_sharers"]

STEP: Final = 0.01
"""Claims are told apart in steps of this of ln lift."""
RAW_FLOOR: Final = 0.01
"""A raw ratio of 0 would claim that nobody ever shares; it is read as this."""
BLOCK: Final = 1_000_000
"""Cells worked on at once."""
LEAST_MARGIN: Final = 1e-9

Flags = npt.NDArray[np.bool_]
_RIVALS: Final = ("margins", "score", "smoothed", "raw")
_UNKNOWN: Final = -1e9
"""Stands among steps of ln expected for a cell that expects nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Claims:
    """What is claimed on the shares before a moment: the setting and the scored cells.

    `labels` int32[F, n] are the communities of each fold, `fold` int32 that of each source,
    `scored` bool[k] which communities are scored.
    """

    train: SourceEvents
    fold: Ints
    labels: npt.NDArray[np.int32]
    scored: Flags
    platforms: int
    found: ScoredCells


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Claims and what became of them, summed over the cells of a source that claim alike.

    One entry a (source, claim, flagged): `claim` is ln of the lift in steps of `STEP`,
    `margin` what the margins alone expect, `claimed` margin times lift, `realised` new
    sharers. `deviance` is that of each rival, every one scaled to the right total.
    """

    source: Ints
    claim: Longs
    flagged: Flags
    margin: Floats
    claimed: Floats
    realised: Floats
    cells: Longs
    deviance: dict[str, float]
    lost_share: float
    """Part of the new sharers outside any scored community [0,1]."""

    def explained(self, rival: str) -> float:
        """Return the part of the deviance of the margins that a rival explains."""
        base = self.deviance.get("margins", 0.0)
        return 1.0 - self.deviance[rival] / base if base > 0 else float("nan")


def new_sharers(train: SourceEvents, future: SourceEvents) -> SourceEvents:
    """Return each user's first later share of each source it had not shared before."""
    width = int(max(train.user.max(initial=0), future.user.max(initial=0))) + 1
    before = train.source.astype(np.int64) * width + train.user
    after = future.source.astype(np.int64) * width + future.user
    first = np.zeros(len(after), np.bool_)
    first[np.unique(after, return_index=True)[1]] = True
    return future.only(first & ~np.isin(after, before))


def forecast(claims: Claims, future: SourceEvents) -> Forecast:
    """Hold claims against what new sharers did.

    Parameters
    ----------
    claims
        What was claimed, on shares before the moment.
    future
        New sharers after it (`new_sharers`), of one platform or of all.

    Notes
    -----
    O(sources * scored communities), in blocks; sources without a later share say nothing.
    """
    scene = _Scene(claims, future)
    active = np.flatnonzero(scene.volume.sum(axis=1) > 0)
    width = max(1, BLOCK // max(1, scene.k))
    parts, sums = [], np.zeros((len(_RIVALS), 2))
    base = 0.0
    for start in range(0, len(active), width):
        part, own_base, own_sums = scene.block(active[start : start + width])
        parts.append(part)
        base += own_base
        sums += own_sums
    summed = [np.concatenate(c) for c in zip(*parts, strict=True)] or [np.empty(0)] * 7
    source, claim, flagged, margin, claimed, realised, cells = summed
    total = float(realised.sum())
    inside = scene.label >= 0
    return Forecast(
        source=source.astype(np.int32),
        claim=claim.astype(np.int64),
        flagged=flagged.astype(np.bool_),
        margin=margin,
        claimed=claimed,
        realised=realised,
        cells=cells.astype(np.int64),
        deviance={
            rival: 2.0 * (base - logs - total * float(np.log(total / expected)))
            for rival, (expected, logs) in zip(_RIVALS, sums.tolist(), strict=True)
            if total > 0 and expected > 0
        },
        lost_share=1.0 - float(inside.mean()) if len(inside) else 0.0,
    )


class _Scene:
    """Margins of both times, worked out once, and the cells of a block of sources.

    Only scored communities have a column here; everyone else is outside.
    """

    def __init__(self, claims: Claims, future: SourceEvents) -> None:
        self.claims, self.future = claims, future
        train, fold = claims.train, claims.fold
        self.k = int(claims.scored.sum())
        self.column = np.where(claims.scored, np.cumsum(claims.scored) - 1, -1).astype(np.int32)
        shape = (len(claims.labels), claims.platforms, self.k)
        self.train_label = self._columns(train)
        self.label = self._columns(future)
        self.habit = margins(train, fold, self.train_label, shape)
        self.known = volumes(train, claims.platforms)
        self.volume = volumes(future, claims.platforms)
        key = fold[future.source].astype(np.int64) * claims.platforms + future.platform
        count = np.bincount(
            key * (self.k + 1) + self.label + 1, minlength=shape[0] * shape[1] * (self.k + 1)
        )
        self.later = count.reshape(*shape[:2], self.k + 1)
        # Later shares of each user among the sources of each fold.
        users = claims.labels.shape[1]
        who = fold[future.source].astype(np.int64) * users + future.user
        busy = np.bincount(who, minlength=shape[0] * users)
        self.train_busy = busy[fold[train.source].astype(np.int64) * users + train.user]

    def _columns(self, shares: SourceEvents) -> Ints:
        """Return the column of each event's community, -1 outside any that is scored."""
        label = event_labels(shares, self.claims.fold, self.claims.labels)
        return np.append(self.column, np.int32(-1))[label]

    def block(
        self, sources: npt.NDArray[np.intp]
    ) -> tuple[tuple[npt.NDArray[np.float64], ...], float, Floats]:
        """Return summed cells of these sources, and what the deviances need."""
        realised = self._count(self.future, self.label, sources)
        margin = self._margin(sources, realised)
        observed, expected, lift, flagged = self._claims(sources)
        told = margin > LEAST_MARGIN
        y, m = realised[told], margin[told]
        o, e, lam = observed[told], expected[told], lift[told]
        raw = np.where(e > 0, np.maximum(o / np.where(e > 0, e, 1.0), RAW_FLOOR), 1.0)
        rivals = (np.ones(len(y)), lam, (o + 0.5) / (e + 0.5), raw)
        sums = np.array([[float(np.sum(m * r)), float(np.sum(y * np.log(r)))] for r in rivals])
        some = y > 0
        base = float(np.sum(y[some] * np.log(y[some] / m[some])))
        row = np.broadcast_to(sources[:, None], told.shape)[told]
        claim = np.rint(np.log(lam) / STEP).astype(np.int64)
        # One integer an entry: claims lie well inside +-2^15 steps.
        key = (row * 65_536 + claim + 32_768) * 2 + flagged[told]
        keys, inverse = np.unique(key, return_inverse=True)
        summed = [
            np.bincount(inverse, values, len(keys)) for values in (m, m * lam, y, np.ones(len(y)))
        ]
        names = (keys // 131_072, keys // 2 % 65_536 - 32_768, keys % 2)
        return (*(name.astype(np.float64) for name in names), *summed), base, sums

    def _margin(self, sources: npt.NDArray[np.intp], realised: Floats) -> Floats:
        """Return what the margins of the future expect, among users who could be new sharers."""
        fold, train = self.claims.fold, self.claims.train
        chance = np.zeros((len(sources), self.k))
        total = np.zeros_like(chance)
        for p in range(self.claims.platforms):
            here = (train.platform == p) * self.train_busy
            spent = self._count(train, self.train_label, sources, here)
            all_spent = np.bincount(train.source, here, len(fold))[sources]
            share = self.later[fold[sources], p][:, 1:] - spent
            rest = self.later[fold[sources], p].sum(axis=1) - all_spent
            chance += (self.volume[sources, p] / np.maximum(rest, 1.0))[:, None] * share
            total += share
        return np.nan_to_num(leave_own_out(chance, total, realised))

    def _claims(self, sources: npt.NDArray[np.intp]) -> tuple[Floats, Floats, Floats, Flags]:
        """Return observed, expected, claimed lift and flag of the cells of these sources."""
        fold, found = self.claims.fold, self.claims.found
        observed = self._count(self.claims.train, self.train_label, sources)
        chance = np.zeros_like(observed)
        for p in range(self.claims.platforms):
            chance += self.known[sources, p][:, None] * self.habit.rate[fold[sources], p]
        expected = np.nan_to_num(leave_own_out(chance, self.habit.total[fold[sources]], observed))
        # What a cell without a share claims depends on the expectation alone.
        step = np.full(expected.shape, _UNKNOWN)
        step[expected > 0] = np.rint(np.log2(expected[expected > 0]) * 64.0)
        steps, inverse = np.unique(step, return_inverse=True)
        at = np.where(steps == _UNKNOWN, 0.0, np.exp2(steps / 64.0))
        lift = posterior_mean(found.prior, np.zeros(len(at)), at)[inverse].reshape(step.shape)
        flagged = np.zeros(lift.shape, np.bool_)
        row_of = np.full(len(fold), -1, np.intp)
        row_of[sources] = np.arange(len(sources))
        cell = np.flatnonzero(found.usable & (row_of[found.cells.source] >= 0))
        row, column = row_of[found.cells.source[cell]], self.column[found.cells.community[cell]]
        lift[row, column] = found.posterior.mean[cell]
        flagged[row, column] = found.flagged[cell]
        return observed, expected, lift, flagged

    def _count(
        self,
        shares: SourceEvents,
        column: Ints,
        sources: npt.NDArray[np.intp],
        weight: npt.NDArray[np.int64] | None = None,
    ) -> Floats:
        """Count events of each of these sources in each column, float64[sources, k]."""
        # Events are sorted by source, and so are the sources.
        first, last = np.searchsorted(shares.source, (sources[0], sources[-1] + 1))
        row_of = np.full(len(self.claims.fold), -1, np.intp)
        row_of[sources] = np.arange(len(sources))
        row, where = row_of[shares.source[first:last]], column[first:last]
        inside = (row >= 0) & (where >= 0)
        count = np.bincount(
            row[inside] * self.k + where[inside],
            None if weight is None else weight[first:last][inside],
            minlength=len(sources) * self.k,
        )
        return count.reshape(len(sources), self.k).astype(np.float64)
