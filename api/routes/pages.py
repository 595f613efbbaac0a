"""Pages for people: the front page and what it links."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import HTMLResponse

from api.deps import One

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.get("/", response_class=HTMLResponse)
def front(asked: One) -> str:
    """Return the front page."""
    from viz.view import page

    return page(asked.backend, "index.html", run_id=asked.run.run_id).html


@router.get("/favicon.ico")
def icon() -> Response:
    """Answer what every browser asks for: there is none."""
    return Response(status_code=204)


@router.get("/{name}", response_class=HTMLResponse)
@router.get("/view/{name}", response_class=HTMLResponse)
def named(asked: One, name: Annotated[str, Path(min_length=1, max_length=1_024)]) -> str:
    """Return a page that another page links."""
    from viz.view import page

    return page(asked.backend, name, run_id=asked.run.run_id).html
