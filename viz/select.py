"""What to draw, and how much of it: bounded, with a sentence on what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from engine.csr import Csr, Floats, Ints
from viz.site import Row, Site

__all__ = [
    "COMMUNITIES",
    "MEMBERS",
    "SHARES",
    "SOURCES",
    "TIES",
    "CascadePick",
    "MapPick",
    "MemberPick",
    "cascade",
    "map_of_communities",
    "members",
    "names",
]

COMMUNITIES: Final = 60
LINKS_EACH: Final = 6
FEW: Final = 6
MEMBERS: Final = 300
TIES: Final = 1_500
SHARES: Final = 500
SOURCES: Final = 1_500


@dataclass(frozen=True, eq=False)
class MapPick:
    """Communities and the links between them; `graph` numbers them as `communities` stand."""

    communities: Sequence[Row]
    links: Sequence[tuple[int, int, Row]]
    graph: Csr
    left_out: str


@dataclass(frozen=True, eq=False)
class MemberPick:
    """Members of a community by what matters, and the ties among them.

    `matter` is authority or, where that is the same for all (`flat`), tie weight.
    """

    members: Sequence[Row]
    ties: Sequence[tuple[int, int, float]]
    graph: Csr
    matter: Floats
    flat: bool
    left_out: str


@dataclass(frozen=True, eq=False)
class CascadePick:
    """A cascade: who shared, parents before children, the author first.

    `edges` are all of its shares, `shares` those drawn. `parent` numbers the author 0 and the
    shares drawn from 1; it is -1 for the author and -2 where it is unknown.
    """

    cascade: Row
    edges: pa.Table
    shares: Sequence[Row]
    parent: Ints
    left_out: str

    @property
    def is_tree(self) -> bool:
        """Whether most shares have a known parent, so that depth can be drawn."""
        unknown = int((self.parent == -2).sum())
        return len(self.parent) > 1 and unknown * 2 < len(self.parent)

    def is_inferred(self, i: int) -> bool:
        """Whether the parent of drawn share i (from 1) is not given by the data."""
        method = self.shares[i - 1]["parent_method"]
        # Runs of earlier versions call the author *root* where the data give the author.
        fallback = method == "root" and "root_fallback" in self.cascade["flags"]
        return fallback or method in {"follows", "interaction"}


def _plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def map_of_communities(site: Site) -> MapPick:
    """Pick the largest communities, and for each the links that carry most weight."""
    # Communities too small to be scored are drawn only where hardly anything else is there.
    large = site.described
    drawn = (large if len(large) >= FEW else site.communities)[:COMMUNITIES]
    place = {row["community_id"]: i for i, row in enumerate(drawn)}
    rows = (
        site.rows("links", where={"community_id": list(place), "other_id": list(place)})
        if place
        else []
    )
    between = [
        (place[r["community_id"]], place[r["other_id"]], r)
        for r in rows
        if r["community_id"] != r["other_id"]
    ]
    between.sort(key=lambda link: (-link[2]["weight"], link[0], link[1]))
    once: dict[tuple[int, int], tuple[int, int, Row]] = {}
    for u, v, row in between:
        once.setdefault((min(u, v), max(u, v)), (u, v, row))
    used = [0] * len(drawn)
    kept = []
    for u, v, row in once.values():
        if min(used[u], used[v]) < LINKS_EACH:
            kept.append((u, v, row))
            used[u] += 1
            used[v] += 1
    ends = np.array(list(once), np.int32).reshape(-1, 2)
    # Lift rather than weight decides what lies together: large communities tie with all.
    pull = np.array([r["lift"] or 0.0 for _, _, r in once.values()])
    hidden = len(site.communities) - len(drawn)
    shown = {row["community_id"] for row in drawn}
    people = sum(r["member_count"] for r in site.communities if r["community_id"] not in shown)
    parts = []
    if hidden:
        parts.append(
            f"{_plural(hidden, 'smaller community', 'smaller communities')} "
            f"with {_plural(people, 'member')}"
        )
    if len(once) > len(kept):
        parts.append(f"{_plural(len(once) - len(kept), 'weaker link')} between those drawn")
    return MapPick(
        drawn,
        kept,
        Csr.undirected(ends[:, 0], ends[:, 1], np.maximum(pull, 1e-3), len(drawn)),
        _left_out(parts),
    )


def members(site: Site, community_id: str, *, most: int = MEMBERS) -> MemberPick:
    """Pick the members with the most authority inside, and the strongest ties among them.

    Where authority is the same for all (nobody engages with anyone, as in co-shares), the
    members with the strongest ties stand in.
    """
    total = int(site.community(community_id)["member_count"])
    where = {"community_id": community_id}
    drawn = site.rows("authority", where, ("rank", "user_id"), limit=most)
    rows = site.rows("ties", where, ("-weight", "user_id", "other_id"), limit=4 * TIES)
    cut = len(rows) == 4 * TIES
    flat = len(drawn) > 1 and drawn[0]["authority"] == drawn[-1]["authority"]
    if flat and rows:
        strength: dict[str, float] = {}
        for row in rows:
            for user in (row["user_id"], row["other_id"]):
                strength[user] = strength.get(user, 0.0) + row["weight"]
        order = sorted(strength, key=lambda user: (-strength[user], user))[:most]
        drawn = [{"user_id": user, "rank": None} for user in order]
        matter = np.array([strength[user] for user in order])
    else:
        matter = np.array([row["authority"] for row in drawn], np.float64)
    here = {row["user_id"] for row in drawn}
    rows = [r for r in rows if r["user_id"] in here and r["other_id"] in here]
    tied = {user for r in rows for user in (r["user_id"], r["other_id"])}
    if len(tied) >= FEW:
        # Without a tie there is no place to draw a member at.
        kept = [i for i, row in enumerate(drawn) if row["user_id"] in tied]
        drawn, matter = [drawn[i] for i in kept], matter[kept]
    place = {row["user_id"]: i for i, row in enumerate(drawn)}
    once: dict[tuple[int, int], float] = {}
    for row in rows:
        u, v = place[row["user_id"]], place[row["other_id"]]
        if u != v:
            once.setdefault((min(u, v), max(u, v)), float(row["weight"]))
    ties = [(u, v, w) for (u, v), w in once.items()][:TIES]
    parts = []
    if total > len(drawn):
        less = "tie weight" if flat else "authority"
        parts.append(f"{_plural(total - len(drawn), 'member')} of less {less} or without a tie")
    if len(once) > len(ties) or cut:
        parts.append(f"all but the {_plural(len(ties), 'strongest tie')}")
    elif drawn:
        parts.append("ties of weaker or less central members")
    ends = np.array([tie[:2] for tie in ties], np.int32).reshape(-1, 2)
    weight = np.array([tie[2] for tie in ties])
    graph = Csr.undirected(ends[:, 0], ends[:, 1], weight, len(drawn))
    return MemberPick(drawn, ties, graph, matter, flat, _left_out(parts))


def cascade(site: Site, row: Row) -> CascadePick:
    """Pick the shares with the most shares below them, so that every branch is whole upwards.

    O(shares of the content); at most `SHARES` are kept.
    """
    found = site.backend.read(
        "cascade_edges", run_id=site.run.run_id, where={"content_id": row["content_id"]}
    )
    parent, depth = _parents(found, row["author_id"])
    below = _below(parent, depth)
    n = len(parent)
    # A parent has more below it than its child, so any head of this order is closed upwards.
    known = parent[1:] != -2
    order = np.lexsort((np.arange(1, n), depth[1:], -below[1:], ~known)) + 1
    kept = np.sort(np.concatenate(([0], order[:SHARES])))
    kept = kept[np.lexsort((kept, depth[kept]))]
    new = np.full(n, -2, np.int32)
    new[kept] = np.arange(len(kept), dtype=np.int32)
    moved = np.where(parent[kept] >= 0, new[np.maximum(parent[kept], 0)], parent[kept])
    chosen = found.take(pa.array(kept[kept > 0] - 1))
    # Parents before children: the author stands first, then by depth and time.
    shares: list[Row] = chosen.to_pylist()
    parts = (
        [_plural(n - len(kept), "share") + " with the least below them"] if n > len(kept) else []
    )
    if row["missing_parent_count"]:
        parts.append(
            _plural(int(row["missing_parent_count"]), "parent")
            + " that the data name but do not hold"
        )
    return CascadePick(row, found, shares, moved.astype(np.int32), _left_out(parts))


def _parents(edges: pa.Table, author: str | None) -> tuple[Ints, Ints]:
    """Give the author number 0 and shares 1..n; return parents (-1 root, -2 unknown) and depths.

    A parent counts as known where it stands exactly one step above, so there are no loops.
    """
    n = edges.num_rows
    number = {user: i for i, user in enumerate(edges["user_id"].to_pylist(), start=1)}
    if author is not None:
        number[author] = 0
    depth = np.concatenate(([0], edges["depth"].fill_null(-1).to_numpy())).astype(np.int32)
    straight = np.array([m == "root" for m in edges["parent_method"].to_pylist()], bool)
    given = [number.get(user, -2) for user in edges["parent_user_id"].to_pylist()]
    parent = np.concatenate(([-1], np.where(straight, 0, given))).astype(np.int32)
    above = depth[np.maximum(parent, 0)]
    unknown = (depth < 0) | (parent < 0) | (depth != above + 1)
    unknown[0] = False
    parent[unknown] = -2
    depth[unknown] = n + 1
    return parent, depth


def _below(parent: Ints, depth: Ints) -> Ints:
    """Count the shares below each share."""
    below = np.zeros(len(parent), np.int32)
    for level in range(int(depth[parent != -2].max()), 0, -1):
        at = np.flatnonzero((depth == level) & (parent >= 0))
        np.add.at(below, parent[at], below[at] + 1)
    return below


def names(site: Site, user_ids: Sequence[str]) -> dict[str, Row]:
    """Return users by id, each with `shown`: name, else handle, else id."""
    wanted = sorted(set(user_ids))
    rows: list[Row] = site.backend.users(wanted).to_pylist() if wanted else []
    known: dict[str, Row] = {
        r["user_id"]: {**r, "shown": r["name"] or r["handle"] or r["user_id"]} for r in rows
    }
    blank = {"platform": None, "handle": None, "followers_count": None, "labels": None}
    return {u: known.get(u) or {**blank, "user_id": u, "shown": u} for u in wanted}


def _left_out(parts: Sequence[str]) -> str:
    if not parts:
        return "Nothing was left out."
    return "Left out: " + "; ".join(parts) + "."
