"""The scores of two runs side by side: what is in another quadrant, and what is far apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.comparison import OTHER, PARTS, SIDE_BY_SIDE, flat

__all__ = ["side_by_side"]

_GAP: Final = "\x1f"
"""Stands between the parts of a key; no id holds it."""


def side_by_side(
    mine: pa.Table,
    theirs: pa.Table,
    matched: Mapping[str, str],
    influence: Sequence[pa.Table],
) -> pa.Table:
    """Put two tables `scores` side by side, by source and matched community.

    Parameters
    ----------
    mine, theirs
        The scores of each run.
    matched
        The other run's community for each that has a match.
    influence
        The table `influence` of each run, for what sources are called.

    Notes
    -----
    O(scores log scores).
    """
    # A community without a match has no counterpart: its own id with the gap before it.
    known = pa.array(list(matched), pa.string())
    names = pa.array(list(matched.values()), pa.string())
    home = flat(mine["community_id"])
    at = pc.index_in(home, known)
    alone = pc.binary_join_element_wise(pa.scalar(_GAP), home, "")
    there = pc.if_else(at.is_valid(), names.take(at), alone)
    key, other_key = _keys(mine, there), _keys(theirs, flat(theirs["community_id"]))
    match = pc.index_in(key, other_key)
    rest = pa.array(np.flatnonzero(~np.asarray(pc.is_in(other_key, key))))
    left = pa.concat_arrays([pa.array(np.arange(len(mine))), pa.nulls(len(rest), pa.int64())])
    right = pa.concat_arrays([match.cast(pa.int64()), rest])
    columns: dict[str, pa.Array] = {}
    for name in ("source_kind", "source_id"):
        columns[name] = pc.coalesce(flat(mine[name]).take(left), flat(theirs[name]).take(right))
    for name in ("community_id", *SIDE_BY_SIDE):
        columns[name] = flat(mine[name]).take(left)
        columns[f"{OTHER}{name}"] = flat(theirs[name]).take(right)
    columns["label"] = _labels(influence, columns["source_kind"], columns["source_id"])
    in_both = pc.and_(left.is_valid(), right.is_valid())
    alone_where = pc.if_else(left.is_valid(), "run", "other")
    columns["present"] = pc.if_else(in_both, "both", alone_where)
    columns["difference"] = pc.subtract(columns[f"{OTHER}resonance"], columns["resonance"])
    columns["changed"] = pc.fill_null(
        pc.not_equal(columns["quadrant"], columns[f"{OTHER}quadrant"]), False
    )
    columns["apart"] = pc.fill_null(
        pc.or_(
            pc.greater(columns["resonance_low"], columns[f"{OTHER}resonance_high"]),
            pc.greater(columns[f"{OTHER}resonance_low"], columns["resonance_high"]),
        ),
        False,
    )
    return _ordered(columns)


def _keys(scores: pa.Table, community: pa.Array) -> pa.Array:
    """Return source and community as one text; a roll-up's community is empty."""
    place = pc.fill_null(community, "")
    parts = (flat(scores["source_kind"]), flat(scores["source_id"]), place)
    return pc.binary_join_element_wise(*parts, _GAP)


def _labels(influence: Sequence[pa.Table], kind: pa.Array, source: pa.Array) -> pa.Array:
    """Name each source as the run calls it, else the other, else by its id."""
    wanted = pc.binary_join_element_wise(kind, source, _GAP)
    found = []
    for loud in influence:
        ids = flat(loud["source_kind"]), flat(loud["source_id"])
        at = pc.index_in(wanted, pc.binary_join_element_wise(*ids, _GAP))
        found.append(flat(loud["label"]).take(at))
    return pc.coalesce(*found, source)


def _ordered(columns: Mapping[str, pa.Array]) -> pa.Table:
    """Sort: another quadrant first, then by distance; then what only one of them has."""
    distance = pc.fill_null(pc.abs(columns["difference"]), -1.0)
    named = ("source_kind", "source_id", "community_id", f"{OTHER}community_id")
    by = pa.table(
        {
            "changed": columns["changed"].cast(pa.int8()),
            "distance": pc.round(distance, 9),
            **{name: columns[name] for name in named},
        }
    )
    keys = [("changed", "descending"), ("distance", "descending")]
    order = pc.sort_indices(by, [*keys, *((name, "ascending") for name in named)])
    declared = PARTS["scores"]
    table = pa.table({name: values.take(order) for name, values in columns.items()})
    number = pa.array(np.arange(1, len(order) + 1))
    return table.append_column("number", number).select(declared.schema.names).cast(declared.schema)
