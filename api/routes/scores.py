"""Scores: what is shared beyond what the tier's expectation explains."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from api.deps import Listed, Paged
from api.rows import score_items
from api.schemas import ScorePage
from engine import lists
from engine.params import SourceKind

__all__ = ["router"]

router = APIRouter(prefix="/scores", tags=["scores"])

Quadrant = Literal["leader", "gem", "broadcaster", "background", "undetermined"]


@router.get("", response_model=ScorePage)
def all_scores(
    asked: Listed,
    cut: Paged,
    *,
    kind: Annotated[SourceKind | None, Query(description="only sources of this kind")] = None,
    source: Annotated[
        str | None, Query(min_length=1, max_length=2_048, description="id, label or handle")
    ] = None,
    community: Annotated[
        str | None, Query(min_length=1, max_length=200, description="only in this community")
    ] = None,
    quadrant: Annotated[Quadrant | None, Query(description="only in this quadrant")] = None,
    flagged: Annotated[
        bool | None, Query(description="claims at the run's false-sign rate, or the others")
    ] = None,
    overall: Annotated[
        bool | None,
        Query(description="true: over all communities; false: in each; by default both"),
    ] = None,
) -> dict[str, Any]:
    """List scores by their lower bound; those on a source's own audience come last."""
    run_id = asked.run.run_id
    ids = None
    if source is not None:
        ids = lists.sources_named(asked.backend, run_id, source, kind=kind)
    if community is not None:
        lists.community(asked.backend, run_id, community)
    of = f"scores {kind} {ids} {community} {quadrant} {flagged} {overall}"
    page = lists.scores(
        asked.backend,
        run_id,
        source_ids=ids,
        kind=kind,
        community_id=community,
        roll_up=overall,
        quadrant=quadrant,
        flagged=flagged,
        limit=cut.limit,
        after=cut.key(of),
    )
    return asked.envelope(items=score_items(page.rows, run_id), next=cut.next(of, run_id, page))
