"""Lift of observed over expected counts, with an interval: empirical Bayes on a fixed grid.

`observed ~ Poisson(lift * expected)`, `lift ~ sum_j weight_j Gamma(shape, mean m_j)`. The
means are a fixed grid, so fitting the weights is a concave problem with one answer. All
cells take part in the fit, those without a share too: leaving them out biases lifts up.

Sources: DuMouchel 1999 (gamma mixtures for rates); Koenker and Mizera 2014, Stephens 2017
(mixtures on a fixed grid).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy import special

from engine.csr import Floats, Longs
from engine.kernels.mixture import mixture_weights
from engine.parallel import in_threads

__all__ = [
    "ITERATIONS",
    "SMALLEST_EXPECTED",
    "Posterior",
    "Prior",
    "as_gamma",
    "excess",
    "expected_step",
    "fit",
    "gamma_posterior",
    "posterior",
    "posterior_mean",
    "squash",
    "step_expected",
]

SHAPE: Final = 25.0
MEANS: Final[Floats] = 2.0 ** np.arange(-6.0, 8.001, 0.25)
SMALLEST_EXPECTED: Final = 1e-4
"""Cells that expect less say nothing about lift and stay out of the fit."""

ITERATIONS: Final = 400
GAIN: Final = 1e-7
ROWS: Final = 20_000
"""Pairs worked on at once: bounds memory, decides nothing else."""
LEAST_SHAPE: Final = 1.5
NEGLIGIBLE: Final = 1e-9
"""Posterior weight below which a component cannot move a figure's seventh digit."""
Z90: Final = 1.6448536269514722


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """How lifts are spread over all cells: a mixture of gammas of one shape."""

    shape: float
    means: Floats
    weights: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """What is known of the lift of each cell, one entry a cell.

    `lift` is the geometric mean, `mean` the arithmetic one (what a forecast uses),
    `lift_low` and `lift_high` the 5 % and 95 % points, `prob_above` the probability that
    the lift is above 1. `resonance` is the expected excess part `100 E[(1 - 1/lift)+]`;
    its ends are that part at the ends of the lift.
    """

    lift: Floats
    mean: Floats
    lift_low: Floats
    lift_high: Floats
    prob_above: Floats
    resonance: Floats

    @property
    def resonance_low(self) -> Floats:
        """Percent in excess at the 5 % point of the lift."""
        return excess(self.lift_low)

    @property
    def resonance_high(self) -> Floats:
        """Percent in excess at the 95 % point of the lift."""
        return excess(self.lift_high)

    def take(self, index: npt.NDArray[np.intp]) -> Self:
        """Return the entries at these places."""
        return type(self)(
            self.lift[index],
            self.mean[index],
            self.lift_low[index],
            self.lift_high[index],
            self.prob_above[index],
            self.resonance[index],
        )


def excess(lift: Floats) -> Floats:
    """Percent of the shares that are in excess of the expectation, at a known lift.

    Examples
    --------
    >>> excess(np.array([0.5, 1.0, 2.0, 4.0])).tolist()
    [0.0, 0.0, 50.0, 75.0]
    """
    return 100.0 * np.maximum(0.0, 1.0 - 1.0 / lift)


def expected_step(expected: Floats) -> Longs:
    """Return log2 of the shares expected in whole twentieths."""
    return np.rint(np.log2(expected) * 20.0).astype(np.int64)


def step_expected(step: Longs) -> Floats:
    """Return the shares expected that a step stands for."""
    return np.exp2(step / 20.0)


def squash(
    observed: npt.ArrayLike, expected: npt.ArrayLike, count: npt.ArrayLike | None = None
) -> tuple[Floats, Floats, Floats]:
    """Merge cells that a fit cannot tell apart: shares in eighths, log2 expected in 0.05.

    Returns observed, expected and how many cells stand behind each pair.
    """
    observed, expected = np.asarray(observed, np.float64), np.asarray(expected, np.float64)
    count = np.ones(len(observed)) if count is None else np.asarray(count, np.float64)
    kept = (expected > SMALLEST_EXPECTED) & (count > 0)
    eighths = np.rint(observed[kept] * 8.0).astype(np.int64)
    steps = expected_step(expected[kept])
    # One integer a pair: steps of expected lie well inside +-2^15.
    pairs, inverse = np.unique(eighths * 65_536 + (steps + 32_768), return_inverse=True)
    counts = np.bincount(inverse, weights=count[kept], minlength=len(pairs))
    return (
        (pairs // 65_536) / 8.0,
        step_expected(pairs % 65_536 - 32_768),
        counts.astype(np.float64),
    )


def fit(
    observed: npt.ArrayLike,
    expected: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    *,
    iterations: int = ITERATIONS,
) -> Prior:
    """Fit how lifts are spread, over all cells including those without a share.

    Parameters
    ----------
    observed, expected
        Shares counted and expected, one entry a cell or a group of equal cells.
    weight
        Cells behind each entry; one where not given.
    iterations
        Steps at most: fewer do where the answer is one of several rounds.

    Returns
    -------
    Prior
        57 gammas of shape 25 with means 2^-6 to 2^8. Without any usable cell all weight
        lies at lift 1.

    Notes
    -----
    Works on squashed pairs, so that 10^7 cells cost what 10^4 do.

    Examples
    --------
    >>> prior = fit([0, 0, 2, 1, 40], [0.4, 0.6, 2.1, 1.2, 5.0])
    >>> len(prior.weights), round(float(prior.weights.sum()), 9)
    (57, 1.0)
    """
    observed, expected, count = squash(observed, expected, weight)
    if len(count) == 0:
        return Prior(SHAPE, MEANS, (MEANS == 1.0).astype(np.float64))
    rate = SHAPE / MEANS
    logs = _log_weights(SHAPE, rate, np.zeros(len(rate)), observed, expected)
    likelihood = np.exp(logs - logs.max(axis=1, keepdims=True))
    start = np.full(len(MEANS), 1.0 / len(MEANS))
    weights = mixture_weights(likelihood, count, start, iterations, GAIN * float(count.sum()))
    return Prior(SHAPE, MEANS, weights / weights.sum())


def posterior(prior: Prior, observed: npt.ArrayLike, expected: npt.ArrayLike) -> Posterior:
    """Return what is known of the lift of each cell.

    A cell with nothing observed and nothing expected gets the prior back. Equal pairs are
    worked out once, about 30 microseconds each on one processor; the ends of the intervals
    miss their probability by less than 10^-6.

    Examples
    --------
    >>> prior = Prior(25.0, np.array([0.25, 1.0, 4.0]), np.array([0.1, 0.75, 0.15]))
    >>> p = posterior(prior, [12.0, 5.0], [3.0, 5.0])
    >>> p.lift.round(6).tolist(), p.resonance.round(6).tolist()
    ([3.907398, 0.975694], [73.846902, 5.890468])
    """
    pairs = np.column_stack((np.asarray(observed, np.float64), np.asarray(expected, np.float64)))
    # Viewed as one complex number a pair: np.unique sorts those far faster than rows.
    keys, inverse = np.unique(np.ascontiguousarray(pairs).view(np.complex128), return_inverse=True)
    parts = list(
        in_threads(lambda rows: _exact(prior, keys.real[rows], keys.imag[rows]), _chunks(len(keys)))
    )
    columns = [np.concatenate([p[i] for p in parts]) if parts else np.empty(0) for i in range(6)]
    return Posterior(*columns).take(inverse.ravel())


def posterior_mean(prior: Prior, observed: Floats, expected: Floats) -> Floats:
    """Return the arithmetic mean of each cell's lift: `posterior(...).mean` without the rest."""
    rate = prior.shape / prior.means
    with np.errstate(divide="ignore"):
        log_prior = np.log(prior.weights)
    found = np.empty(len(observed))
    for rows in _chunks(len(observed)):
        o, e = observed[rows], expected[rows]
        weight = special.softmax(_log_weights(prior.shape, rate, log_prior, o, e), axis=1)
        by_component = (prior.shape + o)[:, None] / (rate + e[:, None])
        found[rows] = np.einsum("ij,ij->i", weight, by_component)
    return found


def as_gamma(
    prior: Prior, observed: Floats, expected: Floats, most: float = SHAPE
) -> tuple[Floats, Floats]:
    """Return shape and rate of the gamma with the mean and variance of each posterior.

    The shape is at most `most`, so that what was learned of others never decides alone, and
    at least 1.5: below, the excess part has no mean.

    Examples
    --------
    >>> one = Prior(25.0, np.array([2.0]), np.array([1.0]))
    >>> shape, rate = as_gamma(one, np.array([0.0]), np.array([0.0]))
    >>> shape.round(6).tolist(), rate.round(6).tolist()
    ([25.0], [12.5])
    """
    rate = prior.shape / prior.means
    with np.errstate(divide="ignore"):
        log_prior = np.log(prior.weights)
    logs = _log_weights(prior.shape, rate, log_prior, observed, expected)
    weight = special.softmax(logs, axis=1)
    shapes, rates = (prior.shape + observed)[:, None], rate + expected[:, None]
    mean = np.einsum("ij,ij->i", weight, shapes / rates)
    square = np.einsum("ij,ij->i", weight, shapes * (shapes + 1.0) / rates**2)
    shape = np.clip(mean**2 / np.maximum(square - mean**2, 1e-300), LEAST_SHAPE, most)
    return shape, shape / mean


def gamma_posterior(shape: Floats, rate: Floats) -> Posterior:
    """Return what is known of lifts that are spread as these gammas. Shapes are above 1.

    Examples
    --------
    >>> p = gamma_posterior(np.array([45.0]), np.array([25.0]))
    >>> p.mean.round(3).tolist(), p.lift_low.round(3).tolist(), p.prob_above.round(3).tolist()
    ([1.8], [1.383], [1.0])
    """
    above = special.gammaincc(shape, rate)
    gain = above - rate / (shape - 1.0) * special.gammaincc(shape - 1.0, rate)
    return Posterior(
        np.exp(special.digamma(shape) - np.log(rate)),
        shape / rate,
        special.gammaincinv(shape, 0.05) / rate,
        special.gammaincinv(shape, 0.95) / rate,
        above,
        100.0 * np.clip(gain, 0.0, 1.0),
    )


def _chunks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + ROWS, n)) for start in range(0, n, ROWS))


def _log_weights(
    shape: float, rate: Floats, log_prior: Floats, observed: Floats, expected: Floats
) -> Floats:
    """Log posterior weight of each component (columns) for each cell, up to a constant."""
    return (
        log_prior
        + shape * np.log(rate)
        - (shape + observed)[:, None] * np.log(rate + expected[:, None])
    )


def _exact(prior: Prior, observed: Floats, expected: Floats) -> tuple[Floats, ...]:
    used = prior.weights > 0
    rate = prior.shape / prior.means[used]
    logs = _log_weights(prior.shape, rate, np.log(prior.weights[used]), observed, expected)
    full = special.softmax(logs, axis=1)
    row, column = np.nonzero(full > NEGLIGIBLE)
    mix = _Mixture(
        np.searchsorted(row, np.arange(len(observed))),
        row,
        full[row, column],
        (prior.shape + observed)[row],
        rate[column] + expected[row],
    )
    above = special.gammaincc(mix.shape, mix.rate)
    # Q(A-1, B) = Q(A, B) - B^(A-1) e^-B / Gamma(A)
    below = above - np.exp(
        special.xlogy(mix.shape - 1.0, mix.rate) - mix.rate - special.gammaln(mix.shape)
    )
    gains = above - mix.rate / (mix.shape - 1.0) * below
    log_mean = special.digamma(mix.shape) - np.log(mix.rate)
    centre = mix.mean(log_mean)
    # 1/(A - 1/2) stands for the trigamma of A: good enough for a first guess.
    spread = np.sqrt(mix.mean(1.0 / (mix.shape - 0.5) + (log_mean - centre[row]) ** 2))
    return (
        np.exp(centre),
        mix.mean(mix.shape / mix.rate),
        np.exp(mix.quantile(0.05, centre - Z90 * spread, spread)),
        np.exp(mix.quantile(0.95, centre + Z90 * spread, spread)),
        np.clip(mix.mean(above), 0.0, 1.0),
        100.0 * np.clip(mix.mean(gains), 0.0, 1.0),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Mixture:
    """Gamma mixtures, one a cell, laid end to end: only components that carry weight."""

    start: npt.NDArray[np.intp]
    row: npt.NDArray[np.intp]
    weight: Floats
    shape: Floats
    rate: Floats

    def mean(self, values: Floats) -> Floats:
        """Weighted mean over the components of each cell."""
        total = np.add.reduceat(self.weight, self.start)
        return np.asarray(np.add.reduceat(self.weight * values, self.start) / total)

    def quantile(self, p: float, guess: Floats, spread: Floats) -> Floats:
        """Log of the p-quantile of each cell: Halley steps kept inside a bracket.

        A step of a thousandth of the spread leaves an error of its cube: then it is done.
        """
        low, high = self._bracket(p)
        at = np.clip(guess, low, high)
        rows, mix = np.arange(len(at)), self
        for turn in range(200):
            here = at[rows]
            scaled = mix.rate * np.exp(here)[mix.row]
            miss = mix.mean(special.gammainc(mix.shape, scaled)) - p
            density = np.exp(mix.shape * np.log(scaled) - scaled - special.gammaln(mix.shape))
            slope, bend = mix.mean(density), mix.mean(density * (mix.shape - scaled))
            low[rows] = np.where(miss < 0, here, low[rows])
            high[rows] = np.where(miss < 0, high[rows], here)
            with np.errstate(divide="ignore", invalid="ignore"):
                new = here - 2.0 * miss * slope / (2.0 * slope**2 - miss * bend)
            done = np.abs(miss) <= 1e-3 * spread[rows] * slope
            # Between far components the curve is flat and a step leaps or crawls: halve instead.
            leaps = ~((new > low[rows]) & (new < high[rows])) | (turn > 6 and turn % 2 == 0)
            middle = (low[rows] + high[rows]) / 2.0
            at[rows] = np.where(leaps & ~done, middle, np.where(np.isfinite(new), new, here))
            if done.all():
                break
            rows, mix = rows[~done], mix._take(~done)
        return at

    def _bracket(self, p: float) -> tuple[Floats, Floats]:
        """Return logs that the p-quantile of each cell lies between: those of its components.

        Each is known to a hundredth from the cube root of a gamma being nearly normal
        (Wilson and Hilferty 1931).
        """
        z = special.ndtri(p)
        cube = 1.0 - 1.0 / (9.0 * self.shape) + z / (3.0 * np.sqrt(self.shape))
        logs = np.log(self.shape / self.rate) + 3.0 * np.log(cube)
        return (
            np.minimum.reduceat(logs, self.start) - 0.05,
            np.maximum.reduceat(logs, self.start) + 0.05,
        )

    def _take(self, cells: npt.NDArray[np.bool_]) -> _Mixture:
        kept = cells[self.row]
        row = (np.cumsum(cells) - 1)[self.row[kept]]
        return _Mixture(
            np.searchsorted(row, np.arange(int(cells.sum()))),
            row,
            self.weight[kept],
            self.shape[kept],
            self.rate[kept],
        )
