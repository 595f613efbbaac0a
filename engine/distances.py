"""How far people are: steps along follows from a source, and between people at large.

What somebody posts is seen by the followers; what they pass on, by theirs. The distance from a
source to a person is the fewest such steps. People without a path are out of reach, and the
mean is over those within it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.audiences import Pairs
from engine.csr import Floats, Ints
from engine.kernels.hyperball import GROUPS, breadth_first, hyperball
from engine.sketch import SEED

__all__ = ["EXACT_EDGES", "Distances", "Separation", "distances"]

EXACT_EDGES: Final = 100_000
"""Follows from which on distances are estimated."""

_SAMPLE: Final = 16_384
"""Users from whom the graph as a whole is described, where it is estimated."""
_MOST_BYTES: Final = 1 << 29
"""Memory of the sketches; their precision is the best of p = 6, 7, 8 that fits."""
_Z90: Final = 1.6448536269514722
_MOST: Final = 0.9
"""Part of the pairs that are no farther apart than the effective diameter."""


@dataclass(frozen=True, slots=True, eq=False)
class Distances:
    """From each source: mean steps to whom it can reach, and the part of people within six.

    NaN for sources without an account in the follow graph, and a mean over nobody.
    """

    mean: Floats
    within_six: Floats


@dataclass(frozen=True, slots=True)
class Separation:
    """How far apart people are who can reach each other; ends of 90 % intervals."""

    mean: float
    mean_low: float
    mean_high: float
    diameter: float
    """Steps within which 90 % of the pairs are, between whole steps by line."""
    diameter_low: float
    diameter_high: float
    precision: int | None
    """Of the sketches; None where every path was walked."""


def distances(
    heard: Pairs, accounts: Sequence[Pairs], *, exact_edges: int = EXACT_EDGES
) -> tuple[list[Distances], Separation]:
    """Measure distances along follows.

    O(users / 64 * edges * steps) below `exact_edges`, else O(edges * 2^p * steps).

    Parameters
    ----------
    heard
        Who follows each user.
    accounts
        For each kind of source, the accounts of each source.
    exact_edges
        Follows from which on distances are estimated, by HyperBall.

    Notes
    -----
    Intervals come from a jackknife that leaves out each sixteenth of the registers, and of the
    sampled users, in turn. Exact figures have none: both ends are the figure.

    References
    ----------
    Boldi, Vigna (2013), In-core computation of geometric centralities with HyperBall.

    Examples
    --------
    b follows a, and c follows b:

    >>> chain = Pairs.of(np.array([0, 1]), np.array([1, 2]), 3, 3)
    >>> everyone = Pairs.of(np.arange(3), np.arange(3), 3, 3)
    >>> (found,), whole = distances(chain, [everyone])
    >>> found.mean.tolist(), found.within_six.tolist(), whole.mean
    ([1.5, 1.0, nan], [1.0, 0.5, 0.0], 1.3333333333333333)
    """
    users = len(heard.offset) - 1
    there = np.zeros(users, np.bool_)
    there[heard.source] = there[heard.thing] = True
    people = np.flatnonzero(there)
    indptr, follower = heard.offset, heard.thing.astype(np.int32)
    starts = [_in_graph(pairs, there) for pairs in accounts]
    offset = np.concatenate(
        ([0], *(pairs.offset[1:] + before for pairs, before in _with_bases(starts)))
    ).astype(np.int64)
    start = np.concatenate([np.empty(0, np.int64), *(pairs.thing for pairs in starts)])
    if len(follower) < exact_edges:
        walked = breadth_first(offset, start.astype(np.int32), indptr, follower)
        reached, steps, near = (figure.astype(np.float64) for figure in walked[:3])
        each = np.arange(len(people) + 1)
        at_step = breadth_first(each, people.astype(np.int32), indptr, follower)[3]
        totals = np.cumsum(at_step).astype(np.float64)[None, :]
        precision = None
    else:
        precision = _precision(users)
        sample = _sampled(people)
        some = len(sample) < len(people)
        reached, steps, near, within = hyperball(
            offset, start.astype(np.int32), indptr, follower, sample, int(some), precision, SEED
        )
        totals = within - within[:, :1]
    others = len(people) - np.diff(offset)
    known = np.diff(offset) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(known & (reached > 0), steps / reached, np.nan)
        within_six = np.where(known & (others > 0), np.minimum(near / others, 1.0), np.nan)
    bounds = np.cumsum([len(pairs.offset) - 1 for pairs in accounts])[:-1]
    parts = zip(np.split(mean, bounds), np.split(within_six, bounds), strict=True)
    return [Distances(*part) for part in parts], _separation(totals, precision)


def _in_graph(pairs: Pairs, there: np.ndarray) -> Pairs:
    kept = there[pairs.thing]
    return Pairs.of(pairs.source[kept], pairs.thing[kept], len(pairs.offset) - 1, len(there))


def _with_bases(starts: Sequence[Pairs]) -> list[tuple[Pairs, int]]:
    before = np.cumsum([0, *(len(pairs.thing) for pairs in starts)])
    return [(pairs, int(base)) for pairs, base in zip(starts, before, strict=False)]


def _precision(users: int) -> int:
    fitting = [p for p in (8, 7) if 2 * users << p <= _MOST_BYTES]
    return fitting[0] if fitting else 6


def _sampled(people: np.ndarray) -> Ints:
    if len(people) <= _SAMPLE:
        return people.astype(np.int32)
    chosen = np.random.default_rng([SEED, len(people)]).choice(people, _SAMPLE, replace=False)
    return np.sort(chosen).astype(np.int32)


def _separation(totals: Floats, precision: int | None) -> Separation:
    """Describe the pairs within each step; rows but the last leave something out."""
    means = np.array([_mean(row) for row in totals])
    diameters = np.array([_diameter(row) for row in totals])
    spreads = [_spread(values[:-1]) for values in (means, diameters)]
    (mean, diameter) = float(means[-1]), float(diameters[-1])
    return Separation(
        mean, mean - spreads[0], mean + spreads[0],
        diameter, diameter - spreads[1], diameter + spreads[1],
        precision,
    )  # fmt: skip


def _mean(within: Floats) -> float:
    if within[-1] <= 0:
        return float("nan")
    return float((np.diff(within) * np.arange(1, len(within))).sum() / within[-1])


def _diameter(within: Floats) -> float:
    if within[-1] <= 0:
        return float("nan")
    wanted = _MOST * within[-1]
    step = int(np.searchsorted(within, wanted))
    return float(step - 1 + (wanted - within[step - 1]) / (within[step] - within[step - 1]))


def _spread(left_out: Floats) -> float:
    """Return half a 90 % interval from what leaving out each group gives."""
    if len(left_out) == 0:
        return 0.0
    apart = ((left_out - left_out.mean()) ** 2).sum()
    return _Z90 * float(np.sqrt((GROUPS - 1) / GROUPS * apart))
