"""Speed beside peers, in one run: loading, kernels, whole analyses, a server. `make bench`."""

from __future__ import annotations

from tests.bench import analysis, exposure, kernels, load, neo4j_analysis, neo4j_load

for part in (load, kernels, exposure, analysis, neo4j_load, neo4j_analysis):
    part.main()
