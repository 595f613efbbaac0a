"""Rows that are refused, and files that are refused whole.

A row that cannot be read is kept beside the others with its line, the reason and its text.
Ids that a spreadsheet has rounded cannot be mended, and loading the rest would join
strangers: such a file is refused whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import MangledIds
from loaders.lines import KEPT, Place, places
from loaders.read import Raw, Session

__all__ = ["REASONS", "REJECTS", "Reject", "collect", "refuse_mangled", "write_rejects"]

REJECTS: Final = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("table", pa.string()),
        pa.field("line", pa.int64()),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("sentence", pa.string(), nullable=False),
        pa.field("raw", pa.string()),
    ]
)
"""Columns of `rejects.parquet`. `line` counts from 1 in the unpacked file (rows in Parquet);
null where it cannot be told. `raw` is cut at 2 kB."""

REASONS: Final = {
    "cut_off": "the line ends in the middle: the file is cut off",
    "not_json": "the line is no JSON object",
    "not_an_item": "the line holds no post and no user",
    "counts": "the line holds counts of posts, not posts",
    "lists": "the line describes lists, not posts",
    "columns": "the row has another number of cells than the header",
    "encoding": "the text is not in the encoding of the file",
    "quotes": "a quotation mark is opened and not closed",
    "too_long": "the line is longer than any row can be",
    "no_id": "an id that the row needs is empty",
    "bad_id": "an id holds characters that no id has, or is far too long",
    "no_value": "a value that the row needs is empty",
    "kind": "the kind is none of the known ones",
    "time": "the time cannot be read",
    "number": "the number cannot be read, or is below zero",
    "range": "the number is less or more than its column may hold",
    "platform": "the platform is no plain word",
    "yes_no": "the value is neither yes nor no",
    "nobody": "the row names neither a user nor a community",
}
"""Reason code to sentence."""

_PARSER: Final = {
    "MISSING COLUMNS": "columns",
    "TOO MANY COLUMNS": "columns",
    "INVALID ENCODING": "encoding",
    "INVALID UNICODE": "encoding",
    "UNQUOTED VALUE": "quotes",
    "LINE SIZE OVER MAXIMUM": "too_long",
    "INVALID STATE": "quotes",
}


@dataclass(frozen=True, slots=True)
class Reject:
    """One refused row."""

    file: str
    table: str | None
    line: int | None
    reason: str
    found: str = ""
    raw: str | None = None

    @property
    def sentence(self) -> str:
        """The reason in words, with what was met."""
        found = "".join(c if c.isprintable() else "·" for c in self.found)
        return REASONS[self.reason] + (f": {found[:200]}" if found else "")


def collect(session: Session, raw: Raw, table: str | None = None) -> list[Reject]:
    """Gather what was refused of the table `raw`: by the parser and by the mapping.

    The mapping's refusals stand in the temporary table `rejected (row, target, reason,
    found)`. Cost: one pass over the file, and only where something was refused.
    """
    rows = session.run("SELECT row, target, reason, found FROM rejected ORDER BY row")
    if not rows and not raw.refused_at:
        return []
    found, broken = _by_row(session) if raw.by_row else places(raw, [r[0] for r in rows])
    name = raw.source.name
    rejects = [
        Reject(name, table, place.line, _PARSER.get(kind, "columns"), "", place.text)
        for place, kind in broken
    ]
    for row, target, reason, met in rows:
        place = found.get(row, Place(0, ""))
        rejects.append(
            Reject(name, target, place.line or None, reason, met or "", place.text or None)
        )
    return sorted(rejects, key=lambda r: (r.line or 0, r.reason))


def _by_row(session: Session) -> tuple[dict[int, Place], list[tuple[Place, str]]]:
    rows = session.run(
        "SELECT row, CAST(to_json(r) AS VARCHAR) FROM raw AS r SEMI JOIN rejected USING (row)"
    )
    return {row: Place(row, text[:KEPT]) for row, text in rows}, []


def write_rejects(rejects: Sequence[Reject], folder: Path) -> None:
    """Write `rejects.parquet`; nothing where nothing was refused."""
    if not rejects:
        return
    columns = {name: [getattr(r, name) for r in rejects] for name in REJECTS.names}
    columns["raw"] = [r and r.replace("\x00", "·") for r in columns["raw"]]
    pq.write_table(pa.table(columns, schema=REJECTS), folder / "rejects.parquet")


def refuse_mangled(session: Session, name: str, columns: Iterable[str], table: str = "raw") -> None:
    """Refuse a file whose ids a spreadsheet or a float column has rounded.

    Two marks: an exponent or a decimal point in an id, and long ids of which every one has
    zeros from the sixteenth digit on (a spreadsheet keeps fifteen).

    Raises
    ------
    MangledIds
        With the column, how many, and an example.
    """
    names = list(columns)
    marks = ", ".join(
        f"count(*) FILTER (WHERE mangled({c})), min({c}) FILTER (WHERE mangled({c})),"
        f" count(*) FILTER (WHERE length({c}) >= 17)"
        for c in names
    )
    found = session.run(f"SELECT {marks} FROM {table}")[0]
    for at, column in enumerate(names):
        count, example, long = found[3 * at : 3 * at + 3]
        if long and not count:
            count, example = _all_rounded(session, column, table)
        if count:
            raise MangledIds(
                f"ids in the column {column} of {name}",
                f"{count:,} that were rounded on the way, such as {example[:60]}: "
                "a spreadsheet or a float column keeps 15 digits, and different ids become one",
                "take the file as it was first exported, or open it with that column as text; "
                "nothing was loaded",
            )


def _all_rounded(session: Session, column: str, table: str) -> tuple[int, str]:
    """Count long ids if each of them, and at least five, ends in zeros after 15 digits."""
    long, zeros, example = session.run(
        f"""
        SELECT count(*), count(*) FILTER (WHERE regexp_full_match(id, '\\d{{15}}0+')), min(id)
        FROM (SELECT DISTINCT {column} AS id FROM {table}
              WHERE regexp_full_match({column}, '\\d{{17,}}'))
        """
    )[0]
    return (zeros, example) if long >= 5 and long == zeros else (0, "")
