"""Stores to test: empty ones, and one that holds every toy graph and a run, made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq

from engine.contract import Backend, Batch, LoadReport, RunInfo, RunTables
from engine.errors import KindredError
from tests.conformance.conf import Conf, Place
from tests.conformance.graphs import BATCHES
from tests.engine.backends.worlds import World, load, small_run

REFUSED: Mapping[str, list[object]] = {
    "file": ["export.csv", "export.csv"],
    "table": ["shares", "users"],
    "line": [7, 2],
    "reason": ["no_id", "bad_time"],
    "sentence": ["an id is empty", "a time cannot be read"],
    "raw": [",1", 'x:1,"no, time"'],
}
"""What a loader refused of the last batch of a stocked store."""
OPTIONS = {"platform": "x", "source": {"title": "Toy graphs", "made": True}}
LAST = "ff" * 32


@dataclass(frozen=True)
class Stock:
    """A store that holds every toy graph, and one run. Read it; never write to it."""

    address: str
    store: Backend
    reports: Mapping[str, LoadReport]
    run: RunTables
    info: RunInfo


@dataclass
class Shelf:
    """Stores of one kind, in one place."""

    conf: Conf
    place: Place
    opened: list[Backend] = field(default_factory=list)
    _stock: Stock | None = None
    _bare: Backend | None = None

    def address(self) -> str:
        """Return an address without a store; where there is one place only, it is cleared."""
        if not self.conf.several:
            self.close()
        return self.place.empty()

    def open(self, address: str, *, create: bool = True, read_only: bool = False) -> Backend:
        """Open a store, and close it at the latest with the shelf."""
        store = self.place.open(address, create=create, read_only=read_only)
        self.opened.append(store)
        return store

    def fresh(self) -> Backend:
        """Return an empty store."""
        return self.open(self.address())

    def stock(self) -> Stock:
        """Return the store with everything in it; made again where somebody has cleared it."""
        if self._stock is None or not _is_there(self._stock):
            address = self.address()
            self._stock = _stocked(address, self.open(address))
        return self._stock

    def bare(self) -> Backend:
        """Return an empty store, the same until another one takes its place."""
        if self._bare is None:
            self._bare = self.fresh()
        return self._bare

    def tidy(self) -> None:
        """Close all that a test has opened; what is shared stays.

        A graph left open keeps its file and a part of the addresses a process has.
        """
        shared = [self._bare, self._stock.store if self._stock else None]
        for store in self.opened:
            if store not in shared:
                store.close()
        self.opened = [store for store in self.opened if store in shared]

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()
        self._stock = self._bare = None


def _is_there(stock: Stock) -> bool:
    try:
        return stock.store.knows(LAST) and stock.store.run() == stock.info
    except KindredError:
        return False


def _stocked(address: str, store: Backend) -> Stock:
    reports = {name: load(store, make(), name, OPTIONS) for name, make in BATCHES.items()}
    reports["refused"] = write(store, {}, LAST, REFUSED)
    run = small_run(store)
    return Stock(address, store, reports, run, store.publish(run))


def write(
    store: Backend,
    tables: World,
    fingerprint: str,
    rejects: Mapping[str, list[object]] | None = None,
) -> LoadReport:
    """Write a batch as a loader does, with what it refused."""
    with store.stage() as folder:
        for name, rows in tables.items():
            pq.write_table(rows, folder / f"{name}.parquet")
        if rejects is not None:
            pq.write_table(pa.table(dict(rejects)), folder / "rejects.parquet")
        return store.write(Batch(fingerprint, "export", "test", folder))
