"""Communities and authority of the Higgs activity: kindred's kernels and Graph Data Science.

Both get the same ties, streamed from the same Neo4j, in one run. `end to end` is what it
takes until labels and ranks are here: for the kernels the computing alone, for Graph Data
Science sending the ties, projecting, Leiden, PageRank, streaming, and the checks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

from engine.agreement import mutual_information
from engine.algorithms import Algorithms, Local
from engine.authority import interaction_graph
from engine.backends.neo4j.gds import Gds
from engine.backends.neo4j.gds_support import installed
from engine.backends.neo4j.store import Neo4jStore
from engine.csr import Csr, Floats, Ints
from engine.kernels.leiden import modularity
from engine.params import AnalysisParams
from engine.snapshot import Snapshot
from engine.ties import observe
from loaders.run import load
from tests.servers.choice import Servers, Unusable
from tests.servers.jars import NotThere

FILE = (
    Path(__file__).resolve().parents[3]
    / "shared" / "data" / "higgs-twitter" / "higgs-activity_time.txt.gz"
)  # fmt: skip
GAMMA, SEED, DAMPING, TOLERANCE = 1.0, 1, 0.85, 1e-12
LEAST = 15
INSIDE = 10
"""Communities whose inner authority is compared: the server takes one run for each."""
T = TypeVar("T")


def main() -> None:
    """Print both, with how much faster the faster one is, and how far they agree."""
    console = Console(width=100)
    if not FILE.exists():
        console.print("neo4j analysis: the Higgs activity is not beside the project; not measured")
        return
    servers = Servers()
    try:
        server = servers.shared()
        server.clean()
        with Neo4jStore.open(server.address, server.settings(timeout=600.0)) as store:
            load(store, FILE)
            snapshot, streamed = _timed(store.snapshot)
            console.print(f"snapshot streamed from Neo4j in {streamed:.1f} s")
            _compare(console, store, snapshot)
    except (NotThere, Unusable) as missing:
        console.print(f"neo4j analysis: no Neo4j server ({missing}); not measured")
    finally:
        servers.close()


def _compare(console: Console, store: Neo4jStore, snapshot: Snapshot) -> None:
    ties, turned = observe(snapshot, AnalysisParams()).edges().graph(), interaction_graph(snapshot)
    small = Csr.undirected([0, 1], [1, 2], [1.0, 1.0], 3)
    none = np.zeros(3, np.int32)
    found = installed(store.link)
    local, gds = Local(), Gds(store.link, found, None)
    for engine in (local, Gds(store.link, found, None)):  # compiles, and warms the server
        list(engine.communities([lambda: small], GAMMA, SEED))
        engine.pagerank(small, none, DAMPING, TOLERANCE)
    title = f"Higgs activity: {ties.n:,} users, {len(ties.weights) // 2:,} ties"
    table = Table(title=f"{title}, {len(turned.weights):,} who turned to whom")
    for column in ("step", "local, s", "GDS, s", "local is faster", "agreement"):
        table.add_column(column, justify="left" if column in ("step", "agreement") else "right")
    labels = [_timed(_leiden(engine, ties)) for engine in (local, gds)]
    (ours, first), (theirs, second) = labels
    tied = ours >= 0
    gone = f"NMI {mutual_information(ours[tied], theirs[tied]):.3f}, modularity "
    gone += f"{_quality(ties, ours):.4f} and {_quality(ties, theirs):.4f}"
    _row(table, "communities (Leiden)", first, second, gone)
    nobody = np.full(ties.n, -1, np.int32)
    overall = [_timed(_rank(engine, turned, nobody)) for engine in (local, gds)]
    off = float(np.abs(overall[0][0][0] - overall[1][0][0]).sum())
    _row(table, "authority (PageRank)", overall[0][1], overall[1][1], f"off by {off:.0e} in all")
    sizes = np.bincount(ours[tied])
    last = min(INSIDE, int((sizes >= LEAST).sum()))
    largest = np.where(ours < last, ours, -1).astype(np.int32)
    inside = [_timed(_rank(engine, turned, largest)) for engine in (local, gds)]
    off = float(np.abs(inside[0][0][1] - inside[1][0][1]).max())
    step = f"and in the {last} largest communities"
    _row(table, step, inside[0][1], inside[1][1], f"off by {off:.0e} at most")
    whole = [sum(part[which][1] for part in (labels, overall, inside)) for which in (0, 1)]
    _row(table, "all", whole[0], whole[1], "")
    console.print(table)
    for note in gds.notes[1:]:
        console.print(note)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.perf_counter()
    return work(), time.perf_counter() - began


def _leiden(engine: Algorithms, graph: Csr) -> Callable[[], Ints]:
    return lambda: next(engine.communities([lambda: graph], GAMMA, SEED))


def _rank(engine: Algorithms, graph: Csr, labels: Ints) -> Callable[[], tuple[Floats, Floats]]:
    return lambda: engine.pagerank(graph, labels, DAMPING, TOLERANCE)


def _quality(graph: Csr, labels: Ints) -> float:
    alone = np.where(labels < 0, np.arange(graph.n) + graph.n, labels)
    return modularity(graph, np.unique(alone, return_inverse=True)[1].astype(np.int32), GAMMA)


def _row(table: Table, step: str, local: float, gds: float, agreement: str) -> None:
    table.add_row(step, f"{local:.1f}", f"{gds:.1f}", f"{gds / local:.1f} times", agreement)


if __name__ == "__main__":
    main()
