"""Content: how one travelled."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from api.deps import Listed, Paged
from api.schemas import Cascade
from engine import lists

__all__ = ["router"]

router = APIRouter(prefix="/content", tags=["content"])

ContentId = Annotated[
    str, Path(min_length=1, max_length=2_048, description="platform:native-id; slashes allowed")
]


@router.get("/{content_id:path}/cascade", response_model=Cascade)
def its_cascade(asked: Listed, cut: Paged, content_id: ContentId) -> dict[str, Any]:
    """Return how a content travelled, and page through who passed it on."""
    run_id = asked.run.run_id
    row = lists.cascade(asked.backend, run_id, content_id)
    known = asked.backend.contents([content_id]).to_pylist()
    of = f"cascade {content_id}"
    page = lists.sharers(asked.backend, run_id, content_id, limit=cut.limit, after=cut.key(of))
    return asked.envelope(
        content=known[0] if known else None,
        cascade=row.to_pylist()[0],
        items=page.rows.to_pylist(),
        next=cut.next(of, run_id, page),
    )
