"""Weights of a mixture with fixed components, by expectation-maximisation."""

from __future__ import annotations

import numpy as np

from engine.csr import Floats
from engine.kernels.compile import kernel

__all__ = ["mixture_weights"]


@kernel
def mixture_weights(
    likelihood: Floats, count: Floats, start: Floats, iterations: int, gain: float
) -> Floats:
    """Maximise `sum_i count_i ln(sum_j w_j likelihood_ij)` over weights w that sum to one.

    The objective is concave, so the start decides nothing but the number of steps.
    Rows of `likelihood` may be scaled freely. Stops after `iterations` steps, or when a
    step gains less than `gain`. O(iterations * rows * components), no memory beyond it.
    """
    rows, components = likelihood.shape
    weights = start.copy()
    taken = np.empty(components)
    total = count.sum()
    before = -np.inf
    for _ in range(iterations):
        taken[:] = 0.0
        objective = 0.0
        for i in range(rows):
            mixed = 0.0
            for j in range(components):
                mixed += weights[j] * likelihood[i, j]
            objective += count[i] * np.log(mixed)
            part = count[i] / mixed
            for j in range(components):
                taken[j] += part * likelihood[i, j]
        for j in range(components):
            weights[j] *= taken[j] / total
        if objective - before < gain:
            break
        before = objective
    return weights
