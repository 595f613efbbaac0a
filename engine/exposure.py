"""Exposure: how often users were shown what a source put before them.

By *follows*, a user is exposed to a unit each time someone they follow posts it, until they
share it themselves. By *impressions*, as often as an export says that they were shown it; where
an export counts impressions by a named group, that group is the users whose account label it
is, and its impressions are spread evenly over them. Nothing else is taken for exposure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.csr import Floats, Ints, Longs
from engine.joined import joined
from engine.kernels.exposure import earlier, turned
from engine.model import TOPIC_KINDS
from engine.parallel import in_threads
from engine.posters import Posters
from engine.snapshot import Snapshot
from engine.sources import SourceEvents

__all__ = ["Exposure", "by_follows", "by_impressions"]

Flags = npt.NDArray[np.bool_]

_PIECES = 16
"""Pieces that acts are looked at in: as many as threads could share, decides nothing else."""


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """What sources of a kind put before whom, and what came of it.

    Units of a source are those of `engine.posters`. The channels of a unit are `channel[j]` for j
    in `channel_of_unit`, each counting `times[j]` (once where that is empty); channel v is heard
    by `audience[start[v]:start[v + 1]]`. `pair_user` and `pair_count` are exposures known
    one by one, negative where a channel counts one that came too late. `sharer` are the
    users of counted shares who had been exposed, `direct` says which of them by nobody but who
    made it. `seen` says of each event whether its user had; false where the event has no unit.
    """

    tier: Literal["impressions", "follows"]
    shares: SourceEvents
    group: Ints
    unit_of_source: Longs
    content: Ints
    bunching: Floats
    channel_of_unit: Longs
    channel: Ints
    times: Floats
    start: Longs
    audience: Ints
    pair_of_unit: Longs
    pair_user: Ints
    pair_count: Floats
    share_of_unit: Longs
    sharer: Ints
    direct: Flags
    seen: Flags
    unused: tuple[str, ...] = ()
    """Named groups of impressions that are no account label."""

    @property
    def sources(self) -> int:
        """Number of sources, those that nobody shared among them."""
        return len(self.group)

    def alone(self, units: Longs, shares: SourceEvents, seen: Flags) -> Exposure:
        """Return some of the units as sources of their own.

        `shares` are their events, one source a unit in this order, and `seen` says of each
        whether its user had been exposed.
        """
        of_unit = np.searchsorted(self.unit_of_source, units, "right") - 1
        channel_of_unit, channels = _rows(self.channel_of_unit, units)
        pair_of_unit, pairs = _rows(self.pair_of_unit, units)
        share_of_unit, sharers = _rows(self.share_of_unit, units)
        return replace(
            self,
            shares=shares,
            group=self.group[of_unit],
            unit_of_source=np.arange(len(units) + 1),
            content=self.content[units],
            bunching=self.bunching[units],
            channel_of_unit=channel_of_unit,
            channel=self.channel[channels],
            times=self.times[channels] if len(self.times) else self.times,
            pair_of_unit=pair_of_unit,
            pair_user=self.pair_user[pairs],
            pair_count=self.pair_count[pairs],
            share_of_unit=share_of_unit,
            sharer=self.sharer[sharers],
            direct=self.direct[sharers],
            seen=seen,
        )

    @property
    def ambient_share(self) -> float:
        """Part of the shares by users who had not been exposed [0,1]."""
        return 1.0 - float(self.seen.mean()) if len(self.seen) else 0.0


def by_follows(posters: Posters, snapshot: Snapshot) -> Exposure:
    """Return the exposure that follows give. O(acts * followees).

    A user is exposed by each followed user who posted before them: until their own share,
    and for ever where they did not share. Of two acts with equal or unknown times neither
    counts as first, but an author always comes first.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from engine.assemble import assemble
    >>> from engine.groups import root_groups
    >>> from engine.posters import posters
    >>> from engine.shares import first_shares
    >>> from engine.sources import events
    >>> s = assemble({
    ...     "content": pa.table({"content_id": ["x:1"], "author_id": ["x:a"]}),
    ...     "shares": pa.table({"user_id": ["x:b", "x:c"], "content_id": ["x:1"] * 2}),
    ...     "follows": pa.table({"follower_id": ["x:b"], "followee_id": ["x:a"]}),
    ... })
    >>> e = by_follows(posters(s, events(s, "user"), first_shares(s), root_groups(s)), s)
    >>> e.seen.tolist(), e.ambient_share
    ([True, False], 0.5)
    """
    n, acts = len(snapshot.users), len(posters.user)
    apart = snapshot.follows.follower != snapshot.follows.followee
    follower, followee = snapshot.follows.follower[apart], snapshot.follows.followee[apart]
    offset = np.searchsorted(follower, np.arange(n + 1)).astype(np.int64)
    exposed, direct = np.zeros(acts, np.bool_), np.zeros(acts, np.bool_)
    later = np.zeros(acts, np.int32)
    cuts = np.linspace(0, acts, _PIECES + 1).astype(np.int64)
    ends = np.searchsorted(posters.act_of_unit, cuts)

    def look(piece: int) -> None:
        earlier(
            (int(ends[piece]), int(ends[piece + 1])),
            posters.act_of_unit,
            posters.user,
            posters.at,
            posters.seed,
            offset,
            followee,
            exposed,
            direct,
            later,
        )

    ends[0], ends[-1] = 0, posters.units
    list(in_threads(look, range(_PIECES)))
    wanted = np.zeros(n, np.bool_)
    wanted[posters.user] = True
    start, audience = turned(offset, followee, wanted)
    late = np.flatnonzero(later)
    shared = np.flatnonzero((posters.event >= 0) & exposed)
    seen = np.zeros(len(posters.shares), np.bool_)
    seen[posters.event[shared]] = True
    return Exposure(
        tier="follows",
        shares=posters.shares,
        group=posters.group,
        unit_of_source=posters.unit_of_source,
        content=posters.content,
        bunching=posters.bunching,
        channel_of_unit=posters.act_of_unit,
        channel=posters.user,
        times=np.empty(0),
        start=start,
        audience=audience,
        pair_of_unit=np.searchsorted(late, posters.act_of_unit).astype(np.int64),
        pair_user=posters.user[late],
        pair_count=-later[late].astype(np.float64),
        share_of_unit=np.searchsorted(shared, posters.act_of_unit).astype(np.int64),
        sharer=posters.user[shared],
        direct=direct[shared],
        seen=seen,
    )


def by_impressions(posters: Posters, snapshot: Snapshot) -> Exposure:
    """Return the exposure that impressions give. O(impressions log impressions).

    An impression of one's own content is none. Where a content has impressions by user,
    those by named group are left out: they are the same ones summed up.
    """
    users, rows = max(len(snapshot.users), 1), snapshot.impressions
    content, unit = _carriers(posters, snapshot)
    row, place = joined(rows.content, content)
    other = snapshot.contents.author[rows.content[row]] != rows.user[row]
    row, place = row[other], place[other]
    key, inverse = np.unique(
        unit[place].astype(np.int64) * users + rows.user[row], return_inverse=True
    )
    count = np.bincount(inverse, rows.count[row], len(key)).astype(np.float64)
    key, count = key[count > 0], count[count > 0]
    named = _Named.of(snapshot, content, unit)
    act_unit = np.repeat(np.arange(posters.units), np.diff(posters.act_of_unit))
    own = act_unit * users + posters.user
    exposed = np.isin(own, key) | named.shown(act_unit, posters.user)
    shared = np.flatnonzero((posters.event >= 0) & exposed)
    seen = np.zeros(len(posters.shares), np.bool_)
    seen[posters.event[shared]] = True
    pair_unit = key // users
    every = np.arange(posters.units + 1)
    return Exposure(
        tier="impressions",
        shares=posters.shares,
        group=posters.group,
        unit_of_source=posters.unit_of_source,
        content=posters.content,
        bunching=posters.bunching,
        channel_of_unit=np.searchsorted(named.unit, every).astype(np.int64),
        channel=named.group,
        times=named.times,
        start=named.start,
        audience=named.member,
        pair_of_unit=np.searchsorted(pair_unit, every).astype(np.int64),
        pair_user=(key % users).astype(np.int32),
        pair_count=count,
        share_of_unit=np.searchsorted(shared, posters.act_of_unit).astype(np.int64),
        sharer=posters.user[shared],
        direct=np.ones(len(shared), np.bool_),
        seen=seen,
        unused=named.unused,
    )


def _rows(start: Longs, chosen: Longs) -> tuple[Longs, Longs]:
    """Return offsets of the chosen rows, and the places of all their entries."""
    many = start[chosen + 1] - start[chosen]
    offset = np.concatenate(([0], np.cumsum(many))).astype(np.int64)
    return offset, np.repeat(start[chosen] - offset[:-1], many) + np.arange(offset[-1])


def _carriers(posters: Posters, snapshot: Snapshot) -> tuple[Ints, Ints]:
    """Return which content puts which unit before people, sorted by content."""
    unit: Longs = np.flatnonzero(posters.content >= 0).astype(np.int64)
    content: Ints = posters.content[unit]
    whole = np.flatnonzero(posters.content < 0)
    if len(whole):
        of_unit: Longs = np.searchsorted(posters.unit_of_source, whole, "right") - 1
        unit_of = np.full(posters.sources, -1, np.int64)
        unit_of[of_unit] = whole
        about, of = _about(posters.shares, snapshot)
        kept = unit_of[of] >= 0
        content = np.concatenate((content, about[kept]))
        unit = np.concatenate((unit, unit_of[of[kept]]))
    order = np.lexsort((unit, content))
    return content[order].astype(np.int32), unit[order].astype(np.int32)


def _about(shares: SourceEvents, snapshot: Snapshot) -> tuple[Ints, Ints]:
    """Return which content is about which source that is a topic, or a brand with domains."""
    topics, brands = snapshot.topics, snapshot.brands
    if shares.source_kind in TOPIC_KINDS:
        topic: Ints = np.arange(len(topics), dtype=np.int32)
        source = pc.index_in(topics.topic_id, shares.source_id)
    else:
        topic = brands.domain_topic
        source = pc.index_in(brands.brand_id.take(pa.array(brands.domain_brand)), shares.source_id)
    known = np.asarray(pc.is_valid(source).to_numpy(zero_copy_only=False))
    number = np.asarray(pc.fill_null(source, 0).to_numpy(zero_copy_only=False))[known]
    topic = topic[known]
    order = np.argsort(topic, kind="stable")
    row, place = joined(topics.topic, topic[order])
    pairs = np.unique(
        topics.content[row].astype(np.int64) * max(len(shares.source_id), 1) + number[order][place]
    )
    content, source_of = np.divmod(pairs, max(len(shares.source_id), 1))
    return content.astype(np.int32), source_of.astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class _Named:
    """Impressions by named group: which unit before which group, and who is in the groups."""

    unit: Ints
    group: Ints
    times: Floats
    start: Longs
    member: Ints
    unused: tuple[str, ...]

    @classmethod
    def of(cls, snapshot: Snapshot, content: Ints, unit: Ints) -> _Named:
        rows, users = snapshot.impressions, snapshot.users
        names = rows.group_name
        user = pc.list_parent_indices(users.labels).to_numpy().astype(np.int64)
        label = pc.index_in(pc.list_flatten(users.labels), names)
        known = np.asarray(pc.is_valid(label).to_numpy(zero_copy_only=False))
        of_label = np.asarray(pc.fill_null(label, 0).to_numpy(zero_copy_only=False))[known]
        width = max(len(users), 1)
        pairs = np.unique(of_label.astype(np.int64) * width + user[known])
        group, member = np.divmod(pairs, width)
        size = np.bincount(group, minlength=len(names))
        told = np.isin(rows.group_content, rows.content)
        usable = np.flatnonzero(~told & (rows.group_count > 0) & (size[rows.group] > 0))
        row, place = joined(rows.group_content[usable], content)
        row = usable[row]
        order = np.lexsort((rows.group[row], unit[place]))
        row, place = row[order], place[order]
        used = np.zeros(len(names), np.bool_)
        used[rows.group[size[rows.group] > 0]] = True
        return cls(
            unit=unit[place],
            group=rows.group[row],
            times=rows.group_count[row] / np.maximum(size[rows.group[row]], 1),
            start=np.concatenate(([0], np.cumsum(size))).astype(np.int64),
            member=member.astype(np.int32),
            unused=tuple(names.filter(pa.array(~used)).to_pylist()),
        )

    def shown(self, unit: Longs, user: Ints) -> Flags:
        """Say of each (unit, user) whether a group of the user's was shown the unit."""
        found = np.zeros(len(unit), np.bool_)
        if len(self.unit) == 0:
            return found
        groups = len(self.start) - 1
        order = np.argsort(self.member, kind="stable")
        of_member = np.repeat(np.arange(groups), np.diff(self.start))[order]
        act, place = joined(user, self.member[order])
        hit = np.isin(
            unit[act] * groups + of_member[place],
            self.unit.astype(np.int64) * groups + self.group,
        )
        found[act[hit]] = True
        return found
