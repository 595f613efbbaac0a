"""Communities against truths that anyone can check: parties, conferences, departments."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterable
from pathlib import Path

import igraph
import numpy as np
import numpy.typing as npt
import pytest

from engine.csr import Csr, Ints
from engine.kernels.components import components
from engine.kernels.leiden import leiden, modularity

pytestmark = pytest.mark.shared

Pairs = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def agreement(graph: Csr, truth: Iterable[object], counted: Flags | None = None) -> Pairs:
    """Mean NMI (arithmetic) and ARI over seeds 1 to 5, in hundredths, as figures are told."""
    known = np.unique(np.array([str(name) for name in truth]), return_inverse=True)[1]
    counted = np.ones(len(known), np.bool_) if counted is None else counted
    scores = []
    for seed in range(1, 6):
        found, true = leiden(graph, seed=seed)[counted].tolist(), known[counted].tolist()
        scores.append(
            [
                igraph.compare_communities(found, true, method=how)
                for how in ("nmi", "adjusted_rand")
            ]
        )
    hundredths: Pairs = np.rint(100 * np.mean(scores, axis=0)).astype(np.int64)
    return hundredths


def read_gml(path: Path) -> tuple[Csr, list[str]]:
    """Read a simple undirected graph of weight 1 and the attribute gt of its nodes."""
    text = path.read_text()
    nodes = re.findall(r'node\s*\[\s*id (\d+).*?gt "?([^"\n]+)"?\s*\]', text, re.DOTALL)
    place = {name: i for i, (name, _) in enumerate(nodes)}
    found = re.findall(r"source (\d+)\s*target (\d+)", text)
    pairs = np.array([(place[a], place[b]) for a, b in found])
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    graph = Csr.undirected(pairs[:, 0], pairs[:, 1], np.ones(len(pairs)), len(nodes))
    return graph, [truth for _, truth in nodes]


@pytest.mark.parametrize(
    ("name", "nmi", "ari"),
    [
        ("karate", 69, 54),
        ("dolphins", 52, 34),
        ("polbooks", 56, 64),
        ("football", 89, 81),
        ("eu-core", 58, 32),
    ],
)
def test_ground_truth(shared: Path, name: str, nmi: int, ari: int) -> None:
    graph, truth = read_gml(shared / "community-ground-truth" / f"{name}.gml")
    assert (agreement(graph, truth) >= [nmi, ari]).all()


def test_political_blogs(shared: Path) -> None:
    """Judged, as in the literature, on the largest component: 268 blogs have no link to it."""
    graph, truth = read_gml(shared / "community-ground-truth" / "polblogs.gml")
    parts = components(graph)
    assert (agreement(graph, truth, parts == np.bincount(parts).argmax()) >= [63, 76]).all()


def read_politicians(folder: Path, name: str, key: str) -> tuple[Csr, list[str]]:
    """Read who interacted with whom: log2(1 + w) in each direction, self-loops dropped."""
    with (folder / f"{name}_vertices.csv").open(encoding="utf-8") as file:
        people = list(csv.DictReader(file))
    with (folder / f"{name}_edgelist.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["from"] != row["to"]]
    place = {person[key]: i for i, person in enumerate(people)}
    graph = Csr.undirected(
        [place[row["from"]] for row in rows],
        [place[row["to"]] for row in rows],
        np.log2(1 + np.array([float(row["weight"]) for row in rows])),
        len(people),
    )
    return graph, [person["party"] for person in people]


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [("mp", "screen_name", [86, 92]), ("ontariopol", "id", [91, 91])],
)
def test_parties(shared: Path, name: str, key: str, expected: list[int]) -> None:
    """Found on all members; judged on those who have a party."""
    graph, party = read_politicians(shared / "politicians-ona", name, key)
    counted = ~np.isin(party, ["Independent", "Speaker", "IND"])
    assert (agreement(graph, party, counted) >= expected).all()


def test_lfr(shared: Path) -> None:
    name = "LFR_N1000_ad5_mc50_mu0.1"
    with gzip.open(shared / "lfr-cdlib" / "networks" / f"{name}.csv.gz", "rt") as file:
        pairs = np.array([line.split()[:2] for line in file], np.int64)
    with gzip.open(shared / "lfr-cdlib" / "ground_truth" / f"{name}.json.gz", "rt") as file:
        communities: list[list[int]] = json.load(file)["communities"]
    truth = np.empty(1000, np.int64)
    for label, members in enumerate(communities):
        truth[members] = label
    graph = Csr.undirected(pairs[:, 0], pairs[:, 1], np.ones(len(pairs)), 1000)
    assert agreement(graph, truth)[0] >= 98


def test_higgs(shared: Path) -> None:
    """The Leiden of GDS gave .8058 on the 256,491 people who retweeted, by counts."""
    path = shared / "higgs-twitter" / "higgs-retweet_network.edgelist.gz"
    rows = np.loadtxt(path, dtype=np.int64)
    rows = rows[rows[:, 0] != rows[:, 1]]
    names, ends = np.unique(rows[:, :2], return_inverse=True)
    ends = ends.reshape(-1, 2)
    graph = Csr.undirected(ends[:, 0], ends[:, 1], rows[:, 2], len(names))
    labels: Ints = leiden(graph)
    assert modularity(graph, labels) >= 0.8058
    assert components(inside(graph, labels)).max() == labels.max()


def inside(graph: Csr, labels: Ints) -> Csr:
    """Keep the edges inside communities."""
    u, v, weight = graph.pairs()
    keep = labels[u] == labels[v]
    return Csr.undirected(u[keep], v[keep], weight[keep], graph.n)
