"""Which kindred is writing."""

from __future__ import annotations

from importlib import metadata

__all__ = ["writer"]


def writer() -> str:
    """Return the version of kindred that is running."""
    return metadata.version("kindred")
