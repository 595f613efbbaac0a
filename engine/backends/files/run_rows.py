"""A run as rows of the graph: communities, members and scores, in SQL over its tables.

What a run calls members and sources may be gone from the graph since (a handle was
resolved): who fills a graph leaves out the rows whose ends it does not find.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from engine.backends.files.duck import quoted
from engine.model import EDGES, NODES, TOPIC_KINDS

__all__ = ["SOURCES", "community_rows", "member_rows", "open_run", "score_rows", "user_rows"]

SOURCES: Final = {
    "User": ("user",),
    "Brand": ("brand",),
    "Topic": TOPIC_KINDS,
    "Content": ("content",),
}
"""Which kinds of sources each node table holds."""

_TABLES: Final = ("authority", "communities", "influence", "memberships", "scores")


def open_run(con: duckdb.DuckDBPyConnection, run: Path) -> None:
    """Make views of the tables in a run's folder that the graph is filled from.

    The graph holds the communities of the chosen resolution: of the levels above and below
    it the run's tables tell.
    """
    for name in _TABLES:
        rows = con.read_parquet([str(run / f"{name}.parquet")])
        chosen = rows.filter("level = 1") if "level" in rows.columns else rows
        chosen.create_view(name)


def community_rows() -> str:
    """Return the select of communities of level 1, columns as the graph declares them."""
    columns = ", ".join(quoted(name) for name, _ in NODES["Community"].properties)
    return f"SELECT {columns} FROM communities WHERE level = 1"


def member_rows(known: str = "") -> str:
    """Return the select of members: from, to, and what is known of each there.

    Parameters
    ----------
    known
        A relation whose `id` are the users that the graph has; empty for all users.
    """
    figures = {
        "confidence": "m.confidence",
        "authority": "a.authority",
        "influence": "i.influence",
    }
    chosen = ", ".join(
        f"{figures[name]} AS {quoted(name)}" for name, _ in EDGES["MEMBER_OF"].properties
    )
    return (
        f'SELECT m.user_id AS "from", m.community_id AS "to", {chosen} FROM memberships m'
        f"{_semi_join(known, 'm.user_id')} SEMI JOIN communities c USING (community_id)"
        " LEFT JOIN authority a ON a.user_id = m.user_id AND a.community_id = m.community_id"
        " LEFT JOIN influence i ON i.source_kind = 'user' AND i.source_id = m.user_id"
        " WHERE m.fold IS NULL AND m.level = 1"
    )


def score_rows(node: str, known: str = "") -> str:
    """Return the select of the scores of sources that are nodes of this table.

    Parameters
    ----------
    node
        One of `SOURCES`.
    known
        A relation whose `id` are the nodes that the graph has; empty for all.
    """
    said = ", ".join(f"'{kind}'" for kind in SOURCES[node])
    figures = ", ".join(quoted(name) for name, _ in EDGES["RESONATES_IN"].properties)
    # A topic's key is `kind:label`.
    source = (
        "CASE WHEN starts_with(source_id, source_kind || ':') THEN source_id"
        " ELSE source_kind || ':' || source_id END"
        if node == "Topic"
        else "source_id"
    )
    column = 's."from"'
    return (
        f'SELECT s."from", s.community_id AS "to", {figures} FROM (SELECT *, {source} AS "from"'
        f" FROM scores WHERE source_kind IN ({said}) AND community_id IS NOT NULL) s"
        f"{_semi_join(known, column)} SEMI JOIN communities c USING (community_id)"
    )


def user_rows() -> str:
    """Return the select of users: user_id, authority overall, and influence percentile."""
    return (
        "SELECT coalesce(a.user_id, i.source_id) AS user_id, a.authority, i.influence"
        " FROM (FROM authority WHERE community_id IS NULL) a"
        " FULL JOIN (FROM influence WHERE source_kind = 'user') i ON i.source_id = a.user_id"
    )


def _semi_join(known: str, column: str) -> str:
    return f" SEMI JOIN {known} k ON k.id = {column}" if known else ""
