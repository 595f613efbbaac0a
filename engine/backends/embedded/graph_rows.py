"""The rows of the graph, derived from the log: nodes that exist, edges between them.

A node exists where a row says something of it or an event names it. Edges are kept in
numbers until they are written for COPY, which wants the keys as strings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from engine.backends.embedded.logviews import NO_TIME_SQL, define, merged, resolve
from engine.backends.embedded.manifest import BatchEntry
from engine.backends.embedded.shape import LOG, Space
from engine.backends.files.duck import quoted, scalar
from engine.model import CANONICAL, NODES

__all__ = ["EDGE_ROWS", "NODE_ROWS", "EdgeRows", "derive", "edge_select", "touched"]


@dataclass(frozen=True, slots=True)
class EdgeRows:
    """How an edge table between two node tables is read from a view of events.

    `key` makes a row the same row; of rows that agree on it the one with the greatest
    `others` stays, as in `engine.assemble`. `properties` name the graph's property and
    the view's column. `touch` is the column by which a batch names what it may change;
    None where the whole table is small.
    """

    table: str
    pair: tuple[str, str]
    view: str
    start: str
    end: str
    key: tuple[str, ...]
    others: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()
    touch: str | None = None
    sources: tuple[str, ...] = ()
    """Log tables whose rows make or change edges."""


_AT: Final = ("at", "at")

EDGE_ROWS: Final = (
    EdgeRows(
        "POSTED", ("User", "Content"), "posted", "author", "content",
        ("content",), ("author", "at"), (_AT,), "content", ("content",),
    ),
    EdgeRows(
        "SHARED", ("User", "Content"), "shares", "user", "content",
        ("user", "content", "kind", "at"), ("via",),
        (_AT, ("kind", "kind"), ("via_user_id", "via")), "user", ("shares",),
    ),
    EdgeRows(
        "REPLIED", ("User", "Content"), "replies", "user", "parent",
        ("user", "parent", "content", "at"), (), (_AT, ("content_id", "content")),
        "user", ("replies",),
    ),
    EdgeRows(
        "REACTED", ("User", "Content"), "reactions", "user", "content",
        ("user", "content", "kind"), ("at", "score"),
        (_AT, ("kind", "kind"), ("score", "score")), "user", ("reactions",),
    ),
    EdgeRows(
        "MENTIONED", ("User", "User"), "mentions", "user", "target",
        ("user", "target", "content", "at"), (), (_AT, ("content_id", "content")),
        "user", ("mentions",),
    ),
    EdgeRows(
        "MENTIONED", ("User", "Brand"), "named_brands", "user", "brand_id",
        ("user", "brand_id", "content", "at"), (), (_AT, ("content_id", "content")),
        "user", ("mentions", "brands", "brand_members"),
    ),
    EdgeRows(
        "FOLLOWS", ("User", "User"), "follows", "follower", "followee",
        ("follower", "followee"), ("at",), (_AT,), "follower", ("follows",),
    ),
    EdgeRows(
        "INTERACTED", ("User", "User"), "interactions", "user", "target",
        ("user", "target", "kind", "at"), ("weight",),
        (_AT, ("kind", "kind"), ("weight", "weight")), "user", ("interactions",),
    ),
    EdgeRows(
        "ABOUT", ("Content", "Topic"), "about", "content", "topic",
        ("content", "topic"), (), (), "content", ("topics",),
    ),
    EdgeRows(
        "BELONGS_TO", ("User", "Brand"), "owned", "user", "brand_id",
        ("user", "brand_id"), (), (), None, ("brand_members", "brands"),
    ),
    EdgeRows(
        "EXPOSED", ("User", "Content"), "exposed", "user", "content",
        ("user", "content"), ("count",), (("count", "count"),), "user", ("impressions",),
    ),
)  # fmt: skip
"""Edge tables as they are read from the log."""

_SPACES: Final[dict[str, Space]] = {
    "author": "user", "user": "user", "target": "user", "via": "user",
    "follower": "user", "followee": "user", "content": "content", "parent": "content",
    "topic": "topic",
}  # fmt: skip

_USED: Final[dict[Space, tuple[tuple[str, str], ...]]] = {
    "user": (
        ("users", "user_no"), ("row_posted", "author"), ("row_shares", "user"),
        ("row_shares", "via"), ("row_mentions", "user"), ("row_mentions", "target"),
        ("row_brand_mentions", "user"), ("row_replies", "user"), ("row_reactions", "user"),
        ("row_follows", "follower"), ("row_follows", "followee"), ("row_interactions", "user"),
        ("row_interactions", "target"), ("row_impressions", "user"), ("row_brand_accounts", "user"),
    ),
    "content": (
        ("content", "content_no"), ("row_shares", "content"), ("row_replies", "parent"),
        ("row_reactions", "content"), ("row_about", "content"), ("row_impressions", "content"),
    ),
    "topic": (("row_about", "topic"), ("row_brand_domains", "topic")),
}  # fmt: skip
"""Where a number must stand for its id to be a node."""

NODE_ROWS: Final[dict[str, tuple[Space | None, tuple[str, ...]]]] = {
    "User": ("user", tuple(LOG)),
    "Brand": (None, ("brands",)),
    "Content": ("content", tuple(LOG)),
    "Topic": ("topic", ("topics", "brand_members")),
}
"""Node tables derived from the log: the space their keys are numbered in, and the log
tables whose rows make or change them."""


def derive(
    con: duckdb.DuckDBPyConnection, schema: str, batches: Sequence[tuple[BatchEntry, Path]]
) -> None:
    """Lay the graph's rows of these batches out in a schema of their own.

    It then holds a view `node_<table>` with the table's properties in order for each
    node table, and a view `edge_<view>` in numbers for each of `EDGE_ROWS`.
    """
    define(con, batches, schema)
    resolve(con)
    kept = "user_no NOT IN (SELECT no FROM resolved)"
    for name, where in (("users", kept), ("content", "true"), ("brands", "true")):
        columns = [c.name for c in CANONICAL[name].columns if c.name != "seen_at"]
        merged(con, name, columns, name, where=where)
    con.execute(
        f"""
        CREATE VIEW row_posted AS
        SELECT coalesce(r.to_no, c.author_no) AS author, c.content_no AS content,
               coalesce(epoch_us(c.created_at), {NO_TIME_SQL}) AS "at"
        FROM content c LEFT JOIN resolved r ON r.no = c.author_no
        WHERE c.author_no IS NOT NULL
        """
    )
    con.execute(
        """
        CREATE VIEW row_named_brands AS
        SELECT m.user, n.brand_id, m.content, m."at", m.batch
        FROM row_brand_mentions m JOIN brand_names n ON n.no = m.brand
        SEMI JOIN brands b ON b.brand_id = n.brand_id
        """
    )
    con.execute(
        "CREATE VIEW row_owned AS SELECT user, brand_id, batch FROM row_brand_accounts"
        " SEMI JOIN brands USING (brand_id)"
    )
    con.execute(
        'CREATE VIEW row_exposed AS SELECT user, content, "count", batch FROM row_impressions'
        " WHERE user >= 0"
    )
    _node_views(con)
    doubles = _doubles(con, batches)
    for edge in EDGE_ROWS:
        con.execute(_edge_view(edge, once=doubles.isdisjoint(edge.sources)))


def _doubles(
    con: duckdb.DuckDBPyConnection, batches: Sequence[tuple[BatchEntry, Path]]
) -> set[str]:
    """Name the log tables that may hold a key twice."""
    always = {"impressions", "mentions", "brand_members"}
    if scalar(con, "SELECT EXISTS (SELECT 1 FROM resolved)"):
        return always | set(LOG) - {"content"}
    return always | {name for entry, _ in batches for name in entry.repeated}


def _edge_view(edge: EdgeRows, *, once: bool) -> str:
    columns = list(
        dict.fromkeys((edge.start, edge.end, *edge.key, *(c for _, c in edge.properties)))
    )
    chosen = ", ".join(f"r.{quoted(c)}" for c in columns)
    select = f"SELECT {chosen} FROM row_{edge.view} r"
    if not once:
        by = ", ".join(f"r.{quoted(k)}" for k in edge.key)
        joins = "".join(
            f" LEFT JOIN keys_{_SPACES[o]} o_{o} ON o_{o}.no = r.{quoted(o)}"
            for o in edge.others
            if o in _SPACES
        )
        order = ", ".join(
            (f"o_{o}.id" if o in _SPACES else f"r.{quoted(o)}") + " DESC NULLS LAST"
            for o in edge.others
        )
        ordered = f" ORDER BY {order}" if order else ""
        select += f"{joins} QUALIFY row_number() OVER (PARTITION BY {by}{ordered}) = 1"
    return f"CREATE VIEW edge_{edge.view} AS {select}"


def _node_views(con: duckdb.DuckDBPyConnection) -> None:
    for space, places in _USED.items():
        used = " UNION ALL ".join(f"SELECT {column} AS no FROM {view}" for view, column in places)
        con.execute(f"CREATE VIEW used_{space} AS SELECT no FROM ({used}) WHERE no >= 0")
    for node, table, number in (("User", "users", "user_no"), ("Content", "content", "content_no")):
        keys = f"keys_{NODE_ROWS[node][0]}"
        chosen = ", ".join(_property(node, name) for name, _ in NODES[node].properties)
        con.execute(
            f"CREATE VIEW node_{node} AS SELECT {chosen}, k.no FROM {keys} k"
            f" LEFT JOIN {table} t ON t.{number} = k.no"
        )
    con.execute(
        "CREATE VIEW node_Topic AS SELECT id AS topic_id, split_part(id, ':', 1) AS kind,"
        " substr(id, length(split_part(id, ':', 1)) + 2) AS label, no FROM keys_topic"
    )
    con.execute("CREATE VIEW node_Brand AS SELECT brand_id, name FROM brands")


def _property(node: str, name: str) -> str:
    if name == NODES[node].key:
        return f"k.id AS {quoted(name)}"
    if name == "platform":
        return (
            "coalesce(t.platform, CASE WHEN contains(k.id, ':') THEN split_part(k.id, ':', 1) END)"
            " AS platform"
        )
    return f"t.{quoted(name)}"


def edge_select(edge: EdgeRows, relation: str, schema: str) -> str:
    """Return SQL for the file of an edge table: key strings, then properties in order."""
    joins, ends = [], []
    for position, column in (("from", edge.start), ("to", edge.end)):
        if column in _SPACES:
            joins.append(
                f" JOIN {schema}.keys_{_SPACES[column]} k_{position}"
                f" ON k_{position}.no = r.{quoted(column)}"
            )
            ends.append(f"k_{position}.id AS {quoted(position)}")
        else:
            ends.append(f"r.{quoted(column)} AS {quoted(position)}")
    values = []
    for name, column in edge.properties:
        if column == "at":
            values.append(
                f'CASE WHEN r."at" <> {NO_TIME_SQL} THEN make_timestamp(r."at") END AS "at"'
            )
        elif column in _SPACES:
            joins.append(
                f" LEFT JOIN {schema}.keys_{_SPACES[column]} p_{column}"
                f" ON p_{column}.no = r.{quoted(column)}"
            )
            values.append(f"p_{column}.id AS {quoted(name)}")
        else:
            values.append(f"r.{quoted(column)} AS {quoted(name)}")
    return f"SELECT {', '.join([*ends, *values])} FROM {relation} r{''.join(joins)}"


def touched(space: Space, number: int) -> str:
    """Return SQL for the numbers of a space that batch `number` names, handles resolved."""
    places = [
        (view, column)
        for view, column in _USED[space]
        if view not in {"users", "content", "row_posted"}
    ]
    selects = [
        f"SELECT {column} AS no FROM {view} WHERE batch = {number}" for view, column in places
    ]
    if space == "user":
        selects.append(
            f"SELECT coalesce(r.to_no, user_no) FROM log_users LEFT JOIN resolved r"
            f" ON r.no = user_no WHERE batch = {number}"
        )
        selects.append(
            "SELECT p.author FROM row_posted p SEMI JOIN (SELECT content_no FROM"
            f" log_content WHERE batch = {number}) c ON c.content_no = p.content"
        )
    if space == "content":
        selects.append(f"SELECT content_no FROM log_content WHERE batch = {number}")
    return f"SELECT DISTINCT no FROM ({' UNION ALL '.join(selects)}) WHERE no >= 0"
