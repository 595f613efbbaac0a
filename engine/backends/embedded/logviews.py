"""The log as relations of DuckDB: rows of all batches, handles resolved, brands told apart.

`define` makes views over the files. `resolve` then lays the reading of them on top: which
`platform:@handle` is which user, and which mentions mean a brand. Both are views of all
batches together, so that the order in which they were loaded cannot matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb
import numpy as np

from engine.backends.embedded.manifest import BatchEntry
from engine.backends.embedded.shape import LOG, SPACES, keys_file
from engine.backends.files.duck import quoted, scalar
from engine.merge import merged_sql
from engine.model import Table, canonical

__all__ = ["EVENTS", "NO_TIME_SQL", "ambiguous_handles", "define", "merged", "resolve"]

NO_TIME_SQL: Final = f"({np.iinfo(np.int64).min + 1} - 1)::BIGINT"
"""`engine.snapshot.NO_TIME` in SQL, whose parser reads the minus sign last."""

_TIME: Final = f'coalesce(epoch_us("at"), {NO_TIME_SQL}) AS "at"'


def define(
    con: duckdb.DuckDBPyConnection,
    batches: Sequence[tuple[BatchEntry, Path]],
    schema: str = "main",
) -> None:
    """Make the views `log_<table>` and `keys_<space>` over the files of these batches.

    They are made in a schema, which stays the current one; where it has them already,
    nothing is done.
    """
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    con.execute(f"SET schema = '{schema}'")
    if scalar(
        con,
        "SELECT count(*) FROM duckdb_views() WHERE schema_name = $s AND view_name = 'keys_user'",
        {"s": schema},
    ):
        return
    for name, table in LOG.items():
        columns = {c.name: c.type for c in table.columns} | {"batch": "INTEGER"}
        _view(con, f"log_{name}", _files(batches, name), columns)
    for space in SPACES:
        _view(
            con,
            f"keys_{space}",
            _files(batches, keys_file(space)),
            {"no": "INTEGER", "id": "VARCHAR"},
        )


def _files(batches: Sequence[tuple[BatchEntry, Path]], name: str) -> list[str]:
    return [str(folder / f"{name}.parquet") for entry, folder in batches if name in entry.files]


def _view(
    con: duckdb.DuckDBPyConnection, name: str, files: list[str], columns: dict[str, str]
) -> None:
    if files:
        # A store of an older format that is only read lacks the columns that came since.
        held = con.read_parquet(files, union_by_name=True)
        held.create_view(f"file_{name}")
        chosen = ", ".join(
            quoted(c) if c in held.columns else f"CAST(NULL AS {type}) AS {quoted(c)}"
            for c, type in columns.items()
        )
        con.execute(f"CREATE VIEW {name} AS SELECT {chosen} FROM file_{name}")
        return
    nothing = ", ".join(f"CAST(NULL AS {type}) AS {quoted(c)}" for c, type in columns.items())
    con.execute(f"CREATE VIEW {name} AS SELECT {nothing} WHERE false")


_CLAIMS: Final = """
    SELECT split_part(k.id, ':', 1) || ':@' || lower(u.handle) AS named, u.user_no
    FROM merged_handles u JOIN keys_user k ON k.no = u.user_no
    WHERE u.handle IS NOT NULL AND NOT starts_with(k.id, split_part(k.id, ':', 1) || ':@')
"""


def resolve(con: duckdb.DuckDBPyConnection) -> None:
    """Make `resolved` (no, to_no), `brand_names` (no, brand_id) and a view for each event.

    A handle is resolved to the one user who claims it; where several do, it stays as it is.
    The views `row_<event>` hold numbers only: -1 for no user or content, `NO_TIME` for no
    time, so that equal rows are equal in SQL.
    """
    con.execute(
        """
        CREATE TABLE handle_ids AS
        SELECT no, id FROM keys_user WHERE contains(id, ':@')
        """
    )
    merged(con, "users", ("user_id", "handle"), "merged_handles", only_if="handle_ids")
    con.execute(f"CREATE TABLE claims AS {_CLAIMS}")
    con.execute(
        """
        CREATE TABLE resolved AS
        SELECT h.no, min(c.user_no) AS to_no
        FROM handle_ids h JOIN claims c ON c.named = h.id
        GROUP BY h.no HAVING count(DISTINCT c.user_no) = 1
        """
    )
    con.execute(
        """
        CREATE TABLE brand_names AS
        SELECT k.no, n.brand_id FROM keys_user k JOIN (
            SELECT value AS id, min(brand_id) AS brand_id
            FROM log_brand_members WHERE kind = 'alias' GROUP BY value
            UNION ALL
            SELECT DISTINCT brand_id, brand_id FROM log_brands
            WHERE brand_id NOT IN (SELECT value FROM log_brand_members WHERE kind = 'alias')
        ) n USING (id)
        """
    )
    some = bool(scalar(con, "SELECT EXISTS (SELECT 1 FROM resolved)"))
    for name, (table, columns, where) in EVENTS.items():
        con.execute(_event_view(name, table, columns, where, resolving=some))


def ambiguous_handles(con: duckdb.DuckDBPyConnection) -> int:
    """Return how many handles stay unresolved because several users claim them."""
    return int(
        scalar(
            con,
            """
            SELECT count(*) FROM (
                SELECT h.no FROM handle_ids h JOIN claims c ON c.named = h.id
                GROUP BY h.no HAVING count(DISTINCT c.user_no) > 1
            )
            """,
        )
    )


_NOT_BRAND = "target_no NOT IN (SELECT no FROM brand_names)"
_BRAND = "target_no IN (SELECT no FROM brand_names)"

EVENTS: Final[dict[str, tuple[str, tuple[str, ...], str]]] = {
    "shares": (
        "shares",
        ("user:user_no", "content:content_no", "at", "kind", "via:via_user_no"),
        "",
    ),
    "mentions": (
        "mentions",
        ("user:user_no", "target:target_no", "at", "content:content_no"),
        _NOT_BRAND,
    ),
    "brand_mentions": (
        "mentions",
        ("user:user_no", "brand:target_no", "at", "content:content_no"),
        _BRAND,
    ),
    "replies": (
        "replies",
        ("user:user_no", "parent:parent_content_no", "at", "content:content_no"),
        "",
    ),
    "reactions": ("reactions", ("user:user_no", "content:content_no", "kind", "at", "score"), ""),
    "follows": ("follows", ("follower:follower_no", "followee:followee_no", "at"), ""),
    "interactions": (
        "interactions",
        ("user:user_no", "target:target_no", "kind", "at", "weight"),
        "",
    ),
    "about": ("topics", ("content:content_no", "topic:topic_no"), ""),
    "impressions": (
        "impressions",
        ("content:content_no", "user:user_no", "community", "count"),
        "",
    ),
    "brand_accounts": ("brand_members", ("brand_id", "user:user_no"), "user_no IS NOT NULL"),
    "brand_domains": ("brand_members", ("brand_id", "topic:topic_no"), "topic_no IS NOT NULL"),
}
"""Views of events by name: table of the log, columns (`name:number column`), condition."""

_PEOPLE: Final = {"user_no", "via_user_no", "target_no", "follower_no", "followee_no"}


def _event_view(
    name: str, table: str, columns: tuple[str, ...], where: str, *, resolving: bool
) -> str:
    chosen, joins = [], []
    for column in columns:
        new, _, old = column.partition(":")
        if not old:
            chosen.append(_TIME if new == "at" else quoted(new))
        elif resolving and old in _PEOPLE and new != "brand":
            alias = f"resolved_{new}"
            joins.append(f" LEFT JOIN resolved {alias} ON {alias}.no = {old}")
            chosen.append(f"coalesce({alias}.to_no, {old}, -1) AS {quoted(new)}")
        else:
            chosen.append(f"coalesce({old}, -1) AS {quoted(new)}")
    condition = f" WHERE {where}" if where else ""
    return (
        f"CREATE VIEW row_{name} AS SELECT {', '.join(chosen)}, batch"
        f" FROM log_{table}{''.join(joins)}{condition}"
    )


def merged(
    con: duckdb.DuckDBPyConnection,
    name: str,
    columns: Sequence[str],
    into: str,
    *,
    only_if: str | None = None,
    where: str = "true",
    kept: Mapping[str, str] | None = None,
) -> None:
    """Make a table of one row a thing from the log's rows of users, content or brands.

    Things with a single row, mostly all, are taken as they are; only the others are merged.

    Parameters
    ----------
    columns
        Canonical columns wanted, the key first. Ids of users and contents stay numbers,
        under the names `user_no`, `content_no` and `author_no`.
    into
        Name of the table.
    only_if
        A relation; where it is empty the table stays empty, without reading anything.
    where
        A condition on rows of the log.
    kept
        SQL for what is kept of a column where that is not the column.
    """
    table = canonical(name)
    (key,) = LOG[name].key
    named = tuple(
        replace(c, name=key) if c.name == table.key[0] else c
        for c in table.columns
        if c.name in {*columns, "seen_at"}
    )
    names = [key, *(c.name for c in named if c.name not in {key, "seen_at"})]
    kept = dict(kept or {})
    plain = ", ".join(kept.get(c, "author_no" if c == "author_id" else quoted(c)) for c in names)
    if not scalar(con, f"SELECT EXISTS (SELECT 1 FROM {only_if or f'log_{name}'})"):
        con.execute(f"CREATE TABLE {into} AS SELECT {plain} FROM log_{name} WHERE false")
        return
    con.execute(
        f"CREATE TABLE several_{into} AS SELECT {key} FROM log_{name} WHERE {where}"
        f" GROUP BY {key} HAVING count(*) > 1"
    )
    single = f"SELECT {plain} FROM log_{name} ANTI JOIN several_{into} USING ({key}) WHERE {where}"
    merging = replace(table, key=(key,), columns=named)
    several = _merged_several(name, merging, names, into, where=where, kept=kept)
    con.execute(f"CREATE TABLE {into} AS {single} UNION ALL {several}")


def _merged_several(
    name: str, table: Table, names: Sequence[str], into: str, *, where: str, kept: Mapping[str, str]
) -> str:
    """Return SQL for the things with several rows; ids of authors are compared as strings."""
    (key,) = table.key
    said = ", ".join(
        "(SELECT id FROM keys_user a WHERE a.no = author_no) AS author_id"
        if c == "author_id"
        else quoted(c)
        for c in [*names, "seen_at"]
    )
    rows = f"(SELECT {said} FROM log_{name} SEMI JOIN several_{into} USING ({key}) WHERE {where})"
    chosen = ", ".join(
        kept.get(c, "a.no AS author_no" if c == "author_id" else f"m.{quoted(c)}") for c in names
    )
    author = " LEFT JOIN keys_user a ON a.id = m.author_id" if "author_id" in names else ""
    return f"SELECT {chosen} FROM ({merged_sql(table, rows)}) m{author}"
