"""One writer a store: the second waits or gives up; one that was silent for too long is out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.backends.neo4j.driver import Link, Work
from engine.backends.neo4j.lock import Holder, holder, writer_lock
from engine.backends.neo4j.migrations import make
from engine.errors import ServerAway, StoreLocked
from tests.servers.server import Neo4jServer

WRITER = """
import os, sys
from engine.backends.neo4j import lock
from engine.backends.neo4j.driver import Link
from engine.errors import StoreLocked
from engine.server import Server

address, lease, elsewhere = sys.argv[1:]
server = Server(None, os.environ["USER_OF_TEST"], os.environ["PASSWORD_OF_TEST"])
if elsewhere == "elsewhere":
    lock.machine = lambda: "another machine"


def say(word):
    print(word, flush=True)


def mark(name, *, wait=False):
    def work(transaction):
        transaction.run("CREATE (:Mark {name: $name})", {"name": name})
        if wait:
            say("inside")
            sys.stdin.readline()
    return work


link = Link(address, server)
with lock.writer_lock(link, "to write from a child", wait=False, lease=float(lease)) as held:
    say("held")
    for line in sys.stdin:
        try:
            held.writing(mark(line.strip(), wait=line.startswith("slow")), wanted="to mark")
            say("written")
        except StoreLocked as refused:
            say(refused.found)
link.close()
"""


class Child:
    """Another process that holds the lock, and marks the graph when it is told to."""

    def __init__(self, server: Neo4jServer, lease: float, where: str = "here") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER, server.address, str(lease), where],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "USER_OF_TEST": server.user, "PASSWORD_OF_TEST": server.password},
        )

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def signal(self, what: signal.Signals) -> None:
        self.process.send_signal(what)

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def made(neo4j: Neo4jServer) -> Iterator[Link]:
    neo4j.clean()
    opened = Link(neo4j.address, neo4j.settings(patience=5))
    make(opened)
    yield opened
    opened.close()


@pytest.fixture
def link(made: Link) -> Link:
    """A store without a mark in it; what the lock leaves behind is the next test's business."""
    made.write("MATCH (m:Mark) DELETE m")
    return made


@pytest.fixture
def child(neo4j: Neo4jServer) -> Iterator[Callable[..., Child]]:
    made: list[Child] = []

    def start(lease: float, where: str = "here") -> Child:
        made.append(Child(neo4j, lease, where))
        assert made[-1].hear() == "held"
        return made[-1]

    yield start
    for one in made:
        one.end()


def marks(link: Link) -> list[Any]:
    return list(link.read("MATCH (m:Mark) RETURN m.name AS name ORDER BY name").columns["name"])


def marking(name: str) -> Callable[[Work], object]:
    return lambda work: work.run("CREATE (:Mark {name: $name})", {"name": name})


def bookkeeping(link: Link) -> dict[str, int]:
    rows = link.read("MATCH (n) RETURN labels(n)[0] AS label, count(*) AS nodes").rows()
    return {row["label"]: row["nodes"] for row in rows}


def test_a_second_writer_gives_up_or_waits_and_names_the_first(link: Link) -> None:
    said: list[str] = []
    order: list[str] = []
    told = threading.Event()

    def hear(stage: str, done: float = 0, total: float | None = None) -> None:
        said.append(stage)
        told.set()

    def second() -> None:
        with writer_lock(link, "to load b.csv", wait=True, progress=hear):
            order.append("second")

    me = f"process {os.getpid()} ("
    with writer_lock(link, "to load a.csv", wait=False) as held:
        first = holder(link)
        assert first is not None
        assert first.owner == held.owner
        assert first.who.startswith(me)
        assert 20_000 < first.left <= 30_000
        with (
            pytest.raises(
                StoreLocked, match=r"wanted: to load b.csv\nfound: process \d+ \(.*\) on"
            ),
            writer_lock(link, "to load b.csv", wait=False),
        ):
            pass
        waiting = threading.Thread(target=second)
        waiting.start()
        assert told.wait(10)
        held.writing(marking("first"), wanted="to mark")
        order.append("first")
    waiting.join(20)
    assert order == ["first", "second"]
    assert said == [f"waiting for {first.who}, which is writing to the store"]
    assert holder(link) is None
    assert bookkeeping(link) == {"kindred_Store": 1, "kindred_Lock": 1, "Mark": 1}


def test_many_writers_follow_each_other(link: Link) -> None:
    """No two of them see the same count, as two in a read-and-write at once would."""
    link.write("CREATE (:Mark {value: 0})")

    def add() -> None:
        with writer_lock(link, "to count", wait=True) as held:
            for worker in range(2):
                seen = link.read("MATCH (c:Mark) RETURN c.value AS value").one("value")
                held.writing(setting(seen + 1), wanted="to count", worker=worker)

    def setting(value: int) -> Callable[[Work], object]:
        return lambda work: work.run("MATCH (c:Mark) SET c.value = $v", {"v": value})

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert link.read("MATCH (c:Mark) RETURN c.value AS value").one("value") == 8


def test_a_killed_writer_is_not_waited_for_on_its_own_machine(
    link: Link, child: Callable[..., Child]
) -> None:
    first = child(600)
    assert holder(link) is not None
    with (
        pytest.raises(StoreLocked, match=f"process {first.process.pid} "),
        writer_lock(link, "to write", wait=False),
    ):
        pass
    first.end()
    with writer_lock(link, "to write", wait=False) as held:
        held.writing(marking("after"), wanted="to mark")
    assert marks(link) == ["after"]


def test_a_writer_that_was_silent_for_too_long_writes_nothing_more(
    link: Link, child: Callable[..., Child]
) -> None:
    """A laptop that was closed: asleep in a transaction, past its lease, and awake again."""
    first = child(1, "elsewhere")
    first.tell("early")
    assert first.hear() == "written"
    # Its lease is renewed while it lives.
    time.sleep(1.3)
    with (
        pytest.raises(StoreLocked, match=f"process {first.process.pid} "),
        writer_lock(link, "to write", wait=False),
    ):
        pass
    first.tell("slow")
    assert first.hear() == "inside"
    first.signal(signal.SIGSTOP)
    taken = threading.Event()
    seen: list[list[Any]] = []

    def take_over() -> None:
        with writer_lock(link, "to write", wait=True) as held:
            taken.set()
            seen.append(marks(link))
            first.tell("late")
            assert first.hear() == (
                "another process took over the writing: this one was silent for too long"
            )
            held.writing(marking("second"), wanted="to mark")

    second = threading.Thread(target=take_over)
    second.start()
    time.sleep(1.3)
    # The lease is over, but not the transaction: nobody writes beside it.
    assert not taken.is_set()
    first.signal(signal.SIGCONT)
    first.tell("on")
    assert first.hear() == "written"
    second.join(20)
    assert taken.is_set()
    assert seen == [["early", "slow"]]
    assert marks(link) == ["early", "second", "slow"]


def test_a_lock_that_this_process_left_behind_is_no_lock(neo4j: Neo4jServer, link: Link) -> None:
    """The server was away when it was let go of."""
    lost = Link(neo4j.address, neo4j.settings(patience=1))
    with writer_lock(lost, "to write", wait=False):
        lost.close()
    left = holder(link)
    assert left is not None
    assert left.left > 0
    assert left.gone
    with writer_lock(link, "to write", wait=False):
        pass


def test_renewal_is_not_held_up_by_busy_writers(neo4j: Neo4jServer, link: Link) -> None:
    """Every transaction that may be open is, for longer than the lease."""
    narrow = Link(neo4j.address, neo4j.settings(transactions=1))

    def slow(work: Work) -> None:
        work.run("CREATE (:Mark {name: 'slow'})")
        time.sleep(1)

    with writer_lock(narrow, "to write", wait=False, lease=0.5) as held:
        held.writing(slow, wanted="to mark")
        held.writing(marking("then"), wanted="to mark", worker=7)
    narrow.close()
    assert marks(link) == ["slow", "then"]


def test_a_fault_of_what_is_done_under_the_lock_is_the_one_that_is_told(link: Link) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        writer_lock(link, "to write", wait=False) as held,
    ):
        held.writing(lambda work: 1 // len(work.run("MATCH (m:Mark) RETURN m")), wanted="to mark")
    assert holder(link) is None
    with pytest.raises(ServerAway):
        _hold_on(Link("bolt://127.0.0.1:1", link.server))


def _hold_on(link: Link) -> None:
    try:
        with writer_lock(link, "to write", wait=False):
            pass
    finally:
        link.close()


def test_interrupting_a_writer_lets_go(neo4j: Neo4jServer, link: Link) -> None:
    """Ctrl-C in the middle of a transaction."""

    def interrupted(work: Work) -> None:
        work.run("CREATE (:Mark {name: 'half'})")
        signal.raise_signal(signal.SIGINT)

    with (
        pytest.raises(KeyboardInterrupt),
        writer_lock(link, "to write", wait=False) as held,
    ):
        held.writing(interrupted, wanted="to mark")
    assert holder(link) is None
    assert marks(link) == []


@pytest.mark.parametrize(
    ("machine", "pid", "left", "gone"),
    [
        ("another machine", 1, 10, False),
        ("another machine", 1, 0, True),
        ("", 2**22 + 1, 10, False),
    ],
)
def test_processes_are_told_apart_only_where_their_numbers_mean_something(
    machine: str, pid: int, left: int, *, gone: bool
) -> None:
    assert Holder("o", "who", machine, pid, left).gone is gone
