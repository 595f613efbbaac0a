"""Why, together, compared, over time, calibration: the library's rows, over HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

import kindred
from api import create_app

Serving = Callable[[FastAPI], AbstractContextManager[str]]


def plain(rows: list[dict[str, Any]]) -> Any:
    """Rows as JSON has them."""
    return orjson.loads(orjson.dumps([_zoned(row) for row in rows]))


def _zoned(row: dict[str, Any]) -> dict[str, Any]:
    return {
        k: v.isoformat().replace("+00:00", "Z") if hasattr(v, "isoformat") else v
        for k, v in row.items()
    }


def test_why(client: httpx.Client, store: Path) -> None:
    answer = client.get("/v1/why", params={"source": "u003", "community": "c1", "limit": 5})
    found = answer.raise_for_status().json()
    with kindred.connect(store, create=False) as k:
        expected = k.why("u003", "c1", limit=5)
    assert found["without"] == plain(expected.to_dicts())
    assert found["parts"] == plain(expected.parts.to_dicts())
    assert found["members"] == plain(expected.members.to_dicts())
    assert found["contents"] == plain(expected.contents.to_dicts())
    assert found["score"]["estimate"] == found["without"][0]["resonance"]
    assert found["member_count"] > len(found["members"]) == 5
    assert found["called"] == "affinity (exposure unknown)"


@pytest.mark.parametrize("strict", [False, True])
def test_joint(client: httpx.Client, store: Path, *, strict: bool) -> None:
    question = {"sources": ["u003", "u004"], "strict": strict}
    found = client.post("/v1/scores/joint", json=question).raise_for_status().json()
    with kindred.connect(store, create=False) as k:
        expected = k.joint(["u003", "u004"], strict=strict)
    assert found["items"] == plain(expected.to_dicts())
    assert len(found["notes"]) == strict
    one = client.post("/v1/scores/joint", json=question | {"community": "c1"}).json()
    assert one["items"] == [row for row in found["items"] if row["community_id"] == "c1"]


def test_compare(client: httpx.Client, store: Path) -> None:
    found = client.post("/v1/compare", json={"sources": ["u003", "u050"]}).json()
    with kindred.connect(store, create=False) as k:
        expected = k.compare_sources(["u003", "u050"])
    assert found["communities"] == plain(expected.to_dicts())
    assert found["scores"] == plain(expected.cells.to_dicts())
    assert found["differences"] == plain(expected.differences.to_dicts())


def test_calibration(client: httpx.Client, store: Path) -> None:
    found = client.get("/v1/calibration").json()
    with kindred.connect(store, create=False) as k:
        assert found["items"] == plain(k.calibration().to_dicts())
    assert found["items"]


def test_series(small_store: Path, tmp_path: Path, serving: Serving) -> None:
    shutil.copytree(small_store, tmp_path / "store")
    with kindred.connect(tmp_path / "store") as k:
        k.analyse(every="14d", rewirings=0, split=None, ensemble=0, folds=2)
        expected = k.series("u003", community="c1").to_dicts()
    with (
        serving(create_app(tmp_path / "store")) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        query = {"source": "u003", "community": "c1"}
        found = client.get("/v1/scores/series", params=query).raise_for_status().json()
    assert found["items"] == plain(expected)
    assert len(expected) == 2


@pytest.mark.parametrize(
    ("method", "url", "body", "status"),
    [
        ("GET", "/v1/why?source=nobody&community=c1", None, 404),
        ("GET", "/v1/why?source=u003&community=c99", None, 404),
        ("GET", "/v1/why?source=u003", None, 422),
        ("GET", "/v1/scores/series?source=u003", None, 404),
        ("POST", "/v1/compare", {"sources": ["u003"]}, 422),
        ("POST", "/v1/compare", {"sources": ["u003", "u003"]}, 400),
        ("POST", "/v1/compare", {"sources": [f"u{i:03}" for i in range(11)]}, 422),
        ("POST", "/v1/scores/joint", {"sources": ["u003"], "community": "c99"}, 404),
        ("POST", "/v1/scores/joint", {"sources": []}, 422),
        ("POST", "/v1/scores/joint", {"sources": ["u003"], "colour": "red"}, 422),
    ],
)
def test_faults_are_problems(
    client: httpx.Client, method: str, url: str, body: Any, status: int
) -> None:
    answer = client.request(method, url, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status
    assert said["invalid"] if status == 422 else said["detail"]
