"""Communities: all, one, its members, what it shares beyond expectation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query

from api.deps import Listed, One, Paged
from api.rows import community_items, score_items
from api.schemas import CommunityAnswer, CommunityPage, MemberPage, ScorePage
from engine import lists

__all__ = ["router"]

router = APIRouter(prefix="/communities", tags=["communities"])

CommunityId = Annotated[
    str, Path(min_length=1, max_length=200, description="a community's id, such as c1")
]
Verdict = Literal["kindred", "not_kindred", "undetermined"]
CommunityKind = Literal["community", "mainstream", "fringe"]


@router.get("", response_model=CommunityPage)
def all_communities(
    asked: Listed,
    cut: Paged,
    verdict: Annotated[
        Verdict | None, Query(description="what the test against rewired graphs said")
    ] = None,
    kind: Annotated[CommunityKind | None, Query(description="only these")] = None,
    level: Annotated[
        int,
        Query(ge=0, le=2, description="1: what is judged and scored; 0 joins those, 2 parts them"),
    ] = 1,
) -> dict[str, Any]:
    """List communities of a level, largest first."""
    of = f"communities {verdict} {kind} {level}"
    page = lists.communities(
        asked.backend,
        asked.run.run_id,
        verdict=verdict,
        kind=kind,
        level=level,
        limit=cut.limit,
        after=cut.key(of),
    )
    items = community_items(page.rows, asked.run.run_id)
    return asked.envelope(items=items, next=cut.next(of, asked.run.run_id, page))


@router.get("/{community_id}", response_model=CommunityAnswer)
def one_community(asked: One, community_id: CommunityId) -> dict[str, Any]:
    """Return one community."""
    rows = lists.community(asked.backend, asked.run.run_id, community_id)
    return asked.envelope(community=community_items(rows, asked.run.run_id)[0])


@router.get("/{community_id}/members", response_model=MemberPage)
def its_members(asked: Listed, cut: Paged, community_id: CommunityId) -> dict[str, Any]:
    """List its members, the most authoritative inside it first."""
    run_id = asked.run.run_id
    lists.community(asked.backend, run_id, community_id)
    of = f"members {community_id}"
    page = lists.members(asked.backend, run_id, community_id, limit=cut.limit, after=cut.key(of))
    return asked.envelope(items=page.rows.to_pylist(), next=cut.next(of, run_id, page))


@router.get("/{community_id}/sources", response_model=ScorePage)
def its_sources(asked: Listed, cut: Paged, community_id: CommunityId) -> dict[str, Any]:
    """List what it shares beyond expectation, by the lower bound."""
    run_id = asked.run.run_id
    lists.community(asked.backend, run_id, community_id)
    of = f"sources {community_id}"
    page = lists.scores(
        asked.backend, run_id, community_id=community_id, limit=cut.limit, after=cut.key(of)
    )
    return asked.envelope(items=score_items(page.rows, run_id), next=cut.next(of, run_id, page))
