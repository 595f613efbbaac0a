"""write: a batch is taken in whole or not at all, once, and in any order."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from engine.assemble import assemble
from engine.contract import Backend
from engine.errors import KindredError, UsageError
from engine.model import CANONICAL
from tests.conformance.graphs import BATCHES, GRAPHS
from tests.conformance.shelf import Shelf, Stock, write
from tests.engine.backends.worlds import (
    START,
    World,
    graph,
    joined,
    load,
    plain,
    random_batch,
    rows,
    world,
)

Make = Callable[[], Backend]


def distinct(tables: World) -> dict[str, int]:
    """How many rows of each table have a key of their own, counted by pandas."""
    return {name: len(_keys(name, rows_).drop_duplicates()) for name, rows_ in tables.items()}


def _keys(name: str, rows_: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = rows_.to_pandas()
    keys = frame[[k for k in CANONICAL[name].key if k in frame]].copy()
    if name == "shares":
        keys["kind"] = keys["kind"].fillna("share")
    return keys


@pytest.mark.parametrize("batch", ["toys", "two_groups"])
def test_rows_are_counted_and_doubles_left_out(stock: Stock, batch: str) -> None:
    tables, report = BATCHES[batch](), stock.reports[batch]
    assert report.rows == {name: rows_.num_rows for name, rows_ in tables.items()}
    assert report.new_rows == distinct(tables)
    assert not report.already_loaded


def test_a_batch_is_loaded_once_and_overlaps_add_what_is_new(backend: Backend) -> None:
    first = world(
        shares=[{"user_id": f"x:{i}", "content_id": "x:p", "at": START} for i in range(3)]
    )
    second = world(
        shares=[
            {"user_id": f"x:{i}", "content_id": "x:p", "at": START, "kind": None}
            for i in range(1, 5)
        ]
    )
    once = load(backend, first)
    again = load(backend, first)
    assert (once.already_loaded, again.already_loaded) == (False, True)
    assert (again.batch_id, again.new_rows) == (once.batch_id, {"shares": 0})
    nothing = load(backend, world(shares=[]), "nothing")
    assert (nothing.rows, nothing.already_loaded) == ({"shares": 0}, False)
    more = load(backend, second)
    assert (more.rows, more.new_rows) == ({"shares": 4}, {"shares": 2})
    assert backend.batches() == [once, nothing, more]
    assert plain(backend.snapshot()) == plain(assemble(joined([first, second])))
    found = backend.query("MATCH (:User)-[r:SHARED]->(:Content) RETURN count(r) AS n")
    assert found["n"].to_pylist() == [5]


REFUSED: Mapping[str, World] = {
    "no such table": {"guesses": pa.table({"a": [1]})},
    "a column is missing": {"shares": pa.table({"user_id": ["x:a"]})},
    "an id is null": {"shares": rows("shares", [{"user_id": None, "content_id": "x:p"}])},
}


def test_a_batch_that_is_not_canonical_leaves_nothing(backend: Backend) -> None:
    good = world(shares=[{"user_id": "x:a", "content_id": "x:p", "at": START}])
    for what, tables in REFUSED.items():
        with pytest.raises(KindredError):
            write(backend, {**good, **tables}, what)
        assert backend.batches() == [], what
        assert plain(backend.snapshot()) == plain(assemble({})), what
    load(backend, good)
    assert plain(backend.snapshot()) == plain(assemble(good))
    assert [f for f in backend.doctor() if not f.ok] == []


def test_a_store_opened_to_read_takes_nothing(stock: Stock, shelf: Shelf) -> None:
    store = shelf.open(stock.address, create=False, read_only=True)
    assert [b.source for b in store.batches()] == [b.source for b in stock.store.batches()]
    with pytest.raises(UsageError, match="the store was opened read-only"):
        load(store, GRAPHS["star"](), "another star")


# Invariants. Each example costs stores of its own: few on a server.


def test_the_order_of_loads_does_not_matter(shelf: Shelf, embedded: Shelf) -> None:
    """The snapshot is that of the rows; the graph that of an embedded store, loaded at once."""

    @settings(
        max_examples=max(shelf.conf.examples, 1),
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, *([Phase.generate] if shelf.conf.examples else [])],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.integers(0, 10_000), st.permutations(range(3)))
    @example(5, [2, 0, 1])
    def holds(seed: int, order: list[int]) -> None:
        batches = [random_batch(seed + i) for i in range(3)]
        store, once = shelf.fresh(), embedded.fresh()
        for i in order:
            load(store, batches[i])
        load(once, joined(batches))
        assert plain(store.snapshot()) == plain(assemble(joined(batches)))
        assert graph(store) == graph(once)
        assert [f for f in store.doctor() if not f.ok] == []
        shelf.tidy()
        embedded.tidy()

    holds()


def test_who_says_nothing_new_changes_nothing_else(make_backend: Make) -> None:
    """Renaming people keeps every column of numbers; a lone user shifts nothing before it."""
    graph = GRAPHS["star"]()
    store = make_backend()
    load(store, graph)
    before = plain(store.snapshot())
    load(store, world(users=[{"user_id": "x:zz", "handle": "zz"}]))
    grown = plain(store.snapshot())
    alone = {k for k in before if before[k] != grown[k]}
    assert alone == {"snapshot.fingerprint"} | {
        f"snapshot.users.{c}"
        for c in ("user_id", "platform", "handle", "name", "followers_count", "labels", "is_bot")
    }
    store = make_backend()
    load(store, {name: _renamed(rows_) for name, rows_ in graph.items()})
    renamed = plain(store.snapshot())
    told = {"snapshot.fingerprint", "snapshot.users.user_id", "snapshot.contents.content_id"}
    assert {k for k in before if before[k] != renamed[k]} == told
    ids = before["snapshot.users.user_id"]
    assert isinstance(ids, list)
    assert renamed["snapshot.users.user_id"] == [i.replace("x:", "x:other-") for i in ids]


def _renamed(table: pa.Table) -> pa.Table:
    import pyarrow.compute as pc

    for place, name in enumerate(table.column_names):
        if name.endswith("_id"):
            other = pc.replace_substring(table[name], "x:", "x:other-")
            table = table.set_column(place, name, other)
    return table
