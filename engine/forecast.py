"""What was claimed before a moment, and what people who had not shared yet did after it.

Only *new sharers* are forecast: a user who shared the source before the moment cannot do so
for the first time after it. (Where exposure is known, `engine.coming` says more.) What
happened is held against the margins of the future (how much the source was shared then, and
how much the community shared then, by platform, less the cell's own shares), times the lift
claimed before. So the volume of the future is given away, and what is tested is only the
claim: in *this* community more than in others.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.affinity import event_labels, leave_own_out, margins, volumes
from engine.cells import ScoredCells
from engine.coming import Coming
from engine.csr import Floats, Ints, Longs
from engine.exposed_fit import ExposedFit
from engine.lift import posterior_mean
from engine.sources import SourceEvents

__all__ = [
    "RAW_FLOOR",
    "STEP",
    "Claims",
    "Forecast",
    "HeldCells",
    "forecast",
    "held_cells",
    "new_sharers",
]

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
    coming: Coming | None = None
    """What later exposure lets expect, where exposure is known."""


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


@dataclass(frozen=True, slots=True, eq=False)
class HeldCells:
    """Cells that the margins of the future expect something of, by source, then community.

    `observed`, `expected` and `lift` are what was counted and claimed before the moment,
    `margin` what the margins of the future expect, `realised` the new sharers.
    """

    source: Ints
    community: Ints
    observed: Floats
    expected: Floats
    lift: Floats
    flagged: Flags
    margin: Floats
    realised: Floats

    def __len__(self) -> int:
        return len(self.source)

    def only(self, kept: Flags) -> HeldCells:
        """Return some of the cells."""
        return HeldCells(*(getattr(self, field.name)[kept] for field in fields(self)))


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
        New sharers after it (`new_sharers`, or `engine.coming.newcomers`), of one platform or
        of all.

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


def held_cells(claims: Claims, future: SourceEvents) -> HeldCells:
    """Return single cells, of sources that are shared later: what `forecast` sums up.

    Parameters
    ----------
    claims, future
        As `forecast` takes them.

    Notes
    -----
    O(sources * scored communities), 64 bytes a cell.
    """
    scene = _Scene(claims, future)
    active = np.flatnonzero(scene.volume.sum(axis=1) > 0)
    width = max(1, BLOCK // max(1, scene.k))
    starts = range(0, max(len(active), 1), width)
    parts = [scene.told(active[start : start + width]) for start in starts]
    columns = [np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(HeldCells)]
    return HeldCells(*columns)


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
        told = self.told(sources)
        y, m, o, e, lam = told.realised, told.margin, told.observed, told.expected, told.lift
        raw = np.where(e > 0, np.maximum(o / np.where(e > 0, e, 1.0), RAW_FLOOR), 1.0)
        rivals = (np.ones(len(y)), lam, (o + 0.5) / (e + 0.5), raw)
        sums = np.array([[float(np.sum(m * r)), float(np.sum(y * np.log(r)))] for r in rivals])
        some = y > 0
        base = float(np.sum(y[some] * np.log(y[some] / m[some])))
        claim = np.rint(np.log(lam) / STEP).astype(np.int64)
        # One integer an entry: claims lie well inside +-2^15 steps.
        key = (told.source.astype(np.int64) * 65_536 + claim + 32_768) * 2 + told.flagged
        keys, inverse = np.unique(key, return_inverse=True)
        summed = [
            np.bincount(inverse, values, len(keys)) for values in (m, m * lam, y, np.ones(len(y)))
        ]
        names = (keys // 131_072, keys // 2 % 65_536 - 32_768, keys % 2)
        return (*(name.astype(np.float64) for name in names), *summed), base, sums

    def told(self, sources: npt.NDArray[np.intp]) -> HeldCells:
        """Return the cells of these sources of which the margins expect something."""
        if len(sources) == 0:
            none = np.zeros((0, self.k))
            return self._held(sources, none, none, (none, none, none, none.astype(np.bool_)))
        realised = self._count(self.future, self.label, sources)
        margin = self._margin(sources, realised)
        return self._held(sources, realised, margin, self._claims(sources))

    def _held(
        self,
        sources: npt.NDArray[np.intp],
        realised: Floats,
        margin: Floats,
        claimed: tuple[Floats, Floats, Floats, Flags],
    ) -> HeldCells:
        told = margin > LEAST_MARGIN
        row, column = np.nonzero(told)
        observed, expected, lift, flagged = claimed
        return HeldCells(
            source=sources[row].astype(np.int32),
            community=np.flatnonzero(self.claims.scored)[column].astype(np.int32),
            observed=observed[told],
            expected=expected[told],
            lift=lift[told],
            flagged=flagged[told],
            margin=margin[told],
            realised=realised[told],
        )

    def _margin(self, sources: npt.NDArray[np.intp], realised: Floats) -> Floats:
        """Return what the margins of the future expect, among users who could be new sharers."""
        if self.claims.coming is not None:
            return self._coming(sources, realised, self.claims.coming)
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

    def _coming(self, sources: npt.NDArray[np.intp], realised: Floats, coming: Coming) -> Floats:
        """Return the same by later exposure, scaled to what the others of a community realise."""
        cell, row, column = self._places(sources, coming.source, coming.community)
        margin = np.zeros((len(sources), self.k))
        margin[row, column] = coming.expected[cell]
        where = self.column[coming.community]
        total = np.bincount(where[where >= 0], coming.expected[where >= 0], self.k)
        shared = np.bincount(self.label[self.label >= 0], minlength=self.k)
        rest = total - margin
        usable = rest > LEAST_MARGIN
        return np.where(usable, margin * (shared - realised) / np.where(usable, rest, 1.0), 0.0)

    def _claims(self, sources: npt.NDArray[np.intp]) -> tuple[Floats, Floats, Floats, Flags]:
        """Return observed, expected, claimed lift and flag of the cells of these sources."""
        fold, found = self.claims.fold, self.claims.found
        if found.exposed is not None:
            return self._exposed_claims(sources, found.exposed)
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
        cell, row, column = self._places(sources, found.cells.source, found.cells.community)
        usable = found.usable[cell]
        lift[row[usable], column[usable]] = found.posterior.mean[cell[usable]]
        return observed, expected, lift, self._flags(sources, lift.shape)

    def _exposed_claims(
        self, sources: npt.NDArray[np.intp], fitted: ExposedFit
    ) -> tuple[Floats, Floats, Floats, Flags]:
        """Return the same where exposure is known; what was never exposed claims the usual."""
        cell, row, column = self._places(sources, fitted.source, fitted.community)
        shape = (len(sources), self.k)
        observed, expected = np.zeros(shape), np.zeros(shape)
        lift = np.full(shape, float(fitted.prior.means @ fitted.prior.weights))
        observed[row, column] = fitted.observed[cell]
        expected[row, column] = fitted.expected[cell]
        lift[row, column] = fitted.lift[cell]
        return observed, expected, lift, self._flags(sources, shape)

    def _flags(self, sources: npt.NDArray[np.intp], shape: tuple[int, ...]) -> Flags:
        found = self.claims.found
        flagged = np.zeros(shape, np.bool_)
        cell, row, column = self._places(sources, found.cells.source, found.cells.community)
        flagged[row, column] = found.flagged[cell]
        return flagged

    def _places(
        self, sources: npt.NDArray[np.intp], source: Ints, community: Ints
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Ints]:
        """Return which cells are of these sources, with row and column of each."""
        row_of = np.full(max(len(self.claims.fold), int(source.max(initial=-1)) + 1), -1, np.intp)
        row_of[sources] = np.arange(len(sources))
        cell = np.flatnonzero((row_of[source] >= 0) & (self.column[community] >= 0))
        return cell, row_of[source[cell]], self.column[community[cell]]

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
