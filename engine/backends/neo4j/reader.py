"""Reading the graph on a server: named statements, and a reader's own Cypher.

Every read is a transaction that was begun to read, which the server holds to. A column's
type is that of the property of the model that it is named for, or returns, so that it does
not depend on which rows there happen to be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from engine.backends.named import chosen
from engine.backends.neo4j.driver import Link, Rows
from engine.backends.neo4j.guard import check_reads_only
from engine.backends.neo4j.values import column
from engine.backends.read_only import visible, writes
from engine.errors import KindredError, ServerError, UsageError
from engine.model import EDGES, NODES, TIME, GraphType

__all__ = ["TYPES", "named", "query"]

_TIMEOUT: Final = 60.0
_ARROW: Final[Mapping[GraphType, pa.DataType]] = {
    "STRING": pa.string(),
    "INT64": pa.int64(),
    "BOOL": pa.bool_(),
    "DOUBLE": pa.float64(),
    "TIMESTAMP": TIME,
    "STRING[]": pa.list_(pa.string()),
}
_PROPERTIES: Final = {
    name: _ARROW[type]
    for properties in [
        *(n.properties for n in NODES.values()),
        *(e.properties for e in EDGES.values()),
    ]
    for name, type in properties
}
TYPES: Final[Mapping[str, pa.DataType]] = {
    **_PROPERTIES,
    "author_id": pa.string(),
    "position": pa.int64(),
    "share_count": pa.int64(),
    "topics": pa.list_(pa.string()),
}
"""Types of the columns of reading statements: those of the model, and what is made of it."""

_RETURN: Final = re.compile(r"(?<![\w.$:])RETURN(?:\s+DISTINCT)?(?!\w)", re.IGNORECASE)
_PROPERTY: Final = re.compile(r"\s*(?:\w+\.(\w+))(?:\s+AS\s+\w+)?\s*", re.IGNORECASE)
_TAIL: Final = re.compile(r"(?<![\w.$:])(ORDER\s+BY|SKIP|OFFSET|LIMIT|UNION)(?!\w)", re.IGNORECASE)


def named(link: Link, name: str, parameters: Mapping[str, Any] | None) -> pa.Table:
    """Run a named reading statement.

    Raises
    ------
    UsageError
        If there is none of this name, or it takes other parameters.
    """
    found = chosen(name, parameters, "neo4j")
    rows = link.read(found.text, parameters, wanted=f"to read {name} from the graph")
    return pa.table({c: column(values, TYPES.get(c)) for c, values in rows.columns.items()})


def query(link: Link, cypher: str, parameters: Mapping[str, Any] | None, limit: int) -> pa.Table:
    """Run a reader's own Cypher, at most `limit` rows, at most a minute.

    Raises
    ------
    UsageError
        If it does more than read, is wrong, or takes longer.
    """
    check_reads_only(cypher)
    timeout = min(_TIMEOUT, link.server.timeout)
    try:
        rows = link.reading(
            lambda work: work.run(cypher, parameters, limit),
            wanted="a Cypher query over the graph",
            timeout=timeout,
            fetch=max(limit, 1),
        )
    except KindredError as fault:
        raise _told(fault, timeout) from fault
    return _table(rows, returned(cypher))


def _told(fault: KindredError, timeout: float) -> KindredError:
    """Say in three lines why the server refused a query; faults of the server stay theirs."""
    code = str(getattr(fault.__cause__, "code", None) or "")
    if "TransactionTimedOut" in code:
        return UsageError(
            "the answer to a query",
            f"it was not there after {timeout:g} seconds",
            "ask for less: a narrower MATCH, fewer hops",
        )
    if code.endswith("Statement.AccessMode"):
        return writes("it writes")
    if isinstance(fault, UsageError | ServerError) and ".ClientError." in code:
        return UsageError(
            fault.wanted,
            fault.found,
            "see the labels and properties with: CALL db.schema.nodeTypeProperties()",
        )
    return fault


def returned(cypher: str) -> list[pa.DataType | None]:
    """Return the types of the properties that a query returns, None for what else it does.

    Examples
    --------
    >>> returned("MATCH (c:Content) RETURN c.created_at AS at, count(*) AS n LIMIT 3")
    [TimestampType(timestamp[us, tz=UTC]), None]
    """
    text = visible(cypher)
    returns = list(_RETURN.finditer(text))
    if not returns:
        return []
    said = _TAIL.split(text[returns[-1].end() :], maxsplit=1)[0].rstrip("; \t\r\n")
    items = [_PROPERTY.fullmatch(item) for item in _split(said)]
    return [None if item is None else _PROPERTIES.get(item[1]) for item in items]


def _split(text: str) -> list[str]:
    """Split at the commas that stand outside of brackets."""
    items, depth = [""], 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and not depth:
            items.append("")
        else:
            items[-1] += character
    return items


def _table(rows: Rows, types: list[pa.DataType | None]) -> pa.Table:
    hints = types if len(types) == len(rows.columns) else [None] * len(rows.columns)
    columns = [
        column(values, hint) for values, hint in zip(rows.columns.values(), hints, strict=True)
    ]
    return pa.table(columns, names=list(rows.columns))
