"""The export shapes that kindred reads, in the order in which a file is held against them."""

from __future__ import annotations

from typing import Final

from engine.errors import UsageError
from loaders.export import Export
from loaders.exports.canonical import CANONICAL_FOLDER
from loaders.exports.coortweet import COORTWEET
from loaders.exports.edges import EDGES
from loaders.exports.german_posts import GERMAN_POSTS
from loaders.exports.higgs import HIGGS
from loaders.exports.x_api_v2 import X_API_V2

__all__ = ["FORMATS", "format_named"]

FORMATS: Final[tuple[Export, ...]] = (
    X_API_V2,
    GERMAN_POSTS,
    COORTWEET,
    HIGGS,
    CANONICAL_FOLDER,
    EDGES,
)
"""Every format; edge lists come last, since most tables could be one."""


def format_named(name: str) -> Export:
    """Return the format of this name; raises `UsageError` that lists the known ones."""
    for known in FORMATS:
        if known.name == name:
            return known
    raise UsageError(
        f"the format {name}",
        "there is no format of this name",
        f"use one of {', '.join(f.name for f in FORMATS)}, or leave it out",
    )
