"""Where two runs put the same users: how far they agree, and which community is which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.agreement import adjusted_rand, mutual_information
from engine.comparison import OTHER, PARTS, flat, numbered
from engine.csr import Longs

__all__ = ["Places", "communities"]


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where the two runs put the users that both place.

    `first` and `second` index `ids` and `other_ids`, the communities of each run.
    """

    ids: list[str]
    other_ids: list[str]
    first: Longs
    second: Longs
    only_first: int
    only_second: int

    @classmethod
    def of(cls, mine: pa.Table, theirs: pa.Table) -> Places:
        """Read two tables `memberships`, the reference partition only. O(users log users)."""
        at = pc.index_in(flat(mine["user_id"]), flat(theirs["user_id"]))
        found = np.asarray(at.is_valid())
        a = flat(mine["community_id"]).dictionary_encode()
        b = flat(theirs["community_id"]).dictionary_encode()
        common = int(found.sum())
        return cls(
            a.dictionary.to_pylist(),
            b.dictionary.to_pylist(),
            a.indices.to_numpy()[found].astype(np.int64),
            b.indices.to_numpy()[at.drop_null().to_numpy()].astype(np.int64),
            mine.num_rows - common,
            theirs.num_rows - common,
        )

    def agreement(self) -> tuple[float, float]:
        """Return mutual information and adjusted Rand index."""
        if not len(self.first):
            return float("nan"), float("nan")
        return mutual_information(self.first, self.second), adjusted_rand(self.first, self.second)

    def overlaps(self) -> tuple[Longs, Longs, Longs]:
        """Return (community, other community, users in both), the most first."""
        width = max(len(self.other_ids), 1)
        cells, count = np.unique(self.first * width + self.second, return_counts=True)
        a, b = np.divmod(cells, width)
        order = np.lexsort((b, a, -count))
        return a[order], b[order], count[order].astype(np.int64)

    def matched(self) -> dict[str, str]:
        """Return the other run's community for each that has a match, one to one."""
        found: dict[str, str] = {}
        taken: set[str] = set()
        a, b, _ = self.overlaps()
        for i, j in zip(a.tolist(), b.tolist(), strict=True):
            mine, theirs = self.ids[i], self.other_ids[j]
            if mine not in found and theirs not in taken:
                found[mine] = theirs
                taken.add(theirs)
        return found


def communities(
    mine: pa.Table, theirs: pa.Table, places: Places, matched: Mapping[str, str]
) -> pa.Table:
    """Put two tables `communities` side by side: those that match, then those left over."""
    here_by, there_by = (
        {row["community_id"]: row for row in side.to_pylist()} for side in (mine, theirs)
    )
    a, b, count = places.overlaps()
    cells = zip(a.tolist(), b.tolist(), count.tolist(), strict=True)
    common = {(places.ids[i], places.other_ids[j]): n for i, j, n in cells}
    size = np.bincount(places.first, minlength=len(places.ids))
    other_size = np.bincount(places.second, minlength=len(places.other_ids))
    sizes = dict(zip(places.ids, size.tolist(), strict=True))
    other_sizes = dict(zip(places.other_ids, other_size.tolist(), strict=True))
    met = set(matched.values())
    pairs: list[tuple[str | None, str | None]] = [
        *((c, matched.get(c)) for c in here_by),
        *((None, c) for c in there_by if c not in met),
    ]
    rows = []
    for c, d in pairs:
        here, there = here_by.get(c or ""), there_by.get(d or "")
        n = common.get((c or "", d or ""), 0)
        either = sizes.get(c or "", 0) + other_sizes.get(d or "", 0) - n
        row: dict[str, Any] = {"common_count": n, "jaccard": n / either if either else None}
        for name in ("community_id", "label", "kind", "member_count", "verdict"):
            row[name] = here and here[name]
            row[f"{OTHER}{name}"] = there and there[name]
        rows.append(row)
    rows.sort(
        key=lambda row: (
            -row["common_count"],
            -(row["member_count"] or 0),
            -(row[f"{OTHER}member_count"] or 0),
            row["community_id"] or "",
            row[f"{OTHER}community_id"] or "",
        )
    )
    return numbered(PARTS["communities"], rows)
