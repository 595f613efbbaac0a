"""Reading a generation: opened once in a process, leased, shared by threads.

Ladybug wants one `Database` object on one path in a process: a second one, when closed,
drops the lock of the first. So generations that are open are kept in one registry, and
each query borrows a connection of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from engine.backends.embedded.claims import Claim
from engine.backends.embedded.graph import ADDRESS_SPACE, answer
from engine.backends.embedded.graph_schema import create_statement, tables
from engine.backends.embedded.layout import Layout
from engine.errors import KindredError, StoreDamaged, UsageError
from engine.model import TIME

if TYPE_CHECKING:
    import ladybug

__all__ = ["GraphReader", "OpenGraph"]

_POOL: Final = 512 * 2**20
_TIMEOUT_MS: Final = 60_000


class OpenGraph:
    """An open graph: lends connections, one a borrower, and counts who holds it."""

    def __init__(self, file: Path | None, lease: Claim | None) -> None:
        import ladybug

        self.holders = 1
        self._lease = lease
        self._idle: list[ladybug.Connection] = []
        self._lock = threading.Lock()
        if file is None:
            self._database = ladybug.Database(
                ":memory:", buffer_pool_size=64 * 2**20, max_db_size=ADDRESS_SPACE
            )
            with self.connection() as graph:
                for table in tables().values():
                    graph.execute(create_statement(table))
        else:
            try:
                self._database = ladybug.Database(
                    str(file), buffer_pool_size=_POOL, read_only=True, max_db_size=ADDRESS_SPACE
                )
            except (RuntimeError, OSError) as fault:
                raise StoreDamaged(
                    f"the graph in {file}",
                    f"it cannot be opened: {str(fault).splitlines()[0]}",
                    "run: kindred doctor --rebuild",
                ) from fault

    @contextmanager
    def connection(self) -> Iterator[ladybug.Connection]:
        """Borrow a connection."""
        import ladybug

        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = ladybug.Connection(self._database)
            connection.set_query_timeout(_TIMEOUT_MS)
        try:
            yield connection
        finally:
            with self._lock:
                self._idle.append(connection)

    def close(self) -> None:
        """Close the file and let the lease go."""
        for connection in self._idle:
            connection.close()
        self._database.close()
        if self._lease is not None:
            self._lease.release()


_open: dict[Path, OpenGraph] = {}
_registry = threading.Lock()


class GraphReader:
    """Follows a store's current generation.

    Parameters
    ----------
    layout
        The store's paths.
    generation
        Says which generation the manifest names now; None while nothing is loaded.
    leases
        Write lease files. Without, or where the disk takes none, a generation may be
        removed while it is open; the system keeps it readable until it is closed.
    """

    def __init__(
        self, layout: Layout, generation: Callable[[], str | None], *, leases: bool
    ) -> None:
        self._layout = layout
        self._generation = generation
        self._leases = leases
        self._held: tuple[str | None, OpenGraph] | None = None
        self._lock = threading.Lock()

    @contextmanager
    def graph(self) -> Iterator[OpenGraph]:
        """Hold the current generation for one query."""
        with self._lock:
            current = self._follow()
            _hold(current)
        try:
            yield current
        finally:
            _let_go(current)

    def _follow(self) -> OpenGraph:
        wanted = self._generation()
        if self._held is not None and self._held[0] == wanted:
            return self._held[1]
        found, graph = self._take(wanted)
        if self._held is not None:
            _let_go(self._held[1])
        self._held = (found, graph)
        return graph

    def _take(self, name: str | None) -> tuple[str | None, OpenGraph]:
        """Open a generation; where a writer has moved on meanwhile, the next one."""
        while name is not None:
            file = self._layout.graph_file(name)
            with _registry:
                shared = _open.get(file)
                if shared is not None:
                    shared.holders += 1
                    return name, shared
                lease = self._lease(name)
                # The lease stands: a writer that looks for leases from now on will see it.
                # If the manifest still names the generation, none has looked before.
                if (now := self._generation()) == name:
                    try:
                        _open[file] = OpenGraph(file, lease)
                    except BaseException:
                        if lease is not None:
                            lease.release()
                        raise
                    return name, _open[file]
                if lease is not None:
                    lease.release()
                name = now
        return None, OpenGraph(None, None)

    def _lease(self, name: str) -> Claim | None:
        if not self._leases:
            return None
        try:
            return Claim.make(self._layout.leases(name))
        except OSError:  # the generation has just gone, or the disk takes no more files
            return None

    def close(self) -> None:
        """Let the generation go."""
        with self._lock:
            if self._held is not None:
                _let_go(self._held[1])
                self._held = None


def _hold(graph: OpenGraph) -> None:
    with _registry:
        graph.holders += 1


def _let_go(graph: OpenGraph) -> None:
    with _registry:
        graph.holders -= 1
        if graph.holders:
            return
        for file in [f for f, g in _open.items() if g is graph]:
            del _open[file]
        graph.close()


def to_arrow(
    connection: ladybug.Connection, cypher: str, parameters: Mapping[str, Any] | None
) -> pa.Table:
    """Run one query and return its rows, times in UTC.

    Raises
    ------
    UsageError
        If the query is wrong or takes longer than a minute.
    """
    try:
        rows = answer(connection, cypher, parameters)
    except RuntimeError as fault:
        raise query_error(fault) from fault
    return pa.table(
        [_utc(rows.column(i)) for i in range(rows.num_columns)], names=rows.column_names
    )


def query_error(fault: RuntimeError) -> KindredError:
    """Say in three lines why the graph refused a query."""
    said = str(fault).strip().splitlines()
    if said and said[0].startswith("Interrupted"):
        return UsageError(
            "the answer to a query",
            f"it was not there after {_TIMEOUT_MS // 1000} seconds",
            "ask for less: a narrower MATCH, fewer hops",
        )
    return UsageError(
        "a Cypher query over the graph",
        said[0] if said else type(fault).__name__,
        "see the tables and properties with: CALL show_tables() RETURN *",
    )


def _utc(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(TIME) if pa.types.is_timestamp(column.type) else column
