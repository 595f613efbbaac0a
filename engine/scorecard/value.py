"""A figure of the scorecard: its interval, what it was counted on, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import special

from engine.csr import Floats
from engine.shrink import shrunk

__all__ = ["Value", "exact", "log_ratio", "mean", "part", "per_exposure", "unknown"]

_P: Final = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Value:
    """One figure. `low` and `high` are the 90 % interval of an estimate; counts have none.

    `n` is of how many it was counted, `basis` names the columns it came from. Where `value` is
    None, `reason` says why.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: float | None = None
    basis: tuple[str, ...] = ()
    reason: str | None = None

    def on(self, *basis: str) -> Value:
        """Name the columns it came from."""
        return replace(self, basis=basis)


def unknown(reason: str, *basis: str) -> Value:
    """Say why there is no figure.

    Examples
    --------
    >>> unknown("needs clicks").value is None
    True
    """
    return Value(None, basis=basis, reason=reason)


def exact(value: float, n: float) -> Value:
    """Return a figure that was counted out: it has no interval."""
    return Value(float(value), n=float(n))


def part(k: float, n: float, nothing: str, strength: float = 0.0, mean_: float = 0.5) -> Value:
    """Return k of n with the 90 % interval of a rate, or why there is none.

    Without `strength` the value is k / n and the interval is Jeffreys'; with it both are shrunk
    to `mean_`, which stands for so many cases. Never more than all n.

    Examples
    --------
    >>> v = part(3, 4, "nobody")
    >>> v.value, round(v.low, 4), round(v.high, 4)
    (0.75, 0.3493, 0.954)
    >>> part(0, 0, "nobody was shown it").reason
    'nobody was shown it'
    """
    if n <= 0:
        return unknown(nothing)
    k = min(k, n)
    if strength:
        value, low, high = (float(v) for v in shrunk(k, n, mean_, strength))
        return Value(value, low, high, float(n))
    low, high = (float(special.betaincinv(k + 0.5, n - k + 0.5, p)) for p in _P)
    return Value(k / n, min(low, k / n), max(high, k / n), float(n))


def per_exposure(k: float, n: float, times: float, nothing: str) -> Value:
    """Return how many there are in so many exposures, with the interval of a Poisson count.

    Examples
    --------
    >>> v = per_exposure(20, 5_000, 1_000, "nobody")
    >>> v.value, round(v.low, 2), round(v.high, 2)
    (4.0, 2.73, 5.69)
    """
    if n <= 0:
        return unknown(nothing)
    low, high = (float(special.gammaincinv(k + 0.5, p)) * times / n for p in _P)
    return Value(k * times / n, min(low, k * times / n), high, float(n))


def mean(values: Floats, nothing: str, bounds: tuple[float, float]) -> Value:
    """Return a mean with its 90 % interval (Student's t); of a single value without one.

    Examples
    --------
    >>> v = mean(np.array([0.2, 0.4, 0.6]), "nothing", (-1.0, 1.0))
    >>> round(v.value, 6), round(v.low, 6), v.n
    (0.4, 0.062829, 3.0)
    """
    n = len(values)
    if n == 0:
        return unknown(nothing)
    centre = float(values.mean())
    if n == 1:
        return Value(centre, n=1.0)
    half = float(special.stdtrit(n - 1, _P[1]) * values.std(ddof=1) / np.sqrt(n))
    return Value(centre, max(centre - half, bounds[0]), min(centre + half, bounds[1]), float(n))


def log_ratio(found: Value, usual: float, nothing: str) -> Value:
    """Return log2 of a figure over what is usual, its interval with it."""
    if found.value is None:
        return found
    if found.value <= 0 or usual <= 0:
        return unknown(nothing)
    low, high = (
        None if end is None or end <= 0 else float(np.log2(end / usual))
        for end in (found.low, found.high)
    )
    return Value(float(np.log2(found.value / usual)), low, high, found.n)
