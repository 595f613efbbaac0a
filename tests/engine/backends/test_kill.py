"""kill -9 at any moment: the store is before or after, never between."""

from __future__ import annotations

import multiprocessing
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.assemble import assemble
from engine.backends.embedded.layout import Layout
from engine.backends.embedded.store import EmbeddedStore
from engine.errors import NotFound
from engine.params import AnalysisParams
from engine.verbs import analyse, answers
from loaders.run import load as read_export
from tests.engine.backends.worlds import START, World, joined, load, plain, small_run, world

KILLS = [8, pytest.param(40, marks=pytest.mark.gates)]
REAL_KILLS = [4, pytest.param(20, marks=pytest.mark.gates)]


def step(number: int) -> World:
    """What is loaded as batch `number`: one more user than before."""
    return world(
        shares=[{"user_id": f"x:{number:03}", "content_id": "x:p", "at": START}],
        follows=[{"follower_id": f"x:{number:03}", "followee_id": "x:000"}],
    )


def work(path: Path, ready: Any) -> None:
    """Load and analyse, on and on, going on where another left off."""
    with EmbeddedStore.open(path) as store:
        store.manifest()
        ready.set()
        while True:
            one_round(store)


def one_round(store: EmbeddedStore) -> None:
    done = len(store.batches())
    if store.runs() and store.run().counts["n"] == done:
        load(store, step(done), str(done))
    store.publish(small_run(store))


def analysing(path: Path, ready: Any) -> None:
    """Analyse for real, on and on, each time with another seed than the active run."""
    with EmbeddedStore.open(path) as store:
        store.snapshot()
        ready.set()
        while True:
            analyse(store, settings(store.run().params.seed + 1))


def settings(seed: int) -> AnalysisParams:
    return AnalysisParams(
        seed=seed,
        rewirings=0,
        ensemble=0,
        folds=2,
        split=None,
        engine="local",
        continues="none",
    )


def seen(store: EmbeddedStore) -> tuple[int, int | None]:
    """Users in the graph, and how many the run in the same graph speaks of."""
    rows = store.query(
        "MATCH (u:User) WITH count(u) AS users OPTIONAL MATCH (c:Community)"
        " RETURN users, c.member_count AS members"
    ).to_pylist()
    return rows[0]["users"], rows[0]["members"]


def watch(reader: EmbeddedStore, commits: int, seconds: float) -> None:
    """Read until so many commits, and then so many seconds, have passed.

    A reader that holds the store open sees one generation or the next.
    """
    awaited = reader.manifest().revision + commits
    while reader.manifest().revision < awaited:
        assert is_whole(*seen(reader))
        time.sleep(0.01)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert is_whole(*seen(reader))
        time.sleep(0.01)


def run_members(store: EmbeddedStore) -> int | None:
    try:
        return int(store.read("communities")["member_count"].to_pylist()[0])
    except NotFound:
        return None


def is_whole(users: int, members: int | None) -> bool:
    """A load moves the users on by one, the run after it follows."""
    return members == users or users - (members or 0) == 1


def half_done(layout: Layout) -> int:
    """Folders that no manifest names: what the kill left in the middle."""
    manifest = EmbeddedStore.open(layout.root, read_only=True).manifest()
    named = {b.batch_id for b in manifest.batches} | {r.folder for r in manifest.runs}
    named |= {manifest.graph.generation} if manifest.graph else set()
    rooms = (layout.log, layout.runs, layout.graph, layout.staging)
    return sum(p.is_dir() and p.name not in named for room in rooms for p in room.iterdir())


@pytest.fixture(scope="module")
def started() -> Any:
    """Processes that have everything imported and nothing opened."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.engine.backends.test_kill"])
    return context


def members_in_graph(store: EmbeddedStore) -> list[tuple[str, str]]:
    found = store.query(
        "MATCH (u:User)-[:MEMBER_OF]->(c:Community) RETURN u.user_id AS user, c.community_id AS c"
    )
    return sorted((row["user"], row["c"]) for row in found.to_pylist())


def members_in_run(store: EmbeddedStore) -> list[tuple[str, str]]:
    rows = store.read("memberships").to_pylist()
    # Those of single folds are for checking scores, and stay out of the graph.
    return sorted((row["user_id"], row["community_id"]) for row in rows if row["fold"] is None)


@pytest.mark.parametrize("kills", REAL_KILLS)
def test_kills_of_a_real_analysis(
    tmp_path: Path, small_export: Path, started: Any, kills: int
) -> None:
    draw = random.Random(11)  # noqa: S311 - moments, not secrets
    with EmbeddedStore.open(tmp_path) as first:
        read_export(first, small_export)
        run = answers(first.snapshot(), settings(0))
        first.publish(replace(run, params=settings(1_000)))
        begun = time.monotonic()
        first.publish(run)
        seconds = time.monotonic() - begun
    middle = 0
    for number in range(kills):
        with EmbeddedStore.open(tmp_path) as store:
            layout, seed = store.layout, store.run().params.seed
        ready = started.Event()
        process = started.Process(target=analysing, args=(tmp_path, ready), daemon=True)
        process.start()
        assert ready.wait(120)
        # Every other kill waits until it is no more computed but stored.
        while number % 2 and not any(p.is_dir() for p in layout.staging.iterdir()):
            time.sleep(0.001)
        time.sleep(draw.uniform(0, seconds))
        process.kill()
        process.join()
        middle += half_done(layout) > 0
        with EmbeddedStore.open(tmp_path) as store:
            done = store.run()
            assert done.params in {settings(seed), settings(seed + 1), settings(seed + 2)}
            assert members_in_graph(store) == members_in_run(store)
            assert [f for f in store.doctor() if not f.ok] == []
    with EmbeddedStore.open(tmp_path) as store:
        # A run that came out in other bytes would be put beside the one that is there.
        known = {r.folder for r in store.manifest().runs}
        store.publish(answers(store.snapshot(), done.params))
        assert {r.folder for r in store.manifest().runs} == known
        store.publish(run)
        assert half_done(layout) == 0
    assert middle > 0


@pytest.mark.parametrize("kills", KILLS)
def test_kills_of_loads_and_runs_leave_whole_stores(
    tmp_path: Path, started: Any, kills: int
) -> None:
    draw = random.Random(7)  # noqa: S311 - moments, not secrets
    with EmbeddedStore.open(tmp_path) as first:
        load(first, step(0), "0")
        one_round(first)
        begun = time.monotonic()
        one_round(first)
        # Moments are drawn on the clock of the machine the test runs on.
        seconds = time.monotonic() - begun
    middle = 0
    reader = EmbeddedStore.open(tmp_path)
    for number in range(kills):
        ready = started.Event()
        process = started.Process(target=work, args=(tmp_path, ready), daemon=True)
        process.start()
        assert ready.wait(120)
        # Every other kill waits until the process has shown that it gets things done.
        watch(reader, number % 2, draw.uniform(0, seconds))
        process.kill()
        process.join()
        middle += half_done(Layout(tmp_path)) > 0
        with EmbeddedStore.open(tmp_path) as store:
            batches = len(store.batches())
            users, members = seen(store)
            assert users == batches
            assert is_whole(users, members)
            assert run_members(store) == members
            assert plain(store.snapshot()) == plain(assemble(joined([*map(step, range(batches))])))
            assert [f for f in store.doctor() if not f.ok] == []
    reader.close()
    with EmbeddedStore.open(tmp_path) as store:
        assert len(store.batches()) > kills // 4
        assert [f for f in store.doctor(rebuild=True) if not f.ok] == []
        assert half_done(store.layout) == 0
    assert middle >= kills // 4
