"""From what exports say to the relationships of the graph, in DuckDB, in one shape for all.

An event is *said* in a canonical row; the graph holds it *resolved*: handles as the users
they belong to, aliases as brands, rows of one key as one. Where resolving changed a row, or
made one of several, the relationship keeps what was said (`kindred_said`), so that it can be
read anew when another load says more. All kinds of events have the same columns here,
`COLUMNS`; a kind leaves null what it has not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import duckdb

from engine.backends.files.batch import DEFAULTS
from engine.backends.files.duck import quoted, scalar
from engine.backends.neo4j import layout
from engine.snapshot import NO_TIME

__all__ = [
    "COLUMNS",
    "EDGE_ROWS",
    "EXPOSURE_ROWS",
    "NO_TIME_SQL",
    "EdgeRows",
    "actual_table",
    "count_new",
    "derive",
    "handle_sql",
    "said_rows",
    "say",
]

NO_TIME_SQL: Final = f"({NO_TIME + 1} - 1)::BIGINT"
"""`engine.snapshot.NO_TIME` in SQL, whose parser reads the minus sign last."""

COLUMNS: Final[Mapping[str, str]] = {
    "start": "VARCHAR",
    "end": "VARCHAR",
    "at": "BIGINT",
    "kind": "VARCHAR",
    "via_user_id": "VARCHAR",
    "content_id": "VARCHAR",
    "score": "DOUBLE",
    "weight": "DOUBLE",
    "count": "BIGINT",
    "community": "VARCHAR",
}
"""Columns of a row of any event; `at` in microseconds, `NO_TIME` where it is unknown."""

_ABSENT: Final = {"at": NO_TIME_SQL}
_TIME: Final = f'coalesce(epoch_us("at"), {NO_TIME_SQL})'


@dataclass(frozen=True, slots=True)
class EdgeRows:
    """How rows become relationships of one type.

    `key` makes what is said the same row, and `group` what is resolved; of rows that agree on
    it the one with the greatest `others` stays, as in `engine.assemble`. `people` are the
    columns that name users. `labels` are those of the end: a mention has three, for users,
    for brands, and for names of brands that nobody has declared. What is `derived` is read
    from things and not from events, and so never from relationships that are there.
    """

    type: str
    source: str
    start: str
    labels: tuple[str, ...]
    columns: Mapping[str, str]
    key: tuple[str, ...]
    others: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    people: tuple[str, ...] = ("start",)
    where: str = "true"
    derived: bool = False

    @property
    def name(self) -> str:
        """What its relations are called after."""
        return self.type.lower()

    @property
    def grouped(self) -> tuple[str, ...]:
        """The columns that make resolved rows one relationship."""
        return self.group or self.key


_IMPRESSION: Final = {
    "start": "user_id", "end": "content_id", "count": '"count"', "community": "community",
}  # fmt: skip

EDGE_ROWS: Final = (
    EdgeRows(
        "POSTED", "now_content", "User", ("Content",),
        {
            "start": "author_id", "end": "content_id",
            "at": f"coalesce(epoch_us(created_at), {NO_TIME_SQL})",
        },
        ("end",), ("start", "at"), where="author_id IS NOT NULL", derived=True,
    ),
    EdgeRows(
        "SHARED", "raw_shares", "User", ("Content",),
        {
            "start": "user_id", "end": "content_id", "at": _TIME,
            "kind": f"coalesce(kind, {DEFAULTS['shares', 'kind']})", "via_user_id": "via_user_id",
        },
        ("start", "end", "kind", "at"), ("via_user_id",), people=("start", "via_user_id"),
    ),
    EdgeRows(
        "REPLIED", "raw_replies", "User", ("Content",),
        {"start": "user_id", "end": "parent_content_id", "at": _TIME, "content_id": "content_id"},
        ("start", "end", "content_id", "at"),
    ),
    EdgeRows(
        "REACTED", "raw_reactions", "User", ("Content",),
        {"start": "user_id", "end": "content_id", "at": _TIME, "kind": "kind", "score": "score"},
        ("start", "end", "kind"), ("at", "score"),
    ),
    EdgeRows(
        "MENTIONED", "raw_mentions", "User", ("User", "Brand", layout.NAME),
        {"start": "user_id", "end": "target_id", "at": _TIME, "content_id": "content_id"},
        ("start", "end", "content_id", "at"), group=("label", "start", "end", "content_id", "at"),
        people=("start", "end"),
    ),
    EdgeRows(
        "FOLLOWS", "raw_follows", "User", ("User",),
        {"start": "follower_id", "end": "followee_id", "at": _TIME},
        ("start", "end"), ("at",), people=("start", "end"),
    ),
    EdgeRows(
        "INTERACTED", "raw_interactions", "User", ("User",),
        {
            "start": "user_id", "end": "target_id", "at": _TIME, "kind": "kind",
            "weight": f"coalesce(weight, {DEFAULTS['interactions', 'weight']})",
        },
        ("start", "end", "kind", "at"), ("weight",), people=("start", "end"),
    ),
    EdgeRows(
        "ABOUT", "raw_topics", "Content", ("Topic",),
        {"start": "content_id", "end": "kind || ':' || label"}, ("start", "end"), people=(),
    ),
    EdgeRows(
        "BELONGS_TO", "now_accounts", "User", ("Brand",),
        {"start": "value", "end": "brand_id"}, ("start", "end"), derived=True,
    ),
    EdgeRows(
        "EXPOSED", "raw_impressions", "User", ("Content",), _IMPRESSION,
        ("start", "end", "community"), ("count",), ("start", "end"),
        where="user_id IS NOT NULL",
    ),
)  # fmt: skip
"""Types of relationships as they are made."""

EXPOSURE_ROWS: Final = EdgeRows(
    layout.EXPOSURE, "raw_impressions", "", (), _IMPRESSION,
    ("end", "community"), ("count",), people=(), where="user_id IS NULL",
)  # fmt: skip
"""Impressions that name no user: kept as nodes of their own."""


def handle_sql(column: str) -> str:
    """Return SQL that says whether an id is a handle that may turn out to be somebody's."""
    return f"starts_with({column}, split_part({column}, ':', 1) || ':@')"


def say(con: duckdb.DuckDBPyConnection, edge: EdgeRows, *, there: bool) -> None:
    """Make `fresh_<type>`: the rows of a source, in the shape of all events, each once.

    Parameters
    ----------
    there
        Whether there is such a source; otherwise the table is empty.
    """
    if there:
        chosen = ", ".join(
            f"CAST({edge.columns.get(c, _ABSENT.get(c, 'NULL'))} AS {type}) AS {quoted(c)}"
            for c, type in COLUMNS.items()
        )
        rows = f"SELECT DISTINCT {chosen} FROM {edge.source} WHERE {edge.where}"
    else:
        nothing = ", ".join(f"CAST(NULL AS {type}) AS {quoted(c)}" for c, type in COLUMNS.items())
        rows = f"SELECT {nothing} WHERE false"
    con.execute(f"CREATE OR REPLACE TABLE fresh_{edge.name} AS {rows}")


def actual_table(con: duckdb.DuckDBPyConnection, edge: EdgeRows) -> None:
    """Make `actual_<type>`: for relationships of the server, each with its element id."""
    columns = ", ".join(f"{quoted(c)} {type}" for c, type in COLUMNS.items())
    con.execute(
        f"CREATE TABLE actual_{edge.name} (rid VARCHAR, label VARCHAR, {columns}, said VARCHAR[])"
    )


def said_rows(con: duckdb.DuckDBPyConnection, edge: EdgeRows) -> None:
    """Make `known_<type>`: what was said of the relationships in `actual_<type>`."""
    plain = ", ".join(quoted(c) for c in COLUMNS)
    told = ", ".join(
        f"CAST(CAST(one AS VARCHAR[])[{i}] AS {type}) AS {quoted(c)}"
        for i, (c, type) in enumerate(COLUMNS.items(), 1)
    )
    con.execute(
        f"""
        CREATE OR REPLACE TABLE known_{edge.name} AS
        SELECT {plain} FROM actual_{edge.name} WHERE said IS NULL
        UNION
        SELECT {told} FROM (
            SELECT unnest(said)::JSON AS one FROM actual_{edge.name} WHERE said IS NOT NULL
        )
        """
    )


def count_new(con: duckdb.DuckDBPyConnection, edge: EdgeRows) -> int:
    """Return how many keys of `fresh_<type>` are not in `known_<type>`."""
    key = ", ".join(quoted(k) for k in edge.key)
    return int(
        scalar(
            con,
            f"SELECT count(*) FROM (SELECT {key} FROM fresh_{edge.name}"
            f" EXCEPT SELECT {key} FROM known_{edge.name})",
        )
    )


def derive(con: duckdb.DuckDBPyConnection, edge: EdgeRows) -> None:
    """Make `row_<type>`, what was said and is known now, resolved; and `edge_<type>` of it.

    Reads `fresh_<type>`, `known_<type>`, `resolved` (id, to) and `names` (name, brand_id,
    declared). A row of `edge_<type>` is a relationship as it has to be; `said` is null where
    the relationship itself says it all.
    """
    con.execute(f"CREATE OR REPLACE TABLE row_{edge.name} AS {_resolved(edge)}")
    con.execute(f"CREATE OR REPLACE TABLE edge_{edge.name} AS {_grouped(con, edge)}")


def _kept(edge: EdgeRows) -> str:
    """Return SQL for the rows of a type; of one key, the greatest, and all that may move.

    Rows that differ in a user are all kept: it is named, though another may be shown.
    """
    known = "" if edge.derived else f" UNION SELECT * FROM known_{edge.name}"
    rows = f"SELECT * FROM fresh_{edge.name}{known}"
    if not edge.others or set(edge.others) & set(edge.people):
        return rows
    moves = " OR ".join(f"coalesce({handle_sql(quoted(c))}, false)" for c in edge.people) or "false"
    key = ", ".join(quoted(k) for k in edge.key)
    return (
        f"SELECT * FROM ({rows}) QUALIFY ({moves}) OR row_number() OVER"
        f" (PARTITION BY {key}, ({moves}) ORDER BY {_order(edge)}) = 1"
    )


def _order(edge: EdgeRows) -> str:
    return ", ".join(f"{quoted(o)} DESC NULLS LAST" for o in edge.others)


def _resolved(edge: EdgeRows) -> str:
    chosen = {c: f"a.{quoted(c)}" for c in COLUMNS}
    joins = ""
    for c in edge.people:
        joins += f" LEFT JOIN resolved r_{c} ON r_{c}.id = a.{quoted(c)}"
        chosen[c] = f'coalesce(r_{c}."to", a.{quoted(c)})'
    label = f"'{edge.labels[0]}'"
    if layout.NAME in edge.labels:
        joins += ' LEFT JOIN names n ON n.name = a."end"'
        chosen["end"] = (
            f"CASE WHEN n.name IS NULL THEN {chosen['end']}"
            ' WHEN n.declared THEN n.brand_id ELSE a."end" END'
        )
        label = (
            f"CASE WHEN n.name IS NULL THEN 'User' WHEN n.declared THEN 'Brand'"
            f" ELSE '{layout.NAME}' END"
        )
    named = ", ".join(f"{sql} AS {quoted(c)}" for c, sql in chosen.items())
    said = ", ".join(f"CAST(a.{quoted(c)} AS VARCHAR)" for c in COLUMNS)
    same = " AND ".join(
        f"a.{quoted(c)} IS NOT DISTINCT FROM {chosen[c]}" for c in dict.fromkeys(edge.people)
    )
    # Of what is no property of the relationship, nothing can be read back from it.
    plain = f"{same or 'true'} AND a.community IS NULL"
    return (
        f"SELECT {named}, {label} AS label, to_json([{said}]) AS said, {plain} AS plain"
        f" FROM ({_kept(edge)}) a{joins}"
    )


def _grouped(con: duckdb.DuckDBPyConnection, edge: EdgeRows) -> str:
    order = f" ORDER BY {_order(edge)}" if edge.others else ""
    group = [quoted(g) for g in edge.grouped]
    columns = [quoted(c) for c in ("label", *COLUMNS) if c != "community"]
    if not scalar(
        con,
        f"SELECT EXISTS (SELECT {', '.join(group)} FROM row_{edge.name}"
        f" GROUP BY {', '.join(group)} HAVING count(*) > 1 OR NOT bool_and(plain))",
    ):
        alone = "NULL::VARCHAR[] AS said"
        return f"SELECT {', '.join(columns)}, {alone} FROM row_{edge.name}"
    chosen = ", ".join(c if c in group else f"first({c}{order}) AS {c}" for c in columns)
    said = (
        "CASE WHEN count(*) > 1 OR NOT bool_and(plain) THEN list(said::VARCHAR ORDER BY said) END"
    )
    return f"SELECT {chosen}, {said} AS said FROM row_{edge.name} GROUP BY {', '.join(group)}"
