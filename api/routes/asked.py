"""Questions that no table answers: why, together, compared, over time; and how far to believe."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.deps import Answering, Asked, Id, One
from api.questions import (
    CalibrationAnswer,
    CompareAnswer,
    JointAnswer,
    JointQuestion,
    SeriesAnswer,
    Several,
    WhyAnswer,
)
from api.rows import score_item
from engine import joint as together
from engine import lists, versus
from engine import series as windows
from engine import why as reasons
from engine.params import SourceKind

__all__ = ["router"]

router = APIRouter(tags=["questions"])

Kind = Annotated[SourceKind | None, Query(description="only sources of this kind")]
Community = Annotated[str, Query(min_length=1, max_length=200, description="a community's id")]


@router.get("/why", response_model=WhyAnswer)
def why(
    asked: One,
    source: Id,
    community: Community,
    kind: Kind = None,
    limit: Annotated[
        int, Query(ge=1, le=1_000, description="most members and contents")
    ] = reasons.SHOWN,
) -> dict[str, Any]:
    """Take the score of a source in a community apart."""
    run_id = asked.run.run_id
    which = reasons.one_source(asked.backend, run_id, source, kind)
    found = reasons.why(asked.backend, asked.scene, which, community, limit=limit)
    return asked.envelope(
        score=score_item(dict(found.score), run_id),
        without=found.without.to_pylist(),
        parts=found.parts.to_pylist(),
        members=found.members.to_pylist(),
        contents=found.contents.to_pylist(),
        member_count=found.member_count,
        content_count=found.content_count,
    )


@router.post("/scores/joint", response_model=JointAnswer)
def joint(asked: Asked, question: JointQuestion) -> dict[str, Any]:
    """Score several sources as one."""
    if question.community is not None:
        lists.community(asked.backend, asked.run.run_id, question.community)
    found = together.joint(
        asked.backend,
        asked.scene,
        _named(asked, question.sources, question.kind),
        community_id=question.community,
        strict=question.strict,
    )
    return asked.envelope(items=found.table.to_pylist(), notes=list(found.notes))


@router.post("/compare", response_model=CompareAnswer)
def compare(asked: Asked, question: Several) -> dict[str, Any]:
    """Compare two to ten sources: where each is strong, and how far they are apart."""
    which = _named(asked, question.sources, question.kind)
    found = versus.versus(asked.backend, asked.scene, which)
    return asked.envelope(
        communities=found.where.to_pylist(),
        scores=found.cells.to_pylist(),
        differences=found.differences.to_pylist(),
    )


@router.get("/scores/series", response_model=SeriesAnswer)
def series(
    asked: One,
    source: Id,
    kind: Kind = None,
    community: Annotated[
        str | None, Query(min_length=1, max_length=200, description="only in this community")
    ] = None,
) -> dict[str, Any]:
    """Follow the scores of a source along the windows that end with the run."""
    rows = windows.series(
        asked.backend, source, kind=kind, community_id=community, run_id=asked.run.run_id
    )
    return asked.envelope(items=rows.to_pylist())


@router.get("/calibration", response_model=CalibrationAnswer)
def calibration(asked: One) -> dict[str, Any]:
    """Say whether the claims come true on held-out time."""
    rows = asked.backend.read("calibration", run_id=asked.run.run_id)
    return asked.envelope(items=rows.to_pylist())


def _named(asked: Answering, names: list[str], kind: SourceKind | None) -> list[tuple[str, str]]:
    run_id = asked.run.run_id
    return [reasons.one_source(asked.backend, run_id, name, kind) for name in names]
