"""A graph with everything decided: where, how large, which colour, which names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from viz.style import Mark

__all__ = ["Drawing", "Edge", "Node"]


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a drawing: `page` is one of our own page names, opened on a double click."""

    label: str
    title: str
    x: float
    y: float
    size: float
    mark: Mark
    font: int = 14
    dashed: bool = False
    pale: bool = False
    page: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge between nodes by their place.

    `across` marks one that leaves a community, `dashed` one that is inferred.
    """

    source: int
    target: int
    width: float
    title: str = ""
    across: bool = False
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """A graph with positions; nodes that come first are drawn on top."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    about: str
    """What the picture shows, for those who do not see it."""
    directed: bool = False
    circles: Sequence[tuple[float, float]] = ()
    """Rings behind the nodes, by their half axes."""
