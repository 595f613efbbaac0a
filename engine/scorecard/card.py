"""One source, in one community or over everyone: whatever its elements are counted on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.audiences import through
from engine.csr import Floats, Ints, Longs
from engine.errors import NotFound
from engine.kernels.steps import steps
from engine.model import REACTION_KINDS
from engine.params import SourceKind
from engine.placed import Placed
from engine.scorecard.facts import Facts

__all__ = ["NO_ACCOUNT", "NO_EXPOSURE", "Card", "Subject", "subject"]

NO_ACCOUNT = "it owns no account"
NO_EXPOSURE = "needs follows, or impressions of half of its contents"

_MOST_TOLD = 0.5
"""Part of a source's contents that impressions must tell of to be what exposure is."""

Flags = npt.NDArray[np.bool_]
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Subject:
    """A source, with the rows that concern it wherever they are."""

    facts: Facts
    placed: Placed
    number: int
    accounts: Ints
    contents: Ints

    @property
    def kind(self) -> SourceKind:
        """The kind of source."""
        return self.placed.sources.kind

    @property
    def source_id(self) -> str:
        """Its id."""
        return str(self.placed.sources.source_id[self.number])

    @cached_property
    def own(self) -> Flags:
        """Say of each user whether the account is its own."""
        found = np.zeros(self.placed.users, np.bool_)
        found[self.accounts] = True
        return found

    @cached_property
    def label(self) -> Ints:
        """The community of each user as the fold of the source has it, -1 outside any."""
        return np.asarray(self.placed.labels[self.placed.fold[self.number]], np.int32)

    def rows(self, name: str) -> Longs:
        """Return rows about its contents by others: shares, replies or reactions."""
        found = self.facts.by_content[name].rows(self.contents)
        user = {
            "shares": self.facts.shares.user,
            "replies": self.facts.snapshot.replies.user,
            "reactions": self.facts.snapshot.reactions.user,
        }[name]
        return found[~self.own[user[found]]]

    @cached_property
    def shares(self) -> Longs:
        """Counted shares of its contents by others."""
        return self.rows("shares")

    @cached_property
    def replies(self) -> Longs:
        """Replies to its contents by others."""
        return self.rows("replies")

    @cached_property
    def reactions(self) -> Longs:
        """Reactions to its contents by others."""
        return self.rows("reactions")

    @cached_property
    def named(self) -> tuple[Ints, Longs]:
        """Who named it, and when."""
        mentions, brands = self.facts.snapshot.mentions, self.facts.snapshot.brands
        rows = self.facts.by_target.rows(self.accounts)
        user, at = mentions.user[rows], mentions.at[rows]
        if self.kind == "brand":
            mine = brands.mention_brand == self.number
            user = np.concatenate((user, brands.mention_user[mine]))
            at = np.concatenate((at, brands.mention_at[mine]))
        kept = ~self.own[user]
        return user[kept], at[kept]

    def did(self, name: str) -> Longs:
        """Return rows of what its accounts did: shares, replies, mentions or contents."""
        return self.facts.by_user[name].rows(self.accounts)

    @cached_property
    def originals(self) -> Longs:
        """Contents that its accounts wrote."""
        return self.did("contents")

    @cached_property
    def exposures(self) -> tuple[Floats, str] | None:
        """How often each other user was shown it, and how that is known; None where it is not."""
        shown, n = self.facts.snapshot.impressions, self.placed.users
        rows = self.facts.by_content["impressions"].rows(self.contents)
        told = len(np.unique(shown.content[rows])) >= _MOST_TOLD * len(self.contents)
        if len(rows) and told:
            times = np.bincount(shown.user[rows], shown.count[rows], n).astype(np.float64)
            return np.where(self.own, 0.0, times), "impressions.count"
        if not len(self.facts.snapshot.follows.follower):
            return None
        author = self.facts.snapshot.contents.author[self.contents]
        rows = self.facts.by_content["shares"].rows(self.contents)
        poster = np.concatenate((author[author >= 0], self.facts.shares.user[rows]))
        who, often = np.unique(poster, return_counts=True)
        row, hears = through(self.facts.heard, who)
        times = np.bincount(hears, often[row], n).astype(np.float64)
        return np.where(self.own, 0.0, times), "follows"

    @cached_property
    def steps(self) -> Ints:
        """How many steps along follows each user is away, -1 without a way."""
        heard = self.facts.heard
        found: Ints = steps(self.accounts, heard.offset, heard.thing.astype(np.int32))
        return found

    @cached_property
    def scores(self) -> dict[str | None, Row]:
        """Its rows of the table `scores`, by community."""
        return self._table("scores")

    @cached_property
    def reach(self) -> dict[str | None, Row]:
        """Its rows of the table `reach`, by community."""
        return self._table("reach")

    def _table(self, name: str) -> dict[str | None, Row]:
        where = {"source_kind": self.kind, "source_id": self.source_id}
        return {r["community_id"]: r for r in self.facts.read(name, where).to_pylist()}

    @cached_property
    def dimensions(self) -> dict[tuple[str, str | None], Row]:
        """Its rows of the table `dimensions`, by name and community."""
        where = {"source_kind": self.kind, "source_id": self.source_id}
        rows = self.facts.read("dimensions", where).to_pylist()
        return {(r["dimension"], r["community_id"]): r for r in rows}

    @cached_property
    def loudness(self) -> Row | None:
        """Its row of the table `influence`."""
        where = {"source_kind": self.kind, "source_id": self.source_id}
        rows: list[Row] = self.facts.read("influence", where).to_pylist()
        return rows[0] if rows else None

    @cached_property
    def authority(self) -> dict[str | None, float]:
        """The highest percentile of its accounts in the table `authority`, by community."""
        ids = self.facts.snapshot.users.user_id.take(pa.array(self.accounts)).to_pylist()
        found: dict[str | None, float] = {}
        for row in self.facts.read("authority", {"user_id": ids}).to_pylist():
            place = row["community_id"]
            found[place] = max(found.get(place, 0.0), row["percentile"])
        return found

    def content_scores(self, contents: npt.NDArray[Any]) -> list[Row]:
        """Return the scores of these contents, wherever they have one."""
        if not len(contents):
            return []
        ids = self.facts.snapshot.contents.content_id.take(pa.array(contents)).to_pylist()
        where = {"source_kind": "content", "source_id": ids}
        rows: list[Row] = self.facts.read("scores", where).to_pylist()
        return rows

    @cached_property
    def cascades(self) -> list[Row]:
        """The rows of the table `cascades` of its contents."""
        if not len(self.contents):
            return []
        ids = self.facts.snapshot.contents.content_id.take(pa.array(self.contents)).to_pylist()
        rows: list[Row] = self.facts.read("cascades", {"content_id": ids}).to_pylist()
        return rows

    @cached_property
    def own_scores(self) -> list[Row]:
        """The scores of its contents."""
        return self.content_scores(self.contents)


@dataclass(frozen=True, eq=False)
class Card:
    """A subject, in the community of this label or, without one, over everyone else."""

    of: Subject
    community_id: str | None = None
    place: int | None = None

    @property
    def facts(self) -> Facts:
        """What all cards share."""
        return self.of.facts

    @cached_property
    def here(self) -> Flags:
        """Say of each user whether they are meant: others, in the community where there is one."""
        everyone = ~self.of.own
        return everyone if self.place is None else everyone & (self.of.label == self.place)

    @property
    def members(self) -> int:
        """How many people are meant."""
        return int(self.here.sum())

    @property
    def owns(self) -> bool:
        """Whether it has an account to act through."""
        return len(self.of.accounts) > 0

    @cached_property
    def shares(self) -> Longs:
        """Counted shares of its contents by people here."""
        return self.of.shares[self.here[self.facts.shares.user[self.of.shares]]]

    @cached_property
    def replies(self) -> Longs:
        """Replies to its contents by people here."""
        return self.of.replies[self.here[self.facts.snapshot.replies.user[self.of.replies]]]

    def reactions(self, *kinds: str) -> Longs:
        """Return reactions of these kinds to its contents by people here."""
        r = self.facts.snapshot.reactions
        rows = self.of.reactions
        wanted = np.isin(r.kind[rows], [REACTION_KINDS.index(kind) for kind in kinds])
        return rows[wanted & self.here[r.user[rows]]]

    @cached_property
    def named(self) -> tuple[Ints, Longs]:
        """Who here named it, and when."""
        user, at = self.of.named
        kept = self.here[user]
        return user[kept], at[kept]

    @cached_property
    def times(self) -> Floats:
        """How often each user here was shown it; empty where that is unknown."""
        found = self.of.exposures
        return np.empty(0) if found is None else found[0][self.here]

    @property
    def shown(self) -> float:
        """How often it was shown here."""
        return float(self.times.sum())

    @property
    def people(self) -> int:
        """How many people here were shown it."""
        return int((self.times > 0).sum())

    @property
    def by(self) -> str:
        """The columns that exposure comes from; empty where there are none."""
        found = self.of.exposures
        return "" if found is None else found[1]


def subject(facts: Facts, kind: SourceKind, source_id: str) -> Subject:
    """Find a source among those of its kind.

    Raises
    ------
    NotFound
        If there is none of this id.
    """
    placed = facts.placed(kind)
    ids = placed.sources.source_id
    number = ids.index(source_id).as_py()
    if number < 0:
        raise NotFound(
            f"the scorecard of the {kind} '{source_id}'",
            f"the data hold {len(ids):,} sources of this kind, and none of this id",
            "list them with: kindred influence",
        )
    pairs = placed.sources
    accounts = pairs.accounts.thing[slice(*pairs.accounts.offset[number : number + 2])]
    contents = pairs.contents.thing[slice(*pairs.contents.offset[number : number + 2])]
    return Subject(facts, placed, number, accounts.astype(np.int32), contents.astype(np.int32))
