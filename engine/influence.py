"""Influence: how loud a source is. Raw counts and a percentile, never mixed into a score.

A source here is all that may be passed on or talked about: every user who has content,
receives shares or attention or has followers, every brand, and the topics that are scored.
Shares are those of `engine.sources`; *attention* is distinct users who mention, reply to or
do something of unknown kind with the source; *reach* is distinct people who follow somebody
who posted the source's contents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.audiences import Pairs, Sources, followers, posters, sources_of, through
from engine.brokerage import brokerage
from engine.csr import Floats, Longs
from engine.kernels.audience import audience
from engine.model import INTERACTION_KINDS
from engine.params import SourceKind
from engine.partition import Partitions
from engine.percentile import mid_rank
from engine.results import table
from engine.shares import FirstShares, first_shares
from engine.snapshot import Snapshot
from engine.sources import SourceEvents, events

__all__ = ["REACH_STEPS", "influence", "percentiles"]

REACH_STEPS: Final = 4_000_000_000
"""Most follow edges walked for one kind of source; beyond it reach is null, not estimated."""

_ATTENTION: Final = tuple(INTERACTION_KINDS.index(kind) for kind in ("unknown", "reply", "mention"))
_PASSED_ON: Final = tuple(INTERACTION_KINDS.index(kind) for kind in ("share", "quote"))


def influence(
    snapshot: Snapshot,
    partitions: Partitions,
    events_by_kind: Mapping[SourceKind, SourceEvents],
    authority: pa.Table,
    shares: FirstShares | None = None,
    *,
    reached: Mapping[SourceKind, Longs] | None = None,
    recent: Floats | None = None,
) -> pa.Table:
    """Return the declared table `influence`. O(events + follows of all posters).

    Parameters
    ----------
    events_by_kind
        The shares that count, by kind. Users are described in any case, all brands where
        brands are asked for, and of topics those with an event.
    authority
        The table `authority`; its overall rows fill the column of that name, summed over the
        accounts of a brand.
    reached
        Distinct people who follow a poster, where `engine.reach` has counted them already: by
        kind, in the order of `engine.audiences.sources_of`.
    recent
        What `engine.authority.recent` returned; None leaves `authority_recent` null.

    Notes
    -----
    `influence` is the mid-rank percentile, among the sources of its kind that the table
    lists, of `log(1 + basis)`: of reach where the data have follows, else of shares where
    anything is shared, else of attention.

    Examples
    --------
    >>> from engine.assemble import assemble
    >>> s = assemble({"interactions": pa.table({
    ...     "user_id": ["x:b", "x:c", "x:a", "x:a"], "target_id": ["x:a", "x:a", "x:b", "x:a"],
    ...     "kind": ["unknown"] * 4})})
    >>> none = Partitions(np.full(3, -1, np.int32), np.zeros((0, 3), np.int32), np.zeros(3),
    ...                   np.zeros(0, np.bool_), 1.0)
    >>> from engine.results import empty
    >>> found = influence(s, none, {}, empty("authority"))
    >>> found.select(["source_id", "attention_count", "influence"]).to_pylist()
    [{'source_id': 'x:a', 'attention_count': 2, 'influence': 75.0},
     {'source_id': 'x:b', 'attention_count': 1, 'influence': 25.0}]
    """
    shares = first_shares(snapshot) if shares is None else shares
    chosen = dict(events_by_kind)
    if "user" not in chosen:
        chosen["user"] = events(snapshot, "user", shares)
    parts = [
        _described(
            snapshot,
            partitions,
            sources_of(snapshot, kind, chosen[kind]),
            authority,
            shares,
            reached=(reached or {}).get(kind),
            recent=recent,
        )
        for kind in sorted(chosen)
    ]
    return pa.concat_tables(parts).combine_chunks()


def percentiles(
    found: pa.Table, events_by_kind: Mapping[SourceKind, SourceEvents]
) -> dict[SourceKind, Floats]:
    """Return the influence percentile of each source of each kind, in the events' order."""
    aligned: dict[SourceKind, Floats] = {}
    for kind, shared in events_by_kind.items():
        rows = found.filter(pc.equal(found["source_kind"], kind))
        at = pc.index_in(shared.source_id, rows["source_id"].combine_chunks())
        values = pc.take(rows["influence"].combine_chunks(), at)
        aligned[kind] = np.asarray(values.to_numpy(zero_copy_only=False), np.float64)
    return aligned


def _described(
    snapshot: Snapshot,
    partitions: Partitions,
    sources: Sources,
    authority: pa.Table,
    shares: FirstShares,
    *,
    reached: Longs | None,
    recent: Floats | None,
) -> pa.Table:
    n, users = len(sources), len(snapshot.users)
    shared = sources.events
    share_count = sources.spread(np.bincount(shared.source, minlength=len(shared.source_id)))
    sharers = Pairs.of(sources.at[shared.source], shared.user, n, users)
    attention = _attention(snapshot, sources)
    followers = _followers(snapshot, sources)
    by_content = np.bincount(shares.content, minlength=len(snapshot.contents))
    reach = _reach(snapshot, sources, shares) if reached is None else reached
    basis, values = _basis(reach, share_count, attention.count)
    columns: dict[str, Any] = {
        "source_kind": pa.repeat(sources.kind, n),
        "source_id": sources.source_id,
        "label": sources.label,
        "platform": _platform(snapshot, sources),
        "followers_count": pa.array(followers, mask=followers < 0),
        "content_count": sources.contents.count,
        "share_count": share_count,
        "sharer_count": sharers.count,
        "repeat_count": sources.spread(shared.repeats),
        "h_index": _h_index(sources.contents, by_content),
        "attention_count": attention.count,
        "authority": _of_accounts(sources, _overall(snapshot, authority)),
        "authority_recent": _of_accounts(sources, recent),
        "reach_count": pa.nulls(n, pa.int64()) if reach is None else reach,
        "influence_basis": pa.repeat(basis, n),
    }
    if sources.kind == "user":
        columns |= _at_home(partitions, attention)
        columns["brokerage"] = brokerage(snapshot, partitions, shares)
    known = np.ones(n, np.bool_)
    if sources.kind == "user":
        known = (share_count + attention.count + sources.contents.count > 0) | (followers > 0)
    percentile = np.full(n, np.nan)
    percentile[known] = mid_rank(np.log1p(values[known]))
    columns["influence"] = percentile
    return table("influence", columns).filter(_sorted(sources.source_id, known))


def _sorted(ids: pa.StringArray, known: npt.NDArray[np.bool_]) -> pa.BooleanArray:
    """Return the mask in the order of ids, which is that of the table's rows."""
    return pc.take(pa.array(known), pc.array_sort_indices(ids))


def _attention(snapshot: Snapshot, sources: Sources) -> Pairs:
    """Return distinct (source, user) pairs of users who turned to a source, own accounts not."""
    n, users = len(sources), len(snapshot.users)
    owner = sources.accounts.reverse(users)
    carrier = sources.contents.reverse(len(snapshot.contents))
    acted = snapshot.interactions
    kept = np.isin(acted.kind, _ATTENTION)
    turned = [
        (snapshot.mentions.user, *through(owner, snapshot.mentions.target)),
        (acted.user[kept], *through(owner, acted.target[kept])),
        (snapshot.replies.user, *through(carrier, snapshot.replies.parent)),
    ]
    found = [(sources_of, who[row]) for who, row, sources_of in turned]
    if sources.kind == "brand":
        found.append((snapshot.brands.mention_brand.astype(np.int64), snapshot.brands.mention_user))
    source, user = (np.concatenate(column) for column in zip(*found, strict=True))
    own = np.isin(source * users + user, sources.accounts.source * users + sources.accounts.thing)
    return Pairs.of(source[~own], user[~own], n, users)


def _at_home(partitions: Partitions, attention: Pairs) -> dict[str, Any]:
    """Part a user's attention into that of the home community and that of the others."""
    home = partitions.reference
    there, here = home[attention.source], home[attention.thing]
    placed = (there >= 0) & (here >= 0)
    inside = np.bincount(attention.source[placed & (there == here)], minlength=len(home))
    across = np.bincount(attention.source[placed & (there != here)], minlength=len(home))
    return {
        "community_id": pc.take(partitions.community_ids, pa.array(home, mask=home < 0)),
        "attention_inside_count": pa.array(inside, mask=home < 0),
        "attention_across_count": pa.array(across, mask=home < 0),
    }


def _overall(snapshot: Snapshot, authority: pa.Table) -> Floats:
    """Return each user's PageRank over everybody, from the table; NaN where it has none."""
    overall = authority.filter(pc.is_null(authority["community_id"]))
    at = pc.index_in(snapshot.users.user_id, overall["user_id"].combine_chunks())
    of_user = pc.take(overall["authority"].combine_chunks(), at)
    return np.asarray(of_user.to_numpy(zero_copy_only=False), np.float64)


def _of_accounts(sources: Sources, of_user: Floats | None) -> Floats:
    """Sum a figure of users over each source's accounts; NaN without accounts."""
    accounts, n = sources.accounts, len(sources)
    if of_user is None:
        return np.full(n, np.nan)
    total = np.bincount(accounts.source, weights=of_user[accounts.thing], minlength=n)
    return np.where(accounts.count > 0, total, np.nan)


def _followers(snapshot: Snapshot, sources: Sources) -> Longs:
    """Return what the platform said, else what the export counts; -1 where neither is known.

    The accounts of a brand are counted as distinct people where the data have follows.
    """
    follows, users = snapshot.follows, len(snapshot.users)
    n, accounts = len(sources), sources.accounts
    said = snapshot.users.followers_count[accounts.thing]
    known = said >= 0
    total = np.bincount(accounts.source, weights=np.where(known, said, 0), minlength=n)
    found = np.where(
        np.bincount(accounts.source[known], minlength=n) > 0, total.astype(np.int64), -1
    )
    if len(follows.follower) == 0:
        return found
    row, source = through(accounts.reverse(users), follows.followee)
    counted = Pairs.of(source, follows.follower[row], n, users).count
    some = accounts.count > 0
    if sources.kind == "user":
        some &= found < 0
    return np.where(some, counted, found)


def _reach(snapshot: Snapshot, sources: Sources, shares: FirstShares) -> Longs | None:
    """Count distinct people who follow a poster; None without follows or beyond `REACH_STEPS`."""
    if len(snapshot.follows.follower) == 0:
        return None
    posted, followed = posters(snapshot, sources, shares), followers(snapshot)
    if int(followed.count[posted.thing].sum()) > REACH_STEPS:
        return None
    found: Longs = audience(
        posted.offset,
        posted.thing.astype(np.int32),
        sources.accounts.offset,
        sources.accounts.thing.astype(np.int32),
        followed.offset,
        followed.thing.astype(np.int32),
    )
    return found


def _basis(reach: Longs | None, share_count: Longs, attention: Longs) -> tuple[str, Longs]:
    if reach is not None and reach.any():
        return "reach_count", reach
    if share_count.any():
        return "share_count", share_count
    return "attention_count", attention


def _h_index(contents: Pairs, shared: Longs) -> pa.Array:
    """Return the largest h with h contents of at least h shares; null without contents."""
    count = shared[contents.thing]
    order = np.lexsort((-count, contents.source))
    rank = np.arange(len(order)) - contents.offset[contents.source] + 1
    enough = count[order] >= rank
    found = np.bincount(contents.source[enough], minlength=len(contents.count))
    return pa.array(found, mask=contents.count == 0)


def _platform(snapshot: Snapshot, sources: Sources) -> pa.StringArray:
    """Return the platform of each source, null where it has several."""
    n = len(sources)
    on = Pairs.of(
        np.concatenate((sources.accounts.source, sources.contents.source)),
        np.concatenate(
            (
                snapshot.users.platform[sources.accounts.thing],
                snapshot.contents.platform[sources.contents.thing],
            )
        ),
        n,
        len(snapshot.platforms),
    )
    found = np.full(n, -1, np.int64)
    single = on.count == 1
    found[single] = on.thing[on.offset[:-1][single]]
    return pc.take(pa.array(snapshot.platforms, pa.string()), pa.array(found, mask=~single))
