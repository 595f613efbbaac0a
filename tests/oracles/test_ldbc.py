"""PageRank and components against the LDBC Graphalytics validation graphs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from engine.csr import Csr
from engine.kernels.components import components
from engine.kernels.pagerank import pagerank

pytestmark = pytest.mark.shared

EPSILON = 1e-4
"""Relative deviation that the validation suite allows at every vertex."""


def lines(path: Path) -> list[list[str]]:
    return [row for line in path.read_text().splitlines() if (row := line.split())]


def adjacency(path: Path) -> tuple[list[str], Csr]:
    """Read lines of a vertex and those it points to."""
    rows = lines(path)
    names = sorted({name for row in rows for name in row}, key=int)
    place = {name: i for i, name in enumerate(names)}
    pairs = [(place[row[0]], place[to]) for row in rows for to in row[1:]]
    source, target = np.array(pairs).T
    return names, Csr.directed(source, target, np.ones(len(pairs)), len(names))


def edge_list(folder: Path, kind: str) -> tuple[list[str], Csr]:
    """Read a file of vertices and one of edges."""
    names = [row[0] for row in lines(folder / f"example-{kind}.v")]
    place = {name: i for i, name in enumerate(names)}
    rows = lines(folder / f"example-{kind}.e")
    source, target = np.array([(place[row[0]], place[row[1]]) for row in rows]).T
    build = Csr.directed if kind == "directed" else Csr.undirected
    return names, build(source, target, np.ones(len(rows)), len(names))


def values(path: Path, names: list[str]) -> npt.NDArray[np.float64]:
    known = {row[0]: float(row[1]) for row in lines(path)}
    return np.array([known[name] for name in names])


def partition(labels: npt.ArrayLike) -> list[int]:
    """Number labels by first appearance."""
    seen: dict[float, int] = {}
    return [seen.setdefault(label, len(seen)) for label in np.asarray(labels).tolist()]


@pytest.mark.parametrize(("kind", "iterations"), [("dir", 14), ("undir", 26)])
def test_pagerank_validation_graphs(shared: Path, kind: str, iterations: int) -> None:
    folder = shared / "ldbc-validation" / "pr"
    names, graph = adjacency(folder / f"{kind}-input")
    expected = values(folder / f"{kind}-output", names)
    np.testing.assert_allclose(pagerank(graph, iterations=iterations), expected, rtol=EPSILON)
    np.testing.assert_allclose(pagerank(graph), expected, rtol=EPSILON)


@pytest.mark.parametrize("kind", ["directed", "undirected"])
def test_pagerank_example_takes_exactly_two_steps(shared: Path, kind: str) -> None:
    folder = shared / "ldbc-validation" / "example"
    names, graph = edge_list(folder, kind)
    expected = values(folder / f"example-{kind}-PR", names)
    np.testing.assert_allclose(pagerank(graph, iterations=2), expected, rtol=1e-14)


@pytest.mark.parametrize("kind", ["dir", "undir"])
def test_components_validation_graphs(shared: Path, kind: str) -> None:
    folder = shared / "ldbc-validation" / "wcc"
    names, graph = adjacency(folder / f"{kind}-input")
    expected = values(folder / f"{kind}-output", names)
    assert components(graph).tolist() == partition(expected)


@pytest.mark.parametrize("kind", ["directed", "undirected"])
def test_components_example(shared: Path, kind: str) -> None:
    folder = shared / "ldbc-validation" / "example"
    names, graph = edge_list(folder, kind)
    expected = values(folder / f"example-{kind}-WCC", names)
    assert components(graph).tolist() == partition(expected)
