"""Draws of a lift, against the ends of its posterior."""

from __future__ import annotations

import numpy as np
import pytest

from engine.draws import draws
from engine.lift import Prior, posterior

PRIOR = Prior(25.0, np.array([0.25, 1.0, 4.0]), np.array([0.1, 0.75, 0.15]))


@pytest.mark.parametrize(("o", "e"), [(0.0, 0.5), (3.0, 1.0), (12.0, 3.0), (120.0, 100.0)])
def test_draws_spread_as_the_posterior(o: float, e: float) -> None:
    p = posterior(PRIOR, [o], [e])
    found = draws(PRIOR, o, e, 1, "cell")
    # A quantile of n draws lies within 4 sd of its part: 4 sqrt(.05 .95 / 4000) = .014.
    for end, part in ((p.lift_low[0], 0.05), (p.lift_high[0], 0.95), (1.0, 1 - p.prob_above[0])):
        assert np.mean(found < end) == pytest.approx(part, abs=0.032)
    assert found.mean() == pytest.approx(p.mean[0], abs=4 * found.std() / 4_000**0.5)


def test_draws_of_a_cell_do_not_depend_on_others() -> None:
    again = draws(PRIOR, 3.0, 1.0, 1, "cell")
    assert np.array_equal(draws(PRIOR, 3.0, 1.0, 1, "cell"), again)
    assert not np.array_equal(draws(PRIOR, 3.0, 1.0, 1, "other"), again)
    assert not np.array_equal(draws(PRIOR, 3.0, 1.0, 2, "cell"), again)
