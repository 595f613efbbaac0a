"""Colours are told apart by colour-blind people, in light and in dark."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from engine.csr import Floats
from viz.style import DARK, LIGHT, SHAPES, STYLES, in_file, mark, variables

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
SIGHT = {
    "all colours": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def linear(colour: str) -> Floats:
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: Floats) -> Floats:
    xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ) @ np.clip(rgb, 0, 1)
    f = np.cbrt(xyz / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_any_two_colours_differ_to_any_eye(sight: str, palette: tuple[str, ...]) -> None:
    seen = [lab(SIGHT[sight] @ linear(colour)) for colour in palette]
    closest = min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2))
    # A just noticeable difference is about 2.3.
    assert closest > 9


def test_every_style_is_another_one() -> None:
    marks = [mark(i) for i in range(STYLES)]
    assert len(set(marks)) == STYLES == 56
    assert len({(m.light, m.path) for m in marks}) == STYLES
    assert mark(STYLES) == mark(-1)
    assert {m.shape for m in marks} == set(SHAPES) - {"ring"}


def test_pages_and_files_have_the_same_colours() -> None:
    sheet = variables()
    for i, colour in enumerate(LIGHT):
        assert f"--k{i}:{colour};" in sheet.split("@media")[0]
        assert in_file(f'<a fill="{mark(i).paint}"/>') == f'<a fill="{colour}"/>'
    for i, colour in enumerate(DARK):
        assert f"--k{i}:{colour};" in sheet.split("@media")[1]
