"""The people that sources reach together, against sets."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from engine.campaign import COLUMNS, MOST_SOURCES, PRECISION, joint
from engine.errors import NotFound, UsageError
from engine.params import AnalysisParams
from engine.scene import Scene
from engine.sketch import relative_deviation
from engine.window import seen
from tests.engine.reaching import Known, Tables, known, made, partition, scene_of, snapshot_of

ASKED = [("brand", "brand:bo"), ("user", "x:u003"), ("hashtag", "hashtag:b.org"),
         ("brand", "brand:acme"), ("user", "x:u004")]  # fmt: skip
WORLDS = {
    "follows": {"follows": 90},
    "impressions": {"follows": 60, "impressions": 60},
    "interaction": {"follows": 0, "interactions": 25},
}


def scene(tables: Tables) -> Scene:
    snapshot = snapshot_of(tables)
    return scene_of(snapshot, partition(snapshot, {}))


def members(whole: Scene, people: set[str]) -> Any:
    return np.array([u in people for u in whole.snapshot.users.user_id.to_pylist()])


def union(parts: list[set[str] | None]) -> set[str] | None:
    some = [part for part in parts if part is not None]
    return set().union(*some) if some else None


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("few", [False, True])
def test_each_and_all_are_counted_by_sets(name: str, seed: int, few: bool) -> None:  # noqa: FBT001
    tables = made(seed, **WORLDS[name])
    whole = scene(tables)
    everybody = set(whole.snapshot.users.user_id.to_pylist())
    here = {u for u in everybody if int(u[-3:]) % 3} if few else everybody
    rows = joint(
        whole, ASKED, "c7" if few else None, members(whole, here) if few else None
    ).to_pylist()
    people = [known(tables, kind, source_id) for kind, source_id in ASKED]
    assert [row["part"] for row in rows[:6]] == ["source"] * 5 + ["all"]
    assert {row["community_id"] for row in rows} == {"c7" if few else None}
    for row, (kind, source_id), right in zip(rows, ASKED, people, strict=False):
        assert (row["source_kind"], row["source_id"]) == (kind, source_id)
        check(row, right.potential, right.exposed, right.passed, here)
        assert row["basis"] == right.basis
    potential = union([right.potential for right in people])
    exposed = union([right.exposed for right in people]) or set()
    passed = union([right.passed for right in people]) or set()
    check(rows[5], potential, exposed, passed, here)
    assert rows[5]["exposed_overlap"] == sum(len(p.exposed & here) for p in people) - len(
        exposed & here
    )
    assert ("mixed_basis" in rows[5]["flags"]) == (len({p.basis for p in people}) > 1)
    overlaps = {(r["source_id"], r["with_id"]): r for r in rows[6:]}
    assert len(overlaps) == len(rows) - 6
    for (one, mine), (other, theirs) in combinations(zip(ASKED, people, strict=True), 2):
        check_overlap(overlaps.get((one[1], other[1])), mine, theirs, here)


def check(
    row: dict[str, Any],
    potential: set[str] | None,
    exposed: set[str],
    passed: set[str],
    here: set[str],
) -> None:
    assert row["potential_count"] == (None if potential is None else len(potential & here))
    count = len(exposed & here)
    bound = row["basis"] == "interaction"
    figures = (row["exposed_count"], row["exposed_low"], row["exposed_high"])
    assert figures == (count, count, None if bound else count)
    assert row["penetration"] == pytest.approx(count / len(here))
    right = None if bound or not count else pytest.approx(len(passed & here) / count)
    assert row["conversion"] == right
    assert row["method"] == "exact"


def check_overlap(row: dict[str, Any] | None, one: Known, other: Known, here: set[str]) -> None:
    exposed = len(one.exposed & other.exposed & here)
    potential = None
    if one.potential is not None and other.potential is not None:
        potential = len(one.potential & other.potential & here)
    if row is None:
        assert not exposed
        assert not potential
        return
    assert (row["potential_count"] or 0, row["exposed_count"] or 0) == (potential or 0, exposed)


def test_a_source_named_twice_counts_once() -> None:
    whole = scene(made(1))
    assert joint(whole, ASKED[:1] * 3).equals(joint(whole, ASKED[:1]))


def test_columns_are_as_declared() -> None:
    found = joint(scene(made(1)), ASKED)
    assert found.column_names == [column.name for column in COLUMNS]
    for column in COLUMNS:
        assert not (column.required and found[column.name].null_count)


def test_contents_and_platforms_are_asked_for_like_other_sources() -> None:
    tables = made(3)
    follows = {(row["follower_id"], row["followee_id"]) for row in tables["follows"]}
    author = {row["content_id"]: row["author_id"] for row in tables["content"]}
    sharers = {
        row["user_id"]
        for row in tables["shares"]
        if row["content_id"] == "x:p4" and row["user_id"] != author["x:p4"]
    }
    exposed = {u for u, v in follows if v in sharers | {author["x:p4"]}}
    asked = [("content", "x:p4"), ("platform", "x")]
    one, whole = joint(scene(tables), asked).to_pylist()[:2]
    assert (one["source_id"], one["exposed_count"]) == ("x:p4", len(exposed))
    assert one["conversion"] == len(sharers & exposed) / len(exposed)
    posters = set(author.values()) | {
        row["user_id"] for row in tables["shares"] if row["user_id"] != author[row["content_id"]]
    }
    assert whole["exposed_count"] == len({u for u, v in follows if v in posters})
    assert one["flags"] == whole["flags"] == ["no_accounts"]


def test_what_was_posted_before_a_window_reaches_nobody_in_it() -> None:
    def day(number: int) -> datetime:
        return datetime(2024, 5, number, tzinfo=UTC)

    tables: Tables = {
        "content": [
            {"content_id": f"x:{n}", "author_id": "x:a", "created_at": day(n)} for n in (1, 2, 9)
        ],
        "shares": [
            {"user_id": "x:b", "content_id": "x:1", "at": day(1)},
            {"user_id": "x:c", "content_id": "x:2", "at": day(9)},
        ],
        "follows": [
            {"follower_id": f"x:f{who}", "followee_id": f"x:{who}"} for who in ("a", "b", "c")
        ],
    }
    exposed = {}
    for since in (1, 9):
        snapshot, _ = seen(snapshot_of(tables), AnalysisParams(since=day(since)))
        whole = scene_of(snapshot, partition(snapshot, {}))
        asked = [("content", f"x:{n}") for n in (1, 2, 9)]
        exposed[since] = [row["exposed_count"] for row in joint(whole, asked).to_pylist()[:4]]
    assert exposed == {1: [2, 2, 1, 3], 9: [0, 1, 1, 2]}


def test_large_sets_are_sketched_and_small_overlaps_kept_quiet() -> None:
    users = 4_000
    tables: Tables = {
        "users": [{"user_id": f"x:u{i:04}"} for i in range(users)],
        "content": [{"content_id": f"x:p{i}", "author_id": f"x:u{i:04}"} for i in range(3)],
        "shares": [],
        "follows": [
            *({"follower_id": f"x:u{i:04}", "followee_id": "x:u0000"} for i in range(10, 2_000)),
            *({"follower_id": f"x:u{i:04}", "followee_id": "x:u0001"} for i in range(1_000, 3_500)),
            *({"follower_id": f"x:u{i:04}", "followee_id": "x:u0002"} for i in range(1_995, 3_995)),
        ],
    }
    whole = scene(tables)
    asked = [("user", f"x:u000{i}") for i in range(3)]
    exact = joint(whole, asked).to_pylist()
    rough = joint(whole, asked, most_bytes=0).to_pylist()
    assert [row["exposed_count"] for row in exact] == [1_990, 2_500, 2_000, 3_985, 1_000, 5, 1_505]
    # Five people in common cannot be told from none.
    assert [(r["source_id"], r["with_id"]) for r in rough[4:]] == [
        ("x:u0000", "x:u0001"), ("x:u0001", "x:u0002"),
    ]  # fmt: skip
    for row, right in zip(rough, [*exact[:5], exact[6]], strict=True):
        assert row["method"] == f"hyperloglog(p={PRECISION})"
        deviation = relative_deviation(PRECISION) * 4_000
        assert row["exposed_count"] == pytest.approx(right["exposed_count"], abs=4 * deviation)
        assert row["exposed_low"] <= row["exposed_count"] <= row["exposed_high"]


def test_what_cannot_be_asked() -> None:
    whole = scene(made(1))
    with pytest.raises(NotFound) as unknown:
        joint(whole, [("user", "x:u001"), ("user", "x:nobody")])
    assert unknown.value.wanted == "the user 'x:nobody'"
    with pytest.raises(UsageError) as kind:
        joint(whole, [("person", "x:u001")])
    assert kind.value.found == "there is no such kind"
    for many in (0, MOST_SOURCES + 1):
        with pytest.raises(UsageError) as number:
            joint(whole, [("user", f"x:u{i:03}") for i in range(many)])
        assert f"the joint reach of {many} sources" == number.value.wanted
