"""The model, declared once: canonical tables, graph tables, and how one becomes the other.

Loaders write *canonical tables* (string ids, one row an event). The store numbers
them into its log. *Node* and *edge* tables of the property graph, their indexes,
load statements, API schemas and the model page of the docs are derived from what
stands here.

Ids are strings of the form `platform:native-id`, split at the first colon only.
Times are UTC with microseconds; unknown is null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import pyarrow as pa

__all__ = [
    "CANONICAL",
    "CONTENT_KINDS",
    "EDGES",
    "INTERACTION_KINDS",
    "NODES",
    "REACTION_KINDS",
    "SHARE_KINDS",
    "TIME",
    "TOPIC_KINDS",
    "Column",
    "EdgeTable",
    "NodeTable",
    "Table",
    "canonical",
    "user_id",
]

TIME: Final = pa.timestamp("us", tz="UTC")
TEXT: Final = pa.string()
COUNT: Final = pa.int64()

SHARE_KINDS: Final = ("share", "quote", "bookmark")
"""Kinds of SHARED. A bookmark is kept but never counts as passing something on."""

INTERACTION_KINDS: Final = ("unknown", "share", "quote", "like", "reply", "mention")
"""Kinds of INTERACTED. Only `share` and `quote` enter observed shares; only they and
`like` tie people together unless nothing else exists."""

REACTION_KINDS: Final = ("like", "review", "click", "conversion", "other")
"""Kinds of REACTED. A conversion is what a content was to lead to: a purchase, a signature."""

CONTENT_KINDS: Final = ("post", "reply", "comment", "video", "blog")
"""Kinds of Content."""

TOPIC_KINDS: Final = ("hashtag", "url", "domain", "image")
"""Kinds of Topic. `image` is a perceptual hash."""

MEMBER_KINDS: Final = ("account", "alias", "domain")
"""What a brand may own: accounts, names it is mentioned by, domains."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: name, Arrow type, and a sentence for the docs.

    `within` are the least and the greatest number that it may hold, where not any may.
    """

    name: str
    type: pa.DataType
    about: str
    required: bool = False
    within: tuple[float, float] | None = None

    @property
    def field(self) -> pa.Field:
        """The Arrow field, non-null where the column is required."""
        return pa.field(self.name, self.type, nullable=not self.required)


@dataclass(frozen=True, slots=True)
class Table:
    """A canonical table: what a loader hands over and a canonical folder holds.

    `key` names the columns that make a row the same row; of rows with one key the
    store keeps one. Tables of *things* (users, content, brands) merge column by
    column, the newer `seen_at` winning; of rows of one *event* that say different things in
    their other columns, the one that says most stays.
    """

    name: str
    about: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    merges: bool = False

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema, columns in declared order."""
        return pa.schema([c.field for c in self.columns])

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that must be present and not null."""
        return tuple(c.name for c in self.columns if c.required)


def _must(name: str, about: str, type: pa.DataType = TEXT) -> Column:
    return Column(name, type, about, required=True)


def _may(name: str, about: str, type: pa.DataType = TEXT) -> Column:
    return Column(name, type, about)


def _judged(name: str, about: str, within: tuple[float, float]) -> Column:
    return Column(name, pa.float64(), about, within=within)


def _at(about: str) -> Column:
    return Column("at", TIME, about)


_SEEN = _may("seen_at", "when this was read off the platform; the newer value wins", TIME)

CANONICAL: Final[dict[str, Table]] = {
    t.name: t
    for t in (
        Table(
            "users",
            "people and accounts",
            ("user_id",),
            (
                _must("user_id", "platform:native-id, or platform:@handle where only it is known"),
                _may("platform", "x, bluesky, mastodon, facebook, ..., x-<dataset> where unknown"),
                _may("handle", "the name in addresses and mentions, without @"),
                _may("name", "the display name"),
                _may("followers_count", "followers, as the platform said", COUNT),
                _may("following_count", "accounts followed, as the platform said", COUNT),
                _may("posts_count", "posts ever, as the platform said", COUNT),
                _may("created_at", "when the account was made", TIME),
                _may("is_bot", "declared or labelled a bot", pa.bool_()),
                _may("labels", "words attached to the account, such as a party", pa.list_(TEXT)),
                _SEEN,
            ),
            merges=True,
        ),
        Table(
            "content",
            "posts, comments, videos: what can be shared",
            ("content_id",),
            (
                _must("content_id", "platform:native-id"),
                _may("platform", "as for users"),
                _may("kind", "post, reply, comment, video, blog"),
                _may("author_id", "the user who made it; null where deleted or unknown"),
                _may("created_at", "when it was posted", TIME),
                _may("text", "its text"),
                _may("url", "where it can be read"),
                _may("lang", "its language, a BCP 47 tag"),
                _may("root_id", "the content that started the conversation"),
                _may("shares_count", "shares, as the platform said", COUNT),
                _may("likes_count", "likes, as the platform said", COUNT),
                _may("replies_count", "replies, as the platform said", COUNT),
                _may("quotes_count", "quotes, as the platform said", COUNT),
                _may("impressions_count", "impressions, as the platform said", COUNT),
                _may("clicks_count", "clicks, as the platform said", COUNT),
                _judged("stance", "towards whom it answers, as somebody judged [-1,1]", (-1, 1)),
                _judged("emotion", "how emotional it is, as somebody judged [0,1]", (0, 1)),
                _may("is_promotion", "advertises or sells", pa.bool_()),
                _SEEN,
            ),
            merges=True,
        ),
        Table(
            "shares",
            "a user passed a content on",
            ("user_id", "content_id", "kind", "at"),
            (
                _must("user_id", "who shared"),
                _must("content_id", "what was shared: the original"),
                _at("when"),
                _may("kind", "share, quote or bookmark"),
                _may("via_user_id", "whose share was passed on, where the export says"),
            ),
        ),
        Table(
            "mentions",
            "a user named another user or a brand",
            ("user_id", "target_id", "content_id", "at"),
            (
                _must("user_id", "who mentioned"),
                _must("target_id", "the user or brand mentioned"),
                _at("when"),
                _may("content_id", "in which content"),
            ),
        ),
        Table(
            "replies",
            "a user answered a content",
            ("user_id", "parent_content_id", "content_id", "at"),
            (
                _must("user_id", "who replied"),
                _must("parent_content_id", "the content answered"),
                _at("when"),
                _may("content_id", "the reply itself"),
            ),
        ),
        Table(
            "reactions",
            "a user liked, reviewed or otherwise reacted to a content",
            ("user_id", "content_id", "kind"),
            (
                _must("user_id", "who reacted"),
                _must("content_id", "to what"),
                _must("kind", "like, review, click, conversion or other"),
                _at("when"),
                _may("score", "the score of a review", pa.float64()),
            ),
        ),
        Table(
            "follows",
            "a user follows another",
            ("follower_id", "followee_id"),
            (
                _must("follower_id", "who follows"),
                _must("followee_id", "whom"),
                _at("since when"),
            ),
        ),
        Table(
            "interactions",
            "a user did something with another, in an export that names no content",
            ("user_id", "target_id", "kind", "at"),
            (
                _must("user_id", "who acted"),
                _must("target_id", "towards whom"),
                _must("kind", "unknown, share, quote, like, reply or mention"),
                _at("when; null for a summed edge"),
                _may("weight", "how many; 1 where not given", pa.float64()),
            ),
        ),
        Table(
            "brands",
            "brands: a set of accounts, aliases and domains",
            ("brand_id",),
            (_must("brand_id", "brand:name"), _must("name", "as it is shown"), _SEEN),
            merges=True,
        ),
        Table(
            "brand_members",
            "what a brand owns",
            ("brand_id", "kind", "value"),
            (
                _must("brand_id", "the brand"),
                _must("kind", "account, alias or domain"),
                _must("value", "a user id, a word, or a domain"),
            ),
        ),
        Table(
            "topics",
            "what a content is about",
            ("content_id", "kind", "label"),
            (
                _must("content_id", "the content"),
                _must("kind", "hashtag, url, domain or image"),
                _must("label", "the hashtag without #, the url, the domain, the hash"),
            ),
        ),
        Table(
            "impressions",
            "a user or a community was shown a content",
            ("content_id", "user_id", "community"),
            (
                _must("content_id", "what was shown"),
                _must("count", "how often", COUNT),
                _may("user_id", "to whom"),
                _may("community", "or to which community, as the export names it"),
            ),
        ),
    )
}
"""Canonical tables by name."""


def canonical(name: str) -> Table:
    """Return the canonical table of this name.

    Examples
    --------
    >>> canonical("follows").required
    ('follower_id', 'followee_id')
    """
    return CANONICAL[name]


def user_id(platform: str, native: str) -> str:
    """Join a platform and a native id.

    Examples
    --------
    >>> user_id("bluesky", "did:plc:abc")
    'bluesky:did:plc:abc'
    """
    return f"{platform}:{native}"


GraphType = Literal["STRING", "INT64", "BOOL", "DOUBLE", "TIMESTAMP", "STRING[]"]


@dataclass(frozen=True, slots=True)
class NodeTable:
    """A node table of the property graph. The first property is its key."""

    name: str
    about: str
    properties: tuple[tuple[str, GraphType], ...]
    source: str | None = None
    """The canonical table it is derived from; None where an analysis writes it."""

    @property
    def key(self) -> str:
        """The name of the key property."""
        return self.properties[0][0]


@dataclass(frozen=True, slots=True)
class EdgeTable:
    """An edge table of the property graph: pairs of node tables it joins, and properties."""

    name: str
    about: str
    pairs: tuple[tuple[str, str], ...]
    properties: tuple[tuple[str, GraphType], ...] = ()
    source: str | None = None


_GRAPH_TYPES: dict[pa.DataType, GraphType] = {
    TEXT: "STRING",
    COUNT: "INT64",
    pa.bool_(): "BOOL",
    pa.float64(): "DOUBLE",
    TIME: "TIMESTAMP",
    pa.list_(TEXT): "STRING[]",
}


def _properties(table: str, *, leave: tuple[str, ...] = ()) -> tuple[tuple[str, GraphType], ...]:
    columns = CANONICAL[table].columns
    return tuple((c.name, _GRAPH_TYPES[c.type]) for c in columns if c.name not in leave)


NODES: Final[dict[str, NodeTable]] = {
    n.name: n
    for n in (
        NodeTable("User", "a person or account", _properties("users", leave=("seen_at",)), "users"),
        NodeTable("Brand", "a brand", _properties("brands", leave=("seen_at",)), "brands"),
        NodeTable(
            "Content",
            "what can be shared",
            _properties("content", leave=("author_id", "seen_at")),
            "content",
        ),
        NodeTable(
            "Topic",
            "a hashtag, url, domain or image",
            (("topic_id", "STRING"), ("kind", "STRING"), ("label", "STRING")),
            "topics",
        ),
        NodeTable(
            "Community",
            "written back by an analysis",
            (
                ("community_id", "STRING"),
                ("label", "STRING"),
                ("kind", "STRING"),
                ("verdict", "STRING"),
                ("member_count", "INT64"),
            ),
        ),
        NodeTable(
            "Run",
            "the analysis whose results the graph holds",
            (
                ("run_id", "STRING"),
                ("tier", "STRING"),
                ("seed", "INT64"),
                ("fingerprint", "STRING"),
            ),
        ),
    )
}
"""Node tables by name."""

_EDGE_AT: tuple[str, GraphType] = ("at", "TIMESTAMP")
_SCORE: tuple[tuple[str, GraphType], ...] = (
    ("observed", "DOUBLE"),
    ("expected", "DOUBLE"),
    ("lift", "DOUBLE"),
    ("lift_low", "DOUBLE"),
    ("lift_high", "DOUBLE"),
    ("resonance", "DOUBLE"),
    ("resonance_low", "DOUBLE"),
    ("resonance_high", "DOUBLE"),
    ("tier", "STRING"),
)

EDGES: Final[dict[str, EdgeTable]] = {
    e.name: e
    for e in (
        EdgeTable("POSTED", "made a content", (("User", "Content"),), (_EDGE_AT,), "content"),
        EdgeTable(
            "SHARED",
            "passed a content on",
            (("User", "Content"),),
            (_EDGE_AT, ("kind", "STRING"), ("via_user_id", "STRING")),
            "shares",
        ),
        EdgeTable(
            "REPLIED",
            "answered a content",
            (("User", "Content"),),
            (_EDGE_AT, ("content_id", "STRING")),
            "replies",
        ),
        EdgeTable(
            "REACTED",
            "reacted to a content",
            (("User", "Content"),),
            (_EDGE_AT, ("kind", "STRING"), ("score", "DOUBLE")),
            "reactions",
        ),
        EdgeTable(
            "MENTIONED",
            "named a user or brand",
            (("User", "User"), ("User", "Brand")),
            (_EDGE_AT, ("content_id", "STRING")),
            "mentions",
        ),
        EdgeTable("FOLLOWS", "follows", (("User", "User"),), (_EDGE_AT,), "follows"),
        EdgeTable(
            "INTERACTED",
            "did something with, in an export that names no content",
            (("User", "User"),),
            (_EDGE_AT, ("kind", "STRING"), ("weight", "DOUBLE")),
            "interactions",
        ),
        EdgeTable("ABOUT", "carries a topic", (("Content", "Topic"),), (), "topics"),
        EdgeTable("BELONGS_TO", "account of a brand", (("User", "Brand"),), (), "brand_members"),
        EdgeTable(
            "EXPOSED",
            "was shown a content",
            (("User", "Content"),),
            (("count", "INT64"),),
            "impressions",
        ),
        EdgeTable(
            "MEMBER_OF",
            "in a community; `authority` is the member's there, `influence` the user's percentile",
            (("User", "Community"),),
            (("confidence", "DOUBLE"), ("authority", "DOUBLE"), ("influence", "DOUBLE")),
        ),
        EdgeTable(
            "RESONATES_IN",
            "score of a source in a community; its property `tier` says what it may be called",
            (
                ("User", "Community"),
                ("Brand", "Community"),
                ("Topic", "Community"),
                ("Content", "Community"),
            ),
            _SCORE,
        ),
    )
}
"""Edge tables by name."""
