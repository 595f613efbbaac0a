"""The shape of the graph as it is streamed: which statement reads what, and what it means.

Users, contents, topics and brands are *spaces*, each with a label of the graph. Which type
of relationship joins which spaces, and under which names a snapshot has them, is said here
once; `cypher/project/` holds the statements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import pyarrow as pa

import cypher
from engine.backends.neo4j import layout
from engine.model import INTERACTION_KINDS, REACTION_KINDS, SHARE_KINDS

__all__ = ["EVENTS", "THINGS", "Event", "Space", "Thing"]

Space = Literal["user", "content", "topic", "brand"]
Named = tuple[str, Space]
"""A column of a snapshot, and the space it numbers."""

_NUMBER: Final = pa.int64()
_TYPES: Final[Mapping[str, pa.DataType]] = {
    "node": _NUMBER,
    "source": _NUMBER,
    "target": _NUMBER,
    "at": _NUMBER,
    "created_at": _NUMBER,
    "weight": pa.float64(),
    "labels": pa.list_(pa.string()),
    "followers_count": _NUMBER,
    "is_bot": pa.bool_(),
    "text_length": _NUMBER,
    "impressions_count": _NUMBER,
    "likes_count": _NUMBER,
    "clicks_count": _NUMBER,
    "stance": pa.float64(),
    "emotion": pa.float64(),
    "is_promotion": pa.bool_(),
    "score": pa.float64(),
    "count": _NUMBER,
}
"""Types of columns that are not text; times are microseconds."""


def _schema(statement: str) -> pa.Schema:
    """Return the columns a statement's record holds, but for what only the reading needs."""
    names = cypher.statement(statement, "neo4j").returns
    return pa.schema([(n, _TYPES.get(n, pa.string())) for n in names if n != "degree"])


@dataclass(frozen=True, slots=True)
class Thing:
    """How the nodes of a space are read."""

    statement: str
    key: str

    @property
    def schema(self) -> pa.Schema:
        """Columns: the server's number of each node, and what is known of it."""
        return _schema(self.statement)


@dataclass(frozen=True, slots=True)
class Event:
    """How the relationships of an event are read, or the nodes that tell of it."""

    statement: str
    type: str
    """Their type, or their label."""
    start: Named
    end: Named | None
    """None where it leads to nothing that a snapshot numbers."""
    kinds: tuple[str, ...] = ()
    other: str = ""
    """What an unknown kind counts as."""
    named: Mapping[str, Space] = field(default_factory=dict)
    """Columns that hold ids rather than nodes."""

    @property
    def schema(self) -> pa.Schema:
        """Columns: the server's numbers of both ends, and what the event says."""
        return _schema(self.statement)


THINGS: Final[Mapping[Space, Thing]] = {
    "user": Thing("project_users", "user_id"),
    "content": Thing("project_contents", "content_id"),
    "topic": Thing("project_topics", "topic_id"),
    "brand": Thing("project_brands", "brand_id"),
}
"""Spaces; those with relationships first, so that these are read beside the other pages."""

_USER: Final[Named] = ("user", "user")
_CONTENT: Final[Named] = ("content", "content")

EVENTS: Final[Mapping[str, Event]] = {
    "posted": Event("project_posted", "POSTED", _USER, _CONTENT),
    "shares": Event(
        "project_shared", "SHARED", _USER, _CONTENT, SHARE_KINDS, "share", {"via": "user"}
    ),
    "mentions": Event(
        "project_mentioned", "MENTIONED", _USER, ("target", "user"), named={"content": "content"}
    ),
    "brand_mentions": Event("project_named_brands", "MENTIONED", _USER, ("brand", "brand")),
    "loose_mentions": Event("project_named_names", "kindred_NAMED", _USER, None),
    "replies": Event(
        "project_replied", "REPLIED", _USER, ("parent", "content"), named={"content": "content"}
    ),
    "reactions": Event("project_reacted", "REACTED", _USER, _CONTENT, REACTION_KINDS, "other"),
    "follows": Event("project_followed", "FOLLOWS", ("follower", "user"), ("followee", "user")),
    "interactions": Event(
        "project_interacted", "INTERACTED", _USER, ("target", "user"), INTERACTION_KINDS, "unknown"
    ),
    "impressions": Event("project_exposed", "EXPOSED", _USER, _CONTENT),
    "about": Event("project_about", "ABOUT", _CONTENT, ("topic", "topic")),
    "group_impressions": Event("project_exposures", layout.EXPOSURE, _CONTENT, None),
}
"""Events by the name they have in `engine.assemble.finish`; beside them who posted what,
and mentions of brands that nobody has declared."""
