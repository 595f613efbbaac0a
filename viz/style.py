"""What things look like: colours told apart by colour-blind people, shapes beyond eight, sizes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.csr import Floats

__all__ = [
    "DARK",
    "EDGE",
    "FONT",
    "INK",
    "LIGHT",
    "OTHER",
    "PAPER",
    "QUADRANT_MARKS",
    "SHAPES",
    "STYLES",
    "VIS_SIZES",
    "Mark",
    "areas",
    "in_file",
    "mark",
    "variables",
]

LIGHT: Final = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#F0E442",
    "#4D4D4D",
)
"""The colour-blind-safe set of Okabe and Ito (2008), most distinct first; black is softened."""

DARK: Final = (
    "#3B9BD6",
    "#E69F00",
    "#1DB88E",
    "#E9762B",
    "#DB94BB",
    "#8FCDF2",
    "#F0E442",
    "#C8CCD2",
)
"""The same hues, lifted for a dark ground."""

OTHER: Final = ("#A3A8B0", "#7C828C")
"""Everything without a style of its own, on light and dark."""


def _outline(radius: float, corners: int = 24) -> str:
    """Draw a circle as a polygon; a negative radius turns the other way and cuts a hole."""
    turn = math.copysign(2 * math.pi / corners, radius)
    points = (
        (abs(radius) * math.cos(turn * k), abs(radius) * math.sin(turn * k)) for k in range(corners)
    )
    return "M" + "L".join(f"{x:.3f},{y:.3f}" for x, y in points) + "Z"


SHAPES: Final = {
    "dot": "M-1,0A1,1 0 1,1 1,0A1,1 0 1,1 -1,0Z",
    "square": "M-.89,-.89H.89V.89H-.89Z",
    "triangle": "M0,-1.1L1.06,.74H-1.06Z",
    "diamond": "M0,-1.2L1,0L0,1.2L-1,0Z",
    "triangleDown": "M0,1.1L1.06,-.74H-1.06Z",
    "star": "M0,-1.25L.32,-.44L1.19,-.39L.52,.17L.74,1.01L0,.54L-.74,1.01L-.52,.17L-1.19,-.39"
    "L-.32,-.44Z",
    "hexagon": "M1,0L.5,.87H-.5L-1,0L-.5,-.87H.5Z",
    "ring": _outline(1.0) + _outline(-0.62),
}
"""Shapes by the name vis-network knows them by, and their outline in a box of two units."""

STYLES: Final = len(LIGHT) * (len(SHAPES) - 1)
"""Groups that can be told apart; a ring is kept for what is undetermined."""

INK: Final = "currentColor"
PAPER: Final = "var(--paper)"
EDGE: Final = "var(--edge)"
"""What a page writes with, writes on, and draws ties with, in both schemes."""

FONT: Final = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"


@dataclass(frozen=True, slots=True)
class Mark:
    """How one group is drawn: a colour (-1 = other) and a shape."""

    colour: int
    shape: str

    @property
    def light(self) -> str:
        """Its colour on a light ground."""
        return LIGHT[self.colour] if self.colour >= 0 else OTHER[0]

    @property
    def paint(self) -> str:
        """Its colour as a page knows it, in both schemes; `in_file` resolves it."""
        return f"var(--k{self.colour if self.colour >= 0 else 'x'})"

    @property
    def path(self) -> str:
        """Its outline as an SVG path in a box of two units around the origin."""
        return SHAPES[self.shape]


def in_file(svg: str) -> str:
    """Replace a page's colours in a picture by those on a light ground.

    Examples
    --------
    >>> in_file('<path fill="var(--k0)" stroke="var(--paper)"/>')
    '<path fill="#0072B2" stroke="#ffffff"/>'
    """
    known = {mark(i).paint: mark(i).light for i in range(-1, len(LIGHT))}
    known |= {PAPER: "#ffffff", EDGE: "#b9bec6", INK: "#1b1d21"}
    names = "|".join(re.escape(name) for name in known)
    return re.sub(f'(?<==")({names})(?=")', lambda found: known[found[1]], svg)


VIS_SIZES: Final = {
    "square": 0.89,
    "diamond": 1.25,
    "triangle": 1.3,
    "triangleDown": 1.3,
    "star": 1.3,
    "hexagon": 1.1,
}
"""What vis-network's sizes are multiplied by, so that all shapes cover the area of a dot."""


def variables() -> str:
    """Write both palettes as variables of a style sheet, by the colour scheme."""

    def rule(colours: tuple[str, ...], other: str) -> str:
        names = [*map(str, range(len(colours))), "x"]
        pairs = zip(names, [*colours, other], strict=True)
        return ":root{" + "".join(f"--k{name}:{colour};" for name, colour in pairs) + "}"

    dark = "@media (prefers-color-scheme:dark){" + rule(DARK, OTHER[1]) + "}"
    return rule(LIGHT, OTHER[0]) + dark


def mark(index: int) -> Mark:
    """Style the index-th group: eight colours first, then the same colours on other shapes.

    Examples
    --------
    >>> mark(0), mark(8), mark(10_000).colour
    (Mark(colour=0, shape='dot'), Mark(colour=0, shape='square'), -1)
    """
    if not 0 <= index < STYLES:
        return Mark(-1, "dot")
    return Mark(index % len(LIGHT), list(SHAPES)[index // len(LIGHT)])


QUADRANT_MARKS: Final = {
    "leader": Mark(2, "diamond"),
    "gem": Mark(0, "triangle"),
    "broadcaster": Mark(3, "square"),
    "background": Mark(-1, "dot"),
    "undetermined": Mark(-1, "ring"),
}
"""Quadrants by colour and shape: either alone tells them apart."""


def areas(values: Floats, smallest: float, largest: float) -> Floats:
    """Radii such that areas are in proportion to values, between two radii.

    Examples
    --------
    >>> import numpy as np
    >>> areas(np.array([1.0, 4.0, 0.0]), 2.0, 10.0)
    array([ 5., 10.,  2.])
    """
    most = float(values.max()) if len(values) else 0.0
    if most <= 0:
        return np.full(len(values), smallest)
    radii: Floats = np.maximum(np.sqrt(np.maximum(values, 0) / most) * largest, smallest)
    return radii
