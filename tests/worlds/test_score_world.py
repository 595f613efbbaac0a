"""How much of a planted answer is found: rankings that must find all, none, or half of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kindred.demo.score_world import (
    RANKINGS,
    agreement,
    average_precision,
    find_rate,
    found_communities,
    precision,
)
from kindred.demo.world import World, WorldParams, make_world


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(WorldParams(users=600, communities=5, sources=40, brands=15, posts=60))


def memberships(places: pa.Table, rename: Mapping[int, str]) -> pa.Table:
    """Say that the planted communities were found, under other names."""
    n = places.num_rows
    return pa.table(
        {
            "user_id": places["user_id"],
            "community_id": [rename[c] for c in places["community"].to_pylist()],
            "level": pa.array([1] * n, pa.int32()),
            "fold": pa.nulls(n, pa.int32()),
        }
    )


def results(world: World, rename: Mapping[int, str], value: str) -> dict[str, pa.Table]:
    """Make a run whose score is a column of the truth, and that knows nothing else."""
    truth = world.truth
    sources = truth.filter(pa.array([c == 0 for c in truth["community"].to_pylist()]))
    n = sources.num_rows
    return {
        "memberships": memberships(world.places, rename),
        "scores": pa.table(
            {
                "source_kind": truth["source_kind"],
                "source_id": truth["source_id"],
                "community_id": [rename[c] for c in truth["community"].to_pylist()],
                "observed": pa.nulls(truth.num_rows, pa.float64()),
                "lift_low": truth[value].cast(pa.float64()),
            }
        ),
        "influence": pa.table(
            {
                "source_kind": sources["source_kind"],
                "source_id": sources["source_id"],
                "followers_count": pa.array([7] * n),
                "share_count": pa.array([7] * n),
                "authority": pa.nulls(n, pa.float64()),
            }
        ),
    }


def test_who_knows_the_lift_finds_all_and_who_knows_nothing_finds_what_chance_finds(
    world: World,
) -> None:
    rename = {c: f"c{5 - c}" for c in range(5)}
    found = find_rate(results(world, rename, "lift"), world.truth, world.places)
    rates = {r["ranking"]: r for r in found.to_pylist()}
    assert list(rates) == list(RANKINGS)
    cells = world.truth.filter(
        pa.array([f >= 3 for f in world.truth["followers_count"].to_pylist()])
    )
    planted = sum(cells["planted"].to_pylist())
    base = planted / cells.num_rows
    assert {r["planted_count"] for r in rates.values()} == {planted}
    assert {r["cell_count"] for r in rates.values()} == {cells.num_rows}
    assert rates["score"]["average_precision"] > 0.98
    assert rates["score"]["precision_50"] == pytest.approx(min(planted / 50, 1.0), abs=0.03)
    for name in set(RANKINGS) - {"score"}:
        assert rates[name]["average_precision"] == pytest.approx(base)
        assert rates[name]["precision_50"] == pytest.approx(base)


def test_the_name_of_the_score_is_left_to_the_tier() -> None:
    words = " ".join(RANKINGS.values())
    assert "affinity" not in words
    assert not any(word in words for word in ("resonance", "resonates", "hollow", "gem"))


def test_communities_found_under_other_names_agree(world: World) -> None:
    rename = {c: f"c{5 - c}" for c in range(5)}
    told = memberships(world.places, rename)
    assert found_communities(told, world.places) == rename
    found = agreement(told, world.places)
    assert found.mutual_information == pytest.approx(1)
    assert found.adjusted_rand == pytest.approx(1)
    assert (found.planted_count, found.found_count) == (5, 5)
    assert found.user_count == world.places.num_rows


def test_folds_other_levels_and_strangers_are_not_looked_at(world: World) -> None:
    rename = {c: f"c{c + 1}" for c in range(5)}
    told = memberships(world.places, rename)
    noise = pa.table(
        {
            "user_id": [*told["user_id"].to_pylist()[:9], "made:nobody"],
            "community_id": ["c9"] * 10,
            "level": pa.array([1] * 4 + [2] * 5 + [1], pa.int32()),
            "fold": pa.array([0] * 4 + [None] * 6, pa.int32()),
        }
    )
    assert agreement(pa.concat_tables([told, noise]), world.places) == agreement(told, world.places)


def test_two_planted_communities_found_as_one_share_its_figures(world: World) -> None:
    rename = {0: "c1", 1: "c1", 2: "c2", 3: "c3", 4: "c4"}
    told = memberships(world.places, rename)
    assert found_communities(told, world.places) == rename
    assert agreement(told, world.places).found_count == 4


def test_average_precision_by_hand() -> None:
    right = np.array([True, False, True, False])
    assert average_precision(np.array([4.0, 3.0, 2.0, 1.0]), right) == pytest.approx(5 / 6)
    assert average_precision(np.zeros(4), right) == pytest.approx(0.5)
    assert average_precision(np.zeros(0), np.zeros(0, np.bool_)) == 0.0
    assert average_precision(np.arange(4.0), np.zeros(4, np.bool_)) == 0.0
    assert precision(np.array([4.0, 3.0, 2.0, 1.0]), right, 3) == pytest.approx(2 / 3)
    assert precision(np.array([1.0, 1.0]), np.array([True, True]), 50) == 1.0


@given(
    st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=30),
    st.integers(1, 35),
)
@settings(max_examples=60, deadline=None)
def test_level_values_count_alike_in_any_order(cells: list[tuple[int, bool]], k: int) -> None:
    values = np.array([float(v) for v, _ in cells])
    right = np.array([r for _, r in cells])
    order = np.random.default_rng(len(cells)).permutation(len(cells))
    assert average_precision(values[order], right[order]) == average_precision(values, right)
    assert precision(values[order], right[order], k) == precision(values, right, k)
    # The mean over many orders of the level ones.
    generator = np.random.default_rng(1)
    tops = [
        right[np.lexsort((generator.random(len(cells)), -values))][: min(k, len(cells))].mean()
        for _ in range(400)
    ]
    assert precision(values, right, k) == pytest.approx(float(np.mean(tops)), abs=0.12)
