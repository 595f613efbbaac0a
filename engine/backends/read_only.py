"""What a reader's own Cypher may not do, by its words outside strings, comments and names.

A graph that is opened read-only stops writing by itself. What reads or writes files, asks
other machines, or changes settings is not writing to the graph, and is stopped here; each
store says which words do that in its dialect (`guard` beside it).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from engine.errors import UsageError

__all__ = ["Rules", "visible", "writes"]

_HIDDEN: Final = re.compile(
    r"""//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`""", re.DOTALL
)
_CALL: Final = re.compile(r"(?<![\w.$:])CALL\s+([\w.]+)\s*(\(?)", re.IGNORECASE)


def visible(cypher: str) -> str:
    """Return a query with comments blanked and strings crossed out, as long as it was.

    Examples
    --------
    >>> visible("RETURN 'a' // b")
    'RETURN xxx     '
    """
    return _HIDDEN.sub(lambda m: (" " if m[0][0] == "/" else "x") * len(m[0]), cypher)


def writes(found: str) -> UsageError:
    """Return the error for a query that does something else than read."""
    return UsageError(
        "a query that only reads the graph",
        found,
        "use MATCH, WHERE, WITH, UNWIND, RETURN, ORDER BY, SKIP, LIMIT and UNION",
    )


@dataclass(frozen=True)
class Rules:
    """What a dialect's reading queries may say.

    Parameters
    ----------
    words
        Words that no reading query has.
    procedures
        Those that may be called, in small letters.
    """

    words: tuple[str, ...]
    procedures: Collection[str]

    @cached_property
    def _word(self) -> re.Pattern[str]:
        words = "|".join(self.words)
        return re.compile(rf"(?<![\w.$:])({words})(?!\w|\s*:)", re.IGNORECASE)

    def check(self, cypher: str) -> None:
        """Raise `UsageError` where a query does anything but read the graph."""
        for found in self.faults(visible(cypher)):
            raise writes(found)

    def faults(self, text: str) -> Iterator[str]:
        """Name what is refused in the visible part of a query."""
        if refused := self._word.search(text):
            yield f"the word {refused.group(1).upper()}"
        for call in _CALL.finditer(text):
            if call.group(1).lower() not in self.procedures or not call.group(2):
                yield f"the word CALL {call.group(1)}"
        if ";" in text.rstrip("; \t\r\n"):
            yield "the word ; between two statements"
