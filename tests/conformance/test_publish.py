"""publish: a run is stored, made active and written into the graph, at once."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from engine.contract import Backend
from engine.errors import NotFound, UsageError
from engine.results import RESULTS, empty
from tests.conformance.graphs import GRAPHS
from tests.conformance.shelf import Stock
from tests.engine.backends.worlds import graph, load, small_run, world


def test_a_run_says_what_was_given(stock: Stock) -> None:
    run, info = stock.run, stock.info
    assert (info.active, info.stale, info.tier) == (True, False, run.tier)
    assert (info.params, info.fingerprint) == (run.params, stock.store.snapshot().fingerprint)
    assert (dict(info.timings), dict(info.counts)) == (run.timings, run.counts)
    assert list(info.batches) == [b.batch_id for b in stock.store.batches()]
    assert {"kindred", "numpy", "pyarrow"} <= set(info.versions)


def test_every_declared_table_is_there(stock: Stock) -> None:
    for name, declared in RESULTS.items():
        found = stock.store.read(name)
        assert found.schema == declared.schema, name
        assert found.equals(stock.run.tables.get(name, empty(name))), name


def test_the_graph_shows_the_run(stock: Stock, wanted: Stock) -> None:
    found, said = graph(stock.store), graph(wanted.store)
    assert {name for name in said if found[name] != said[name]} == set()
    assert found["Run"] == [[stock.info.run_id, "affinity", 1, stock.info.fingerprint]]


def test_runs_follow_each_other_and_a_load_keeps_the_active_one(backend: Backend) -> None:
    load(backend, GRAPHS["star"]())
    with pytest.raises(NotFound, match="kindred analyse"):
        backend.read("scores")
    run = small_run(backend)
    first = backend.publish(run)
    assert backend.publish(replace(run, timings={"all": 9.0})) == first
    second = backend.publish(small_run(backend, seed=2, community="c9"))
    assert [(r.run_id, r.active) for r in backend.runs()] == [
        (second.run_id, True),
        (first.run_id, False),
    ]
    shown = graph(backend)
    assert [row[0] for row in shown["Run"]] == [second.run_id]
    assert [row[0] for row in shown["Community"]] == ["c9"]
    assert backend.read("communities")["community_id"].to_pylist() == ["c9"]
    older = backend.read("communities", run_id=first.run_id)
    assert older["community_id"].to_pylist() == ["c1"]
    load(backend, world(follows=[{"follower_id": "x:new", "followee_id": "x:hub"}]))
    assert backend.run().run_id == second.run_id
    assert len(graph(backend)["MEMBER_OF User Community"]) == 7
    assert [f for f in backend.doctor() if not f.ok] == []


def test_what_is_not_declared_is_refused_and_leaves_nothing(backend: Backend) -> None:
    load(backend, GRAPHS["one_user"]())
    run = small_run(backend)
    with pytest.raises(UsageError, match="guesses is not declared"):
        backend.publish(replace(run, tables={"guesses": pa.table({"a": [1]})}))
    with pytest.raises(UsageError, match="the result table notes with the columns"):
        backend.publish(replace(run, tables={"notes": pa.table({"a": [1]})}))
    assert backend.runs() == []
    assert graph(backend)["Community"] == []
