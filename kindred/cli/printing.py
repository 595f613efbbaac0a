"""Rows on stdout, as a table for people or in a format for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from engine.errors import UsageError
from kindred.cli.options import SHOWN, RowFormat

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from kindred.result import Result

__all__ = ["console", "limited", "remark", "show", "show_all"]

_PIPED_WIDTH: Final = 180
"""Columns of a table that goes into a pipe."""


def limited(limit: int | None, format: RowFormat) -> int | None:
    """Return how many rows to ask for: a table shows a screenful unless told otherwise.

    Examples
    --------
    >>> limited(None, "table"), limited(None, "csv"), limited(5, "csv")
    (20, None, 5)
    """
    return SHOWN if limit is None and format == "table" else limit


def show(
    result: Result,
    format: RowFormat,
    *,
    columns: Mapping[str, str] | None = None,
    words: Mapping[str, Callable[[str], str]] | None = None,
    quiet: bool = False,
) -> None:
    """Print a result.

    Parameters
    ----------
    columns
        Columns of the table, each with its heading; by default all. Other formats print
        all columns, always.
    words
        Columns whose values have words of their own in a table.
    """
    if format != "table":
        _print_rows(result, format)
        if not quiet:
            for note in result.notes:
                remark(note)
        return
    from kindred.cli.table import rows_table

    headed = columns or {name: name for name in result.columns}
    shown = rows_table(result, headed, words or {})
    show_all(shown, made=_is_made(result.notes))


def show_all(*parts: RenderableType, made: bool = False) -> None:
    """Print renderables; over made data each line says so."""
    from rich.console import Group

    from kindred.made import Labelled

    whole = Group(*parts)
    console().print(Labelled(whole) if made else whole)


def console() -> Console:
    """Return the console of stdout; a pipe is given room for whole rows."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _PIPED_WIDTH
    return Console(file=sys.stdout, width=width, highlight=False, soft_wrap=False)


def remark(sentence: str) -> None:
    """Say something beside the rows, on stderr."""
    from kindred.plain import plain

    sys.stderr.write(f"{plain(sentence).plain}\n")


def _is_made(notes: Sequence[str]) -> bool:
    from engine.wording import MADE_DATA

    return any(note.startswith(MADE_DATA) for note in notes)


def _print_rows(result: Result, format: RowFormat) -> None:
    from kindred.writing import write

    if format == "table":
        return
    if format == "parquet" and sys.stdout.isatty():
        raise UsageError(
            "rows as parquet on the screen",
            "parquet is not text",
            "send it into a file: kindred ... --format parquet > rows.parquet",
        )
    sys.stdout.flush()
    write(result.to_arrow(), sys.stdout.buffer, format)
    sys.stdout.buffer.flush()
