"""Graph Data Science: the answers of our kernels, or a refusal; nothing left on the server."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from engine.agreement import mutual_information
from engine.algorithms import Algorithms, Local
from engine.authority import interaction_graph
from engine.backends.embedded.store import EmbeddedStore
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.engines import choose
from engine.backends.neo4j.gds import Gds
from engine.backends.neo4j.gds_catalog import PREFIX, Catalogue, Projection
from engine.backends.neo4j.gds_support import SUPPORT, Installed, installed, table
from engine.communities import find
from engine.csr import Csr, Floats, Ints
from engine.errors import MissingProcedure, OutOfMemory, ServerAway, ServerError
from engine.kernels.leiden import modularity
from engine.params import AnalysisParams
from engine.ties import observe
from engine.verbs import analyse
from loaders.run import load
from tests.engine.backends.worlds import load as load_world
from tests.engine.backends.worlds import world
from tests.servers.fixtures import NewVictim, OpenStore
from tests.servers.local import LocalServer
from tests.servers.server import Neo4jServer

DAMPING, TOLERANCE = 0.85, 1e-12


@pytest.fixture
def link(neo4j: Neo4jServer) -> Iterator[Link]:
    opened = Link(neo4j.address, neo4j.settings())
    yield opened
    left = [row["graphName"] for row in neo4j.run("CALL gds.graph.list() YIELD graphName")]
    assert left == []
    opened.close()


@pytest.fixture
def gds(link: Link) -> Gds:
    return Gds(link, installed(link), None)


def noise(n: int, pairs: int, seed: int) -> Csr:
    """A random graph with a few users left alone."""
    draw = np.random.default_rng(seed)
    u, v = draw.integers(0, n - 3, pairs), draw.integers(0, n - 3, pairs)
    apart = u != v
    return Csr.undirected(u[apart], v[apart], draw.random(int(apart.sum())) + 0.1, n)


def planted(groups: int, size: int, seed: int) -> tuple[Csr, Ints]:
    """Groups that tie within ten times as often as between."""
    draw = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), size).astype(np.int32)
    u, v = np.triu_indices(len(group), 1)
    tied = draw.random(len(u)) < np.where(group[u] == group[v], 0.5, 0.05)
    return Csr.undirected(u[tied], v[tied], np.ones(int(tied.sum())), len(group)), group


def arcs(n: int, count: int, seed: int) -> Csr:
    """A random directed graph whose last fifth turns to nobody, and whose very last to no one."""
    draw = np.random.default_rng(seed)
    source, target = draw.integers(0, n * 4 // 5, count), draw.integers(0, n - 2, count)
    apart = source != target
    return Csr.directed(source[apart], target[apart], draw.random(int(apart.sum())) + 0.1, n)


def quality(graph: Csr, labels: Ints) -> float:
    alone = np.where(labels < 0, np.arange(graph.n) + graph.n, labels)
    return modularity(graph, np.unique(alone, return_inverse=True)[1].astype(np.int32))


# Agreement -----------------------------------------------------------------------------------


def test_planted_groups_are_recovered_whole_and_without_some_ties(gds: Gds) -> None:
    whole, group = planted(4, 40, seed=1)
    part, _ = planted(4, 40, seed=2)
    found = list(gds.communities([lambda: whole, lambda: part, lambda: whole], 1.0, 1))
    assert [round(mutual_information(labels, group), 12) for labels in found] == [1.0] * 3
    assert found[0].tolist() == found[2].tolist()
    assert gds.notes[1].startswith("The server's Leiden ended at modularity 0.")


def test_a_fold_without_ties_and_one_with_ties_of_its_own(gds: Gds) -> None:
    pairs = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5)]
    u, v = zip(*pairs, strict=True)
    apart = Csr.undirected(u, v, np.ones(6), 7)
    none = Csr.undirected([], [], [], 7)
    joined = Csr.undirected((*u, 5), (*v, 6), np.ones(7), 7)
    bridged = Csr.undirected((*u, 2), (*v, 3), np.ones(7), 7)
    found = gds.communities([lambda: apart, lambda: none, lambda: joined, lambda: bridged], 1.0, 1)
    assert [labels.tolist() for labels in found] == [
        [0, 0, 0, 1, 1, 1, -1],
        [-1] * 7,
        [1, 1, 1, 0, 0, 0, 0],
        [0, 0, 0, 1, 1, 1, -1],
    ]


def test_the_karate_club_falls_apart_as_it_does_here(gds: Gds) -> None:
    club = nx.karate_club_graph()
    u, v, weight = zip(*club.edges(data="weight"), strict=True)
    graph = Csr.undirected(u, v, weight, len(club))
    (ours,) = Local().communities([lambda: graph], 1.0, 1)
    (theirs,) = gds.communities([lambda: graph], 1.0, 1)
    assert theirs.tolist() == ours.tolist()


def test_where_there_is_no_structure_modularity_is_no_worse(gds: Gds) -> None:
    graph = noise(400, 1500, seed=3)
    (ours,) = Local().communities([lambda: graph], 1.0, 1)
    (theirs,) = gds.communities([lambda: graph], 1.0, 1)
    assert quality(graph, theirs) >= 0.995 * quality(graph, ours)
    assert (theirs < 0).tolist() == (np.diff(graph.indptr) == 0).tolist()


def test_the_same_seed_gives_the_same_communities_and_authority(gds: Gds) -> None:
    graph, turned = noise(300, 1200, seed=4), arcs(300, 900, seed=4)
    labels = [next(gds.communities([lambda: graph], 1.0, 7)).tobytes() for _ in range(2)]
    assert labels[0] == labels[1]
    group = np.repeat(np.arange(3), 100).astype(np.int32)
    masses = [
        [mass.tobytes() for mass in gds.pagerank(turned, group, DAMPING, TOLERANCE)]
        for _ in range(2)
    ]
    assert masses[0] == masses[1]


def test_authority_is_that_of_networkx_and_of_our_kernels(gds: Gds) -> None:
    graph = arcs(200, 700, seed=5)
    group = np.repeat([0, 1, -1, 2], 50).astype(np.int32)
    overall, inside = gds.pagerank(graph, group, DAMPING, TOLERANCE)
    ours = Local().pagerank(graph, group, DAMPING, TOLERANCE)
    np.testing.assert_allclose(overall, ours[0], rtol=0, atol=1e-11)
    np.testing.assert_allclose(inside, ours[1], rtol=0, atol=1e-11)
    rows = np.repeat(np.arange(graph.n), np.diff(graph.indptr)).tolist()
    known: nx.DiGraph[int] = nx.DiGraph()
    known.add_nodes_from(range(graph.n))
    known.add_weighted_edges_from(
        zip(rows, graph.indices.tolist(), graph.weights.tolist(), strict=True)
    )
    theirs = nx.pagerank(known, alpha=DAMPING, tol=1e-12, max_iter=1000)
    np.testing.assert_allclose(overall, [theirs[i] for i in range(graph.n)], rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    "members",
    [
        pytest.param([8, 9], id="who has no edge at all: not in the projection"),
        pytest.param([0, 9], id="one of them without an edge"),
        pytest.param([4], id="who turns to nobody: all mass is handed back"),
        pytest.param([0], id="one alone"),
    ],
)
def test_restarts_for_which_scaling_alone_would_not_do(gds: Gds, members: list[int]) -> None:
    graph = Csr.directed([0, 1, 2, 3, 5], [1, 2, 0, 4, 4], [1.0, 2.0, 1.0, 1.0, 3.0], 10)
    label = np.full(10, -1, np.int32)
    label[members] = 0
    _, inside = gds.pagerank(graph, label, DAMPING, TOLERANCE)
    ours = Local().pagerank(graph, label, DAMPING, TOLERANCE)[1]
    np.testing.assert_allclose(inside, ours, rtol=0, atol=1e-11)


def test_components_and_degrees_are_ours(gds: Gds) -> None:
    graph = arcs(120, 90, seed=6)
    assert gds.components(graph).tolist() == Local().components(graph).tolist()
    np.testing.assert_allclose(gds.degrees(graph), graph.degrees, rtol=1e-12)


@pytest.mark.parametrize("ask", [Gds, Local])
def test_nobody_tied_to_anybody(link: Link, ask: type[Algorithms]) -> None:
    engine = Gds(link, installed(link), None) if ask is Gds else Local()
    none = Csr.undirected([], [], [], 3)
    assert [x.tolist() for x in engine.communities([lambda: none] * 2, 1.0, 1)] == [[-1] * 3] * 2
    label = np.array([0, 0, -1], np.int32)
    overall, inside = engine.pagerank(none, label, DAMPING, TOLERANCE)
    assert (overall.tolist(), inside.tolist()) == ([1 / 3] * 3, [0.5, 0.5, 0.0])
    assert engine.components(none).tolist() == [0, 1, 2]
    assert engine.degrees(none).tolist() == [0.0] * 3


@pytest.mark.shared
def test_members_of_parliament(gds: Gds, shared: Path, tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        said = {"kind": "share", "direction": "from engages to"}
        load(store, shared / "politicians-ona" / "mp_edgelist.csv", options=said)
        snapshot = store.snapshot()
    params = AnalysisParams(gamma=1.0, folds=2)
    ours, theirs = find(snapshot, params), find(snapshot, params, algorithms=gds)
    reference = ours.partitions.reference, theirs.partitions.reference
    assert mutual_information(*reference) == pytest.approx(1.0)
    graph = observe(snapshot, params).edges().graph()
    assert quality(graph, reference[1]) >= 0.995 * quality(graph, reference[0])
    turned = interaction_graph(snapshot)
    mine = Local().pagerank(turned, reference[0], DAMPING, TOLERANCE)
    for a, b in zip(gds.pagerank(turned, reference[0], DAMPING, TOLERANCE), mine, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)


# Through a store -----------------------------------------------------------------------------


def circles() -> list[dict[str, str]]:
    """Two circles of twelve who follow one another; one of them follows into the other."""
    names = [[f"x:{circle}{i}" for i in range(12)] for circle in "ab"]
    within = [(u, v) for circle in names for u in circle for v in circle if u < v]
    across = [("x:a0", "x:b0")]
    return [{"follower_id": u, "followee_id": v} for u, v in (*within, *across)]


@pytest.mark.parametrize("itself", [False, True])
def test_follows_are_projected_as_they_stand(neo4j_store: OpenStore, *, itself: bool) -> None:
    follows = circles() + [{"follower_id": "x:a1", "followee_id": "x:a1"}] * itself
    heard: list[str] = []

    def hear(stage: str, done: float = 0, total: float | None = None) -> None:
        heard.append(stage)

    with neo4j_store() as store:
        load_world(store, world(follows=follows))
        found = find(
            store.snapshot(),
            AnalysisParams(folds=2),
            algorithms=store.algorithms("gds", hear),
        )
        ours = find(store.snapshot(), AnalysisParams(folds=2))
    assert found.partitions.reference.tolist() == ours.partitions.reference.tolist()
    assert found.partitions.folds.tolist() == ours.partitions.folds.tolist()
    sent = [stage for stage in heard if stage.startswith("gds: sending")]
    assert "gds: native projection" in heard
    # Who follows himself is no tie; the stored graph has it, so what is asked about is sent.
    assert bool(sent) == itself


def test_a_run_names_the_engine_that_made_it(neo4j_store: OpenStore) -> None:
    heard: list[str] = []

    def hear(stage: str, done: float = 0, total: float | None = None) -> None:
        heard.append(stage)

    with neo4j_store() as store:
        load_world(store, world(follows=circles()))
        params = AnalysisParams(folds=2, rewirings=0)
        usual = analyse(store, params, hear)
        asked = analyse(store, params.model_copy(update={"engine": "gds"}), hear)
        notes = store.read("notes", run_id=asked.run_id, where={"topic": "engine"})["text"]
        version = installed(store.link)
    assert (usual.params.engine, asked.params.engine) == ("local", "gds")
    assert usual.run_id != asked.run_id
    assert asked.versions["gds"] == version.gds
    assert asked.versions["neo4j"] == f"{version.neo4j} {version.edition}"
    assert "gds" not in usual.versions
    assert len(notes) == 2
    assert [stage for stage in heard if stage.startswith("engine:")] == [
        (
            "engine: kindred's own kernels on the streamed graph; Graph Data Science "
            f"{version.gds} is there, but slower: --engine gds"
        ),
        f"engine: Graph Data Science {version.gds} on the server, as asked (tried)",
    ]


# Which engine --------------------------------------------------------------------------------


def test_without_the_plugin_the_kernels_are_used_and_that_is_said(
    neo4j_victims: NewVictim,
) -> None:
    server = neo4j_victims(gds=False, tls=True, settings={"db.memory.transaction.max": "64m"})
    link = Link(server.address, server.server.settings())
    usual = choose(link, "auto", None)
    assert (usual.engine, usual.reason) == (
        "local",
        "kindred's own kernels on the streamed graph; the server has no Graph Data Science",
    )
    with pytest.raises(MissingProcedure) as refused:
        choose(link, "gds", None)
    link.close()
    assert str(refused.value) == (
        "wanted: an analysis with Graph Data Science\n"
        f"found: {server.address} has no Graph Data Science\n"
        "to do: leave --engine out for kindred's own kernels, or add the plugin to the server"
    )


def test_a_folder_has_no_graph_data_science(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        assert [store.algorithms(e).engine for e in ("auto", "local")] == ["local"] * 2
        with pytest.raises(MissingProcedure, match="has no algorithms of its own"):
            store.algorithms("gds")


@pytest.mark.parametrize(
    ("neo4j_version", "gds_version", "standing"),
    [
        ("5.26.30", "2.13.9", "tried"),
        ("5.26.29", "2.13.9", "expected"),
        ("5.26.30", "2.13.4", "expected"),
        ("5.26.30", "2.14.0-alpha01", "expected"),
        ("2025.12.1", "2.25.0", "expected"),
        ("5.26.30", "2.12.1", "refused"),
        ("4.4.40", "1.8.9", "refused"),
        ("2030.1", "3.0.0", "refused"),
        ("5.26.30", None, "refused"),
    ],
)
def test_what_was_not_tried_is_not_called_tried(
    neo4j_version: str, gds_version: str | None, standing: str
) -> None:
    assert Installed(neo4j_version, "community", gds_version).standing == standing


def test_what_the_tests_run_on_is_what_is_called_tried(link: Link, neo4j: Neo4jServer) -> None:
    found = installed(link)
    assert (found.neo4j, found.gds) == (neo4j.version, neo4j.gds)
    if neo4j.address.startswith("bolt://127.0.0.1"):
        assert found.standing == "tried"
    assert [row[2] for row in table()[1:]].count("tried") == 2
    assert len(table()) == len(SUPPORT) + 2


# Memory and faults ---------------------------------------------------------------------------


def test_what_would_not_fit_is_refused_with_the_figures(link: Link) -> None:
    catalogue = Catalogue(link, "2.13.9", lambda *_: None)
    with pytest.raises(OutOfMemory) as refused:
        catalogue.check_memory(10**8, 10**10, ["w0"], directed=False)
    assert refused.value.wanted == "a projection of 100,000,000 users and 10,000,000,000 ties"
    needed, left = refused.value.found.split(" MiB of heap; the server has ")
    assert int(needed.removeprefix("it needs ").replace(",", "")) > 10**6
    assert 0 < int(left.split(" MiB left of ")[0].replace(",", "")) < 10**5


def test_what_the_server_finds_too_large_is_told_as_that(link: Link) -> None:
    catalogue = Catalogue(link, "2.13.9", lambda *_: None)
    ring = np.arange(40_000, dtype=np.int32)
    weights = {"w0": np.ones(40_000)}
    with catalogue.sent(40_000, ring, np.roll(ring, 1), weights, directed=False) as there:
        catalogue.client.wcc.mutate(there.graph, "seed", consecutive_ids=True)
        # To start from a partition is estimated to take the square of the nodes.
        with pytest.raises(OutOfMemory, match="exceeds available memory"):
            catalogue.client.leiden.mutate(there.graph, "labels", seed_property="seed")


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt])
def test_a_projection_is_dropped_after_a_fault(
    link: Link, neo4j: Neo4jServer, fault: type[BaseException]
) -> None:
    catalogue = Catalogue(link, "2.13.9", lambda *_: None)
    one = np.array([0], np.int32)
    seen: list[int] = []

    def work() -> None:
        with catalogue.sent(2, one, one + 1, {"w0": np.ones(1)}, directed=False):
            seen.append(len(neo4j.run("CALL gds.graph.list() YIELD graphName")))
            raise fault

    with pytest.raises(fault):
        work()
    assert seen == [1]


INTERRUPTED = """
import sys
import numpy as np
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.gds import Gds
from engine.backends.neo4j.gds_support import installed
from engine.csr import Csr
from engine.server import Server
address, user, password, when = sys.argv[1:]
link = Link(address, Server(user=user, password=password))
draw = np.random.default_rng(1)
graph = Csr.undirected(draw.integers(0, 9000, 90_000), draw.integers(9000, 18_000, 90_000),
                       np.ones(90_000), 18_000)
def tell(stage, done=0, total=None):
    if stage.startswith(when):
        print("now", flush=True)
engine = Gds(link, installed(link), None, tell)
while True:
    list(engine.communities([lambda: graph], 1.0, 1))
"""


@pytest.mark.parametrize(
    "when", ["gds: sending", pytest.param("gds: communities", marks=pytest.mark.gates)]
)
def test_ctrl_c_leaves_no_projection(neo4j: Neo4jServer, when: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, neo4j.address, neo4j.user, neo4j.password, when],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "now\n"
    time.sleep(0.2)
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=30)
    assert "KeyboardInterrupt" in told
    assert neo4j.run("CALL gds.graph.list() YIELD graphName") == []


def test_what_a_process_that_ended_left_is_dropped_and_nobody_elses(
    neo4j: Neo4jServer,
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    link = Link(neo4j.address, neo4j.settings())
    catalogue = Catalogue(link, "2.13.9", lambda *_: None)
    with catalogue.named() as name:
        _, here, own, process, _ = name.split("-")
    alive, other = f"{PREFIX}-{here}-1-{process}-1", f"{PREFIX}-elsewhere-{ended.pid}-0-1"
    dead, reused = f"{PREFIX}-{here}-{ended.pid}-0-1", f"{PREFIX}-{here}-{own}-0-1"
    for graph in (alive, other, dead, reused, "somebody's"):
        neo4j.run("UNWIND [1] AS n RETURN gds.graph.project($graph, n, null)", graph=graph)
    assert sorted(catalogue.sweep()) == sorted([dead, reused])
    left = neo4j.run("CALL gds.graph.list() YIELD graphName")
    for row in left:
        neo4j.run("CALL gds.graph.drop($graph) YIELD graphName", graph=row["graphName"])
    link.close()
    assert {row["graphName"] for row in left} == {alive, other, "somebody's"}


@pytest.mark.gates
@pytest.mark.gates
def test_a_server_that_dies_at_work_is_told_of_as_that(neo4j_victim: LocalServer) -> None:
    link = Link(neo4j_victim.address, neo4j_victim.server.settings(patience=2.0))
    graph, _ = planted(2, 20, seed=1)

    def killed(stage: str, done: float = 0, total: float | None = None) -> None:
        if stage.startswith("gds: communities"):
            neo4j_victim.kill()

    engine = Gds(link, installed(link), None, killed)
    with pytest.raises(ServerAway) as away:
        list(engine.communities([lambda: graph], 1.0, 1))
    assert away.value.wanted == "to call gds.leiden.mutate"
    neo4j_victim.start()
    # The pool finds out that its connections are gone; the server has nothing in memory.
    (labels,) = Gds(link, installed(link), None).communities([lambda: graph], 1.0, 1)
    assert labels.max() == 1
    link.close()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda u, w: (u, np.roll(w, 1)), id="other weights"),
        pytest.param(lambda u, w: (np.roll(u, 1), w), id="other ends"),
    ],
)
def test_an_answer_about_other_ties_is_refused(
    gds: Gds,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Ints, Floats], tuple[Ints, Floats]],
) -> None:
    sent = Catalogue.sent

    def other(
        self: Catalogue,
        n: int,
        source: Ints,
        target: Ints,
        weights: Mapping[str, Floats],
        *,
        directed: bool,
    ) -> AbstractContextManager[Projection]:
        source, weight = change(source, weights["w0"])
        return sent(self, n, source, target, {"w0": weight}, directed=directed)

    monkeypatch.setattr(Catalogue, "sent", other)
    graph, turned = noise(30, 60, seed=8), arcs(30, 60, seed=8)
    with pytest.raises(ServerError, match="degrees or components differ"):
        list(gds.communities([lambda: graph], 1.0, 1))
    with pytest.raises(ServerError, match="PageRank misses its equation"):
        gds.pagerank(turned, np.full(30, -1, np.int32), DAMPING, TOLERANCE)
