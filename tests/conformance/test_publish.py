"""publish: a run is stored, made active and written into the graph, at once."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from engine.contract import Backend
from engine.errors import NotFound, UsageError
from engine.results import RESULTS, empty, table
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


def test_the_graph_has_contents_as_sources_and_one_level(backend: Backend) -> None:
    load(backend, GRAPHS["star"]())
    run = small_run(backend)
    above = {
        "communities": {"community_id": "c7", "level": 0, "member_count": 7},
        "memberships": {"user_id": "x:hub", "community_id": "c7", "level": 0, "confidence": 0.5},
        "scores": {
            "source_kind": "content", "source_id": "x:star", "observed": 3.0, "expected": 2.0,
        },
    }  # fmt: skip
    tables = dict(run.tables)
    for name, changes in above.items():
        first = tables[name].slice(0, 1).to_pylist()[0] | changes
        more = pa.Table.from_pylist([first], schema=tables[name].schema)
        both = pa.concat_tables([tables[name], more])
        tables[name] = table(name, {c: both[c].to_pylist() for c in both.column_names})
    backend.publish(replace(run, tables=tables))
    shown = graph(backend)
    assert [row[0] for row in shown["Community"]] == ["c1"]
    assert {row[1] for row in shown["MEMBER_OF User Community"]} == {"c1"}
    assert [row[:4] for row in shown["RESONATES_IN Content Community"]] == [
        ["x:star", "c1", 3.0, 2.0]
    ]
    assert set(backend.read("communities")["community_id"].to_pylist()) == {"c1", "c7"}
    assert [f for f in backend.doctor() if not f.ok] == []


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
