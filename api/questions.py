"""The shapes of answers that are worked out when they are asked for."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, create_model

from api.schemas import Answer, Calibration, Score, rows_of
from engine import joint, versus, why
from engine.params import SourceKind
from engine.series import SERIES

__all__ = [
    "CalibrationAnswer",
    "CompareAnswer",
    "JointAnswer",
    "JointQuestion",
    "SeriesAnswer",
    "Several",
    "WhyAnswer",
]


def _list_of(model: Any) -> Any:
    return list[model]


Name = Annotated[str, Field(min_length=1, max_length=2_048)]


class Several(BaseModel):
    """Which sources: two to ten."""

    model_config = ConfigDict(extra="forbid")

    sources: list[Name] = Field(
        min_length=2, max_length=versus.MOST, description="ids, labels or handles"
    )
    kind: SourceKind | None = Field(default=None, description="only sources of this kind")


class JointQuestion(BaseModel):
    """Which sources are taken together, and how."""

    model_config = ConfigDict(extra="forbid")

    sources: list[Name] = Field(
        min_length=1, max_length=joint.MOST, description="ids, labels or handles, of one kind"
    )
    kind: SourceKind | None = Field(default=None, description="only sources of this kind")
    community: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="only in this community"
    )
    strict: bool = Field(
        default=False, description="on communities found once more without these sources"
    )


WhyAnswer: Final = create_model(
    "WhyAnswer",
    __base__=Answer,
    __doc__="one score, taken apart",
    score=(Score, Field(description="the score as it stands")),
    without=(
        _list_of(rows_of("Variant", why.WITHOUT, "the score, with and without some accounts")),
        Field(description="as scored, and without some accounts"),
    ),
    parts=(
        _list_of(rows_of("ExpectationPart", why.PARTS, "a part of the expectation")),
        Field(description="what is expected, and from what"),
    ),
    members=(
        _list_of(rows_of("Contributor", why.MEMBERS, "a member who carries the score")),
        Field(description="members by how many of the shares are theirs"),
    ),
    contents=(
        _list_of(rows_of("CarryingContent", why.CONTENTS, "a content that carries the score")),
        Field(description="contents by how many of the shares are of them"),
    ),
    member_count=(int, Field(description="people who carry it")),
    content_count=(int, Field(description="contents that carry it")),
)
JointAnswer: Final = create_model(
    "JointAnswer",
    __base__=Answer,
    __doc__="sources taken together",
    items=(
        _list_of(rows_of("JointScore", joint.JOINT, "a score of several sources")),
        Field(description="a row a community, and one over all (`community_id` null)"),
    ),
    notes=(list[str], Field(description="what has to be said of them")),
)
CompareAnswer: Final = create_model(
    "CompareAnswer",
    __base__=Answer,
    __doc__="sources beside each other",
    communities=(
        _list_of(rows_of("Standing", versus.WHERE, "who is strong in a community")),
        Field(description="shared, exclusive or open communities"),
    ),
    scores=(
        _list_of(rows_of("ComparedScore", versus.CELLS, "a score that is compared")),
        Field(description="the scores that are compared"),
    ),
    differences=(
        _list_of(rows_of("Difference", versus.DIFFERENCES, "how far two sources are apart")),
        Field(description="a row a pair and community, and one over all (`community_id` null)"),
    ),
)
SeriesAnswer: Final = create_model(
    "SeriesAnswer",
    __base__=Answer,
    __doc__="the scores of a source, window by window",
    items=(
        _list_of(rows_of("SeriesScore", SERIES, "a score in one window of time")),
        Field(description="oldest window first, for each community and over all"),
    ),
)
CalibrationAnswer: Final = create_model(
    "CalibrationAnswer",
    __base__=Answer,
    __doc__="whether the claims come true on held-out time",
    items=(_list_of(Calibration), Field(description="by kind of source, platform and method")),
)
