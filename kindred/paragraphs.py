"""The parts an answer is set in: headings, sentences, figures and narrow tables."""

from __future__ import annotations

from typing import Literal

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kindred.plain import plain

__all__ = ["columns", "figure", "heading", "interval", "percent", "sentence"]

Side = Literal["left", "right"]


def heading(words: str) -> Text:
    """Return a heading with a line of space above."""
    return Text("\n").append_text(plain(words, "bold"))


def sentence(words: str, style: str = "") -> RenderableType:
    """Return a sentence, set in a little."""
    return Padding(plain(words, style), (0, 0, 0, 2), expand=False)


def columns(*named: tuple[str, Side]) -> Table:
    """Return an empty table with these columns; words wrap, figures never do."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=True, header_style="dim")
    for name, side in named:
        table.add_column(plain(name), justify=side, no_wrap=side == "right")
    return table


def figure(value: float | None, digits: int = 0) -> str:
    """Return a figure, or a dash where it is unknown.

    Examples
    --------
    >>> figure(1234.5), figure(None), figure(0.126, 2)
    ('1,234', '–', '0.13')
    """
    return "–" if value is None else f"{value:,.{digits}f}"


def interval(low: float | None, high: float | None, digits: int = 0) -> str:
    """Return the two ends of an interval.

    Examples
    --------
    >>> interval(0.5, 2, 1)
    '[0.5, 2.0]'
    """
    return f"[{figure(low, digits)}, {figure(high, digits)}]"


def percent(value: float | None) -> str:
    """Return a part of one as a percentage.

    Examples
    --------
    >>> percent(0.254)
    '25%'
    """
    return "–" if value is None else f"{value:.0%}"
