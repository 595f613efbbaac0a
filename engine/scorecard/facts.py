"""What all scorecards of a run share: its data, sorted for look-ups, and its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.acts import Acts, acts
from engine.audiences import Pairs, followers, through
from engine.csr import Csr, Floats, Ints
from engine.dimensions import too_short
from engine.errors import NotFound
from engine.groups import RootGroups, root_groups
from engine.model import REACTION_KINDS
from engine.params import AnalysisParams, SourceKind
from engine.parents import parents
from engine.partition import Partitions
from engine.persistence import persistence
from engine.placed import Placed, back, passes, place, span
from engine.scorecard.rows import Index
from engine.shares import FirstShares, first_shares
from engine.shrink import Rates, rates
from engine.snapshot import Snapshot
from engine.sources import events
from engine.ties import observe

__all__ = ["Facts", "Read"]

Read = Callable[[str, Mapping[str, Any]], pa.Table]
"""Rows of a table of the run under conditions: a value, or a list of values, a column."""

MOST_STEPS = 100_000_000
_WEEK = 7 * 24 * 3_600 * 1_000_000


@dataclass(frozen=True, eq=False)
class Facts:
    """A run's data, communities and tables; everything else is worked out once, when asked."""

    snapshot: Snapshot
    partitions: Partitions
    params: AnalysisParams
    read: Read
    counted: FirstShares | None = None
    """What `first_shares` returned, where a caller has it already."""
    over: Ints | None = None
    """From whom each of those came, where a caller knows it already."""
    most_steps: int = MOST_STEPS
    """Follows up to which every way from a source is walked."""

    @cached_property
    def shares(self) -> FirstShares:
        """The shares that count."""
        return first_shares(self.snapshot) if self.counted is None else self.counted

    @cached_property
    def groups(self) -> RootGroups:
        """The root groups."""
        return root_groups(self.snapshot)

    @cached_property
    def whom(self) -> Ints:
        """From whom each counted share came, -1 where neither data nor follows tell."""
        return parents(self.snapshot, self.shares).whom if self.over is None else self.over

    @cached_property
    def _placed(self) -> dict[SourceKind, Placed]:
        return {}

    def placed(self, kind: SourceKind) -> Placed:
        """Return all sources of a kind, with who is where."""
        if kind not in self._placed:
            counted = events(self.snapshot, kind, self.shares, self.groups, self.params.count)
            self._placed[kind] = place(
                self.snapshot, self.partitions, self.params, counted, self.groups
            )
        return self._placed[kind]

    @cached_property
    def span(self) -> tuple[int, int] | None:
        """First and last known time."""
        return span(self.snapshot)

    @property
    def weeks(self) -> float:
        """How long the data go, in weeks; 0 where no time is known."""
        return 0.0 if self.span is None else (self.span[1] - self.span[0]) / _WEEK

    def label(self, community_id: str) -> int:
        """Return the label of a community.

        Raises
        ------
        NotFound
            If the run has none of this name at level 1.
        """
        ids: list[str] = self.partitions.community_ids.to_pylist()
        if community_id not in ids:
            raise NotFound(
                f"a scorecard in the community '{community_id}'",
                f"the run scores {len(ids)} communities, and none of this name",
                "list them with: kindred communities",
            )
        return ids.index(community_id)

    @cached_property
    def by_content(self) -> Mapping[str, Index]:
        """Rows by the content they are about."""
        s = self.snapshot
        return {
            "shares": Index(self.shares.content),
            "replies": Index(s.replies.parent),
            "reactions": Index(s.reactions.content),
            "impressions": Index(s.impressions.content),
            "topics": Index(s.topics.content),
        }

    @cached_property
    def by_user(self) -> Mapping[str, Index]:
        """Rows by who acted."""
        s = self.snapshot
        return {
            "shares": Index(self.shares.user),
            "replies": Index(s.replies.user),
            "mentions": Index(s.mentions.user),
            "impressions": Index(s.impressions.user),
            "contents": Index(s.contents.author),
            "follows": Index(s.follows.follower),
            "acts": Index(self.acts.user),
            "acted_on": Index(self.acts.target),
        }

    @cached_property
    def by_target(self) -> Index:
        """Mentions by whom they name."""
        return Index(self.snapshot.mentions.target)

    @cached_property
    def by_topic(self) -> Index:
        """Rows of (content, topic) by topic."""
        return Index(self.snapshot.topics.topic)

    @cached_property
    def is_reply(self) -> npt.NDArray[np.bool_]:
        """Say of each content whether it answers another."""
        found = np.zeros(len(self.snapshot.contents) + 1, np.bool_)
        found[self.snapshot.replies.content] = True
        return found[:-1]

    @cached_property
    def heard(self) -> Pairs:
        """Who follows each user."""
        return followers(self.snapshot)

    @cached_property
    def posts(self) -> Floats:
        """How often each user put something before others: posts and counted shares."""
        n, author = len(self.snapshot.users), self.snapshot.contents.author
        own = np.bincount(author[author >= 0], minlength=n)
        return (own + np.bincount(self.shares.user, minlength=n)).astype(np.float64)

    @cached_property
    def audience(self) -> Floats:
        """Followers of each user, as the platform said, else as counted here; NaN unknown."""
        said = self.snapshot.users.followers_count.astype(np.float64)
        counted = self.heard.count.astype(np.float64)
        if not len(self.snapshot.follows.follower):
            counted = np.full(len(said), np.nan)
        return np.where(said >= 0, said, counted)

    @cached_property
    def shown(self) -> Mapping[str, Floats]:
        """How often anything was put before each user, by what exposure goes by."""
        snapshot, n = self.snapshot, len(self.snapshot.users)
        heard, told = snapshot.follows, snapshot.impressions
        by_follows = np.bincount(heard.follower, self.posts[heard.followee], n)
        by_impressions = np.bincount(told.user, told.count, n)
        return {
            "follows": by_follows.astype(np.float64),
            "impressions.count": by_impressions.astype(np.float64),
        }

    @cached_property
    def acted(self) -> Floats:
        """How often each user shared, answered or named anything."""
        s = self.snapshot
        acted = (self.shares.user, s.replies.user, s.mentions.user, s.brands.mention_user)
        return np.bincount(np.concatenate(acted), minlength=len(s.users)).astype(np.float64)

    @cached_property
    def acts(self) -> Acts:
        """Who turned to whom."""
        return acts(self.snapshot, self.shares)

    @cached_property
    def kin(self) -> Csr:
        """The graph that communities were found on."""
        return observe(self.snapshot, self.params, self.groups).edges().graph()

    @cached_property
    def clustering(self) -> dict[int, tuple[float, float, float]]:
        """Worked out so far: mean degree, clustering and members of the graph inside labels."""
        return {}

    def has(self, reaction: str) -> bool:
        """Say whether the data hold any reaction of this kind."""
        return bool((self.snapshot.reactions.kind == REACTION_KINDS.index(reaction)).any())

    @cached_property
    def _untied(self) -> dict[SourceKind, Rates | str]:
        return {}

    def untied_persistence(self, kind: SourceKind) -> Rates | str:
        """Return persistence among sharers without a tie to the source; or why it is unknown.

        A tie is that either follows the other, or that the source ever turned to the person.
        """
        if kind not in self._untied:
            self._untied[kind] = self._find_untied(kind)
        return self._untied[kind]

    def _find_untied(self, kind: SourceKind) -> Rates | str:
        short = too_short(self.span)
        if short is not None or self.span is None:
            return short or "nothing has a time"
        placed, snapshot = self.placed(kind), self.snapshot
        passed = passes(snapshot, placed, self.shares)
        found = persistence(snapshot, placed, passed, self.shares, self.span[1])
        turned = back(snapshot, placed, self.shares)
        owner, follows = placed.sources.accounts.reverse(placed.users), snapshot.follows
        hearing, heard = through(owner, follows.follower), through(owner, follows.followee)
        source = np.concatenate((turned.source, hearing[1], heard[1]))
        user = np.concatenate(
            (turned.user, follows.followee[hearing[0]], follows.follower[heard[0]])
        )
        tied = np.isin(found.source * placed.users + found.user, source * placed.users + user)
        return rates(found.where(~tied), placed.scored)
