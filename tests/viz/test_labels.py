"""Labels never cover one another."""

from __future__ import annotations

import numpy as np
import pytest

from viz.labels import Box, fitting, shorten, text_width


def box(x: float, y: float, r: float, text: str, side: int, *, below: bool) -> Box:
    wide = text_width(text, 14)
    if below:
        return x - wide / 2, y + r, x + wide / 2, y + r + 14
    if side > 0:
        return x + r, y - 7, x + r + wide, y + 7
    return x - r - wide, y - 7, x - r, y + 7


@pytest.mark.parametrize("place", ["below", "beside"])
def test_no_label_covers_another_or_an_obstacle(place: str) -> None:
    below = place == "below"
    rng = np.random.default_rng(5)
    xy, radius = rng.uniform(0, 900, size=(150, 2)), rng.uniform(3, 15, size=150)
    texts = ["name " * int(k) for k in rng.integers(1, 4, size=150)]
    wall: Box = (400, 0, 420, 900)
    sides = fitting(
        xy, radius, texts, rng.random(150), size=14, most=150, below=below, obstacles=[wall]
    )
    taken = [
        box(
            float(xy[i, 0]), float(xy[i, 1]), float(radius[i]), texts[i], int(sides[i]), below=below
        )
        for i in np.flatnonzero(sides)
    ]
    assert len(taken) > 30
    boxes = [*taken, wall]
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            assert not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


def test_the_most_important_comes_first_and_blank_ones_never() -> None:
    xy, radius = np.zeros((3, 2)), np.full(3, 5.0)
    assert fitting(xy, radius, ["a", "b", " "], np.array([1.0, 2.0, 9.0])).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines\tand\x00more", "two lines and more"),
        ("\u202eturned\u202c", "turned"),
        ("x" * 30, "x" * 25 + "…"),
        ("", ""),
    ],
)
def test_names_are_one_clean_line(text: str, shown: str) -> None:
    assert shorten(text) == shown


def test_wide_characters_take_more_room() -> None:
    assert text_width("漢字", 10) > 1.5 * text_width("ab", 10)
