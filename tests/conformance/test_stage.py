"""stage: a folder to prepare a batch in, gone afterwards whatever happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.contract import Backend
from engine.errors import UsageError
from tests.conformance.shelf import Shelf, Stock


def test_a_folder_is_lent_and_gone_afterwards(stock: Stock) -> None:
    with stock.store.stage() as folder, stock.store.stage() as other:
        assert folder != other
        assert list(folder.iterdir()) == []
        (folder / "sub").mkdir()
        (folder / "sub" / "file").write_text("x")
    assert not folder.exists()
    assert not other.exists()


def test_it_is_gone_after_a_fault_too(stock: Stock) -> None:
    left: list[Path] = []

    def fail() -> None:
        with stock.store.stage() as folder:
            left.append(folder)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [folder.exists() for folder in left] == [False]


def test_a_store_opened_to_read_lends_none(stock: Stock, shelf: Shelf) -> None:
    store: Backend = shelf.open(stock.address, create=False, read_only=True)
    with pytest.raises(UsageError, match="the store was opened read-only"), store.stage():
        pass
