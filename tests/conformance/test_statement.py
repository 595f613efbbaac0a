"""statement: the named reading statements give the same rows in every store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cypher import statements
from engine.errors import UsageError
from tests.conformance.graphs import at
from tests.conformance.shelf import Stock

READING = tuple(name for name, one in statements().items() if one.room == "read")
ASKED: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "brand_accounts": ({"limit": 10},),
    "community_members": (
        {"id": "c1", "limit": 5},
        {"id": "c1", "limit": 500},
        {"id": "c2", "limit": 5},
    ),
    "content_posters": ({"id": "y:p"}, {"id": "x:star"}, {"id": "y:q"}, {"id": "none"}),
    "content_sharers": (
        {"id": "y:p", "limit": 9},
        {"id": "x:again", "limit": 9},
        {"id": "x:star", "limit": 2},
    ),
    "contents": ({"ids": ["y:p", "none", "y:q"]}, {"ids": []}),
    "ego_in": (
        {"id": "x:hub", "limit": 9},
        {"id": "x:self", "limit": 9},
        {"id": "y:1", "limit": 9},
    ),
    "ego_out": ({"id": "x:rec1", "limit": 9}, {"id": "y:1", "limit": 9}, {"id": "x:1", "limit": 9}),
    "user_content": ({"id": "x:loud", "limit": 70}, {"id": "y:1", "limit": 9}),
    "users": ({"ids": ["y:2", "none", "y:1"]}, {"ids": []}),
}


def test_every_reading_statement_is_asked() -> None:
    assert set(ASKED) == set(READING)


@pytest.mark.parametrize("name", READING)
def test_rows_are_those_of_the_embedded_store(stock: Stock, wanted: Stock, name: str) -> None:
    for given in ASKED[name]:
        found, said = stock.store.statement(name, given), wanted.store.statement(name, given)
        assert found.to_pylist() == said.to_pylist(), given
        assert found.column_names == list(statements()[name].returns)
    assert any(wanted.store.statement(name, given).num_rows for given in ASKED[name])


def test_handles_are_resolved_in_what_is_answered(stock: Stock) -> None:
    rows = stock.store.statement("content_sharers", {"id": "y:p", "limit": 9}).to_pylist()
    assert [(r["user_id"], r["at"], r["via_user_id"], r["community_id"]) for r in rows] == [
        ("y:2", at(1), "y:1", "c1"),
        ("y:@twin", at(2), None, "c1"),
    ]
    owned = stock.store.statement("brand_accounts", {"limit": 9}).to_pylist()
    assert {"user_id": "y:2", "brand_id": "brand:acme"} in owned


def test_parameters_and_names_are_checked(stock: Stock) -> None:
    with pytest.raises(UsageError, match="the statement ego_in with id, limit"):
        stock.store.statement("ego_in", {"id": "x:a"})
    with pytest.raises(UsageError, match=r"there are .*ego_in"):
        stock.store.statement("nothing")
