"""runs, run: what was published, newest first, and one of them by its id."""

from __future__ import annotations

import pytest

from engine.contract import Backend
from engine.errors import NotFound
from tests.conformance.shelf import Stock


def test_the_active_run_is_the_one_published_last(stock: Stock) -> None:
    assert stock.store.runs() == [stock.info]
    assert stock.store.run() == stock.store.run(stock.info.run_id) == stock.info


def test_an_unknown_run_names_the_known_ones(stock: Stock) -> None:
    with pytest.raises(NotFound, match=f"the run r-none.*\nfound: .*{stock.info.run_id}"):
        stock.store.run("r-none")


def test_the_same_data_and_parameters_are_the_same_run(stock: Stock, wanted: Stock) -> None:
    assert stock.info.run_id == wanted.info.run_id
    assert stock.info.params == wanted.info.params
    assert stock.info.batches == wanted.info.batches


def test_an_empty_store_has_none(bare: Backend) -> None:
    assert bare.runs() == []
    with pytest.raises(NotFound, match="kindred analyse"):
        bare.run()
