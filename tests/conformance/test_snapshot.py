"""snapshot: the whole store as columns of integers, the same in every store."""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx
import numpy as np
import pytest

from engine.assemble import assemble
from engine.contract import Backend
from engine.snapshot import Snapshot
from tests.conformance.graphs import CHAIN, GRAPHS
from tests.conformance.shelf import Stock
from tests.engine.backends.worlds import joined, load, plain, world


@pytest.fixture(scope="module")
def whole() -> dict[str, object]:
    return plain(assemble(joined([make() for make in GRAPHS.values()])))


def test_it_is_the_loaded_rows_whole(stock: Stock, whole: dict[str, object]) -> None:
    """Every column of every table, and so the fingerprint."""
    found = plain(stock.store.snapshot())
    assert {k for k in whole if found[k] != whole[k]} == set()
    assert found == whole


def test_that_of_an_empty_store_is_empty(bare: Backend) -> None:
    assert plain(bare.snapshot()) == plain(assemble({}))


def test_it_is_kept_until_a_load(backend: Backend) -> None:
    load(backend, GRAPHS["one_user"]())
    first = backend.snapshot()
    assert backend.snapshot() is first
    assert plain(first) == plain(assemble(GRAPHS["one_user"]()))
    load(backend, world(follows=[{"follower_id": "x:only", "followee_id": "x:z"}]))
    assert backend.snapshot().users.user_id.to_pylist() == ["x:only", "x:z"]
    assert len(first.users) == 1


def share_edges(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Who shared whose content, one a row."""
    ids, author = snapshot.users.user_id.to_pylist(), snapshot.contents.author
    for user, content in zip(snapshot.shares.user, snapshot.shares.content, strict=True):
        if author[content] >= 0:
            yield ids[user], ids[author[content]]


@pytest.mark.parametrize("graph", ["star", "two_groups", "parallel_shares", "self_mention"])
def test_degrees(stock: Stock, graph: str) -> None:
    """Counted by networkx from the rows that were loaded, each event once."""
    tables = GRAPHS[graph]()
    rows = tables["shares"].group_by(tables["shares"].column_names).aggregate([]).to_pylist()
    author = {r["content_id"]: r["author_id"] for r in tables["content"].to_pylist()}
    said: nx.MultiDiGraph[str] = nx.MultiDiGraph(
        (r["user_id"], author[r["content_id"]]) for r in rows
    )
    found: nx.MultiDiGraph[str] = nx.MultiDiGraph(
        pair for pair in share_edges(stock.store.snapshot()) if pair[1] in said
    )
    assert dict(found.in_degree()) == dict(said.in_degree())
    assert dict(found.out_degree()) == dict(said.out_degree())


def test_a_chain_is_as_deep_as_it_was_passed_on(stock: Stock) -> None:
    snapshot = stock.store.snapshot()
    ids = snapshot.users.user_id.to_pylist()
    given = np.flatnonzero(snapshot.shares.via >= 0)
    passed: nx.DiGraph[str] = nx.DiGraph(
        (ids[snapshot.shares.via[i]], ids[snapshot.shares.user[i]]) for i in given
    )
    steps = nx.single_source_shortest_path_length(passed, "x:link0")
    assert steps == {f"x:link{i}": i for i in range(CHAIN)}


def test_reciprocity(stock: Stock) -> None:
    snapshot = stock.store.snapshot()
    ids = snapshot.users.user_id.to_pylist()
    pairs = zip(snapshot.follows.follower, snapshot.follows.followee, strict=True)
    follows: nx.DiGraph[str] = nx.DiGraph(
        (ids[a], ids[b]) for a, b in pairs if ids[a].startswith("x:rec")
    )
    assert nx.reciprocity(follows) == pytest.approx(2 / 3)
    said = nx.DiGraph(
        (r["follower_id"], r["followee_id"])
        for r in GRAPHS["reciprocal_pair"]()["follows"].to_pylist()
    )
    assert sorted(follows.edges) == sorted(said.edges)
