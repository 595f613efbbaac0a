"""What a file is: told from its content, never only from its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.errors import InputError, UnknownFormat
from engine.model import CANONICAL
from loaders.dialect import sniff
from loaders.exports.canonical import tables_in
from loaders.formats import FORMATS
from loaders.source import Source, peek

__all__ = ["Detected", "detect", "recognise"]


@dataclass(frozen=True, slots=True)
class Detected:
    """The name of a format, and why a file is taken for it."""

    format: str
    because: str


_MAGIC: Final = (
    (b"PK\x03\x04", "a zip archive (an archive of an account, a spreadsheet)", "unpack it first"),
    (b"SQLite format 3", "an SQLite database", "export its tables as CSV"),
    (b"%PDF", "a PDF", "load the data it was made from"),
    (b"\x89PNG", "a picture", "load the data it was made from"),
    (b"\xff\xd8\xff", "a picture", "load the data it was made from"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet", "save it as CSV, ids as text"),
)
_JSON: Final = (
    (r'"retweeted_status"|"id_str"', "posts of X API v1.1"),
    (r'"did"\s*:\s*"did:', "a Bluesky stream"),
    (r'"reblog"\s*:|"acct"\s*:', "Mastodon posts"),
    (r'"subreddit"\s*:', "Reddit posts"),
    (r'"orderedItems"\s*:', "a Mastodon archive"),
    (r'"messages"\s*:|"chats"\s*:', "a Telegram export"),
    (r'"feed"\s*:|"\$type"\s*:', "Bluesky posts"),
)


def detect(path: Path, encoding: str | None = None) -> Detected:
    """Say what a file or folder is.

    Raises
    ------
    UnknownFormat
        With what was looked at, what it looks like, and the nearest formats.
    InputError
        It is missing, empty or cannot be unpacked.
    """
    if path.is_dir():
        tables = tables_in(path)
        if not tables:
            raise _unknown_folder(path)
        return Detected("canonical", f"it holds the tables {', '.join(tables)}")
    return recognise(peek(path, encoding))


def recognise(source: Source) -> Detected:
    """Say what a file is, from its first bytes. Raises `UnknownFormat`."""
    for known in FORMATS:
        because = known.recognise(source)
        if because is not None:
            return Detected(known.name, because)
    raise _unknown(source)


def _unknown_folder(path: Path) -> InputError:
    inside = sorted(p.name for p in path.iterdir())
    some = ", ".join(inside[:8]) + (f" and {len(inside) - 8} more" if len(inside) > 8 else "")
    return UnknownFormat(
        f"canonical tables in the folder {path}",
        f"none; it holds {some or 'nothing'}",
        f"name files {', '.join(list(CANONICAL)[:4])}, ... with .csv, .parquet or .jsonl, "
        f"or load single files: kindred load '{path}/*'",
    )


def _unknown(source: Source) -> UnknownFormat:
    looks, todo = _looks_like(source)
    return UnknownFormat(
        f"to recognise {source.name} by its first {len(source.head):,} bytes",
        f"it looks like {looks}",
        todo,
    )


def _looks_like(source: Source) -> tuple[str, str]:
    """Describe a file that nothing recognises, and name what to do."""
    for mark, what, todo in _MAGIC:
        if source.head.startswith(mark):
            return what, todo
    every = ", ".join(f.name for f in FORMATS)
    if source.is_parquet:
        return "a Parquet file", f"name it as a canonical table: {', '.join(CANONICAL)}"
    if source.is_json:
        return _json(source.text), f"kindred reads {every}; see: kindred formats"
    if b"\x00" in source.head[:4096]:
        return "data that is not text", f"kindred reads {every}; see: kindred formats"
    layout = sniff(source)
    if layout is None:
        first = re.sub(r"[^ -~]", "·", source.lines[0] if source.lines else "")[:60]
        return f"plain text: {first}", f"kindred reads {every}; see: kindred formats"
    columns = ", ".join(c[:30] for c in layout.columns[:12])
    near = _nearest(set(layout.positions))
    todo = (
        f"nearest: {', '.join(near)}; say which with --from-format (an edge list also needs "
        "--source-column and --target-column)"
    )
    return f"a table with the columns {columns}", todo


def _json(text: str) -> str:
    for pattern, what in _JSON:
        if re.search(pattern, text[:100_000]):
            return f"{what}, which this version does not read"
    keys = list(dict.fromkeys(re.findall(r'"([A-Za-z_][\w.]{0,30})"\s*:', text[:20_000])))
    many = "" if text.lstrip()[:1] == "{" else "a list of "
    return f"{many}JSON with {', '.join(keys[:8]) or 'no keys'}"


def _nearest(columns: set[str]) -> list[str]:
    shared = {f.name: len(columns.intersection(f.columns)) for f in FORMATS if f.columns}
    near = [name for name, count in sorted(shared.items(), key=lambda i: -i[1]) if count]
    tables = {t.name: len(columns.intersection(t.schema.names)) for t in CANONICAL.values()}
    best = max(tables, key=lambda name: tables[name])
    if tables[best] >= 2:
        near.append(f"canonical (as the table {best})")
    return near or ["edges"]
