"""The options of an analysis, as one value."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = ["AnalysisParams", "Count", "Engine", "SourceKind", "TieKind", "Tier"]

TieKind = Literal["shares", "likes", "coshares", "interactions", "mentions", "replies"]
SourceKind = Literal["user", "brand", "domain", "hashtag", "url", "image", "platform", "content"]
Tier = Literal["impressions", "follows", "affinity"]
Count = Literal["users", "interactions"]
Engine = Literal["auto", "gds", "local"]


class AnalysisParams(BaseModel):
    """Everything that decides what an analysis answers, except the data.

    Examples
    --------
    >>> AnalysisParams(seed=7).folds
    5
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=1, ge=0, description="seed of everything random")
    tier: Tier | None = Field(
        default=None, description="force a tier; by default the best that the data allow"
    )
    ties: tuple[TieKind, ...] | None = Field(
        default=None,
        description="kinds of ties communities are found on; by default shares and likes, "
        "co-shares where nobody shares a content, else interactions of unknown kind",
    )
    gamma: float | None = Field(
        default=None, gt=0, description="resolution; by default chosen on held-out ties"
    )
    folds: int = Field(default=5, ge=2, le=20, description="cross-fitting folds")
    rewirings: int = Field(
        default=20, ge=0, le=200, description="rewired graphs of the null verdict"
    )
    sources: tuple[SourceKind, ...] | None = Field(
        default=None, description="kinds of sources scored; by default user, brand and domain"
    )
    count: Count = Field(
        default="users",
        description="what observed shares of edge lists count: distinct users, or interactions "
        "with their weights",
    )
    min_members: int = Field(default=15, ge=2, description="smallest community that is scored")
    min_shares: int = Field(
        default=50, ge=1, description="fewest shares of a community that is scored"
    )
    false_sign_rate: float = Field(
        default=0.05, gt=0, lt=0.5, description="part of a list allowed to have the wrong sign"
    )
    split: float | None = Field(
        default=0.6, gt=0.1, lt=0.95, description="where calibration cuts the time; null = none"
    )
    ensemble: int = Field(
        default=10, ge=0, le=100, description="runs on resampled ties that scores are held against"
    )
    since: datetime | None = Field(
        default=None, description="only what happened from then on; UTC where nothing is said"
    )
    until: datetime | None = Field(default=None, description="only what happened before then")
    continues: str = Field(
        default="auto",
        description="run whose community ids are carried on, or none; by default the active one",
    )
    engine: Engine = Field(
        default="auto",
        description="who finds communities and authority: gds (Graph Data Science on a Neo4j "
        "server) or local (kindred's own kernels); by default the faster of those that agree",
    )

    @field_validator("since", "until")
    @classmethod
    def _in_utc(cls, moment: datetime | None) -> datetime | None:
        """Say every time in one zone: the same time gives the same run."""
        if moment is None or moment.tzinfo is None:
            return None if moment is None else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
