"""A server that is killed in the middle of things, and a client: the store is before or after.

Everything is compared with an embedded store that was given the same exports.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from engine.backends.embedded.store import EmbeddedStore
from engine.backends.neo4j import graph as written
from engine.backends.neo4j.lock import holder
from engine.backends.neo4j.store import Neo4jStore
from engine.contract import Batch, LoadReport
from engine.errors import ServerAway, ServerError, StoreLocked
from engine.progress import Progress, silent
from tests.engine.backends.worlds import (
    START,
    World,
    graph,
    load,
    plain,
    random_batch,
    small_run,
    world,
)
from tests.servers.fixtures import NewVictim, OpenStore
from tests.servers.local import LocalServer
from tests.servers.server import Neo4jServer

FEW = 200
SMALL = {"db.memory.transaction.max": "64m"}
READ_ONLY = "server.databases.default_to_read_only"


def batches() -> list[World]:
    """A world of every kind of row, and one that changes, resolves and adds to it."""
    first, second = random_batch(1), random_batch(2)
    many = world(
        shares=[
            {"user_id": f"x:{i % 100}", "content_id": f"x:p{i}", "at": START} for i in range(600)
        ],
        follows=[{"follower_id": f"x:{i}", "followee_id": "x:1"} for i in range(100)],
    )
    return [first, {**second, **many}]


def send(store: Neo4jStore, tables: World, name: str, progress: Progress = silent) -> LoadReport:
    """Load tables as one batch, with somebody listening."""
    with store.stage() as folder:
        for table_name, rows in tables.items():
            pq.write_table(rows, folder / f"{table_name}.parquet")
        mark = hashlib.sha256(name.encode()).hexdigest()
        return store.write(Batch(mark, name, "test", folder), progress)


class At:
    """Progress that does something once: when a stage has come so far, as a share of 1."""

    def __init__(self, stage: str, share: float, what: Callable[[], object]) -> None:
        self.stage = stage
        self.share = share
        self.what: Callable[[], object] | None = what

    def __call__(self, stage: str, done: float = 0, total: float | None = None) -> None:
        if self.what and stage.startswith(self.stage) and total and done >= self.share * total:
            what, self.what = self.what, None
            what()


@contextmanager
def opened(
    victim: LocalServer, patience: float = 2, *, read_only: bool = False
) -> Iterator[Neo4jStore]:
    settings = victim.server.settings(patience=patience)
    with Neo4jStore.open(victim.address, settings, read_only=read_only) as store:
        yield store


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a small load have many transactions."""
    monkeypatch.setattr(written, "ROWS", FEW)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[EmbeddedStore]]:
    """Embedded stores that hold the first batch, and both."""
    made = []
    for count in (1, 2):
        made.append(EmbeddedStore.open(tmp_path_factory.mktemp("expected")))
        for number, tables in enumerate(batches()[:count]):
            load(made[-1], tables, str(number))
    yield made
    for store in made:
        store.close()


def assert_same(store: Neo4jStore, wanted: EmbeddedStore) -> None:
    """Compare all that an analysis sees."""
    assert plain(store.snapshot()) == plain(wanted.snapshot())


def assert_well(store: Neo4jStore) -> None:
    assert [f for f in store.doctor() if not f.ok] == []


def published(store: Neo4jStore) -> tuple[str, list[str]]:
    """Return the run that counts, and the labels of communities of the run in the graph."""
    rows = store.query(
        "MATCH (r:Run)<-[:kindred_OF]-(c:Community)<-[:MEMBER_OF]-(u:User)"
        " RETURN r.run_id AS run, c.label AS label, count(u) AS members"
    ).to_pylist()
    (row,) = rows
    # A load after the run may have found out that one of its members is another.
    ids = store.read("memberships")["user_id"].to_pylist()
    assert row["members"] == len(store.users(ids))
    assert store.run().run_id == row["run"]
    return row["run"], store.read("communities")["label"].to_pylist()


def test_a_server_killed_in_mid_load_and_in_mid_publish(
    neo4j_victims: NewVictim, expected: list[EmbeddedStore]
) -> None:
    one, both = expected
    victim = neo4j_victims(gds=False, tls=True, settings=SMALL)
    first, second = batches()
    with opened(victim) as store:
        send(store, first, "0")
        # Killed when some nodes and relationships of the second load are written.
        with pytest.raises(ServerAway):
            send(store, second, "1", At("loading", 0.4, victim.kill))
        victim.start()
        # The store that was open before the restart answers, and nothing of the load counts.
        left = victim.server.run("MATCH (n) WHERE n.kindred_load = 2 RETURN count(n) AS nodes")
        assert left[0]["nodes"] > 1
        assert_same(store, one)
        assert store.query("MATCH (u:User) RETURN count(u) AS users")["users"].to_pylist()[0] > 0
        send(store, second, "1")
        assert graph(store) == graph(both)
        assert_well(store)
        old = store.publish(small_run(store, seed=1))
        before = published(store)
        assert before == (old.run_id, ["seed 1"])
        with pytest.raises(ServerAway):
            store.publish(small_run(store, seed=2), At("publishing RESONATES_IN", 0, victim.kill))
        # It comes back as one that may not be written to.
        victim.configure(**{READ_ONLY.replace(".", "__"): "true"})
        victim.start()
        now = published(store)
        assert now in (before, (store.run().run_id, ["seed 2"]))
        assert_same_when_read_only(store, victim, both)


def assert_same_when_read_only(
    store: Neo4jStore, victim: LocalServer, wanted: EmbeddedStore
) -> None:
    """Reading works, writing is refused in three lines, and nothing comes of it."""
    everything = "MATCH (n) RETURN labels(n) AS l, properties(n) AS p ORDER BY elementId(n)"
    before = victim.server.run(everything)
    with pytest.raises(ServerError) as refused:
        load(store, world(shares=[{"user_id": "x:new", "content_id": "x:new"}]))
    assert "read-only" in refused.value.found
    assert refused.value.todo == "make the database writable, or name another with --database"
    with opened(victim, read_only=True) as reader:
        assert_same(reader, wanted)
    assert victim.server.run(everything) == before


# The client -------------------------------------------------------------------------------

ROOT = Path(__file__).resolve().parents[4]
CLIENT = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells may have had it ignored
from engine.backends.neo4j import graph, lock
from engine.backends.neo4j.store import Neo4jStore
from engine.server import Server
from tests.engine.backends.neo4j.test_kill import FEW, At, batches, send

graph.ROWS = FEW
address, where = sys.argv[1:]
server = Server(None, os.environ["USER_OF_TEST"], os.environ["PASSWORD_OF_TEST"])
if where == "elsewhere":
    lock.machine = lambda: "another machine"
    lock.LEASE = 2.0


def stop():
    print("in the middle", flush=True)
    time.sleep(600)


try:
    with Neo4jStore.open(address, server) as store:
        send(store, batches()[1], "1", At("loading", 0.4, stop))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@contextmanager
def loading(server: Neo4jServer, where: str = "here") -> Iterator[subprocess.Popen[str]]:
    """Lend another process that has stopped in the middle of a load."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLIENT, server.address, where],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "USER_OF_TEST": server.user, "PASSWORD_OF_TEST": server.password},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the middle\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def leftovers(server: Neo4jServer) -> int:
    """Count what a second load that is not done has written."""
    rows = server.run(
        "MATCH (n) WHERE n.kindred_load > 1 AND NOT n:kindred_Batch RETURN count(n) AS nodes"
    )
    return int(rows[0]["nodes"])


def test_a_client_killed_in_mid_load(
    neo4j: Neo4jServer, neo4j_store: OpenStore, expected: list[EmbeddedStore]
) -> None:
    """Seen from another machine, its lease has to run out first; readers notice nothing."""
    one, both = expected
    first, second = batches()
    with neo4j_store() as store:
        send(store, first, "0")
        with loading(neo4j, "elsewhere") as process:
            assert leftovers(neo4j) > 1
            assert_same(store, one)
            process.kill()
            process.wait()
            with (
                neo4j_store(wait=False) as hasty,
                pytest.raises(StoreLocked, match=f"process {process.pid} "),
            ):
                send(hasty, second, "1")
            said: list[str] = []
            send(store, second, "1", lambda stage, *_, **__: said.append(stage))
        assert said[0].startswith(f"waiting for process {process.pid} ")
        assert graph(store) == graph(both)
        assert_well(store)


def test_a_client_interrupted_in_mid_load(
    neo4j: Neo4jServer, neo4j_store: OpenStore, expected: list[EmbeddedStore]
) -> None:
    """Ctrl-C: it clears up after itself and lets go of the lock."""
    one, _ = expected
    with neo4j_store(wait=False) as store:
        send(store, batches()[0], "0")
        with loading(neo4j) as process:
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=30)[0] == "interrupted\n"
        assert holder(store.link) is None
        assert leftovers(neo4j) == 0
        assert_same(store, one)


def test_two_loads_at_once(neo4j_store: OpenStore, expected: list[EmbeddedStore]) -> None:
    """In any order: the one waits for the other, and neither spoils anything."""
    _, both = expected
    faults: list[BaseException] = []

    def one(tables: World, name: str) -> None:
        try:
            with neo4j_store() as store:
                send(store, tables, name)
        except BaseException as fault:  # noqa: BLE001 - told in the main thread
            faults.append(fault)

    threads = [
        threading.Thread(target=one, args=(tables, str(number)))
        for number, tables in enumerate(batches())
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert faults == []
    with neo4j_store() as store:
        assert len(store.batches()) == 2
        assert_same(store, both)
        assert_well(store)


# Moments by chance ------------------------------------------------------------------------


@pytest.mark.gates
def test_a_server_killed_at_any_moment(
    neo4j_victims: NewVictim, expected: list[EmbeddedStore]
) -> None:
    """Eight kills, each somewhere in a load and a publication; then it is all done again."""
    draw = random.Random(5)  # noqa: S311 - moments, not secrets
    _, both = expected
    victim = neo4j_victims(gds=False, tls=True, settings=SMALL)
    first, second = batches()
    with opened(victim) as store:
        send(store, first, "0")
        store.publish(small_run(store))
        begun = time.monotonic()
        send(store, world(shares=[{"user_id": "x:1", "content_id": "x:p1", "at": START}]), "t")
        store.publish(small_run(store))
        seconds = time.monotonic() - begun
    middle = 0
    for number in range(8):
        victim.server.clean()
        with opened(victim, patience=1) as store:
            send(store, first, "0")
            old = store.publish(small_run(store, seed=number)).run_id
            timer = threading.Timer(draw.uniform(0, 2 * seconds), victim.kill)
            timer.start()
            try:
                send(store, second, "1")
                store.publish(small_run(store, seed=100 + number))
            except ServerAway:
                middle += 1
            timer.join()
            victim.start()
            run, labels = published(store)
            assert labels == [f"seed {number if run == old else 100 + number}"]
            send(store, second, "1")
            assert_same(store, both)
            assert_well(store)
            new = store.publish(small_run(store, seed=100 + number)).run_id
            assert published(store) == (new, [f"seed {100 + number}"])
    assert middle >= 4
