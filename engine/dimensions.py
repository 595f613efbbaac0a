"""Dimensions: what stands beside a score and is never mixed into it.

*Echo* is how much of a community's sharing of a source comes from within, *two-way* how many
of those who turn to it it turns to in its turn, *persistence* how many share it again a week
later, *breadth* how many effective sharers carry it. *Reinforcement* is said of a community
alone: whether it waits to see a thing twice. There is no sum of them: each has its own unit,
its own cases and its own reason to be unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.cells import effective
from engine.csr import Floats, Ints
from engine.echo import echo
from engine.groups import root_groups
from engine.params import AnalysisParams, SourceKind
from engine.parents import parents
from engine.partition import Partitions
from engine.persistence import OPPORTUNITY, persistence
from engine.placed import Placed, back, passes, place, span, towards
from engine.progress import Progress, silent
from engine.reinforcement import reinforcement
from engine.results import table
from engine.shares import FirstShares, first_shares
from engine.shrink import Rates, Trials, rates
from engine.snapshot import NO_TIME, Snapshot
from engine.sources import SourceEvents
from engine.two_way import two_way

__all__ = ["DIMENSIONS", "dimensions", "too_short"]

DIMENSIONS: Final = ("echo", "two_way", "persistence", "breadth")
"""What is said of a source; `reinforcement` is said of communities."""

_DAY: Final = 24 * 3_600 * 1_000_000


def dimensions(
    snapshot: Snapshot,
    partitions: Partitions,
    params: AnalysisParams,
    events_by_kind: Mapping[SourceKind, SourceEvents],
    progress: Progress = silent,
    *,
    shares: FirstShares | None = None,
    whom: Ints | None = None,
) -> pa.Table:
    """Return the declared table `dimensions`.

    A row for every source with a share, over everyone (`community_id` null), whose reason
    says why where there is no value; and one for every scored community in which there is a
    case at all. Of communities one row for reinforcement.

    Parameters
    ----------
    snapshot, partitions, params
        The data, the communities (sources are looked at on their folds) and the seed of those.
    events_by_kind
        The shares that count, by kind of source.
    progress
        Told of each kind.
    shares, whom
        What `first_shares(snapshot)` returned, and from whom each of those came, -1 where
        neither the data nor follows tell (`engine.parents`); where a caller has them already.

    Notes
    -----
    O(shares log shares + follows of sharers + followers of posters).
    """
    counted = first_shares(snapshot) if shares is None else shares
    groups = root_groups(snapshot)
    over = parents(snapshot, counted).whom if whom is None else whom
    rows = []
    for number, (kind, events) in enumerate(events_by_kind.items()):
        progress(f"dimensions: {kind}", number, len(events_by_kind))
        placed = place(snapshot, partitions, params, events, groups)
        rows += list(_of_kind(snapshot, placed, counted, over))
    rows.append(_reinforced(snapshot, partitions, counted))
    return table(
        "dimensions", {name: pa.concat_arrays([r[name] for r in rows]) for name in rows[0]}
    )


def too_short(ends: tuple[int, int] | None) -> str | None:
    """Say why persistence cannot be told; None where the data go on for long enough."""
    if ends is None:
        return "no post or share has a time"
    days = (ends[1] - ends[0]) / _DAY
    if ends[1] - ends[0] >= OPPORTUNITY:
        return None
    return f"needs 14 days after a first share; the data span {days:.1f} days"


@dataclass(frozen=True, slots=True)
class _Told:
    """Cases of one dimension, and why a source may have none."""

    name: str
    trials: Trials | None
    reason: str


def _of_kind(
    snapshot: Snapshot, placed: Placed, shares: FirstShares, whom: Ints
) -> Iterator[dict[str, pa.Array]]:
    passed = passes(snapshot, placed, shares)
    ends = span(snapshot)
    short = too_short(ends)
    speaks = bool(placed.sources.accounts.count.any())
    acts, replies = towards(snapshot, placed, passed), back(snapshot, placed, shares)
    none = "nobody shared it who has a community and whose share's parent is known"
    if not (whom >= 0).any():
        none = "no share names whose share was passed on, and no follows tell"
    lasting = None
    if ends is not None and short is None:
        lasting = persistence(snapshot, placed, passed, shares, ends[1])
    for told in (
        _Told("echo", echo(placed, passed, whom), none),
        _Told(
            "two_way",
            two_way(placed, acts, replies) if speaks else None,
            "nobody turned to it at a known time" if speaks else "it owns no account",
        ),
        _Told("persistence", lasting, short or "nobody who shared it was shown it 7 days later"),
    ):
        yield _rows(placed, told)
    yield _breadth(placed)


def _rows(placed: Placed, told: _Told) -> dict[str, pa.Array]:
    """Return the rows of a dimension: of each cell, and a reason where a source has none."""
    empty = Trials(*(np.empty(0, np.int64),) * 2, np.empty(0, np.int32), np.empty(0, np.bool_))
    found = rates(empty if told.trials is None else told.trials, placed.scored)
    listed = np.asarray(placed.sources.at, np.int64)
    without = listed[~np.isin(listed, found.source)]
    return _columns(placed, told, found, without)


def _columns(
    placed: Placed, told: _Told, found: Rates, without: npt.NDArray[np.int64]
) -> dict[str, pa.Array]:
    n, blank = len(found.source), np.full(len(without), np.nan)
    nothing = np.zeros(len(without), np.int64)
    community = np.concatenate((found.community, np.full(len(without), -1)))
    return _as_rows(
        placed,
        told.name,
        np.concatenate((found.source, without)),
        community,
        {
            "value": np.concatenate((100.0 * found.value, blank)),
            "low": np.concatenate((100.0 * found.low, blank)),
            "high": np.concatenate((100.0 * found.high, blank)),
            "k": np.concatenate((found.k, nothing)).astype(np.float64),
            "n": np.concatenate((found.n, nothing)).astype(np.float64),
        },
        pa.array([None] * n + [told.reason] * len(without), pa.string()),
    )


def _breadth(placed: Placed) -> dict[str, pa.Array]:
    """Return effective sharers of each cell: an index of exact counts, without an interval."""
    events = placed.sources.events
    source = placed.sources.at[events.source].astype(np.int64)
    label = placed.label(source, events.user)
    inside = np.append(placed.scored, False)[label]
    width = len(placed.scored) + 1
    key = np.concatenate((source * width, source[inside] * width + label[inside] + 1))
    user = np.concatenate((events.user, events.user[inside]))
    cells, which = np.unique(key, return_inverse=True)
    blank = np.full(len(cells), np.nan)
    people = np.unique(which.astype(np.int64) * placed.users + user) // max(placed.users, 1)
    return _as_rows(
        placed,
        "breadth",
        cells // width,
        cells % width - 1,
        {
            "value": effective(which, user, len(cells)),
            "low": blank,
            "high": blank,
            "k": np.bincount(people, minlength=len(cells)).astype(np.float64),
            "n": np.bincount(which, minlength=len(cells)).astype(np.float64),
        },
        pa.nulls(len(cells), pa.string()),
    )


def _as_rows(  # noqa: PLR0917 - a row's key, its figures, and why there are none
    placed: Placed,
    name: str,
    source: npt.NDArray[Any],
    community: npt.NDArray[Any],
    figures: Mapping[str, Floats],
    reason: pa.Array,
) -> dict[str, pa.Array]:
    n = len(source)
    return {
        "source_kind": pa.array([placed.sources.kind] * n, pa.string()),
        "source_id": placed.sources.source_id.take(pa.array(source)).cast(pa.string()),
        "community_id": placed.names.take(pa.array(community, mask=community < 0)),
        "dimension": pa.array([name] * n, pa.string()),
        **{key: pa.array(v, mask=np.isnan(v)) for key, v in figures.items()},
        "reason": reason,
    }


def _reinforced(
    snapshot: Snapshot, partitions: Partitions, shares: FirstShares
) -> dict[str, pa.Array]:
    """Return the row of each scored community: an index of how sharing goes with seeing."""
    k, ids = partitions.k, partitions.community_ids
    found, reason = None, "nobody there shared after one exposure, or nobody after more"
    if len(snapshot.follows.follower) == 0:
        reason = "needs follows"
    elif not (shares.at != NO_TIME).any():
        reason = "no share has a time"
    else:
        found = reinforcement(snapshot, shares, partitions.reference, k)
        reason = reason if found is not None else "too many exposures to walk"
    rows = np.flatnonzero(partitions.scored)
    blank = np.full(k, np.nan)
    figures = dict.fromkeys(("value", "low", "high", "k", "n"), blank)
    if found is not None:
        figures = {name: np.asarray(getattr(found, name), np.float64) for name in figures}
    empty = np.isnan(figures["value"][rows])
    names = ids.take(pa.array(rows))
    return {
        "source_kind": pa.array(["community"] * len(rows), pa.string()),
        "source_id": names,
        "community_id": names,
        "dimension": pa.array(["reinforcement"] * len(rows), pa.string()),
        **{name: pa.array(v[rows], mask=np.isnan(v[rows])) for name, v in figures.items()},
        "reason": pa.array([reason if e else None for e in empty.tolist()], pa.string()),
    }
