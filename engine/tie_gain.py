"""How much better than degrees alone a partition predicts ties it has not seen.

Communities fit the ties they were found on better than any others, the more so the fewer
ties a user has; taken at their word they would lose on held-out ties even where they know
something. So their odds are drawn towards 1 by an exponent that the held-out ties decide
(0: they know nothing, 1: take them at their word).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from engine.csr import Csr, Floats, Ints, Longs
from engine.edges import Edges
from engine.kernels.leiden import leiden

__all__ = ["HIDDEN", "LEAST", "Gain", "error_of_mean", "fit", "gain"]

HIDDEN: Final = 0.1
"""Part of the ties that is held out."""

LEAST: Final = 10
"""Communities with fewer members count as one, `the rest`."""

_EXPONENTS: Final = np.linspace(0, 1, 21)

_LEVELS: Final = 256
"""Degrees of communities are told apart in this many steps where there are more."""


@dataclass(frozen=True, slots=True, eq=False)
class Gain:
    """How well a partition predicts ties it has not seen.

    `overall` is the mean log gain per held-out tie over what degrees alone predict: 0 is no
    better, ln 2 twice as likely; `error` its standard error, and `ties` the gain of each
    held-out tie (NaN where all ties of an end are hidden: such a user is in no community).
    `of` is the mean log gain of the ties of each community's members, seen from their end
    (NaN where none was held out, or it has under ten members); `size` counts its members.
    `exponent` says how far the partition was believed.
    """

    labels: Ints
    exponent: float
    overall: float
    error: float
    ties: Floats
    of: Floats
    size: Longs


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """Odds of a tie between communities r and s against what their degrees give.

    `B_rs = (m_rs + unit) / (kappa_r kappa_s / 2m + unit)`. Most pairs have no tie at all; of
    those that have, `r`, `s` and `log_b` are listed, and `log_none` is what it would be
    without. `level_degree` and `level_share` sum up communities of nearly the same degree.
    """

    degree: Floats
    share: Floats
    unit: float
    between: sparse.csr_array
    r: Ints
    s: Ints
    log_b: Floats
    log_none: Floats
    level_degree: Floats
    level_share: Floats

    @classmethod
    def of(cls, graph: Csr, community: Longs, count: int, unit: float) -> _Blocks:
        """Sum up a graph by community."""
        rows = np.repeat(community, np.diff(graph.indptr))
        between = sparse.coo_array(
            (graph.weights, (rows, community[graph.indices])), shape=(count, count)
        ).tocsr()
        between.sum_duplicates()
        degree = np.bincount(rows, weights=graph.weights, minlength=count).astype(np.float64)
        share = degree / max(float(degree.sum()), unit)
        r = np.repeat(np.arange(count), np.diff(between.indptr)).astype(np.int32)
        s = between.indices.astype(np.int32)
        chance = np.log(degree[r] * share[s] + unit)
        log_b = np.log(between.data + unit) - chance
        log_none = np.log(unit) - chance
        return cls(
            degree, share, unit, between, r, s, log_b, log_none, *_levels(degree, share, unit)
        )

    def log_odds(self, r: Longs, s: Longs) -> Floats:
        """Return `ln B` of pairs of communities."""
        if len(r) == 0:
            return np.empty(0)
        seen = np.asarray(self.between[r, s]).ravel()
        found: Floats = np.log((seen + self.unit) / (self.degree[r] * self.share[s] + self.unit))
        return found

    def log_norms(self, exponent: float) -> Floats:
        """Return `ln sum_s B_rs^exponent kappa_s / 2m` for each r."""
        none = (self.unit / (np.outer(self.level_degree, self.share) + self.unit)) ** exponent
        more = self._excess(exponent) * self.share[self.s]
        norm = self.level_share @ none + np.bincount(self.r, more, minlength=len(self.share))
        # Without any tie there is nothing to be more or less likely than.
        found: Floats = np.log(np.where(norm > 0, norm, 1.0))
        return found

    def log_norm(self, exponent: float) -> float:
        """Return `ln sum_rs B_rs^exponent kappa_r kappa_s / (2m)^2`."""
        total = max(float(self.degree.sum()), self.unit)
        chance = np.outer(self.level_degree, self.level_degree / total)
        none = (self.unit / (chance + self.unit)) ** exponent
        more = self._excess(exponent) * self.share[self.r] * self.share[self.s]
        norm = float(self.level_share @ none @ self.level_share + more.sum())
        return float(np.log(norm)) if norm > 0 else 0.0

    def _excess(self, exponent: float) -> Floats:
        found: Floats = np.exp(exponent * self.log_b) - np.exp(exponent * self.log_none)
        return found


def _levels(degree: Floats, share: Floats, unit: float) -> tuple[Floats, Floats]:
    """Return the mean degree and the whole share of communities of (nearly) one degree.

    Degrees within 5 % are one level where there are many: sums over all pairs then err by
    less than a thousandth.
    """
    _, level = np.unique(degree, return_inverse=True)
    if level.max(initial=0) >= _LEVELS:
        steps = np.round(20 * np.log(np.maximum(degree, unit / 2)))
        _, level = np.unique(steps, return_inverse=True)
    mean = np.bincount(level, weights=degree) / np.bincount(level)
    return mean, np.bincount(level, weights=share).astype(np.float64)


def gain(
    graph: Csr, labels: Ints, u: Ints, v: Ints, unit: float, *, exponent: float | None = None
) -> Gain:
    """Score a partition of a graph on ties `u`, `v` that are not in it.

    With weights m between communities r, s, their degrees kappa, one unit of pseudo-count
    and an exponent t, `B = (m_rs + unit) / (kappa_r kappa_s / 2m + unit)`; a held-out tie
    gains `t ln B - ln sum_rs B^t kappa_r kappa_s / (2m)^2`, and seen from an end in
    community r `t ln B - ln sum_s B^t kappa_s / 2m`. Communities of under ten members are
    one. By default t is the one of 0, .05, ..., 1 with the highest mean gain.

    Cost: edges + communities x 256 levels of degree.

    Examples
    --------
    Two cliques of ten; a hidden tie inside one is about twice as likely as by chance:

    >>> import numpy as np
    >>> from engine.csr import Csr
    >>> a, b = np.triu_indices(10, 1)
    >>> g = Csr.undirected(np.r_[a, a + 10], np.r_[b, b + 10], np.ones(90), 20)
    >>> found = gain(g, np.repeat([0, 1], 10).astype(np.int32), np.array([0]), np.array([1]), 1.0)
    >>> found.exponent, round(found.overall, 2), found.of.round(2).tolist()
    (1.0, 0.68, [0.68, nan])
    """
    size = np.bincount(labels)
    large = size >= LEAST
    rest = int(large.sum())
    place = np.where(large, np.cumsum(large) - 1, rest)
    community = place[labels]
    blocks = _Blocks.of(graph, community, rest + 1, unit)
    tied = np.diff(graph.indptr) > 0
    known = tied[u] & tied[v]
    r, s = community[u[known]], community[v[known]]
    log_odds = blocks.log_odds(r, s)
    mean = float(log_odds.mean()) if len(log_odds) else 0.0
    if exponent is None:
        scores = [t * mean - blocks.log_norm(t) for t in _EXPONENTS.tolist()]
        exponent = float(_EXPONENTS[int(np.argmax(scores))])
    ties = np.full(len(u), np.nan)
    ties[known] = exponent * log_odds - blocks.log_norm(exponent)
    log_norms = blocks.log_norms(exponent)
    ends = np.concatenate((r, s))
    seen = exponent * np.concatenate((log_odds, log_odds)) - log_norms[ends]
    many = np.bincount(ends, minlength=rest + 1)
    of = np.full(rest + 1, np.nan)
    np.divide(np.bincount(ends, weights=seen, minlength=rest + 1), many, of, where=many > 0)
    of[rest] = np.nan
    overall = float(ties[known].mean()) if len(r) else 0.0
    return Gain(labels, exponent, overall, error_of_mean(ties, u), ties, of[place], size)


def error_of_mean(values: Floats, user: Ints) -> float:
    """Return the standard error of a mean; values of one user count as one observation."""
    known = ~np.isnan(values)
    if not known.any():
        return 0.0
    _, which = np.unique(user[known], return_inverse=True)
    off = np.bincount(which, weights=values[known] - values[known].mean())
    return float(np.sqrt((off**2).sum()) / known.sum())


def fit(
    edges: Edges,
    gamma: float,
    seed: int,
    exponent: float | None = None,
    then: Callable[[Csr, Ints], Ints] | None = None,
) -> Gain:
    """Hide a tenth of the ties, find communities on the rest, and score them. One Leiden run.

    `then` makes other communities of those found on what is left of the ties.
    """
    kept, u, v = edges.hide(HIDDEN, seed)
    graph = kept.graph()
    labels = leiden(graph, gamma, seed)
    if then is not None:
        labels = then(graph, labels)
    return gain(graph, labels, u, v, edges.unit, exponent=exponent)
