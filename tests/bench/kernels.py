"""Leiden and PageRank beside igraph and NetworKit, in one run: python -m tests.bench.kernels.

Runs of all are alternated and the best of three is shown, without the time a peer takes to
build its own graph. NetworKit uses all cores, the others one: hence the CPU seconds, which also
tell more on a busy machine. With --leidenalg also leidenalg.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from engine.csr import Csr, Floats
from engine.kernels.leiden import leiden, modularity
from engine.kernels.pagerank import pagerank

RUNS: Final = 3
HIGGS: Final = (
    Path(__file__).resolve().parents[3]
    / "shared/data/higgs-twitter/higgs-retweet_network.edgelist.gz"
)

Run = Callable[[int], npt.ArrayLike]
"""Takes a seed, gives labels or ranks."""


@dataclass
class Contender:
    """One program at one task: its times, and the figure of its best answer."""

    name: str
    run: Run
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    figures: list[float] = field(default_factory=list)


def main() -> None:
    """Run every task on every graph and print the table."""
    console = Console(width=110)
    warm_up(console)
    table = Table(title=f"Kernels, best of {RUNS} alternated runs")
    for column in ("graph", "task", "by", "seconds", "x kindred", "CPU s", "x kindred", "figure"):
        table.add_column(column, justify="left" if column in {"graph", "task", "by"} else "right")
    for name, directed, undirected in graphs(console):
        console.print(f"{name}: {undirected.n:,} nodes, {len(undirected.indices) // 2:,} pairs")
        contend(table, name, "Leiden", communities(undirected, console), scored(undirected))
        contend(table, name, "PageRank", ranks(directed, console), beside_exact(directed))
    console.print(table)
    console.print(
        "Figures: Leiden, the lowest modularity of the runs; PageRank, L1 distance from the "
        "solution (tolerance 1e-15)."
    )


def warm_up(console: Console) -> None:
    """Compile, or load what was compiled before."""
    began = time.perf_counter()
    graph = Csr.undirected([0], [1], [1.0], 2)
    modularity(graph, leiden(graph))
    pagerank(graph)
    console.print(f"kernels ready after {time.perf_counter() - began:.1f} s")


def graphs(console: Console) -> Iterator[tuple[str, Csr, Csr]]:
    """Give name, directed and undirected graph."""
    if HIGGS.exists():
        rows = np.loadtxt(HIGGS, dtype=np.int64)
        rows = rows[rows[:, 0] != rows[:, 1]]
        names, ends = np.unique(rows[:, :2], return_inverse=True)
        u, v = ends.reshape(-1, 2).T
        yield (
            "Higgs retweets",
            Csr.directed(u, v, rows[:, 2], len(names)),
            Csr.undirected(u, v, rows[:, 2], len(names)),
        )
    else:
        console.print(f"Higgs retweets left out: no {HIGGS.name} beside the project")
    u, v = planted()
    graph = Csr.undirected(u, v, np.ones(len(u)), 1_000_000)
    yield "planted", graph, graph


def planted(n: int = 1_000_000, m: int = 10_000_000, mixing: float = 0.34) -> Any:
    """Draw pairs with heavy-tailed degrees and community sizes, about 9.3 million remain."""
    rng = np.random.default_rng(1)
    size = np.minimum(20 + 20 * rng.pareto(1.0, n // 40), 5000).astype(np.int64)
    community = np.repeat(np.arange(len(size)), size)[:n]
    begin = np.searchsorted(community, np.arange(community.max() + 2))
    reach = np.concatenate(([0.0], np.cumsum(np.minimum(5 + 5 * rng.pareto(2.0, n), 1000))))
    u = np.searchsorted(reach, rng.random(m) * reach[-1], side="right") - 1
    inside = rng.random(m) > mixing
    low = np.where(inside, reach[begin[community[u]]], 0.0)
    high = np.where(inside, reach[begin[community[u] + 1]], reach[-1])
    v = np.searchsorted(reach, low + rng.random(m) * (high - low), side="right") - 1
    name = rng.permutation(n)
    u, v = name[u], name[np.minimum(v, n - 1)]
    key = np.unique((np.minimum(u, v) * n + np.maximum(u, v))[u != v])
    return key // n, key % n


def communities(graph: Csr, console: Console) -> list[Contender]:
    """List who finds communities on this graph."""
    u, v, weight = graph.pairs()
    found = [Contender("kindred", lambda seed: leiden(graph, seed=seed))]
    if nk := peer("networkit", console):
        other = nk.GraphFromCoo((weight, (u, v)), n=graph.n, directed=False, weighted=True)
        made = nk.community
        found += [
            Contender("NetworKit PLM", lambda _: partition(made.PLM(other, refine=True))),
            Contender("NetworKit ParallelLeiden", lambda _: partition(made.ParallelLeiden(other))),
        ]
    if ig := peer("igraph", console):
        twin = ig.Graph(n=graph.n, edges=np.column_stack((u, v)))
        weights = weight.tolist()
        found.append(
            Contender(
                "igraph Leiden",
                lambda _: (
                    twin.community_leiden(
                        objective_function="modularity", weights=weights, n_iterations=2
                    ).membership
                ),
            )
        )
        if "--leidenalg" in sys.argv and (la := peer("leidenalg", console)):
            kind = la.ModularityVertexPartition
            found.append(
                Contender(
                    "leidenalg",
                    lambda seed: (
                        la.find_partition(twin, kind, weights=weights, seed=seed).membership
                    ),
                )
            )
    return found


def partition(algorithm: Any) -> npt.ArrayLike:
    """Run an algorithm of NetworKit and give its labels."""
    return np.array(algorithm.run().getPartition().getVector())


def ranks(graph: Csr, console: Console) -> list[Contender]:
    """List who ranks the nodes of this graph."""
    u = np.repeat(np.arange(graph.n, dtype=np.int32), np.diff(graph.indptr))
    found = [Contender("kindred", lambda _: pagerank(graph))]
    if nk := peer("networkit", console):
        other = nk.GraphFromCoo(
            (graph.weights, (u, graph.indices)), n=graph.n, directed=True, weighted=True
        )
        found.append(
            Contender(
                "NetworKit",
                lambda _: (
                    nk.centrality.PageRank(
                        other,
                        0.85,
                        1e-9,
                        distributeSinks=nk.centrality.SinkHandling.DistributeSinks,
                    )
                    .run()
                    .scores()
                ),
            )
        )
    if ig := peer("igraph", console):
        twin = ig.Graph(n=graph.n, edges=np.column_stack((u, graph.indices)), directed=True)
        weights = graph.weights.tolist()
        found.append(Contender("igraph", lambda _: twin.pagerank(weights=weights)))
    return found


def peer(name: str, console: Console) -> Any:
    """Import a peer, or say that it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        console.print(f'{name} left out: not installed (pip install "kindred\\[bench]")')
        return None


def scored(graph: Csr) -> Callable[[npt.ArrayLike], float]:
    """Judge labels by their modularity on our own graph."""
    return lambda labels: modularity(graph, np.asarray(labels, np.int64).astype(np.int32))


def beside_exact(graph: Csr) -> Callable[[npt.ArrayLike], float]:
    """Judge ranks by their distance from the solution."""
    exact: Floats = pagerank(graph, tolerance=1e-15)
    return lambda found: float(np.abs(np.asarray(found) - exact).sum())


def contend(
    table: Table,
    graph: str,
    task: str,
    contenders: list[Contender],
    judge: Callable[[npt.ArrayLike], float],
) -> None:
    """Run contenders in turn and add their rows."""
    for seed in range(1, RUNS + 1):
        for one in contenders:
            began, spent = time.perf_counter(), time.process_time()
            answer = one.run(seed)
            one.cpu.append(time.process_time() - spent)
            one.seconds.append(time.perf_counter() - began)
            one.figures.append(judge(answer))
    ours, our_cpu = min(contenders[0].seconds), min(contenders[0].cpu)
    for one in contenders:
        best, cpu = min(one.seconds), min(one.cpu)
        shown = f"{min(one.figures):.5f}" if task == "Leiden" else f"{max(one.figures):.0e}"
        times = (f"{best:.3f}", f"{best / ours:.2f}", f"{cpu:.3f}", f"{cpu / our_cpu:.2f}")
        table.add_row(graph, task, one.name, *times, shown)


if __name__ == "__main__":
    main()
