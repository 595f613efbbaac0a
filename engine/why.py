"""Why a score is what it is: who and what carries it, and what was expected from what.

And how it would stand without its largest contributor, without the accounts that are most in
step, and without bots: counted again, with the habits of all others as they then are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine import lists
from engine.contract import Backend
from engine.csr import Floats, Ints, Longs
from engine.errors import NotFound, UsageError
from engine.in_step import in_step_counts, most_in_step
from engine.lift import Prior, posterior
from engine.model import COUNT, TEXT, TIME
from engine.recount import Counting, Habit, Recount
from engine.scene import Scene
from engine.snapshot import NO_TIME

__all__ = ["CONTENTS", "MEMBERS", "PARTS", "SHOWN", "WITHOUT", "Why", "one_source", "why"]

SHOWN: Final = 20
"""Members and contents listed where nobody says how many."""

F64: Final = pa.float64()
_LIFTS: Final = ("lift", "lift_low", "lift_high", "prob_above")
_SCORES: Final = ("resonance", "resonance_low", "resonance_high")


def _schema(*columns: tuple[str, pa.DataType]) -> pa.Schema:
    return pa.schema([pa.field(name, type) for name, type in columns])


WITHOUT: Final = _schema(
    ("variant", TEXT),
    ("member_count", COUNT),
    ("observed", F64),
    ("expected", F64),
    ("weight", F64),
    *((name, F64) for name in (*_LIFTS, *_SCORES)),
    ("reason", TEXT),
)
"""The score as it stands, and without some accounts: how many of the members went with them."""
PARTS: Final = _schema(("part", TEXT), ("platform", TEXT), ("value", F64), ("text", TEXT))
"""What the expectation is made of, in the order it is worked out."""
MEMBERS: Final = _schema(
    ("user_id", TEXT),
    ("name", TEXT),
    ("share_count", COUNT),
    ("part", F64),
    ("first_at", TIME),
    ("last_at", TIME),
    ("fold", pa.int32()),
    ("confidence", F64),
    ("is_bot", pa.bool_()),
    ("in_step_count", COUNT),
)
"""Members by how many of the shares are theirs, in the fold that scored."""
CONTENTS: Final = _schema(
    ("content_id", TEXT), ("author_id", TEXT), ("created_at", TIME), ("share_count", COUNT),
    ("part", F64),
)  # fmt: skip
"""Contents by how many of the shares are of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Why:
    """One score, taken apart. `score` is its row; `member_count` how many people carry it."""

    score: Mapping[str, Any]
    without: pa.Table
    parts: pa.Table
    members: pa.Table
    contents: pa.Table
    member_count: int
    content_count: int


def one_source(
    backend: Backend, run_id: str, name: str, kind: str | None = None
) -> tuple[str, str]:
    """Return kind and id of the one source of this name.

    Raises
    ------
    NotFound
        With the labels that look most like it.
    UsageError
        If several sources go by this name.
    """
    ids = lists.sources_named(backend, run_id, name, kind=kind)
    where: dict[str, Any] = {"source_id": ids} | ({} if kind is None else {"source_kind": kind})
    rows = backend.read("influence", run_id=run_id, where=where)
    found = sorted(
        set(zip(rows["source_kind"].to_pylist(), rows["source_id"].to_pylist(), strict=True))
    )
    if len(found) > 1:
        raise UsageError(
            f"the one source '{name}'",
            "several go by this name: " + ", ".join(f"{k} {i}" for k, i in found[:5]),
            "say which with --kind, or give its id",
        )
    return found[0]


def why(
    backend: Backend,
    scene: Scene,
    source: tuple[str, str],
    community_id: str,
    *,
    limit: int | None = SHOWN,
) -> Why:
    """Take the score of a source in a community apart.

    Parameters
    ----------
    backend, scene
        The store, the run and its data.
    source
        Kind and id, as `one_source` returns them.
    community_id
        A community of the run.
    limit
        Most members and contents.

    Raises
    ------
    NotFound
        If the source was never shared there.
    UsageError
        If the run keeps too little to say.

    Notes
    -----
    Whoever is left out did nothing at all: where exposure is known by follows, people who were
    shown it by them alone were then not shown it, and their shares are not counted either.

    Counts all events of that kind of source up to four times, in the tier of the run: with
    unknown exposure some seconds for 10^7, with known exposure what the run spent on scoring
    them, each time.
    """
    kind, source_id = source
    run_id = scene.run.run_id
    row = _row(backend, run_id, kind, source_id, community_id)
    counting, label = Counting.of(backend, scene, kind), scene.label(community_id)
    whole = counting.cells(pa.array([source_id], TEXT))
    carried = np.flatnonzero((whole.source == 0) & (whole.label == label))
    variants = _without(counting, source_id, label, whole.shares.user[carried])
    user, content = whole.shares.user[carried], whole.shares.content[carried]
    return Why(
        score=row,
        without=pa.Table.from_pylist([_as_scored(row), *variants], WITHOUT),
        parts=pa.Table.from_pylist(list(_expected(scene, whole, label, row)), PARTS),
        members=_members(scene, whole, carried, limit),
        contents=_contents(scene, content[content >= 0], len(carried), limit),
        member_count=len(np.unique(user)),
        content_count=len(np.unique(content[content >= 0])),
    )


def _row(
    backend: Backend, run_id: str, kind: str, source_id: str, community_id: str
) -> dict[str, Any]:
    lists.community(backend, run_id, community_id)
    page = lists.scores(backend, run_id, source_ids=[source_id], kind=kind, roll_up=False)
    rows: list[dict[str, Any]] = page.rows.to_pylist()
    for row in rows:
        if row["community_id"] == community_id:
            return row
    where = ", ".join(row["community_id"] for row in rows[:5])
    raise NotFound(
        f"why {source_id} scores as it does in {community_id}",
        f"nobody there shared it; it has scores in {where or 'no community'}",
        "list its scores with: kindred resonance SOURCE",
    )


def _as_scored(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("observed", "expected", "weight", *_LIFTS, *_SCORES)
    reason = None if row["lift"] is not None else "nothing else was shared there to compare with"
    return {"variant": "as scored", "member_count": 0, "reason": reason} | {
        name: row[name] for name in names
    }


def _without(
    counting: Counting, source_id: str, label: int, user: Ints
) -> Iterator[dict[str, Any]]:
    """Yield the score without some accounts, everywhere: their habits go with their shares."""
    scene = counting.scene
    n, bots = len(scene.snapshot.users), scene.snapshot.users.is_bot
    count = np.bincount(user, minlength=n)
    largest = np.zeros(n, np.bool_)
    largest[int(count.argmax())] = True
    told = bool(np.any(bots >= 0))
    cases = (
        ("without the largest contributor", largest, "nobody who was shown it shared it"),
        (
            "without the 1 % most in step",
            most_in_step(scene.shares, n),
            "no two shares of a content are within ten seconds",
        ),
        (
            "without bots",
            bots == 1,
            "no account is marked as a bot"
            if told
            else "the data do not say which accounts are bots",
        ),
    )
    for variant, gone, nobody in cases:
        left = int(np.count_nonzero(gone & (count > 0)))
        base = {"variant": variant, "member_count": left}
        if not gone.any() or not len(user):
            yield base | {"reason": nobody}
            continue
        again = counting.cells(pa.array([source_id], TEXT), without=gone)
        yield base | _figures(again, label, counting.prior)


def _figures(found: Recount, label: int, prior: Prior) -> dict[str, Any]:
    observed, expected = float(found.observed[0, label]), float(found.expected[0, label])
    if np.isnan(expected):
        return {"observed": observed, "reason": "nothing is expected there to compare with"}
    weight = float(found.weight[0, label])
    p = posterior(prior, [weight * observed], [weight * expected])
    return {"observed": observed, "expected": expected, "weight": weight} | {
        name: float(getattr(p, name)[0]) for name in (*_LIFTS, *_SCORES)
    }


def _expected(
    scene: Scene, found: Recount, label: int, row: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield what the expectation is made of, as far as the tier knows it."""
    if found.habit is not None:
        yield from _by_habit(scene, found.habit, float(found.observed[0, label]), label)
    elif found.exposure is not None and found.at_risk is not None:
        shown, raw = float(found.exposure[0, label]), float(found.at_risk[0, label])
        yield _part("exposure", shown, "times members were shown it before they shared it")
        if shown > 0:
            yield _part("habit", raw / shown, "shares for an exposure, mean over those shown it")
        yield _part("at risk", raw, "exposures, each with the habit of whoever was shown")
    if row["expected"] is not None:
        yield _part("expected", row["expected"], "what the shares are held against")
    if row["weight"] is not None:
        yield _part("weight", row["weight"], "what a share counts: less where they come in bunches")
    if row["pull"] is not None:
        yield _part(
            "pull", row["pull"], "part of all shares there by people not shown it: left out"
        )


def _by_habit(scene: Scene, habit: Habit, own: float, label: int) -> Iterator[dict[str, Any]]:
    chance = 0.0
    for p, platform in enumerate(scene.snapshot.platforms):
        volume, rate = int(habit.volume[0, p]), float(habit.rate[0, p, label])
        if volume:
            chance += volume * rate
            yield _part("volume", volume, "shares of the source there, by anyone", platform)
            yield _part("habit", rate, "the community's part of all sharing there", platform)
    total = float(habit.total[0, label])
    yield _part("chance", chance, "volume times habit, over all platforms")
    yield _part("community", total, "shares the community made of sources of the same fold")
    yield _part("own", own, "of them, of this source: left out of the habit")
    if total > own and total > chance:
        factor = (total - own) / (total - chance)
        yield _part(
            "left out", factor, "factor on chance: (community - own) / (community - chance)"
        )


def _part(part: str, value: float, text: str, platform: str | None = None) -> dict[str, Any]:
    return {"part": part, "platform": platform, "value": float(value), "text": text}


def _members(scene: Scene, found: Recount, carried: Longs, limit: int | None) -> pa.Table:
    users, snapshot = scene.snapshot.users, scene.snapshot
    user, at = found.shares.user[carried], found.shares.at[carried]
    who, of, count = np.unique(user, return_inverse=True, return_counts=True)
    first, last = _ends(of, at, len(who))
    order = np.lexsort((who, -count))[:limit]
    step = in_step_counts(scene.shares, len(users))
    bot = users.is_bot[who[order]]
    confidence = scene.partitions.confidence[who[order]]
    n = len(order)
    return pa.table(
        {
            "user_id": snapshot.users.user_id.take(pa.array(who[order])),
            "name": users.shown.take(pa.array(who[order])),
            "share_count": pa.array(count[order], COUNT),
            "part": pa.array(count[order] / len(carried)),
            "first_at": _moments(first[order]),
            "last_at": _moments(last[order]),
            "fold": pa.array(np.full(n, found.fold[0], np.int32)),
            "confidence": pa.array(confidence, mask=np.isnan(confidence)),
            "is_bot": pa.array(bot == 1, mask=bot < 0),
            "in_step_count": pa.array(step[who[order]]),
        },
        schema=MEMBERS,
    )


def _ends(group: npt.NDArray[np.intp], at: Longs, groups: int) -> tuple[Longs, Longs]:
    """Return the first and last known time of each group, `NO_TIME` without."""
    timed = at != NO_TIME
    first = np.full(groups, np.iinfo(np.int64).max)
    last = np.full(groups, NO_TIME, np.int64)
    np.minimum.at(first, group[timed], at[timed])
    np.maximum.at(last, group[timed], at[timed])
    return np.where(last == NO_TIME, NO_TIME, first), last


def _moments(at: Longs) -> pa.Array:
    return pa.array(at, mask=at == NO_TIME).cast(TIME)


def _contents(scene: Scene, content: Ints, of: int, limit: int | None) -> pa.Table:
    contents, users = scene.snapshot.contents, scene.snapshot.users
    which, count = np.unique(content, return_counts=True)
    order = np.lexsort((which, -count))[:limit]
    which, count = which[order], count[order]
    author = contents.author[which]
    part: Floats = count / of
    return pa.table(
        {
            "content_id": contents.content_id.take(pa.array(which)),
            "author_id": users.user_id.take(pa.array(author, mask=author < 0)),
            "created_at": _moments(contents.created_at[which]),
            "share_count": pa.array(count, COUNT),
            "part": pa.array(part),
        },
        schema=CONTENTS,
    )
