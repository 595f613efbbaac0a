"""`GET /v1/scorecard` and the library say the same, and refuse what is not there in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

import kindred
from engine.scorecard import ELEMENTS


def test_the_library_and_the_server_say_the_same(client: httpx.Client, store: Path) -> None:
    """Every element in the order of the model, each with a value or a reason."""
    with kindred.connect(store, create=False) as k:
        mine = k.scorecard("u003", community="c1")
        rows = mine.to_dicts()
    answer: Any = client.get("/v1/scorecard", params={"source": "u003", "community": "c1"}).json()
    assert answer["items"] == rows
    assert [r["element"] for r in rows] == [e.name for e in ELEMENTS]
    assert {(r["value"] is None) == bool(r["reason"]) for r in rows} == {True}
    assert (answer["source_kind"], answer["source_id"]) == ("user", "x:u003")
    assert (answer["community_id"], answer["run_id"]) == ("c1", mine.run_id)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"source": "nobody at all"}, "knows none of this name"),
        ({"source": "u003", "community": "c99"}, "none of this name"),
    ],
)
def test_what_is_not_there_is_said(client: httpx.Client, asked: dict[str, str], said: str) -> None:
    """An unknown source or community is a clear sentence."""
    found = client.get("/v1/scorecard", params=asked)
    assert found.status_code == 404
    assert said in found.text
