"""Answers say what the store says, name their run, and come in whole pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import kindred
from engine.results import RESULTS

FIGURE = {"estimate", "low", "high", "observed", "expected", "n", "tier", "run_id"}
LISTS = (
    "/v1/communities",
    "/v1/communities/c1/members",
    "/v1/communities/c1/sources",
    "/v1/scores",
    "/v1/scores?kind=user&overall=true",
    "/v1/scores?flagged=false",
)


def all_items(client: httpx.Client, url: str, limit: int) -> list[dict[str, Any]]:
    """Page through a list to its end."""
    items: list[dict[str, Any]] = []
    params: dict[str, str | int] = dict(httpx.URL(url).params) | {"limit": limit}
    for _ in range(1_000):
        answer = client.get(httpx.URL(url).path, params=params).raise_for_status().json()
        assert len(answer["items"]) <= limit
        items += answer["items"]
        if answer["next"] is None:
            return items
        assert answer["items"]
        params["cursor"] = answer["next"]
    raise AssertionError("pages without end")


def test_health_names_the_active_run(client: httpx.Client, store: Path) -> None:
    with kindred.connect(store, create=False) as k:
        active = k.communities().run_id
    answer = client.get("/v1/health").json()
    assert (answer["status"], answer["run_id"], answer["load_count"]) == ("ready", active, 1)


@pytest.mark.parametrize("url", LISTS)
@pytest.mark.parametrize("limit", [31, 1_000])
def test_pages_cover_all_rows_once(client: httpx.Client, url: str, limit: int) -> None:
    whole = client.get(url, params={**httpx.URL(url).params, "limit": 1_000}).json()
    assert whole["next"] is None
    assert whole["items"]
    assert all_items(client, url, limit) == whole["items"]


def test_pages_of_equal_and_unknown_bounds(client: httpx.Client) -> None:
    # Many cells have a lower bound of 0 or none at all: the hard case of paging by key.
    items = all_items(client, "/v1/scores", 23)
    bounds = [item["low"] for item in items]
    own = ["own_audience" in item["flags"] for item in items]
    assert own == sorted(own)
    ranked = [b for b, o in zip(bounds, own, strict=True) if not o]
    known = [b for b in ranked if b is not None]
    assert known == sorted(known, reverse=True)
    assert ranked[: len(known)] == known


def test_scores_are_those_of_the_library(client: httpx.Client, store: Path) -> None:
    with kindred.connect(store, create=False) as k:
        rows = k.scores(community="c1").to_dicts()
    items = all_items(client, "/v1/scores?community=c1", 50)
    assert [{name: item[name] for name in rows[0]} for item in items] == rows
    assert items == all_items(client, "/v1/communities/c1/sources", 50)


@pytest.mark.parametrize("url", ["/v1/scores", "/v1/communities", "/v1/communities/c1/sources"])
def test_a_figure_says_what_it_rests_on(client: httpx.Client, url: str) -> None:
    answer = client.get(url).json()
    assert {"run_id", "tier", "called", "made", "beside"} <= answer.keys()
    assert answer["called"] == "affinity (exposure unknown)"
    for item in answer["items"]:
        assert item.keys() >= FIGURE
        assert item["run_id"] == answer["run_id"]
        assert (item["estimate"], item["low"], item["high"]) == (
            item["resonance"], item["resonance_low"], item["resonance_high"],
        )  # fmt: skip
        if item["low"] is not None:
            assert item["low"] <= item["high"]


def test_filters(client: httpx.Client) -> None:
    items = all_items(client, "/v1/scores", 1_000)
    queries: dict[str, Callable[[dict[str, Any]], bool]] = {
        "kind=user": lambda i: i["source_kind"] == "user",
        "community=c2": lambda i: i["community_id"] == "c2",
        "overall=true": lambda i: i["community_id"] is None,
        "overall=false": lambda i: i["community_id"] is not None,
        "flagged=true": lambda i: "flagged" in i["flags"],
        "flagged=false": lambda i: "flagged" not in i["flags"],
        "quadrant=undetermined": lambda i: i["quadrant"] == "undetermined",
        "source=x:u003": lambda i: i["source_id"] == "x:u003",
        "source=u003": lambda i: i["source_id"] == "x:u003",
        "source=person 3": lambda i: i["source_id"] == "x:u003",
    }
    for query, holds in queries.items():
        assert all_items(client, f"/v1/scores?{query}", 1_000) == [i for i in items if holds(i)]


def test_one_community(client: httpx.Client) -> None:
    listed = client.get("/v1/communities").json()["items"]
    one = client.get(f"/v1/communities/{listed[0]['community_id']}").json()
    assert one["community"] == listed[0]
    assert listed[0]["n"] > 0
    assert all_items(client, "/v1/communities?verdict=kindred", 5) == [
        item for item in listed if item["verdict"] == "kindred"
    ]


def test_members_are_all_members(client: httpx.Client, store: Path) -> None:
    with kindred.connect(store, create=False) as k:
        table = k.table("memberships").to_pandas()
    inside = table[(table.community_id == "c1") & table.fold.isna()]
    items = all_items(client, "/v1/communities/c1/members", 11)
    assert sorted(item["user_id"] for item in items) == sorted(inside.user_id)
    ranks = [item["rank"] for item in items]
    assert ranks == sorted(ranks)


def test_a_cascade(client: httpx.Client, store: Path) -> None:
    with kindred.connect(store, create=False) as k:
        first = k.cascades(limit=1).to_dicts()[0]
        sharers = k.cascades(first["content_id"]).to_dicts()
    url = f"/v1/content/{first['content_id']}/cascade"
    answer = client.get(url).json()
    assert answer["content"]["author_id"] == first["author_id"]
    assert answer["cascade"]["share_count"] == first["share_count"] == len(sharers)
    paged = all_items(client, url, 2)
    assert [item["user_id"] for item in paged] == [row["user_id"] for row in sharers]


def test_runs(client: httpx.Client) -> None:
    listed = client.get("/v1/runs").json()["items"]
    one = client.get(f"/v1/runs/{listed[0]['run_id']}").json()
    assert one["run"] == listed[0]
    assert one["notes"]
    assert {row["method"] for row in one["calibration"]} <= {"crossfit", "naive"}
    by_name = client.get("/v1/scores", params={"run": listed[0]["run_id"]}).json()
    assert by_name == client.get("/v1/scores").json()


def test_the_same_request_gives_the_same_bytes(client: httpx.Client) -> None:
    assert client.get("/v1/scores").content == client.get("/v1/scores").content


def test_schemas_come_from_the_declared_tables(client: httpx.Client) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    for name, table in (("Score", "scores"), ("Community", "communities")):
        properties = schemas[name]["properties"]
        for column in RESULTS[table].columns:
            assert properties[column.name]["description"] == column.about
