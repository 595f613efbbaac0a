"""Lifts drawn from what is known of a cell: for figures that depend on several cells at once."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
from scipy import special

from engine.csr import Floats
from engine.lift import Prior

__all__ = ["DRAWS", "draws"]

DRAWS: Final = 4_000
"""Draws of each lift: the ends of a 90 % interval then stand to about a twentieth of its width."""


def draws(prior: Prior, observed: float, expected: float, seed: int, key: str) -> Floats:
    """Draw lifts of a cell from its posterior, float64[DRAWS].

    The draws follow from the seed and the `key` of the cell alone, so that a cell has the same
    ones in whatever company it is looked at.

    Examples
    --------
    >>> prior = Prior(25.0, np.array([0.25, 1.0, 4.0]), np.array([0.1, 0.75, 0.15]))
    >>> found = draws(prior, 12.0, 3.0, 1, "a cell")
    >>> np.quantile(found, [0.05, 0.95]).round(1).tolist()
    [3.0, 5.1]
    """
    words = hashlib.blake2b(key.encode(), digest_size=16).digest()
    rng = np.random.default_rng([seed, *np.frombuffer(words, "<u4").tolist()])
    rate = prior.shape / prior.means
    with np.errstate(divide="ignore"):
        logs = np.log(prior.weights) + prior.shape * np.log(rate)
    weight = special.softmax(logs - (prior.shape + observed) * np.log(rate + expected))
    component = rng.choice(len(rate), DRAWS, p=weight)
    return np.asarray(rng.gamma(prior.shape + observed, 1.0, DRAWS) / (rate[component] + expected))
