"""What the shape of a cascade may have been, over trees that are likely.

Reconstruction decides who looks influential (DeVerna et al. 2024). Where too few parents are
known for one tree, `TREES` trees are drawn, and what they have in common is reported: the
median of a figure, and the range that nine in ten of them lie in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.csr import Floats, Longs
from engine.kernels import trees
from engine.kernels.likely_trees import draw_trees
from engine.parents import Parents

__all__ = ["TREES", "Shapes", "content_seeds", "likely_shapes"]

TREES: Final = 20
"""Trees drawn of each content."""

_AT_ONCE: Final = 1 << 18
"""Shares drawn at once, for `TREES` parents each: 40 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """Median and range over likely trees, float64 by content; NaN for contents not drawn.

    A median of an even number is the lower of the middle two, so that depths stay whole.
    `low` and `high` are the 5 % and the 95 % point.
    """

    depth: Floats
    depth_low: Floats
    depth_high: Floats
    mean: Floats
    breadth: Floats
    virality: Floats
    virality_low: Floats
    virality_high: Floats


def likely_shapes(
    found: Parents, which: npt.NDArray[np.bool_], names: pa.StringArray, seed: int
) -> Shapes:
    """Draw `TREES` trees of each marked content and measure them.

    Given parents stay; see `engine.kernels.likely_trees.draw_trees` for the others and its
    cap. O(`TREES` * shares + shares * candidates) over the marked contents.

    Parameters
    ----------
    found
        The inferred parents.
    which
        bool[contents]; contents to draw.
    names
        The ids of these contents: with `seed` they decide the draws, so that a content has
        the same trees in whatever data.
    """
    contents = len(found.content)
    figures = np.full((4, 3, contents), np.nan)
    for chosen in _portions(np.flatnonzero(which), found.size):
        figures[:, :, chosen] = _quantiles(
            found, chosen, content_seeds(pc.take(names, pa.array(chosen)), seed)
        )
    (depth, mean, breadth, virality) = figures
    return Shapes(
        depth=depth[1],
        depth_low=depth[0],
        depth_high=depth[2],
        mean=mean[1],
        breadth=breadth[1],
        virality=virality[1],
        virality_low=virality[0],
        virality_high=virality[2],
    )


def _portions(chosen: Longs, size: Longs) -> Iterator[Longs]:
    """Part contents into stretches of about `_AT_ONCE` shares."""
    if len(chosen) == 0:
        return
    portion = np.cumsum(size[chosen]) // _AT_ONCE
    yield from np.split(chosen, np.flatnonzero(np.diff(portion)) + 1)


def content_seeds(names: pa.StringArray, seed: int) -> npt.NDArray[np.uint64]:
    """Return a seed for the trees of each content, by a hash of its id keyed with `seed`."""
    key = seed.to_bytes(8, "little", signed=False)
    words = b"".join(
        hashlib.blake2b(name.encode(), digest_size=8, key=key).digest()
        for name in names.to_pylist()
    )
    return np.frombuffer(words, "<u8").astype(np.uint64)


def _quantiles(found: Parents, chosen: Longs, seeds: npt.NDArray[np.uint64]) -> Floats:
    """Return 5 %, 50 % and 95 % points of depth, mean depth, breadth and virality."""
    size = found.size[chosen]
    offset = np.append(0, np.cumsum(size)).astype(np.int64)
    shift = np.repeat(found.offset[chosen] - offset[:-1], size)
    at = np.arange(offset[-1]) + shift
    over = found.parent[at]
    parent = np.where(over >= 0, over - shift, over)
    author = found.author[chosen]
    drawn = draw_trees(
        offset,
        found.shares.user[at],
        found.shares.at[at],
        author,
        found.began[chosen],
        found.evidence,
        parent,
        found.how[at],
        seeds,
        TREES,
    )
    figures = np.empty((4, TREES, len(chosen)))
    for r, tree in enumerate(drawn):
        # Given parents without a time can form a circle with drawn ones.
        trees.break_circles(tree, found.how[at])
        figures[:, r] = _measured(offset, tree, author >= 0)
    ranked = np.sort(figures, axis=1)
    tail = TREES // 20
    return np.asarray(ranked[:, [tail - 1, (TREES - 1) // 2, TREES - tail - 1], :], np.float64)


def _measured(
    offset: Longs, tree: Longs, rooted: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats, Floats]:
    _, deepest, mean, breadth, virality = trees.measure(offset, tree, rooted)
    return (
        np.where(deepest < 0, np.nan, deepest),
        mean,
        np.where(breadth < 0, np.nan, breadth),
        virality,
    )
