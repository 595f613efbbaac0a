"""How a table of text is laid out: separator, header, and where the rows begin."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final

from engine.model import CANONICAL
from loaders.source import Source, text_lines

__all__ = ["HEADER_WORDS", "Dialect", "plain_name", "single_column", "sniff"]

_SEPARATORS: Final = (",", "\t", ";", "|", " ")
_NUMBER: Final = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?")

_OTHER_WORDS: Final = (
    "source target from to src dst weight count "
    "time timestamp date id name label type user "
    "author account follower followee sender receiver node1 node2 "
    "kind value object_id account_id content_id timestamp_share post_id url_id "
    "domain_id "
)
HEADER_WORDS: Final = frozenset(
    [c.name for t in CANONICAL.values() for c in t.columns] + _OTHER_WORDS.split()
)
"""Words that show a first line to be a header."""
_END: Final = re.compile(r"(src|dst|source|target|follower|followee)\w{0,12}")


@dataclass(frozen=True, slots=True)
class Dialect:
    """The layout of a delimited table.

    `columns` are the header's cells as written; without a header they are `1`, `2`, ...
    """

    separator: str
    columns: tuple[str, ...]
    header: bool
    skip: int
    """Lines before the first row: comments and the header."""
    sample: tuple[tuple[str, ...], ...]
    """The first rows."""
    doubtful: bool = False
    """Nothing showed whether the first line is a header; it was read as a row."""

    def position(self, name: str) -> int | None:
        """Return where the column of this name stands, whatever its case and punctuation."""
        return self.positions.get(plain_name(name))

    @property
    def positions(self) -> dict[str, int]:
        """Plain column name to position; the first of two alike wins."""
        names: dict[str, int] = {}
        for at, name in enumerate(self.columns):
            names.setdefault(plain_name(name), at)
        return names


def plain_name(name: str) -> str:
    """Reduce a column name to what tells it apart.

    Examples
    --------
    >>> plain_name(" Source-ID ")
    'source_id'
    """
    return re.sub(r"[\s.-]+", "_", name.strip().lower())


@lru_cache(maxsize=32)
def sniff(source: Source, *, header: bool | None = None) -> Dialect | None:
    """Read the layout off the first lines; None where they are no table.

    Parameters
    ----------
    header
        Whether the first line names the columns, where the caller knows.
    """
    comments = 0
    for line in text_lines(source):
        if line.strip() and not line.startswith("#"):
            break
        comments += 1
    best: tuple[float, int, str, list[list[str]]] | None = None
    for separator in _SEPARATORS:
        rows = _rows(
            islice(text_lines(source), comments, comments + 200), separator, whole=source.whole
        )
        width, share = _width(rows)
        if width > 1 and (best is None or (share, width) > best[:2]):
            best = (share, width, separator, rows)
    if best is None or best[0] < 0.5:
        return None
    _, width, separator, rows = best
    cells = [r for r in rows if len(r) == width]
    named, doubtful = _has_header(rows[0], cells) if header is None else (header, False)
    columns = rows[0] if named else [str(n + 1) for n in range(width)]
    skip = comments + (_lines_of_first(source, comments, separator) if named else 0)
    data = cells[1:] if named and cells and cells[0] is rows[0] else cells
    return Dialect(
        separator, tuple(columns), named, skip, tuple(tuple(r) for r in data[:20]), doubtful
    )


def single_column(source: Source) -> Dialect:
    """Return the layout of a file that is one column under its name."""
    before = next((n for n, line in enumerate(text_lines(source)) if line.strip()), 0)
    name = source.lines[0].strip().strip('"') if source.lines else ""
    return Dialect(",", (name,), header=True, skip=before + 1, sample=())


def _rows(lines: Iterable[str], separator: str, *, whole: bool) -> list[list[str]]:
    try:
        rows = [r for r in csv.reader(lines, delimiter=separator) if r]
    except csv.Error:  # NUL bytes, or a field beyond the reader's bound
        return []
    return rows if whole or len(rows) < 2 else rows[:-1]


def _width(rows: Sequence[Sequence[str]]) -> tuple[int, float]:
    if not rows:
        return 0, 0.0
    counts = Counter(len(r) for r in rows)
    width, lines = max(counts.items(), key=lambda item: (item[1], item[0]))
    return width, lines / len(rows)


def _has_header(first: Sequence[str], cells: Sequence[Sequence[str]]) -> tuple[bool, bool]:
    """Say whether the first line is a header, and whether that is a guess."""
    plain = [plain_name(c) for c in first]
    if not all(plain) or len(set(plain)) < len(plain) or any(map(_NUMBER.fullmatch, plain)):
        return False, False
    if HEADER_WORDS.intersection(plain) or any(map(_END.fullmatch, plain)):
        return True, False
    body = cells[1:]
    numeric = body and any(
        all(_NUMBER.fullmatch(c.strip()) for c in col) for col in zip(*body, strict=True)
    )
    return bool(numeric), not numeric


def _lines_of_first(source: Source, comments: int, separator: str) -> int:
    """Count the lines that the header takes: more than one if a name holds a line end."""
    reader = csv.reader(islice(text_lines(source), comments, None), delimiter=separator)
    next(reader)
    return reader.line_num
