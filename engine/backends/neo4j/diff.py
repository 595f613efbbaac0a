"""What a batch makes new and what it changes: the difference to what the server knows.

Everything is decided here, in DuckDB, before the first statement writes. What is new is written
in its final form. What changes nodes and relationships that are there is kept apart, to be
applied once the load is done.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from engine.backends.files.duck import quoted, scalar
from engine.backends.neo4j import graph_rows, layout
from engine.backends.neo4j.graph_rows import COLUMNS, EDGE_ROWS, EXPOSURE_ROWS, EdgeRows, handle_sql
from engine.backends.neo4j.readings import there_users
from engine.backends.neo4j.things import claim_sql, count_new, platform_sql
from engine.model import CANONICAL

__all__ = ["compare", "new_rows"]


def compare(con: duckdb.DuckDBPyConnection, *, at_once: bool = True) -> None:
    """Make the tables of what is to be written.

    New: `make_users make_handles make_content make_topics make_brands make_members
    make_exposures make_<type>`. Of what is there: `set_users set_content set_brands
    set_exposures`, `turn` (handles that get or lose a user), `later_<type>` (relationships at
    those), `drop` (element ids), `lose` (users that nothing names any more).

    Parameters
    ----------
    at_once
        Whether relationships may be made before those they replace are dropped: only under the
        number of a load that does not count yet.
    """
    _compare_users(con)
    _compare_others(con)
    for edge in EDGE_ROWS:
        _compare_edges(con, edge, at_once=at_once)
    con.execute(
        f"""
        CREATE TABLE make_names AS SELECT DISTINCT "end" AS name FROM (
            SELECT * FROM make_mentioned UNION ALL SELECT * FROM later_mentioned
        ) WHERE label = '{layout.NAME}'
        """
    )
    dropped = " UNION ALL ".join(
        f"SELECT rid FROM actual_{e.name} ANTI JOIN edge_{e.name} ON {_same(e.name)}"
        for e in EDGE_ROWS
    )
    con.execute(f'CREATE TABLE "drop" AS {dropped}')


def _compare_users(con: duckdb.DuckDBPyConnection) -> None:
    used = " UNION ALL ".join(
        f"SELECT {quoted(c)} FROM row_{edge.name} WHERE {where}"
        for edge in EDGE_ROWS
        for c, where in (
            ("start", "true" if edge.start == "User" else "false"),
            ("end", "label = 'User'"),
            ("via_user_id", "via_user_id IS NOT NULL"),
        )
    )
    con.execute(f"CREATE OR REPLACE TABLE there_users AS {there_users()}")
    con.execute(
        f"""
        CREATE TABLE needed AS SELECT DISTINCT id FROM (
            {used}
            UNION ALL SELECT user_id FROM now_users ANTI JOIN resolved ON id = user_id
            UNION ALL SELECT coalesce(r."to", m.value) FROM now_members m
            LEFT JOIN resolved r ON r.id = m.value WHERE m.kind = 'account'
        ) ids(id)
        """
    )
    con.execute(
        f"""
        CREATE TABLE node_users AS
        SELECT i.id AS user_id, {platform_sql("u.platform", "i.id")} AS platform,
               u.* EXCLUDE (user_id, platform), {claim_sql("i.id", "u.handle")} AS claim
        FROM (
            SELECT id FROM needed UNION SELECT user_id FROM now_users
            UNION SELECT id FROM batch_users WHERE {handle_sql("id")}
        ) i LEFT JOIN now_users u ON u.user_id = i.id
        """
    )
    fresh = "FROM node_users n ANTI JOIN known_users k USING (user_id)"
    con.execute(
        f"CREATE TABLE make_users AS SELECT * {fresh} ANTI JOIN there_users t ON t.id = n.user_id"
        f" WHERE NOT {handle_sql('user_id')}"
    )
    con.execute(
        f"""
        CREATE TABLE make_handles AS
        SELECT n.*, r."to", r."to" IS NULL AND n.user_id IN (SELECT id FROM needed) AS is_user
        {fresh} ANTI JOIN there_users t ON t.id = n.user_id
        LEFT JOIN resolved r ON r.id = n.user_id WHERE {handle_sql("n.user_id")}
        """
    )
    con.execute(
        f"""
        CREATE TABLE turn AS
        SELECT * FROM (
            SELECT k.user_id, r."to", r."to" IS NULL AND (k.is_user OR n.id IS NOT NULL) AS is_user
            FROM known_users k LEFT JOIN resolved r ON r.id = k.user_id
            LEFT JOIN needed n ON n.id = k.user_id WHERE {handle_sql("k.user_id")}
        ) EXCEPT SELECT user_id, "to", is_user FROM known_users
        """
    )
    con.execute(
        f"CREATE TABLE set_users AS SELECT n.*, {handle_sql('user_id')} AS handle_only"
        " FROM (SELECT n.* FROM node_users n SEMI JOIN known_users USING (user_id)"
        " WHERE n.told IS NOT NULL"
        f" EXCEPT SELECT {_columns('n', 'node_users', con)} FROM known_users n) n"
    )
    con.execute(
        """
        CREATE TABLE lose AS
        SELECT id FROM (
            SELECT id FROM renamed UNION SELECT id FROM former
        ) SEMI JOIN known_users ON user_id = id ANTI JOIN needed USING (id)
        """
    )


def _columns(alias: str, table: str, con: duckdb.DuckDBPyConnection) -> str:
    names = [
        row[0]
        for row in con.execute(
            "SELECT column_name FROM duckdb_columns() WHERE table_name = $t ORDER BY column_index",
            {"t": table},
        ).fetchall()
    ]
    return ", ".join(f"{alias}.{quoted(name)}" for name in names)


def _compare_others(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        f"""
        CREATE TABLE node_content AS
        SELECT i.id AS content_id, {platform_sql("c.platform", "i.id")} AS platform,
               c.* EXCLUDE (content_id, platform, author_id)
        FROM batch_content i LEFT JOIN now_content c ON c.content_id = i.id
        """
    )
    con.execute(
        "CREATE TABLE make_content AS SELECT * FROM node_content ANTI JOIN known_content"
        " USING (content_id)"
    )
    con.execute(
        "CREATE TABLE set_content AS SELECT * FROM node_content SEMI JOIN known_content"
        " USING (content_id) WHERE told IS NOT NULL"
        f" EXCEPT SELECT {_columns('k', 'node_content', con)} FROM known_content k"
    )
    con.execute(
        """
        CREATE TABLE make_topics AS
        SELECT id AS topic_id, split_part(id, ':', 1) AS kind,
               substr(id, length(split_part(id, ':', 1)) + 2) AS label
        FROM batch_topics ANTI JOIN known_topics ON topic_id = id
        """
    )
    con.execute(
        "CREATE TABLE make_brands AS SELECT * FROM now_brands ANTI JOIN known_brands"
        " USING (brand_id)"
    )
    con.execute(
        "CREATE TABLE set_brands AS SELECT n.* FROM now_brands n SEMI JOIN known_brands"
        f" USING (brand_id) EXCEPT SELECT {_columns('k', 'now_brands', con)} FROM known_brands k"
    )
    con.execute(
        "CREATE TABLE make_members AS SELECT * FROM now_members EXCEPT SELECT * FROM known_members"
    )
    con.execute(
        f"""
        CREATE TABLE exposed AS
        SELECT f."end" AS content_id, f.community, max(f."count") AS "count",
               any_value(a.rid) AS rid, any_value(a."count") AS before
        FROM fresh_{EXPOSURE_ROWS.name} f LEFT JOIN actual_exposures a
        ON a."end" = f."end" AND a.community IS NOT DISTINCT FROM f.community
        GROUP BY f."end", f.community
        """
    )
    con.execute("CREATE TABLE make_exposures AS SELECT * FROM exposed WHERE rid IS NULL")
    con.execute('CREATE TABLE set_exposures AS SELECT * FROM exposed WHERE "count" > before')


def _compare_edges(con: duckdb.DuckDBPyConnection, edge: EdgeRows, *, at_once: bool) -> None:
    fresh = (
        f"SELECT edge_{edge.name}.* FROM edge_{edge.name}"
        f" ANTI JOIN actual_{edge.name} ON {_same(edge.name)}"
    )
    turned = "IN (SELECT user_id FROM turn WHERE is_user)"
    waits = ["true"] if not at_once else ["false"]
    if edge.start == "User":
        waits.append(f'"start" {turned}')
    if "User" in edge.labels:
        waits.append(f"label = 'User' AND \"end\" {turned}")
    wait = " OR ".join(waits)
    con.execute(f"CREATE TABLE make_{edge.name} AS SELECT * FROM ({fresh}) WHERE NOT ({wait})")
    con.execute(f"CREATE TABLE later_{edge.name} AS SELECT * FROM ({fresh}) WHERE {wait}")


def _same(name: str) -> str:
    """Return SQL that says whether a relationship is as it has to be."""
    columns = ("label", *(c for c in COLUMNS if c != "community"), "said")
    return " AND ".join(
        f"edge_{name}.{quoted(c)} IS NOT DISTINCT FROM actual_{name}.{quoted(c)}" for c in columns
    )


def new_rows(con: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> dict[str, int]:
    """Return how many rows of each table have a key that no load has brought before."""
    found: dict[str, int] = {}
    for name in tables:
        if CANONICAL[name].merges:
            found[name] = count_new(con, name)
        elif name == "brand_members":
            key = ", ".join(CANONICAL[name].key)
            new = f"SELECT {key} FROM raw_{name} EXCEPT SELECT * FROM known_members"
            found[name] = int(scalar(con, f"SELECT count(*) FROM ({new})"))
        else:
            rows = [e for e in (*EDGE_ROWS, EXPOSURE_ROWS) if e.source == f"raw_{name}"]
            found[name] = sum(graph_rows.count_new(con, e) for e in rows)
    return found
