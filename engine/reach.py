"""Reach: how many distinct people a source could be heard by, and how many were exposed to it.

*Potential* are the distinct followers of its accounts. *Exposed* are distinct people who were
shown a content of it: by impressions, else because they follow somebody who posted it, else,
as a lower bound, because they were seen to do something with it (`engine.shown`). Exposure
events, which scores divide by, count a person as often as they were exposed; reach counts them
once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.audiences import Pairs, Sources, sources_of
from engine.csr import Floats, Longs
from engine.distances import Distances, Separation, distances
from engine.params import SourceKind
from engine.partition import Partitions
from engine.progress import Progress, silent
from engine.results import empty, table
from engine.shares import FirstShares, first_shares
from engine.shown import (
    BASES,
    P_ALL,
    Counts,
    Followed,
    Places,
    by_impressions,
    engaged,
    impressed,
)
from engine.sketch import within
from engine.snapshot import Snapshot
from engine.sources import SourceEvents

__all__ = ["MOST_CELLS", "WALKED", "Reached", "method_name", "reach"]

WALKED: Final = 4_000_000_000
"""Followers of posters walked one by one for a kind of source; beyond, people are estimated."""

MOST_CELLS: Final = 1_000_000
"""Rows of a kind of source in communities; sources shared least are left out beyond."""

Note = tuple[str, str, float | None]
"""Topic, sentence and, where there is one, the figure in it."""

_IMPRESSIONS, _FOLLOWS, _INTERACTION = range(3)


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """The table `reach`, what is to be said of it, and what influence needs of it."""

    table: pa.Table
    followed: Mapping[SourceKind, Longs]
    """Distinct people who follow a poster of each source, where all of them are exact; in the
    order of `engine.audiences.sources_of`."""
    notes: tuple[Note, ...]


def reach(
    snapshot: Snapshot,
    partitions: Partitions,
    events_by_kind: Mapping[SourceKind, SourceEvents],
    shares: FirstShares | None = None,
    progress: Progress = silent,
    *,
    walked: int = WALKED,
    most_cells: int = MOST_CELLS,
) -> Reached:
    """Count the people each source with a share reaches, in all and in each scored community.

    Parameters
    ----------
    events_by_kind
        The shares that count, by kind.
    walked
        Followers walked one by one; beyond, by HyperLogLog with a 90 % interval.
    most_cells
        Rows in communities for one kind of source.

    Notes
    -----
    O(followers of all posters). A row in a community exists where somebody there is exposed.
    `conversion` is the part of the exposed who shared. The notes say what is left out.

    Examples
    --------
    b and c follow a, and b passes its post on to d:

    >>> from engine.assemble import assemble
    >>> from engine.sources import events
    >>> s = assemble({
    ...     "content": pa.table({"content_id": ["x:1"], "author_id": ["x:a"]}),
    ...     "shares": pa.table({"user_id": ["x:b"], "content_id": ["x:1"]}),
    ...     "follows": pa.table({"follower_id": ["x:b", "x:c", "x:d"],
    ...                          "followee_id": ["x:a", "x:a", "x:b"]})})
    >>> none = Partitions(np.full(4, -1, np.int32), np.zeros((0, 4), np.int32), np.zeros(4),
    ...                   np.zeros(0, np.bool_), 1.0)
    >>> found = reach(s, none, {"user": events(s, "user")}).table
    >>> found.select(["potential_count", "exposed_count", "mean_distance"]).to_pylist()
    [{'potential_count': 2, 'exposed_count': 3, 'mean_distance': 1.3333333333333333}]
    """
    shares = first_shares(snapshot) if shares is None else shares
    kinds = sorted(events_by_kind)
    described = [sources_of(snapshot, kind, events_by_kind[kind]) for kind in kinds]
    places = _places(partitions)
    has_follows = len(snapshot.follows.follower) > 0
    followed = Followed(snapshot, places, walked) if has_follows else None
    exact: dict[SourceKind, Longs] = {}
    parts, notes = list[tuple[_Found, Longs]](), list[Note]()
    for kind, sources in zip(kinds, described, strict=True):
        progress(f"reach of {kind} sources")
        found = _kind(snapshot, sources, places, shares, followed)
        if found.followed is not None and not found.estimated.any():
            exact[kind] = found.followed
        cells, left_out = _cells(found, most_cells)
        parts.append((found, cells))
        notes += _said(found, left_out, most_cells)
    far: Sequence[Distances | None] = [None] * len(kinds)
    if followed is not None and kinds:
        progress("distances along follows")
        far, apart = distances(followed.heard, [sources.accounts for sources in described])
        notes += _said_apart(apart)
    tables = [
        _table(partitions, places, found, cells=cells, far=steps)
        for (found, cells), steps in zip(parts, far, strict=True)
    ]
    whole = pa.concat_tables(tables).combine_chunks() if tables else empty("reach")
    return Reached(whole, exact, tuple(notes))


def method_name(precision: int | None = None) -> str:
    """Name how people were counted.

    Examples
    --------
    >>> method_name(), method_name(10)
    ('exact', 'hyperloglog(p=10)')
    """
    return "exact" if precision is None else f"hyperloglog(p={precision})"


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What is known of the people all sources of a kind reach."""

    sources: Sources
    potential: Counts | None
    exposed: Counts
    passed: Counts
    basis: npt.NDArray[np.int8]
    estimated: npt.NDArray[np.bool_]
    partial: npt.NDArray[np.bool_]
    """Impressions tell of some of the source's contents only."""
    followed: Longs | None


def _places(partitions: Partitions) -> Places:
    """Give numbers to the scored communities, in the order of labels."""
    number = np.cumsum(partitions.scored) - 1
    number = np.append(np.where(partitions.scored, number, -1), -1)
    return Places(number[partitions.reference].astype(np.int32), int(partitions.scored.sum()))


def _kind(
    snapshot: Snapshot,
    sources: Sources,
    places: Places,
    shares: FirstShares,
    followed: Followed | None,
) -> _Found:
    n, users = len(sources), len(snapshot.users)
    sharers = Pairs.of(sources.at[sources.events.source], sources.events.user, n, users)
    shown, known = impressed(snapshot, sources)
    on_impressions = by_impressions(known)
    if followed is None:
        exposed, estimated = Counts.of(engaged(snapshot, sources), places), np.zeros(n, np.bool_)
        passed, potential, basis = exposed, None, np.full(n, _INTERACTION, np.int8)
    else:
        potential = followed.potential(sources)
        exposed, passed, estimated = followed.exposed(sources, shares, sharers)
        basis = np.full(n, _FOLLOWS, np.int8)
    counted = exposed.everywhere if followed is not None else None
    if on_impressions.any():
        both = np.isin(_keys(shown, users), _keys(sharers, users))
        told = Pairs.of(shown.source[both], shown.thing[both], n, users)
        exposed = Counts.of(shown, places).where(on_impressions, exposed)
        passed = Counts.of(told, places).where(on_impressions, passed)
        basis[on_impressions] = _IMPRESSIONS
    return _Found(
        sources,
        potential,
        exposed,
        passed,
        basis,
        estimated & ~on_impressions,
        on_impressions & (known < 1),
        counted,
    )


def _keys(pairs: Pairs, users: int) -> Longs:
    return pairs.source * users + pairs.thing


def _cells(found: _Found, most: int) -> tuple[Longs, int]:
    """Return the keys of the rows in communities, and how many sources have none for want of room.

    Sources shared most come first; of those shared alike, all are in or all are out.
    """
    sources = found.sources
    shares = sources.spread(
        np.bincount(sources.events.source, minlength=len(sources.events.source_id))
    )
    exposed = found.exposed
    shared = shares[exposed.source]
    key, shared = exposed.key[shared > 0], shared[shared > 0]
    if len(key) <= most:
        return key, 0
    least = np.sort(shared)[len(shared) - most - 1] + 1
    dropped = np.unique(key[shared < least] // exposed.communities)
    return key[shared >= least], len(dropped)


def _table(
    partitions: Partitions, places: Places, found: _Found, *, cells: Longs, far: Distances | None
) -> pa.Table:
    sources = found.sources
    whole = sources.at.astype(np.int64)
    source = np.concatenate((whole, cells // found.exposed.communities))
    place = np.concatenate((np.full(len(whole), -1), cells % found.exposed.communities))
    inside = place >= 0
    key = np.where(inside, source * found.exposed.communities + place, 0)

    def of(counts: Counts) -> Longs:
        return np.where(inside, counts.at(key), counts.everywhere[source])

    exposed, passed = of(found.exposed), of(found.passed)
    members = np.append(
        np.bincount(places.label[places.label >= 0], minlength=places.count), len(places.label)
    )[place]
    basis, estimated = found.basis[source], found.estimated[source]
    bound = basis == _INTERACTION
    low, high = within(exposed.astype(np.float64), P_ALL)
    low = np.where(estimated, low, exposed)
    high = np.where(estimated, np.minimum(high, members), exposed)
    exposed = np.minimum(exposed, members)
    columns: dict[str, Any] = {
        "source_kind": pa.repeat(sources.kind, len(source)),
        "source_id": sources.source_id.take(pa.array(source)),
        "community_id": _community_ids(partitions).take(pa.array(place, mask=~inside)),
        **_potential(found, of(found.potential) if found.potential else None, source),
        "exposed_count": exposed,
        "exposed_low": low,
        "exposed_high": pa.array(high, mask=bound),
        "penetration": exposed / np.maximum(members, 1),
        "conversion": _conversion(passed, exposed, bound),
        "method": pc.if_else(pa.array(estimated), method_name(P_ALL), method_name()),
        "basis": pc.take(pa.array(BASES), pa.array(basis)),
        "flags": _flags(found, source),
    }
    if far is not None:
        columns |= {
            "mean_distance": np.where(inside, np.nan, far.mean[source]),
            "within_six_share": np.where(inside, np.nan, far.within_six[source]),
        }
    return table("reach", columns)


def _community_ids(partitions: Partitions) -> pa.StringArray:
    return partitions.community_ids.filter(pa.array(partitions.scored))


def _potential(found: _Found, counted: Longs | None, source: Longs) -> dict[str, pa.Array]:
    """Fill the columns of potential reach: exact, or null without follows or accounts."""
    names = ("potential_count", "potential_low", "potential_high")
    if counted is None:
        return dict.fromkeys(names, pa.nulls(len(source), pa.int64()))
    owns_none = found.sources.accounts.count[source] == 0
    return dict.fromkeys(names, pa.array(counted, mask=owns_none))


def _conversion(passed: Longs, exposed: Longs, bound: npt.NDArray[np.bool_]) -> Floats:
    """Return the part of the exposed who shared; NaN where nobody is, or not all are known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.minimum(passed / exposed, 1.0)
    return np.where(bound | (exposed == 0), np.nan, part)


def _flags(found: _Found, source: Longs) -> list[list[str]]:
    conditions = {
        "lower_bound": found.basis == _INTERACTION,
        "estimated": found.estimated,
        "partial_impressions": found.partial,
        "no_accounts": found.sources.accounts.count == 0,
    }
    words = np.array(list(conditions), dtype=object)
    rows = np.stack(list(conditions.values()), axis=1)
    kinds, which = np.unique(rows, axis=0, return_inverse=True)
    lists = [words[row].tolist() for row in kinds]
    return [lists[i] for i in which.ravel()[source].tolist()]


def _said(found: _Found, left_out: int, most: int) -> list[Note]:
    sources, said = found.sources, list[Note]()
    kind = sources.kind
    rough = int(found.estimated[sources.at].sum())
    if rough:
        text = (
            f"{kind}: the people that {rough:,} sources reach are estimated by "
            f"{method_name(P_ALL)}, with 90 % intervals."
        )
        said.append(("reach", text, rough))
    if left_out:
        text = (
            f"{kind}: reach in single communities is left out of {left_out:,} sources that are "
            f"shared least (the table holds {most:,} rows of a kind); kindred reach SOURCE "
            "--community C counts it."
        )
        said.append(("reach", text, left_out))
    if len(sources.at) and (found.basis[sources.at] == _INTERACTION).all():
        text = (
            f"{kind}: these data say neither who follows whom nor who was shown what. Reach is "
            "the people seen to do something with a source: a lower bound."
        )
        said.append(("reach", text, None))
    return said


def _said_apart(apart: Separation) -> list[Note]:
    if not np.isfinite(apart.mean):
        return []
    spans = ("", "")
    if apart.precision is not None:
        spans = (
            f" [{apart.mean_low:.2f}, {apart.mean_high:.2f}]",
            f" [{apart.diameter_low:.2f}, {apart.diameter_high:.2f}]",
        )
    text = (
        f"Along follows, people who can be reached are {apart.mean:.2f}{spans[0]} steps away on "
        f"average, and 90 % within {apart.diameter:.2f}{spans[1]}."
    )
    return [("reach", text, apart.mean)]
