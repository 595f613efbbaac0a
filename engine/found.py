"""What the search for communities found, and what its communities are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.csr import Csr, Floats, Ints, Longs
from engine.edges import Edges
from engine.giant import giants
from engine.groups import Flags
from engine.partition import Partitions
from engine.tie_gain import Gain
from engine.ties import Ties

__all__ = ["Found", "kinds", "sizes", "tie_posterior"]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Communities, the ties they were found on, and how.

    `curve` maps each resolution tried to its held-out score. `gain` is the held-out fit at
    the chosen resolution, where one was made. `runs` counts Leiden runs. `notes` are
    (topic, sentence, figure) in reading order. `split` says that a community of more than
    two in five was parted, and so is parted wherever communities are found alike.
    """

    partitions: Partitions
    ties: Ties
    edges: Edges
    graph: Csr
    curve: Mapping[float, float]
    gain: Gain | None
    runs: int
    notes: tuple[tuple[str, str, float | None], ...]
    split: bool = False


def sizes(partitions: Partitions) -> Longs:
    """Return the number of members of each reference community."""
    of = partitions.reference
    return np.bincount(of[of >= 0], minlength=partitions.k).astype(np.int64)


def kinds(partitions: Partitions, enough: Flags | None = None) -> list[str]:
    """Name each reference community: community, mainstream or fringe.

    `enough` says which communities share enough to be scored; by default all do.
    """
    main = giants(sizes(partitions))
    scored = partitions.scored if enough is None else partitions.scored & enough
    return [
        "mainstream" if label in main else "community" if fit else "fringe"
        for label, fit in enumerate(scored.tolist())
    ]


def tie_posterior(graph: Csr, labels: Ints) -> Floats:
    """Return how much of a user's ties is inside, drawn towards what degrees alone give.

    `p_u = (k_uc + 2 kappa_c / 2m) / (k_u + 2)` with weights in units of the mean tie; NaN
    where the label is -1. O(edges).
    """
    rows = np.repeat(np.arange(graph.n), np.diff(graph.indptr))
    inside = labels[rows] == labels[graph.indices]
    unit = float(graph.weights.mean()) if len(graph.weights) else 1.0
    weights = graph.weights / unit
    degree = np.bincount(rows, weights=weights, minlength=graph.n)
    within = np.bincount(rows, weights=weights * inside, minlength=graph.n)
    of = np.bincount(labels[labels >= 0], weights=degree[labels >= 0])
    share = of / max(float(degree.sum()), 1.0)
    prior = np.where(labels >= 0, np.append(share, 0.0)[labels], 0.0)
    return np.where(labels >= 0, (within + 2 * prior) / (degree + 2), np.nan)
