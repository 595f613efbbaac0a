"""Words from the data on a terminal: shown as they are, never obeyed."""

from __future__ import annotations

import unicodedata

from rich.text import Text

__all__ = ["plain"]


def plain(words: str, style: str = "") -> Text:
    r"""Return text in which neither Rich markup nor terminal control sequences act.

    Examples
    --------
    >>> plain("[red]not red[/red] \x1b[31mnor this").plain
    '[red]not red[/red] �[31mnor this'
    """
    return Text("".join(c if _harmless(c) else "�" for c in words), style=style)


def _harmless(character: str) -> bool:
    # Cc: control. Cf: format, among them the marks that turn the direction of writing; the
    # two joiners are part of words and emoji.
    return unicodedata.category(character) not in {"Cc", "Cf"} or character in "\u200c\u200d"
