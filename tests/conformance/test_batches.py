"""batches, knows: what was loaded, oldest first, as it was reported."""

from __future__ import annotations

import hashlib

from engine.contract import Backend
from tests.conformance.graphs import BATCHES
from tests.conformance.shelf import LAST, OPTIONS, Stock


def test_reports_come_back_oldest_first(stock: Stock) -> None:
    assert stock.store.batches() == list(stock.reports.values())
    assert [r.source for r in stock.store.batches()] == [*BATCHES, "export"]
    assert all(dict(r.options) == OPTIONS for r in stock.store.batches()[:-1])


def test_reports_are_those_of_the_embedded_store(stock: Stock, wanted: Stock) -> None:
    assert stock.store.batches() == wanted.store.batches()


def test_a_fingerprint_is_known_once_loaded(stock: Stock) -> None:
    assert stock.store.knows(LAST)
    assert stock.store.knows(hashlib.sha256(b"two_groups").hexdigest())
    assert not stock.store.knows(hashlib.sha256(b"never loaded").hexdigest())


def test_an_empty_store_knows_nothing(bare: Backend) -> None:
    assert bare.batches() == []
    assert not bare.knows(LAST)
