"""Which labels fit: the most important first, none over another."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.csr import Floats

__all__ = ["Box", "boxes", "fitting", "short", "shorten", "text_width"]

_WIDE: Final = 1.75
"""A full-width character in widths of an average one."""


Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def shorten(text: str, most: int = 26) -> str:
    r"""Cut a name for drawing: one line, no control characters, an ellipsis where cut.

    Examples
    --------
    >>> shorten("Very\nlong" + " name" * 9, 16)
    'Very long name…'
    """
    clean = " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in text).split())
    return clean if len(clean) <= most else clean[: most - 1].rstrip() + "…"


def short(label: str) -> str:
    """Return the first of the names a community's label is made of.

    Examples
    --------
    >>> short("Ada Lovelace, Grace Hopper")
    'Ada Lovelace'
    """
    return label.split(", ", maxsplit=1)[0]


def text_width(text: str, size: float) -> float:
    """Estimate the width of a line of text in pixels at this font size, on the safe side."""
    units = sum(_WIDE if unicodedata.east_asian_width(c) in "WF" else 1.0 for c in text)
    return units * size * 0.6


def fitting(
    xy: Floats,
    radius: Floats,
    texts: Sequence[str],
    importance: Floats,
    *,
    size: float = 14.0,
    most: int = 40,
    below: bool = True,
    obstacles: Sequence[Box] = (),
    bodies: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.int8]:
    """Choose labels greedily by importance, so that none covers another.

    A label stands below its node (or beside it: 1 right, -1 left; 0 is no label) at `size`
    pixels in the units of `xy`. It leaves free the middle of more important labelled nodes
    (only those in `bodies`, if given) and the boxes of `obstacles`.

    Examples
    --------
    >>> import numpy as np
    >>> xy = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 90.0]])
    >>> fitting(xy, np.full(3, 5.0), ["Ada", "Bob", "Eve"], np.array([1.0, 2.0, 0.5]))
    array([0, 1, 1], dtype=int8)
    """
    taken = list(obstacles)
    chosen = np.zeros(len(texts), np.int8)
    for i in np.lexsort((np.arange(len(texts)), -importance)).tolist():
        if np.count_nonzero(chosen) == most:
            break
        if not texts[i].strip():
            continue
        width = text_width(texts[i], size)
        x, y, r = float(xy[i, 0]), float(xy[i, 1]), float(radius[i])
        if below:
            spots = [(1, (x - width / 2, y + r, x + width / 2, y + r + size * 1.45))]
        else:
            tall = size * 0.65
            spots = [
                (1, (x + r, y - tall, x + r + 4 + width, y + tall)),
                (-1, (x - r - 4 - width, y - tall, x - r, y + tall)),
            ]
        for side, box in spots:
            if any(_cross(box, other) for other in taken):
                continue
            taken.append(box)
            if bodies is None or bodies[i]:
                taken.append((x - r * 0.7, y - r * 0.7, x + r * 0.7, y + r * 0.7))
            chosen[i] = side
            break
    return chosen


def boxes(xy: Floats, radius: Floats) -> list[Box]:
    """Return the boxes around circles."""
    low, high = (xy - radius[:, None]).tolist(), (xy + radius[:, None]).tolist()
    return [(a[0], a[1], b[0], b[1]) for a, b in zip(low, high, strict=True)]


def _cross(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
