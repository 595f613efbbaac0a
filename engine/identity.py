"""Communities keep their ids from one run to the next, and what became of them is logged.

A community of this run is one of the run before if no other is more like it and enough of
their members are the same; it then keeps the id. Any other gets a number that no run in the
line has used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from engine.csr import Floats, Ints, Longs
from engine.found import Found, sizes, tie_posterior
from engine.levels import Levels
from engine.lineage import Before, parted
from engine.params import AnalysisParams
from engine.results import empty, table
from engine.snapshot import Snapshot

__all__ = ["SAME", "Names", "best_matches", "name", "renamed"]

SAME: Final = 0.3
"""Least weighted Jaccard overlap of a community with the one whose id it keeps."""

_MOST: Final = 0.5
"""Part of its members above which a community went into, or came out of, another."""


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """Ids of the communities of every level, by label, and the declared table `changes`."""

    reference: pa.StringArray
    above: pa.StringArray
    parts: pa.StringArray
    group_of: pa.StringArray
    """Id of the group of each community of level 1; null where there is no level 0."""
    changes: pa.Table
    notes: tuple[tuple[str, str, float | None], ...]


def name(
    found: Found, levels: Levels, snapshot: Snapshot, params: AnalysisParams, earlier: Before | None
) -> Names:
    """Give every community its id: the one it had, or the next number that is free.

    Parameters
    ----------
    found, levels
        The communities of this run.
    snapshot
        Names the users.
    params
        `min_members`: smaller communities are left out of merges and splits.
    earlier
        The run before, if ids are carried on.

    Notes
    -----
    Matched one to one at the greatest sum of overlaps (Hungarian method), level by level;
    parts only with parts of the same community. O(users log users), and cubic in the number
    of communities that overlap one another by 30 % or more, a handful.
    """
    parts, graph = found.partitions, found.graph
    used = dict(earlier.used) if earlier else {}
    match = _Matching.of(earlier, 1, snapshot, parts.reference, parts.k, parts.confidence)
    reference = _named(match, ["c"] * parts.k, used)
    group = levels.group_of_users(parts.reference)
    groups = int(levels.above.max(initial=-1)) + 1
    upper = _Matching.of(earlier, 0, snapshot, group, groups, tie_posterior(graph, group))
    inner = _Matching.of(
        earlier, 2, snapshot, levels.part, len(levels.whole), tie_posterior(graph, levels.part)
    )
    prefixes = [f"{reference[label]}." for label in levels.whole.tolist()]
    said = _changes(match, reference, sizes(parts), params.min_members, earlier)
    above = pa.array(_named(upper, ["g"] * groups, used), pa.string())
    return Names(
        pa.array(reference, pa.string()),
        above,
        pa.array(_named(inner, prefixes, used), pa.string()),
        above.take(pa.array(levels.above)) if groups else pa.nulls(parts.k, pa.string()),
        said,
        tuple(_notes(said, earlier)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Matching:
    """Communities of one level, now and before, by the people that both runs place.

    `overlap` is the weighted Jaccard overlap of the pairs (`now`, `then`) that have members
    in common, and `weight` that of those members; `partner` is the old community each one
    continues, -1 for none. Everyone weighs as much as the ties say they belong.
    """

    old: Sequence[str]
    now: Longs
    then: Longs
    overlap: Floats
    weight: Floats
    whole_now: Floats
    whole_then: Floats
    partner: Longs

    @classmethod
    def of(  # noqa: PLR0917 - the two sides of a comparison
        cls,
        earlier: Before | None,
        level: int,
        snapshot: Snapshot,
        labels: Ints,
        k: int,
        sure: Floats,
    ) -> _Matching:
        rows = None if earlier is None else earlier.at(level)
        if rows is None or not len(rows):
            no, none = np.empty(0, np.int64), np.empty(0)
            return cls([], no, no, none, none, np.zeros(k), none, np.full(k, -1, np.int64))
        code = rows["community_id"].combine_chunks().dictionary_encode()
        at = pc.index_in(rows["user_id"].combine_chunks(), snapshot.users.user_id)
        there = pc.fill_null(at, -1).to_numpy()
        both = (there >= 0) & (np.append(labels, -1)[there] >= 0)
        user, old = there[both], code.indices.to_numpy()[both].astype(np.int64)
        new = labels[user].astype(np.int64)
        known = pc.fill_null(rows["confidence"], 1.0).to_numpy()[both]
        mine = np.nan_to_num(sure[user], nan=1.0)
        old_weight = np.bincount(old, known, len(code.dictionary)).astype(np.float64)
        new_weight = np.bincount(new, mine, k).astype(np.float64)
        cells, which = np.unique(new * len(old_weight) + old, return_inverse=True)
        now, then = np.divmod(cells, len(old_weight))
        least = np.bincount(which, np.minimum(known, mine), len(cells)).astype(np.float64)
        # A member in both adds the greater weight to the union, one in either its own.
        overlap: Floats = least / (new_weight[now] + old_weight[then] - least)
        partner = best_matches(now, then, np.round(overlap, 12), k)
        return cls(
            code.dictionary.to_pylist(),
            now,
            then,
            overlap,
            least,
            new_weight,
            old_weight,
            partner,
        )


def best_matches(now: Longs, then: Longs, overlap: Floats, k: int) -> Longs:
    """Match communities one to one at the greatest sum of overlaps, none below `SAME`.

    Parameters
    ----------
    now, then, overlap
        Pairs of communities and how far they overlap.
    k
        How many there are now.

    Returns
    -------
    Longs
        The partner of each, -1 for none.

    References
    ----------
    H. W. Kuhn (1955). The Hungarian method for the assignment problem.

    Examples
    --------
    The greatest overlap is not always part of the best whole:

    >>> now, then = np.array([0, 0, 1]), np.array([0, 1, 0])
    >>> best_matches(now, then, np.array([0.5, 0.4, 0.4]), 2).tolist()
    [1, 0]
    """
    partner = np.full(k, -1, np.int64)
    like = overlap >= SAME
    now, then, overlap = now[like], then[like], overlap[like]
    if not len(now):
        return partner
    width = k + int(then.max()) + 1
    graph = sparse.coo_array((np.ones(len(now)), (now, k + then)), shape=(width, width))
    _, piece = sparse.csgraph.connected_components(graph, directed=False)
    order = np.lexsort((then, now, piece[now]))
    now, then, overlap = now[order], then[order], overlap[order]
    cuts = np.flatnonzero(np.diff(piece[now], prepend=-1, append=-1))
    for a, b in pairwise(cuts.tolist()):
        rows, row = np.unique(now[a:b], return_inverse=True)
        columns, column = np.unique(then[a:b], return_inverse=True)
        gain = np.zeros((len(rows), len(columns)))
        gain[row, column] = overlap[a:b]
        i, j = linear_sum_assignment(gain, maximize=True)
        kept = gain[i, j] > 0
        partner[rows[i[kept]]] = columns[j[kept]]
    return partner


def _named(match: _Matching, prefixes: Sequence[str], used: dict[str, int]) -> list[str]:
    """Return the id of each community: its partner's if the prefix is the same, else a new one."""
    ids = []
    for prefix, partner in zip(prefixes, match.partner.tolist(), strict=True):
        old = match.old[partner] if partner >= 0 else ""
        if partner < 0 or parted(old)[0] != prefix:
            used[prefix] = used.get(prefix, 0) + 1
            old = f"{prefix}{used[prefix]}"
        ids.append(old)
    return ids


def _changes(
    match: _Matching, ids: Sequence[str], size: Longs, least: int, earlier: Before | None
) -> pa.Table:
    """Return the declared table `changes`, of level 1."""
    if earlier is None:
        return empty("changes")
    kept = {match.old[p]: label for label, p in enumerate(match.partner.tolist()) if p >= 0}
    pair = dict(
        zip(zip(match.now.tolist(), match.then.tolist(), strict=True), match.overlap, strict=True)
    )
    rows: list[tuple[str, str, list[str], float | None, int | None, int | None]] = []
    for label, (community, partner) in enumerate(zip(ids, match.partner.tolist(), strict=True)):
        if partner < 0:
            rows.append((community, "birth", [], None, int(size[label]), None))
        else:
            of = earlier.sizes.get(community)
            overlap = float(pair[label, partner])
            rows.append((community, "kept", [], overlap, int(size[label]), of))
    rows += [(c, "death", [], None, None, n) for c, n in earlier.sizes.items() if c not in kept]
    number = {community: label for label, community in enumerate(ids)}
    for community, others in _merged(match, ids, size, least, earlier):
        members = int(size[number[community]])
        rows.append((community, "merge", others, None, members, earlier.sizes.get(community)))
    for community, others in _split(match, ids, size, least, earlier):
        now = int(size[kept[community]]) if community in kept else None
        rows.append((community, "split", others, None, now, earlier.sizes[community]))
    columns = ("community_id", "event", "other_ids", "overlap", "member_count", "before_count")
    said = dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}
    return table("changes", {**said, "before_run_id": [earlier.run_id] * len(rows)})


Together = Iterator[tuple[str, list[str]]]


def _merged(
    match: _Matching, ids: Sequence[str], size: Longs, least: int, earlier: Before
) -> Together:
    """Yield communities into which most of two or more went, and the ids of those."""
    into: dict[int, list[str]] = {}
    went = match.weight > _MOST * match.whole_then[match.then]
    for now, then in zip(match.now[went].tolist(), match.then[went].tolist(), strict=True):
        if size[now] >= least and earlier.sizes.get(match.old[then], 0) >= least:
            into.setdefault(now, []).append(match.old[then])
    yield from ((ids[now], sorted(of)) for now, of in into.items() if len(of) > 1)


def _split(
    match: _Matching, ids: Sequence[str], size: Longs, least: int, earlier: Before
) -> Together:
    """Yield communities out of which most of two or more came, and the ids of those."""
    out: dict[str, list[str]] = {}
    came = match.weight > _MOST * match.whole_now[match.now]
    for now, then in zip(match.now[came].tolist(), match.then[came].tolist(), strict=True):
        old = match.old[then]
        if size[now] >= least and earlier.sizes.get(old, 0) >= least:
            out.setdefault(old, []).append(ids[now])
    yield from ((old, sorted(into)) for old, into in out.items() if len(into) > 1)


def _notes(changes: pa.Table, earlier: Before | None) -> Iterator[tuple[str, str, float | None]]:
    if earlier is None:
        return
    count = {
        event: int(pc.sum(pc.equal(changes["event"], event)).as_py() or 0)
        for event in ("kept", "birth", "merge", "split", "death")
    }
    told = ", ".join(
        f"{count[event]:,} {words}"
        for event, words in (
            ("kept", "kept"),
            ("birth", "new"),
            ("merge", "merged"),
            ("split", "split"),
            ("death", "gone"),
        )
        if count[event]
    )
    yield (
        "identity",
        f"Communities carry on the ids of run {earlier.run_id}: {told or 'there are none'}.",
        float(count["kept"]),
    )


def renamed(found: Found, names: Names) -> Found:
    """Return what was found under these ids."""
    return replace(found, partitions=replace(found.partitions, names=names.reference))
