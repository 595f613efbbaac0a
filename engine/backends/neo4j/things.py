"""Users, contents and brands: what the server knows of them and a batch says, as one row each.

What the server knows is laid out again as rows of exports, one for each time at which
something was seen, so that `engine.merge` decides here as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import duckdb

from engine.backends.files.batch import sql_type
from engine.backends.files.duck import quoted, scalar
from engine.backends.neo4j.graph_rows import NO_TIME_SQL, handle_sql
from engine.merge import merged_sql
from engine.model import CANONICAL, Column

__all__ = ["THINGS", "claim_sql", "count_new", "known_tables", "merge", "platform_sql"]

THINGS: Final = ("users", "content", "brands")
"""Canonical tables of things, which merge column by column."""

_BOOKKEEPING: Final[Mapping[str, Mapping[str, str]]] = {
    "users": {"claim": "VARCHAR", "to": "VARCHAR", "is_user": "BOOLEAN"},
    "content": {},
    "brands": {},
}


def mergeable(name: str) -> tuple[Column, ...]:
    """Return the columns of a thing that merge, in the order of the model."""
    table = CANONICAL[name]
    return tuple(c for c in table.columns if c.name not in {*table.key, "seen_at"})


def known_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Make the empty tables `known_<thing>` for what the server knows."""
    for name in THINGS:
        (key,) = CANONICAL[name].key
        columns = {
            key: "VARCHAR",
            **{c.name: sql_type(c.type) for c in mergeable(name)},
            "seen": "BIGINT[]",
            "told": "BIGINT",
            **_BOOKKEEPING[name],
        }
        declared = ", ".join(f"{quoted(c)} {type}" for c, type in columns.items())
        con.execute(f"CREATE TABLE known_{name} ({declared}, PRIMARY KEY ({key}))")


def count_new(con: duckdb.DuckDBPyConnection, name: str) -> int:
    """Return how many things a batch tells of that no load has told of before."""
    (key,) = CANONICAL[name].key
    return int(
        scalar(
            con,
            f"SELECT count(*) FROM (SELECT DISTINCT {key} FROM raw_{name} ANTI JOIN"
            f" (SELECT {key} FROM known_{name} WHERE told IS NOT NULL) USING ({key}))",
        )
    )


def merge(con: duckdb.DuckDBPyConnection, name: str, *, there: bool) -> None:
    """Make `now_<thing>`: one row for each that the batch tells of or the server knows of.

    Its columns are those of the canonical table without `seen_at`, then `seen` and `told` as
    they stand on a node.
    """
    table = CANONICAL[name]
    (key,) = table.key
    columns = mergeable(name)
    rows = _known_rows(name, columns)
    if there:
        chosen = ", ".join(quoted(c.name) for c in table.columns)
        rows = f"SELECT {chosen} FROM raw_{name} UNION ALL {rows}"
    con.execute(f"CREATE OR REPLACE TABLE rows_{name} AS {rows}")
    seen = ", ".join(
        f"max(coalesce(epoch_us(seen_at), {NO_TIME_SQL}))"
        f" FILTER (WHERE {quoted(c.name)} IS NOT NULL)"
        for c in columns
    )
    values = ", ".join(quoted(c.name) for c in columns)
    told = "1 + CAST(platform IS NOT NULL AS BIGINT)" if name != "brands" else "1"
    con.execute(
        f"""
        CREATE OR REPLACE TABLE now_{name} AS
        SELECT {key}, {values}, {_compact("seen")} AS seen, {told} AS told
        FROM ({merged_sql(table, f"rows_{name}")}) m
        JOIN (SELECT {key}, [{seen}] AS seen FROM rows_{name} GROUP BY {key}) s USING ({key})
        """
    )


def _known_rows(name: str, columns: tuple[Column, ...]) -> str:
    """Return SQL for what the server knows, as rows of exports."""
    (key,) = CANONICAL[name].key
    none = ", ".join([NO_TIME_SQL] * len(columns))
    same = ", ".join(["seen[1]"] * len(columns))
    whole = f"CASE WHEN seen IS NULL THEN [{none}] WHEN len(seen) = 1 THEN [{same}] ELSE seen END"
    values = ", ".join(
        f"CASE WHEN whole[{i}] = one{' AND told = 2' if c.name == 'platform' else ''}"
        f" THEN {quoted(c.name)} END AS {quoted(c.name)}"
        for i, c in enumerate(columns, 1)
    )
    return (
        f"SELECT {key}, {values},"
        f" CASE WHEN one > {NO_TIME_SQL} THEN CAST(make_timestamp(one) AS TIMESTAMPTZ) END"
        " AS seen_at"
        " FROM (SELECT *, unnest(list_distinct(whole)) AS one"
        f" FROM (SELECT *, {whole} AS whole FROM known_{name} WHERE told IS NOT NULL))"
    )


def _compact(seen: str) -> str:
    """Return SQL for times as they stand on a node: as few as say the same."""
    each = f"list_distinct({seen})"
    return (
        f"CASE WHEN len({each}) = 0 OR {each} = [{NO_TIME_SQL}] THEN NULL"
        f" WHEN len({each}) = 1 THEN {each}"
        f" ELSE list_transform({seen}, lambda t: coalesce(t, {NO_TIME_SQL})) END"
    )


def platform_sql(platform: str, key: str) -> str:
    """Return SQL for the platform of a node: as told, else as its id begins."""
    return (
        f"coalesce({platform}, CASE WHEN contains({key}, ':') THEN split_part({key}, ':', 1) END)"
    )


def claim_sql(user_id: str, handle: str) -> str:
    """Return SQL for the id that a mention of a user's handle says; null for a handle's own."""
    return (
        f"CASE WHEN {handle} IS NOT NULL AND NOT {handle_sql(user_id)}"
        f" THEN split_part({user_id}, ':', 1) || ':@' || lower({handle}) END"
    )
