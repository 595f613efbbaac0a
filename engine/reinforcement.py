"""Reinforcement: whether a community passes things on more readily when it sees them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.audiences import followers
from engine.csr import Floats, Ints, Longs
from engine.kernels.exposures import hazards
from engine.shares import FirstShares
from engine.snapshot import NO_TIME, Snapshot

__all__ = ["MOST_EXPOSURES", "Reinforcement", "reinforcement"]

MOST_EXPOSURES: Final = 4_000_000_000
"""Exposures walked at most; beyond it nothing is said rather than half of it."""

_Z90: Final = 1.6448536269514722


@dataclass(frozen=True, slots=True, eq=False)
class Reinforcement:
    """Hazard of sharing at two exposures or more over that at one, by community.

    `value` is NaN where nobody shared after one exposure, or after more; `k` counts shares
    after two or more, `n` the times somebody reached so many. All have length k.
    """

    value: Floats
    low: Floats
    high: Floats
    k: Longs
    n: Longs


def reinforcement(
    snapshot: Snapshot, shares: FirstShares, label: Ints, k: int
) -> Reinforcement | None:
    """Return how a second exposure compares with the first; None beyond `MOST_EXPOSURES`.

    `hazard(j)` is the shares after exactly j exposures over the people who reached j. A
    ratio above 1 means that people wait for others (Centola 2010; Romero, Meeder and
    Kleinberg 2011). Delays bias it up: who shares late has seen more meanwhile. So it is a
    diagnostic of a community, never a figure of a source. O(followers of all posters).

    Parameters
    ----------
    shares
        The shares that count.
    label
        Community of each user, -1 outside any.
    k
        Number of communities.

    Notes
    -----
    The 90 % interval is that of a ratio of two independent rates, normal on the log scale.
    """
    timed = np.flatnonzero(shares.at != NO_TIME)
    content, start = np.unique(shares.content[timed], return_index=True)
    offset = np.append(start, len(timed)).astype(np.int64)
    author = snapshot.contents.author[content]
    heard = followers(snapshot)
    known = author[author >= 0]
    steps = heard.count[shares.user[timed]].sum() + heard.count[known].sum()
    if int(steps) > MOST_EXPOSURES:
        return None
    reached, shared = hazards(
        offset, shares.user[timed], author, heard.offset, heard.thing.astype(np.int32), label, k
    )
    rate = shared / np.maximum(reached, 1)
    some = (shared > 0).all(axis=1)
    value = np.full(k, np.nan)
    value[some] = rate[some, 1] / rate[some, 0]
    spread = np.full(k, np.nan)
    spread[some] = _Z90 * np.sqrt(((1.0 - rate[some]) / shared[some]).sum(axis=1))
    return Reinforcement(
        value, value * np.exp(-spread), value * np.exp(spread), shared[:, 1], reached[:, 1]
    )
