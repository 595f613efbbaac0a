"""What a batch says and what the server knows of it, side by side in DuckDB.

Fetched is only what the batch touches. What it gives another meaning, a handle that turns out
to be somebody's or a name that turns out to be a brand's, is fetched whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb

from engine.backends.files.duck import quoted, scalar
from engine.backends.neo4j import graph_rows, layout
from engine.backends.neo4j.graph_rows import EDGE_ROWS, EXPOSURE_ROWS, handle_sql
from engine.backends.neo4j.known import Known
from engine.backends.neo4j.readings import (
    name_brands,
    record_others,
    resolve_handles,
    there_users,
)
from engine.backends.neo4j.things import merge
from engine.errors import InputError

__all__ = ["gather"]

_LONGEST: Final = 8_000
"""Bytes of a key that the server's indexes take."""

_SHARED: Final = next(e for e in EDGE_ROWS if e.type == "SHARED")
_POSTED: Final = next(e for e in EDGE_ROWS if e.type == "POSTED")
_BELONGS: Final = next(e for e in EDGE_ROWS if e.type == "BELONGS_TO")
_MENTIONED: Final = next(e for e in EDGE_ROWS if e.type == "MENTIONED")
_EVENTS: Final = tuple(e for e in EDGE_ROWS if not e.derived)


def gather(
    con: duckdb.DuckDBPyConnection,
    tables: Sequence[str],
    known: Known | None,
    *,
    every: bool = False,
) -> None:
    """Lay out what a batch says (`fresh_<type>`) and what the server knows of it.

    Parameters
    ----------
    con
        With the views `raw_<table>` of the batch, and the tables of `Known`.
    tables
        Canonical tables the batch has.
    known
        The server; None where it holds nothing yet.
    every
        Read every handle and every name of a brand anew.
    """
    for edge in (*_EVENTS, EXPOSURE_ROWS):
        graph_rows.say(con, edge, there=edge.source.removeprefix("raw_") in tables)
    _list_ids(con, tables)
    if known is not None:
        if every:
            known.handles()
        known.users(f"SELECT id FROM batch_users WHERE {handle_sql('id')}", label=layout.HANDLE)
        known.users("SELECT id FROM batch_users")
        known.contents("SELECT id FROM batch_content")
        known.topics("SELECT id FROM batch_topics")
        known.brands()
        known.exposures(f'SELECT DISTINCT "end" FROM fresh_{EXPOSURE_ROWS.name}')
    con.execute(
        f'CREATE TABLE known_{EXPOSURE_ROWS.name} AS SELECT "end", community FROM actual_exposures'
    )
    resolve_handles(con, known, users="users" in tables, every=every)
    name_brands(con, brands="brands" in tables, members="brand_members" in tables, every=every)
    _check_ids(con)
    if known is not None:
        _fetch_what_moves(con, known)
    merge(con, "content", there="content" in tables)
    for edge in (_POSTED, _BELONGS):
        graph_rows.say(con, edge, there=True)
    con.execute("CREATE TABLE former (id VARCHAR)")
    if known is not None:
        _fetch_lost_authors(con, known)
    _derive(con, known)
    if known is not None:
        _fetch_pairs(con, known)
        _derive(con, known)


def _derive(con: duckdb.DuckDBPyConnection, known: Known | None) -> None:
    for edge in EDGE_ROWS:
        graph_rows.said_rows(con, edge)
    if known is not None:
        record_others(con, known)
    for edge in EDGE_ROWS:
        graph_rows.derive(con, edge)


def _list_ids(con: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> None:
    """Make `batch_users`, `batch_content` and `batch_topics`: the ids a batch makes nodes of."""
    users = [f"SELECT {quoted(c)} FROM fresh_{e.name}" for e in _EVENTS for c in e.people]
    content = [f'SELECT "end" FROM fresh_{EXPOSURE_ROWS.name}']
    for edge in _EVENTS:
        content += [f'SELECT "end" FROM fresh_{edge.name}'] * ("Content" in edge.labels)
        content += [f'SELECT "start" FROM fresh_{edge.name}'] * (edge.start == "Content")
    topics = ['SELECT "end" FROM fresh_about']
    if "users" in tables:
        users.append("SELECT user_id FROM raw_users")
    if "content" in tables:
        users.append("SELECT author_id FROM raw_content")
        content.append("SELECT content_id FROM raw_content")
    if "brand_members" in tables:
        users.append("SELECT value FROM raw_brand_members WHERE kind = 'account'")
        topics.append("SELECT 'domain:' || value FROM raw_brand_members WHERE kind = 'domain'")
    for name, selects in (("users", users), ("content", content), ("topics", topics)):
        con.execute(
            f"CREATE TABLE batch_{name} AS SELECT DISTINCT id FROM ({' UNION ALL '.join(selects)})"
            " ids(id) WHERE id IS NOT NULL"
        )


def _check_ids(con: duckdb.DuckDBPyConnection) -> None:
    """Raise where an id is longer than an index of the server takes."""
    ids = (
        "SELECT id FROM batch_users UNION SELECT id FROM batch_content"
        " UNION SELECT id FROM batch_topics UNION SELECT named FROM claims"
        " UNION SELECT brand_id FROM now_brands"
    )
    for long in con.execute(
        f"SELECT id FROM ({ids}) WHERE strlen(id) > {_LONGEST} ORDER BY id LIMIT 1"
    ).fetchall():
        raise InputError(
            f"ids and handles of at most {_LONGEST:,} bytes: the server cannot index longer ones",
            f"one that begins with {long[0][:40]}",
            "shorten it in the export",
        )


def _fetch_what_moves(con: duckdb.DuckDBPyConnection, known: Known) -> None:
    """Fetch what hangs on handles and names that the batch gives another meaning."""
    if _any(con, "changed"):
        for whole, ids in ((True, "SELECT id FROM changed"), (False, _BEFORE)):
            for edge in EDGE_ROWS:
                for label in edge.labels:
                    if "start" in edge.people:
                        known.around(edge, label, ids, at="from", whole=whole)
                    if "end" in edge.people and label == "User":
                        known.around(edge, label, ids, at="to", whole=whole)
        known.via(_SHARED, "SELECT id FROM changed")
        known.contents(
            'SELECT "end" FROM actual_posted WHERE "end" NOT IN'
            " (SELECT content_id FROM known_content)"
        )
    if _any(con, "renamed"):
        known.users("SELECT id FROM renamed", label=layout.HANDLE)
        known.users("SELECT id FROM renamed")
        names = "SELECT id FROM renamed"
        known.around(_MENTIONED, "User", names, at="to", whole=True)
        known.around(
            _MENTIONED, "User",
            'SELECT DISTINCT "to" FROM known_users JOIN renamed ON id = user_id'
            ' WHERE "to" IS NOT NULL',
            at="to", whole=False,
        )  # fmt: skip
        known.around(_MENTIONED, layout.NAME, names, at="to", whole=True)
        known.around(
            _MENTIONED, "Brand",
            "SELECT DISTINCT before FROM renamed WHERE before IS NOT NULL", at="to", whole=True,
        )  # fmt: skip
        known.via(
            _SHARED,
            "SELECT user_id AS id FROM known_users SEMI JOIN renamed ON id = user_id"
            " WHERE told IS NULL",
        )
    if _any(con, "now_brands"):
        known.around(_BELONGS, "Brand", "SELECT brand_id FROM now_brands", at="to", whole=True)


_BEFORE: Final = "SELECT DISTINCT before FROM changed WHERE before IS NOT NULL"


def _fetch_lost_authors(con: duckdb.DuckDBPyConnection, known: Known) -> None:
    """Fetch the shares passed on by users who are no longer the author of a content."""
    con.execute(
        """
        INSERT INTO former
        SELECT DISTINCT p."start" AS id FROM actual_posted p JOIN fresh_posted f USING ("end")
        LEFT JOIN resolved r ON r.id = f."start"
        WHERE coalesce(r."to", f."start") <> p."start"
        """
    )
    if _any(con, "former"):
        known.via(_SHARED, "SELECT id FROM former")


def _fetch_pairs(con: duckdb.DuckDBPyConnection, known: Known) -> None:
    """Fetch the relationships between the ends of all rows, where both ends are there."""
    con.execute(f"CREATE TABLE there_users AS {there_users()}")
    there = {
        "User": "SELECT id FROM there_users",
        "Content": "SELECT content_id FROM known_content",
        "Topic": "SELECT topic_id FROM known_topics",
        "Brand": "SELECT brand_id FROM known_brands",
    }
    for edge in _EVENTS:
        for label in edge.labels:
            ends = f'AND "end" IN ({there[label]})' if label in there else ""
            known.pairs(
                edge, label,
                f'SELECT DISTINCT "start", "end" FROM row_{edge.name} WHERE label = \'{label}\''
                f' AND "start" IN ({there[edge.start]}) {ends}',
            )  # fmt: skip


def _any(con: duckdb.DuckDBPyConnection, relation: str) -> bool:
    return bool(scalar(con, f"SELECT EXISTS (SELECT 1 FROM {relation})"))
