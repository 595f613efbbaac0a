"""One writer a store, on a server: a node that names its holder, and a lease that runs out.

A lease alone is not safe: a writer that slept through the end of its own would go on writing
beside the next. So every transaction of a writer first holds a node of its own (a
`kindred_Worker`, one for each transaction that may run at once), and who takes the lock over
deletes those nodes. Deleting waits for the transactions that hold them; those that come
later find nothing to hold, and end in `StoreLocked`.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import cypher
from engine.backends.neo4j.driver import Link, Rows, Work
from engine.backends.neo4j.process import alive, machine
from engine.errors import KindredError, StoreLocked
from engine.progress import Progress, silent

__all__ = ["LEASE", "Held", "Holder", "holder", "writer_lock"]

_T = TypeVar("_T")

LEASE: Final = 30.0
"""Seconds a writer may be silent before the next one takes over."""
_RENEWALS: Final = 3
"""How often a lease is renewed before it would run out."""
_POLL_SECONDS: Final = 0.25
_NAME: Final = "writer"

_own: Final[set[str]] = set()
"""Owners that this process is: a lock in its name by any other owner was left behind."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock, as the server knows it."""

    owner: str
    who: str
    machine: str
    pid: int
    left: int
    """Milliseconds until its lease runs out; negative once it has."""

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """Read a row of `lock_read`."""
        return cls(value["owner"], value["who"], value["machine"], value["pid"], value["left"])

    @property
    def gone(self) -> bool:
        """Whether it is silent for too long, or is known to have ended on this very machine."""
        if self.left <= 0:
            return True
        if not self.machine or self.machine != machine():
            return False
        if self.pid == os.getpid():
            return self.owner not in _own
        return not alive(self.pid)


class Held:
    """The writer's lock while it is held: what a writer writes, it writes through this.

    Safe to share between threads. Each thread that writes takes a `worker` number of its own;
    two with one number write one after the other.
    """

    def __init__(self, link: Link, owner: str) -> None:
        self.link = link
        self.owner = owner

    def writing(self, work: Callable[[Work], _T], *, wanted: str, worker: int = 0) -> _T:
        """Do several statements in one transaction, unless another writer took over.

        Parameters
        ----------
        work
            What to do; done again after a passing fault.
        wanted
            What this is for, in the words of an error.
        worker
            Number of the thread, from 0; taken modulo the transactions the server allows.

        Raises
        ------
        StoreLocked
            If this writer was silent for so long that another took over. Nothing is written.
        """

        def fenced(transaction: Work) -> _T:
            self._fence(transaction, wanted, worker % self.link.server.transactions)
            return work(transaction)

        return self.link.writing(fenced, wanted=wanted)

    def alone(self, text: str, parameters: Mapping[str, Any] | None = None, *, wanted: str) -> Rows:
        """Run a statement that has transactions of its own inside, after a check.

        Only the check before is safe against a take-over: such a statement must do no harm
        to another writer, such as deleting what carries the number of a load of this one.
        """
        self.check(wanted)
        return self.link.alone(text, parameters, wanted=wanted)

    def check(self, wanted: str) -> None:
        """Raise `StoreLocked` if another writer took over."""
        there = self.link.write(
            _text("worker_there"), {"owner": self.owner, "number": 0}, wanted=wanted
        )
        if not there.one("there"):
            raise _taken_over(wanted)

    def _fence(self, transaction: Work, wanted: str, number: int) -> None:
        mine = {"owner": self.owner, "number": number}
        transaction.run(_text("worker_hold"), mine)
        # Only now, with the node held, does its presence stay what it is.
        if not transaction.run(_text("worker_there"), mine).one("there"):
            raise _taken_over(wanted)


@contextmanager
def writer_lock(
    link: Link,
    wanted: str,
    *,
    wait: bool,
    progress: Progress = silent,
    lease: float | None = None,
) -> Iterator[Held]:
    """Hold the store's writer lock.

    Parameters
    ----------
    link
        The server.
    wanted
        What it is held for, in the words of an error.
    wait
        Wait for the writer before us, saying its name through `progress`; otherwise
        `StoreLocked` is raised at once. A writer whose lease has run out, or whose process on
        this machine has ended, is not waited for.
    lease
        Seconds this writer may be silent; `LEASE` where not given.

    Notes
    -----
    Clocks are compared on the server only, so that those of clients may be wrong.
    """
    owner = uuid.uuid4().hex
    milliseconds = int((LEASE if lease is None else lease) * 1000)
    _own.add(owner)
    ended = threading.Event()
    pulse = threading.Thread(
        target=_renew, args=(link, owner, milliseconds, ended), name="kindred-lease", daemon=True
    )
    try:
        _acquire(link, owner, wanted, milliseconds, wait=wait, progress=progress)
        try:
            pulse.start()
            yield Held(link, owner)
        finally:
            ended.set()
            # Where the server is away the lock is known to be left behind, and what went
            # wrong in between is what the caller must hear of.
            with contextlib.suppress(KindredError):
                link.pulse(_released(owner), wanted="to let go of the writer's lock")
    finally:
        _own.discard(owner)


def holder(link: Link) -> Holder | None:
    """Return who holds the writer's lock now, None where nobody does."""
    found = link.read(_text("lock_read"), {"name": _NAME}, wanted="to see who is writing")
    return Holder.of(found.rows()[0]) if len(found) else None


def _acquire(
    link: Link, owner: str, wanted: str, lease: int, *, wait: bool, progress: Progress
) -> None:
    told = ""
    while True:
        first = holder(link)
        if first is None or first.gone:
            first = link.writing(_taken(owner, lease, link.server.transactions), wanted=wanted)
            if first is None:
                return
        if not wait:
            raise StoreLocked(
                wanted,
                f"{first.who} is writing to this store",
                "wait until it is done, or leave --no-wait out to wait for it here",
            )
        if first.who != told:
            progress(f"waiting for {first.who}, which is writing to the store")
            told = first.who
        time.sleep(_POLL_SECONDS)


def _taken(owner: str, lease: int, workers: int) -> Callable[[Work], Holder | None]:
    """Return the transaction that takes the lock, or returns who was faster."""

    def take(work: Work) -> Holder | None:
        work.run(_text("lock_take"), {"name": _NAME})
        rows = work.run(_text("lock_read"), {"name": _NAME}).rows()
        first = Holder.of(rows[0]) if rows else None
        # A commit whose answer was lost is tried again, and finds itself here.
        if first is not None and first.owner == owner:
            return None
        if first is not None and not first.gone:
            return first
        work.run(
            _text("lock_own"),
            {
                "name": _NAME,
                "owner": owner,
                "who": _who(),
                "machine": machine(),
                "pid": os.getpid(),
                "lease": lease,
                "workers": workers,
            },
        )
        work.run(_text("lock_evict"), {"owner": owner})
        return None

    return take


def _renew(link: Link, owner: str, lease: int, ended: threading.Event) -> None:
    """Renew the lease until told to end, or until another writer has it."""

    def renewed(work: Work) -> int:
        work.run(_text("lock_take"), {"name": _NAME})
        return int(work.run(_text("lock_renew"), {"owner": owner, "lease": lease}).one("renewed"))

    while not ended.wait(lease / 1000 / _RENEWALS):
        # A server that is away for a moment may be back for the next renewal; if it is not,
        # the writer hears of it from its own statements.
        with contextlib.suppress(KindredError):
            if not link.pulse(renewed, wanted="to go on writing"):
                return


def _released(owner: str) -> Callable[[Work], Rows]:
    return lambda work: work.run(_text("lock_release"), {"owner": owner})


def _text(name: str) -> str:
    return cypher.statement(name, "neo4j").text


def _taken_over(wanted: str) -> StoreLocked:
    return StoreLocked(
        wanted,
        "another process took over the writing: this one was silent for too long",
        "run it again; what this one had not finished is removed",
    )


def _who() -> str:
    command = " ".join(Path(word).name for word in sys.argv[:2]) or "python"
    return f"process {os.getpid()} ({command}) on {socket.gethostname()}"
