"""How much of a planted answer each ranking finds.

The candidates are (source, planted community) pairs that a ranking orders; right are those
that were planted. Every ranking sees the communities that were *found*: a planted community
stands for the found one that holds most of its members.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.agreement import adjusted_rand, mutual_information
from engine.csr import Floats, Ints

__all__ = ["RANKINGS", "Agreement", "agreement", "find_rate", "found_communities"]

RANKINGS: Final = {
    "followers": "follower count",
    "pagerank": "authority overall (PageRank)",
    "volume": "shares received",
    "shares_there": "shares in the community",
    "score": "score in the community, lower bound",
}
"""Rankings compared, with the words they are shown by."""

_LEAST_FOLLOWERS: Final = 3
"""A source fewer members of the community follow cannot be told from chance, nor found."""

_TOPS: Final = (50, 100)

_FOUND: Final = pa.schema(
    [
        pa.field("ranking", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("average_precision", pa.float64(), nullable=False),
        pa.field("precision_50", pa.float64(), nullable=False),
        pa.field("precision_100", pa.float64(), nullable=False),
        pa.field("planted_count", pa.int64(), nullable=False),
        pa.field("cell_count", pa.int64(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far found communities agree with planted ones, over the users in both."""

    mutual_information: float
    adjusted_rand: float
    planted_count: int
    found_count: int
    user_count: int


def agreement(memberships: pa.Table, places: pa.Table) -> Agreement:
    """Compare the reference partition of a run with the planted communities.

    Parameters
    ----------
    memberships
        The result table; only rows of the reference partition and of level 1 are read.
    places
        `user_id` and planted `community`.
    """
    planted, found = _paired(memberships, places)
    return Agreement(
        mutual_information=mutual_information(planted, found),
        adjusted_rand=adjusted_rand(planted, found),
        planted_count=len(np.unique(planted)),
        found_count=len(np.unique(found)),
        user_count=len(planted),
    )


def found_communities(memberships: pa.Table, places: pa.Table) -> dict[int, str]:
    """Return for each planted community the found one that holds most of its members."""
    planted, found = _paired(memberships, places)
    names, code = np.unique(found, return_inverse=True)
    overlap = np.zeros((int(planted.max(initial=-1)) + 1, len(names)), np.int64)
    np.add.at(overlap, (planted, code), 1)
    return {c: str(names[row.argmax()]) for c, row in enumerate(overlap) if row.any()}


def find_rate(results: Mapping[str, pa.Table], truth: pa.Table, places: pa.Table) -> pa.Table:
    """Say how much of the planted answer each ranking finds.

    Parameters
    ----------
    results
        The tables `scores`, `influence` and `memberships` of one run.
    truth
        Planted cells: source_kind, source_id, community, planted, followers_count. Cells that
        fewer than three members follow are left out.
    places
        Planted community of each user.

    Returns
    -------
    pa.Table
        A row a ranking: average precision, and precision among the first 50 and 100 cells;
        of cells that a ranking puts level, as many count as would on average.
    """
    cells = truth.filter(pc.greater_equal(truth["followers_count"], _LEAST_FOLLOWERS))
    right = np.asarray(cells["planted"].to_numpy(), np.bool_)
    there = found_communities(results["memberships"], places)
    rows = []
    for name, values in _values(results, cells, there).items():
        rows.append(
            {
                "ranking": name,
                "label": RANKINGS[name],
                "average_precision": average_precision(values, right),
                **{f"precision_{k}": precision(values, right, k) for k in _TOPS},
                "planted_count": int(right.sum()),
                "cell_count": len(right),
            }
        )
    return pa.Table.from_pylist(rows, schema=_FOUND)


def average_precision(values: Floats, right: npt.NDArray[np.bool_]) -> float:
    """Return the mean over recall of the precision, level values taken together.

    Examples
    --------
    >>> average_precision(np.array([3.0, 2.0, 1.0]), np.array([True, False, True]))
    0.8333333333333333
    """
    found, taken = _steps(values, right)
    gained = np.diff(found, prepend=0)
    return float((gained * found / taken).sum() / max(found[-1], 1)) if len(found) else 0.0


def precision(values: Floats, right: npt.NDArray[np.bool_], k: int) -> float:
    """Return the part of the first k that is right; of level values, the mean over their orders.

    Examples
    --------
    >>> precision(np.array([2.0, 1.0, 1.0]), np.array([True, True, False]), 2)
    0.75
    """
    found, taken = _steps(values, right)
    k = min(k, len(right))
    return float(np.interp(k, np.append(0, taken), np.append(0, found)) / k) if k else 0.0


def _steps(values: Floats, right: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return right ones and all, up to the end of each run of level values, best first."""
    order = np.argsort(-values, kind="stable")
    ends = np.flatnonzero(np.diff(values[order], append=np.nan) != 0)
    found = np.cumsum(right[order])[ends].astype(np.int32)
    return found, (ends + 1).astype(np.int32)


def _paired(memberships: pa.Table, places: pa.Table) -> tuple[Ints, npt.NDArray[np.object_]]:
    reference = memberships.filter(
        pc.and_(pc.is_null(memberships["fold"]), pc.equal(memberships["level"], 1))
    )
    at = pc.index_in(reference["user_id"].combine_chunks(), places["user_id"].combine_chunks())
    planted = pc.take(places["community"].combine_chunks(), at)
    known = pc.is_valid(planted)
    return (
        planted.filter(known).to_numpy().astype(np.int32),
        reference["community_id"].combine_chunks().filter(known).to_numpy(zero_copy_only=False),
    )


def _values(
    results: Mapping[str, pa.Table], cells: pa.Table, there: Mapping[int, str]
) -> dict[str, Floats]:
    """Return each ranking's value of every cell; what a ranking does not know comes last."""
    kind, source = cells["source_kind"], cells["source_id"]
    place = pa.array([there.get(c) for c in cells["community"].to_pylist()], pa.string())
    whole = _keys(kind, source)
    inside = _keys(kind, source, place)
    loud, scores = results["influence"], results["scores"]
    of_source = _keys(loud["source_kind"], loud["source_id"])
    scored = scores.filter(pc.is_valid(scores["community_id"]))
    of_cell = _keys(scored["source_kind"], scored["source_id"], scored["community_id"])
    return {
        "followers": _look_up(whole, of_source, loud["followers_count"]),
        "pagerank": _look_up(whole, of_source, loud["authority"]),
        "volume": _look_up(whole, of_source, loud["share_count"]),
        "shares_there": _look_up(inside, of_cell, scored["observed"]),
        "score": _look_up(inside, of_cell, scored["lift_low"]),
    }


def _keys(*columns: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Join columns into one key; null where one of them is."""
    joined = pc.binary_join_element_wise(*columns, "\x1f")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def _look_up(wanted: pa.Array, keys: pa.Array, values: pa.ChunkedArray) -> Floats:
    found = pc.take(values.combine_chunks(), pc.index_in(wanted, keys, skip_nulls=True))
    known = pc.fill_null(found.cast(pa.float64()), -1.0)
    return np.asarray(known.to_numpy(zero_copy_only=False), np.float64)
