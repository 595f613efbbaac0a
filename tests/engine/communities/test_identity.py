"""Ids stay with their people over new data, and the log says what became of each community."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import kindred
from engine.communities import find
from engine.errors import NotFound
from engine.found import Found
from engine.identity import Names, best_matches, name
from engine.levels import Levels
from engine.lineage import Before, start
from engine.params import AnalysisParams
from engine.snapshot import Snapshot

PARAMS = AnalysisParams(folds=2, rewirings=0, min_members=3)


def earlier(places: Mapping[str, str], **used: int) -> Before:
    """A run before that put users where `places` says, all at level 1 and equally sure."""
    ids = list(places.values())
    members = pa.table(
        {
            "user_id": pa.array(list(places), pa.string()),
            "community_id": pa.array(ids, pa.string()),
            "level": pa.array([1] * len(ids), pa.int32()),
            "confidence": pa.array([1.0] * len(ids)),
        }
    )
    sizes = {c: ids.count(c) for c in sorted(set(ids))}
    return Before("r-before", members, sizes, used or {"c": len(sizes)}, same_data=False)


def now(plant: Callable[..., Any], labels: Sequence[int]) -> tuple[Found, Snapshot]:
    """Communities as given, of users who all are equally sure to belong."""
    made = plant(len(labels), 4, 0.2, 1, (5, 10))
    snapshot = made.snapshot()
    found = find(snapshot, PARAMS, gamma=1.0)
    reference = np.array(labels, np.int32)
    parts = replace(
        found.partitions,
        reference=reference,
        confidence=np.ones(len(labels)),
        scored=np.bincount(reference[reference >= 0]) >= PARAMS.min_members,
    )
    return replace(found, partitions=parts), snapshot


def named(found: Found, snapshot: Snapshot, before: Before | None) -> Names:
    n = len(found.partitions.reference)
    none = np.empty(0, np.int32)
    levels = Levels(none, np.full(n, -1, np.int32), none, np.empty(0, np.bool_), 0)
    return name(found, levels, snapshot, PARAMS, before)


def events(names: Names) -> dict[tuple[str, str], tuple[list[str], float | None]]:
    rows = names.changes.to_pylist()
    return {
        (r["event"], r["community_id"]): (
            r["other_ids"],
            None if r["overlap"] is None else round(r["overlap"], 3),
        )
        for r in rows
    }


USERS = [f"x:{i:06}" for i in range(40)]


def test_without_a_run_before_communities_are_numbered_by_size(plant: Callable[..., Any]) -> None:
    found, snapshot = now(plant, [0] * 20 + [1] * 12 + [2] * 8)
    names = named(found, snapshot, None)
    assert names.reference.to_pylist() == ["c1", "c2", "c3"]
    assert (names.changes.num_rows, names.notes) == (0, ())


def test_kept_born_and_dead(plant: Callable[..., Any]) -> None:
    found, snapshot = now(plant, [0] * 20 + [1] * 12 + [-1] * 8)
    places = {u: "c7" if i < 16 else "c9" for i, u in enumerate(USERS) if i < 16 or i >= 32}
    names = named(found, snapshot, earlier({**places, "x:gone": "c7"}, c=11))
    assert names.reference.to_pylist() == ["c7", "c12"]
    assert events(names) == {
        ("kept", "c7"): ([], 1.0),  # among those whom both runs place
        ("birth", "c12"): ([], None),
        ("death", "c9"): ([], None),
    }
    (kept,) = (r for r in names.changes.to_pylist() if r["event"] == "kept")
    assert (kept["member_count"], kept["before_count"]) == (20, 17)
    assert kept["before_run_id"] == "r-before"
    assert names.notes == (
        ("identity", "Communities carry on the ids of run r-before: 1 kept, 1 new, 1 gone.", 1.0),
    )


def test_a_merge_keeps_the_id_of_the_greater_part(plant: Callable[..., Any]) -> None:
    found, snapshot = now(plant, [0] * 30 + [1] * 10)
    places = {u: "c1" if i < 20 else "c2" if i < 30 else "c3" for i, u in enumerate(USERS)}
    names = named(found, snapshot, earlier(places))
    assert names.reference.to_pylist() == ["c1", "c3"]
    assert events(names) == {
        ("kept", "c1"): ([], round(20 / 30, 3)),
        ("kept", "c3"): ([], 1.0),
        ("death", "c2"): ([], None),
        ("merge", "c1"): (["c1", "c2"], None),
    }


def test_a_split_leaves_the_id_with_the_greater_part(plant: Callable[..., Any]) -> None:
    found, snapshot = now(plant, [0] * 20 + [1] * 10 + [2] * 10)
    places = {u: "c1" if i < 30 else "c2" for i, u in enumerate(USERS)}
    names = named(found, snapshot, earlier(places, c=8))
    assert names.reference.to_pylist() == ["c1", "c9", "c2"]
    assert events(names) == {
        ("kept", "c1"): ([], round(20 / 30, 3)),
        ("kept", "c2"): ([], 1.0),
        ("birth", "c9"): ([], None),
        ("split", "c1"): (["c1", "c9"], None),
    }


def test_under_a_third_in_common_is_another_community(plant: Callable[..., Any]) -> None:
    found, snapshot = now(plant, [0] * 40)
    places = {u: f"c{1 + i // 10}" for i, u in enumerate(USERS)}
    assert named(found, snapshot, earlier(places)).reference.to_pylist() == ["c5"]
    places = {u: "c1" if i < 12 else f"c{i}" for i, u in enumerate(USERS)}
    assert named(found, snapshot, earlier(places, c=39)).reference.to_pylist() == ["c1"]


def test_surer_members_weigh_more(plant: Callable[..., Any]) -> None:
    found, snapshot = now(plant, [0] * 40)
    before = earlier({u: "c1" if i < 20 else "c2" for i, u in enumerate(USERS)})
    sure = pa.array([0.2] * 20 + [0.9] * 20)
    members = before.members.set_column(3, "confidence", sure)
    names = named(found, snapshot, replace(before, members=members))
    assert names.reference.to_pylist() == ["c2"]
    assert events(names)["kept", "c2"] == ([], round(0.9 * 20 / 40, 3))


def test_matching_finds_the_greatest_sum(plant: Callable[..., Any]) -> None:
    del plant
    chance = np.random.default_rng(1)
    for _ in range(50):
        table = np.where(chance.random((5, 4)) < 0.5, chance.random((5, 4)), 0.0)
        now_, then = np.nonzero(table >= 0.3)
        partner = best_matches(now_, then, table[now_, then], 5)
        chosen = [(i, p) for i, p in enumerate(partner.tolist()) if p >= 0]
        assert len({p for _, p in chosen}) == len(chosen), "one to one"
        assert all(table[i, p] >= 0.3 for i, p in chosen)
        total = sum(table[i, p] for i, p in chosen)
        assert total == pytest.approx(greatest(np.where(table >= 0.3, table, 0.0)))


def greatest(table: Any) -> float:
    """The greatest sum of entries, one a row and one a column at most, by trying them all."""
    if not len(table):
        return 0.0
    columns = np.flatnonzero(table[0]).tolist()
    rest = [table[0, c] + greatest(np.delete(table[1:], c, axis=1)) for c in columns]
    return float(max([greatest(table[1:]), *rest]))


def changed(made: Any, part: float, seed: int) -> Any:
    """Take a part of the ties away and put as many others in their place."""
    chance = np.random.default_rng(seed)
    n, kept = len(made.truth), chance.random(len(made.u)) >= part
    many = int((~kept).sum())
    u = np.append(made.u[kept], chance.integers(0, n, many))
    v = np.append(made.v[kept], chance.integers(0, n, many))
    keys = np.unique(np.minimum(u, v)[u != v] * n + np.maximum(u, v)[u != v])
    return type(made)(keys // n, keys % n, made.truth)


def kept_part(plant: Callable[..., Any], n: int, mixing: float, seed: int) -> float:
    """Part of the members who find themselves under the same id after 1 % of ties changed."""
    made = plant(n, 10, mixing, seed, (30, 200))
    first = find(made.snapshot(), PARAMS)
    ids = named(first, made.snapshot(), None).reference
    reference = first.partitions.reference
    users = made.snapshot().users.user_id
    rows = np.flatnonzero(reference >= 0)
    members = pa.table(
        {
            "user_id": users.take(pa.array(rows)),
            "community_id": ids.take(pa.array(reference[rows])),
            "level": pa.array(np.ones(len(rows), np.int32)),
            "confidence": pa.array(first.partitions.confidence[rows]),
        }
    )
    sizes = dict(zip(ids.to_pylist(), np.bincount(reference[rows]).tolist(), strict=True))
    before = Before("r-before", members, sizes, {"c": len(ids)}, same_data=False)
    snapshot = changed(made, 0.01, seed).snapshot()
    second = find(snapshot, PARAMS, start=start(before, snapshot))
    again = named(second, snapshot, before).reference
    here = second.partitions.reference
    both = (reference >= 0) & (here >= 0)
    old = np.array(ids.to_pylist())[reference[both]]
    return float((old == np.array(again.to_pylist())[here[both]]).mean())


def test_ids_stay_with_their_members_where_one_tie_in_a_hundred_changes(
    plant: Callable[..., Any],
) -> None:
    assert kept_part(plant, 1_500, 0.3, 1) >= 0.95


@pytest.mark.gates
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("mixing", [0.2, 0.35, 0.5])
def test_ids_stay_with_their_members_in_larger_graphs(
    plant: Callable[..., Any], mixing: float, seed: int
) -> None:
    assert kept_part(plant, 5_000, mixing, seed) >= 0.95


def test_the_search_starts_from_the_run_before_only_where_data_have_changed(
    plant: Callable[..., Any],
) -> None:
    snapshot = plant(40, 4, 0.2, 1, (5, 10)).snapshot()
    before = earlier({USERS[3]: "c4", USERS[5]: "c1", USERS[9]: "c4"})
    labels = start(before, snapshot)
    assert labels is not None
    assert labels[3] == labels[9] != labels[5]
    assert len(np.unique(labels)) == 39, "whom it did not place is alone"
    assert start(replace(before, same_data=True), snapshot) is None
    assert start(None, snapshot) is None


def write(folder: Path, made: Any) -> Path:
    rows = "".join(f"x:{a:06},x:{b:06},share\n" for a, b in zip(made.u, made.v, strict=True))
    folder.mkdir(parents=True)
    (folder / "interactions.csv").write_text("user_id,target_id,kind\n" + rows)
    return folder


QUICK: dict[str, Any] = {"rewirings": 0, "ensemble": 0, "folds": 2, "split": None}


@pytest.fixture(scope="module")
def line(
    plant: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """A store that was analysed, analysed with another seed, added to, and analysed again."""
    home = tmp_path_factory.mktemp("line")
    made = plant(400, 8, 0.15, 1, (30, 90))
    half = made.u % 7 > 0
    one = type(made)(made.u[half], made.v[half], made.truth)
    two = type(made)(made.u[~half], made.v[~half], made.truth)
    runs: list[str] = []
    with kindred.connect(home / "store") as k:
        k.load(write(home / "one", one))
        runs.append(str(k.analyse(**QUICK).run_id))
        runs.append(str(k.analyse(**QUICK, seed=2).run_id))
        k.load(write(home / "two", two))
        runs.append(str(k.analyse(**QUICK).run_id))
    return home / "store", runs


def test_a_run_says_whose_ids_it_carries_on(line: tuple[Path, list[str]]) -> None:
    store, runs = line
    with kindred.connect(store, read_only=True) as k:
        said = {info.run_id: info.params.continues for info in k.backend.runs()}
        assert [said[run] for run in runs] == ["none", runs[0], runs[1]]
        kept = k.changes(run=runs[2])
        assert kept.run_id == runs[2]
        assert {row["before_run_id"] for row in kept.to_arrow().to_pylist()} == {runs[1]}
        assert any(f"carry on the ids of run {runs[1]}" in note for note in kept.notes)
        first = k.changes(run=runs[0])
        assert first.to_arrow().num_rows == 0
        assert any("numbered anew" in note for note in first.notes)


def test_the_same_analysis_twice_is_the_same_run(
    line: tuple[Path, list[str]],
) -> None:
    store, runs = line
    with kindred.connect(store) as k:
        assert k.analyse(**QUICK).run_id == runs[2]
        other = k.analyse(**QUICK, continues=runs[0])
        assert other.run_id not in runs
        assert k.backend.run(other.run_id).params.continues == runs[0]
        alone = k.analyse(**QUICK, continues="none")
        assert k.table("changes", run=alone.run_id).to_arrow().num_rows == 0
        with pytest.raises(NotFound, match="r-nowhere"):
            k.analyse(**QUICK, continues="r-nowhere")
        k.analyse(**QUICK, continues=runs[1])


def test_a_number_is_never_given_twice_in_a_line(line: tuple[Path, list[str]]) -> None:
    store, runs = line
    with kindred.connect(store, read_only=True) as k:
        ever: set[str] = set()
        for run in runs:
            ids = set(k.communities(run=run, level=None).to_arrow()["community_id"].to_pylist())
            rows = k.table("changes", run=run).to_arrow().to_pylist()
            born = {row["community_id"] for row in rows if row["event"] == "birth"}
            assert not born & ever
            gone = {row["community_id"] for row in rows if row["event"] == "death"}
            assert not gone & ids
            assert gone <= ever
            ever |= ids
