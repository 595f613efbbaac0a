"""A snapshot: the data of a store as columns of integers, ready for kernels.

Users, contents, topics and brands are numbered 0..n-1 in the order of their ids, so
that nothing an analysis does depends on the order in which rows were loaded.
Events are sorted. Unknown users and contents are -1, unknown times `NO_TIME`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.csr import Floats, Ints, Longs

__all__ = [
    "NO_TIME",
    "Brands",
    "Contents",
    "Follows",
    "Impressions",
    "Interactions",
    "Mentions",
    "Reactions",
    "Replies",
    "Shares",
    "Snapshot",
    "Topics",
    "Users",
]

NO_TIME: Final = np.iinfo(np.int64).min
"""An unknown time among int64 microseconds since 1970, UTC."""

Codes = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Users:
    """Users in the order of their ids."""

    user_id: pa.StringArray
    platform: Ints
    """Index into `Snapshot.platforms`."""
    handle: pa.StringArray
    name: pa.StringArray
    followers_count: Longs
    """-1 where unknown."""
    labels: pa.ListArray
    is_bot: Codes
    """1 declared or labelled a bot, 0 not, -1 unknown."""

    def __len__(self) -> int:
        return len(self.user_id)

    @cached_property
    def shown(self) -> pa.StringArray:
        """Name, else handle, else id."""
        return pc.coalesce(self.name, self.handle, self.user_id)


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """Contents in the order of their ids."""

    content_id: pa.StringArray
    platform: Ints
    author: Ints
    created_at: Longs
    kind: Codes
    """Index into `model.CONTENT_KINDS`, -1 unknown."""
    text_length: Ints
    """Characters of the text, -1 where there is none to read."""
    impressions_count: Longs
    """As the platform said, -1 where unknown; so are the next two."""
    likes_count: Longs
    clicks_count: Longs
    stance: Floats
    """Towards whom it answers [-1,1], NaN where nobody judged; so is the next."""
    emotion: Floats
    is_promotion: Codes
    """1 advertises, 0 does not, -1 unknown."""
    posted: npt.NDArray[np.bool_]
    """Whether its being posted is one of the acts: false outside a window of time, where it
    may still be shared."""

    def __len__(self) -> int:
        return len(self.content_id)


@dataclass(frozen=True, slots=True, eq=False)
class Topics:
    """Topics in the order of their ids (`kind:label`), and which content carries which."""

    topic_id: pa.StringArray
    kind: Codes
    """Index into `model.TOPIC_KINDS`."""
    label: pa.StringArray
    content: Ints
    """Content of each (content, topic) row, sorted by content, then topic."""
    topic: Ints

    def __len__(self) -> int:
        return len(self.topic_id)


@dataclass(frozen=True, slots=True, eq=False)
class Brands:
    """Brands in the order of their ids, and what they own."""

    brand_id: pa.StringArray
    name: pa.StringArray
    account_brand: Ints
    """Brand of each (brand, account) row."""
    account_user: Ints
    domain_brand: Ints
    """Brand of each (brand, domain topic) row."""
    domain_topic: Ints
    mention_brand: Ints
    """Brand of each mention of a brand, sorted by brand, user, time."""
    mention_user: Ints
    mention_at: Longs

    def __len__(self) -> int:
        return len(self.brand_id)


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """SHARED rows as loaded, sorted by content, time, user, kind."""

    user: Ints
    content: Ints
    at: Longs
    kind: Codes
    """Index into `model.SHARE_KINDS`."""
    via: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Mentions:
    """MENTIONED rows between users, sorted by user, target, time."""

    user: Ints
    target: Ints
    at: Longs


@dataclass(frozen=True, slots=True, eq=False)
class Replies:
    """REPLIED rows, sorted by user, content answered, time."""

    user: Ints
    parent: Ints
    at: Longs
    content: Ints
    """The reply itself, -1 where it is not named."""


@dataclass(frozen=True, slots=True, eq=False)
class Reactions:
    """REACTED rows, sorted by user, content, kind."""

    user: Ints
    content: Ints
    kind: Codes
    """Index into `model.REACTION_KINDS`."""
    at: Longs
    score: Floats
    """Of a review; NaN without."""


@dataclass(frozen=True, slots=True, eq=False)
class Impressions:
    """Who was shown what, sorted by content, user; and which community, as the export names it."""

    content: Ints
    user: Ints
    count: Longs
    group_name: pa.StringArray
    """Communities as exports name them, sorted."""
    group_content: Ints
    """Content of each (content, named community) row, sorted by content, community."""
    group: Ints
    group_count: Longs


@dataclass(frozen=True, slots=True, eq=False)
class Follows:
    """FOLLOWS rows, sorted by follower, followee."""

    follower: Ints
    followee: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """INTERACTED rows, sorted by user, target, kind, time."""

    user: Ints
    target: Ints
    kind: Codes
    """Index into `model.INTERACTION_KINDS`."""
    at: Longs
    weight: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All that an analysis reads.

    `fingerprint` is a hash of the content of the batches: the same data, loaded in any
    order, has the same fingerprint.
    """

    fingerprint: str
    platforms: tuple[str, ...]
    users: Users
    contents: Contents
    topics: Topics
    brands: Brands
    shares: Shares
    mentions: Mentions
    replies: Replies
    reactions: Reactions
    follows: Follows
    interactions: Interactions
    impressions: Impressions
