"""Trees drawn from what is likely, where the data do not say who came from whom."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.csr import Floats, Ints, Longs
from engine.kernels.chance import mixed
from engine.kernels.compile import kernel
from engine.kernels.parents import Evidence, follows, weight_before
from engine.kernels.trees import (
    ADRIFT,
    FALLBACK,
    FOLLOWS,
    INTERACTION,
    ROOT,
    UNKNOWN,
)
from engine.snapshot import NO_TIME

__all__ = ["CANDIDATES", "draw_trees"]

CANDIDATES = 256
"""Most earlier sharers of a content that are weighed as parents of one share: the latest."""

_HOUR = 3_600.0 * 1_000_000.0
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@kernel
def _likely(evidence: Evidence, child: int, other: int, began: int, age: int) -> float:
    """Weigh one poster: (1 + turned to before) * sqrt(1 + followers) / (1 + hours since)."""
    turned = weight_before(evidence, child, other, began)
    return float((1.0 + turned) * np.sqrt(1.0 + evidence.audience[other]) / (1.0 + age / _HOUR))


@kernel
def _candidates(  # noqa: PLR0917 - a kernel takes its arrays one by one
    v: int,
    first: int,
    before: int,
    user: Ints,
    at: Longs,
    author: int,
    began: int,
    evidence: Evidence,
    usual: int,
    how: int,
    who: Longs,
    reach: Floats,
) -> int:
    """List the possible parents of share v with running sums of their weights; return how many.

    Only posters whom the sharer follows, where any is followed.
    """
    child, count, total = user[v], 0, 0.0
    only = how == FOLLOWS
    oldest = max(first, before - CANDIDATES)
    for p in range(oldest, before):
        if only and not follows(evidence, child, user[p]):
            continue
        total += _likely(evidence, child, user[p], began, at[v] - at[p])
        who[count], reach[count] = p, total
        count += 1
    if author >= 0 and (not only or follows(evidence, child, author)):
        total += _likely(evidence, child, author, began, at[v] - began)
        who[count], reach[count] = ROOT, total
        count += 1
    if count == 0:
        # The one followed shared before all those looked at; without an author and without
        # an earlier share there is only the top.
        who[0], reach[0] = usual if usual != ADRIFT else ROOT, 1.0
        count = 1
    return count


@kernel
def draw_trees(  # noqa: PLR0917 - a kernel takes its arrays one by one
    offset: Longs,
    user: Ints,
    at: Longs,
    author: Ints,
    began: Longs,
    evidence: Evidence,
    parent: Longs,
    how: npt.NDArray[np.int8],
    seed: npt.NDArray[np.uint64],
    count: int,
) -> Longs:
    """Draw trees of each content, int64[count, shares]: given parents stay, others are drawn.

    A share's parent is one of those who posted strictly earlier, of those its user follows
    where there is one, with a chance proportional to (1 + weight of having turned to them
    before the content began) * sqrt(1 + followers) / (1 + hours between them). The author and
    at most `CANDIDATES` sharers, the latest, are weighed: O(shares * `CANDIDATES` * log).

    The draws of a content follow from its `seed` and the order of its shares alone.

    Parameters
    ----------
    offset, user, at, author, began, evidence
        As for `engine.kernels.parents.infer`.
    parent, how
        The tree as it was inferred.
    """
    trees = np.empty((count, len(parent)), np.int64)
    for r in range(count):
        trees[r] = parent
    who, reach = np.empty(CANDIDATES + 2, np.int64), np.empty(CANDIDATES + 2)
    for c in range(len(offset) - 1):
        first, before = offset[c], offset[c]
        for v in range(first, offset[c + 1]):
            if at[v] == NO_TIME:
                break
            if at[v] != at[before]:
                before = v
            if not (
                how[v] == UNKNOWN
                or how[v] == FOLLOWS
                or how[v] == INTERACTION
                or how[v] == FALLBACK
            ):
                continue
            many = _candidates(
                v, first, before, user, at, author[c], began[c], evidence, parent[v], how[v],
                who, reach,
            )  # fmt: skip
            for r in range(count):
                number = np.uint64((v - first) * count + r + 1)
                bits = mixed(seed[c] + number * _GOLDEN) >> np.uint64(11)
                point = np.float64(bits) * 2.0**-53 * reach[many - 1]
                chosen = np.searchsorted(reach[:many], point, side="right")
                trees[r, v] = who[min(chosen, many - 1)]
    return trees
