"""Speed beside peers, in one run: loading, kernels, a whole analysis. `make bench`."""

from __future__ import annotations

from tests.bench import analysis, kernels, load

for part in (load, kernels, analysis):
    part.main()
