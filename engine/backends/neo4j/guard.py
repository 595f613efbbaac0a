r"""What a reader's own Cypher may not do on a server, beside writing.

A transaction begun to read is refused by the server as soon as it writes data, schema or
users. It would still let a query read files and addresses of the network (LOAD CSV, some
procedures), end what others run, project graphs into memory, or look at another database:
that is stopped here, by the words of the query. What is allowed is listed, of clauses a
query may begin with, of procedures, and of families of functions; a plug-in's are not.
"""

from __future__ import annotations

import re
from typing import Final

from engine.backends.read_only import Rules, visible, writes

__all__ = ["check_reads_only"]

_RULES: Final = Rules(
    words=(
        "ALTER", "CREATE", "DELETE", "DETACH", "DROP", "FOREACH", "INSERT", "LOAD", "MERGE",
        "NODETACH", "REMOVE", "SET", "TRANSACTIONS", "USE",
    ),
    procedures=frozenset(
        (
            "db.info", "db.labels", "db.ping", "db.propertykeys", "db.relationshiptypes",
            "db.schema.nodetypeproperties", "db.schema.reltypeproperties",
            "db.schema.visualization", "db.index.fulltext.querynodes",
            "db.index.fulltext.queryrelationships", "db.index.vector.querynodes",
            "db.index.vector.queryrelationships", "dbms.components",
        )
    ),
)  # fmt: skip
_BEGINNINGS: Final = ("MATCH", "OPTIONAL", "UNWIND", "WITH", "RETURN", "CALL")
_FAMILIES: Final = ("date", "datetime", "duration", "localdatetime", "localtime", "point", "time",
                    "vector.similarity")  # fmt: skip
"""Families of functions that come with a server and only reckon."""

_FIRST: Final = re.compile(r"\s*(\w*)")
_FUNCTION: Final = re.compile(r"(?<![\w.])((?:\w+\s*\.\s*)+)\w+\s*\(")
_CALLED: Final = re.compile(r"(?<![\w.$:])CALL\s*$", re.IGNORECASE)
_ESCAPE: Final = re.compile(r"\\u+([0-9a-fA-F]{4})")


def check_reads_only(cypher: str) -> None:
    r"""Raise `UsageError` where a query does anything but read the graph.

    Examples
    --------
    >>> check_reads_only("MATCH (u:User) CALL (u) { RETURN 1 AS one } RETURN u, time()")
    >>> check_reads_only("LOAD CSV FROM 'file:///secret.csv' AS row RETURN row")
    Traceback (most recent call last):
        ...
    engine.errors.UsageError: wanted: a query that only reads the graph
    found: the word LOAD
    to do: use MATCH, WHERE, WITH, UNWIND, RETURN, ORDER BY, SKIP, LIMIT and UNION
    """
    _check(cypher)
    # The server reads \uXXXX as a character wherever it stands: also at the end of a string.
    if (read := _ESCAPE.sub(lambda m: chr(int(m[1], 16)), cypher)) != cypher:
        _check(read)


def _check(cypher: str) -> None:
    _RULES.check(cypher)
    text = visible(cypher)
    first = _FIRST.match(text)
    word = first.group(1).upper() if first else ""
    if word not in _BEGINNINGS:
        raise writes(f"a query that begins with {word or repr(text.strip()[:1])}")
    for function in _FUNCTION.finditer(text):
        family = re.sub(r"\s|\.\s*$", "", function.group(1)).lower()
        if family not in _FAMILIES and not _CALLED.search(text, 0, function.start()):
            raise writes(f"the function {family}.…")
