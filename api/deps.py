"""What routes ask for: the store, the run, a page; and the tag a client may send back."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends, Query, Request, Response
from starlette.exceptions import HTTPException

from engine.contract import Backend, RunInfo
from engine.errors import UsageError
from engine.lists import Page, beside_scores, made_sources
from engine.scene import Scene, scene
from engine.wording import score_word

__all__ = ["Answering", "Asked", "Cut", "Id", "Store", "fresh", "tag"]

MOST: Final = 1_000
"""Rows of the longest page."""
CACHE: Final = "private, no-cache"
"""A client may keep an answer, and asks each time whether it still holds."""

Id = Annotated[str, Query(min_length=1, max_length=1_024)]


def _store(request: Request) -> Backend:
    backend: Backend = request.app.state.backend
    return backend


Store = Annotated[Backend, Depends(_store)]


def tag(*parts: object) -> str:
    """Return an entity tag over the parts an answer depends on, and this version."""
    digest = hashlib.sha256(orjson.dumps([version("kindred"), *map(str, parts)]))
    return f'"{digest.hexdigest()[:32]}"'


def fresh(request: Request, response: Response, etag: str) -> None:
    """Give the answer its tag, or end here if the client has it already.

    Raises
    ------
    HTTPException
        304, where `If-None-Match` names the tag.
    """
    headers = {"ETag": etag, "Cache-Control": CACHE}
    known = [
        t.strip().removeprefix("W/") for t in request.headers.get("if-none-match", "").split(",")
    ]
    if etag in known or "*" in known:
        raise HTTPException(304, headers=headers)
    response.headers.update(headers)


@dataclass(frozen=True, slots=True)
class Answering:
    """One request over one run."""

    backend: Backend
    run: RunInfo
    made: tuple[str, ...]
    scenes: dict[str, Scene]

    @property
    def scene(self) -> Scene:
        """The run together with its data: brought once, kept until another run is asked for."""
        found = self.scenes.get(self.run.run_id)
        if found is None:
            found = scene(self.backend, self.run.run_id)
            # Another request may put its own there meanwhile: this one keeps what it brought.
            self.scenes.clear()
            self.scenes[self.run.run_id] = found
        return found

    def envelope(self, **body: Any) -> dict[str, Any]:
        """Return an answer with what every answer says about its run."""
        return {
            "run_id": self.run.run_id,
            "tier": self.run.tier,
            "called": score_word(self.run.tier),
            "made": list(self.made),
            "beside": beside_scores(self.backend, self.run.run_id),
            **body,
        }


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part of a list is asked for: how many rows, and after which."""

    limit: int
    run_id: str | None
    of: str | None
    after: tuple[Any, ...] | None

    def key(self, of: str) -> tuple[Any, ...] | None:
        """Return the key to read after in the list `of` (its name and filters).

        Raises
        ------
        UsageError
            If the cursor belongs to another list.
        """
        if self.of is not None and self.of != _digest(of):
            raise UsageError(
                "the next page of a list",
                "the cursor belongs to another list, or to other filters",
                "repeat the request that gave the cursor, with its filters",
            )
        return self.after

    def next(self, of: str, run_id: str, page: Page) -> str | None:
        """Return the cursor of the page after this one."""
        if page.after is None:
            return None
        values = [{"at": v.isoformat()} if isinstance(v, datetime) else v for v in page.after]
        text = orjson.dumps([run_id, _digest(of), values])
        return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _digest(of: str) -> str:
    return hashlib.sha256(of.encode()).hexdigest()[:12]


def _cut(
    limit: Annotated[int, Query(ge=1, le=MOST, description="most rows of the page")] = 100,
    cursor: Annotated[
        str | None, Query(max_length=4_096, description="`next` of the page before")
    ] = None,
) -> Cut:
    if cursor is None:
        return Cut(limit, None, None, None)
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        run_id, of, values = orjson.loads(base64.b64decode(padded, b"-_", validate=True))
        after = tuple(_value(v) for v in values)
    except (binascii.Error, ValueError, TypeError, KeyError) as error:
        raise UsageError(
            "the next page of a list", "the cursor cannot be read", "start again without a cursor"
        ) from error
    return Cut(limit, str(run_id) or None, str(of), after)


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["at"])
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(value)


Paged = Annotated[Cut, Depends(_cut)]


def _one(
    request: Request,
    response: Response,
    backend: Store,
    run: Annotated[
        str | None,
        Query(max_length=200, description="a run's id; by default the active one"),
    ] = None,
) -> Answering:
    return _answering(request, response, backend, run)


def _listed(
    request: Request,
    response: Response,
    backend: Store,
    cut: Paged,
    run: Annotated[
        str | None,
        Query(max_length=200, description="a run's id; by default the cursor's, or the active one"),
    ] = None,
) -> Answering:
    return _answering(request, response, backend, run or cut.run_id)


def _answering(
    request: Request, response: Response, backend: Backend, run_id: str | None
) -> Answering:
    run = backend.run(run_id)
    batches = backend.batches()
    # Names shown beside figures come from all that was loaded, also after the run.
    fresh(request, response, tag(run.run_id, *(b.batch_id for b in batches)))
    return Answering(backend, run, tuple(made_sources(batches)), request.app.state.scenes)


def _asked(
    request: Request,
    response: Response,
    backend: Store,
    run: Annotated[
        str | None,
        Query(max_length=200, description="a run's id; by default the active one"),
    ] = None,
) -> Answering:
    # What is asked stands in the body, which no entity tag covers.
    response.headers["Cache-Control"] = "no-store"
    made = tuple(made_sources(backend.batches()))
    return Answering(backend, backend.run(run), made, request.app.state.scenes)


One = Annotated[Answering, Depends(_one)]
Asked = Annotated[Answering, Depends(_asked)]
"""For questions that are posted."""
Listed = Annotated[Answering, Depends(_listed)]
