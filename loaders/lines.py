"""Where a refused row stands in its file: line number and text, found only when asked for.

A parser numbers rows; a person with an editor needs lines. The two differ by comments, the
header, blank lines, line ends inside quotes and records that are no rows. One more pass
over the bytes, in columns, tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
import numpy.typing as npt

from loaders.read import Raw
from loaders.source import CHUNK, Compression, open_bytes

__all__ = ["KEPT", "Place", "places"]

KEPT: Final = 2048
"""Bytes of a refused line that are kept."""

_FEED, _RETURN, _QUOTE = 10, 13, 34
_Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Place:
    """A record's line, counted from 1, and how its text begins."""

    line: int
    text: str


@dataclass(slots=True)
class _Records:
    """Whole records of one chunk: where they start and end, in bytes of the file."""

    starts: _Offsets
    lines: _Offsets
    offset: int
    """Of the buffer's first byte in the file."""
    buffer: bytes
    ends: _Offsets

    def text(self, at: int) -> str:
        begin = int(self.starts[at]) - self.offset
        end = int(self.ends[at]) - self.offset
        return (
            self.buffer[begin : min(end, begin + KEPT)]
            .decode("utf-8", errors="replace")
            .rstrip("\r")
        )


def places(raw: Raw, rows: Sequence[int]) -> tuple[dict[int, Place], list[tuple[Place, str]]]:
    """Find the places of some rows, and of every record the parser refused.

    Parameters
    ----------
    rows
        Row numbers as in the table `raw`, from 1.

    Returns
    -------
    Place by row number, and the refused records with the parser's reason. Places are left
    out where the records counted here are not the rows the parser counted: a wrong line
    number would be worse than none.

    Notes
    -----
    Cost: one pass over the unpacked file; memory of a few chunks.
    """
    wanted = np.unique(np.asarray(rows, dtype=np.int64))
    refused = np.array([at for at, _ in raw.refused_at], dtype=np.int64)
    found: dict[int, Place] = {}
    broken: list[tuple[Place, str]] = []
    count = 0
    for records in _records(raw):
        is_refused = np.zeros(len(records.starts), dtype=bool)
        low, high = np.searchsorted(refused, (records.starts[0] - 1, records.ends[-1]))
        for at in range(int(low), int(high)):
            hit = int(np.searchsorted(records.starts, refused[at] - 1))
            if hit < len(is_refused) and not is_refused[hit]:
                is_refused[hit] = True
                place = Place(int(records.lines[hit]), records.text(hit))
                broken.append((place, raw.refused_at[at][1]))
        kept = np.flatnonzero(~is_refused)
        here = wanted[(wanted > count) & (wanted <= count + len(kept))]
        for row in here.tolist():
            at = int(kept[row - count - 1])
            found[row] = Place(int(records.lines[at]), records.text(at))
        count += len(kept)
    return (found if count == raw.rows else {}), broken


def _records(raw: Raw) -> Iterator[_Records]:
    """Yield the records of a file chunk by chunk, blank ones and skipped lines left out."""
    held = b""
    offset = line = 0
    with open_bytes(raw.read_from, cast("Compression", raw.compression)) as file:
        while True:
            chunk = file.read(CHUNK)
            buffer = held + chunk
            feeds, ends = _ends(buffer, raw.separator, last=not chunk)
            if len(ends):
                yield from _cut(buffer, feeds, ends, offset, line, raw.skip)
                done = min(int(ends[-1]) + 1, len(buffer))
                line += int(np.searchsorted(feeds, done))
                offset, held = offset + done, buffer[done:]
            else:
                held = buffer
            if not chunk:
                return


def _ends(buffer: bytes, separator: str, *, last: bool) -> tuple[_Offsets, _Offsets]:
    """Return where line feeds stand, and those of them that end a record."""
    data = np.frombuffer(buffer, dtype=np.uint8)
    feeds = np.flatnonzero(data == _FEED).astype(np.int64)
    ends = feeds
    if separator:
        quotes = _true_quotes(data, ord(separator))
        ends = feeds[np.searchsorted(quotes, feeds) % 2 == 0]
    if last and len(data) and (not len(ends) or ends[-1] != len(data) - 1):
        ends = np.append(ends, len(data))
    return feeds, ends


def _true_quotes(data: npt.NDArray[np.uint8], separator: int) -> _Offsets:
    """Quotes that open or close a field: a stray one inside it has letters on both sides."""
    quotes = np.flatnonzero(data == _QUOTE)
    edge = np.zeros(256, dtype=bool)
    edge[[separator, _FEED, _RETURN, _QUOTE]] = True
    before = edge[data[np.maximum(quotes - 1, 0)]] | (quotes == 0)
    after = edge[data[np.minimum(quotes + 1, len(data) - 1)]] | (quotes == len(data) - 1)
    chosen: _Offsets = quotes[before | after].astype(np.int64)
    return chosen


def _cut(  # noqa: PLR0917 - a cursor: where the buffer, the file and the lines stand
    buffer: bytes, feeds: _Offsets, ends: _Offsets, offset: int, line: int, skip: int
) -> Iterator[_Records]:
    starts = np.concatenate([np.zeros(1, dtype=np.int64), ends[:-1] + 1])
    lines = line + np.searchsorted(feeds, starts) + 1
    size = ends - starts
    data = np.frombuffer(buffer, dtype=np.uint8)
    lone = data[np.minimum(starts, len(data) - 1)] == _RETURN
    full = (size > 1) | ((size == 1) & ~lone)
    full &= lines > skip
    if full.any():
        yield _Records(
            starts[full] + offset, lines[full].astype(np.int64), offset, buffer, ends[full] + offset
        )
