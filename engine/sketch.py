"""Distinct people counted in a few kilobytes: exact while few, HyperLogLog beyond.

A sketch takes users in any order, any number of times, and says how many distinct ones it
was given. Sketches merge, so the people that several sources reach together need no list of
people. Up to `SPARSE` users a sketch keeps them and is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.csr import Ints
from engine.kernels.hyperloglog import Registers, count_registers, fill, merge_into

__all__ = ["SEED", "SPARSE", "Counted", "Sketch", "relative_deviation", "within"]

SPARSE: Final = 256
"""Users that a sketch keeps as they are."""

SEED: Final = 0x6B696E64
"""Seed of the hash: the same in every sketch, so that all of them merge."""

_Z90: Final = 1.6448536269514722
"""Standard deviations to either side of a normal 90 % interval."""


def relative_deviation(p: int) -> float:
    """Return the relative standard deviation of a sketch of 2^p registers.

    Examples
    --------
    >>> round(relative_deviation(10), 4), round(relative_deviation(14), 4)
    (0.0325, 0.0081)
    """
    return 1.04 / float(np.sqrt(1 << p))


@dataclass(frozen=True, slots=True)
class Counted:
    """A number of distinct people: `low` and `high` of a 90 % interval, the count if exact."""

    count: int
    low: int
    high: int
    deviation: float
    """Standard deviation, 0 where it is exact."""

    @classmethod
    def exactly(cls, count: int) -> Counted:
        """Return an exact count."""
        return cls(count, count, count, 0.0)

    @classmethod
    def about(cls, estimate: float, p: int) -> Counted:
        """Return an estimate by 2^p registers."""
        low, high = within(np.array([estimate]), p)
        deviation = relative_deviation(p) * estimate
        return cls(round(estimate), int(low[0]), int(high[0]), deviation)


def within(
    estimate: npt.NDArray[np.float64], p: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return both ends of the 90 % interval of estimates by 2^p registers.

    Examples
    --------
    >>> import numpy as np
    >>> [int(end[0]) for end in within(np.array([10_000.0]), 14)]
    [9866, 10134]
    """
    spread = _Z90 * relative_deviation(p) * estimate
    low = np.floor(np.maximum(estimate - spread, 0.0)).astype(np.int64)
    return low, np.ceil(estimate + spread).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """A set of users that knows its size: `users` while few, else `registers`.

    Examples
    --------
    >>> few, many = Sketch.of(np.arange(100), 14), Sketch.of(np.arange(50, 100_000), 14)
    >>> few.counted().count, few.union(many).counted().count
    (100, 99381)
    """

    p: int
    users: Ints
    registers: Registers | None

    @classmethod
    def of(cls, users: npt.NDArray[Any], p: int) -> Sketch:
        """Sketch users, given by their numbers, with 2^p registers. O(users log users).

        Raises
        ------
        ValueError
            If p is not from 4 to 16.
        """
        if not 4 <= p <= 16:
            msg = f"a sketch has 2^4 to 2^16 registers, not 2^{p}"
            raise ValueError(msg)
        numbers = np.asarray(users, np.int32)
        # More rows than this are not worth sorting: they are nearly always too many people.
        if len(numbers) <= 64 * SPARSE:
            distinct = np.unique(numbers)
            if len(distinct) <= SPARSE:
                return cls(p, distinct, None)
        return cls(p, np.empty(0, np.int32), _filled(numbers, p))

    def union(self, other: Sketch) -> Sketch:
        """Return the sketch of everybody in either. O(2^p).

        Raises
        ------
        ValueError
            If their precision differs.
        """
        if self.p != other.p:
            msg = f"sketches of precision {self.p} and {other.p} do not merge"
            raise ValueError(msg)
        if self.registers is None and other.registers is None:
            return Sketch.of(np.concatenate((self.users, other.users)), self.p)
        merged = self._dense().copy()
        merge_into(merged, other._dense())
        return Sketch(self.p, np.empty(0, np.int32), merged)

    def counted(self) -> Counted:
        """Return how many distinct users it was given."""
        if self.registers is None:
            return Counted.exactly(len(self.users))
        return Counted.about(count_registers(self.registers, len(self.registers)), self.p)

    def _dense(self) -> Registers:
        return _filled(self.users, self.p) if self.registers is None else self.registers


def _filled(users: Ints, p: int) -> Registers:
    filled: Registers = fill(np.array([0, len(users)]), users, p, SEED)[0]
    return filled
