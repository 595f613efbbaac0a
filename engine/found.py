"""What the search for communities found, and what its communities are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.csr import Csr, Longs
from engine.edges import Edges
from engine.groups import Flags
from engine.partition import Partitions
from engine.tie_gain import Gain
from engine.ties import Ties

__all__ = ["MAINSTREAM", "Found", "community_ids", "kinds", "sizes"]

MAINSTREAM: Final = 0.4
"""Part of the users with a tie above which a community is the mainstream, not one of many."""

_MAINSTREAM_FROM: Final = 1000
"""In smaller groups two in five of all may well be a party."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Communities, the ties they were found on, and how.

    `curve` maps each resolution tried to its held-out score. `gain` is the held-out fit at
    the chosen resolution, where one was made. `runs` counts Leiden runs. `notes` are
    (topic, sentence, figure) in reading order.
    """

    partitions: Partitions
    ties: Ties
    edges: Edges
    graph: Csr
    curve: Mapping[float, float]
    gain: Gain | None
    runs: int
    notes: tuple[tuple[str, str, float | None], ...]


def sizes(partitions: Partitions) -> Longs:
    """Return the number of members of each reference community."""
    of = partitions.reference
    return np.bincount(of[of >= 0], minlength=partitions.k).astype(np.int64)


def kinds(partitions: Partitions, enough: Flags | None = None) -> list[str]:
    """Name each reference community: community, mainstream or fringe.

    `enough` says which communities share enough to be scored; by default all do.
    """
    size = sizes(partitions)
    total = int(size.sum())
    large = (size > MAINSTREAM * total) & (total >= _MAINSTREAM_FROM)
    scored = partitions.scored if enough is None else partitions.scored & enough
    return [
        "mainstream" if main else "community" if fit else "fringe"
        for main, fit in zip(large.tolist(), scored.tolist(), strict=True)
    ]


def community_ids(count: int) -> npt.NDArray[np.object_]:
    """Return `c1`, `c2`, ...: the ids of communities by falling size."""
    return np.array([f"c{i + 1}" for i in range(count)], np.object_)
