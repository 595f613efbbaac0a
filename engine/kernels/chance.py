"""Random whole numbers inside kernels: the same from any version of any library.

The generator is splitmix64: G. L. Steele, D. Lea, C. H. Flood (2014). Fast splittable
pseudorandom number generators. OOPSLA.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.kernels.compile import kernel

__all__ = ["State", "draw", "mixed", "start"]

State = npt.NDArray[np.uint64]
"""One number: where the generator stands."""


def start(seed: int) -> State:
    """Return the state of a generator with this seed."""
    return np.array([seed], np.uint64)


@kernel
def mixed(value: np.uint64) -> np.uint64:
    """Scatter the bits of a number."""
    z = value
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel
def draw(state: State, below: int) -> np.int64:
    """Return the next of 0 .. below-1. The bias of the remainder is under below / 2^53."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    return np.int64(mixed(state[0]) >> np.uint64(11)) % np.int64(below)
