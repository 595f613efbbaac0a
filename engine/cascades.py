"""Cascades: how each shared content travelled, from parents that the data give.

A parent is never inferred here. Where an export names only whose content was shared (every X
export does), the tree is *unknown*: depth, breadth and virality are null, never 1. Where
parents are given for some shares only, the figures describe the part of the tree that hangs
together and are lower bounds, and below `ENOUGH_PARENTS` they are null as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.csr import Floats, Ints, Longs
from engine.kernels import trees
from engine.partition import Partitions
from engine.results import table
from engine.shares import FirstShares, first_shares
from engine.snapshot import NO_TIME, Snapshot

__all__ = ["ENOUGH_PARENTS", "cascades"]

ENOUGH_PARENTS: Final = 0.6
"""Least part of a cascade's shares with a usable parent for figures of its tree."""

_EARLY: Final = 50
_SECOND: Final = 1_000_000
_HOUR: Final = 3_600 * _SECOND
_MONTH: Final = 30 * 24 * _HOUR

Flags = dict[str, npt.NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class _Shared:
    """The shares that count, and the contents that have any; `row` leads from one to other."""

    shares: FirstShares
    content: Ints
    offset: Longs
    row: Longs
    author: Ints
    posted: Longs

    @property
    def size(self) -> Longs:
        return np.diff(self.offset)

    def count(self, which: npt.NDArray[np.bool_]) -> Longs:
        """Return how many of the marked shares each content has."""
        return np.bincount(self.row[which], minlength=len(self.content))


def cascades(
    snapshot: Snapshot, partitions: Partitions, shares: FirstShares | None = None
) -> tuple[pa.Table, pa.Table]:
    """Return the declared tables `cascades` and `cascade_edges`. O(shares log shares).

    Only contents with a share have a row; every share that counts has an edge. An edge's
    `parent_user_id` is who stands above it in the tree. With `parent_method` *unknown* and a
    parent, it stands there for want of the given one, who did not share, shared later, or is
    part of a circle: it hangs from the nearest known ancestor and is counted in
    `missing_parent_count`.

    Parameters
    ----------
    shares
        What `first_shares(snapshot)` returned, where a caller has it already.

    References
    ----------
    Goel, Anderson, Hofman, Watts (2016): The structural virality of online diffusion.
    Weng, Menczer, Ahn (2013): Virality prediction and community structure in social networks.

    Examples
    --------
    A chain a, b, c and a second share straight from the author a:

    >>> import numpy as np, pyarrow as pa
    >>> from engine.assemble import assemble
    >>> s = assemble({
    ...     "content": pa.table({"content_id": ["x:1"], "author_id": ["x:a"]}),
    ...     "shares": pa.table({"content_id": ["x:1"] * 3, "user_id": ["x:b", "x:c", "x:d"],
    ...                         "via_user_id": ["x:a", "x:b", "x:a"]}),
    ... })
    >>> one = Partitions(np.zeros(4, np.int32), np.zeros((1, 4), np.int32), np.ones(4),
    ...                  np.ones(1, np.bool_), 1.0)
    >>> found, edges = cascades(s, one)
    >>> found.select(["share_count", "depth_max", "structural_virality"]).to_pylist()
    [{'share_count': 3, 'depth_max': 2, 'structural_virality': 1.66...}]
    >>> edges["parent_user_id"].to_pylist()
    ['x:a', 'x:b', 'x:a']
    """
    shared = _shared(snapshot, first_shares(snapshot) if shares is None else shares)
    parent, how = trees.link(
        shared.offset,
        shared.shares.user,
        shared.shares.at,
        shared.shares.via,
        shared.author,
        len(snapshot.users),
    )
    rooted = shared.author >= 0
    depth, deepest, mean, breadth, virality = trees.measure(shared.offset, parent, rooted)
    given = shared.count(how != trees.UNKNOWN)
    missing = shared.count(how >= trees.MISSING)
    known = (given > 0) & (given - missing >= ENOUGH_PARENTS * shared.size)
    label = _labels(partitions.reference, shared.shares.user)
    home = _labels(partitions.reference, shared.author)
    hops, ei_index = _hops(shared, parent, how, label, home)
    flags: Flags = {
        "synthetic_root": ~rooted,
        "few_parents": (given > 0) & ~known,
        "part_known": known & (given < shared.size),
        "late_parent": shared.count(how == trees.LATE) > 0,
        "circular_parent": shared.count(how == trees.CIRCLE) > 0,
        "clamped": shared.count(shared.shares.clamped) > 0,
        "no_post_time": shared.posted == NO_TIME,
        "no_times": shared.count(shared.shares.at != NO_TIME) == 0,
    }
    ids = partitions.community_ids
    users = snapshot.users.user_id
    found = table(
        "cascades",
        {
            "content_id": _take(snapshot.contents.content_id, shared.content),
            "author_id": _take(users, shared.author),
            "community_id": _take(ids, home),
            "share_count": shared.size,
            "parent_method": _method(given, shared.size),
            "parent_known_share": given / shared.size,
            "missing_parent_count": missing,
            "depth_max": _known(deepest, known & (deepest > 0)),
            "depth_mean": np.where(known, mean, np.nan),
            "breadth_max": _known(breadth, known & (breadth > 0)),
            "structural_virality": np.where(known, virality, np.nan),
            "cross_community_hops": _known(hops, known & ~np.isnan(ei_index)),
            "ei_index": np.where(known, ei_index, np.nan),
            **_spread(shared, label, home, ids),
            **_pace(shared),
            "flags": _flags(flags),
        },
    )
    edges = table(
        "cascade_edges",
        {
            "content_id": _take(snapshot.contents.content_id, shared.shares.content),
            "user_id": _take(users, shared.shares.user),
            "parent_user_id": _take(users, _above(shared, parent)),
            "at": pa.array(shared.shares.at, mask=shared.shares.at == NO_TIME),
            "depth": _known(depth, depth > 0),
            "community_id": _take(ids, label),
            "parent_method": pc.take(
                pa.array(["unknown", "root", "via"]),
                pa.array(np.where(how >= trees.MISSING, trees.UNKNOWN, how)),
            ),
        },
    )
    return found, edges


def _shared(snapshot: Snapshot, shares: FirstShares) -> _Shared:
    content, start = np.unique(shares.content, return_index=True)
    offset = np.append(start, len(shares)).astype(np.int64)
    return _Shared(
        shares=shares,
        content=content,
        offset=offset,
        row=np.repeat(np.arange(len(content)), np.diff(offset)),
        author=snapshot.contents.author[content],
        posted=snapshot.contents.created_at[content],
    )


def _above(shared: _Shared, parent: Longs) -> Ints:
    """Return the user over each share: a sharer, the author, or -1."""
    over = np.where(parent == trees.ROOT, shared.author[shared.row], -1).astype(np.int32)
    sharer = parent >= 0
    over[sharer] = shared.shares.user[parent[sharer]]
    return over


def _hops(
    shared: _Shared, parent: Longs, how: npt.NDArray[np.int8], label: Ints, home: Ints
) -> tuple[Longs, Floats]:
    """Count believed edges between communities; their Krackhardt-Stern E-I index."""
    over = np.where(parent == trees.ROOT, home[shared.row], -1)
    sharer = parent >= 0
    over[sharer] = label[parent[sharer]]
    believed = ((how == trees.AUTHOR) | (how == trees.GIVEN)) & (over >= 0) & (label >= 0)
    outside = shared.count(believed & (over != label))
    both = shared.count(believed)
    index = np.full(len(both), np.nan)
    np.divide(2 * outside - both, both, out=index, where=both > 0)
    return outside, index


def _spread(shared: _Shared, label: Ints, home: Ints, ids: pa.StringArray) -> dict[str, Any]:
    """Describe how sharers lie over communities; parts are of all sharers of the content."""
    contents, k = len(shared.content), max(len(ids), 1)
    size = shared.size
    placed = label >= 0
    cell, count = np.unique(shared.row[placed] * k + label[placed], return_counts=True)
    row, community = np.divmod(cell, k)
    # Most sharers first; of equals the larger community, which has the smaller label.
    order = np.lexsort((community, -count, row))
    top = order[np.unique(row[order], return_index=True)[1]]
    modal = np.full(contents, -1, np.int64)
    modal_count = np.zeros(contents, np.int64)
    modal[row[top]], modal_count[row[top]] = community[top], count[top]
    entropy = np.full(contents, np.nan)
    if k > 1:
        total = shared.count(placed)
        part = count / total[row]
        spread = np.bincount(row, weights=-part * np.log(part), minlength=contents) / np.log(k)
        entropy = np.where(total > 0, np.clip(spread, 0.0, 1.0), np.nan)
    at_home = shared.count(placed & (label == home[shared.row]))
    place = np.arange(len(shared.shares)) - shared.offset[shared.row]
    # Without times there is no first fifty: all sharers are looked at.
    timed = shared.shares.at != NO_TIME
    early = placed & ((timed & (place < _EARLY)) | (shared.count(timed) == 0)[shared.row])
    first = np.unique(shared.row[early] * k + label[early]) // k
    return {
        "communities_count": np.bincount(row, minlength=contents),
        "home_share": np.where(home >= 0, at_home / size, np.nan),
        "modal_community_id": _take(ids, modal),
        "modal_share": np.where(modal >= 0, modal_count / size, np.nan),
        "entropy": entropy,
        "early_communities_count": np.bincount(first, minlength=contents),
    }


def _pace(shared: _Shared) -> dict[str, Any]:
    """Describe how fast it went, counted from the post; null where that time is unknown."""
    contents = len(shared.content)
    timed = (shared.shares.at != NO_TIME) & (shared.posted != NO_TIME)[shared.row]
    # Timed shares stand before the others of their content, in the order of time.
    row = shared.row[timed]
    age = shared.shares.at[timed] - shared.posted[row]
    count = np.bincount(row, minlength=contents)
    start = np.concatenate(([0], np.cumsum(count)))[:-1]

    def kth(k: npt.NDArray[np.int64], there: npt.NDArray[np.bool_]) -> Floats:
        seconds = np.full(contents, np.nan)
        seconds[there] = age[start[there] + k[there] - 1] / _SECOND
        return seconds

    def to(k: int) -> Floats:
        return kth(np.full(contents, k), count >= k)

    month = np.bincount(row[age <= _MONTH], minlength=contents)
    hours = int(age.max() // _HOUR) + 1 if len(age) else 1
    cell, in_hour = np.unique(row * hours + age // _HOUR, return_counts=True)
    at, hour = np.divmod(cell, hours)
    order = np.lexsort((hour, -in_hour, at))
    top = order[np.unique(at[order], return_index=True)[1]]
    peak = np.full(contents, -1, np.int64)
    peak[at[top]] = hour[top]
    return {
        "t10_seconds": to(10),
        "t50_seconds": to(50),
        "t100_seconds": to(100),
        "half_life_seconds": kth((month + 1) // 2, month > 0),
        "peak_hour": _known(peak, peak >= 0),
    }


def _method(given: Longs, size: Longs) -> pa.StringArray:
    which = np.where(given == 0, 0, np.where(given == size, 1, 2))
    return pc.take(pa.array(["unknown", "via", "mixed"]), pa.array(which))


def _flags(flags: Flags) -> pa.ListArray:
    """Return the names of the flags raised for each row, in the order of the mapping."""
    raised = np.column_stack(list(flags.values()))
    ends = np.concatenate(([0], np.cumsum(raised.sum(axis=1)))).astype(np.int32)
    names = pc.take(pa.array(list(flags)), pa.array(np.nonzero(raised)[1]))
    return pa.ListArray.from_arrays(pa.array(ends), names)


def _labels(reference: Ints, user: Ints) -> Ints:
    """Return the community of each user, -1 where there is no user or no community."""
    if not len(reference):
        return np.full(len(user), -1, np.int32)
    return np.where(user >= 0, reference[user], -1).astype(np.int32)


def _known(values: npt.NDArray[Any], known: Sequence[bool] | npt.NDArray[np.bool_]) -> pa.Array:
    return pa.array(values, mask=~np.asarray(known, np.bool_))


def _take(names: pa.StringArray, at: npt.NDArray[Any]) -> pa.StringArray:
    """Return the name of each number, null for a negative one."""
    return pc.take(names, pa.array(at, mask=at < 0))
