"""What a reader's own Cypher may not do: touch files, extensions, other databases, or write.

The graph is opened read-only, which stops writing; reading and writing of files and the
settings of the engine are stopped here, by the words of the query.
"""

from __future__ import annotations

import re
from typing import Final

from engine.backends.read_only import Rules, visible

__all__ = ["bounded", "check_reads_only"]

_RULES: Final = Rules(
    words=(
        "ALTER", "ATTACH", "BEGIN", "CHECKPOINT", "COMMENT", "COMMIT", "COPY", "CREATE", "DELETE",
        "DETACH", "DROP", "EXPORT", "FORCE", "IMPORT", "INSERT", "INSTALL", "LOAD", "MERGE",
        "PROJECT_GRAPH", "REMOVE", "ROLLBACK", "SET", "UNINSTALL", "UPDATE", "USE",
    ),
    procedures=("show_tables", "table_info", "show_connection", "db_version", "show_functions"),
)  # fmt: skip
_RETURN: Final = re.compile(r"(?<![\w.$:])RETURN(?!\w)", re.IGNORECASE)
_LIMIT: Final = re.compile(r"(?<![\w.$:])LIMIT(?!\w)", re.IGNORECASE)


def check_reads_only(cypher: str) -> None:
    """Raise `UsageError` where a query does anything but read the graph.

    Examples
    --------
    >>> check_reads_only("MATCH (u:User) WHERE u.name = 'DROP' RETURN u.user_id")
    >>> check_reads_only("LOAD FROM 'secret.csv' RETURN *")
    Traceback (most recent call last):
        ...
    engine.errors.UsageError: wanted: a query that only reads the graph
    found: the word LOAD
    to do: use MATCH, WHERE, WITH, UNWIND, RETURN, ORDER BY, SKIP, LIMIT and UNION
    """
    _RULES.check(cypher)


def bounded(cypher: str, limit: int) -> str:
    r"""Return the query with a LIMIT where its last RETURN has none.

    Examples
    --------
    >>> bounded("MATCH (u:User) RETURN u.user_id;", 5)
    'MATCH (u:User) RETURN u.user_id\nLIMIT 5'
    >>> bounded("MATCH (u:User) RETURN u.user_id LIMIT 2", 5)
    'MATCH (u:User) RETURN u.user_id LIMIT 2'
    """
    seen = visible(cypher).rstrip("; \t\r\n")
    text = cypher[: len(seen)]
    returns = list(_RETURN.finditer(seen))
    if not returns or _LIMIT.search(seen, returns[-1].end()):
        return text
    return f"{text}\nLIMIT {int(limit)}"
