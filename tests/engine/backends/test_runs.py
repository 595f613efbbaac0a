"""Runs: whole, named alike in results and graph, read by filter, order and page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.backends.embedded.store import EmbeddedStore
from engine.errors import NotFound
from engine.results import RESULTS, table
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
    assert seen["MEMBER_OF User Community"] == [[u, "c1", 1.0, None, None] for u in USERS]
    assert [row[:3] for row in seen["RESONATES_IN User Community"]] == [
        [u, "c1", float(i)] for i, u in enumerate(USERS)
    ]


def test_members_carry_their_authority_there_and_their_influence(store: EmbeddedStore) -> None:
    run = small_run(store)
    counts = ("content_count", "share_count", "sharer_count", "repeat_count", "attention_count")
    authority = table(
        "authority",
        {
            "user_id": ["x:0", "x:0", "x:1"],
            "community_id": [None, "c1", "c2"],
            "authority": [0.1, 0.5, 0.9],
            "percentile": [50.0] * 3,
            "rank": [1] * 3,
            "method": ["pagerank", "personalised_pagerank", "personalised_pagerank"],
        },
    )
    influence = table(
        "influence",
        {
            "source_kind": ["brand", "user", "user"],
            "source_id": ["x:0", "x:1", "x:0"],
            "label": ["a"] * 3,
            "influence": [1.0, None, 75.0],
            **{name: [0] * 3 for name in counts},
        },
    )
    store.publish(
        replace(run, tables={**run.tables, "authority": authority, "influence": influence})
    )
    assert graph(store)["MEMBER_OF User Community"][:3] == [
        ["x:0", "c1", 1.0, 0.5, 75.0],
        ["x:1", "c1", 1.0, None, None],
        ["x:2", "c1", 1.0, None, None],
    ]


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


def test_a_member_whose_handle_was_resolved_since_has_no_edge(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        load(store, world(follows=[{"follower_id": "x:@ann", "followee_id": "x:0"}]))
        store.publish(small_run(store))
        load(store, world(users=[{"user_id": "x:7", "handle": "ann"}]))
        assert graph(store)["MEMBER_OF User Community"] == [["x:0", "c1", 1.0, None, None]]
        assert [f for f in store.doctor() if not f.ok] == []
