"""How figures are written for people."""

from __future__ import annotations

from typing import Final

__all__ = ["NOTHING", "count", "figure", "percent", "span"]

NOTHING: Final = "–"


def count(value: float | None) -> str:
    """Write a count with separators.

    Examples
    --------
    >>> count(2464893), count(None)
    ('2,464,893', '–')
    """
    return NOTHING if value is None else f"{round(value):,}"


def percent(value: float | None) -> str:
    r"""Write a part of one as a percentage.

    Examples
    --------
    >>> [percent(part).replace("\xa0", " ") for part in (0.123, 0.004, None)]
    ['12 %', '0.4 %', '–']
    """
    if value is None:
        return NOTHING
    digits = 0 if value >= 0.1 or value == 0 else 1
    return f"{100 * value:.{digits}f}\N{NO-BREAK SPACE}%"


def figure(value: float | None, digits: int = 1) -> str:
    """Write a figure with so many decimals.

    Examples
    --------
    >>> figure(12.345), figure(None)
    ('12.3', '–')
    """
    return NOTHING if value is None else f"{value:,.{digits}f}"


def span(seconds: float | None) -> str:
    """Write a length of time in its two largest units.

    Examples
    --------
    >>> span(42), span(3_700), span(200_000), span(None)
    ('42 s', '1 h 1 min', '2 d 7 h', '–')
    """
    if seconds is None:
        return NOTHING
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 60:
        return f"{minutes} min {whole % 60} s"
    if hours < 24:
        return f"{hours} h {minutes % 60} min"
    return f"{days:,} d {hours % 24} h"
