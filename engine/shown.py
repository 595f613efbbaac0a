"""How many distinct people a source was put before, by community.

Three bases, in this order. *Impressions*, where the data name who was shown at least half of a
source's contents. *Follows*: whoever follows a poster is exposed to it. *Interaction*, where
neither is known: whoever was seen to do something with the source was exposed to it, and how
many more were is unknown. A source's own accounts never count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from engine.audiences import Pairs, Sources, followers, posters, through
from engine.csr import Ints, Longs
from engine.kernels.audience import audience_by_community, hearing_sharers
from engine.kernels.hyperloglog import estimates, fill
from engine.shares import FirstShares
from engine.sketch import SEED, SPARSE
from engine.snapshot import Snapshot

__all__ = [
    "BASES",
    "P_ALL",
    "Counts",
    "Followed",
    "Places",
    "by_impressions",
    "engaged",
    "impressed",
]

BASES: Final = ("impressions", "follows", "interaction")

P_ALL: Final = 10
"""Precision of the sketches that stand for long lists of followers: 3.25 % for each count."""

_CHUNK: Final = 2_048
"""Sources counted in one call: their counts are dense in it, and sparse outside."""

_MOST_CONTENTS: Final = 0.5
"""Part of a source's contents that impressions must tell of to be its basis."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where people are: the number of each user's community among `count`, -1 elsewhere."""

    label: Ints
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """People by source: everywhere, and in communities where there are any.

    `key` is source * communities + community, sorted; `value` belongs to it.
    """

    everywhere: Longs
    key: Longs
    value: Longs
    communities: int

    @classmethod
    def of(cls, pairs: Pairs, places: Places) -> Self:
        """Count distinct (source, user) pairs."""
        label = places.label[pairs.thing]
        inside = label >= 0
        keys = pairs.source[inside] * max(places.count, 1) + label[inside]
        key, value = np.unique(keys, return_counts=True)
        return cls(pairs.count, key, value.astype(np.int64), max(places.count, 1))

    def where(self, chosen: npt.NDArray[np.bool_], other: Counts) -> Counts:
        """Take the chosen sources from here and the others from there."""
        mine, theirs = chosen[self.source], ~chosen[other.source]
        key = np.concatenate((self.key[mine], other.key[theirs]))
        value = np.concatenate((self.value[mine], other.value[theirs]))
        order = np.argsort(key, kind="stable")
        everywhere = np.where(chosen, self.everywhere, other.everywhere)
        return Counts(everywhere, key[order], value[order], self.communities)

    @property
    def source(self) -> Longs:
        """The source of each value."""
        return self.key // self.communities

    def at(self, key: Longs) -> Longs:
        """Return the values of these keys, 0 where there is none."""
        if len(self.key) == 0:
            return np.zeros(len(key), np.int64)
        place = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        return np.where(self.key[place] == key, self.value[place], 0)


class Followed:
    """Counts of people who follow a poster, of all sources of a kind.

    Parameters
    ----------
    steps
        Most followers of posters walked one by one. The sources with fewest are walked first
        and exact; the rest is estimated.
    """

    def __init__(self, snapshot: Snapshot, places: Places, steps: int) -> None:
        self._snapshot, self._places, self._steps = snapshot, places, steps
        self.heard = followers(snapshot)
        """Who follows each user."""

    def potential(self, sources: Sources) -> Counts:
        """Count distinct followers of each source's accounts. O(follows of accounts)."""
        accounts = sources.accounts
        nobody = Pairs.of(accounts.source[:0], accounts.thing[:0], len(sources), 1)
        everyone = np.flatnonzero(accounts.count > 0)
        return self._exact(everyone, accounts, accounts, nobody)[0]

    def exposed(
        self, sources: Sources, shares: FirstShares, sharers: Pairs
    ) -> tuple[Counts, Counts, npt.NDArray[np.bool_]]:
        """Count who is exposed, sharers among them, and say where the first is estimated.

        O(followers of all posters), or as many as `steps`; posters with long lists of
        followers are then merged as sketches. Own accounts are not taken out of estimates.
        """
        posted = posters(self._snapshot, sources, shares)
        walked = np.bincount(
            posted.source, weights=self.heard.count[posted.thing], minlength=len(sources)
        ).astype(np.int64)
        order = np.argsort(walked, kind="stable")
        few = order[np.cumsum(walked[order]) <= self._steps]
        exact = np.zeros(len(sources), np.bool_)
        exact[few] = True
        own = sources.accounts
        reach, passed = self._exact(np.flatnonzero(exact & (walked > 0)), posted, own, sharers)
        if exact.all():
            return reach, passed, ~exact
        many = np.flatnonzero(~exact)
        rough, rough_passed = self._estimated(many, posted, sharers)
        return reach.where(exact, rough), passed.where(exact, rough_passed), ~exact

    def _exact(
        self, chosen: Longs, posted: Pairs, own: Pairs, sharers: Pairs
    ) -> tuple[Counts, Counts]:
        reach, passed = (_Sparse(len(posted.count), self._places.count) for _ in range(2))
        arrays = (
            posted.offset, _i32(posted.thing), own.offset, _i32(own.thing),
            sharers.offset, _i32(sharers.thing), self.heard.offset, _i32(self.heard.thing),
        )  # fmt: skip
        for start in range(0, len(chosen), _CHUNK):
            part = chosen[start : start + _CHUNK]
            heard, told = audience_by_community(
                part, *arrays, self._places.label, self._places.count
            )
            reach.add(part, heard, heard.sum(axis=1))
            passed.add(part, told, told.sum(axis=1))
        return reach.counts(), passed.counts()

    def _estimated(self, chosen: Longs, posted: Pairs, sharers: Pairs) -> tuple[Counts, Counts]:
        label, labels = self._places.label, self._places.count
        reach, passed = (_Sparse(len(posted.count), labels) for _ in range(2))
        small, groups, sketches = self._sketched()
        follows = self.heard.reverse(len(label))
        for start in range(0, len(chosen), _CHUNK):
            part = chosen[start : start + _CHUNK]
            offset, poster = _only(posted, part)
            rough = estimates(
                offset, poster, small.offset, _i32(small.thing), label, labels,
                groups.offset, _i32(groups.thing), sketches, SEED,
            )  # fmt: skip
            heard: Longs = np.rint(rough).astype(np.int64)
            told = hearing_sharers(
                part, posted.offset, _i32(posted.thing), sharers.offset, _i32(sharers.thing),
                follows.offset, _i32(follows.thing), label, labels,
            )  # fmt: skip
            reach.add(part, heard, heard[:, labels + 1])
            passed.add(part, told, told.sum(axis=1))
        return reach.counts(), passed.counts()

    def _sketched(self) -> tuple[Pairs, Pairs, npt.NDArray[np.uint8]]:
        """Part followers into small groups, kept, and large ones, sketched.

        A group is the followers of one user in one community; -1, none, counts as the last.
        """
        heard, labels = self.heard, self._places.count
        users = len(self._places.label)
        place = self._places.label[heard.thing]
        place = np.where(place < 0, labels, place)
        key = heard.source * (labels + 1) + place
        names, group, size = np.unique(key, return_inverse=True, return_counts=True)
        large = size > SPARSE
        kept = ~large[group]
        small = Pairs.of(heard.source[kept], heard.thing[kept], users, users)
        rows = np.flatnonzero(~kept)
        rows = rows[np.argsort(group[rows], kind="stable")]
        offset = np.concatenate(([0], np.cumsum(size[large]))).astype(np.int64)
        sketches = fill(offset, _i32(heard.thing[rows]), P_ALL, SEED)
        user, label = np.divmod(names[large], labels + 1)
        return small, Pairs.of(user, label, users, labels + 1), sketches


class _Sparse:
    """Gathers dense counts of some sources into counts of all."""

    def __init__(self, sources: int, communities: int) -> None:
        self._everywhere = np.zeros(sources, np.int64)
        self._communities = communities
        self._keys: list[Longs] = [np.empty(0, np.int64)]
        self._values: list[Longs] = [np.empty(0, np.int64)]

    def add(self, sources: Longs, dense: Longs, everywhere: Longs) -> None:
        row, label = np.nonzero(dense[:, : self._communities])
        self._everywhere[sources] = everywhere
        self._keys.append(sources[row] * max(self._communities, 1) + label)
        self._values.append(dense[row, label])

    def counts(self) -> Counts:
        key, value = np.concatenate(self._keys), np.concatenate(self._values)
        return Counts(self._everywhere, key, value, max(self._communities, 1))


def impressed(snapshot: Snapshot, sources: Sources) -> tuple[Pairs, npt.NDArray[np.float64]]:
    """Return who was shown a content of each source, and of what part of its contents we know.

    O(impressions). Impressions of named communities say nothing of distinct people.
    """
    shown = snapshot.impressions
    seen = shown.count > 0
    carrier = sources.contents.reverse(len(snapshot.contents))
    row, source = through(carrier, shown.content[seen])
    pairs = Pairs.of(source, shown.user[seen][row], len(sources), len(snapshot.users))
    told = np.zeros(len(snapshot.contents), np.bool_)
    told[shown.content] = True
    known = np.bincount(
        sources.contents.source, told[sources.contents.thing], minlength=len(sources)
    )
    return _own_left_out(pairs, sources), known / np.maximum(sources.contents.count, 1)


def by_impressions(known: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Say of which sources impressions are the basis, by the part of contents they tell of."""
    return known >= _MOST_CONTENTS


def engaged(snapshot: Snapshot, sources: Sources) -> Pairs:
    """Return who was seen to do something with each source: at least they were exposed to it.

    O(events). Counted are shares, reactions, replies, mentions and pairwise interactions of
    every kind.
    """
    carrier = sources.contents.reverse(len(snapshot.contents))
    owner = sources.accounts.reverse(len(snapshot.users))
    acts = (
        (snapshot.shares.user, carrier, snapshot.shares.content),
        (snapshot.reactions.user, carrier, snapshot.reactions.content),
        (snapshot.replies.user, carrier, snapshot.replies.parent),
        (snapshot.mentions.user, owner, snapshot.mentions.target),
        (snapshot.interactions.user, owner, snapshot.interactions.target),
    )
    found = [(source, user[row]) for user, to, key in acts for row, source in [through(to, key)]]
    found.append((sources.at[sources.events.source].astype(np.int64), sources.events.user))
    if sources.kind == "brand":
        brands = snapshot.brands
        found.append((brands.mention_brand.astype(np.int64), brands.mention_user))
    source, user = (np.concatenate(column) for column in zip(*found, strict=True))
    return _own_left_out(Pairs.of(source, user, len(sources), len(snapshot.users)), sources)


def _own_left_out(pairs: Pairs, sources: Sources) -> Pairs:
    """Leave out pairs of a source and an account of its own."""
    accounts = sources.accounts
    users = 1 + int(max(pairs.thing.max(initial=-1), accounts.thing.max(initial=-1)))
    own = np.isin(pairs.source * users + pairs.thing, accounts.source * users + accounts.thing)
    return Pairs.of(pairs.source[~own], pairs.thing[~own], len(sources), users)


def _only(pairs: Pairs, chosen: Longs) -> tuple[Longs, Ints]:
    """Return the pairs of some sources, numbered anew."""
    row, thing = through(pairs, chosen)
    return np.searchsorted(row, np.arange(len(chosen) + 1)).astype(np.int64), _i32(thing)


def _i32(values: npt.NDArray[Any]) -> Ints:
    return values.astype(np.int32)
