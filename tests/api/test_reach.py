"""Reach and seeds over HTTP: what the library says, and problems in words."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import kindred
from api import create_app
from engine.campaign import MOST_SOURCES
from engine.seeds import MOST_SEEDS
from tests.follows import learn_follows

Serving = Callable[[FastAPI], AbstractContextManager[str]]
PARTS = {"source": "sources", "overlap": "overlaps"}


@pytest.fixture(scope="module")
def followed(small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that knows who follows whom."""
    folder = tmp_path_factory.mktemp("followed")
    shutil.copytree(small_store, folder / "store")
    learn_follows(folder / "store", folder / "follows")
    return folder / "store"


@pytest.fixture
def asking(followed: Path, serving: Serving) -> Iterator[httpx.Client]:
    with serving(create_app(followed)) as address, httpx.Client(base_url=address) as made:
        yield made


@pytest.mark.parametrize("community", [None, "c1"])
def test_reach_is_that_of_the_library(
    asking: httpx.Client, followed: Path, community: str | None
) -> None:
    names = ["u001", "x:u002", "Person 3"]
    with kindred.connect(followed, create=False) as k:
        rows = k.reach(*names, community=community).to_dicts()
    body = {"sources": names, "community": community}
    answer = asking.post("/v1/reach", json=body).raise_for_status().json()
    assert {"run_id", "tier", "called", "made", "beside"} <= answer.keys()
    shown = [*answer["sources"], answer["all"], *answer["overlaps"]]
    assert len(rows) == len(shown) == 7
    for row, item in zip(rows, shown, strict=True):
        assert item == {name: row[name] for name in item}
    whole = answer["all"]
    assert whole["exposed_low"] <= whole["exposed_count"] <= whole["exposed_high"]
    parts = sum(item["exposed_count"] for item in answer["sources"])
    assert whole["exposed_count"] + whole["exposed_overlap"] == parts
    named = [{"kind": "user", "id": f"x:u00{i}"} for i in (1, 2, 3)]
    again = asking.post("/v1/reach", json={"sources": named, "community": community}).json()
    assert again == answer


def test_reach_without_follows_is_a_lower_bound(client: httpx.Client) -> None:
    answer = client.post("/v1/reach", json={"sources": ["u001"]}).raise_for_status().json()
    assert answer["all"]["basis"] == "interaction"
    assert answer["all"]["flags"] == ["lower_bound"]
    assert answer["all"]["exposed_high"] is None
    assert answer["all"]["potential_count"] is None


def test_seeds_are_those_of_the_library(asking: httpx.Client, followed: Path) -> None:
    with kindred.connect(followed, create=False) as k:
        found = k.seeds("c1", source="u001", count=3)
    body = {"community": "c1", "source": "u001", "count": 3}
    answer = asking.post("/v1/seeds", json=body).raise_for_status().json()
    assert answer["items"] == found.to_dicts()
    assert answer["said"] == list(found.notes)
    assert 0 < answer["certain"] <= 1


def test_what_is_asked_in_a_body_has_no_tag(client: httpx.Client) -> None:
    tag = client.get("/v1/scores").headers["ETag"]
    body = {"sources": ["u001"]}
    answer = client.post("/v1/reach", json=body, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert "ETag" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def many(count: int) -> list[str]:
    return [f"u{i:03}" for i in range(count)]


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("reach", {"sources": ["nobody at all"]}, 404, "knows none of this name"),
        ("reach", {"sources": [{"kind": "brand", "id": "x:u001"}]}, 404, "knows no brand"),
        ("reach", {"sources": [{"kind": "person", "id": "x"}]}, 422, "kind"),
        ("reach", {"sources": ["u001"], "community": "c99"}, 404, "none of this name"),
        ("reach", {"sources": []}, 422, "at least 1"),
        ("reach", {"sources": many(MOST_SOURCES + 1)}, 422, f"at most {MOST_SOURCES}"),
        ("reach", {"sources": ["u001"], "colour": "red"}, 422, "Extra inputs"),
        ("seeds", {"community": "c1", "source": "u001"}, 409, "no follows (0 rows)"),
        ("seeds", {"community": "c99", "source": "u001"}, 404, "none of this name"),
        ("seeds", {"community": "c1", "source": "u001", "count": MOST_SEEDS + 1}, 422, "count"),
    ],
)
def test_problems_are_told_in_words(
    client: httpx.Client, path: str, body: dict[str, Any], status: int, words: str
) -> None:
    answer = client.post(f"/v1/{path}", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert words in problem["detail"]
    assert problem["todo"]


@pytest.mark.parametrize("community", [None, "c2"])
def test_the_list_is_that_of_the_table(followed: Path, community: str | None) -> None:
    with kindred.connect(followed, create=False) as k:
        rows = k.reach(community=community).to_dicts()
        table = k.table("reach").to_dicts()
        five = k.reach(community=community, limit=5).to_dicts()
    assert rows[:5] == five
    there = [row for row in table if row["community_id"] == community]
    key = ("exposed_count", "potential_count")
    order = sorted(there, key=lambda row: (*(-row[name] for name in key), row["source_id"]))
    assert [row["source_id"] for row in rows] == [row["source_id"] for row in order]
    assert rows[0]["exposed_count"] > 0
