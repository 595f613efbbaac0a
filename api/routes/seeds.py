"""Seeds: whom to talk to, so that a source moves a community."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.deps import Asked
from api.routes.reach import Source, source_key
from api.schemas import SeedsAnswer
from engine import lists
from engine.seeds import MOST_SEEDS, seeds

__all__ = ["router"]

router = APIRouter(prefix="/seeds", tags=["seeds"])


class SeedsQuestion(BaseModel):
    """Whose posts, and where."""

    model_config = ConfigDict(extra="forbid")

    community: str = Field(min_length=1, max_length=200, description="a community's id")
    source: Source = Field(description="whose posts they are")
    count: int = Field(10, ge=1, le=MOST_SEEDS, description="how many people")


@router.post("", response_model=SeedsAnswer)
def whom_to_talk_to(asked: Asked, question: SeedsQuestion) -> dict[str, Any]:
    """Choose whom to talk to, beside the most resonant and most authoritative. Experimental."""
    lists.community(asked.backend, asked.run.run_id, question.community)
    which = source_key(asked, question.source)
    found = seeds(asked.backend, asked.scene, question.community, which, count=question.count)
    return asked.envelope(
        items=found.table.to_pylist(), certain=found.certain, said=list(found.said)
    )
