"""Statements that make and fill the graph, written from the model.

`COPY` takes columns by position and does not look at their names, so the order of a
file's columns and the order of a table's properties both come from `engine.model`.
"""

from __future__ import annotations

import hashlib
from typing import Final

from engine.model import EDGES, NODES, EdgeTable, NodeTable

__all__ = [
    "DERIVED",
    "PUBLISHED",
    "copy_columns",
    "copy_statement",
    "count_statement",
    "create_statement",
    "drop_statement",
    "model_hash",
    "set_statement",
    "tables",
]

PUBLISHED: Final = ("Community", "Run", "MEMBER_OF", "RESONATES_IN")
"""Tables that hold the active run; nodes first."""

DERIVED: Final = tuple(n for n in (*NODES, *EDGES) if n not in PUBLISHED)
"""Tables derived from the log; nodes first."""

Pair = tuple[str, str]


def tables() -> dict[str, NodeTable | EdgeTable]:
    """Return all graph tables by name, nodes first."""
    return {**NODES, **EDGES}


def _name(identifier: str) -> str:
    return f"`{identifier}`"


def create_statement(table: NodeTable | EdgeTable) -> str:
    """Return the statement that creates a table.

    Examples
    --------
    >>> from engine.model import EDGES
    >>> create_statement(EDGES["FOLLOWS"])
    'CREATE REL TABLE `FOLLOWS`(FROM `User` TO `User`, `at` TIMESTAMP)'
    """
    properties = [f"{_name(name)} {type}" for name, type in table.properties]
    if isinstance(table, NodeTable):
        inside = [*properties, f"PRIMARY KEY({_name(table.key)})"]
        return f"CREATE NODE TABLE {_name(table.name)}({', '.join(inside)})"
    pairs = [f"FROM {_name(start)} TO {_name(end)}" for start, end in table.pairs]
    return f"CREATE REL TABLE {_name(table.name)}({', '.join([*pairs, *properties])})"


def drop_statement(name: str) -> str:
    """Return the statement that drops a table of the model."""
    return f"DROP TABLE {_name(tables()[name].name)}"


def copy_columns(table: NodeTable | EdgeTable) -> tuple[str, ...]:
    """Return the columns of a file to copy, in the order in which COPY takes them.

    Examples
    --------
    >>> from engine.model import EDGES
    >>> copy_columns(EDGES["INTERACTED"])
    ('from', 'to', 'at', 'kind', 'weight')
    """
    names = tuple(name for name, _ in table.properties)
    return names if isinstance(table, NodeTable) else ("from", "to", *names)


def copy_statement(table: NodeTable | EdgeTable, path: str, pair: Pair | None = None) -> str:
    """Return the statement that copies a Parquet file into a table.

    Always from a path: COPY of one Python object twice on one connection ends in a
    segmentation fault (Ladybug 0.22).
    """
    text = path.replace("\\", "\\\\").replace("'", "\\'")
    if pair is None:
        return f"COPY {_name(table.name)} FROM '{text}'"
    start, end = pair
    return f"COPY {_name(table.name)} FROM '{text}' (from='{start}', to='{end}')"


def set_statement(node: NodeTable, path: str) -> str:
    """Return the statement that sets the properties of nodes that are there from a file."""
    text = path.replace("\\", "\\\\").replace("'", "\\'")
    values = ", ".join(f"n.{_name(p)} = {_name(p)}" for p, _ in node.properties[1:])
    return (
        f"LOAD FROM '{text}' MATCH (n:{_name(node.name)})"
        f" WHERE n.{_name(node.key)} = {_name(node.key)} SET {values}"
    )


def count_statement(name: str) -> str:
    """Return the statement that counts a table's rows."""
    if isinstance(tables()[name], NodeTable):
        return f"MATCH (n:{_name(name)}) RETURN count(n)"
    return f"MATCH ()-[r:{_name(name)}]->() RETURN count(r)"


def model_hash() -> str:
    """Return a short hash of what the graph declares: a graph of another model is rebuilt."""
    text = "\n".join(create_statement(table) for table in tables().values())
    return hashlib.sha256(text.encode()).hexdigest()[:16]
