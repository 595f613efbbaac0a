"""A store on a server gives the very answers and pages that a folder gives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import kindred
from api import create_app
from tests.servers.server import Neo4jServer

Serving = Callable[[FastAPI], AbstractContextManager[str]]

LINK = re.compile(r'href="([^"#?:]+\.html)"')
FEW = 3
"""Pages of each kind that are compared."""
ASKED = (
    "/v1/health",
    "/v1/communities",
    "/v1/communities?limit=2",
    "/v1/communities/c1",
    "/v1/communities/c99",
    "/v1/communities/c1/members?limit=50",
    "/v1/communities/c1/sources?limit=50",
    "/v1/scores?limit=50",
    "/v1/scores?kind=user&overall=true&limit=50",
    "/v1/scores?flagged=false&limit=50",
    "/v1/content/x:p5/cascade",
    "/v1/content/x:p5/cascade?limit=2",
    "/v1/content/x:none/cascade",
    "/v1/scorecard?source=u001",
    "/v1/scorecard?source=u001&community=c1",
    "/v1/why?source=u001&community=c1",
    "/v1/scores/series?source=u001",
    "/v1/calibration",
    "/v1/runs",
    "/v1/runs/{run}",
    "/v1/runs/none",
    "/",
)
POSTED: dict[str, dict[str, Any]] = {
    "/v1/reach": {"sources": ["u001", "u002"], "community": "c1"},
    "/v1/seeds": {"community": "c1", "source": "u001"},
    "/v1/scores/joint": {"sources": ["u001", "u002"]},
    "/v1/compare": {"sources": ["u001", "u050"]},
}
OWN = {"created_at", "timings", "versions"}
"""What two runs of the same answer differ in: when, how long, and on what."""


@pytest.fixture(scope="module")
def both(
    neo4j: Neo4jServer, small_export: Path, small_store: Path
) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Clients of a folder and of a server that hold the same analysed export."""
    from tests.api.conftest import served

    neo4j.clean()
    with ExitStack() as opened:
        folder = opened.enter_context(kindred.connect(small_store, read_only=True))
        server = opened.enter_context(kindred.connect(neo4j.address, server=neo4j.settings()))
        server.load(small_export)
        server.analyse(rewirings=3, ensemble=2)
        clients = []
        for store in (folder, server):
            address = opened.enter_context(served(create_app(store.backend)))
            clients.append(opened.enter_context(httpx.Client(base_url=address, timeout=60)))
        yield clients[0], clients[1]


def told(answer: httpx.Response) -> tuple[int, str, Any]:
    """An answer, but for what is a run's own."""
    kind = answer.headers.get("content-type", "")
    body: Any = answer.text
    if kind.startswith("application/") and "json" in kind:
        body = _without_own(answer.json())
    return answer.status_code, kind, body


def _without_own(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_own(one) for name, one in value.items() if name not in OWN}
    return [_without_own(one) for one in value] if isinstance(value, list) else value


def test_every_route_answers_the_same(both: tuple[httpx.Client, httpx.Client]) -> None:
    folder, server = both
    run = folder.get("/v1/health").json()["run_id"]
    asked = [url.format(run=run) for url in ASKED]
    for url in asked:
        said, found = folder.get(url), server.get(url)
        assert told(found) == told(said), url
        if said.status_code == 200 and (cursor := _next(said)):
            after = {**httpx.URL(url).params, "cursor": cursor}
            path = httpx.URL(url).path
            assert told(server.get(path, params=after)) == told(folder.get(path, params=after))
    for path, body in POSTED.items():
        assert told(server.post(path, json=body)) == told(folder.post(path, json=body)), path
    paths = [re.sub(r"\{\w+\}", ".+", p) for p in folder.get("/openapi.json").json()["paths"]]
    there = [httpx.URL(url).path for url in (*asked, *POSTED)]
    met = [p for p in paths if any(re.fullmatch(p, path) for path in there)]
    assert met == paths


def _next(answer: httpx.Response) -> str | None:
    is_json = answer.headers["content-type"].startswith("application/json")
    return answer.json().get("next") if is_json else None


def test_every_kind_of_page_is_the_same(both: tuple[httpx.Client, httpx.Client]) -> None:
    folder, server = both
    seen: Counter[str] = Counter()
    waiting = ["index.html"]
    for name in waiting:
        said = folder.get(f"/{name}")
        assert said.status_code == 200
        assert server.get(f"/{name}").text == said.text, name
        for link in LINK.findall(said.text):
            kind = re.sub(r"\w*\d+", "", link)
            if link not in waiting and seen[kind] < FEW:
                seen[kind] += 1
                waiting.append(link)
    assert {"communities.html", "quadrants.html", "community-c1.html", "cascade-1.html"} <= {
        *waiting
    }


def test_fifty_at_once_are_all_answered(both: tuple[httpx.Client, httpx.Client]) -> None:
    folder, server = both
    urls = ["/v1/content/x:p5/cascade", "/v1/communities/c1/members?limit=9", "/v1/runs"]
    wanted = {url: told(folder.get(url)) for url in urls}
    asked = [urls[i % len(urls)] for i in range(50)]
    with ThreadPoolExecutor(50) as pool:
        found = [*pool.map(lambda url: told(server.get(url)), asked)]
    assert found == [wanted[url] for url in asked]
