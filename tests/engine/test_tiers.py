"""The tier of each kind of source: chosen by the data, forced, refused; and its scores."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.assemble import assemble
from engine.calibration import calibrate
from engine.content_scores import content_events
from engine.errors import TooLittleData
from engine.exposed_fit import ROUNDS, fit_exposed
from engine.lift import Prior, posterior
from engine.model import CANONICAL
from engine.params import AnalysisParams
from engine.partition import Partitions
from engine.resonance import Scored, score
from engine.snapshot import Snapshot
from engine.sources import all_events, events
from engine.tiers import choose, require
from engine.verbs import answers
from kindred.demo.score_world import average_precision
from kindred.demo.world import World, WorldParams, make_world

SMALL = WorldParams(users=900, communities=5, sources=50, brands=20, posts=2_500, seed=4)
PARAMS = AnalysisParams(sources=("user",), min_shares=1, min_members=2)
Key = tuple[str, str, str | None]


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(SMALL)


@pytest.fixture(scope="module")
def snapshot(world: World) -> Snapshot:
    return assemble(dict(world.tables))


def planted(world: World, snapshot: Snapshot, folds: int = 3) -> Partitions:
    """The planted places, alike in every fold."""
    label = np.full(len(snapshot.users), -1, np.int32)
    place = pc.index_in(world.places["user_id"].combine_chunks(), snapshot.users.user_id)
    label[place.to_numpy()] = world.places["community"].to_numpy()
    return of(label, folds)


def of(label: npt.NDArray[np.int32], folds: int = 3) -> Partitions:
    return Partitions(
        reference=label,
        folds=np.tile(label, (folds, 1)),
        confidence=np.ones(len(label)),
        scored=np.ones(int(label.max()) + 1, np.bool_),
        gamma=1.0,
    )


def rows_of(scored: Scored) -> dict[Key, dict[str, Any]]:
    return {
        (r["source_kind"], r["source_id"], r["community_id"]): r for r in scored.table.to_pylist()
    }


def found_of(world: World, scored: Scored) -> float:
    """Average precision of the lifts among cells that could be found."""
    rows = rows_of(scored)
    right, value = [], []
    for r in world.truth.to_pylist():
        if r["followers_count"] >= 3:
            row = rows.get((r["source_kind"], r["source_id"], f"c{r['community'] + 1}"))
            lift = None if row is None else row["lift"]
            right.append(r["planted"])
            value.append(-1.0 if lift is None else lift)
    return average_precision(np.array(value), np.array(right))


def test_knowing_exposure_finds_what_affinity_mixes_up(world: World, snapshot: Snapshot) -> None:
    parts = planted(world, snapshot)
    params = AnalysisParams(min_shares=1, min_members=2)
    known = score(snapshot, parts, params)
    unknown = score(snapshot, parts, params.model_copy(update={"tier": "affinity"}))
    assert (known.tier, unknown.tier) == ("follows", "affinity")
    assert found_of(world, known) > found_of(world, unknown) + 0.15


def test_rows_say_what_they_are_made_of(world: World, snapshot: Snapshot) -> None:
    scored = score(snapshot, planted(world, snapshot), PARAMS)
    rows = rows_of(scored)
    prior = scored.priors.to_pylist()
    assert {r["tier"] for r in rows.values()} == {"follows"}
    assert {(p["source_kind"], p["tier"]) for p in prior} == {("user", "follows")}
    mixture = Prior(
        prior[0]["shape"],
        np.array([p["mean"] for p in prior]),
        np.array([p["weight"] for p in prior]),
    )
    cells = [r for (_, _, c), r in rows.items() if c is not None and r["lift"] is not None]
    again = posterior(
        mixture,
        [r["weight"] * r["observed"] for r in cells],
        [r["weight"] * r["expected"] for r in cells],
    )
    # A weighted share is what the posterior is made of: any set of sources can be summed up.
    assert [r["lift"] for r in cells] == pytest.approx(again.lift.tolist(), rel=1e-6)
    assert [r["resonance"] for r in cells] == pytest.approx(again.resonance.tolist(), abs=1e-5)
    assert all(0.0 < r["weight"] <= 1.0 for r in cells)
    for (kind, source, community), r in rows.items():
        if community is None:
            of_source = [q for (k, s, c), q in rows.items() if (k, s) == (kind, source) and c]
            assert r["observed"] == sum(q["observed"] for q in of_source)
            assert r["exposure"] == pytest.approx(sum(q["exposure"] for q in of_source))
            assert (r["fit"], r["weight"], r["expected"]) == (None, None, None)
    shares = scored.kinds["user"].events
    assert sum(r["observed"] for r in cells) == len(shares) * (1 - scored.notes[0][2])  # type: ignore[operator]


def test_expected_shares_add_up_to_those_observed(world: World, snapshot: Snapshot) -> None:
    """The gauge: over all sources, those nobody shared among them."""
    found = score(snapshot, planted(world, snapshot), PARAMS).kinds["user"].found.exposed
    assert found is not None
    k = len(found.scale)
    o = np.bincount(found.community, found.weighted_observed, k)
    e = np.bincount(found.community, found.weighted_expected, k)
    assert o == pytest.approx(e)
    assert 0.2 < found.phi < 0.9  # planted: e^(0.6^2) - 1 = 0.43


def test_more_rounds_move_nothing_that_matters(world: World, snapshot: Snapshot) -> None:
    exposure = choose(snapshot, PARAMS, all_events(snapshot, PARAMS)).exposure["user"]
    labels = planted(world, snapshot).reference[None, :]
    fold = np.zeros(exposure.sources, np.int32)
    usual, long = (fit_exposed(exposure, fold, labels, 5, rounds=n) for n in (ROUNDS, 14))
    told = usual.expected > 1.0
    moved = np.abs(np.log(usual.lift[told] / long.lift[told]))
    assert moved.mean() < 0.01
    assert moved.max() < 0.15


def cut(world: World, **changed: pa.Table) -> Snapshot:
    return assemble({**world.tables, **changed})


def test_follows_that_do_not_say_who_saw_what_are_given_up(world: World) -> None:
    few = world.tables["follows"].slice(0, world.tables["follows"].num_rows // 6)
    s = cut(world, follows=few)
    shared = all_events(s, PARAMS)
    chosen = choose(s, PARAMS, shared)
    assert chosen.of("user") == "affinity"
    (note,) = chosen.notes
    assert note[2] is not None
    assert note[2] > 0.5
    assert "follows do not say who was exposed here and are not taken for it" in note[1]
    forced = choose(s, PARAMS.model_copy(update={"tier": "follows"}), shared)
    assert forced.of("user") == "follows"
    assert "this tier was asked for" in forced.notes[0][1]
    assert choose(s, PARAMS.model_copy(update={"tier": "affinity"}), shared).exposure == {}


def impressions(world: World, s: Snapshot, *, part: float = 1.0) -> pa.Table:
    """Everyone who follows an author, and everyone who shared, was shown the content once."""
    author = s.contents.author
    audience: dict[int, list[int]] = {}
    for u, v in zip(s.follows.follower.tolist(), s.follows.followee.tolist(), strict=True):
        audience.setdefault(v, []).append(u)
    pairs = {(i, u) for i, a in enumerate(author.tolist()) for u in audience.get(a, [])}
    pairs |= set(zip(s.shares.content.tolist(), s.shares.user.tolist(), strict=True))
    rows = sorted(pairs)[: int(len(pairs) * part)]
    schema = CANONICAL["impressions"].schema
    named = {
        "content_id": s.contents.content_id.take(pa.array([i for i, _ in rows])),
        "user_id": s.users.user_id.take(pa.array([u for _, u in rows])),
        "count": pa.array([1] * len(rows), schema.field("count").type),
    }
    return pa.table(named)


def test_impressions_go_before_follows_unless_they_miss_the_shares(
    world: World, snapshot: Snapshot
) -> None:
    every = cut(world, impressions=impressions(world, snapshot))
    chosen = choose(every, PARAMS, all_events(every, PARAMS))
    assert chosen.of("user") == "impressions"
    scored = score(every, planted(world, every), PARAMS)
    assert scored.tier == "impressions"
    assert found_of(world, scored) > 0.3
    some = cut(world, impressions=impressions(world, snapshot, part=0.2))
    chosen = choose(some, PARAMS, all_events(some, PARAMS))
    assert chosen.of("user") == "follows"
    assert len(chosen.notes) == 2


def test_pairs_without_contents_are_affinity() -> None:
    s = assemble(
        {
            "interactions": pa.table(
                {"user_id": ["x:a", "x:b"], "target_id": ["x:c"] * 2, "kind": ["share"] * 2}
            ),
            "follows": pa.table({"follower_id": ["x:a"], "followee_id": ["x:c"]}),
        }
    )
    chosen = choose(s, PARAMS, all_events(s, PARAMS))
    assert chosen.of("user") == "affinity"
    assert "name no content for most shares" in chosen.notes[0][1]
    with pytest.raises(TooLittleData, match="pairs of users only"):
        require(s, AnalysisParams(tier="follows"))


@pytest.mark.parametrize("tier", ["impressions", "follows"])
def test_a_tier_that_the_data_lack_is_refused_in_words(tier: str) -> None:
    s = assemble({"shares": pa.table({"user_id": ["x:b"], "content_id": ["x:1"]})})
    with pytest.raises(TooLittleData) as told:
        answers(s, AnalysisParams.model_validate({"tier": tier}))
    assert str(told.value).count("\n") == 2
    assert f"an analysis of tier {tier}" in str(told.value)
    assert "leave --tier out" in str(told.value)


def test_contents_start_from_their_author(world: World, snapshot: Snapshot) -> None:
    params = PARAMS.model_copy(update={"sources": ("content",)})
    scored = score(snapshot, planted(world, snapshot), params)
    assert set(scored.kinds) == {"user", "content"}
    part, users = scored.kinds["content"], scored.kinds["user"]
    chosen, _ = content_events(snapshot, users.events)
    assert part.events.source_id.equals(chosen.source_id)
    assert np.bincount(chosen.source).min() >= 10
    rows = rows_of(scored)
    author = {
        c: snapshot.users.user_id[int(snapshot.contents.author[i])].as_py()
        for i, c in enumerate(snapshot.contents.content_id.to_pylist())
    }
    moved = []
    for (kind, source, community), r in rows.items():
        if kind == "content" and community and r["lift"] is not None:
            assert r["weight"] == 1.0
            of_author = rows["user", author[source], community]["lift"]
            ratio = r["observed"] / r["expected"]
            # Between what its author's shares say and what its own do.
            moved.append((r["lift"] - of_author) * (ratio - of_author) > -0.05 * of_author**2)
    assert len(moved) > 100
    assert np.mean(moved) > 0.97


def test_contents_of_unknown_exposure_start_from_their_author_too(
    world: World, snapshot: Snapshot
) -> None:
    params = PARAMS.model_copy(update={"sources": ("content", "platform"), "tier": "affinity"})
    scored = score(snapshot, planted(world, snapshot), params)
    # One platform only: everything that is shared is expected of it.
    assert set(scored.kinds) == {"user", "content"}
    assert scored.kinds["content"].tier == "affinity"
    lifts = scored.kinds["content"].found.posterior.lift
    assert np.isfinite(lifts).mean() > 0.9


def test_platforms_are_the_sum_of_their_users(world: World) -> None:
    tables = dict(world.tables)
    name = tables["users"]["user_id"].to_pylist()
    platform = pa.array(["one" if int(n[6:]) % 3 else "two" for n in name])
    place = tables["users"].column_names.index("platform")
    tables["users"] = tables["users"].set_column(place, "platform", platform)
    s = assemble(tables)
    params = PARAMS.model_copy(update={"sources": ("platform",)})
    for tier in ("follows", "affinity"):
        parts = planted(world, s)
        scored = score(s, parts, params.model_copy(update={"tier": tier}))
        rows = rows_of(scored)
        assert scored.kinds["platform"].tier == tier
        of_user = dict(zip(s.users.user_id.to_pylist(), s.users.platform.tolist(), strict=True))
        for code, word in enumerate(s.platforms):
            for c in parts.community_ids.to_pylist():
                whole = rows.get(("platform", word, c))
                summed = sum(
                    r["observed"]
                    for (kind, source, community), r in rows.items()
                    if (kind, community) == ("user", c) and of_user[source] == code
                )
                assert (0.0 if whole is None else whole["observed"]) == summed
        lifts = [r["lift"] for (k, _, c), r in rows.items() if k == "platform" and c]
        # Drawn without regard to platforms: nothing in particular of either.
        assert 0.75 < np.median(lifts) < 1.35


def test_claims_with_exposure_are_held_against_later_exposure() -> None:
    s = assemble(dict(make_world(replace(SMALL, posts=5_000, seed=6)).tables))
    rows = calibrate(s, AnalysisParams(sources=("user",), gamma=1.0, folds=2)).calibration
    told = {r["method"]: r for r in rows.to_pylist()}
    assert 0.6 < told["crossfit"]["slope"] < 1.3
    assert told["crossfit"]["deviance_explained"] > 0.15
    assert told["crossfit"]["deviance_explained"] > told["crossfit"]["deviance_raw"]
    assert told["crossfit"]["deviance_explained"] > told["crossfit"]["deviance_smoothed"]


def test_topics_are_scored_by_exposure_too(world: World, snapshot: Snapshot) -> None:
    scored = score(
        snapshot, planted(world, snapshot), PARAMS.model_copy(update={"sources": ("hashtag",)})
    )
    part = scored.kinds["hashtag"]
    assert part.tier == "follows"
    assert part.found.exposed is not None
    shares = events(snapshot, "hashtag")
    cells = [r for (_, _, c), r in rows_of(scored).items() if c]
    shared = sum(r["observed"] / (1 - r["pull"]) for r in cells if r["observed"])
    assert shared <= len(shares) + 1e-6
    assert all(r["weight"] <= 1.0 for r in cells if r["weight"] is not None)


def comparable(scored: Scored) -> dict[tuple[str, str | None], list[float]]:
    figures = (
        "observed",
        "expected",
        "weight",
        "lift",
        "lift_low",
        "resonance",
        "exposure",
        "pull",
    )
    return {
        (r["source_id"], r["community_id"]): [
            float("nan") if r[f] is None else r[f] for f in figures
        ]
        for r in scored.table.to_pylist()
    }


def alike(one: Scored, other: Scored) -> None:
    a, b = comparable(one), comparable(other)
    assert a.keys() == b.keys()
    for key, figures in a.items():
        assert figures == pytest.approx(b[key], rel=1e-6, abs=1e-9, nan_ok=True)


TINY = WorldParams(users=160, communities=3, sources=12, brands=4, posts=250, habit=0.05, seed=8)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1000))
def test_row_order_doubles_and_an_isolated_user_change_nothing(seed: int) -> None:
    world = make_world(TINY)
    random = np.random.default_rng(seed)
    tables = dict(world.tables)
    s = assemble(tables)
    mixed = {
        name: rows.take(pa.array(random.permutation(rows.num_rows)))
        for name, rows in tables.items()
    }
    mixed["shares"] = pa.concat_tables([mixed["shares"], mixed["shares"].slice(0, 40)])
    lonely = pa.Table.from_pylist([{"user_id": "made:u000x"}], mixed["users"].schema)
    mixed["users"] = pa.concat_tables([mixed["users"], lonely])
    t = assemble(mixed)
    alike(score(s, planted(world, s), PARAMS), score(t, planted(world, t), PARAMS))


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1000))
def test_names_of_people_change_nothing(seed: int) -> None:
    """Another name for everyone who is no source: their order is another, and nothing else."""
    world = make_world(TINY)
    tables = dict(world.tables)
    s = assemble(tables)
    sources = set(tables["content"]["author_id"].to_pylist())
    order = np.random.default_rng(seed).permutation(10_000)

    def renamed(name: str | None) -> str | None:
        if name is None or name in sources or not name.startswith("made:u"):
            return name
        return f"made:v{order[int(name[6:])]:05d}"

    columns = {"user_id", "via_user_id", "follower_id", "followee_id", "value", "target_id"}
    new = {
        table: pa.table(
            {
                c: pa.array([renamed(v) for v in rows[c].to_pylist()], pa.string())
                if c in columns
                else rows[c]
                for c in rows.column_names
            }
        )
        for table, rows in tables.items()
    }
    t = assemble(new)
    label = dict(zip(s.users.user_id.to_pylist(), planted(world, s).reference, strict=True))
    back = {renamed(name): at for name, at in label.items()}
    moved = np.array([back[u] for u in t.users.user_id.to_pylist()], np.int32)
    alike(score(s, planted(world, s), PARAMS), score(t, of(moved), PARAMS))


def test_a_community_parted_by_label_leaves_the_exposure_of_others_alone() -> None:
    world = make_world(TINY)
    s = assemble(dict(world.tables))
    whole = planted(world, s).reference
    half = whole.copy()
    half[(whole == 0) & (np.arange(len(whole)) % 2 == 0)] = 3
    a, b = (rows_of(score(s, of(label), PARAMS)) for label in (whole, half))
    for (kind, source, c), r in a.items():
        if c in ("c2", "c3") and (kind, source, c) in b:
            q = b[kind, source, c]
            assert (q["observed"], q["exposure"], q["pull"]) == (
                r["observed"], r["exposure"], r["pull"],
            )  # fmt: skip
        if c == "c1":
            parts = [b.get((kind, source, p)) for p in ("c1", "c4")]
            assert sum(p["observed"] for p in parts if p) == r["observed"]
