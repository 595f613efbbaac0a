"""Who was exposed to what, and how many shares that lets expect: passes over edges and acts.

A *unit* is what a user can be exposed to and share once: a content, or a topic as a whole.
Its *channels* are who put it before others: posters, whose audience are their followers, or
a named group, whose audience are its members. A unit's expectation in a community is the sum
over its channels of the habits of their audience there. That is worked out once a channel
and added up once a unit, so that no (user, unit) pair of an audience is ever written down;
pairs that are known one by one (impressions, or exposures that came too late) are added.

Arrays of a unit, a source or a channel lie end to end with offsets, one more than there are.
Label -1 is a user outside any community that is scored.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.csr import Floats, Ints, Longs
from engine.kernels.compile import kernel
from engine.snapshot import NO_TIME

__all__ = [
    "add_up",
    "cell_counts",
    "cells_of",
    "earlier",
    "fill_reach",
    "gather",
    "grouped",
    "heard",
    "reach_counts",
    "reach_places",
    "turned",
]

_FEW = 4
"""A unit this many times smaller than what a user follows is searched from its own side."""

Flags = npt.NDArray[np.bool_]


@kernel
def grouped(group: Ints, groups: int) -> Longs:
    """Return the order that brings groups together and keeps the order inside. O(n + groups)."""
    place = np.zeros(groups + 1, np.int64)
    for i in range(len(group)):
        place[group[i] + 1] += 1
    for g in range(groups):
        place[g + 1] += place[g]
    order = np.empty(len(group), np.int64)
    for i in range(len(group)):
        order[place[group[i]]] = i
        place[group[i]] += 1
    return order


@kernel
def turned(offset: Longs, other: Ints, wanted: Flags) -> tuple[Longs, Ints]:
    """Turn adjacency round: for each wanted node, who points at it, in rising order.

    O(edges + nodes). `wanted` has one entry for each node that can be pointed at.
    """
    n = len(wanted)
    start = np.zeros(n + 1, np.int64)
    for u in range(len(offset) - 1):
        for j in range(offset[u], offset[u + 1]):
            if wanted[other[j]]:
                start[other[j] + 1] += 1
    for v in range(n):
        start[v + 1] += start[v]
    place = start[:-1].copy()
    found = np.empty(start[n], np.int32)
    for u in range(len(offset) - 1):
        for j in range(offset[u], offset[u + 1]):
            v = other[j]
            if wanted[v]:
                found[place[v]] = u
                place[v] += 1
    return start, found


@kernel
def _precedes(seed: Flags, at: Longs, first: int, second: int) -> bool:
    if seed[first]:
        return True
    known = at[first] != NO_TIME and at[second] != NO_TIME
    return bool(known and not seed[second] and at[first] < at[second])


@kernel
def _follows(offset: Longs, followee: Ints, u: int, v: int) -> bool:
    low, high = offset[u], offset[u + 1]
    while low < high:
        middle = (low + high) // 2
        if followee[middle] < v:
            low = middle + 1
        else:
            high = middle
    return bool(low < offset[u + 1] and followee[low] == v)


@kernel
def earlier(  # noqa: PLR0917 - a kernel takes its arrays one by one
    units: tuple[int, int],
    unit_start: Longs,
    user: Ints,
    at: Longs,
    seed: Flags,
    offset: Longs,
    followee: Ints,
    exposed: Flags,
    direct: Flags,
    later: Ints,
) -> None:
    """Say of each act whether someone its user follows had acted before, and how many after.

    `direct` says that none but seeds of those had: the act is of the first generation.

    `later` counts the posters followed
    who came after, or of whom it is not known that they came before: exposures that could
    not lead to this act. Acts of a unit lie between its offsets, one a user; a seed comes
    before all, and of two times that are equal or unknown neither comes before.
    Followees of each user in rising order. O(acts * min(followees, acts of the unit)).
    """
    place = np.full(len(offset) - 1, -1, np.int64)
    for unit in range(units[0], units[1]):
        first, last = unit_start[unit], unit_start[unit + 1]
        for a in range(first, last):
            place[user[a]] = a
        for a in range(first, last):
            u = user[a]
            before, through, after = False, False, 0
            if (last - first) * _FEW < offset[u + 1] - offset[u]:
                for b in range(first, last):
                    if b != a and _follows(offset, followee, u, user[b]):
                        if _precedes(seed, at, b, a):
                            before = True
                            through |= not seed[b]
                        else:
                            after += 1
            else:
                for j in range(offset[u], offset[u + 1]):
                    b = place[followee[j]]
                    if b != a and first <= b < last:
                        if _precedes(seed, at, b, a):
                            before = True
                            through |= not seed[b]
                        else:
                            after += 1
            exposed[a] = before
            direct[a] = before and not through
            later[a] = after


@kernel
def reach_counts(start: Longs, audience: Ints, label: Ints, k: int) -> Longs:
    """Count the communities in each channel's audience, as offsets. O(edges)."""
    channels = len(start) - 1
    seen = np.full(k, -1, np.int64)
    found = np.zeros(channels + 1, np.int64)
    for v in range(channels):
        found[v + 1] = found[v]
        for j in range(start[v], start[v + 1]):
            c = label[audience[j]]
            if c >= 0 and seen[c] != v:
                seen[c] = v
                found[v + 1] += 1
    return found


@kernel
def reach_places(start: Longs, audience: Ints, label: Ints, k: int, offset: Longs) -> Ints:
    """List the communities in each channel's audience, in the order they are met. O(edges)."""
    channels = len(start) - 1
    seen = np.full(k, -1, np.int64)
    place = np.empty(offset[channels], np.int32)
    at = 0
    for v in range(channels):
        for j in range(start[v], start[v + 1]):
            c = label[audience[j]]
            if c >= 0 and seen[c] != v:
                seen[c] = v
                place[at] = c
                at += 1
    return place


@kernel
def fill_reach(  # noqa: PLR0917
    start: Longs, audience: Ints, label: Ints, habit: Floats, k: int, offset: Longs, place: Ints
) -> Floats:
    """Sum the habits of each channel's audience by community: `F(v, C)`. O(edges)."""
    slot = np.empty(k, np.int64)
    found = np.zeros(len(place))
    for v in range(len(start) - 1):
        for e in range(offset[v], offset[v + 1]):
            slot[place[e]] = e
        for j in range(start[v], start[v + 1]):
            c = label[audience[j]]
            if c >= 0:
                found[slot[c]] += habit[audience[j]]
    return found


@kernel
def gather(  # noqa: PLR0917
    start: Longs,
    audience: Ints,
    label: Ints,
    k: int,
    offset: Longs,
    place: Ints,
    back: Floats,
    risk: Floats,
) -> None:
    """Add to each user's risk what every channel it hears brought to its community. O(edges)."""
    slot = np.empty(k, np.int64)
    for v in range(len(start) - 1):
        for e in range(offset[v], offset[v + 1]):
            slot[place[e]] = e
        for j in range(start[v], start[v + 1]):
            c = label[audience[j]]
            if c >= 0:
                risk[audience[j]] += back[slot[c]]


@kernel
def cell_counts(  # noqa: PLR0917
    sources: Ints,
    unit_of_source: Longs,
    channel_of_unit: Longs,
    channel: Ints,
    pair_of_unit: Longs,
    pair_user: Ints,
    label: Ints,
    k: int,
    offset: Longs,
    place: Ints,
) -> Longs:
    """Count the communities each of these sources came before. O(channel entries)."""
    found = np.zeros(len(sources), np.int64)
    seen = np.full(k, -1, np.int64)
    for s in range(len(sources)):
        for unit in range(unit_of_source[sources[s]], unit_of_source[sources[s] + 1]):
            for j in range(channel_of_unit[unit], channel_of_unit[unit + 1]):
                for e in range(offset[channel[j]], offset[channel[j] + 1]):
                    if seen[place[e]] != s:
                        seen[place[e]] = s
                        found[s] += 1
            for j in range(pair_of_unit[unit], pair_of_unit[unit + 1]):
                c = label[pair_user[j]]
                if c >= 0 and seen[c] != s:
                    seen[c] = s
                    found[s] += 1
    return found


@kernel
def cells_of(  # noqa: PLR0917
    sources: Ints,
    unit_of_source: Longs,
    channel_of_unit: Longs,
    channel: Ints,
    pair_of_unit: Longs,
    pair_user: Ints,
    label: Ints,
    k: int,
    offset: Longs,
    place: Ints,
    cell_of_source: Longs,
    community: Ints,
) -> None:
    """Write the communities each of these sources came before, in rising order."""
    seen = np.full(k, -1, np.int64)
    for s in range(len(sources)):
        at = cell_of_source[sources[s]]
        for unit in range(unit_of_source[sources[s]], unit_of_source[sources[s] + 1]):
            for j in range(channel_of_unit[unit], channel_of_unit[unit + 1]):
                for e in range(offset[channel[j]], offset[channel[j] + 1]):
                    if seen[place[e]] != s:
                        seen[place[e]] = s
                        community[at] = place[e]
                        at += 1
            for j in range(pair_of_unit[unit], pair_of_unit[unit + 1]):
                c = label[pair_user[j]]
                if c >= 0 and seen[c] != s:
                    seen[c] = s
                    community[at] = c
                    at += 1
        community[cell_of_source[sources[s]] : at].sort()


@kernel
def add_up(  # noqa: PLR0917
    sources: Ints,
    unit_of_source: Longs,
    bunching: Floats,
    channel_of_unit: Longs,
    channel: Ints,
    times: Floats,
    pair_of_unit: Longs,
    pair_user: Ints,
    pair_count: Floats,
    share_of_unit: Longs,
    sharer: Ints,
    label: Ints,
    habit: Floats,
    k: int,
    offset: Longs,
    place: Ints,
    reach: Floats,
    cell_of_source: Longs,
    community: Ints,
    lift: Floats,
    phi: float,
    sums: Floats,
    back: Floats,
    own: Floats,
    risk: Floats,
) -> None:
    """Add up units by cell, and give back to users what they were exposed to and shared.

    O(shares + pairs + entries of `reach` over all channels of units). For each unit and
    community `E = sum of reach`, `weight = 1 / (1 + phi lift E bunching)`. To the columns of
    `sums` float64[4, cells] go shares, E, weight * shares, weight * E; to `back`, in the order
    of `reach`, weight * lift of all units of a channel; to `own` the weight of each user's
    shares; to `risk` weight * lift of the pairs that are known one by one. `times` says how
    often a channel counts, or is empty: once each.
    """
    slot = np.empty(k, np.int64)
    mark = np.full(k, -1, np.int64)
    expected, shared, value = np.zeros(k), np.zeros(k), np.zeros(k)
    touched = np.empty(k, np.int64)
    once = len(times) == 0
    for s in sources:
        for cell in range(cell_of_source[s], cell_of_source[s + 1]):
            slot[community[cell]] = cell
        for unit in range(unit_of_source[s], unit_of_source[s + 1]):
            many = 0
            for j in range(channel_of_unit[unit], channel_of_unit[unit + 1]):
                t = 1.0 if once else times[j]
                for e in range(offset[channel[j]], offset[channel[j] + 1]):
                    c = place[e]
                    if mark[c] != unit:
                        mark[c] = unit
                        expected[c] = shared[c] = 0.0
                        touched[many] = c
                        many += 1
                    expected[c] += t * reach[e]
            for j in range(pair_of_unit[unit], pair_of_unit[unit + 1]):
                c = label[pair_user[j]]
                if c >= 0:
                    if mark[c] != unit:
                        mark[c] = unit
                        expected[c] = shared[c] = 0.0
                        touched[many] = c
                        many += 1
                    expected[c] += pair_count[j] * habit[pair_user[j]]
            for j in range(share_of_unit[unit], share_of_unit[unit + 1]):
                c = label[sharer[j]]
                if c >= 0 and mark[c] == unit:
                    shared[c] += 1.0
            for i in range(many):
                c = touched[i]
                e = max(expected[c], 0.0)
                cell = slot[c]
                weight = 1.0 / (1.0 + phi * lift[cell] * e * bunching[unit])
                sums[0, cell] += shared[c]
                sums[1, cell] += e
                sums[2, cell] += weight * shared[c]
                sums[3, cell] += weight * e
                expected[c] = weight
                value[c] = weight * lift[cell]
            for j in range(channel_of_unit[unit], channel_of_unit[unit + 1]):
                t = 1.0 if once else times[j]
                for e in range(offset[channel[j]], offset[channel[j] + 1]):
                    back[e] += t * value[place[e]]
            for j in range(pair_of_unit[unit], pair_of_unit[unit + 1]):
                c = label[pair_user[j]]
                if c >= 0:
                    risk[pair_user[j]] += pair_count[j] * value[c]
            for j in range(share_of_unit[unit], share_of_unit[unit + 1]):
                c = label[sharer[j]]
                if c >= 0 and mark[c] == unit:
                    own[sharer[j]] += expected[c]


@kernel
def heard(  # noqa: PLR0917
    person_of_source: Longs,
    person: Ints,
    unit_of_source: Longs,
    channel_of_unit: Longs,
    channel: Ints,
    times: Floats,
    pair_of_unit: Longs,
    pair_user: Ints,
    pair_count: Floats,
    channels: int,
    offset: Longs,
    hears: Ints,
) -> Floats:
    """Count how often each of these people of each source was exposed to it, whatever the unit.

    People of source s are `person[person_of_source[s]:person_of_source[s + 1]]`; user u hears
    `hears[offset[u]:offset[u + 1]]` of so many channels. O(acts + pairs + followees of the people).
    """
    acts, own = np.zeros(channels), np.zeros(len(offset) - 1)
    once = len(times) == 0
    found = np.zeros(len(person))
    for s in range(len(person_of_source) - 1):
        if person_of_source[s] == person_of_source[s + 1]:
            continue
        first, last = unit_of_source[s], unit_of_source[s + 1]
        for j in range(channel_of_unit[first], channel_of_unit[last]):
            acts[channel[j]] += 1.0 if once else times[j]
        for j in range(pair_of_unit[first], pair_of_unit[last]):
            own[pair_user[j]] += pair_count[j]
        for i in range(person_of_source[s], person_of_source[s + 1]):
            u = person[i]
            found[i] = own[u]
            for j in range(offset[u], offset[u + 1]):
                found[i] += acts[hears[j]]
        for j in range(channel_of_unit[first], channel_of_unit[last]):
            acts[channel[j]] = 0.0
        for j in range(pair_of_unit[first], pair_of_unit[last]):
            own[pair_user[j]] = 0.0
    return found
