"""Seeds: the choice against every choice, the spread against every draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pytest

import kindred
from engine.audiences import Pairs
from engine.errors import NotFound, TooLittleData, UsageError
from engine.kernels.seeds import forward, reverse_sets
from engine.max_cover import choose
from engine.seeds import COLUMNS, spread_of
from kindred.demo.world import WorldParams, make_world, write
from tests.engine.reaching import made, partition, scene_of, snapshot_of

Edges = list[tuple[int, int]]
Flags = npt.NDArray[np.bool_]

EDGES: Edges = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (5, 4), (5, 6), (6, 0), (4, 5), (1, 6)]
"""Who is heard by whom, among seven people."""
CHANCE = np.array([0.3, 0.6, 0.2, 0.9, 0.5, 0.1, 0.4])
WEIGHT = np.array([1.0, 0.0, 2.0, 1.5, 1.0, 3.0, 0.5])
PEOPLE = 7


def heard() -> Pairs:
    by, to = np.array(EDGES).T
    return Pairs.of(by, to, PEOPLE, PEOPLE)


def every_draw() -> Iterator[tuple[float, Edges]]:
    """Yield every way the ties may turn out, with its probability."""
    for live in product((False, True), repeat=len(EDGES)):
        odds = [CHANCE[v] if on else 1 - CHANCE[v] for (_, v), on in zip(EDGES, live, strict=True)]
        yield float(np.prod(odds)), [e for e, on in zip(EDGES, live, strict=True) if on]


def reached(ties: Edges, start: set[int]) -> set[int]:
    """Return whom a start reaches, itself included."""
    found = set(start)
    while fresh := {v for u, v in ties if u in found} - found:
        found |= fresh
    return found


def moved_by_others(ties: Edges, start: tuple[int, ...]) -> set[int]:
    """Return whom somebody else of the start reaches."""
    return {v for u in start for v in reached(ties, {u}) - {u}}


DRAWS = list(every_draw())


def expected(start: tuple[int, ...]) -> float:
    moved = [(odds, list(moved_by_others(ties, start))) for odds, ties in DRAWS]
    return float(sum(odds * WEIGHT[people].sum() for odds, people in moved))


def test_the_choice_is_nearly_the_best_of_all() -> None:
    allowed = np.ones(PEOPLE, np.bool_)
    allowed[3] = False
    choices = {c: expected(c) for c in combinations((0, 1, 2, 4, 5, 6), 2)}
    best = max(choices.values())
    for seed in range(5):
        found = choose(heard().reverse(PEOPLE), CHANCE, WEIGHT, allowed, 2, seed=seed, epsilon=0.05)
        mine = choices[tuple(sorted(found.users.tolist()))]
        assert mine >= 0.98 * best
        assert found.reached[-1] * WEIGHT.sum() == pytest.approx(
            mine, abs=2 * WEIGHT.sum() / np.sqrt(found.sets)
        )
        assert 1 - 1 / np.e - 0.05 <= found.certain <= mine / best
        assert not found.cut


def test_reverse_sets_hold_whom_the_draws_say() -> None:
    follows = heard().reverse(PEOPLE)
    target = np.flatnonzero(WEIGHT).astype(np.int32)
    sets = 60_000
    offset, user = reverse_sets(
        0, sets, 10**9, 1, target, np.cumsum(WEIGHT[target]),
        follows.offset, follows.thing.astype(np.int32), CHANCE,
    )  # fmt: skip
    assert len(offset) == sets + 1
    share = np.bincount(user, minlength=PEOPLE) / sets
    exact = np.array([expected((v,)) for v in range(PEOPLE)]) / WEIGHT.sum()
    assert np.abs(share - exact).max() < 4 * 0.5 / np.sqrt(sets)


def test_a_set_is_the_same_whatever_was_drawn_before() -> None:
    follows = heard().reverse(PEOPLE)
    target, running = np.arange(PEOPLE, dtype=np.int32), np.cumsum(np.ones(PEOPLE))
    rest = (1, target, running, follows.offset, follows.thing.astype(np.int32), CHANCE)
    offset, user = reverse_sets(0, 50, 10**9, *rest)
    later_offset, later = reverse_sets(30, 20, 10**9, *rest)
    assert later.tolist() == user[offset[30] :].tolist()
    assert later_offset.tolist() == (offset[30:] - offset[30]).tolist()


def test_rare_chances_jump_as_often_as_they_should() -> None:
    n = 2_001
    follows = Pairs.of(np.zeros(n - 1, np.int64), np.arange(1, n), n, n)
    chance = np.zeros(n)
    for p in (0.01, 0.19, 0.21):
        chance[0] = p
        offset, _ = reverse_sets(
            0, 400, 10**9, 2, np.zeros(1, np.int32), np.ones(1),
            follows.offset, follows.thing.astype(np.int32), chance,
        )  # fmt: skip
        size = np.diff(offset)
        deviation = np.sqrt((n - 1) * p * (1 - p))
        assert abs(size.mean() - (n - 1) * p) < 4 * deviation / 20
        assert size.std() == pytest.approx(deviation, rel=0.15)


def test_the_spread_is_that_of_the_draws() -> None:
    to = heard()
    counts = np.array([True, True, False, True, True, True, True])
    start = np.array([6, 3, 0], np.int32)
    runs = 40_000
    moved = forward(5, runs, start, to.offset, to.thing.astype(np.int32), CHANCE, counts)
    for k in range(3):
        first = start[: k + 1].tolist()
        exact = sum(
            odds * counts[list(reached(ties, set(first)) - set(first))].sum()
            for odds, ties in DRAWS
        )
        assert moved[:, k].mean() == pytest.approx(exact, abs=4 * 1.5 / np.sqrt(runs))


def test_who_starts_twice_adds_nothing() -> None:
    to = heard()
    everyone = np.ones(PEOPLE, np.bool_)
    moved = forward(
        5, 200, np.array([6, 6], np.int32), to.offset, to.thing.astype(np.int32), CHANCE, everyone
    )
    assert moved[:, 0].tolist() == moved[:, 1].tolist()


def test_memory_ends_the_search_and_says_so() -> None:
    allowed = np.ones(PEOPLE, np.bool_)
    follows = heard().reverse(PEOPLE)
    found = choose(follows, CHANCE, WEIGHT, allowed, 2, most_entries=60)
    assert found.cut
    assert found.sets < 200
    assert found.certain < 1 - 1 / np.e - 0.2


def test_the_same_seed_chooses_the_same() -> None:
    allowed = np.ones(PEOPLE, np.bool_)
    follows = heard().reverse(PEOPLE)
    one, again, other = (
        choose(follows, CHANCE, WEIGHT, allowed, 2, seed=seed) for seed in (1, 1, 2)
    )
    assert one.users.tolist() == again.users.tolist()
    assert one.reached.tolist() == again.reached.tolist()
    assert one.reached.tolist() != other.reached.tolist()


def test_nobody_to_reach_is_no_choice() -> None:
    nobody = np.zeros(PEOPLE)
    found = choose(heard().reverse(PEOPLE), CHANCE, nobody, nobody == 0, 2)
    assert (found.users.tolist(), found.sets) == ([], 0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kindred.Kindred]:
    folder = tmp_path_factory.mktemp("seeds")
    small = WorldParams(
        users=500, communities=4, sources=30, brands=8, posts=1_200, habit=0.03, seed=3
    )
    tables = write(make_world(small), folder / "world")
    with kindred.connect(folder / "store") as k:
        k.load(tables)
        k.analyse(rewirings=0, ensemble=0, split=None)
        yield k


def brand_of(store: kindred.Kindred) -> str:
    return str(store.scores(kind="brand", community="c1").to_dicts()[0]["source_id"])


def test_lists_stand_beside_each_other(store: kindred.Kindred) -> None:
    told: list[str] = []

    def listen(stage: str, done: float = 0, total: float | None = None) -> None:
        told.append(f"{stage} {done} {total}")

    brand = brand_of(store)
    found = store.seeds("c1", source=brand, count=4, progress=listen)
    rows = found.to_dicts()
    assert found.columns == [column.name for column in COLUMNS]
    assert [(r["ranking"], r["rank"]) for r in rows] == [
        (ranking, rank) for ranking in ("seeds", "resonance", "authority") for rank in (1, 2, 3, 4)
    ]
    assert any("sure of" in stage for stage in told)
    assert "experimental" in found.title
    assert any("1 - 1/e" in note or "best choice" in note for note in found.notes)
    last = {r["ranking"]: r for r in rows if r["rank"] == 4}
    assert last["seeds"]["moved"] >= max(last[r]["moved"] for r in ("resonance", "authority"))
    for row in rows:
        assert row["moved_low"] <= row["moved"] <= row["moved_high"]
    check_people(store, brand, rows)


def check_people(store: kindred.Kindred, brand: str, rows: list[dict[str, Any]]) -> None:
    """Hold lists against the run's own tables, and the store's follows."""
    members = {row["user_id"] for row in store.members("c1").to_dicts()}
    follows = store.query(
        "MATCH (f:User)-[:FOLLOWS]->(u:User) RETURN f.user_id AS f, u.user_id AS u", limit=10**6
    ).to_dicts()
    own = {
        row["u"]
        for row in store.query(
            "MATCH (u:User)-[:BELONGS_TO]->(b:Brand {brand_id: $b}) RETURN u.user_id AS u",
            {"b": brand},
        ).to_dicts()
    }
    assert own
    for row in rows:
        assert row["user_id"] not in own
        assert row["is_member"] == (row["user_id"] in members)
        there = {r["f"] for r in follows if r["u"] == row["user_id"]} & members
        assert row["followers_count"] == len(there)
    users = store.scores(kind="user", community="c1").to_arrow()
    users = users.filter(pc.is_valid(users["resonance_low"]))
    order = [
        ("resonance_low", "descending"),
        ("resonance", "descending"),
        ("source_id", "ascending"),
    ]
    best = users.take(pc.sort_indices(users, sort_keys=order))["source_id"].to_pylist()
    chosen = [r["user_id"] for r in rows if r["ranking"] == "resonance"]
    assert chosen == [u for u in best if u not in own][: len(chosen)]


def test_the_same_question_has_the_same_answer(store: kindred.Kindred) -> None:
    brand = brand_of(store)
    one, again = (store.seeds("c1", source=brand, count=3).to_arrow() for _ in range(2))
    assert one.equals(again)


def test_what_cannot_be_asked(store: kindred.Kindred) -> None:
    asked: dict[type[Exception], Callable[[], object]] = {
        NotFound: lambda: store.seeds("c999", source=brand_of(store)),
        UsageError: lambda: store.seeds("c1", source=brand_of(store), count=0),
    }
    for error, ask in asked.items():
        with pytest.raises(error):
            ask()
    with pytest.raises(NotFound):
        store.seeds("c1", source="nobody at all")


def test_without_follows_nobody_is_named() -> None:
    snapshot = snapshot_of(made(1, follows=0))
    whole = scene_of(snapshot, partition(snapshot, {"x:u001": 0, "x:u002": 0}))
    with pytest.raises(TooLittleData) as found:
        spread_of(whole, np.ones(len(snapshot.users)))
    assert found.value.found.startswith("these data hold no follows (0 rows)")


def test_without_shares_of_what_one_follows_habits_are_unknown() -> None:
    tables = made(1)
    tables["shares"] = []
    snapshot = snapshot_of(tables)
    whole = scene_of(snapshot, partition(snapshot, {"x:u001": 0, "x:u002": 0}))
    with pytest.raises(TooLittleData) as found:
        spread_of(whole, np.ones(len(snapshot.users)))
    assert found.value.found.startswith("nobody shared a post of somebody they follow")
