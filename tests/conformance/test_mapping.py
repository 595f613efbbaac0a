"""mapping, keep_mapping: a store of exports is nobody else's graph."""

from __future__ import annotations

import pytest

from engine.contract import Backend
from engine.errors import UsageError
from tests.conformance.shelf import Stock


def test_a_store_of_exports_has_none_and_takes_none(stock: Stock) -> None:
    assert stock.store.mapping() is None
    with pytest.raises(UsageError, match="to keep the results on an adopted graph"):
        stock.store.keep_mapping("{}")
    assert stock.store.mapping() is None


def test_an_empty_store_has_none(bare: Backend) -> None:
    assert bare.mapping() is None
