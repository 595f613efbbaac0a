"""remove: what kindred wrote goes, results alone or everything."""

from __future__ import annotations

import pytest

from engine.errors import NotFound, StoreMissing
from tests.conformance.graphs import GRAPHS
from tests.conformance.shelf import Shelf
from tests.engine.backends.worlds import graph, load, plain, small_run

PUBLISHED = {"Run", "Community"}


def test_results_go_and_the_data_stay(shelf: Shelf) -> None:
    store = shelf.fresh()
    load(store, GRAPHS["handles_and_brands"]())
    before, snapshot = graph(store), plain(store.snapshot())
    run = small_run(store)
    info = store.publish(run)
    gone = store.remove("results")
    assert gone
    assert all(isinstance(count, int) for count in gone.values())
    assert store.runs() == []
    with pytest.raises(NotFound, match="kindred analyse"):
        store.run()
    assert graph(store) == before
    assert plain(store.snapshot()) == snapshot
    again = store.publish(run)
    assert (again.run_id, again.active) == (info.run_id, True)
    assert [f for f in store.doctor() if not f.ok] == []


def test_everything_goes(shelf: Shelf) -> None:
    address = shelf.address()
    store = shelf.open(address)
    load(store, GRAPHS["star"]())
    store.publish(small_run(store))
    assert store.remove("all")
    store.close()
    with pytest.raises(StoreMissing):
        shelf.open(address, create=False)
    assert shelf.open(address).batches() == []
