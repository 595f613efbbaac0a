"""The shape of the log: canonical tables with numbers in the place of ids.

Users, contents and topics are *spaces* of numbers. Which column of which table holds an
id of which space is said here once; how a batch is numbered, read and checked follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from engine.backends.files.batch import DEFAULTS, sql_type
from engine.backends.files.duck import quoted
from engine.model import CANONICAL, Column, Table

__all__ = ["LOG", "SPACES", "LogColumn", "LogTable", "Space", "keys_file"]

Space = Literal["user", "content", "topic"]
SPACES: Final[tuple[Space, ...]] = ("user", "content", "topic")

_NUMBERED: Final[dict[str, dict[str, Space]]] = {
    "users": {"user_id": "user"},
    "content": {"content_id": "content", "author_id": "user"},
    "shares": {"user_id": "user", "content_id": "content", "via_user_id": "user"},
    # A target may turn out to be a brand; contents named only here are no contents yet.
    "mentions": {"user_id": "user", "target_id": "user", "content_id": "content"},
    "replies": {"user_id": "user", "parent_content_id": "content", "content_id": "content"},
    "reactions": {"user_id": "user", "content_id": "content"},
    "follows": {"follower_id": "user", "followee_id": "user"},
    "interactions": {"user_id": "user", "target_id": "user"},
    "topics": {"content_id": "content"},
    "impressions": {"content_id": "content", "user_id": "user"},
}


def keys_file(space: Space) -> str:
    """Return the name of a batch's table of ids that it names for the first time."""
    return f"keys_{space}"


@dataclass(frozen=True, slots=True)
class LogColumn:
    """A column of the log: its name, how it is made from a canonical row, its space."""

    name: str
    source: str
    type: str
    space: Space | None = None


@dataclass(frozen=True, slots=True)
class LogTable:
    """A table of the log."""

    name: str
    columns: tuple[LogColumn, ...]
    key: tuple[str, ...]
    merges: bool


def _number(name: str) -> str:
    return name.removesuffix("_id") + "_no"


def _column(table: Table, column: Column) -> LogColumn:
    space = _NUMBERED.get(table.name, {}).get(column.name)
    if space is not None:
        return LogColumn(_number(column.name), quoted(column.name), "INTEGER", space)
    source = quoted(column.name)
    if default := DEFAULTS.get((table.name, column.name)):
        source = f"coalesce({source}, {default})"
    return LogColumn(column.name, source, sql_type(column.type))


def _log_table(table: Table) -> LogTable:
    if table.name == "topics":
        topic = LogColumn("topic_no", "kind || ':' || label", "INTEGER", "topic")
        carried = (_column(table, table.columns[0]), topic)
        return LogTable(table.name, carried, ("content_no", "topic_no"), merges=False)
    columns = tuple(_column(table, c) for c in table.columns)
    if table.name == "brand_members":
        columns += (
            LogColumn("user_no", "CASE WHEN kind = 'account' THEN value END", "INTEGER", "user"),
            LogColumn(
                "topic_no",
                "CASE WHEN kind = 'domain' THEN 'domain:' || value END",
                "INTEGER",
                "topic",
            ),
        )
    numbered = _NUMBERED.get(table.name, {})
    key = tuple(_number(k) if k in numbered else k for k in table.key)
    return LogTable(table.name, columns, key, table.merges)


LOG: Final[dict[str, LogTable]] = {name: _log_table(table) for name, table in CANONICAL.items()}
"""Tables of the log by the name of their canonical table."""
