"""Authority: PageRank of users on who turns to whom, overall and inside each community.

An edge leads from who acts to whose content or person it is: authority flows to those whom
people with authority pass on. Inside a community the walk restarts at its members, so that
the figure says who counts *there*; followers play no part.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.acts import acts
from engine.algorithms import Algorithms, Local
from engine.csr import Csr, Floats, Ints, Longs
from engine.partition import UNASSIGNED, Partitions
from engine.percentile import mid_rank
from engine.progress import Progress, silent
from engine.results import empty, table
from engine.shares import FirstShares
from engine.snapshot import Snapshot

__all__ = ["authority", "interaction_graph", "recent"]

_DAMPING: Final = 0.85
_TOLERANCE: Final = 1e-12
"""A thousandth of what decides a rank, so that users who stand alike get one rank."""
_DIGITS: Final = 9
"""Decimals of n times PageRank that decide a rank: beyond them is rounding, not authority."""


def interaction_graph(snapshot: Snapshot, shares: FirstShares | None = None) -> Csr:
    """Return the directed graph of who turned to whom. O(events).

    Edges are the acts of `engine.acts`, summed up; nothing decays with time.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from engine.assemble import assemble
    >>> s = assemble({"interactions": pa.table({
    ...     "user_id": ["x:a", "x:b"], "target_id": ["x:b", "x:c"], "kind": ["share", "reply"],
    ...     "weight": [3.0, 2.0]})})
    >>> g = interaction_graph(s)
    >>> g.indices.tolist(), g.weights.round(1).tolist()
    ([1, 2], [3.0, 1.4])
    """
    found = acts(snapshot, shares)
    return Csr.directed(found.user, found.target, found.weight, len(snapshot.users))


def authority(
    snapshot: Snapshot,
    partitions: Partitions,
    progress: Progress = silent,
    shares: FirstShares | None = None,
    *,
    algorithms: Algorithms | None = None,
) -> pa.Table:
    """Return the declared table `authority`. O(edges) a sweep, for every eight communities.

    `algorithms` says who runs PageRank; by default kindred's own kernels.

    All users stand in it once overall (`community_id` null), and the members of each scored
    community once more with the PageRank that restarts uniformly at them. Equal figures share
    the better rank. The figures are an index: without an interval.

    References
    ----------
    Brin, Page (1998); Haveliwala (2002) for the restart.

    Examples
    --------
    b and c turn to a, and a to nobody:

    >>> import numpy as np, pyarrow as pa
    >>> from engine.assemble import assemble
    >>> s = assemble({"interactions": pa.table({
    ...     "user_id": ["x:b", "x:c"], "target_id": ["x:a", "x:a"], "kind": ["share", "share"]})})
    >>> none = Partitions(np.full(3, -1, np.int32), np.zeros((0, 3), np.int32), np.zeros(3),
    ...                   np.zeros(0, np.bool_), 1.0)
    >>> found = authority(s, none)
    >>> found["rank"].to_pylist(), [round(a, 3) for a in found["authority"].to_pylist()]
    ([1, 2, 2], [0.574, 0.213, 0.213])
    """
    graph = interaction_graph(snapshot, shares)
    n = graph.n
    if n == 0:
        return empty("authority")
    progress("authority", 0, 1)
    # The last place is for users in no community, whose label is -1.
    label = np.where(
        np.append(partitions.scored, False)[partitions.reference], partitions.reference, -1
    )
    # Labels go by falling size: those of the few scored communities are the first ones.
    who = algorithms or Local()
    mass, inside = who.pagerank(graph, label.astype(np.int32), _DAMPING, _TOLERANCE)
    parts = [_rows(np.arange(n, dtype=np.int32), mass, -1)]
    by_label = np.argsort(label, kind="stable").astype(np.int32)
    bounds = np.searchsorted(label[by_label], np.arange(partitions.k + 1))
    for community in np.flatnonzero(partitions.scored):
        members = by_label[bounds[community] : bounds[community + 1]]
        parts.append(_rows(members, inside[members], int(community)))
    progress("authority", 1, 1)
    return _table(snapshot, partitions, parts)


def recent(
    snapshot: Snapshot,
    shares: FirstShares | None = None,
    *,
    algorithms: Algorithms | None = None,
) -> Floats | None:
    """Return the PageRank of each user on acts that lose half their weight every 30 days.

    O(events + edges a sweep). As overall `authority`, with weights as of the latest act; acts
    without a time are left out. None where no act has one.

    Examples
    --------
    b turned to a today, and to c 60 days ago:

    >>> import pyarrow as pa
    >>> from datetime import datetime
    >>> from engine.assemble import assemble
    >>> s = assemble({"interactions": pa.table({
    ...     "user_id": ["x:b", "x:b"], "target_id": ["x:a", "x:c"], "kind": ["share", "share"],
    ...     "at": [datetime(2024, 5, 1), datetime(2024, 3, 2)]})})
    >>> recent(s).round(3).tolist()
    [0.436, 0.26, 0.304]
    """
    timed = acts(snapshot, shares).timed()
    if not len(timed.at):
        return None
    n = len(snapshot.users)
    graph = Csr.directed(timed.user, timed.target, timed.decayed(), n)
    nowhere = np.full(n, UNASSIGNED, np.int32)
    mass, _ = (algorithms or Local()).pagerank(graph, nowhere, _DAMPING, _TOLERANCE)
    return mass


_Part = tuple[Ints, Longs, Floats, Floats, Longs]


def _rows(members: Ints, mass: Floats, label: int) -> _Part:
    compared = np.round(mass * len(members), _DIGITS)
    above = len(members) - np.searchsorted(np.sort(compared), compared, side="right")
    labels = np.full(len(members), label, np.int64)
    return members, labels, mass, mid_rank(compared), above + 1


def _table(snapshot: Snapshot, partitions: Partitions, parts: list[_Part]) -> pa.Table:
    user, label, mass, percentile, rank = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    options = f"(damping={_DAMPING}, tolerance={_TOLERANCE})"
    methods = pa.array([f"pagerank{options}", f"personalised_pagerank{options}"])
    return table(
        "authority",
        {
            "user_id": pc.take(snapshot.users.user_id, pa.array(user)),
            "community_id": pc.take(partitions.community_ids, pa.array(label, mask=label < 0)),
            "authority": mass,
            "percentile": percentile,
            "rank": rank,
            "method": pc.take(methods, pa.array((label >= 0).astype(np.int64))),
        },
    )
