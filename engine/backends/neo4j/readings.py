"""Which handle is whose, and which name is a brand's, with a batch and without it."""

from __future__ import annotations

import duckdb

from engine.backends.files.duck import quoted
from engine.backends.neo4j import layout
from engine.backends.neo4j.graph_rows import EDGE_ROWS, handle_sql
from engine.backends.neo4j.known import Known
from engine.backends.neo4j.things import claim_sql, merge

__all__ = ["name_brands", "record_others", "resolve_handles", "there_users"]


def resolve_handles(
    con: duckdb.DuckDBPyConnection, known: Known | None, *, users: bool, every: bool
) -> None:
    """Make `now_users`, `resolved` (id, to) and `changed` (id, before) of handles.

    A handle is resolved to the one user who claims it; where several do, it stays as it is.
    Looked at are the handles that the batch names, and those that a user it tells of claims
    now or claimed before.

    Parameters
    ----------
    known
        What the server knows; None where it knows nothing.
    users
        Whether the batch tells of users.
    every
        Take every handle as changed.
    """
    merge(con, "users", there=users)
    told = (
        f"SELECT {claim_sql('user_id', 'handle')} FROM now_users SEMI JOIN raw_users"
        " USING (user_id) UNION SELECT claim FROM known_users SEMI JOIN raw_users USING (user_id)"
    )
    con.execute(
        f"""
        CREATE TABLE checked AS SELECT DISTINCT id FROM (
            SELECT id FROM batch_users WHERE {handle_sql("id")}
            {f"UNION {told}" if users else ""}
        ) named(id) WHERE id IS NOT NULL
        """
    )
    if known is not None:
        known.users("SELECT id FROM checked", label=layout.HANDLE)
        known.users("SELECT id FROM checked", key=layout.CLAIM)
        merge(con, "users", there=users)
    con.execute(
        f"""
        CREATE TABLE claims AS
        SELECT {claim_sql("user_id", "handle")} AS named, user_id FROM now_users
        WHERE handle IS NOT NULL
        """
    )
    con.execute(
        """
        CREATE TABLE resolved AS
        SELECT h.id, min(c.user_id) AS "to"
        FROM checked h JOIN claims c ON c.named = h.id
        WHERE h.id IN (SELECT id FROM batch_users) OR h.id IN (SELECT user_id FROM known_users)
        GROUP BY h.id HAVING count(DISTINCT c.user_id) = 1
        """
    )
    con.execute(
        f"""
        CREATE TABLE changed AS
        SELECT k.user_id AS id, k."to" AS before
        FROM known_users k SEMI JOIN checked c ON c.id = k.user_id
        LEFT JOIN resolved r ON r.id = k.user_id
        WHERE {"true" if every else 'k."to" IS DISTINCT FROM r."to"'}
        """
    )


def record_others(con: duckdb.DuckDBPyConnection, known: Known) -> None:
    """Fetch the users that were named before and are not seen, and add handles to `resolved`.

    Those are handles that are somebody's, and users in rows that others have the place of.
    The batch leaves them as they are.
    """
    said = [
        f"SELECT {quoted(c)} AS id FROM known_{edge.name}"
        for edge in EDGE_ROWS
        if not edge.derived
        for c in edge.people
    ]
    said.append("SELECT author_id FROM known_content")
    said.append("SELECT value FROM now_members WHERE kind = 'account'")
    unseen = (
        f"SELECT id FROM ({' UNION '.join(said)}) EXCEPT {there_users()}"
        " EXCEPT SELECT user_id FROM known_users EXCEPT SELECT id FROM batch_users"
    )
    con.execute(f"CREATE OR REPLACE TABLE unseen AS {unseen}")
    known.users(f"SELECT id FROM unseen WHERE {handle_sql('id')}", label=layout.HANDLE)
    known.users(f"SELECT id FROM unseen WHERE NOT {handle_sql('id')}")
    con.execute(
        """
        INSERT INTO resolved SELECT user_id, "to" FROM known_users
        WHERE "to" IS NOT NULL AND user_id NOT IN (SELECT id FROM checked)
        AND user_id NOT IN (SELECT id FROM resolved)
        """
    )


def name_brands(
    con: duckdb.DuckDBPyConnection, *, brands: bool, members: bool, every: bool
) -> None:
    """Make `now_brands`, `now_members`, `now_accounts`, `names` and `renamed` (id, before).

    Of brands that share an alias the first by id has it. A name of a brand that nobody has
    declared is no user's either.
    """
    merge(con, "brands", there=brands)
    raw = " UNION SELECT brand_id, kind, value FROM raw_brand_members" if members else ""
    con.execute(f"CREATE TABLE now_members AS SELECT * FROM known_members{raw}")
    con.execute(f"CREATE TABLE names AS {_names('now')}")
    con.execute(f"CREATE TABLE names_before AS {_names('known')}")
    differ = "(n.brand_id, n.declared) IS DISTINCT FROM (b.brand_id, b.declared)"
    con.execute(
        f"""
        CREATE TABLE renamed AS
        SELECT name AS id, b.brand_id AS before FROM names n FULL JOIN names_before b USING (name)
        WHERE {"true" if every else differ}
        """
    )
    con.execute(
        "CREATE TABLE now_accounts AS SELECT brand_id, value FROM now_members"
        " SEMI JOIN now_brands USING (brand_id) WHERE kind = 'account'"
    )


def _names(when: str) -> str:
    alias = f"SELECT value FROM {when}_members WHERE kind = 'alias'"
    return f"""
        SELECT name, brand_id, brand_id IN (SELECT brand_id FROM {when}_brands) AS declared FROM (
            SELECT value AS name, min(brand_id) AS brand_id
            FROM {when}_members WHERE kind = 'alias' GROUP BY value
            UNION ALL
            SELECT brand_id, brand_id FROM {when}_brands WHERE brand_id NOT IN ({alias})
        )
    """


def there_users() -> str:
    """Return SQL for the users that are known to be nodes."""
    ends = [
        f"SELECT {quoted(c)} FROM actual_{edge.name} WHERE {where}"
        for edge in EDGE_ROWS
        for c, where in (
            ("start", "true" if edge.start == "User" else "false"),
            ("end", "label = 'User'"),
            ("via_user_id", "via_user_id IS NOT NULL"),
        )
    ]
    return (
        "SELECT DISTINCT id FROM (SELECT user_id FROM known_users WHERE is_user"
        f" UNION ALL {' UNION ALL '.join(ends)}) ids(id)"
    )
