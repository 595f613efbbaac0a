"""What a reader's own Cypher may not do: touch files, extensions, other databases, or write.

The graph is opened read-only, which stops writing; reading and writing of files and the
settings of the engine are stopped here, by the words of the query outside of strings,
comments and quoted names.
"""

from __future__ import annotations

import re
from typing import Final

from engine.errors import UsageError

__all__ = ["bounded", "check_reads_only"]

_HIDDEN: Final = re.compile(
    r"""//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`""", re.DOTALL
)
_REFUSED: Final = (
    "ALTER", "ATTACH", "BEGIN", "CHECKPOINT", "COMMENT", "COMMIT", "COPY", "CREATE", "DELETE",
    "DETACH", "DROP", "EXPORT", "FORCE", "IMPORT", "INSERT", "INSTALL", "LOAD", "MERGE",
    "PROJECT_GRAPH", "REMOVE", "ROLLBACK", "SET", "UNINSTALL", "UPDATE", "USE",
)  # fmt: skip
_WORD: Final = re.compile(r"(?<![\w.$:])(" + "|".join(_REFUSED) + r")(?!\w|\s*:)", re.IGNORECASE)
_CALL: Final = re.compile(r"(?<![\w.$:])CALL\s+(\w+)\s*(\(?)", re.IGNORECASE)
_CALLABLE: Final = ("show_tables", "table_info", "show_connection", "db_version", "show_functions")
_RETURN: Final = re.compile(r"(?<![\w.$:])RETURN(?!\w)", re.IGNORECASE)
_LIMIT: Final = re.compile(r"(?<![\w.$:])LIMIT(?!\w)", re.IGNORECASE)


def _visible(cypher: str) -> str:
    """Return the query with comments blanked and strings crossed out, as long as it was."""
    return _HIDDEN.sub(lambda m: (" " if m[0][0] == "/" else "x") * len(m[0]), cypher)


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
    text = _visible(cypher)
    refused = _WORD.search(text)
    word = refused.group(1).upper() if refused else None
    if word is None:
        for call in _CALL.finditer(text):
            if call.group(1).lower() not in _CALLABLE or not call.group(2):
                word = f"CALL {call.group(1)}"
    if word is None and ";" in text.rstrip("; \t\r\n"):
        word = "; between two statements"
    if word is not None:
        raise UsageError(
            "a query that only reads the graph",
            f"the word {word}",
            "use MATCH, WHERE, WITH, UNWIND, RETURN, ORDER BY, SKIP, LIMIT and UNION",
        )


def bounded(cypher: str, limit: int) -> str:
    r"""Return the query with a LIMIT where its last RETURN has none.

    Examples
    --------
    >>> bounded("MATCH (u:User) RETURN u.user_id;", 5)
    'MATCH (u:User) RETURN u.user_id\nLIMIT 5'
    >>> bounded("MATCH (u:User) RETURN u.user_id LIMIT 2", 5)
    'MATCH (u:User) RETURN u.user_id LIMIT 2'
    """
    visible = _visible(cypher).rstrip("; \t\r\n")
    text = cypher[: len(visible)]
    returns = list(_RETURN.finditer(visible))
    if not returns or _LIMIT.search(visible, returns[-1].end()):
        return text
    return f"{text}\nLIMIT {int(limit)}"
