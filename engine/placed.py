"""The sources of a kind, what people did with them, and where those people are.

Every source is looked at on the partition of its fold, in which no share of it took part, as
its score is: the community of a person may differ from one source to the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.audiences import Sources, sources_of, through
from engine.csr import Ints, Longs
from engine.groups import RootGroups, folds
from engine.params import AnalysisParams
from engine.partition import Partitions
from engine.shares import FirstShares
from engine.snapshot import NO_TIME, Snapshot
from engine.sources import SourceEvents

__all__ = ["Acts", "Placed", "back", "passes", "place", "span", "towards"]

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Acts:
    """What people did with sources, or sources with people: one entry an act.

    `row` is the place among the counted shares where it is one, else -1.
    """

    source: Longs
    user: Ints
    at: Longs
    row: Longs

    def where(self, kept: Flags) -> Acts:
        """Return some of the acts."""
        return Acts(self.source[kept], self.user[kept], self.at[kept], self.row[kept])

    @classmethod
    def joined(cls, parts: Iterable[Acts]) -> Acts:
        """Put acts behind each other."""
        listed = list(parts)
        return cls(
            np.concatenate([p.source for p in listed]),
            np.concatenate([p.user for p in listed]),
            np.concatenate([p.at for p in listed]),
            np.concatenate([p.row for p in listed]),
        )


@dataclass(frozen=True, eq=False)
class Placed:
    """Sources of a kind, the fold of each, and the label of each user in each fold."""

    sources: Sources
    fold: Ints
    labels: npt.NDArray[np.int32]
    scored: Flags
    """Which communities are large enough to be scored, bool[k]."""
    names: pa.StringArray
    """Their ids, by label."""
    users: int

    def label(self, source: npt.NDArray[Any], user: npt.NDArray[Any]) -> Ints:
        """Return the community of each user as the fold of each source has it, -1 outside."""
        found = self.labels[self.fold[source], np.maximum(user, 0)]
        return np.where(user >= 0, found, -1).astype(np.int32)

    def owns(self, source: npt.NDArray[Any], user: npt.NDArray[Any]) -> Flags:
        """Say of each (source, user) whether the user is an account of the source."""
        accounts = self.sources.accounts
        key = source.astype(np.int64) * self.users + user
        return np.isin(key, accounts.source * self.users + accounts.thing) & (user >= 0)


def place(
    snapshot: Snapshot,
    partitions: Partitions,
    params: AnalysisParams,
    events: SourceEvents,
    groups: RootGroups,
) -> Placed:
    """Return the sources of the kind of `events`, with who is where. O(contents log contents)."""
    found = sources_of(snapshot, events.source_kind, events)
    group = {"user": groups.of_user, "brand": groups.of_brand}.get(found.kind, events.group)
    return Placed(
        found,
        folds(groups, len(partitions.folds), params.seed)[group],
        partitions.folds,
        partitions.scored,
        partitions.community_ids,
        len(snapshot.users),
    )


def passes(snapshot: Snapshot, placed: Placed, shares: FirstShares) -> Acts:
    """Return every counted share of a content of a source, and posts about what owns no account.

    Shares by a source's own accounts are left out. O(shares * sources of their contents).
    """
    carrier = placed.sources.contents.reverse(len(snapshot.contents))
    row, source = through(carrier, shares.content)
    acts = [Acts(source, shares.user[row], shares.at[row], row)]
    about = placed.sources.contents
    author = snapshot.contents.author[about.thing]
    named = author >= 0
    nothing = np.full(int(named.sum()), -1, np.int64)
    posted = snapshot.contents.created_at[about.thing]
    acts.append(Acts(about.source[named], author[named], posted[named], nothing))
    found = Acts.joined(acts)
    return found.where(~placed.owns(found.source, found.user))


def towards(snapshot: Snapshot, placed: Placed, passed: Acts) -> Acts:
    """Return shares of a source and mentions of it, by others."""
    owner = placed.sources.accounts.reverse(placed.users)
    row, source = through(owner, snapshot.mentions.target)
    acts = [passed, _acts(source, snapshot.mentions.user[row], snapshot.mentions.at[row])]
    if placed.sources.kind == "brand":
        brands = snapshot.brands
        named = brands.mention_brand.astype(np.int64)
        acts.append(_acts(named, brands.mention_user, brands.mention_at))
    found = Acts.joined(acts)
    return found.where(~placed.owns(found.source, found.user))


def back(snapshot: Snapshot, placed: Placed, shares: FirstShares, *, sharing: bool = True) -> Acts:
    """Return what a source's accounts did towards people: replies, mentions and, if asked, shares.

    `user` is whom they turned to.
    """
    owner = placed.sources.accounts.reverse(placed.users)
    author = snapshot.contents.author
    replies, mentions = snapshot.replies, snapshot.mentions
    done = [
        (replies.user, author[replies.parent], replies.at),
        (mentions.user, mentions.target, mentions.at),
    ]
    if sharing:
        done.append((shares.user, author[shares.content], shares.at))
    found = []
    for actor, whom, at in done:
        row, source = through(owner, actor)
        found.append(_acts(source, whom[row], at[row]))
    acts = Acts.joined(found)
    return acts.where((acts.user >= 0) & ~placed.owns(acts.source, acts.user))


def span(snapshot: Snapshot) -> tuple[int, int] | None:
    """Return the first and the last known time of a post or an act; None where none is known."""
    parts = (
        snapshot.contents.created_at,
        snapshot.shares.at,
        snapshot.replies.at,
        snapshot.mentions.at,
        snapshot.reactions.at,
        snapshot.interactions.at,
    )
    known = [part[part != NO_TIME] for part in parts]
    known = [part for part in known if len(part)]
    if not known:
        return None
    return min(int(part.min()) for part in known), max(int(part.max()) for part in known)


def _acts(source: Longs, user: Ints, at: Longs) -> Acts:
    return Acts(source, user, at, np.full(len(source), -1, np.int64))
