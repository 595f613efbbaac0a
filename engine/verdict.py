"""The verdict: do communities predict ties better than those found where there are none.

Every method finds communities, in noise too. So the same method is run on rewired graphs,
in which everyone keeps the number of ties and all else is chance. A community is *kindred*
if it predicts held-out ties better than nearly all communities of its size in those.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np

from engine.csr import Floats, Ints, Longs
from engine.found import Found
from engine.giant import without_giants
from engine.parallel import in_threads
from engine.params import AnalysisParams
from engine.progress import Progress, silent
from engine.tie_gain import Gain, fit
from engine.wording import NO_KINDRED

__all__ = ["LEAST_NULLS", "Nulls", "Verdicts", "benjamini_hochberg", "judge"]

LEAST_NULLS: Final = 100
"""Fewer null communities of like size say nothing."""

AGAIN: Final = 0.3
"""Least Jaccard overlap at which a community counts as found again."""

LEAST_GAIN: Final = 0.02
"""Fewest nats a community must gain per held-out tie: a tie two percent likelier, at any size."""

_COARSEST: Final = 1.0
"""Resolution that rewired graphs are searched at, at least: below, chance has next to no
communities, and nothing could be held against them."""

LEVEL: Final = 0.05
"""Part of the communities called kindred that may be chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Nulls:
    """Communities of rewired graphs: size and held-out gain of each, sorted by size."""

    size: Longs
    gain: Floats

    def like(self, sizes: Longs) -> list[Floats]:
        """Return, for each size, the gains of null communities of its size bin, sorted.

        Bins double in size; one with under a hundred joins the next smaller ones, the
        smallest the next larger ones. The last is open: it also holds what is larger than
        any null community.
        """
        bins = np.floor(np.log2(np.maximum(self.size, 1))).astype(np.int64)
        starts: list[int] = []
        for word in np.unique(bins)[::-1].tolist():
            at = int(np.searchsorted(bins, word))
            upper = starts[-1] if starts else len(bins)
            if upper - at >= LEAST_NULLS and (at >= LEAST_NULLS or at == 0):
                starts.append(at)
        edges = [0, *[s for s in starts[::-1] if s > 0], len(bins)]
        pools = [np.sort(self.gain[a:b]) for a, b in pairwise(edges)]
        floors = [0, *[1 << int(bins[s]) for s in edges[1:-1]]]
        which = np.searchsorted(floors, sizes, "right") - 1
        return [pools[w] for w in which.tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """The verdict on each reference community.

    `verdict` is kindred, not_kindred or undetermined; `gain` is the held-out log gain per
    tie and `q` its Benjamini-Hochberg q against null communities, NaN where not judged.
    `overlap` is the Jaccard overlap with the community found without a tenth of the ties.
    `runs` counts Leiden runs, `nulls` the null communities of all sizes.
    """

    verdict: tuple[str, ...]
    gain: Floats
    q: Floats
    overlap: Floats
    runs: int
    nulls: int
    notes: tuple[tuple[str, str, float | None], ...]


def judge(found: Found, params: AnalysisParams, progress: Progress = silent) -> Verdicts:
    """Hold every scored community against those of `params.rewirings` rewired graphs.

    A tenth of the ties is hidden, communities are found on the rest at the resolution of
    `found`, and each is scored by the held-out ties of its members, in the data and in each
    rewired graph alike, with the exponent that suits the data. With n null communities in
    its size bin, of which m gain as much, `p = (1 + m) / (1 + n)`. Rewired graphs are searched
    at a resolution of 1 at least: below, they fall into too few pieces to compare with, and
    what is found in them gains no more on ties it has not seen (Gibbs' inequality). A
    community must moreover gain two percent at all, since one that holds nearly everybody
    gains next to nothing, in the data and by chance.

    Returns
    -------
    Verdicts
        `undetermined` where a community is too small to be scored, was not found again
        without a tenth of the ties, had none of them, or where there are fewer than a
        hundred null communities.

    Notes
    -----
    One Leiden run a rewired graph, in threads, and one on the data where the resolution was
    given. The answer does not depend on the number of threads.

    References
    ----------
    Y. Benjamini, Y. Hochberg (1995). Controlling the false discovery rate. JRSS B 57, 289-300.
    """
    k = found.partitions.k
    judged = np.flatnonzero(found.partitions.scored).astype(np.int64)
    if len(judged) == 0 or params.rewirings == 0:
        return _unjudged(k, params)
    gamma, seed = found.partitions.gamma, params.seed
    split = partial(without_giants, gamma=gamma, seed=seed) if found.split else None
    data = found.gain or fit(found.edges, gamma, seed, then=split)
    nulls = _nulls(found, data.exponent, params, progress)
    of, overlap = _counterpart(found.partitions.reference, data, k)
    gains, sizes = data.of[of[judged]], data.size[of[judged]]
    gains = np.where(overlap[judged] >= AGAIN, gains, np.nan)
    known = ~np.isnan(gains)
    p = np.full(len(judged), np.nan)
    if len(nulls.size) >= LEAST_NULLS:
        for i, pool in zip(np.flatnonzero(known), nulls.like(sizes[known]), strict=True):
            above = len(pool) - int(np.searchsorted(pool, gains[i], "left"))
            p[i] = (1 + above) / (1 + len(pool))
        p[known & (gains < LEAST_GAIN)] = 1.0
    q = np.full(k, np.nan)
    q[judged] = benjamini_hochberg(p)
    gain = np.full(k, np.nan)
    gain[judged] = gains
    verdict = tuple(
        "undetermined" if np.isnan(x) else "kindred" if x <= LEVEL else "not_kindred" for x in q
    )
    runs = params.rewirings + (found.gain is None)
    said = _notes(verdict, judged, nulls, params)
    return Verdicts(verdict, gain, q, overlap, runs, len(nulls.size), said)


def _nulls(found: Found, exponent: float, params: AnalysisParams, progress: Progress) -> Nulls:
    gamma = max(found.partitions.gamma, _COARSEST)

    def one(number: int) -> tuple[Longs, Floats]:
        seed = params.seed + 1 + number
        split = partial(without_giants, gamma=gamma, seed=seed) if found.split else None
        null = fit(found.edges.rewire(seed), gamma, seed, exponent, split)
        counted = (null.size >= params.min_members) & ~np.isnan(null.of)
        return null.size[counted], null.of[counted]

    sizes, gains = [], []
    for size, gain in in_threads(one, range(params.rewirings)):
        sizes.append(size)
        gains.append(gain)
        progress("communities: rewired graphs", len(sizes), params.rewirings)
    size, gain = np.concatenate(sizes), np.concatenate(gains)
    order = np.lexsort((gain, size))
    return Nulls(size[order].astype(np.int64), gain[order])


def _counterpart(reference: Ints, data: Gain, k: int) -> tuple[Longs, Floats]:
    """Return the community of the held-out fit most like each one, and the Jaccard overlap."""
    within = reference >= 0
    mine, theirs = reference[within].astype(np.int64), data.labels[within]
    cells, both = np.unique(mine * len(data.size) + theirs, return_counts=True)
    mine, theirs = np.divmod(cells, len(data.size))
    size = np.bincount(reference[within], minlength=k)
    jaccard = both / (size[mine] + data.size[theirs] - both)
    order = np.lexsort((-theirs, jaccard, mine))
    of, overlap = np.zeros(k, np.int64), np.zeros(k)
    of[mine[order]], overlap[mine[order]] = theirs[order], jaccard[order]  # the last of each
    return of, overlap


def benjamini_hochberg(p: Floats) -> Floats:
    """Return q values; NaN stays NaN and is not counted.

    Examples
    --------
    >>> import numpy as np
    >>> benjamini_hochberg(np.array([0.01, np.nan, 0.04, 0.03])).tolist()
    [0.03, nan, 0.04, 0.04]
    """
    q = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(-p[known], kind="stable")]
    m = len(order)
    q[order] = np.minimum.accumulate(p[order] * m / np.arange(m, 0, -1))
    return q


def _unjudged(k: int, params: AnalysisParams) -> Verdicts:
    why = (
        "no rewired graph was asked for"
        if params.rewirings == 0
        else f"none has {params.min_members} members"
    )
    said = (("verdict", f"No community was judged: {why}.", None),)
    nothing = np.full(k, np.nan)
    return Verdicts(("undetermined",) * k, nothing, nothing, nothing, 0, 0, said)


def _notes(
    verdict: tuple[str, ...], judged: Longs, nulls: Nulls, params: AnalysisParams
) -> tuple[tuple[str, str, float | None], ...]:
    count = len(nulls.size)
    many = f"{count:,} communities of {params.rewirings} rewired graphs"
    if count < LEAST_NULLS:
        said = (
            f"Whether communities are more than chance is undetermined: {many} are fewer than "
            f"the {LEAST_NULLS} needed; ask for more rewirings."
        )
        return (("verdict", said, float(count)),)
    kindred = sum(verdict[c] == "kindred" for c in judged.tolist())
    if kindred == 0:
        said = (
            f"{NO_KINDRED}: none of {len(judged)} is both found again without a tenth of the ties "
            f"and better at predicting those than {many}."
        )
        return (("verdict", said, 0.0),)
    said = (
        f"{kindred} of {len(judged)} communities with {params.min_members} members or more are "
        f"kindred: they predict held-out ties better than {many}."
    )
    return (("verdict", said, float(kindred)),)
