"""What HTTP promises: tags, problems, doors that are shut."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import kindred
from api import create_app
from api.server import is_loopback, listening
from engine.errors import StoreMissing, UsageError

Serving = Callable[[FastAPI], AbstractContextManager[str]]
PROBLEM = {"type", "title", "status", "detail", "wanted", "todo", "invalid"}


def refused(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Check that an answer is a problem, and return it."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body.keys() >= PROBLEM
    assert body["status"] == status
    assert body["type"].startswith("urn:kindred:problem:")
    return body


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/v1/communities/c99", 404),
        ("/v1/communities/c99/members", 404),
        ("/v1/communities/c99/sources", 404),
        ("/v1/runs/none", 404),
        ("/v1/scores?run=none", 404),
        ("/v1/scores?community=c99", 404),
        ("/v1/scores?source=nobody", 404),
        ("/v1/content/x:none/cascade", 404),
        ("/v1/nothing", 404),
        ("/nothing.html", 404),
        ("/view/nothing.html", 404),
        ("/docs", 404),
        ("/redoc", 404),
        ("/v1/scores?limit=0", 422),
        ("/v1/scores?limit=1001", 422),
        ("/v1/scores?limit=many", 422),
        ("/v1/scores?kind=planet", 422),
        ("/v1/scores?quadrant=x", 422),
        ("/v1/scores?cursor=%00", 400),
        ("/v1/scores?cursor=bm90IGpzb24", 400),
        ("/v1/scores?cursor=WzEsMiwzXQ", 400),
    ],
)
def test_problems(client: httpx.Client, url: str, status: int) -> None:
    refused(client.get(url), status)


def test_a_problem_names_the_value_once(client: httpx.Client) -> None:
    body = client.get("/v1/scores?limit=0").json()
    assert [(i["place"], i["name"]) for i in body["invalid"]] == [("query", "limit")]


def test_only_reading(client: httpx.Client) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = client.request(method, "/v1/scores")
        refused(answer, 405)
        assert answer.headers["allow"] == "GET"


def test_a_cursor_belongs_to_its_list(client: httpx.Client) -> None:
    cursor = client.get("/v1/scores?limit=2").json()["next"]
    assert client.get("/v1/scores", params={"cursor": cursor, "limit": 5}).status_code == 200
    refused(client.get("/v1/communities", params={"cursor": cursor}), 400)
    refused(client.get("/v1/scores", params={"cursor": cursor, "kind": "user"}), 400)


def test_an_answer_that_holds_is_not_sent_again(client: httpx.Client) -> None:
    for url in ("/v1/scores", "/v1/communities/c1", "/v1/runs", "/"):
        first = client.get(url)
        tag = first.headers["etag"]
        assert "no-cache" in first.headers["cache-control"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = client.get(url, headers={"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
        assert client.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_new_run_is_followed_and_an_old_cursor_stays_with_its_run(
    small_store: Path, tmp_path: Path, serving: Serving
) -> None:
    store = tmp_path / "store"
    shutil.copytree(small_store, store)
    with (
        serving(create_app(store)) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        before = client.get("/v1/scores?limit=3")
        with kindred.connect(store) as k:
            run = k.analyse(seed=9, rewirings=0, ensemble=0, split=None).run_id
        after = client.get("/v1/scores?limit=3")
        old = client.get("/v1/scores", params={"limit": 3, "cursor": before.json()["next"]})
        tagged = client.get("/v1/scores?limit=3", headers={"If-None-Match": before.headers["etag"]})
    assert before.json()["run_id"] != run
    assert after.json()["run_id"] == run
    assert after.headers["etag"] != before.headers["etag"]
    assert tagged.status_code == 200
    assert old.json()["run_id"] == before.json()["run_id"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::2]", "a b"])
def test_another_name_is_refused(client: httpx.Client, host: str) -> None:
    body = refused(client.get("/v1/scores", headers={"Host": host}), 400)
    assert "Host" in body["detail"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost:8765", "LOCALHOST", "[::1]:80", "127.0.0.9"]
)
def test_this_machine_is_answered(client: httpx.Client, host: str) -> None:
    assert client.get("/v1/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("url", ["/", "/v1/scores", "/v1/nothing", "/openapi.json"])
def test_every_answer_shuts_the_doors(client: httpx.Client, url: str) -> None:
    headers = client.get(url).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers


def test_pages_link_pages_that_exist(client: httpx.Client) -> None:
    import re

    front = client.get("/").text
    links = set(re.findall(r'href="([a-z0-9-]+\.html)"', front))
    assert "communities.html" in links
    for link in links:
        answer = client.get(f"/{link}")
        assert (answer.status_code, answer.headers["content-type"]) == (
            200, "text/html; charset=utf-8",
        )  # fmt: skip
        assert client.get(f"/view/{link}").text == answer.text


def test_an_empty_store(tmp_path: Path, serving: Serving) -> None:
    kindred.connect(tmp_path / "store").close()
    app = create_app(tmp_path / "store")
    with serving(app) as address, httpx.Client(base_url=address, timeout=30) as client:
        assert client.get("/v1/health").json()["status"] == "empty"
        assert "kindred analyse" in refused(client.get("/v1/scores"), 404)["todo"]
        assert client.get("/v1/runs").json() == {"items": [], "next": None}


def test_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing):
        create_app(tmp_path / "none")


def test_only_the_loopback() -> None:
    assert [h for h in ("127.0.0.1", "::1", "localhost", "127.1.2.3") if is_loopback(h)]
    for host in ("0.0.0.0", "::", "10.0.0.1", "example.org", ""):  # noqa: S104 - refused
        with pytest.raises(UsageError), listening(host, 0):
            pass


def test_many_at_once(address: str) -> None:
    urls = ["/v1/scores?limit=50", "/v1/communities", "/v1/communities/c1/members", "/v1/runs"] * 8

    def ask(url: str) -> tuple[str, bytes]:
        answer = httpx.get(address + url, timeout=60)
        assert answer.status_code == 200
        return url, answer.content

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, urls))
    assert len(set(answers)) == len(set(urls))
