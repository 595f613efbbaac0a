"""How long work tells where it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "silent"]


class Progress(Protocol):
    """Called with a stage, how much of it is done, and how much there is.

    `total` is None where the end is not known. A call may come from any thread.
    """

    def __call__(self, stage: str, done: float = 0, total: float | None = None) -> None:
        """Hear of progress."""


def silent(stage: str, done: float = 0, total: float | None = None) -> None:
    """Listen to nothing."""
