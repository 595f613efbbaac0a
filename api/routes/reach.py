"""Reach: the distinct people that any set of sources reaches, in any community."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.deps import Answering, Asked
from api.schemas import ReachAnswer
from engine import lists
from engine.campaign import MOST_SOURCES, joint, members_of
from engine.params import SourceKind
from engine.why import one_source

__all__ = ["Named", "Source", "router", "source_key"]

router = APIRouter(prefix="/reach", tags=["reach"])

Name = Annotated[str, Field(min_length=1, max_length=2_048)]


class Named(BaseModel):
    """A source by kind and id."""

    model_config = ConfigDict(extra="forbid")

    kind: SourceKind
    id: Name


Source = Named | Name
"""A source: by kind and id, or by an id, label or handle that is its alone."""


class ReachQuestion(BaseModel):
    """Whose reach, and where."""

    model_config = ConfigDict(extra="forbid")

    sources: list[Source] = Field(
        min_length=1,
        max_length=MOST_SOURCES,
        description="sources by kind and id, or by an id, label or handle that is theirs alone",
    )
    community: str | None = Field(
        None, min_length=1, max_length=200, description="only its members; null: everybody"
    )


def source_key(asked: Answering, source: Source) -> tuple[str, str]:
    """Return kind and id of a source that a request names."""
    if isinstance(source, Named):
        return source.kind, source.id
    return one_source(asked.backend, asked.run.run_id, source)


@router.post("", response_model=ReachAnswer)
def joint_reach(asked: Asked, question: ReachQuestion) -> dict[str, Any]:
    """Count the people each source reaches, and all of them together, each person once."""
    community = question.community
    if community is not None:
        lists.community(asked.backend, asked.run.run_id, community)
    which = [source_key(asked, source) for source in question.sources]
    scene = asked.scene
    members = None if community is None else members_of(asked.backend, scene, community)
    rows = joint(scene, which, community, members).to_pylist()
    parts: dict[str, list[dict[str, Any]]] = {"source": [], "all": [], "overlap": []}
    for row in rows:
        parts[row["part"]].append(row)
    return asked.envelope(sources=parts["source"], all=parts["all"][0], overlaps=parts["overlap"])
