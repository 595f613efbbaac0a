"""Requests made up from the published schema are all answered as the schema says."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

OPERATIONS = (
    "/v1/health",
    "/v1/communities",
    "/v1/communities/{community_id}",
    "/v1/communities/{community_id}/members",
    "/v1/communities/{community_id}/sources",
    "/v1/scores",
    "/v1/scorecard",
    "/v1/content/{content_id}/cascade",
    "/v1/runs",
    "/v1/runs/{run_id}",
    "/v1/why",
    "/v1/compare",
    "/v1/scores/joint",
    "/v1/scores/series",
    "/v1/calibration",
    "/v1/reach",
    "/v1/seeds",
)


def test_the_schema_lists_every_route(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert sorted(paths) == sorted(OPERATIONS)


def test_the_schema_names_no_other_place(client: httpx.Client) -> None:
    assert "http" not in json.dumps(client.get("/openapi.json").json()).replace("httpx", "")


@pytest.fixture(scope="module")
def schema(address: str) -> Any:
    """Return the schema as the server publishes it."""
    return schemathesis.openapi.from_url(f"{address}/openapi.json")


@pytest.mark.parametrize("path", OPERATIONS)
def test_made_up_requests(schema: Any, path: str) -> None:
    (method,) = schema.raw_schema["paths"][path]
    operation: Any = schema[path][method.upper()]

    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Case[Any]) -> None:
        # A cursor is opaque: most texts that look like one are none.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    ask()
