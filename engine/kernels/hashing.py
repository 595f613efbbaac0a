"""Random-looking numbers that depend on nothing but what they are made of.

One number in, one number out: no state, no order, no thread. Used to hash users for sketches
and to draw coins that any pass over the data draws alike.
"""

from __future__ import annotations

import numpy as np

from engine.kernels.compile import kernel

__all__ = ["coin", "mix", "seeded"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


@kernel
def mix(x: np.uint64) -> np.uint64:
    """Scatter 64 bits: a bijection in which every bit of `x` moves every bit.

    The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
    """
    z = np.uint64(x) + _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


@kernel
def seeded(seed: int, number: int) -> np.uint64:
    """Scatter a number under a seed: each seed gives numbers of its own."""
    return mix(mix(np.uint64(seed)) ^ mix(np.uint64(number) + _GOLDEN))


@kernel
def coin(x: np.uint64) -> float:
    """Return a number in [0, 1) from 64 scattered bits."""
    return float(x >> np.uint64(11)) * (1.0 / 9007199254740992.0)
