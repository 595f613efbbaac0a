"""Open the store a command names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kindred.facade import Kindred

__all__ = ["reading", "writing"]


def reading(store: str | None) -> Kindred:
    """Open a store that is there; nothing of it changes."""
    from kindred.facade import connect

    return connect(store, create=False)


def writing(store: str | None, *, create: bool = False, wait: bool = True) -> Kindred:
    """Open a store for writing; with `create`, make it where there is none."""
    from kindred.facade import connect

    return connect(store, create=create, wait=wait)
