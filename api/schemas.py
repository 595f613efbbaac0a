"""The shapes of answers, derived from the declared result tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, create_model

from engine.campaign import COLUMNS as REACH
from engine.model import Column
from engine.params import AnalysisParams
from engine.results import RESULTS
from engine.scorecard import ASKED
from engine.seeds import COLUMNS as SEEDS

__all__ = [
    "Answer",
    "Calibration",
    "Cascade",
    "CommunityAnswer",
    "CommunityPage",
    "Health",
    "MemberPage",
    "ReachAnswer",
    "Run",
    "RunAnswer",
    "RunPage",
    "Score",
    "ScorePage",
    "ScorecardAnswer",
    "SeedsAnswer",
    "rows_of",
]

_PLAIN: Final[Mapping[pa.DataType, type]] = {
    pa.string(): str,
    pa.int64(): int,
    pa.int32(): int,
    pa.float64(): float,
    pa.bool_(): bool,
}

Fields = dict[str, Any]


def _type(name: str, type: pa.DataType) -> Any:
    if pa.types.is_timestamp(type):
        return datetime
    if pa.types.is_list(type):
        return list[_type(name, type.value_type)]  # type: ignore[misc]
    if pa.types.is_struct(type):
        parts: Fields = {part.name: (_type(name, part.type), ...) for part in type}
        return create_model(name.title().replace("_", ""), **parts)
    return _PLAIN[type]


def _field(column: Column) -> Any:
    kind = _type(column.name, column.type)
    return (kind if column.required else kind | None, Field(description=column.about))


def _row(name: str, table: str, more: Fields | None = None, leave: tuple[str, ...] = ()) -> Any:
    """Return the model of a result table's rows: a field a column, and more."""
    columns = [c for c in RESULTS[table].columns if c.name not in leave]
    fields: Fields = {c.name: _field(c) for c in columns} | (more or {})
    return create_model(name, __doc__=RESULTS[table].about, **fields)


def rows_of(name: str, schema: pa.Schema, about: str) -> Any:
    """Return the model of rows that are worked out when they are asked for: all may be null."""
    fields: Fields = {f.name: (_type(f.name, f.type) | None, ...) for f in schema}
    return create_model(name, __doc__=about, **fields)


def _list_of(model: Any) -> Any:
    return list[model]


def _may(type: Any, about: str) -> Any:
    return (type | None, Field(description=about))


_RUN_ID: Final[Fields] = {"run_id": (str, Field(description="the run the figures come from"))}
_ESTIMATE: Final[Fields] = {
    "estimate": _may(float, "the headline figure: `resonance`, percent in excess [0,100)"),
    "low": _may(float, "its 5 % end: what lists are ranked by"),
    "high": _may(float, "its 95 % end"),
}

Score: Final = _row(
    "Score",
    "scores",
    {
        "label": (str, Field(description="the source as it is shown")),
        **_ESTIMATE,
        "n": _may(int, "contents behind the figure: `n_posts`"),
        **_RUN_ID,
    },
)
Community: Final = _row(
    "Community",
    "communities",
    {
        **_ESTIMATE,
        "observed": _may(float, "shares counted in its scored cells"),
        "expected": _may(float, "shares expected in them"),
        "n": _may(int, "scored cells behind the figure"),
        **_RUN_ID,
    },
)
Sharer: Final = _row("Sharer", "cascade_edges", leave=("content_id",))
Calibration: Final = _row("Calibration", "calibration")
Note: Final = _row("Note", "notes", leave=("number",))
CascadeRow: Final = _row("CascadeRow", "cascades")

_AUTHORITY: Final = {c.name: c for c in RESULTS["authority"].columns}
_MEMBERSHIP: Final = {c.name: c for c in RESULTS["memberships"].columns}

Member: Final = create_model(
    "Member",
    __doc__="a member of a community",
    user_id=_field(_MEMBERSHIP["user_id"]),
    name=_may(str, "the display name"),
    handle=_may(str, "the name in addresses and mentions, without @"),
    platform=_may(str, "where the account is"),
    followers_count=_may(int, "followers, as the platform said"),
    confidence=_field(_MEMBERSHIP["confidence"]),
    stability=_field(_MEMBERSHIP["stability"]),
    authority=_may(float, f"{_AUTHORITY['authority'].about}, inside the community"),
    percentile=_may(float, _AUTHORITY["percentile"].about),
    rank=_may(int, _AUTHORITY["rank"].about),
)


class Answer(BaseModel):
    """What every answer says about where its figures come from."""

    run_id: str = Field(description="the run")
    tier: str | None = Field(description="impressions, follows or affinity; null: nothing scored")
    called: str = Field(description="what the score may be called at this tier")
    made: list[str] = Field(description="titles of loaded data that were made up")
    beside: list[str] = Field(description="what the run says about all its scores")


def _page(name: str, items: Any, about: str, **more: Any) -> Any:
    return create_model(
        name,
        __base__=Answer,
        __doc__=about,
        items=(_list_of(items), Field(description="the rows of this page")),
        next=(str | None, Field(description="pass as `cursor` for the next page; null: the last")),
        **more,
    )


CommunityPage: Final = _page("CommunityPage", Community, "communities, largest first")
MemberPage: Final = _page("MemberPage", Member, "members, by authority inside the community")
ScorePage: Final = _page("ScorePage", Score, "scores, by their lower bound")
CommunityAnswer: Final = create_model(
    "CommunityAnswer", __base__=Answer, __doc__="one community", community=(Community, ...)
)


class ContentFacts(BaseModel):
    """What is known of a content, without its text."""

    content_id: str
    platform: str | None
    kind: str | None
    author_id: str | None
    created_at: datetime | None
    url: str | None


Cascade: Final = _page(
    "Cascade",
    Sharer,
    "how one content travelled: its figures, and who passed it on in the order of time",
    content=(ContentFacts | None, Field(description="null where the store has lost it")),
    cascade=(CascadeRow, Field(description="counts and indices over all its shares")),
)


def _columns(name: str, about: str, columns: Sequence[Column], leave: tuple[str, ...] = ()) -> Any:
    fields: Fields = {c.name: _field(c) for c in columns if c.name not in leave}
    return create_model(name, __doc__=about, **fields)


_OF_TWO: Final = ("with_kind", "with_id", "with_label")
_OF_ALL: Final = ("potential_overlap", "exposed_overlap")
_OF_ONE: Final = ("source_kind", "source_id", "label")

ReachAnswer: Final = create_model(
    "ReachAnswer",
    __base__=Answer,
    __doc__="distinct people that sources reach, each and together",
    sources=(
        _list_of(
            _columns("SourceReach", "the people one reaches", REACH, ("part", *_OF_TWO, *_OF_ALL))
        ),
        Field(description="each of them, in the order asked for"),
    ),
    all=(
        _columns("JointReach", "the people all reach", REACH, ("part", *_OF_ONE, *_OF_TWO)),
        Field(description="all together, each person counted once"),
    ),
    overlaps=(
        _list_of(
            _columns(
                "Overlap",
                "the people two reach",
                REACH,
                ("part", *_OF_ALL, "penetration", "conversion"),
            )
        ),
        Field(description="each two whose audiences overlap; never one not told from none"),
    ),
)


SeedsAnswer: Final = create_model(
    "SeedsAnswer",
    __base__=Answer,
    __doc__="whom to talk to, beside the lists it must beat; experimental",
    items=(
        _list_of(_columns("Seed", "a place in one of the lists", SEEDS)),
        Field(description="each list in its order"),
    ),
    certain=(
        float,
        Field(description="part of the best possible that the choice surely reaches [0,1]"),
    ),
    said=(list[str], Field(description="what the choice is worth, and what that rests on")),
)


class Run(BaseModel):
    """An analysis."""

    model_config = ConfigDict(from_attributes=True)

    run_id: str
    created_at: datetime
    active: bool = Field(description="what is answered with by default")
    stale: bool = Field(description="written by another version: analyse again")
    tier: str | None
    params: AnalysisParams
    fingerprint: str = Field(description="hash of the data it read")
    versions: dict[str, str]
    timings: dict[str, float] = Field(description="seconds by stage")
    counts: dict[str, int]
    batches: list[str] = Field(description="what was loaded by then")


class RunPage(BaseModel):
    """Runs, newest first."""

    items: list[Run]
    next: str | None = Field(description="pass as `cursor` for the next page; null: the last")


RunAnswer: Final = create_model(
    "RunAnswer",
    __base__=Answer,
    __doc__="one run, what it has to say about itself, and how far to believe it",
    run=(Run, ...),
    notes=(_list_of(Note), ...),
    calibration=(_list_of(Calibration), ...),
)


class Health(BaseModel):
    """Whether there is something to answer with."""

    status: str = Field(description="ready, or empty where nothing was analysed yet")
    version: str
    run_id: str | None = Field(description="the active run")
    tier: str | None
    run_count: int
    load_count: int


ScorecardAnswer: Final = create_model(
    "ScorecardAnswer",
    __base__=Answer,
    __doc__="every element of the integration model for one source",
    source_kind=(str, Field(description="its kind")),
    source_id=(str, Field(description="its id")),
    community_id=(str | None, Field(description="only people of it; null: everyone")),
    items=(
        _list_of(_columns("Figure", "a figure of the scorecard", ASKED)),
        Field(description="in the order of the model"),
    ),
)
