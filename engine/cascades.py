"""Cascades: how each shared content travelled, as far as the data tell who came from whom.

Parents are those of `engine.parents`. Which figures of a tree they allow is decided content by
content, by the part of its shares whose parent is *certain* (given, or followed and the latest)
or at least *placed* (certain, or one whom the sharer had turned to):

- `ENOUGH_PARENTS` certain: figures of the one tree. Shares without any known parent are left
  out of it, and the figures are lower bounds; sharers who follow no earlier poster hang from
  the author and are flagged.
- `ENOUGH_PARENTS` placed, and `ANCHORED` of them certain: medians and ranges over likely trees
  (`engine.likely`); the median is null where the range spans more than `WIDE`.
- otherwise the depth is *unknown*: depth, breadth and virality are null, never 1. So it is for
  every content of an export that names only whose content was shared (every X export does)
  and holds no follows, whatever people turned to before: such data tell of authors only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.csr import Floats, Ints, Longs
from engine.kernels import trees
from engine.kernels.likely_trees import CANDIDATES
from engine.likely import Shapes, likely_shapes
from engine.pace import pace
from engine.parents import METHODS, Parents, parents
from engine.partition import Partitions
from engine.results import table
from engine.shares import FirstShares
from engine.snapshot import NO_TIME, Snapshot

__all__ = ["ANCHORED", "ENOUGH_PARENTS", "WIDE", "cascades", "said"]

ENOUGH_PARENTS: Final = 0.6
"""Least part of a cascade's shares with a certain (a placed) parent for figures of its tree."""

ANCHORED: Final = 0.2
"""Least part with a certain parent for figures over likely trees."""

WIDE: Final = 2.0
"""A range over likely trees whose ends have a larger ratio hides its median."""

_EARLY: Final = 50

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """By content: how its parents are known, and what figures of a tree they allow.

    `given` has the shares whose parent is in the data, `lost` those of them whose parent has
    no place in the tree; `one` and `likely` say of which tree there are figures.
    """

    given: Longs
    lost: Longs
    inferred: Longs
    one: Flags
    likely: Flags

    @classmethod
    def of(cls, found: Parents) -> _Known:
        size, how = found.size, found.how
        lost = found.count(how >= trees.MISSING)
        via = found.count((how == trees.AUTHOR) | (how == trees.GIVEN))
        by_follows = found.count(how == trees.FOLLOWS)
        inferred = by_follows + found.count(how == trees.INTERACTION)
        certain = via + by_follows
        one = certain >= ENOUGH_PARENTS * size
        placed = via + inferred >= ENOUGH_PARENTS * size
        return cls(via + lost, lost, inferred, one, ~one & placed & (certain >= ANCHORED * size))


@dataclass(frozen=True, slots=True, eq=False)
class _Tree:
    """Figures of the one tree, by content; depth by share, -1 where it is unknown."""

    depth: Ints
    deepest: Ints
    mean: Floats
    breadth: Ints
    virality: Floats

    @classmethod
    def of(cls, found: Parents, one: Flags) -> _Tree:
        # Elsewhere an edge that is not certain tells nothing of how deep a share is.
        guessed = (found.how == trees.INTERACTION) | (found.how == trees.FALLBACK)
        parent = np.where(guessed & ~one[found.row], trees.ADRIFT, found.parent)
        return cls(*trees.measure(found.offset, parent, found.author >= 0))


def cascades(
    snapshot: Snapshot,
    partitions: Partitions,
    shares: FirstShares | None = None,
    *,
    found: Parents | None = None,
    seed: int = 1,
) -> tuple[pa.Table, pa.Table]:
    """Return the declared tables `cascades` and `cascade_edges`. O(shares log shares).

    Only contents with a share have a row; every share that counts has an edge. An edge's
    `parent_user_id` is who stands above it in the tree. With `parent_method` *unknown* and a
    parent, it stands there for want of the given one, who did not share, shared later, or is
    part of a circle: it hangs from the nearest known ancestor and is counted in
    `missing_parent_count`. `depth` counts steps from the author, over certain edges only where
    the content has no figures of one tree.

    Parameters
    ----------
    shares
        What `first_shares(snapshot)` returned, where a caller has it already.
    found
        What `parents(snapshot, shares)` returned, where a caller has it already. Finding
        them is the larger part of the cost where the data hold follows or acts.
    seed
        Of the likely trees.

    References
    ----------
    Goel, Anderson, Hofman, Watts (2016): The structural virality of online diffusion.
    Weng, Menczer, Ahn (2013): Virality prediction and community structure in social networks.
    DeVerna, Pierri, Aiyappa, Pacheco, Bryden, Menczer (2024): how cascades are reconstructed
    decides who looks influential.

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
    found = parents(snapshot, shares) if found is None else found
    content_id = _take(snapshot.contents.content_id, found.content)
    known = _Known.of(found)
    tree = _Tree.of(found, known.one)
    likely = likely_shapes(found, known.likely, content_id, seed)
    label = _labels(partitions.reference, found.shares.user)
    home = _labels(partitions.reference, found.author)
    hops, ei_index = _hops(found, label, home)
    ids, users = partitions.community_ids, snapshot.users.user_id
    posted = snapshot.contents.created_at[found.content]
    rows = table(
        "cascades",
        {
            "content_id": content_id,
            "author_id": _take(users, found.author),
            "community_id": _take(ids, home),
            "share_count": found.size,
            "parent_method": _method(found),
            "parent_known_share": known.given / found.size,
            "parent_inferred_share": known.inferred / found.size,
            "missing_parent_count": known.lost,
            **_shape(known, tree, likely),
            "cross_community_hops": _known(hops, known.one & ~np.isnan(ei_index)),
            "ei_index": np.where(known.one, ei_index, np.nan),
            **_spread(found, label, home, ids),
            **pace(found, posted),
            "flags": _flags(_raised(found, known, likely, posted)),
        },
    )
    edges = table(
        "cascade_edges",
        {
            "content_id": _take(snapshot.contents.content_id, found.shares.content),
            "user_id": _take(users, found.shares.user),
            "parent_user_id": _take(users, found.user),
            "at": pa.array(found.shares.at, mask=found.shares.at == NO_TIME),
            "depth": _known(tree.depth, tree.depth > 0),
            "community_id": _take(ids, label),
            "parent_method": pc.take(pa.array(METHODS), pa.array(found.method)),
        },
    )
    return rows, edges


def said(found: Parents) -> Iterator[tuple[str, str, float | None]]:
    """Yield what a run has to say of its cascades: topic, sentence and figure."""
    total = len(found.shares)
    if not total:
        return
    given = float((found.shares.via >= 0).mean())
    by_follows, turned = (
        float((found.how == how).mean()) for how in (trees.FOLLOWS, trees.INTERACTION)
    )
    unsure = 1.0 - given - by_follows - turned
    if given + by_follows == 0.0:
        text = "These data do not say from whom anything was shared: depth of cascades is unknown."
        yield ("cascades", text, None)
        return
    text = (
        f"From whom a share came is given for {given:.0%} of {total:,} shares, inferred from "
        f"follows for {by_follows:.0%} and from earlier interaction for {turned:.0%}; for "
        f"{unsure:.0%} it is not known."
    )
    yield ("cascades", text, unsure)


def _shape(known: _Known, tree: _Tree, likely: Shapes) -> dict[str, Any]:
    """Return the figures of the one tree, the medians of likely ones, or nulls."""
    deep = known.likely & ~_wide(likely.depth_low, likely.depth_high)
    even = known.likely & ~_wide(likely.virality_low, likely.virality_high)

    def choose(figure: npt.NDArray[Any], median: Floats, narrow: Flags) -> Floats:
        whole = np.where(known.one & (figure >= 0), figure, np.nan)
        return np.where(narrow, median, whole)

    return {
        "depth_max": choose(tree.deepest, likely.depth, deep),
        "depth_low": likely.depth_low,
        "depth_high": likely.depth_high,
        "depth_mean": choose(tree.mean, likely.mean, deep),
        "breadth_max": choose(tree.breadth, likely.breadth, deep),
        "structural_virality": choose(tree.virality, likely.virality, even),
        "virality_low": likely.virality_low,
        "virality_high": likely.virality_high,
    }


def _wide(low: Floats, high: Floats) -> Flags:
    return np.asarray(high > WIDE * low, np.bool_)


def _raised(found: Parents, known: _Known, likely: Shapes, posted: Longs) -> dict[str, Flags]:
    """Return what to know of each content, by flag."""
    how, some = found.how, known.given + known.inferred > 0
    wide = _wide(likely.depth_low, likely.depth_high) | _wide(
        likely.virality_low, likely.virality_high
    )
    return {
        "synthetic_root": found.author < 0,
        "few_parents": some & ~known.one & ~known.likely,
        "part_known": known.one & (found.count(how == trees.UNKNOWN) > 0),
        "inferred_parents": known.inferred > 0,
        "root_fallback": found.count(how == trees.FALLBACK) > 0,
        "likely_trees": known.likely,
        "wide_range": known.likely & wide,
        "capped": known.likely & (found.size > CANDIDATES),
        "late_parent": found.count(how == trees.LATE) > 0,
        "circular_parent": found.count(how == trees.CIRCLE) > 0,
        "clamped": found.count(found.shares.clamped) > 0,
        "no_post_time": posted == NO_TIME,
        "no_times": found.count(found.shares.at != NO_TIME) == 0,
    }


def _hops(found: Parents, label: Ints, home: Ints) -> tuple[Longs, Floats]:
    """Count certain edges between communities; their Krackhardt-Stern E-I index."""
    over = np.where(found.parent == trees.ROOT, home[found.row], -1)
    sharer = found.parent >= 0
    over[sharer] = label[found.parent[sharer]]
    certain = np.isin(found.how, (trees.AUTHOR, trees.GIVEN, trees.FOLLOWS))
    placed = certain & (over >= 0) & (label >= 0)
    outside = found.count(placed & (over != label))
    both = found.count(placed)
    index = np.full(len(both), np.nan)
    np.divide(2 * outside - both, both, out=index, where=both > 0)
    return outside, index


def _spread(found: Parents, label: Ints, home: Ints, ids: pa.StringArray) -> dict[str, Any]:
    """Describe how sharers lie over communities; parts are of all sharers of the content."""
    contents, k = len(found.content), max(len(ids), 1)
    size = found.size
    placed = label >= 0
    cell, count = np.unique(found.row[placed] * k + label[placed], return_counts=True)
    row, community = np.divmod(cell, k)
    # Most sharers first; of equals the larger community, which has the smaller label.
    order = np.lexsort((community, -count, row))
    top = order[np.unique(row[order], return_index=True)[1]]
    modal = np.full(contents, -1, np.int64)
    modal_count = np.zeros(contents, np.int64)
    modal[row[top]], modal_count[row[top]] = community[top], count[top]
    entropy = np.full(contents, np.nan)
    if k > 1:
        total = found.count(placed)
        part = count / total[row]
        spread = np.bincount(row, weights=-part * np.log(part), minlength=contents) / np.log(k)
        entropy = np.where(total > 0, np.clip(spread, 0.0, 1.0), np.nan)
    at_home = found.count(placed & (label == home[found.row]))
    place = np.arange(len(found.shares)) - found.offset[found.row]
    # Without times there is no first fifty: all sharers are looked at.
    timed = found.shares.at != NO_TIME
    early = placed & ((timed & (place < _EARLY)) | (found.count(timed) == 0)[found.row])
    first = np.unique(found.row[early] * k + label[early]) // k
    return {
        "communities_count": np.bincount(row, minlength=contents),
        "home_share": np.where(home >= 0, at_home / size, np.nan),
        "modal_community_id": _take(ids, modal),
        "modal_share": np.where(modal >= 0, modal_count / size, np.nan),
        "entropy": entropy,
        "early_communities_count": np.bincount(first, minlength=contents),
    }


def _method(found: Parents) -> pa.StringArray:
    """Return the one way all parents of a content are known, or mixed.

    A given parent without a place in the tree is given all the same.
    """
    method = np.where(found.how >= trees.MISSING, METHODS.index("via"), found.method)
    there = np.zeros((len(found.content), len(METHODS)), np.bool_)
    there[found.row, method] = True
    which = np.where(there.sum(axis=1) == 1, there.argmax(axis=1), len(METHODS))
    return pc.take(pa.array([*METHODS, "mixed"]), pa.array(which))


def _flags(raised: dict[str, Flags]) -> pa.ListArray:
    """Return the names of the flags raised for each row, in the order of the mapping."""
    marks = np.column_stack(list(raised.values()))
    ends = np.concatenate(([0], np.cumsum(marks.sum(axis=1)))).astype(np.int32)
    names = pc.take(pa.array(list(raised)), pa.array(np.nonzero(marks)[1]))
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
