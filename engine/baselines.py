"""What anybody could say instead of a score: counts, ratios and ranks, as forecasts.

Rivals that *claim* something (how many times more than by the margins) are taken at their
word. The others only order cells; to forecast with them, each is given the power that fits
the later shares best, which is more than they could know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.affinity import event_labels
from engine.authority import interaction_graph
from engine.csr import Floats, Ints, Longs
from engine.forecast import RAW_FLOOR, Claims, HeldCells
from engine.kernels.pagerank import pagerank
from engine.parallel import in_threads
from engine.snapshot import Snapshot
from engine.sources import SourceEvents
from engine.window import within

__all__ = ["RIVALS", "Accounts", "Rival", "accounts", "rivals"]

RIVALS: Final = {
    "score": "the score, cross-fitted",
    "margins": "margins alone",
    "raw": "O/E",
    "smoothed": "(O+.5)/(E+.5)",
    "dirichlet": "shares in C, Dirichlet-smoothed",
    "shares": "shares in C",
    "community_pagerank": "PageRank personalised to C",
    "pagerank": "PageRank",
    "followers": "followers",
    "h_index": "h-index",
}
"""Rivals by name, in the words of a table."""

_DAMPING: Final = 0.85
_TOLERANCE: Final = 1e-9
_UNSEEN: Final = 1e-3
"""Stands for a PageRank of zero, in units of the mean."""


@dataclass(frozen=True, slots=True, eq=False)
class Rival:
    """What a rival says of each cell: `log` float64[cells].

    With `claims` it is ln of how many times more than by the margins; without, ln of a
    figure that only orders cells.
    """

    log: Floats
    claims: bool


@dataclass(frozen=True, slots=True, eq=False)
class Accounts:
    """What is known of the accounts of sources before the moment; NaN where nothing is.

    `followers` and `pagerank` float64[sources], `inside` float64[sources, k].
    """

    followers: Floats
    pagerank: Floats
    inside: Floats


def accounts(snapshot: Snapshot, claims: Claims, reference: Ints, moment: int) -> Accounts | None:
    """Return audience and authority of each source; None where sources are no accounts.

    A brand has what its accounts have together. Authority goes by what was done before
    `moment`, and inside a community by a walk that restarts at its members (`reference`).
    One PageRank a scored community.
    """
    owners = _owners(snapshot, claims.train)
    if owners is None:
        return None
    source, user = owners
    graph = interaction_graph(within(snapshot, None, moment))
    count = len(claims.fold)
    kept = np.flatnonzero(claims.scored)

    def walk(community: int | None) -> Floats:
        """Sum up by source where a walk is found that restarts anywhere, or in a community."""
        start = None if community is None else (reference == community).astype(np.float64)
        mass = pagerank(graph, _DAMPING, start, _TOLERANCE)
        return np.bincount(source, mass[user], count).astype(np.float64)

    everywhere, *there = in_threads(walk, [None, *kept.tolist()])
    inside = np.zeros((count, len(claims.scored)))
    for community, mass in zip(kept.tolist(), there, strict=True):
        inside[:, community] = mass
    known = np.bincount(source, minlength=count) > 0
    audience = _audience(snapshot)[user]
    told = np.bincount(source, audience >= 0, count) > 0
    followers = np.bincount(source, np.maximum(audience, 0), count)
    return Accounts(
        np.where(told, followers, np.nan),
        np.where(known, everywhere, np.nan),
        np.where(known[:, None], inside, np.nan),
    )


def rivals(claims: Claims, cells: HeldCells, known: Accounts | None) -> Mapping[str, Rival]:
    """Return what each of `RIVALS` says of these cells, as far as the data tell.

    Parameters
    ----------
    claims
        The claims on the time before.
    cells
        The cells they are held to account in (`forecast.held_cells`).
    known
        Audience and authority of the sources, where they are accounts.
    """
    o, e = cells.observed, cells.expected
    ratio = np.where(e > 0, np.maximum(o / np.where(e > 0, e, 1.0), RAW_FLOOR), 1.0)
    found = {
        "score": Rival(np.log(cells.lift), claims=True),
        "margins": Rival(np.zeros(len(cells)), claims=True),
        "raw": Rival(np.log(ratio), claims=True),
        "smoothed": Rival(np.log((o + 0.5) / (e + 0.5)), claims=True),
        "dirichlet": Rival(_dirichlet(claims, cells), claims=True),
        "shares": Rival(np.log(o + 0.5), claims=False),
    }
    if (claims.train.content >= 0).any():
        found["h_index"] = Rival(np.log1p(_h_index(claims.train)[cells.source]), claims=False)
    if known is not None:
        n = claims.labels.shape[1]
        orders = {
            "community_pagerank": n * known.inside[cells.source, cells.community] + _UNSEEN,
            "pagerank": n * known.pagerank[cells.source] + _UNSEEN,
            "followers": known.followers[cells.source] + 1.0,
        }
        found |= {
            name: Rival(np.log(values), claims=False)
            for name, values in orders.items()
            if not np.isnan(values).any()
        }
    return {name: found[name] for name in RIVALS if name in found}


def _dirichlet(claims: Claims, cells: HeldCells) -> Floats:
    """Return ln of each community's part of a source's shares over its part of all shares.

    The part is drawn towards that of all shares by half a share a community.
    """
    label = event_labels(claims.train, claims.fold, claims.labels)
    inside = np.append(claims.scored, False)[label]
    k = len(claims.scored)
    of_all = np.bincount(label[inside], minlength=k) + 0.5
    of_all = of_all / of_all[claims.scored].sum()
    of_source = np.bincount(claims.train.source[inside], minlength=len(claims.fold))
    strength = 0.5 * int(claims.scored.sum())
    habit = of_all[cells.community]
    part = (cells.observed + strength * habit) / (of_source[cells.source] + strength)
    return np.asarray(np.log(part / habit))


def _h_index(train: SourceEvents) -> Longs:
    """Return the most contents h of each source that were shared by at least h."""
    named = train.content >= 0
    width = int(train.content.max(initial=0)) + 1
    key = train.source[named].astype(np.int64) * width + train.content[named]
    pairs, shares = np.unique(key, return_counts=True)
    source = pairs // width
    order = np.lexsort((-shares, source))
    source, shares = source[order], shares[order]
    rank = np.arange(len(source)) - np.searchsorted(source, source) + 1
    return np.bincount(source[shares >= rank], minlength=len(train.source_id)).astype(np.int64)


def _owners(snapshot: Snapshot, train: SourceEvents) -> tuple[npt.NDArray[np.intp], Ints] | None:
    """Return (source, account) rows of users or brands that own accounts."""
    ids = train.source_id
    if train.source_kind == "user":
        place = _index(snapshot.users.user_id.to_pylist())
        user = np.array([place[name] for name in ids.to_pylist()], np.int32)
        return np.arange(len(user)), user
    if train.source_kind != "brand" or len(snapshot.brands.account_user) == 0:
        return None
    place = _index(ids.to_pylist())
    at = np.array([place.get(name, -1) for name in snapshot.brands.brand_id.to_pylist()], np.intp)
    source = at[snapshot.brands.account_brand]
    return source[source >= 0], snapshot.brands.account_user[source >= 0]


def _index(names: list[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


def _audience(snapshot: Snapshot) -> Longs:
    """Return followers of each user: as counted, else as the platform said, -1 unknown."""
    if len(snapshot.follows.followee):
        count = np.bincount(snapshot.follows.followee, minlength=len(snapshot.users))
        return count.astype(np.int64)
    return snapshot.users.followers_count
