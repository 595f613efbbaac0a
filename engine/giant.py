"""A giant: a community of more than two in five, which is split or else is the mainstream.

Whoever splits the giant of the data does the same with every graph it is held against: the
folds, the resampled and the rewired graphs. Only the data decide whether it is done at all.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from engine.csr import Csr, Ints
from engine.edges import Edges
from engine.parts import FINER, by_falling_size, parts, worth
from engine.tie_gain import HIDDEN, Gain, fit, gain

__all__ = ["GIANT", "giants", "insist", "without_giants"]

GIANT: Final = 0.4
"""Part of the users with a tie above which a community is the mainstream, not one of many."""

_FROM: Final = 1000
"""In smaller groups two in five of all may well be a party."""


def giants(size: npt.NDArray[np.integer]) -> list[int]:
    """Return the labels of the communities that hold more than two in five: none, one or two.

    Examples
    --------
    >>> giants(np.array([900, 600])), giants(np.array([40, 10])), giants(np.array([], int))
    ([0], [], [])
    """
    total = int(size.sum())
    return np.flatnonzero(size > GIANT * total).tolist() if total >= _FROM else []


def without_giants(graph: Csr, labels: Ints, gamma: float, seed: int) -> Ints:
    """Put the parts of each giant in its place; -1 stays.

    `gamma` is the resolution the communities were found at; the parts are found at twice it.
    Labels count up by falling size. Users without a tie make no giant.
    """
    known = (labels >= 0) & (np.diff(graph.indptr) > 0)
    large = giants(np.bincount(labels[known]))
    if not large:
        return labels
    split = labels.copy()
    for label in large:
        inside = labels == label
        split[inside] = int(split.max()) + 1 + parts(graph, inside, FINER * gamma, seed)
    return by_falling_size(split)


def insist(
    edges: Edges, reference: Ints, gamma: float, seed: int, whole: Gain | None
) -> Gain | None:
    """Return the held-out fit with the giants split, if held-out ties insist on splitting them.

    Parameters
    ----------
    edges
        All ties.
    reference
        The communities found on them at `gamma`, -1 for users without a tie.
    gamma, seed
        As they were found.
    whole
        The fit on the same held-out ties with the giants whole; made if there is none.

    Returns
    -------
    Gain | None
        None where there is no giant, or where one of them is better left whole.

    Notes
    -----
    Two Leiden runs among the giants' members, and one on everything without `whole`.
    """
    large = giants(np.bincount(reference[reference >= 0]))
    if not large:
        return None
    whole = whole or fit(edges, gamma, seed)
    kept, u, v = edges.hide(HIDDEN, seed)
    graph, every = kept.graph(), edges.graph()
    for label in large:
        inside = reference == label
        found = parts(graph, inside, FINER * gamma, seed)
        if not worth(graph, inside, found, u, v, whole, edges.unit):
            return None
        if parts(every, inside, FINER * gamma, seed).max() == 0:
            return None  # with all of its ties the giant stays whole
    return gain(graph, without_giants(graph, whole.labels, gamma, seed), u, v, edges.unit)
