"""Problems as RFC 9457 (`application/problem+json`): what was wanted, found, and what to do."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from engine.errors import (
    KindredError,
    NotFound,
    StoreError,
    StoreLocked,
    TooLittleData,
    UsageError,
)

__all__ = ["RESPONSES", "Invalid", "Problem", "install", "problem"]

MEDIA_TYPE: Final = "application/problem+json"

_STATUS: Final = (
    (NotFound, 404),
    (UsageError, 400),
    (TooLittleData, 409),
    (StoreLocked, 503),
    (StoreError, 503),
)
"""Statuses by error; the first that fits holds."""

_log = logging.getLogger(__name__)


class Invalid(BaseModel):
    """One value of a request that is not allowed."""

    place: str = Field(description="query, path or header")
    name: str = Field(description="the parameter")
    found: str = Field(description="what is wrong with it")


class Problem(BaseModel):
    """Why a request has no answer."""

    type: str = Field(description="a name for the kind of problem, as a URI")
    title: str = Field(description="the kind of problem in words")
    status: int = Field(description="the HTTP status", ge=400, le=599)
    detail: str = Field(description="what was found")
    wanted: str = Field(description="what the request set out to do")
    todo: str = Field(description="what can be done next")
    invalid: list[Invalid] = Field([], description="values that are not allowed")


def _documented(about: str) -> dict[str, Any]:
    return {"description": about, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}


RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "The answer the client has is still the answer"},
    400: _documented("A cursor or a host that cannot be used"),
    404: _documented("No such run, community, source or content"),
    409: _documented("The data are too few, or lack what the answer is made of"),
    422: _documented("A parameter with a value that is not allowed"),
    503: _documented("The store cannot be read now"),
}
"""What every route may answer beside what it declares."""


def problem(
    status: int,
    kind: str,
    *,
    wanted: str,
    found: str,
    todo: str,
    invalid: tuple[Invalid, ...] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """Make the answer that says why there is none."""
    body = Problem(
        type=f"urn:kindred:problem:{kind.replace(' ', '-')}",
        title=kind,
        status=status,
        detail=found,
        wanted=wanted,
        todo=todo,
        invalid=list(invalid),
    )
    content = orjson.dumps(body.model_dump(mode="json"))
    return Response(content, status, media_type=MEDIA_TYPE, headers=headers)


def install(app: FastAPI) -> None:
    """Let every error leave as a problem."""
    app.add_exception_handler(KindredError, _kindred)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _defect)


def _kindred(_: Request, error: Exception) -> Response:
    assert isinstance(error, KindredError)  # noqa: S101 - registered for this type only
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    kind = "".join(f" {c.lower()}" if c.isupper() else c for c in type(error).__name__).strip()
    return problem(status, kind, wanted=error.wanted, found=error.found, todo=error.todo)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type only
    # A parameter that two dependencies read is reported by each.
    places = {
        (str(e["loc"][0]), ".".join(map(str, e["loc"][1:])), e["msg"]) for e in error.errors()
    }
    found = tuple(Invalid(place=p, name=n, found=f) for p, n, f in sorted(places))
    return problem(
        422,
        "invalid request",
        wanted=f"{request.method} {request.url.path}",
        found="; ".join(f"{i.name}: {i.found}" for i in found),
        todo="see /openapi.json for what is allowed",
        invalid=found,
    )


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    headers = dict(error.headers or {})
    if error.status_code < 400:  # 304: the client has the answer
        return Response(status_code=error.status_code, headers=headers)
    return problem(
        error.status_code,
        HTTPStatus(error.status_code).phrase.lower(),
        wanted=f"{request.method} {request.url.path}",
        found=str(error.detail),
        todo="see / for pages and /openapi.json for the API",
        headers=headers,
    )


def _defect(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(
        500,
        "defect",
        wanted=f"{request.method} {request.url.path}",
        found="a defect in kindred; the server's log has the details",
        todo="report it with the log",
    )
