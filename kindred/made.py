"""Data that was made up says so on every line that is printed of it."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style

from engine.contract import Backend

__all__ = ["MARK", "Labelled", "is_made", "labelled"]

MARK = "made │ "


class Labelled:
    """A renderable whose every line begins with the mark of made data."""

    def __init__(self, inner: RenderableType) -> None:
        self.inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        narrow = options.update(width=max(20, options.max_width - len(MARK)))
        mark = Segment(MARK, Style(color="yellow"))
        for line in console.render_lines(self.inner, narrow, pad=False):
            yield mark
            yield from line
            yield Segment.line()


def is_made(backend: Backend) -> bool:
    """Say whether anything in the store was made up (`made = true` in its `source.toml`)."""
    return any(
        (batch.options.get("source") or {}).get("made") is True for batch in backend.batches()
    )


def labelled(inner: RenderableType, backend: Backend) -> RenderableType:
    """Return the renderable, with the mark on every line where the data were made up."""
    return Labelled(inner) if is_made(backend) else inner
