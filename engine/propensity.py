"""The ordinary habit of each user: shares for an exposure, drawn towards their community's.

`S_u ~ Poisson(r_u X_u)` with `r_u ~ Gamma(alpha_C, rate beta_C)` over the users of a community,
whose two parameters are fitted to the marginal (negative binomial) likelihood. A user's
habit is the posterior mean `(S_u + alpha_C) / (X_u + beta_C)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from engine.csr import Floats, Ints

__all__ = ["Habits", "fit_habits", "habit"]

STEPS: Final = 40
DONE: Final = 1e-8
"""Newton steps end where none moves ln alpha or ln mean by more."""
LEAST_SHAPE: Final = 1e-2
MOST_SHAPE: Final = 1e3
SPREAD: Final = 1.0
"""Standard deviation of ln alpha of communities about that of everyone: decides only where a
community has too few sharers to tell how far its members differ."""


@dataclass(frozen=True, slots=True, eq=False)
class Habits:
    """How habits are spread over the users of each group: gammas of `shape` and `rate`."""

    shape: Floats
    rate: Floats


def habit(shares: Floats, exposures: Floats, group: Ints, habits: Habits) -> Floats:
    """Return shares for an exposure of each user: the posterior mean.

    Examples
    --------
    Ten exposures' worth of a community that shares one in four:

    >>> import numpy as np
    >>> known = Habits(np.array([2.5]), np.array([10.0]))
    >>> habit(np.array([0.0, 6.0]), np.array([10.0, 10.0]), np.zeros(2, np.int32), known).tolist()
    [0.125, 0.425]
    """
    return np.asarray((shares + habits.shape[group]) / (exposures + habits.rate[group]))


def fit_habits(
    shares: Floats, exposures: Floats, group: Ints, groups: int, start: Habits | None = None
) -> Habits:
    """Fit how habits are spread in each group. A few passes over the users who were exposed.

    Parameters
    ----------
    shares, exposures
        Of each user, float64[n]; both may be fractions.
    group
        Group of each user, int32[n].
    groups
        Number of groups. One without any share has the mean of everyone.
    start
        An answer to much the same question, to start from.
    """
    told = exposures > 0
    s, x, g = shares[told], exposures[told], group[told]
    if s.sum() <= 0:
        return Habits(np.ones(groups), np.full(groups, 1.0))
    everyone = _fit(s, x, np.zeros(len(s), np.int32), 1)
    centre = float(np.log(everyone[0][0]))
    shape, mean = _fit(s, x, g, groups, centre, None if start is None else start.shape)
    total, seen = np.bincount(g, s, groups), np.bincount(g, x, groups)
    none = (total <= 0) | (seen <= 0)
    shape = np.where(none, everyone[0][0], shape)
    mean = np.where(none, everyone[1][0], mean)
    return Habits(shape, shape / mean)


def _fit(  # noqa: PLR0917 - a likelihood with its data and its prior
    s: Floats,
    x: Floats,
    group: Ints,
    groups: int,
    centre: float | None = None,
    start: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Maximise the likelihood over ln shape and ln mean, one Newton search a group.

    `centre` is what ln shape is drawn towards; None draws it nowhere. `start` is a shape.
    """
    total, seen = np.bincount(group, s, groups), np.bincount(group, x, groups)
    log_mean = np.log(np.where(total > 0, total, 1.0) / np.where(seen > 0, seen, 1.0))
    log_shape = np.full(groups, 0.0 if centre is None else centre)
    if start is not None:
        log_shape = np.log(np.clip(start, LEAST_SHAPE, MOST_SHAPE))
    some = s > 0  # the gamma functions of all others cancel
    low, high = np.log(LEAST_SHAPE), np.log(MOST_SHAPE)
    for _ in range(STEPS):
        alpha = np.exp(log_shape)
        beta = alpha / np.exp(log_mean)
        a, b = alpha[group], beta[group]
        psi, tri = np.zeros(len(s)), np.zeros(len(s))
        a_some = a[some]
        psi[some] = special.digamma(s[some] + a_some) - special.digamma(alpha)[group[some]]
        tri[some] = (
            special.polygamma(1, s[some] + a_some) - special.polygamma(1, alpha)[group[some]]
        )
        rest = 1.0 / (b + x)
        first_a = np.bincount(group, psi + np.log(b * rest), groups)
        first_b = np.bincount(group, a / b - (s + a) * rest, groups)
        second_a = np.bincount(group, tri, groups)
        cross = np.bincount(group, 1.0 / b - rest, groups)
        second_b = np.bincount(group, (s + a) * rest**2 - a / b**2, groups)
        # By logs; shape moves the rate with it, so that the mean stays.
        l_a, l_b = alpha * first_a, beta * first_b
        h_aa = alpha**2 * second_a + l_a
        h_ab = alpha * beta * cross
        h_bb = beta**2 * second_b + l_b
        g_shape, g_mean = l_a + l_b, -l_b
        h_shape, h_mixed, h_mean = h_aa + 2.0 * h_ab + h_bb, -(h_ab + h_bb), h_bb
        if centre is not None:
            g_shape = g_shape - (log_shape - centre) / SPREAD**2
            h_shape = h_shape - 1.0 / SPREAD**2
        step_shape, step_mean = _newton(g_shape, g_mean, h_shape, h_mixed, h_mean)
        new_shape = np.clip(log_shape + step_shape, low, high)
        moved = max(
            float(np.abs(new_shape - log_shape).max(initial=0.0)),
            float(np.abs(step_mean).max(initial=0.0)),
        )
        log_shape, log_mean = new_shape, log_mean + step_mean
        if moved < DONE:
            break
    return np.exp(log_shape), np.exp(log_mean)


def _newton(
    g_shape: Floats, g_mean: Floats, h_shape: Floats, h_mixed: Floats, h_mean: Floats
) -> tuple[Floats, Floats]:
    """Return a step uphill for each group: Newton's where the surface bends down, else short."""
    determinant = h_shape * h_mean - h_mixed**2
    bends = (h_shape < 0) & (h_mean < 0) & (determinant > 1e-12 * h_shape * h_mean)
    safe = np.where(bends, determinant, 1.0)
    step_shape = np.where(
        bends, (h_mixed * g_mean - h_mean * g_shape) / safe, 0.5 * np.sign(g_shape)
    )
    flat = np.where(h_mean < 0, -h_mean, 1.0)
    step_mean = np.where(
        bends, (h_mixed * g_shape - h_shape * g_mean) / safe, np.where(h_mean < 0, g_mean / flat, 0)
    )
    return np.clip(step_shape, -1.0, 1.0), np.clip(step_mean, -1.0, 1.0)
