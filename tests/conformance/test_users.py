"""users: what is known of these users, in the order asked for."""

from __future__ import annotations

from tests.conformance.shelf import Stock


def test_they_come_in_the_order_asked_for_and_strangers_are_left_out(stock: Stock) -> None:
    assert stock.store.users(["x:loud", "nobody", "y:2", "y:1"]).to_pylist() == [
        {"user_id": "x:loud", "platform": "x", "handle": "loud", "name": None,
         "followers_count": 1_000_000, "labels": None},
        {"user_id": "y:2", "platform": "y", "handle": "bob", "name": "Bob",
         "followers_count": None, "labels": None},
        {"user_id": "y:1", "platform": "y", "handle": "Ann", "name": "Ann",
         "followers_count": None, "labels": ["red", "blue"]},
    ]  # fmt: skip


def test_every_user_is_what_the_embedded_store_says(stock: Stock, wanted: Stock) -> None:
    ids = wanted.store.snapshot().users.user_id.to_pylist()
    assert stock.store.users(ids).equals(wanted.store.users(ids))


def test_nobody_is_an_empty_table_of_the_same_columns(stock: Stock, wanted: Stock) -> None:
    nobody = stock.store.users([])
    assert nobody.equals(wanted.store.users(["x:loud"]).schema.empty_table())
    assert stock.store.users(["nobody"]).equals(nobody)
