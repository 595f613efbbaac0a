"""Agreement of groupings against igraph."""

from __future__ import annotations

import igraph
import numpy as np
import pytest

from engine.agreement import adjusted_rand, mutual_information


@pytest.mark.parametrize("seed", range(5))
def test_as_igraph_computes_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 6, 200)
    b = np.where(rng.random(200) < 0.7, a, rng.integers(0, 9, 200))
    want_nmi = igraph.compare_communities(a.tolist(), b.tolist(), method="nmi")
    want_ari = igraph.compare_communities(a.tolist(), b.tolist(), method="adjusted_rand")
    assert mutual_information(a, b) == pytest.approx(want_nmi, abs=1e-9)
    assert adjusted_rand(a, b) == pytest.approx(want_ari, abs=1e-9)
