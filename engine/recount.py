"""Cells of some sources, counted again: also those without a share, also without some people.

A run keeps the cells in which a source was shared. A sum over sources needs the others as
well, since what is expected there was not shared; and to ask what a score would be without
some accounts, they have to be counted again. Counted in the tier and on the communities of
the run, with the prior of the run, so that nothing but the question differs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Self, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.affinity import event_labels, leave_own_out, margins, volumes
from engine.contract import Backend
from engine.csr import Floats, Ints, Longs
from engine.dispersion import Dispersion, dispersion
from engine.errors import UsageError
from engine.exposed_fit import ExposedFit, fit_exposed
from engine.lift import SMALLEST_EXPECTED, Prior, posterior_mean
from engine.params import SourceKind
from engine.scene import Scene
from engine.shares import first_shares
from engine.snapshot import Snapshot
from engine.sources import SourceEvents, events
from engine.tiers import choose

__all__ = ["Counting", "Habit", "Recount", "lacking", "places", "prior_of", "settled_weight"]

ROUNDS: Final = 4
"""Turns of working out what a share counts: it depends on the lift, which depends on it."""

Flags = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Habit:
    """What an expectation with unknown exposure is made of, for each cell.

    `volume` int64[S, P]: shares of the source on each platform. `rate` float64[S, P, k]: the
    community's part of the sharing there, in the source's fold. `total` float64[S, k]: all
    that the community shares of sources of that fold.
    """

    volume: Longs
    rate: Floats
    total: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Recount:
    """Cells of S sources in all k communities.

    `observed`, `expected` and `weight` float64[S, k]; NaN where nothing can be expected.
    `shares` are the events counted, `source` the place of each event's source among the S
    (-1: another), `label` the community that each was counted in (-1: none). `total`
    float64[S, k] is what the community shares of all that the source is held against.
    `habit` is there with unknown exposure. With known exposure `exposure` float64[S, k] counts
    how often members were shown it, `at_risk` what their habits make of that.
    """

    shares: SourceEvents
    source: Ints
    label: Ints
    fold: Ints
    observed: Floats
    expected: Floats
    weight: Floats
    total: Floats
    habit: Habit | None = None
    exposure: Floats | None = None
    at_risk: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Counting:
    """How a run counted one kind of source.

    `scored` bool[k] are the communities with a score of that kind.
    """

    scene: Scene
    kind: SourceKind
    tier: str
    prior: Prior
    scored: Flags

    @classmethod
    def of(cls, backend: Backend, scene: Scene, kind: str) -> Self:
        """Read from a run how it counted a kind.

        Raises
        ------
        UsageError
            If the run keeps no prior of that kind.
        """
        where = {"source_kind": kind, "community_id__ne": None}
        rows = backend.read("scores", run_id=scene.run.run_id, where=where)
        known = rows["community_id"].combine_chunks().unique()
        scored = np.asarray(pc.is_in(scene.partitions.community_ids, known)).astype(np.bool_)
        tier, prior = prior_of(backend, scene.run.run_id, kind)
        return cls(scene, _kind(kind), tier, prior, scored)

    def cells(
        self,
        source_ids: pa.StringArray,
        *,
        without: Flags | None = None,
        shares: SourceEvents | None = None,
        fold: Ints | None = None,
        labels: Labels | None = None,
    ) -> Recount:
        """Count some sources in every community.

        Parameters
        ----------
        source_ids
            The S sources; one that nobody shared has no observed share.
        without
            Users who are left out everywhere, bool[n].
        shares
            Events of the kind, where some were left out or renamed.
        fold, labels
            Folds of the root groups, and the communities of each: by default the run's.

        Notes
        -----
        With unknown exposure O(events log events), the same for one source and for all; with
        known exposure as much as the run spent on scoring this kind.
        """
        fold = self.scene.group_folds if fold is None else fold
        labels = self.scene.partitions.folds if labels is None else labels
        if self.tier == "affinity":
            shares = self.scene.events(self.kind) if shares is None else shares
            kept = shares if without is None else shares.only(~without[shares.user])
            return self._affinity(kept, places(kept, source_ids), fold, labels)
        return self._exposed(source_ids, without, shares, fold, labels)

    def _affinity(self, shares: SourceEvents, chosen: Ints, folds: Ints, labels: Labels) -> Recount:
        fold = folds[shares.group]
        label = event_labels(shares, fold, labels)
        platforms, k = len(self.scene.snapshot.platforms), self.scene.partitions.k
        margin = margins(shares, fold, label, (len(labels), platforms, k))
        source = _place(shares, chosen)
        observed = _counted(source, label, (len(chosen), k))
        own, known = fold[chosen], chosen >= 0
        volume = np.where(known[:, None], volumes(shares, platforms)[chosen], 0)
        habit = Habit(volume, margin.rate[own], margin.total[own])
        chance = np.einsum("sp,spk->sk", habit.volume.astype(np.float64), habit.rate)
        expected = leave_own_out(chance, habit.total, observed)
        weight = settled_weight(
            dispersion(shares, label),
            np.repeat(chosen, k),
            observed.ravel(),
            expected.ravel(),
            self.prior,
        )
        return Recount(
            shares,
            source,
            label,
            own,
            observed,
            expected,
            weight.reshape(observed.shape),
            habit.total,
            habit,
        )

    def _exposed(
        self,
        source_ids: pa.StringArray,
        without: Flags | None,
        shares: SourceEvents | None,
        folds: Ints,
        labels: Labels,
    ) -> Recount:
        scene = self.scene
        snapshot = scene.snapshot if without is None else lacking(scene.snapshot, without)
        counted = scene.shares if without is None else first_shares(snapshot)
        if shares is None or without is not None:
            count = scene.run.params.count
            shares = events(snapshot, self.kind, counted, scene.groups, count)
        forced = scene.run.params.model_copy(update={"tier": self.tier})
        tiers = choose(snapshot, forced, {self.kind: shares}, counted=counted, groups=scene.groups)
        exposure, k = tiers.exposure[self.kind], len(self.scored)
        fold = folds[exposure.group]
        if bool((labels == labels[0]).all()):
            # As the run did: where ties hold no share, every fold is the same partition.
            labels, fold = labels[:1], np.zeros_like(fold)
        inside = np.append(self.scored, False)[labels]
        masked = np.where(inside, labels, -1).astype(np.int32)
        fit = fit_exposed(exposure, fold, masked, k)
        chosen = places(shares, source_ids)
        seen = shares.only(exposure.seen)
        shape = (len(chosen), k)
        everyone = np.bincount(fit.community, fit.observed, k)
        found = _Dense(fit, chosen, shape)
        observed, expected = found.column(fit.observed), found.column(fit.weighted_expected)
        weighted = found.column(fit.weighted_observed)
        usable = found.column(fit.expected) > SMALLEST_EXPECTED
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = np.where(
                observed > 0, weighted / observed, expected / found.column(fit.expected)
            )
        return Recount(
            seen,
            _place(seen, chosen),
            event_labels(seen, fold[: len(shares.source_id)], masked),
            folds[shares.group[chosen]],
            observed,
            np.where(usable, expected / weight, np.nan),
            np.where(usable, weight, np.nan),
            np.broadcast_to(everyone, shape),
            exposure=found.column(fit.exposure),
            at_risk=found.column(fit.expected),
        )


class _Dense:
    """Cells of some sources as a matrix with a row a source; 0 where there is no cell."""

    def __init__(self, fit: ExposedFit, chosen: Ints, shape: tuple[int, int]) -> None:
        first, last = fit.cell_of_source[chosen], fit.cell_of_source[chosen + 1]
        many = np.where(chosen >= 0, last - first, 0)
        self._row = np.repeat(np.arange(len(chosen)), many)
        offset = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
        self._cell = np.repeat(first, many) + offset
        self._column = fit.community[self._cell]
        self._shape = shape

    def column(self, values: Floats) -> Floats:
        found = np.zeros(self._shape)
        found[self._row, self._column] = values[self._cell]
        return found


def lacking(snapshot: Snapshot, gone: Flags) -> Snapshot:
    """Return the data without what some users did, whom they follow and what they were shown.

    The users stay, and so do their contents: others passed those on.
    """
    contents, shares = snapshot.contents, snapshot.shares
    shown, pairs, follows = snapshot.impressions, snapshot.interactions, snapshot.follows
    author = np.append(gone, False)[contents.author]
    return replace(
        snapshot,
        contents=replace(contents, posted=contents.posted & ~author),
        shares=_rows_of(shares, ~gone[shares.user]),
        interactions=_rows_of(pairs, ~gone[pairs.user]),
        follows=_rows_of(follows, ~gone[follows.follower]),
        impressions=replace(
            shown,
            content=shown.content[~gone[shown.user]],
            user=shown.user[~gone[shown.user]],
            count=shown.count[~gone[shown.user]],
        ),
    )


def _rows_of(table: Any, kept: Flags) -> Any:
    return replace(table, **{name: getattr(table, name)[kept] for name in table.__slots__})


def _kind(kind: str) -> SourceKind:
    return cast("SourceKind", kind)  # kinds come from the tables of a run


def prior_of(backend: Backend, run_id: str, kind: str) -> tuple[str, Prior]:
    """Return the tier of a kind of source, and how its lifts are spread, as a run found it.

    Raises
    ------
    UsageError
        If the run keeps none.
    """
    rows = backend.read("priors", run_id=run_id, where={"source_kind": kind}, order=("mean",))
    if rows.num_rows == 0:
        raise UsageError(
            f"the spread of lifts of sources of kind {kind}",
            f"run {run_id} keeps none: it scored no such source, or is of an older version",
            "run: kindred analyse",
        )
    shape, mean, weight = (rows[name].to_numpy() for name in ("shape", "mean", "weight"))
    return rows["tier"][0].as_py(), Prior(float(shape[0]), mean, weight)


def settled_weight(
    bunched: Dispersion, source: Ints, observed: Floats, expected: Floats, prior: Prior
) -> Floats:
    """Return what a share in each cell counts, when lift and weight have settled; NaN without."""
    usable = np.isfinite(expected)
    of, o, e = source[usable], observed[usable], expected[usable]
    weight = bunched.weight(of, e)
    for _ in range(ROUNDS - 1):
        weight = bunched.weight(of, posterior_mean(prior, weight * o, weight * e) * e)
    found = np.full(len(expected), np.nan)
    found[usable] = weight
    return found


def places(shares: SourceEvents, source_ids: pa.StringArray) -> Ints:
    """Return the numbers of these sources among those that have an event, -1 without."""
    found = pc.fill_null(pc.index_in(source_ids, shares.source_id), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False)).astype(np.int32)


def _place(shares: SourceEvents, chosen: Ints) -> Ints:
    """Return the place of each event's source among the chosen, -1 for others."""
    place = np.full(len(shares.source_id), -1, np.int32)
    known = chosen >= 0
    place[chosen[known]] = np.flatnonzero(known)
    return place[shares.source]


def _counted(source: Ints, label: Ints, shape: tuple[int, int]) -> Floats:
    inside = (source >= 0) & (label >= 0)
    cell = source[inside].astype(np.int64) * shape[1] + label[inside]
    count = np.bincount(cell, minlength=shape[0] * shape[1])
    return count.reshape(shape).astype(np.float64)
