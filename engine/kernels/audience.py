"""Distinct people in the audience of many posters: exact counts with one stamp a person."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.csr import Ints, Longs
from engine.kernels.compile import kernel

__all__ = ["audience", "audience_by_community", "hearing_sharers", "mark_audience"]


@kernel
def audience(  # noqa: PLR0917 - a kernel takes its arrays one by one
    offset: Longs, poster: Ints, own_offset: Longs, own: Ints, indptr: Longs, follower: Ints
) -> Longs:
    """Count distinct followers of each source's posters, its own accounts left out.

    O(followers of all posters). Source s has `poster[offset[s]:offset[s + 1]]` and the accounts
    `own[own_offset[s]:own_offset[s + 1]]`; user v is followed by
    `follower[indptr[v]:indptr[v + 1]]`.
    """
    sources = len(offset) - 1
    seen = np.full(len(indptr) - 1, -1, np.int32)
    reach = np.zeros(sources, np.int64)
    for s in range(sources):
        for i in range(own_offset[s], own_offset[s + 1]):
            seen[own[i]] = s
        for i in range(offset[s], offset[s + 1]):
            for j in range(indptr[poster[i]], indptr[poster[i] + 1]):
                if seen[follower[j]] != s:
                    seen[follower[j]] = s
                    reach[s] += 1
    return reach


@kernel
def audience_by_community(  # noqa: PLR0917 - a kernel takes its arrays one by one
    source: Longs,
    offset: Longs,
    poster: Ints,
    own_offset: Longs,
    own: Ints,
    sharer_offset: Longs,
    sharer: Ints,
    indptr: Longs,
    follower: Ints,
    label: Ints,
    labels: int,
) -> tuple[Longs, Longs]:
    """Count the same of some sources by community, and who of the counted passed it on.

    Two arrays int64[sources, labels + 1]; the last column is for people in no community,
    whose label is -1. O(followers of the posters + sharers).
    """
    seen = np.full(len(indptr) - 1, -1, np.int32)
    reach = np.zeros((len(source), labels + 1), np.int64)
    passed = np.zeros((len(source), labels + 1), np.int64)
    for place in range(len(source)):
        s = source[place]
        for i in range(offset[s], offset[s + 1]):
            for j in range(indptr[poster[i]], indptr[poster[i] + 1]):
                if seen[follower[j]] != place:
                    seen[follower[j]] = place
                    reach[place, label[follower[j]]] += 1
        for i in range(own_offset[s], own_offset[s + 1]):
            if seen[own[i]] == place:
                seen[own[i]] = -1
                reach[place, label[own[i]]] -= 1
        for i in range(sharer_offset[s], sharer_offset[s + 1]):
            if seen[sharer[i]] == place:
                passed[place, label[sharer[i]]] += 1
    return reach, passed


@kernel
def hearing_sharers(  # noqa: PLR0917 - a kernel takes its arrays one by one
    source: Longs,
    offset: Longs,
    poster: Ints,
    sharer_offset: Longs,
    sharer: Ints,
    indptr: Longs,
    followee: Ints,
    label: Ints,
    labels: int,
) -> Longs:
    """Count, by community, sharers who follow a poster: from whom they follow, which is less.

    int64[sources, labels + 1]; user u follows `followee[indptr[u]:indptr[u + 1]]`.
    O(posters + follows of sharers).
    """
    posts = np.full(len(indptr) - 1, -1, np.int32)
    passed = np.zeros((len(source), labels + 1), np.int64)
    for place in range(len(source)):
        s = source[place]
        for i in range(offset[s], offset[s + 1]):
            posts[poster[i]] = place
        for i in range(sharer_offset[s], sharer_offset[s + 1]):
            for j in range(indptr[sharer[i]], indptr[sharer[i] + 1]):
                if posts[followee[j]] == place:
                    passed[place, label[sharer[i]]] += 1
                    break
    return passed


@kernel
def mark_audience(poster: Ints, own: Ints, indptr: Longs, follower: Ints) -> npt.NDArray[np.bool_]:
    """Mark the followers of posters, their own accounts left out. O(users + followers)."""
    heard = np.zeros(len(indptr) - 1, np.bool_)
    for v in poster:
        for j in range(indptr[v], indptr[v + 1]):
            heard[follower[j]] = True
    for v in own:
        heard[v] = False
    return heard
