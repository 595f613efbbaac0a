"""close: a store that was closed and opened again is the same store."""

from __future__ import annotations

import pytest

from engine.errors import StoreMissing
from tests.conformance.shelf import Shelf, Stock
from tests.engine.backends.worlds import plain


def test_what_was_written_is_there_for_the_next_who_opens_it(stock: Stock, shelf: Shelf) -> None:
    with shelf.open(stock.address, create=False) as again:
        assert again.batches() == stock.store.batches()
        assert again.runs() == stock.store.runs()
        assert plain(again.snapshot()) == plain(stock.store.snapshot())
        assert again.read("scores").equals(stock.run.tables["scores"])
    again.close()
    assert stock.store.knows("ff" * 32)


def test_a_store_is_made_only_where_it_may_be(shelf: Shelf) -> None:
    address = shelf.address()
    for read_only in (False, True):
        with pytest.raises(StoreMissing, match="kindred load"):
            shelf.open(address, create=False, read_only=read_only)
    shelf.open(address)
    assert shelf.open(address, create=False).batches() == []
