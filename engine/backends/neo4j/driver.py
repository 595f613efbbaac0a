"""The connection to a server: statements in, columns out, faults in three lines.

One driver a store. Every statement is one of `cypher/`, every value a parameter, every
transaction has a time limit, and no more of them are open than `Server.transactions`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import neo4j
from neo4j import Driver, GraphDatabase, ManagedTransaction, Session, Transaction
from neo4j.exceptions import TransientError

from engine.backends.neo4j.faults import is_out_of_memory, server_faults, told
from engine.backends.neo4j.layout import OWN
from engine.errors import ServerError, UsageError
from engine.server import Server

__all__ = ["Link", "Rows", "Work", "connected"]

_T = TypeVar("_T")
Parameters = Mapping[str, Any]

FETCH: Final = 10_000
"""Records a server sends ahead of being asked."""
IDLE: Final = 1.0
"""Seconds after which a connection is tried before it is used: the server may have restarted."""
TRIES_FOR_MEMORY: Final = 2
"""How often a transaction is tried that the server has no memory for."""
_AGENT: Final = "kindred"

# What the driver tries again is nothing to tell a user who has not asked for its log.
logging.getLogger("neo4j").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Rows:
    """An answer as columns of Python values, and what the statement wrote."""

    columns: Mapping[str, Sequence[Any]]
    counters: Mapping[str, int]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def rows(self) -> list[dict[str, Any]]:
        """Return one dictionary a row: for small answers."""
        names = list(self.columns)
        return [
            dict(zip(names, row, strict=True)) for row in zip(*self.columns.values(), strict=True)
        ]

    def one(self, column: str) -> Any:
        """Return the only value of a column, None where there are no rows."""
        values = self.columns.get(column, ())
        return values[0] if values else None


class Work:
    """A transaction that is open: several statements that hold together or not at all."""

    def __init__(self, transaction: ManagedTransaction | Transaction) -> None:
        self._transaction = transaction

    def run(self, text: str, parameters: Parameters | None = None, most: int | None = None) -> Rows:
        """Run one statement and return its rows: all, or the first of them."""
        return _all(self._transaction.run(text, dict(parameters or {})), most)


def _all(result: neo4j.Result, most: int | None = None) -> Rows:
    names = list(result.keys())
    records = result if most is None else result.fetch(most)
    values = [record.values() for record in records]
    columns = dict(zip(names, zip(*values, strict=True), strict=True)) if values else {}
    counters = result.consume().counters
    return Rows(
        {name: columns.get(name, ()) for name in names},
        {
            name: getattr(counters, name)
            for name in (
                "nodes_created", "nodes_deleted", "relationships_created",
                "relationships_deleted", "properties_set",
            )
        },
    )  # fmt: skip


def connected(address: str, server: Server) -> Driver:
    """Return a driver with the limits and the trust that the server is asked with.

    Raises
    ------
    UsageError
        If the file of trusted certificates is not there.
    """
    auth = neo4j.basic_auth(server.user, server.password or "") if server.user else None
    trust: dict[str, Any] = {}
    if server.authorities is not None:
        if not Path(server.authorities).is_file():
            raise UsageError(
                "the certificates to trust",
                f"there is no file {server.authorities}",
                "correct KINDRED_NEO4J_CA",
            )
        # The driver takes its own authorities only with a scheme that says nothing of them.
        scheme, rest = address.split("://", 1)
        address = f"{scheme.partition('+')[0]}://{rest}"
        trust = {
            "encrypted": True,
            "trusted_certificates": neo4j.TrustCustomCAs(server.authorities),
        }
    return GraphDatabase.driver(
        address,
        auth=auth,
        user_agent=_AGENT,
        max_connection_pool_size=server.transactions + 1,
        connection_timeout=server.patience,
        connection_acquisition_timeout=server.patience,
        liveness_check_timeout=IDLE,
        max_transaction_retry_time=server.patience,
        notifications_min_severity="OFF",
        telemetry_disabled=True,
        **trust,
    )


class Link:
    """A driver and what it is allowed: safe to share between threads.

    Parameters
    ----------
    address
        Such as `neo4j://localhost:7687`.
    server
        Database, name, password, limits.
    read_only
        Refuse to write.
    """

    def __init__(self, address: str, server: Server, *, read_only: bool = False) -> None:
        self.address = address
        self.server = server
        self.read_only = read_only
        self.names = OWN
        """What the model's labels are called there; `BESIDE` beside somebody's own graph."""
        self._slots = threading.BoundedSemaphore(server.transactions)
        # In a cluster, what this store reads is never older than what it has written.
        self._bookmarks = GraphDatabase.bookmark_manager()
        self._meeting = threading.Lock()
        self._met = False
        with server_faults("to reach the server", address):
            self._driver = connected(address, server)

    def check(self, wanted: str = "to reach the server") -> None:
        """Raise `ServerAway` or `AccessDenied` unless the database answers."""
        self.read("RETURN 1 AS one", wanted=wanted)

    @contextmanager
    def _session(self, *, writes: bool, fetch: int = FETCH) -> Iterator[Session]:
        if writes and self.read_only:
            raise UsageError("to write", "the store was opened read-only", "open it for writing")
        if not self._slots.acquire(timeout=self.server.timeout):
            raise ServerError(
                "to open a transaction",
                f"all {self.server.transactions} that may be open at once are busy",
                "run it again, or raise KINDRED_NEO4J_TRANSACTIONS",
            )
        try:
            self._meet()
            with self._opened(writes=writes, fetch=fetch) as session:
                yield session
        finally:
            self._slots.release()

    def _meet(self) -> None:
        """Find out at once whether the server lets us in, before anything is tried again.

        A server that has answered once and is away now is waited for; one that never has is
        more likely not there, or not asked in the right way.
        """
        with self._meeting:
            if not self._met:
                self._driver.verify_connectivity()
                self._met = True

    def _opened(self, *, writes: bool, fetch: int = FETCH) -> Session:
        return self._driver.session(
            database=self.server.database,
            default_access_mode=neo4j.WRITE_ACCESS if writes else neo4j.READ_ACCESS,
            fetch_size=min(fetch, FETCH),
            bookmark_manager=self._bookmarks,
        )

    def read(
        self,
        text: str,
        parameters: Parameters | None = None,
        *,
        wanted: str = "to read the graph",
        timeout: float | None = None,
    ) -> Rows:
        """Run a reading statement, tried again after a passing fault."""
        return self.reading(lambda work: work.run(text, parameters), wanted=wanted, timeout=timeout)

    def reading(
        self,
        work: Callable[[Work], _T],
        *,
        wanted: str,
        timeout: float | None = None,
        fetch: int = FETCH,
    ) -> _T:
        """Do several reads in one transaction; `fetch` records are sent ahead of being read."""
        with (
            server_faults(wanted, self.address),
            self._session(writes=False, fetch=fetch) as session,
        ):
            return session.execute_read(self._timed(work, wanted, timeout))

    def write(
        self,
        text: str,
        parameters: Parameters | None = None,
        *,
        wanted: str = "to write to the graph",
    ) -> Rows:
        """Run a writing statement, tried again after a passing fault."""
        return self.writing(lambda work: work.run(text, parameters), wanted=wanted)

    def writing(self, work: Callable[[Work], _T], *, wanted: str) -> _T:
        """Do several statements in one transaction, tried again after a passing fault.

        A commit whose answer was lost is not tried again by the driver; what calls this is
        written so that doing it twice is doing it once.
        """
        with server_faults(wanted, self.address), self._session(writes=True) as session:
            return session.execute_write(self._timed(work, wanted, None))

    def pulse(self, work: Callable[[Work], _T], *, wanted: str) -> _T:
        """Write a little outside the cap, so that a lease is renewed however busy the others are.

        One thread at a time: the pool keeps one connection for it. Not tried again.
        """
        with (
            server_faults(wanted, self.address),
            self._opened(writes=True) as session,
            session.begin_transaction(timeout=self.server.patience) as transaction,
        ):
            answer = work(Work(transaction))
            transaction.commit()
            return answer

    def alone(self, text: str, parameters: Parameters | None = None, *, wanted: str) -> Rows:
        """Run a statement that must have a transaction of its own: schema, batches inside."""
        with server_faults(wanted, self.address), self._session(writes=True) as session:
            query = neo4j.Query(text, timeout=self.server.timeout)
            return _all(session.run(query, dict(parameters or {})))

    def once(self, text: str, parameters: Parameters | None = None, *, wanted: str) -> Rows:
        """Run a statement that reads the graph and must not be tried again by the driver."""
        with server_faults(wanted, self.address), self._session(writes=False) as session:
            query = neo4j.Query(text, timeout=self.server.timeout)
            return _all(session.run(query, dict(parameters or {})))

    def _timed(
        self, work: Callable[[Work], _T], wanted: str, timeout: float | None
    ) -> Callable[[ManagedTransaction], _T]:
        tries = 0

        @neo4j.unit_of_work(timeout=timeout or self.server.timeout)
        def run(transaction: ManagedTransaction) -> _T:
            nonlocal tries
            tries += 1
            try:
                return work(Work(transaction))
            except TransientError as fault:
                # Memory may be short because of what others do: once more is worth it. What
                # is too large by itself would be tried until patience runs out.
                if is_out_of_memory(fault) and tries >= TRIES_FOR_MEMORY:
                    raise told(fault, wanted, self.address) from fault
                raise

        return run

    def side_by_side(self, jobs: Iterable[Callable[[], _T]], most: int = 2) -> Iterator[_T]:
        """Do jobs in threads, answers as they come; the first fault stops those not begun."""
        with ThreadPoolExecutor(min(most, self.server.transactions)) as pool:
            running: set[Future[_T]] = set()
            try:
                for job in jobs:
                    running.add(pool.submit(job))
                    if len(running) > most:
                        done, running = wait(running, return_when=FIRST_COMPLETED)
                        for one in done:
                            yield one.result()
                while running:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for one in done:
                        yield one.result()
            finally:
                for one in running:
                    one.cancel()

    def close(self) -> None:
        """Let go of every connection."""
        self._driver.close()
