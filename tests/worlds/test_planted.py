"""Planted worlds of a small size: the same bytes, what was planted is there, and is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from engine.csr import Floats
from engine.model import CANONICAL
from engine.resonance import score
from tests.worlds.harness import candidates, find, honesty, matrix, roll_up
from tests.worlds.outcomes import PARAMS, Outcome, snapshot_of, told
from tests.worlds.planted import SMALL, UNASSUMED, VARIANTS, Plan, World, make, write
from tests.worlds.rivals import RIVALS, rivals, shares_in
from tests.worlds.shuffled import permuted

RICH = replace(SMALL, posts=80.0)
"""Small, and shared enough to be told from chance."""


@pytest.fixture(scope="module")
def world() -> World:
    return make(RICH)


@pytest.fixture(scope="module")
def scored(world: World) -> Outcome:
    return told(world, PARAMS.model_copy(update={"min_members": 5, "min_shares": 10}))


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_plan_writes_the_same_bytes_and_a_seed_others(tmp_path: Path) -> None:
    first, again = (files(write(make(SMALL), tmp_path / name)) for name in ("a", "b"))
    other = files(write(make(replace(SMALL, seed=2)), tmp_path / "c"))
    assert first == again
    assert first.keys() == other.keys()
    assert [name for name in first if first[name] == other[name]] == []


@pytest.mark.parametrize("name", [*VARIANTS, *UNASSUMED])
def test_every_variant_is_a_canonical_folder(name: str, tmp_path: Path) -> None:
    plan = {**VARIANTS, **UNASSUMED}[name]
    small = replace(plan, users=200, communities=4, actors=40, posts=5.0, impressions=True)
    folder = write(make(small), tmp_path)
    assert {path.stem for path in folder.iterdir()} == {
        "users", "follows", "content", "shares", "impressions",
    }  # fmt: skip
    for path in folder.iterdir():
        rows, declared = pq.read_table(path), CANONICAL[path.stem]
        assert set(declared.required) <= set(rows.column_names)
        assert rows.schema.equals(pa.schema([declared.schema.field(c) for c in rows.column_names]))
        assert rows.num_rows > 0
    shares = pq.read_table(folder / "shares.parquet")
    pairs = pc.binary_join_element_wise(shares["user_id"], shares["content_id"], " ")
    if not plan.bots:
        assert len(pairs.unique()) == shares.num_rows


def test_sizes_are_those_of_the_plan() -> None:
    world = make(replace(Plan(), posts=1.0))
    part = np.sort(np.bincount(world.place, minlength=24))[::-1] / 6_000
    assert part[0] == pytest.approx(0.4, abs=0.03)
    assert part[1] > 2 * part[-1]
    assert len(world.follower) / 6_000 == pytest.approx(25.0, rel=0.1)
    # Of the .35 that leave, half goes next door and half anywhere, home included.
    own, other = world.place[world.follower], world.place[world.followee]
    assert float((own != other).mean()) == pytest.approx(0.35, abs=0.06)


def test_people_share_as_often_as_was_planted(world: World) -> None:
    """Shares of a community are what its habits, tastes and the appeal of posts make of it."""
    shared = shares_in(world).sum(axis=0)
    average = world.lift  # in units of the community's average, so only its order is used
    hot = world.planted & candidates(world)
    by_cell = np.zeros(world.lift.shape)
    expected = np.zeros(world.lift.shape)
    np.add.at(by_cell, world.actor, shares_in(world))
    np.add.at(expected, world.actor, world.habitual)
    ratio = by_cell.sum(axis=0) / expected.sum(axis=0)
    assert np.all(shared > 0)
    seen = by_cell[hot].sum() / (expected * ratio)[hot].sum()
    rest = by_cell[~hot].sum() / (expected * ratio)[~hot].sum()
    assert seen / rest == pytest.approx(
        np.average(average[hot], weights=(expected * ratio)[hot])
        / np.average(average[~hot], weights=(expected * ratio)[~hot]),
        rel=0.3,
    )


def test_with_impressions_everybody_who_shares_was_shown_it() -> None:
    world = make(replace(SMALL, impressions=True))
    shares, shown = world.tables["shares"], world.tables["impressions"]

    def pairs(rows: pa.Table) -> pa.Array:
        return pc.binary_join_element_wise(rows["user_id"], rows["content_id"], " ")

    assert pc.all(pc.is_in(pairs(shares), pairs(shown).combine_chunks())).as_py()
    assert int(pc.sum(shown["count"]).as_py()) == int(world.exposures.sum())


def test_permuting_keeps_who_shares_how_much_within_what_was_shown() -> None:
    world = make(replace(SMALL, impressions=True))
    other = permuted(world)

    def counts(w: World) -> dict[str, int]:
        rows = w.tables["shares"].group_by("user_id").aggregate([("content_id", "count")])
        return dict(
            zip(
                *(c.to_pylist() for c in rows.select(["user_id", "content_id_count"]).columns),
                strict=True,
            )
        )

    assert counts(other) == counts(world)
    mine, theirs = (
        pc.binary_join_element_wise(t["user_id"], t["content_id"], " ")
        for t in (other.tables["shares"], world.tables["impressions"])
    )
    assert pc.all(pc.is_in(mine, theirs.combine_chunks())).as_py()
    assert len(mine.unique()) == len(mine)


def test_who_knows_the_lift_finds_all_and_nobody_beats_the_oracle_by_much(
    world: World, scored: Outcome
) -> None:
    assert find(world, np.where(world.planted, 2.0, 1.0)).average_precision == 1.0
    assert set(scored.rivals) == {*RIVALS, "affinity"}
    assert scored.tier == "follows"
    # What is shown by chance is in the followers' order: no better than drawing.
    chance = float(world.planted[candidates(world)].mean())
    assert scored.rivals["followers"].average_precision < 1.5 * chance
    assert scored.score.average_precision > scored.best_rival
    assert scored.score.average_precision < scored.oracle.average_precision * 1.15


def test_intervals_hold_and_flags_are_right(scored: Outcome) -> None:
    assert 0.8 <= scored.honesty.coverage <= 1.0
    assert scored.honesty.flagged > 5
    assert scored.honesty.flagged_right >= 0.9
    assert scored.roll_up.spearman > 0.6


def test_harness_against_a_run_that_knows(world: World) -> None:
    """A table whose intervals all hold, and one whose intervals never do."""
    rows = score(snapshot_of(world), world.partitions, PARAMS).table
    ids = world.partitions.community_ids
    cells = rows.filter(pc.is_valid(rows["community_id"]))
    place = pc.index_in(cells["community_id"].combine_chunks(), ids).to_numpy()
    user = np.array([int(name[6:]) for name in cells["source_id"].to_pylist()])
    true = world.lift[np.searchsorted(world.actors, user), place]

    def with_lifts(low: Floats, high: Floats) -> pa.Table:
        made = cells
        for name, values in (("lift_low", low), ("lift_high", high), ("lift", true)):
            made = made.set_column(made.column_names.index(name), name, pa.array(values))
        return made

    assert honesty(world, with_lifts(true * 0.9, true * 1.1), ids).coverage == 1.0
    assert honesty(world, with_lifts(true * 1.1, true * 1.2), ids).coverage == 0.0
    known = matrix(world, with_lifts(true, true), "lift", ids)
    assert np.array_equal(known[~np.isnan(known)], world.lift[~np.isnan(known)])
    assert roll_up(world, rows, ids).actors > 10


def test_rivals_are_what_their_names_say(world: World) -> None:
    values = rivals(world)
    shares = np.bincount(
        [int(name[6:]) for name in world.tables["shares"]["content_id"].to_pylist()],
        minlength=len(world.actor),
    )
    for actor in (0, 7, 100):
        mine = np.sort(shares[world.actor == actor])[::-1]
        assert values["h-index"][actor, 0] == max(
            (h for h in range(1, len(mine) + 1) if mine[h - 1] >= h), default=0
        )
        assert values["total shares"][actor, 0] == mine.sum()
        assert values["followers"][actor, 0] == (world.followee == world.actors[actor]).sum()
    # Mass of a walk is that of probability: no column sums to more than one over all actors.
    assert np.all(values["personalised PageRank"].sum(axis=0) <= 1.0)
