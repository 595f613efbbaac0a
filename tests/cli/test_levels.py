"""Communities of three levels, what became of them, and data without any: what is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pytest

import kindred
from api import create_app
from engine.compare import compare
from tests.cli.conftest import Ended

Call = Callable[..., Ended]

QUICK: dict[str, Any] = {"rewirings": 0, "ensemble": 0, "folds": 2, "split": None, "gamma": 0.5}


def write(folder: Path, u: Any, v: Any) -> Path:
    rows = "".join(f"x:{a:04},x:{b:04},share\n" for a, b in zip(u, v, strict=True) if a != b)
    folder.mkdir(parents=True)
    (folder / "interactions.csv").write_text("user_id,target_id,kind\n" + rows)
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs: four groups of four parts of 60, and the same with a hundred ties more."""
    home = tmp_path_factory.mktemp("levels")
    chance = np.random.default_rng(1)
    n, m = 960, 6_000
    u, x = chance.integers(0, n, m), chance.random(m)
    v = np.where(x < 0.65, u // 60 * 60 + chance.integers(0, 60, m), chance.integers(0, n, m))
    v = np.where(x > 0.8, u // 240 * 240 + chance.integers(0, 240, m), v)
    more = chance.integers(0, n, (2, 100))
    with kindred.connect(home / "store") as k:
        k.load(write(home / "export", u, v))
        k.analyse(**QUICK)
        k.load(write(home / "more", *more))
        k.analyse(**QUICK)
    return home / "store"


def test_lists_are_of_level_one_unless_asked(store: Path, call: Call) -> None:
    found: dict[str, list[dict[str, Any]]] = {}
    for level in ("", "0", "1", "2"):
        words = ["--level", level] if level else []
        said = call("communities", *words, "--store", store, "--format", "json")
        assert said.code == 0, said.err
        found[level] = orjson.loads(said.out)
    assert found[""] == found["1"]
    assert {row["level"] for row in found["1"]} == {1}
    assert {row["level"] for row in found["2"]} == {2}
    ids = {row["community_id"] for row in found["1"]}
    assert {row["parent_id"] for row in found["2"]} <= ids
    assert len(found["2"]) > len(found["1"])
    with kindred.connect(store, read_only=True) as k:
        assert len(k.communities(level=None)) == sum(len(found[level]) for level in "012")
        graph = k.query("MATCH (c:Community) RETURN c.community_id AS id").to_arrow()
        assert set(graph["id"].to_pylist()) == ids, "the graph holds level 1"
        places = k.query("MATCH (u:User)-[m:MEMBER_OF]->() RETURN count(m) AS n").to_dicts()
        assert places == [{"n": sum(row["member_count"] for row in found["1"])}]
        part = found["2"][0]
        members = k.members(part["community_id"]).to_dicts()
        assert len(members) == part["member_count"]
        runs = [info.run_id for info in k.backend.runs()]
        compared = compare(k.backend, runs[0], k.backend, runs[1])
        known = [c for c in compared.tables["communities"]["community_id"].to_pylist() if c]
        assert set(known) == ids


def test_the_api_lists_levels_and_members_of_parts(store: Path) -> None:
    app = create_app(store)
    transport = httpx.ASGITransport(app)

    async def ask() -> list[dict[str, Any]]:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return [
                (await client.get(f"/v1/communities{path}")).json()
                for path in ("", "?level=1", "?level=2", "?level=3")
            ]

    plain, one, two, wrong = asyncio.run(ask())
    assert plain == one
    assert {item["level"] for item in two["items"]} == {2}
    assert wrong["status"] == 422


def test_changes_are_listed(store: Path, call: Call) -> None:
    said = call("communities", "--changes", "--store", store, "--format", "json")
    rows = orjson.loads(said.out)
    kept = [row for row in rows if row["event"] == "kept"]
    assert {"c1", "c2", "c3", "c4"} <= {row["community_id"] for row in kept}
    assert min(row["overlap"] for row in kept if row["community_id"] in {"c1", "c2"}) > 0.8
    shown = call("communities", "--changes", "--store", store)
    assert "what became of it" in shown.out
    assert "carry on the ids of run r-" in " ".join((shown.out + shown.err).split())
    wrong = call("communities", "c1", "--changes", "--store", store)
    assert wrong.code == 2


def test_parts_keep_their_ids_too(store: Path) -> None:
    with kindred.connect(store, read_only=True) as k:
        now, before = (info.run_id for info in k.backend.runs())
        sides = []
        for run in (before, now):
            rows = k.table("memberships", run=run).to_arrow().to_pylist()
            sides.append({r["user_id"]: r["community_id"] for r in rows if r["level"] == 2})
    both = sides[0].keys() & sides[1].keys()
    assert len(both) > 800
    assert np.mean([sides[0][user] == sides[1][user] for user in both]) > 0.8


@pytest.fixture(scope="module")
def chance_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ties drawn at random."""
    home = tmp_path_factory.mktemp("chance")
    chance = np.random.default_rng(1)
    with kindred.connect(home / "store") as k:
        k.load(write(home / "export", *chance.integers(0, 600, (2, 3_000))))
        k.analyse(ensemble=0, folds=2)
    return home / "store"


def test_without_structure_influence_alone_is_shown(chance_store: Path, call: Call) -> None:
    said = call("analyse", "--ensemble", 0, "--folds", 2, "--store", chance_store)
    assert said.code == 0, said.err
    words = " ".join(said.out.split())
    assert "No kindred communities found: none of" in words
    assert "Influence only" in words
    assert "In each community" not in words
    assert "strong affinity" not in words
    assert "resonance --community" not in words
    for ask in (("resonance",), ("resonance", "--community", "c1")):
        listed = call(*ask, "--store", chance_store)
        assert "No kindred communities found" in " ".join((listed.out + listed.err).split())


def test_what_could_not_be_judged_is_not_denied(chance_store: Path, call: Call) -> None:
    said = call("analyse", "--ensemble", 0, "--rewirings", 0, "--store", chance_store)
    words = " ".join(said.out.split())
    assert "No kindred communities found" not in words
    assert "could be told from chance" in words
