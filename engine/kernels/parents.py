"""Parents that the data do not name, inferred: whom one follows, whom one turned to before.

Shares of all contents lie behind each other as in `engine.kernels.trees`, in each content
by time, those without a time last.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.csr import Floats, Ints, Longs
from engine.kernels.compile import kernel
from engine.kernels.trees import ADRIFT, FALLBACK, FOLLOWS, INTERACTION, ROOT, UNKNOWN
from engine.snapshot import NO_TIME

__all__ = ["Evidence", "accumulate", "follows", "infer", "weight_before"]


class Evidence(NamedTuple):
    """What speaks for one user's word having come from another.

    Attributes
    ----------
    followed_ptr, followed
        User u follows `followed[followed_ptr[u]:followed_ptr[u + 1]]`, sorted.
    pair_ptr, pair_target
        User u turned to `pair_target[pair_ptr[u]:pair_ptr[u + 1]]`, sorted, each once.
    act_ptr, act_at, act_weight
        Pair p did so at `act_at[act_ptr[p]:act_ptr[p + 1]]`, sorted; `act_weight` is what it
        had come to by each, earlier acts decayed.
    half_life
        Microseconds in which the weight of an act halves, infinite for none.
    audience
        Followers of each user, 0 where unknown.
    """

    followed_ptr: Longs
    followed: Ints
    pair_ptr: Longs
    pair_target: Ints
    act_ptr: Longs
    act_at: Longs
    act_weight: Floats
    half_life: float
    audience: Longs


@kernel
def accumulate(act_ptr: Longs, act_at: Longs, weight: Floats, half_life: float) -> Floats:
    """Return what the acts of each pair have come to by each of them. O(acts)."""
    found = weight.copy()
    for p in range(len(act_ptr) - 1):
        for e in range(act_ptr[p] + 1, act_ptr[p + 1]):
            age = (act_at[e] - act_at[e - 1]) / half_life
            found[e] += found[e - 1] * 2.0**-age
    return found


@kernel
def _place(values: Ints, first: int, last: int, wanted: int) -> int:
    """Return where in a sorted stretch a value stands, -1 where it does not."""
    end = last
    while first < end:
        middle = (first + end) // 2
        if values[middle] < wanted:
            first = middle + 1
        else:
            end = middle
    return first if first < last and values[first] == wanted else -1


@kernel
def follows(evidence: Evidence, user: int, other: int) -> bool:
    """Say whether a user follows another. O(log of those followed)."""
    ptr = evidence.followed_ptr
    return _place(evidence.followed, ptr[user], ptr[user + 1], other) >= 0


@kernel
def _pair_weight(evidence: Evidence, pair: int, time: int) -> float:
    first, last = evidence.act_ptr[pair], evidence.act_ptr[pair + 1]
    start = first
    while first < last:
        middle = (first + last) // 2
        if evidence.act_at[middle] < time:
            first = middle + 1
        else:
            last = middle
    if first == start:
        return 0.0
    age = (time - evidence.act_at[first - 1]) / evidence.half_life
    return float(evidence.act_weight[first - 1] * 2.0**-age)


@kernel
def weight_before(evidence: Evidence, user: int, other: int, time: int) -> float:
    """Return how much a user had turned to another before this time, acts at it not counted."""
    ptr = evidence.pair_ptr
    pair = _place(evidence.pair_target, ptr[user], ptr[user + 1], other)
    return 0.0 if pair < 0 else _pair_weight(evidence, pair, time)


@kernel
def _larger(evidence: Evidence, one: int, other: int) -> bool:
    """Say whether of two users the one has more followers, or as many and the smaller id."""
    here, there = evidence.audience[one], evidence.audience[other]
    return bool(here > there or (here == there and one < other))


@kernel
def _latest_followed(  # noqa: PLR0917 - a kernel takes its arrays one by one
    evidence: Evidence, user: Ints, at: Longs, place: Longs, first: int, before: int, child: int
) -> int:
    """Return the latest share before `before` by somebody followed, -1 for none."""
    ptr = evidence.followed_ptr
    best = -1
    if ptr[child + 1] - ptr[child] <= before - first:
        for i in range(ptr[child], ptr[child + 1]):
            p = place[evidence.followed[i]]
            if p < first or p >= before:
                continue
            if (
                best < 0
                or at[p] > at[best]
                or (at[p] == at[best] and _larger(evidence, user[p], user[best]))
            ):
                best = p
        return best
    for p in range(before - 1, first - 1, -1):
        if best >= 0 and at[p] < at[best]:
            break
        if follows(evidence, child, user[p]) and (
            best < 0 or _larger(evidence, user[p], user[best])
        ):
            best = p
    return best


@kernel
def _most_turned_to(  # noqa: PLR0917 - a kernel takes its arrays one by one
    evidence: Evidence,
    user: Ints,
    at: Longs,
    place: Longs,
    first: int,
    before: int,
    child: int,
    author: int,
    time: int,
) -> int:
    """Return the earlier poster the child turned to most: a share, ROOT, or ADRIFT for none."""
    ptr = evidence.pair_ptr
    best, most = ADRIFT, 0.0
    if author >= 0:
        most = weight_before(evidence, child, author, time)
        if most > 0.0:
            best = ROOT
    if ptr[child + 1] - ptr[child] <= before - first:
        for pair in range(ptr[child], ptr[child + 1]):
            p = place[evidence.pair_target[pair]]
            if first <= p < before:
                weight = _pair_weight(evidence, pair, time)
                if weight > 0.0 and _stronger(evidence, user, at, p, weight, best, most):
                    best, most = p, weight
        return best
    for p in range(first, before):
        weight = weight_before(evidence, child, user[p], time)
        if weight > 0.0 and _stronger(evidence, user, at, p, weight, best, most):
            best, most = p, weight
    return best


@kernel
def _stronger(  # noqa: PLR0917 - a kernel takes its arrays one by one
    evidence: Evidence, user: Ints, at: Longs, p: int, weight: float, best: int, most: float
) -> bool:
    """Say whether share p goes before the best so far: more weight, later, more followers."""
    if weight != most:
        return bool(weight > most)
    if best < 0 or at[p] != at[best]:
        return bool(best < 0 or at[p] > at[best])
    return _larger(evidence, user[p], user[best])


@kernel
def infer(  # noqa: PLR0917 - a kernel takes its arrays one by one
    offset: Longs,
    user: Ints,
    at: Longs,
    author: Ints,
    began: Longs,
    evidence: Evidence,
    parent: Longs,
    how: npt.NDArray[np.int8],
) -> None:
    """Give a parent to shares that have none, in place.

    Of the users who posted strictly earlier: the latest whom the sharer follows, else whom
    the sharer had turned to most before the content began. Who posted at one time goes by
    followers, then by smaller id. The author is the earliest poster. Who follows people, but
    none of these, hangs from the root for want of better. Shares without a time are left.

    O(sum over shares of min(earlier posters * log, followed + turned to)).

    Parameters
    ----------
    offset, user, at, author
        As for `engine.kernels.trees.link`.
    began
        When each content was posted or, where that is unknown, first shared.
    evidence
        Who follows whom, and who turned to whom when.
    parent, how
        As `link` returned them; those that are unknown are filled in.
    """
    place = np.full(len(evidence.audience), -1, np.int64)
    for c in range(len(offset) - 1):
        first, last = offset[c], offset[c + 1]
        for v in range(first, last):
            place[user[v]] = v
        before = first
        for v in range(first, last):
            if at[v] == NO_TIME:
                break
            if at[v] != at[before]:
                before = v
            if how[v] != UNKNOWN:
                continue
            child = user[v]
            found = _latest_followed(evidence, user, at, place, first, before, child)
            if found >= 0:
                parent[v], how[v] = found, FOLLOWS
                continue
            if author[c] >= 0 and follows(evidence, child, author[c]):
                parent[v], how[v] = ROOT, FOLLOWS
                continue
            found = _most_turned_to(
                evidence, user, at, place, first, before, child, author[c], began[c]
            )
            if found != ADRIFT:
                parent[v], how[v] = found, INTERACTION
            elif evidence.followed_ptr[child + 1] > evidence.followed_ptr[child]:
                parent[v], how[v] = ROOT, FALLBACK
