"""Who put what before others: the acts by which a source of one kind came before people.

An *act* is a post or a share. Acts of one *unit* are alternatives of each other: a unit is
what a user shares once. Of a user, or an account of a brand, that is a content; its author
comes first. Of a topic (also of a brand through its domains) it is the topic as a whole:
whoever posts or shares about it first puts it before those who follow, and their own first
post or share about it is what counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.csr import Floats, Ints, Longs
from engine.groups import RootGroups
from engine.joined import joined
from engine.kernels.exposure import grouped
from engine.shares import FirstShares
from engine.snapshot import NO_TIME, Snapshot
from engine.sources import SourceEvents

__all__ = ["Posters", "posters"]

Flags = npt.NDArray[np.bool_]

_LATE = np.iinfo(np.int64).max
_WHOLE = -1
"""Stands for the content of a unit that is a topic as a whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Posters:
    """Acts by unit, and units by source.

    Sources keep their numbers of the events, and those that nobody shared come after them:
    what was put before people and not shared says what is usual. `group` is the root group
    of each source. `unit_of_source` and `act_of_unit` are offsets. `content` is that of a unit,
    -1 for a topic as a whole. `bunching` is the part of the pairs of a unit's shares that are
    of one content: 1 where the unit is one.

    Acts of a unit come seed first, then by time (unknown last), then user. `event` is the
    number of the event that an act is counted as, -1 where it only puts before others.
    """

    shares: SourceEvents
    group: Ints
    unit_of_source: Longs
    content: Ints
    bunching: Floats
    act_of_unit: Longs
    user: Ints
    at: Longs
    seed: Flags
    event: Ints

    @property
    def sources(self) -> int:
        """Number of sources, those that nobody shared among them."""
        return len(self.group)

    @property
    def units(self) -> int:
        """Number of units."""
        return len(self.content)


@dataclass(frozen=True, slots=True, eq=False)
class _Acts:
    """Acts of numbered sources, before they are sorted."""

    source: Ints
    content: Ints
    user: Ints
    at: Longs


def posters(
    snapshot: Snapshot,
    shares: SourceEvents,
    counted: FirstShares,
    groups: RootGroups,
    before: int | None = None,
) -> Posters:
    """Return who put the sources of a kind before others. O(acts log units).

    Parameters
    ----------
    snapshot
        The data.
    shares
        The events of a kind: user, brand or a kind of topic.
    counted
        The shares that count, of all sources.
    groups
        The snapshot's root groups.
    before
        Microseconds: only what was posted before this time; `shares` are before it already.

    Examples
    --------
    >>> from engine.assemble import assemble
    >>> from engine.groups import root_groups
    >>> from engine.shares import first_shares
    >>> from engine.sources import events
    >>> s = assemble({
    ...     "content": pa.table({"content_id": ["x:1", "x:2"], "author_id": ["x:a", "x:c"]}),
    ...     "shares": pa.table({"user_id": ["x:b", "x:c"], "content_id": ["x:1"] * 2}),
    ... })
    >>> p = posters(s, events(s, "user"), first_shares(s), root_groups(s))
    >>> p.user.tolist(), p.act_of_unit.tolist(), p.unit_of_source.tolist()
    ([0, 1, 2, 2], [0, 3, 4], [0, 1, 2])
    """
    kind = shares.source_kind
    nothing = np.empty(0, np.int32)
    posted = _Acts(nothing, nothing, nothing, np.empty(0, np.int64))
    passed = posted
    group = shares.group
    if kind == "user":
        number, group = _numbers(snapshot.users.user_id, shares, groups.of_user, snapshot, counted)
        posted = _posted(snapshot, counted, number[snapshot.contents.author], before)
    elif kind == "brand":
        number, group = _brand_numbers(snapshot, shares, groups)
        posted, passed = _own_acts(snapshot, counted, number, before)
    whole = _whole_units(snapshot, shares, kind)
    event_content = np.where(whole, _WHOLE, shares.content)
    return _sorted(snapshot, shares, group, (posted, passed), event_content)


def _posted(snapshot: Snapshot, counted: FirstShares, source: Ints, before: int | None) -> _Acts:
    """Return the posts of contents by these sources (-1 for none)."""
    contents = snapshot.contents
    kept = (source >= 0) & (contents.author >= 0) & _alive(snapshot, counted, before)
    content = np.flatnonzero(kept).astype(np.int32)
    return _Acts(source[content], content, contents.author[content], contents.created_at[content])


def _alive(snapshot: Snapshot, counted: FirstShares, before: int | None) -> Flags:
    """Say of each content whether it was posted, or at least shared, in the time looked at."""
    contents = snapshot.contents
    at = contents.created_at
    posted, shared = contents.posted.copy(), np.zeros(len(contents), np.bool_)
    if before is None:
        shared[counted.content] = True
    else:
        posted &= (at != NO_TIME) & (at < before)
        shared[counted.content[(counted.at != NO_TIME) & (counted.at < before)]] = True
    return posted | shared


def _numbers(
    ids: pa.StringArray, shares: SourceEvents, group: Ints, snapshot: Snapshot, counted: FirstShares
) -> tuple[Ints, Ints]:
    """Return the number of each user as source, -1 for none, and the group of each source."""
    thing = _places(shares.source_id, ids)
    number = np.full(len(ids) + 1, -1, np.int32)  # the last is who is not known
    number[thing] = np.arange(len(thing), dtype=np.int32)
    author = snapshot.contents.author[_alive(snapshot, counted, None)]
    wrote = np.zeros(len(ids), np.bool_)
    wrote[author[author >= 0]] = True
    silent = np.flatnonzero(wrote & (number[:-1] < 0))
    number[silent] = len(thing) + np.arange(len(silent), dtype=np.int32)
    return number, np.concatenate((shares.group, group[silent])).astype(np.int32)


def _brand_numbers(
    snapshot: Snapshot, shares: SourceEvents, groups: RootGroups
) -> tuple[Ints, Ints]:
    thing = _places(shares.source_id, snapshot.brands.brand_id)
    number = np.full(len(snapshot.brands), -1, np.int32)
    number[thing] = np.arange(len(thing), dtype=np.int32)
    silent = np.flatnonzero(number < 0)
    number[silent] = len(thing) + np.arange(len(silent), dtype=np.int32)
    return number, np.concatenate((shares.group, groups.of_brand[silent])).astype(np.int32)


def _places(values: pa.StringArray, ids: pa.StringArray) -> Ints:
    return np.asarray(pc.index_in(values, ids).to_numpy(zero_copy_only=False)).astype(np.int32)


def _own_acts(
    snapshot: Snapshot, counted: FirstShares, number: Ints, before: int | None
) -> tuple[_Acts, _Acts]:
    """Return what brands' accounts posted, and what they put before others besides.

    That is: what one account of a brand shared of another, and the first post of an account
    about each brand whose domain it names. None of it counts as a share of the brand.
    """
    brands, contents = snapshot.brands, snapshot.contents
    order = np.argsort(brands.account_user, kind="stable")
    account, owner = brands.account_user[order], brands.account_brand[order]
    author = np.where(_alive(snapshot, counted, before), contents.author, -1)
    content, place = joined(author, account)
    posted = _Acts(
        number[owner[place]],
        content.astype(np.int32),
        author[content],
        contents.created_at[content],
    )
    share, place = joined(contents.author[counted.content], account)
    of = owner[place]
    width = max(len(snapshot.users), 1)
    own = np.isin(
        of.astype(np.int64) * width + counted.user[share],
        brands.account_brand.astype(np.int64) * width + brands.account_user,
    )
    share, of = share[own], of[own]
    if before is not None:
        timely = (counted.at[share] != NO_TIME) & (counted.at[share] < before)
        share, of = share[timely], of[timely]
    passed = _Acts(number[of], counted.content[share], counted.user[share], counted.at[share])
    named = _named_by_own(snapshot, author, owner, account)
    source, user, at = number[named[0]], named[1], named[2]
    whole = np.full(len(source), _WHOLE, np.int32)
    return posted, _Acts(
        np.concatenate((passed.source, source)),
        np.concatenate((passed.content, whole)),
        np.concatenate((passed.user, user)),
        np.concatenate((passed.at, at)),
    )


def _named_by_own(
    snapshot: Snapshot, author: Ints, owner: Ints, account: Ints
) -> tuple[Ints, Ints, Longs]:
    """Return brand, account and time of each account's first post about its brand's domains."""
    brands, rows, users = snapshot.brands, snapshot.topics, max(len(snapshot.users), 1)
    order = np.argsort(brands.domain_topic, kind="stable")
    row, place = joined(rows.topic, brands.domain_topic[order])
    brand, content = brands.domain_brand[order][place], rows.content[row]
    user = author[content]
    own = np.isin(
        brand.astype(np.int64) * users + user, owner.astype(np.int64) * users + account
    ) & (user >= 0)
    brand, user, at = brand[own], user[own], snapshot.contents.created_at[content[own]]
    when = np.where(at == NO_TIME, _LATE, at)
    order = np.lexsort((when, user, brand))
    brand, user, at = brand[order], user[order], at[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (brand[1:] != brand[:-1]) | (user[1:] != user[:-1])
    return brand[first], user[first], at[first]


def _whole_units(snapshot: Snapshot, shares: SourceEvents, kind: str) -> Flags:
    """Say of each event whether its unit is the source as a whole, rather than a content."""
    if kind == "user":
        return np.zeros(len(shares), np.bool_)
    if kind != "brand":
        return np.ones(len(shares), np.bool_)
    brands, users = snapshot.brands, max(len(snapshot.users), 1)
    author = np.append(snapshot.contents.author, -1)[shares.content]
    thing = _places(shares.source_id, brands.brand_id)
    return ~np.isin(
        thing[shares.source].astype(np.int64) * users + author,
        brands.account_brand.astype(np.int64) * users + brands.account_user,
    ) | (author < 0)


def _sorted(
    snapshot: Snapshot,
    shares: SourceEvents,
    group: Ints,
    others: tuple[_Acts, _Acts],
    event_content: Ints,
) -> Posters:
    """Return acts in order, their units numbered."""
    (posted, passed), width = others, len(snapshot.contents) + 1
    event = np.flatnonzero((shares.content >= 0) & (shares.source >= 0)).astype(np.int32)
    of_post = posted.source.astype(np.int64) * width + posted.content + 1
    of_pass = passed.source.astype(np.int64) * width + passed.content + 1
    of_event = shares.source[event].astype(np.int64) * width + event_content[event] + 1
    # An event about a content has the content's post beside it; a topic as a whole may not.
    whole = np.bincount(shares.source[event[event_content[event] == _WHOLE]])
    of_whole = np.flatnonzero(whole).astype(np.int64) * width
    units = np.unique(np.concatenate((of_post, of_pass, of_whole)))
    keys = np.concatenate((of_post, of_pass, of_event))
    unit: Ints = np.searchsorted(units, keys).astype(np.int32)
    user = np.concatenate((posted.user, passed.user, shares.user[event]))
    at = np.concatenate((posted.at, passed.at, shares.at[event]))
    seed = np.zeros(len(user), np.bool_)
    seed[: len(of_post)] = True
    counted = np.full(len(user), -1, np.int32)
    counted[len(of_post) + len(of_pass) :] = event
    # Events come by time and user already, and a content has one post, so that grouping is
    # sorting unless other acts stand among them.
    order = (
        np.lexsort((user, np.where(at == NO_TIME, _LATE, at), ~seed, unit))
        if len(of_pass)
        else grouped(unit, len(units))
    )
    source, content = np.divmod(units, width)
    count = np.bincount(unit, minlength=len(units))
    return Posters(
        shares=shares,
        group=group,
        unit_of_source=_offsets(np.bincount(source, minlength=len(group))),
        content=(content - 1).astype(np.int32),
        bunching=_bunching(shares, source, content, len(group)),
        act_of_unit=_offsets(count),
        user=user[order],
        at=at[order],
        seed=seed[order],
        event=counted[order],
    )


def _bunching(shares: SourceEvents, source: Longs, content: Longs, sources: int) -> Floats:
    """Return what part of the pairs of shares of each unit are of one content."""
    found = np.ones(len(source))
    whole = np.flatnonzero(content == 0)
    if len(whole) == 0:
        return found
    key = shares.source.astype(np.int64) << 32 | shares.content.astype(np.int64)
    pairs, many = np.unique(key[shares.content >= 0], return_counts=True)
    total = np.bincount(pairs >> 32, many, sources)
    same = np.bincount(pairs >> 32, many * (many - 1.0), sources)
    found[whole] = (same / np.maximum(total, 1.0) ** 2)[source[whole]]
    return found


def _offsets(count: Longs) -> Longs:
    return np.concatenate(([0], np.cumsum(count))).astype(np.int64)
