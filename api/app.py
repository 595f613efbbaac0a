"""The application: routes, problems, and what stands before every answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI

from api import guard, problems
from api.routes import (
    asked,
    communities,
    content,
    health,
    pages,
    reach,
    runs,
    scorecard,
    scores,
    seeds,
)
from engine.connect import connect
from engine.contract import Backend

__all__ = ["create_app"]

ABOUT = (
    "What communities share beyond what is expected of them, read from one store.\n\n"
    "Every answer names its run. An estimate has `low` and `high` beside it, and what it "
    "rests on: `observed`, `expected`, `n` and `tier`. Where the tier is affinity, exposure "
    "is unknown and `called` says what the figure may be called.\n\n"
    "Lists come in pages: pass `next` of one page as `cursor` of the next. A cursor stays "
    "with its run, so a run published meanwhile does not tear a list apart."
)


def create_app(store: str | Path | Backend) -> FastAPI:
    """Make the application over a store.

    Parameters
    ----------
    store
        A store that is open, and stays its owner's to close; or where it is, in which
        case the application opens it and closes it when it stops.

    Raises
    ------
    StoreMissing
        If there is no store at this place.

    Notes
    -----
    Only requests that name this machine as their host are answered, so that a page from
    elsewhere cannot read a store through a name it points at 127.0.0.1.
    """
    own = not isinstance(store, Backend)
    backend = store if isinstance(store, Backend) else connect(store, create=False)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if own:
            backend.close()

    app = FastAPI(
        title="kindred",
        version=version("kindred"),
        description=ABOUT,
        lifespan=lifespan,
        # The ready-made documentation pages fetch scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        responses=problems.RESPONSES,
    )
    app.state.backend = backend
    app.state.scenes = {}
    problems.install(app)
    guard.install(app)
    for room in (health, communities, scores, scorecard, reach, seeds, asked, content, runs):
        app.include_router(room.router, prefix="/v1")
    app.include_router(pages.router)
    return app
