"""The tables a comparison of two runs answers with, declared once.

Columns of the other run begin with `other_`. Communities are called by the ids of their own
run, so that a row leads back to either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from engine.model import COUNT, TEXT, Column
from engine.results import RESULTS, ResultTable

__all__ = ["OTHER", "PARTS", "SIDE_BY_SIDE", "flat", "numbered"]

OTHER: Final = "other_"

SIDE_BY_SIDE: Final = (
    "quadrant", "observed", "expected", "lift", "lift_low", "lift_high", "resonance",
    "resonance_low", "resonance_high", "influence", "n_posts", "tier", "flags",
)  # fmt: skip
"""Columns of `scores` that stand in a comparison once for each run."""

_F64: Final = pa.float64()


def _c(name: str, type: pa.DataType, about: str, *, must: bool = False) -> Column:
    return Column(name, type, about, required=must)


def _pair(name: str, type: pa.DataType, about: str) -> tuple[Column, Column]:
    return _c(name, type, about), _c(f"{OTHER}{name}", type, "the same in the other run")


def _score(name: str) -> tuple[Column, Column]:
    declared = {c.name: c for c in RESULTS["scores"].columns}[name]
    return _pair(name, declared.type, declared.about)


PARTS: Final[dict[str, ResultTable]] = {
    t.name: t
    for t in (
        ResultTable(
            "summary",
            "what two runs have in common and where they part, in reading order",
            ("number",),
            (
                _c("number", pa.int32(), "reading order", must=True),
                _c(
                    "topic",
                    TEXT,
                    "verdict, data, parameters, versions, communities or scores",
                    must=True,
                ),
                _c("name", TEXT, "what is compared", must=True),
                *_pair("value", TEXT, "what the run says; null where only a figure is compared"),
                _c("figure", _F64, "the figure that compares the two, where there is one"),
                _c("text", TEXT, "in words", must=True),
            ),
        ),
        ResultTable(
            "communities",
            "communities of two runs, matched one to one, the greatest overlap first",
            ("number",),
            (
                _c("number", COUNT, "reading order", must=True),
                *_pair("community_id", TEXT, "the community; null where it has no match"),
                *_pair("label", TEXT, "what its members share most"),
                *_pair("kind", TEXT, "community, mainstream or fringe"),
                *_pair("member_count", COUNT, "members"),
                _c("common_count", COUNT, "users who are members of both", must=True),
                _c(
                    "jaccard",
                    _F64,
                    "of the members of either that both runs place, the part in both [0,1]",
                ),
                *_pair("verdict", TEXT, "kindred, not_kindred, undetermined"),
            ),
        ),
        ResultTable(
            "scores",
            "scores of two runs side by side: those in another quadrant first, then by how far "
            "apart they are",
            ("number",),
            (
                _c("number", COUNT, "reading order", must=True),
                _c("source_kind", TEXT, "user, brand, domain, ...", must=True),
                _c("source_id", TEXT, "the id of what is shared", must=True),
                _c("label", TEXT, "as it is shown"),
                *_pair("community_id", TEXT, "where; null = over all communities"),
                _c("present", TEXT, "both, run or other: which of them has this score", must=True),
                _c("changed", pa.bool_(), "in both, in different quadrants", must=True),
                _c("apart", pa.bool_(), "in both, and the intervals do not meet", must=True),
                _c("difference", _F64, "resonance in the other run less that in the run"),
                *(column for name in SIDE_BY_SIDE for column in _score(name)),
            ),
        ),
    )
}
"""Parts of a comparison by name."""


def numbered(declared: ResultTable, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return rows as a table of a comparison, numbered in their order."""
    given = [{**row, "number": place} for place, row in enumerate(rows, 1)]
    return pa.Table.from_pylist(given, declared.schema)


def flat(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    return column.combine_chunks()
