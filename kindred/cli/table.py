"""A result as a Rich table: figures right-aligned and short, names from the data inert."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kindred.plain import plain

if TYPE_CHECKING:
    from kindred.result import Result

__all__ = ["cell", "rows_table"]

_NONE: Final = "–"
_LONGEST: Final = 300
_NOTHING: Final = 1e-9
"""Smaller figures are rounding."""


def cell(value: Any) -> str:
    """Return a value as few characters as say it.

    Examples
    --------
    >>> cell(1234567), cell(0.123456), cell(12.5), cell(None), cell(["a", "b"])
    ('1,234,567', '0.123', '12.5', '–', 'a, b')
    """
    if value is None:
        return _NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return _figure(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, list):
        return ", ".join(cell(v) for v in value)
    if isinstance(value, dict):  # a label and its share
        return " ".join(f"{v:.0%}" if isinstance(v, float) else cell(v) for v in value.values())
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def rows_table(
    result: Result, columns: Mapping[str, str], words: Mapping[str, Callable[[str], str]]
) -> RenderableType:
    """Return a table of some columns under their headings, with title and notes.

    `words` gives columns whose values are shown in words of their own.
    """
    arrow = result.to_arrow()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name, heading in columns.items():
        figures = _is_figure(arrow.schema.field(name).type)
        table.add_column(
            plain(heading), justify="right" if figures else "left", no_wrap=figures, overflow="fold"
        )
    for row in arrow.select(list(columns)).to_pylist():
        for name, word in words.items():
            row[name] = row[name] and word(row[name])
        table.add_row(*(plain(cell(value)) for value in row.values()))
    head = [plain(result.title, "bold"), *(plain(note, "yellow") for note in result.notes)]
    if len(result) == 0:
        return Group(*head, Text("no rows"))
    run = [plain(f"run {result.run_id}", "dim")] if result.run_id else []
    return Group(*head, table, *run)


def _figure(value: float) -> str:
    if not math.isfinite(value):
        return f"{value:g}"
    if abs(value) < _NOTHING:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 6)}f}" if digits < 7 else f"{value:.2e}"


def _is_figure(type: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type) or pa.types.is_floating(type))
