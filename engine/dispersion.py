"""A viral post counts once: how far shares of one post come in bunches.

Shares of a post are not independent: a post that catches on in a community brings many of
them at once. Given how often each post was shared in all, its shares fall into a community
with a probability that varies from post to post with relative variance `phi`. Then
`Var(O) = mean (1 + phi * mean * bunching)`, where `bunching = sum_i n_i (n_i - 1) / N^2` over
the posts of the source: 0 where every post was shared once, 1 where all shares are of one.
Dividing observed and expected by that factor keeps the Poisson interval honest.

Where the data name no contents, 20 windows of time stand in for posts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.csr import Floats, Ints, Longs
from engine.snapshot import NO_TIME
from engine.sources import SourceEvents

__all__ = ["ENOUGH_CELLS", "LEAST", "MOST", "USUAL", "WINDOWS", "Dispersion", "dispersion"]

WINDOWS: Final = 20
LEAST: Final = 0.1
MOST: Final = 4.0
USUAL: Final = 0.5
ENOUGH_CELLS: Final = 50


@dataclass(frozen=True, slots=True, eq=False)
class Dispersion:
    """How far shares come in bunches.

    `phi` is the relative variance between posts, in [0.1, 4]; 0.5 where fewer than 50 cells
    tell. `bunching` is by source, NaN where it has neither contents nor times.
    """

    phi: float
    cells: int
    bunching: Floats

    def only(self, source: Ints) -> Dispersion:
        """Return the same of these sources."""
        return Dispersion(self.phi, self.cells, self.bunching[source])

    def weight(self, source: Ints, mean: Floats) -> Floats:
        """Return what a share in a cell counts: `1 / (1 + phi mean bunching)`."""
        return np.asarray(1.0 / (1.0 + self.phi * mean * np.nan_to_num(self.bunching)[source]))


def dispersion(events: SourceEvents, label: Ints) -> Dispersion:
    """Estimate how far shares come in bunches, from the cells of sources with several posts.

    Pairs of shares of one post against pairs of shares of two posts: if both fall into the
    same community equally often there is nothing to correct. This is the estimate of
    between-post variance of a cell, given how often each post was shared in all.

    Parameters
    ----------
    events
        Shares of each source.
    label
        Community of each event's user, -1 outside any.

    Notes
    -----
    Chains inside a community raise the estimate: intervals are then wider than they need be.
    O(events log events).
    """
    unit = _units(events)
    kept = unit >= 0
    source, unit, label = events.source[kept], unit[kept], label[kept]
    sources = len(events.source_id)
    of_unit, inverse = np.unique(_pair(source, unit), return_inverse=True)
    shared = np.bincount(inverse).astype(np.float64)
    owner = of_unit >> 32
    total = np.bincount(owner, shared, sources)
    within = np.bincount(owner, shared * (shared - 1.0), sources)
    posts = np.bincount(owner, minlength=sources)
    between = total**2 - within - total
    with np.errstate(invalid="ignore"):
        bunching = within / total**2
    inside = label >= 0
    k = int(label.max(initial=-1)) + 1
    place = inverse[inside].astype(np.int64) * max(k, 1) + label[inside]
    places, o = np.unique(place, return_counts=True)
    cell = owner[places // max(k, 1)] * max(k, 1) + places % max(k, 1)
    cells, at = np.unique(cell, return_inverse=True)
    observed = np.bincount(at, o, len(cells))
    same = np.bincount(at, o * (o - 1.0), len(cells))
    apart = observed**2 - same - observed
    a = cells // max(k, 1)
    told = (posts[a] >= 3) & (observed >= 2) & (within[a] > 0)
    a, same, apart = a[told], same[told], apart[told]
    expected = float(np.sum(apart * within[a] / total[a] ** 2))
    found = float(np.sum(same * between[a] / total[a] ** 2))
    enough = len(a) >= ENOUGH_CELLS and expected > 0
    phi = float(np.clip(found / expected - 1.0, LEAST, MOST)) if enough else USUAL
    return Dispersion(phi, len(a), bunching)


def _pair(major: Ints, minor: Longs) -> Longs:
    return (major.astype(np.int64) << 32) | minor


def _units(events: SourceEvents) -> Longs:
    """Return what shares are bunched by: the content, else a window of time, else -1."""
    unit = events.content.astype(np.int64)
    bare = (unit < 0) & (events.at != NO_TIME)
    if bare.any():
        ends = np.quantile(events.at[bare], np.arange(1, WINDOWS) / WINDOWS, method="lower")
        first = int(unit.max(initial=-1)) + 1
        unit[bare] = first + np.searchsorted(ends, events.at[bare], "right")
    return unit
