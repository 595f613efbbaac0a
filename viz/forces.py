"""The forces of a layout: repulsion over a quadtree, attraction along ties, circles apart."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from engine.csr import Floats, Ints, Longs
from engine.kernels.compile import kernel

__all__ = ["part", "relax"]

_THETA: Final = 0.9
"""A cell is one body once its width is below this part of its distance."""
_GRAVITY: Final = 0.6
_REPULSION: Final = 2.0
_DEEPEST: Final = 40
"""Levels of the quadtree; what is closer than 2^-40 of the picture is one body."""

Tree = tuple[Ints, Floats, Floats, Ints]
"""Cells: four children (-1 = none); middle x, y and half width; sums of m·x, m·y, m; body or -1."""


@kernel
def relax(xy: Floats, ties: tuple[Longs, Ints, Floats], iterations: int) -> None:
    """Move positions, in place, to where the forces of `viz.layout.force` balance.

    `ties` are indptr, indices and weights of an undirected graph without parallel ties.
    """
    indptr, indices, weights = ties
    n = len(xy)
    mass = np.empty(n)
    for i in range(n):
        mass[i] = indptr[i + 1] - indptr[i] + 1
    most = 8 * n + 64
    tree = (
        np.empty((most, 4), np.int32),
        np.empty((most, 3)),
        np.empty((most, 3)),
        np.empty(most, np.int32),
    )
    stack = np.empty(4 * _DEEPEST + 64, np.int32)
    before = np.zeros((n, 2))
    pull = np.zeros((n, 2))
    speed, efficiency = 1.0, 1.0
    for _ in range(iterations):
        _build(xy, mass, tree)
        for i in range(n):
            fx, fy = _push(i, xy, mass, tree, stack)
            x, y = xy[i, 0], xy[i, 1]
            far = math.sqrt(x * x + y * y) + 1e-9
            fx -= _GRAVITY * mass[i] * x / far
            fy -= _GRAVITY * mass[i] * y / far
            for e in range(indptr[i], indptr[i + 1]):
                j = indices[e]
                dx, dy = xy[j, 0] - x, xy[j, 1] - y
                d = math.sqrt(dx * dx + dy * dy) + 1e-9
                f = weights[e] * math.log1p(d) / d
                fx += f * dx
                fy += f * dy
            pull[i, 0], pull[i, 1] = fx, fy
        swinging, traction = 0.0, 0.0
        for i in range(n):
            sx, sy = before[i, 0] - pull[i, 0], before[i, 1] - pull[i, 1]
            tx, ty = before[i, 0] + pull[i, 0], before[i, 1] + pull[i, 1]
            swinging += mass[i] * math.sqrt(sx * sx + sy * sy)
            traction += 0.5 * mass[i] * math.sqrt(tx * tx + ty * ty)
        # ForceAtlas2's global speed: as fast as the whole moves together, slower where it swings.
        tolerance = max(
            math.sqrt(0.05 * math.sqrt(n)), min(10.0, 0.05 * math.sqrt(n) * traction / (n * n))
        )
        if swinging > 2 * traction:
            efficiency = max(0.05, efficiency * 0.5)
        target = tolerance * efficiency * traction / (swinging + 1e-12)
        if swinging > tolerance * traction:
            efficiency = max(0.05, efficiency * 0.7)
        elif speed < 1000:
            efficiency = min(1.0, efficiency * 1.3)
        speed += min(target - speed, 0.5 * speed)
        for i in range(n):
            sx, sy = before[i, 0] - pull[i, 0], before[i, 1] - pull[i, 1]
            swing = mass[i] * math.sqrt(sx * sx + sy * sy)
            factor = speed / (1.0 + math.sqrt(speed * swing))
            xy[i, 0] += pull[i, 0] * factor
            xy[i, 1] += pull[i, 1] * factor
            before[i, 0], before[i, 1] = pull[i, 0], pull[i, 1]


@kernel
def _build(xy: Floats, mass: Floats, tree: Tree) -> None:
    child, middle, weighed, body = tree
    n = len(xy)
    low_x, high_x, low_y, high_y = xy[0, 0], xy[0, 0], xy[0, 1], xy[0, 1]
    for i in range(n):
        low_x, high_x = min(low_x, xy[i, 0]), max(high_x, xy[i, 0])
        low_y, high_y = min(low_y, xy[i, 1]), max(high_y, xy[i, 1])
    middle[0, 0], middle[0, 1] = (low_x + high_x) / 2, (low_y + high_y) / 2
    middle[0, 2] = max(high_x - low_x, high_y - low_y) / 2 + 1e-9
    child[0, :] = -1
    weighed[0, :] = 0.0
    body[0] = -1
    count = 1
    for i in range(n):
        x, y, m = xy[i, 0], xy[i, 1], mass[i]
        cell, depth = 0, 0
        while True:
            weighed[cell, 0] += m * x
            weighed[cell, 1] += m * y
            weighed[cell, 2] += m
            if body[cell] >= 0:
                # Coincident points, or no room left: let them be one heavy body.
                if depth >= _DEEPEST or count + n + 2 > len(body):
                    break
                other = body[cell]
                body[cell] = -1
                q = (1 if xy[other, 0] > middle[cell, 0] else 0) + (
                    2 if xy[other, 1] > middle[cell, 1] else 0
                )
                _leaf(cell, q, count, tree)
                _fill(count, other, xy, mass, tree)
                count += 1
            q = (1 if x > middle[cell, 0] else 0) + (2 if y > middle[cell, 1] else 0)
            if child[cell, q] < 0:
                _leaf(cell, q, count, tree)
                _fill(count, i, xy, mass, tree)
                count += 1
                break
            cell = child[cell, q]
            depth += 1


@kernel
def _leaf(cell: int, q: int, new: int, tree: Tree) -> None:
    child, middle, _, _ = tree
    half = middle[cell, 2] / 2
    middle[new, 0] = middle[cell, 0] + (half if q & 1 else -half)
    middle[new, 1] = middle[cell, 1] + (half if q & 2 else -half)
    middle[new, 2] = half
    child[new, :] = -1
    child[cell, q] = new


@kernel
def _fill(leaf: int, i: int, xy: Floats, mass: Floats, tree: Tree) -> None:
    _, _, weighed, body = tree
    weighed[leaf, 0] = mass[i] * xy[i, 0]
    weighed[leaf, 1] = mass[i] * xy[i, 1]
    weighed[leaf, 2] = mass[i]
    body[leaf] = i


@kernel
def _push(i: int, xy: Floats, mass: Floats, tree: Tree, stack: Ints) -> tuple[float, float]:
    child, middle, weighed, body = tree
    fx, fy = 0.0, 0.0
    top = 1
    stack[0] = 0
    while top > 0:
        top -= 1
        cell = stack[top]
        m = weighed[cell, 2]
        dx = xy[i, 0] - weighed[cell, 0] / m
        dy = xy[i, 1] - weighed[cell, 1] / m
        d2 = dx * dx + dy * dy
        width = 2 * middle[cell, 2]
        if body[cell] >= 0 or width * width < _THETA * _THETA * d2:
            if body[cell] == i:
                # Whatever shares this spot is parted by a hair, each its own way.
                m -= mass[i]
                dx, dy = 1e-3 * math.cos(i), 1e-3 * math.sin(i)
                d2 = 1e-6
            if m > 0:
                f = _REPULSION * mass[i] * m / (d2 + 1e-6)
                fx += f * dx
                fy += f * dy
            continue
        for q in range(4):
            if child[cell, q] >= 0:
                stack[top] = child[cell, q]
                top += 1
    return fx, fy


@kernel
def part(xy: Floats, radius: Floats, gap: float, sweeps: int) -> None:
    """Push overlapping circles apart, in place."""
    for _ in range(sweeps):
        moved = False
        for i in range(len(xy)):
            for j in range(i + 1, len(xy)):
                dx, dy = xy[j, 0] - xy[i, 0], xy[j, 1] - xy[i, 1]
                d = math.sqrt(dx * dx + dy * dy)
                need = radius[i] + radius[j] + gap
                if d >= need - 1e-6:
                    continue
                if d < 1e-9:
                    dx, dy, d = math.cos(j), math.sin(j), 1.0
                    push = need / 2
                else:
                    push = (need - d) / 2
                # The heavier circle gives way less.
                share = radius[i] / (radius[i] + radius[j])
                xy[i, 0] -= 2 * push * (1 - share) * dx / d
                xy[i, 1] -= 2 * push * (1 - share) * dy / d
                xy[j, 0] += 2 * push * share * dx / d
                xy[j, 1] += 2 * push * share * dy / d
                moved = True
        if not moved:
            return
