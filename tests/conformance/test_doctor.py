"""doctor: a sound store is found sound, and making again what is derived changes nothing."""

from __future__ import annotations

from engine.contract import Backend
from tests.conformance.graphs import GRAPHS
from tests.conformance.shelf import Stock
from tests.engine.backends.worlds import graph, load, plain, small_run


def test_a_sound_store_is_found_sound(stock: Stock) -> None:
    found = list(stock.store.doctor())
    assert [f for f in found if not f.ok] == []
    assert all(f.what and f.found for f in found)
    assert len({f.what for f in found}) == len(found) > 3


def test_what_is_derived_is_made_again_the_same(backend: Backend) -> None:
    assert [f for f in backend.doctor() if not f.ok] == []
    load(backend, GRAPHS["handles_and_brands"]())
    info = backend.publish(small_run(backend))
    snapshot, shown = plain(backend.snapshot()), graph(backend)
    assert [f for f in backend.doctor(rebuild=True) if not f.ok] == []
    assert backend.run() == info
    assert graph(backend) == shown
    assert plain(backend.snapshot()) == snapshot
