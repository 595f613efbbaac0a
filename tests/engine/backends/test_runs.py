"""Runs: whole, named alike in results and graph, read by filter, order and page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine.backends.embedded.store import EmbeddedStore
from engine.errors import NotFound, UsageError
from engine.results import RESULTS
from tests.engine.backends.worlds import graph, load, small_run, world

USERS = [f"x:{i}" for i in range(7)]
ROWS = world(follows=[{"follower_id": u, "followee_id": "x:0"} for u in USERS[1:]])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    with EmbeddedStore.open(tmp_path) as made:
        load(made, ROWS)
        yield made


def test_a_run_is_stored_activated_and_published(store: EmbeddedStore) -> None:
    with pytest.raises(NotFound, match="kindred analyse"):
        store.read("scores")
    given = small_run(store)
    info = store.publish(given)
    assert (info.active, info.stale, info.tier) == (True, False, "affinity")
    assert (info.params, info.fingerprint) == (given.params, store.snapshot().fingerprint)
    assert info.batches == tuple(b.batch_id for b in store.batches())
    assert store.run() == store.run(info.run_id) == info
    assert [f.name for f in store.layout.run(info.run_id).glob("*.parquet")].__len__() == len(
        RESULTS
    )
    for name, rows in given.tables.items():
        assert store.read(name).equals(rows)
    seen = graph(store)
    assert seen["Run"] == [[info.run_id, "affinity", 1, info.fingerprint]]
    assert seen["Community"] == [["c1", "seed 1", "community", "kindred", 7]]
    assert seen["MEMBER_OF User Community"] == [[u, "c1", 1.0] for u in USERS]
    assert [row[:3] for row in seen["RESONATES_IN User Community"]] == [
        [u, "c1", float(i)] for i, u in enumerate(USERS)
    ]


def test_another_run_replaces_the_first_in_the_graph_and_both_stay_listed(
    store: EmbeddedStore,
) -> None:
    first = store.publish(small_run(store))
    second = store.publish(small_run(store, seed=2, community="c9"))
    assert [(r.run_id, r.active) for r in store.runs()] == [
        (second.run_id, True),
        (first.run_id, False),
    ]
    assert [row[0] for row in graph(store)["Run"]] == [second.run_id]
    assert [row[0] for row in graph(store)["Community"]] == ["c9"]
    assert store.read("communities")["community_id"].to_pylist() == ["c9"]
    older = store.read("communities", run_id=first.run_id)
    assert older["community_id"].to_pylist() == ["c1"]
    with pytest.raises(NotFound, match="r-none"):
        store.run("r-none")


def test_the_same_run_again_is_kept_and_another_answer_replaces_it(store: EmbeddedStore) -> None:
    run = small_run(store)
    first = store.publish(run)
    revision = store.manifest().revision
    assert store.publish(replace(run, timings={"all": 9.0})) == first
    assert store.manifest().revision == revision
    other = replace(run, tables={**run.tables, "scores": run.tables["scores"].slice(0, 2)})
    again = store.publish(other)
    assert again.run_id == first.run_id
    assert store.read("scores").num_rows == 2
    assert len(store.runs()) == 1
    assert [p.name for p in store.layout.runs.iterdir()] == [f"{first.run_id}.2"]
    assert [f for f in store.doctor() if not f.ok] == []


def test_run_tables_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    written: list[dict[str, bytes]] = []
    for name in ("a", "b"):
        with EmbeddedStore.open(tmp_path / name) as store:
            load(store, ROWS)
            folder = store.layout.run(store.publish(small_run(store)).run_id)
            written.append({p.name: p.read_bytes() for p in folder.glob("*.parquet")})
    assert written[0] == written[1]


def test_a_load_keeps_the_active_run(store: EmbeddedStore) -> None:
    info = store.publish(small_run(store))
    load(store, world(follows=[{"follower_id": "x:9", "followee_id": "x:0"}]))
    assert store.run().run_id == info.run_id
    assert len(graph(store)["MEMBER_OF User Community"]) == 7
    assert [f for f in store.doctor(rebuild=True) if not f.ok] == []
    assert len(graph(store)["MEMBER_OF User Community"]) == 7


def test_a_member_whose_handle_was_resolved_since_has_no_edge(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        load(store, world(follows=[{"follower_id": "x:@ann", "followee_id": "x:0"}]))
        store.publish(small_run(store))
        load(store, world(users=[{"user_id": "x:7", "handle": "ann"}]))
        assert graph(store)["MEMBER_OF User Community"] == [["x:0", "c1", 1.0]]
        assert [f for f in store.doctor() if not f.ok] == []


def test_undeclared_tables_and_columns_are_refused(store: EmbeddedStore) -> None:
    run = small_run(store)
    with pytest.raises(UsageError, match="guesses is not declared"):
        store.publish(replace(run, tables={"guesses": pa.table({"a": [1]})}))
    with pytest.raises(UsageError, match="the result table notes with the columns"):
        store.publish(replace(run, tables={"notes": pa.table({"a": [1]})}))
    assert store.runs() == []


def observed(store: EmbeddedStore, **asked: Any) -> list[float]:
    values: list[float] = store.read("scores", **asked)["observed"].to_pylist()
    return values


def test_filters(store: EmbeddedStore) -> None:
    store.publish(small_run(store))  # expected: null, 1, 0, null, 0, 1, null
    assert observed(store) == [0, 1, 2, 3, 4, 5, 6]
    assert observed(store, where={"expected": None}) == [0, 3, 6]
    assert observed(store, where={"expected": 1.0}) == [1, 5]
    assert observed(store, where={"expected": [0.0, None]}) == [0, 2, 3, 4, 6]
    assert observed(store, where={"expected": []}) == []
    assert observed(store, where={"observed__ge": 2, "observed__lt": 4}) == [2, 3]
    assert observed(store, where={"observed__gt": 4, "observed__le": 6}) == [5, 6]
    assert observed(store, where={"expected__ne": 1.0}) == [0, 2, 3, 4, 6]
    assert observed(store, where={"flags": "few_sharers"}) == [1, 3, 5]
    assert observed(store, where={"source_id": "x' OR true --"}) == []


@pytest.mark.parametrize("order", [("expected", "-observed"), ("-expected", "observed")])
def test_pages_follow_each_other_and_nulls_come_last(
    store: EmbeddedStore, order: tuple[str, str]
) -> None:
    store.publish(small_run(store))
    whole = observed(store, order=order)
    assert sorted(whole) == [0, 1, 2, 3, 4, 5, 6]
    assert set(whole[-3:]) == {0, 3, 6}
    paged: list[float] = []
    after: list[object] | None = None
    while True:
        page = store.read("scores", order=order, limit=2, after=after)
        if not page.num_rows:
            break
        paged += page["observed"].to_pylist()
        last = page.slice(page.num_rows - 1)
        after = [last[key.removeprefix("-")].to_pylist()[0] for key in order]
    assert paged == whole


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"where": {"colour": 1}}, "there is none"),
        ({"where": {"observed__like": 1}}, "like is not one"),
        ({"order": ["observed; DROP"]}, "there is none"),
        ({"order": ["observed"], "after": [1, 2]}, "2 values"),
        ({"limit": -1}, "-1"),
    ],
)
def test_what_is_not_declared_is_refused(
    store: EmbeddedStore, asked: dict[str, Any], found: str
) -> None:
    store.publish(small_run(store))
    with pytest.raises(UsageError) as refused:
        observed(store, **asked)
    assert refused.value.found == found
    with pytest.raises(UsageError, match="the result table 'secrets'"):
        store.read("secrets")
