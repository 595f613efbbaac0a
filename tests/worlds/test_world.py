"""The made world: the same bytes again, and what was planted is there."""

from __future__ import annotations

import tomllib
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import spearmanr

from engine.assemble import assemble
from engine.cascades import cascades
from engine.model import CANONICAL
from engine.partition import Partitions
from engine.snapshot import Snapshot
from kindred.demo import names
from kindred.demo.world import World, WorldParams, make_world, write

SMALL = WorldParams(users=400, communities=5, sources=30, brands=12, posts=400)


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


def places(world: World, snapshot: Snapshot) -> Partitions:
    planted = dict(zip(*(c.to_pylist() for c in world.places.columns), strict=True))
    reference = np.array([planted[u] for u in snapshot.users.user_id.to_pylist()], np.int32)
    return Partitions(
        reference,
        reference[None, :],
        np.ones(len(reference)),
        np.ones(world.params.communities, np.bool_),
        1.0,
    )


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.*"))}


def test_the_same_parameters_write_the_same_bytes(tmp_path: Path) -> None:
    for name, params in (
        ("a", SMALL),
        ("b", SMALL),
        ("c", WorldParams(users=400, communities=5, sources=30, brands=12, posts=400, seed=2)),
    ):
        assert write(make_world(params), tmp_path / name) == tmp_path / name / "tables"
    assert files(tmp_path / "a") == files(tmp_path / "b")
    same = [f for f, data in files(tmp_path / "c").items() if files(tmp_path / "a")[f] == data]
    assert same == []


def test_what_is_written_is_a_canonical_folder_and_the_answer_lies_apart(tmp_path: Path) -> None:
    made = make_world(SMALL)
    tables = write(made, tmp_path)
    assert {p.name for p in tables.iterdir()} == {
        "source.toml",
        *(f"{name}.parquet" for name in made.tables),
    }
    for name, rows in made.tables.items():
        stored = pq.read_table(tables / f"{name}.parquet")
        assert stored.equals(rows)
        assert set(CANONICAL[name].required) <= set(stored.column_names)
        assert set(stored.column_names) <= set(CANONICAL[name].schema.names)
    source = tomllib.loads((tables / "source.toml").read_text(encoding="utf-8"))
    assert source["made"] is True
    assert source["title"].startswith("A made world")
    assert pq.read_table(tmp_path / "truth" / "truth.parquet").equals(made.truth)
    words = {c for rows in made.tables.values() for c in rows.column_names}
    assert not words & {"lift", "planted", "community"}


def test_it_has_the_size_of_a_demo(world: World) -> None:
    rows = {name: table.num_rows for name, table in world.tables.items()}
    assert rows["users"] == 3_080
    assert rows["brands"] == 60
    assert 60_000 <= rows["shares"] <= 150_000
    assert world.truth.num_rows == 150 * 12


def test_no_two_have_one_name(world: World) -> None:
    users = world.tables["users"]
    for column in ("user_id", "name", "handle"):
        assert users[column].null_count == 0
        assert len(users[column].unique()) == users.num_rows
    brands = world.tables["brands"]
    assert len(brands["brand_id"].unique()) == len(brands["name"].unique()) == brands.num_rows
    posts = world.tables["content"]
    assert len(posts["content_id"].unique()) == posts.num_rows
    assert not set(posts["content_id"].to_pylist()) & set(users["user_id"].to_pylist())


def test_parts_of_names_never_spell_the_same_name() -> None:
    surnames = ["".join(p) for p in product(names._ONSETS, names._MIDDLES, names._ENDS)]
    assert len(set(surnames)) == len(surnames)
    stems = ["".join(p) for p in product(names._STEMS, names._STEM_ENDS)]
    assert len(set(stems)) == len(stems)
    assert len(set(names._FIRST)) == len(names._FIRST)
    many = names.brand_names([names.THEMES[0]] * 2_000, np.random.default_rng(1))
    assert len(set(many)) == 2_000
    with pytest.raises(ValueError, match="there are only"):
        names.brand_names([names.THEMES[0]] * 500_000, np.random.default_rng(1))


def test_follows_mix_as_asked() -> None:
    """Half of what leaves a community goes next door, the rest anywhere, home included."""
    made = make_world(WorldParams(sources=1_500, brands=300, posts=10))
    planted = dict(zip(*(c.to_pylist() for c in made.places.columns), strict=True))
    sources = {
        *made.truth["source_id"].to_pylist(),
        *made.tables["brand_members"]["value"].to_pylist(),
    }
    follower, followee = (
        made.tables["follows"][c].to_pylist() for c in ("follower_id", "followee_id")
    )
    step = np.array([planted[a] - planted[b] for a, b in zip(follower, followee, strict=True)]) % 12
    to_source = np.array([u in sources for u in followee])
    assert to_source.mean() == pytest.approx(0.6, abs=0.03)
    for group, mixing in ((~to_source, 0.35), (to_source, 0.85)):
        leaves, next_door = (step[group] > 0).mean(), np.isin(step[group], (1, 11)).mean()
        assert leaves == pytest.approx(mixing * (1 - 0.5 / 12), abs=0.03)
        assert next_door == pytest.approx(mixing / 2 * (1 + 2 / 12), abs=0.03)


def test_who_is_taken_to_does_not_depend_on_who_is_loud() -> None:
    for seed in (1, 2, 3):
        made = make_world(WorldParams(sources=600, brands=200, posts=10, seed=seed))
        shape = (600, 12)
        lift = made.truth["lift"].to_numpy().reshape(shape)
        followers = made.truth["followers_count"].to_numpy().reshape(shape)
        planted = made.truth["planted"].to_numpy().reshape(shape)
        assert abs(spearmanr(lift.mean(axis=1), followers.sum(axis=1))[0]) < 0.15
        assert abs(spearmanr(planted.sum(axis=1), followers.sum(axis=1))[0]) < 0.15
        assert abs(spearmanr(lift.ravel(), followers.ravel())[0]) < 0.15


def test_the_default_world_is_one_of_them(world: World) -> None:
    lift = world.truth["lift"].to_numpy().reshape(150, 12)
    followers = world.truth["followers_count"].to_numpy().reshape(150, 12)
    assert abs(spearmanr(lift.mean(axis=1), followers.sum(axis=1))[0]) < 0.15
    assert 80 <= int(world.truth["planted"].to_numpy().sum()) <= 180


def test_people_pass_on_what_their_community_takes_to(world: World) -> None:
    """Shares over exposures of a cell, against the community's own rate, follow the lift."""
    people = dict(zip(*(c.to_pylist() for c in world.places.columns), strict=True))
    tables = world.tables
    account = tables["brand_members"].filter(
        pa.array([k == "account" for k in tables["brand_members"]["kind"].to_pylist()])
    )
    owner = dict(zip(account["value"].to_pylist(), account["brand_id"].to_pylist(), strict=True))
    author = dict(
        zip(
            tables["content"]["content_id"].to_pylist(),
            tables["content"]["author_id"].to_pylist(),
            strict=True,
        )
    )
    cell = {
        (s, c): i
        for i, (s, c) in enumerate(
            zip(
                world.truth["source_id"].to_pylist(),
                world.truth["community"].to_pylist(),
                strict=True,
            )
        )
    }
    count = np.zeros(len(cell))
    for user, content in zip(
        tables["shares"]["user_id"].to_pylist(),
        tables["shares"]["content_id"].to_pylist(),
        strict=True,
    ):
        by = author[content]
        count[cell[owner.get(by, by), people[user]]] += 1
    shared = count.reshape(150, 12)
    shown = world.truth["exposure_count"].to_numpy().astype(float).reshape(150, 12)
    rate = shared.sum(axis=0) / shown.sum(axis=0)
    lift = world.truth["lift"].to_numpy().reshape(150, 12)
    enough = shown > 500
    realised = (shared / np.maximum(shown, 1) / rate)[enough]
    assert enough.sum() > 500
    assert spearmanr(realised, lift[enough])[0] > 0.6
    planted = world.truth["planted"].to_numpy().reshape(150, 12)[enough]
    assert np.median(realised[planted]) > 3 * np.median(realised[~planted])


def test_every_share_has_its_true_parent_and_some_chains_are_long(world: World) -> None:
    snapshot = assemble(dict(world.tables))
    found, edges = cascades(snapshot, places(world, snapshot))
    assert edges.num_rows == world.tables["shares"].num_rows
    assert set(found["parent_method"].to_pylist()) == {"via"}
    assert sum(found["missing_parent_count"].to_pylist()) == 0
    assert {tuple(f) for f in found["flags"].to_pylist()} == {()}
    depth = found["depth_max"].to_numpy()
    assert (depth > 2).mean() > 0.1
    assert 5 < depth.max() < 60
    # Who passes on was shown it: a sharer follows the parent.
    follows = world.tables["follows"]
    pairs = set(
        zip(follows["follower_id"].to_pylist(), follows["followee_id"].to_pylist(), strict=True)
    )
    shares = world.tables["shares"]
    told = zip(shares["user_id"].to_pylist(), shares["via_user_id"].to_pylist(), strict=True)
    assert all(pair in pairs for pair in told)


def test_a_world_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="3 communities"):
        WorldParams(communities=2)
