"""Three levels of communities, each strictly inside the one above.

Level 1 is what the chosen resolution finds. Level 0 joins its communities at half that
resolution, level 2 parts the larger ones at twice it, where ties that were held out insist.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from engine.csr import Csr, Ints
from engine.found import Found, sizes
from engine.giant import without_giants
from engine.groups import Flags
from engine.kernels.leiden import leiden
from engine.parallel import in_threads
from engine.params import AnalysisParams
from engine.parts import FINER, parts, worth
from engine.progress import Progress, silent
from engine.tie_gain import HIDDEN, fit

__all__ = ["PARTED_FROM", "Levels", "nest"]

PARTED_FROM: Final = 200
"""Members from which a community may have parts."""

COARSER: Final = 0.5
"""By how much the resolution falls from communities to what joins them."""


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """What lies above and below the communities of level 1.

    `above` int32[k] is the group of each community, 0, 1, ... by falling members; empty
    where no two communities are joined, since level 0 would then repeat level 1. `part`
    int32[n] is the part of each user, -1 outside any; parts count up by community, within it
    by falling size. Of each part, `whole` int32[parts] is the community it belongs to, and
    `large` says whether it has the members to be described. `runs` counts Leiden runs on the
    whole of the ties.
    """

    above: Ints
    part: Ints
    whole: Ints
    large: Flags
    runs: int

    def group_of_users(self, reference: Ints) -> Ints:
        """Return the group of each user, -1 outside any."""
        if not len(self.above):
            return np.full(len(reference), -1, np.int32)
        return np.where(reference >= 0, self.above[reference], -1).astype(np.int32)


def nest(found: Found, params: AnalysisParams, progress: Progress = silent) -> Levels:
    """Join communities at half the resolution, and part those of 200 members at twice it.

    Returns
    -------
    Levels
        Parts only where a tie held out inside the community gains by them more than 2 % of
        what it gains by the community, and more than two standard errors.

    Notes
    -----
    One Leiden run on the graph of communities, two inside each community of 200 members, and
    one on all ties where the resolution was given rather than chosen.
    """
    reference, gamma = found.partitions.reference, found.partitions.gamma
    progress("communities: levels", 0, None)
    above = _above(found, COARSER * gamma, params.seed)
    large = np.flatnonzero(sizes(found.partitions) >= PARTED_FROM)
    part = np.full(len(reference), -1, np.int32)
    if not len(large):
        return Levels(above, part, np.empty(0, np.int32), np.empty(0, np.bool_), 0)
    seed = params.seed
    split = partial(without_giants, gamma=gamma, seed=seed) if found.split else None
    whole = found.gain or fit(found.edges, gamma, seed, then=split)
    kept, u, v = found.edges.hide(HIDDEN, seed)
    left, unit = kept.graph(), found.edges.unit

    def inner(label: int) -> Ints | None:
        inside = reference == label
        seen = parts(left, inside, FINER * gamma, seed)
        if not worth(left, inside, seen, u, v, whole, unit):
            return None
        return parts(found.graph, inside, FINER * gamma, seed)

    of: list[int] = []
    for label, these in zip(large.tolist(), in_threads(inner, large.tolist()), strict=True):
        if these is not None and these.max() > 0:
            part[reference == label] = len(of) + these
            of += [label] * (int(these.max()) + 1)
    size = np.bincount(part[part >= 0], minlength=len(of))
    runs = int(found.gain is None)
    return Levels(above, part, np.array(of, np.int32), size >= params.min_members, runs)


def _above(found: Found, gamma: float, seed: int) -> Ints:
    """Return the group of each community, by falling members; empty if each is alone."""
    of, k = found.partitions.reference, found.partitions.k
    rows = np.repeat(np.arange(found.graph.n), np.diff(found.graph.indptr))
    between = Csr.directed(of[rows], of[found.graph.indices], found.graph.weights, k)
    group = leiden(between, gamma, seed)
    count = int(group.max(initial=-1)) + 1
    if count == k:
        return np.empty(0, np.int32)
    members = np.bincount(group, weights=sizes(found.partitions), minlength=count)
    rank = np.empty(count, np.int32)
    rank[np.argsort(-members, kind="stable")] = np.arange(count, dtype=np.int32)
    return rank[group]
