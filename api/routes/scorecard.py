"""The scorecard of a source: every element of the integration model."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Query

from api.deps import Id, One
from api.schemas import ScorecardAnswer
from engine import lists
from engine.params import SourceKind
from engine.scorecard import scorecard, shown
from engine.why import one_source

__all__ = ["router"]

router = APIRouter(prefix="/scorecard", tags=["scores"])


@router.get("", response_model=ScorecardAnswer)
def one_scorecard(
    asked: One,
    source: Id,
    community: Annotated[
        str | None,
        Query(min_length=1, max_length=200, description="only people of it; null: everyone"),
    ] = None,
    kind: Annotated[SourceKind | None, Query(description="only sources of this kind")] = None,
) -> dict[str, Any]:
    """Give every element for a source, named by id, label or handle; what is unknown says why."""
    run_id = asked.run.run_id
    if community is not None:
        lists.community(asked.backend, run_id, community)
    which, of = one_source(asked.backend, run_id, source, kind)
    read = lists.reader(asked.backend, run_id)
    found = scorecard(asked.scene, read, cast("SourceKind", which), of, community)
    return asked.envelope(
        source_kind=which,
        source_id=of,
        community_id=community,
        items=shown(found).to_pylist(),
    )
