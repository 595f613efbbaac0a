"""rejects: rows that were refused, with the batch they came in."""

from __future__ import annotations

from engine.contract import Backend
from tests.conformance.shelf import Stock


def test_rejects_come_back_with_their_batch(stock: Stock, wanted: Stock) -> None:
    batch = stock.reports["refused"]
    assert batch.rejected == {"no_id": 1, "bad_time": 1}
    assert stock.store.rejects().to_pylist() == [
        {"batch_id": batch.batch_id, "table": "shares", "line": 7, "reason": "no_id",
         "sentence": "an id is empty", "raw": ",1"},
        {"batch_id": batch.batch_id, "table": "users", "line": 2, "reason": "bad_time",
         "sentence": "a time cannot be read", "raw": 'x:1,"no, time"'},
    ]  # fmt: skip
    assert stock.store.rejects().schema == wanted.store.rejects().schema


def test_an_empty_store_refused_nothing(bare: Backend, wanted: Stock) -> None:
    assert bare.rejects().equals(wanted.store.rejects().schema.empty_table())
