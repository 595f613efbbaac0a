"""What exposure and habit let expect of each source in each community, fitted in turn.

Expectations need habits, habits need what a share counts and what lifts explain, and lifts
need expectations: so the passes go round. One pass (`add_up` of the kernels) gives both the
sums of every cell and what each user was exposed to, so that a round costs one pass over the
edges and one over the acts of each fold.

The expectation is exact at risk: a user is exposed until they share. Scale is a gauge: a
community's expected shares add up to those observed, so that lifts are about 1 on the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.csr import Floats, Ints, Longs
from engine.exposure import Exposure
from engine.first_generation import first_generation
from engine.kernels.exposure import (
    add_up,
    cell_counts,
    cells_of,
    fill_reach,
    gather,
    reach_counts,
    reach_places,
)
from engine.lift import (
    ITERATIONS,
    SMALLEST_EXPECTED,
    Prior,
    expected_step,
    fit,
    posterior_mean,
    step_expected,
)
from engine.parallel import in_threads
from engine.propensity import fit_habits, habit

__all__ = ["ROUNDS", "ExposedFit", "Passes", "Sums", "fit_exposed", "gauge", "homes"]

ROUNDS: Final = 6
"""Rounds of habits, expectations and lifts; more move nothing that matters."""
ROUGH: Final = 60
"""Steps of the spread of lifts in all rounds but the last."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums of one pass. Of each cell float64[cells]; of each user float64[n].

    `observed` and `expected` count shares; `weighted_observed` and `weighted_expected` count
    each by its weight. `shared` is the weight of each user's shares, `risk` what they were
    exposed to, by weight times lift.
    """

    observed: Floats
    expected: Floats
    weighted_observed: Floats
    weighted_expected: Floats
    shared: Floats
    risk: Floats


@dataclass(frozen=True, slots=True, eq=False)
class ExposedFit:
    """Every cell that was exposed, with and without a share, and what was fitted to them.

    Cells lie by source, then community: those of source a are
    `cell_of_source[a]:cell_of_source[a + 1]`. `exposure` counts exposures of members,
    `lift` is the posterior mean. `habit` float64[n] is each user's, to be taken times the
    `scale` float64[k] of their community; `home` int32[n] the group it was drawn towards.
    """

    cell_of_source: Longs
    community: Ints
    observed: Floats
    expected: Floats
    weighted_observed: Floats
    weighted_expected: Floats
    exposure: Floats
    lift: Floats
    prior: Prior
    phi: float
    habit: Floats
    home: Ints
    scale: Floats

    @property
    def source(self) -> Ints:
        """Source of each cell."""
        count = np.diff(self.cell_of_source)
        return np.repeat(np.arange(len(count), dtype=np.int32), count)


@dataclass(frozen=True, slots=True, eq=False)
class _Fold:
    sources: Ints
    label: Ints
    offset: Longs
    place: Ints


class Passes:
    """The cells that a partition makes of an exposure, and passes over them.

    Parameters
    ----------
    exposure
        What was put before whom.
    fold
        Fold of each source, int32[sources].
    labels
        Community of each user in each fold, int32[F, n]; -1 outside any that is scored.
    k
        Number of communities.
    """

    def __init__(
        self, exposure: Exposure, fold: Ints, labels: npt.NDArray[np.int32], k: int
    ) -> None:
        self.exposure, self.k = exposure, k
        self.users = labels.shape[1]
        self._folds = list(
            in_threads(
                lambda f: self._fold(np.flatnonzero(fold == f).astype(np.int32), labels[f]),
                range(len(labels)),
            )
        )
        count = np.zeros(exposure.sources, np.int64)
        for part, found in zip(self._folds, in_threads(self._count, self._folds), strict=True):
            count[part.sources] = found
        self.cell_of_source = np.concatenate(([0], np.cumsum(count))).astype(np.int64)
        self.community = np.empty(int(self.cell_of_source[-1]), np.int32)
        list(in_threads(self._place, self._folds))

    def _fold(self, sources: Ints, label: Ints) -> _Fold:
        label = np.ascontiguousarray(label)
        it = self.exposure
        offset = reach_counts(it.start, it.audience, label, self.k)
        return _Fold(
            sources, label, offset, reach_places(it.start, it.audience, label, self.k, offset)
        )

    def _count(self, part: _Fold) -> Longs:
        it = self.exposure
        return cell_counts(
            part.sources,
            it.unit_of_source,
            it.channel_of_unit,
            it.channel,
            it.pair_of_unit,
            it.pair_user,
            part.label,
            self.k,
            part.offset,
            part.place,
        )

    def _place(self, part: _Fold) -> None:
        it = self.exposure
        cells_of(
            part.sources,
            it.unit_of_source,
            it.channel_of_unit,
            it.channel,
            it.pair_of_unit,
            it.pair_user,
            part.label,
            self.k,
            part.offset,
            part.place,
            self.cell_of_source,
            self.community,
        )

    def over(self, habits: Floats, scale: Floats, lift: Floats, phi: float) -> Sums:
        """Add up every unit. O(folds * edges + shares + entries of reach), folds in threads.

        Parameters
        ----------
        habits
            Shares for an exposure of each user, float64[n].
        scale
            What that counts in each community, float64[k].
        lift
            Of each cell; 1 where nothing is known.
        phi
            Relative variance of appeal between contents; 0 counts every share once.
        """
        sums = np.zeros((4, len(self.community)))
        it = self.exposure
        by_label = np.append(scale, 0.0)  # the last is what -1 points at

        def run(part: _Fold) -> tuple[Floats, Floats]:
            own = habits * by_label[part.label]
            reach = fill_reach(
                it.start, it.audience, part.label, own, self.k, part.offset, part.place
            )
            back, shared, risk = np.zeros(len(reach)), np.zeros(self.users), np.zeros(self.users)
            add_up(
                part.sources,
                it.unit_of_source,
                it.bunching,
                it.channel_of_unit,
                it.channel,
                it.times,
                it.pair_of_unit,
                it.pair_user,
                it.pair_count,
                it.share_of_unit,
                it.sharer,
                part.label,
                own,
                self.k,
                part.offset,
                part.place,
                reach,
                self.cell_of_source,
                self.community,
                lift,
                phi,
                sums,
                back,
                shared,
                risk,
            )
            gather(it.start, it.audience, part.label, self.k, part.offset, part.place, back, risk)
            return shared, np.maximum(risk, 0.0)

        shared, risk = np.zeros(self.users), np.zeros(self.users)
        for mine, at_risk in in_threads(run, self._folds):
            shared += mine
            risk += at_risk
        return Sums(sums[0], sums[1], sums[2], sums[3], shared, risk)


def homes(labels: npt.NDArray[np.int32], k: int) -> Ints:
    """Return the community that most folds put each user in; k for those in none.

    Examples
    --------
    >>> homes(np.array([[0, -1, -1], [1, 1, -1], [1, 0, -1]], np.int32), 2).tolist()
    [1, 1, 2]
    """
    votes = np.array([(labels == row).sum(axis=0) * (row >= 0) for row in labels])
    best = labels[np.argmax(votes, axis=0), np.arange(labels.shape[1])]
    return np.where(best >= 0, best, k).astype(np.int32)


def gauge(observed: Floats, expected: Floats, community: Ints, k: int) -> Floats:
    """Return what makes expected shares of each community add up to those observed.

    1 where a community shared, or expects, nothing.

    Examples
    --------
    >>> gauge(np.array([3.0, 1.0]), np.array([4.0, 4.0]), np.array([0, 0]), 2).tolist()
    [0.5, 1.0]
    """
    o, e = np.bincount(community, observed, k), np.bincount(community, expected, k)
    told = (o > 0) & (e > 0)
    return np.where(told, o / np.where(told, e, 1.0), 1.0)


def fit_exposed(
    exposure: Exposure,
    fold: Ints,
    labels: npt.NDArray[np.int32],
    k: int,
    *,
    phi: float | None = None,
    rounds: int = ROUNDS,
) -> ExposedFit:
    """Fit habits, expectations, how far contents differ in appeal, and the spread of lifts.

    Parameters
    ----------
    exposure, fold, labels, k
        As `Passes` takes them.
    phi
        Relative variance of appeal between contents; by default that of the first generation.
    rounds
        How often all of it is fitted in turn.

    Notes
    -----
    O(rounds * (folds * edges + acts * communities in a poster's audience)).
    """
    passes = Passes(exposure, fold, labels, k)
    community, home = passes.community, homes(labels, k)
    lift, scale = np.ones(len(community)), np.ones(k)
    first = passes.over(np.ones(passes.users), scale, lift, 0.0)
    shared, risk, spread = first.shared, first.risk, None
    told = first_generation(exposure, fold, labels, k) if phi is None else phi
    for _ in range(rounds):
        spread = fit_habits(shared, risk, home, k + 1, spread)
        habits = habit(shared, risk, home, spread)
        found = passes.over(habits, scale, lift, told)
        factor = gauge(found.weighted_observed, found.weighted_expected, community, k)
        expected = found.weighted_expected * factor[community]
        prior, lift = _lifts(found.weighted_observed, expected, ROUGH)
        lift = lift / gauge(lift * expected, expected, community, k)[community]
        scale, shared, risk = scale * factor, found.shared, found.risk
    habits = habit(shared, risk, home, fit_habits(shared, risk, home, k + 1, spread))
    found = passes.over(habits, scale, lift, told)
    factor = gauge(found.weighted_observed, found.weighted_expected, community, k)
    prior, lift = _lifts(
        found.weighted_observed, found.weighted_expected * factor[community], ITERATIONS
    )
    return ExposedFit(
        cell_of_source=passes.cell_of_source,
        community=community,
        observed=found.observed,
        expected=found.expected * factor[community],
        weighted_observed=found.weighted_observed,
        weighted_expected=found.weighted_expected * factor[community],
        exposure=first.expected,
        lift=lift,
        prior=prior,
        phi=told,
        habit=habits,
        home=home,
        scale=scale * factor,
    )


def _lifts(observed: Floats, expected: Floats, iterations: int) -> tuple[Prior, Floats]:
    """Fit the spread of lifts over all cells, and return the mean lift of each.

    Cells that a fit cannot tell apart are worked out once.
    """
    step = expected_step(np.maximum(expected, SMALLEST_EXPECTED / 2.0))
    eighth = np.rint(observed * 8.0).astype(np.int64)
    some = np.flatnonzero(eighth)
    lowest = int(step.min(initial=0))
    # Most cells have no share: those are a histogram of a few hundred steps.
    zero_count = np.bincount(step[eighth == 0] - lowest)
    zero_expected = step_expected(np.arange(len(zero_count)) + lowest)
    pairs, inverse, count = np.unique(
        eighth[some] * 65_536 + (step[some] + 32_768), return_inverse=True, return_counts=True
    )
    pair_observed = (pairs // 65_536) / 8.0
    pair_expected = step_expected(pairs % 65_536 - 32_768)
    prior = fit(
        np.concatenate((pair_observed, np.zeros(len(zero_count)))),
        np.concatenate((pair_expected, zero_expected)),
        np.concatenate((count, zero_count)),
        iterations=iterations,
    )
    of_zero = posterior_mean(prior, np.zeros(len(zero_expected)), zero_expected)
    lift = np.ones(len(step))
    none = eighth == 0
    lift[none] = of_zero[step[none] - lowest]
    lift[some] = posterior_mean(prior, pair_observed, pair_expected)[inverse]
    return prior, lift
