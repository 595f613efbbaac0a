"""contents: what is known of these contents, in the order asked for."""

from __future__ import annotations

from tests.conformance.graphs import at
from tests.conformance.shelf import Stock


def test_they_name_their_author_by_the_id_of_the_handle(stock: Stock) -> None:
    assert stock.store.contents(["y:q", "nothing", "y:p"]).to_pylist() == [
        {"content_id": "y:q", "platform": "y", "kind": None, "author_id": None,
         "created_at": None, "text": None, "url": None},
        {"content_id": "y:p", "platform": "y", "kind": None, "author_id": "y:1",
         "created_at": at(0), "text": "über “it”\n", "url": None},
    ]  # fmt: skip


def test_every_content_is_what_the_embedded_store_says(stock: Stock, wanted: Stock) -> None:
    ids = wanted.store.snapshot().contents.content_id.to_pylist()
    assert stock.store.contents(ids).equals(wanted.store.contents(ids))


def test_nothing_is_an_empty_table_of_the_same_columns(stock: Stock, wanted: Stock) -> None:
    nothing = stock.store.contents([])
    assert nothing.equals(wanted.store.contents(["y:p"]).schema.empty_table())
