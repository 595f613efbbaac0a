"""The table of scores: what stands in its rows, and what must not change it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.assemble import assemble
from engine.params import AnalysisParams
from engine.partition import Partitions
from engine.resonance import Scored, score
from engine.results import result
from engine.snapshot import Snapshot

Share = tuple[str, str, int]
"""Who shared which content at which second."""

PARAMS = AnalysisParams(min_shares=1, min_members=2, sources=("user",))


def micro(seconds: Sequence[int | None]) -> pa.Array:
    return pa.array(
        [None if s is None else s * 1_000_000 for s in seconds], pa.timestamp("us", "UTC")
    )


def shared(rows: Sequence[Share], extra: Sequence[str] = (), *, times: bool = True) -> Snapshot:
    """Contents are named author/number."""
    contents = sorted({c for _, c, _ in rows})
    return assemble(
        {
            "users": pa.table({"user_id": pa.array(list(extra), pa.string())}),
            "content": pa.table(
                {"content_id": contents, "author_id": [c.split("/")[0] for c in contents]}
            ),
            "shares": pa.table(
                {
                    "user_id": [u for u, _, _ in rows],
                    "content_id": [c for _, c, _ in rows],
                    "at": micro([t if times else None for _, _, t in rows]),
                }
            ),
        }
    )


def partitions(s: Snapshot, of: dict[str, int], k: int, folds: int = 1) -> Partitions:
    """The same communities in every fold, by the start of the user's name."""
    label = np.array([of.get(u.split("_")[0], -1) for u in s.users.user_id.to_pylist()], np.int32)
    return Partitions(
        reference=label,
        folds=np.tile(label, (folds, 1)),
        confidence=np.ones(len(label)),
        scored=np.ones(k, np.bool_),
        gamma=1.0,
    )


GROUPS = {"x:red": 0, "x:blue": 1}


def world(seed: int = 1, n: int = 900) -> list[Share]:
    """Reds make a third of the shares of six authors, but nearly all of author 0's."""
    draw = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        author = int(draw.integers(0, 6))
        red = draw.random() < (0.95 if author == 0 else 0.35)
        user = f"x:{'red' if red else 'blue'}_{int(draw.integers(0, 80))}"
        rows.append((user, f"x:author_{author}/{int(draw.integers(0, 40))}", 100 * i))
    return rows


def rows_of(scored: Scored) -> dict[tuple[str, str | None], dict[str, Any]]:
    return {(r["source_id"], r["community_id"]): r for r in scored.table.to_pylist()}


def test_declared_columns_and_rows() -> None:
    s = shared(world())
    scored = score(s, partitions(s, GROUPS, 2), PARAMS)
    assert scored.table.schema.equals(result("scores").schema)
    rows = rows_of(scored)
    assert sorted({c for _, c in rows if c}) == ["c1", "c2"]
    assert len(rows) == 6 * 3
    assert {r["tier"] for r in rows.values()} == {"affinity"}
    posts = {c for _, c, _ in world() if c.startswith("x:author_3/")}
    assert {r["n_posts"] for (a, _), r in rows.items() if a == "x:author_3"} == {len(posts)}


def test_what_was_planted_is_flagged_and_nothing_else() -> None:
    s = shared(world())
    rows = rows_of(score(s, partitions(s, GROUPS, 2), PARAMS))
    flagged = [key for key, r in rows.items() if "flagged" in r["flags"]]
    assert flagged == [("x:author_0", "c1")]
    best = rows[flagged[0]]
    assert best["lift_low"] > 1 > rows["x:author_0", "c2"]["lift"]
    assert best["resonant_shares"] == pytest.approx(best["observed"] * best["resonance_low"] / 100)


def test_sums_are_share_weighted_means_of_the_cells() -> None:
    s = shared(world())
    scored = score(s, partitions(s, GROUPS, 2), PARAMS)
    rows = rows_of(scored)
    for source in {a for a, _ in rows}:
        cells = [rows[source, c] for c in ("c1", "c2")]
        total, weight = rows[source, None], [c["observed"] for c in cells]
        assert total["observed"] == sum(weight)
        assert total["expected"] is None
        assert (total["lift"], total["prob_above"]) == (None, None)
        for name in ("resonance", "resonance_low", "resonance_high"):
            mean = np.average([c[name] for c in cells], weights=weight)
            assert total[name] == pytest.approx(mean)
    part = scored.kinds["user"]
    reds = [r for (_, c), r in rows.items() if c == "c1"]
    assert part.of_community[0, 0] == pytest.approx(
        np.average([r["resonance"] for r in reds], weights=[r["observed"] for r in reds])
    )
    rest = [r["resonance"] for (_, c), r in rows.items() if c and "flagged" not in r["flags"]]
    assert part.floor == pytest.approx(np.median(rest))
    assert scored.main == "user"


@pytest.mark.parametrize(
    ("influence", "gem"), [(95.0, "leader"), (10.0, "gem"), (float("nan"), None)]
)
def test_quadrants(influence: float, gem: str | None) -> None:
    s = shared(world())
    loud: npt.NDArray[np.float64] = np.full(6, influence)
    scored = score(s, partitions(s, GROUPS, 2), PARAMS, influence={"user": loud})
    rows = rows_of(scored)
    assert rows["x:author_0", "c1"]["quadrant"] == gem
    weak = {"leader": "broadcaster", "gem": "background", None: None}[gem]
    assert rows["x:author_0", "c2"]["quadrant"] == weak
    assert rows["x:author_0", "c1"]["influence"] == (None if gem is None else influence)


def flags(rows: list[Share], key: tuple[str, str], *, times: bool = True) -> list[str]:
    s = shared(rows, times=times)
    found: list[str] = rows_of(score(s, partitions(s, GROUPS, 2), PARAMS))[key]["flags"]
    return found


def test_one_fan_is_no_community() -> None:
    fan = [("x:blue_1", f"x:fav_1/{i}", 200 * i) for i in range(30)]
    found = flags([*world(), *fan], ("x:fav_1", "c2"))
    assert found == ["few_sharers"]


def test_shares_in_step_are_not_flagged() -> None:
    bots = [(f"x:blue_{i}", "x:fav_1/1", 5 * i) for i in range(40)]
    found = flags([*world(), *bots], ("x:fav_1", "c2"))
    assert found == ["in_step"]


def test_a_source_that_is_all_a_community_shares_is_not_ranked() -> None:
    rows = [*world(), *((f"x:green_{i}", "x:fav_1/1", 500 * i) for i in range(30))]
    rows += [("x:green_1", "x:author_1/1", 7)]
    s = shared(rows)
    found = rows_of(score(s, partitions(s, GROUPS | {"x:green": 2}, 3), PARAMS))
    row = found["x:fav_1", "c3"]
    assert "own_audience" in row["flags"]
    assert "flagged" not in row["flags"]


def test_nothing_else_shared_gives_null() -> None:
    rows = [*world(), *((f"x:green_{i}", "x:fav_1/1", 500 * i) for i in range(30))]
    s = shared(rows)
    row = rows_of(score(s, partitions(s, GROUPS | {"x:green": 2}, 3), PARAMS))["x:fav_1", "c3"]
    assert (row["expected"], row["lift"], row["resonance"]) == (None, None, None)
    assert "no_expectation" in row["flags"]


def test_pairwise_edges_name_no_content() -> None:
    s = assemble(
        {
            "interactions": pa.table(
                {
                    "user_id": [f"x:red_{i}" for i in range(40)],
                    "target_id": ["x:a", "x:b"] * 20,
                    "kind": ["share"] * 40,
                }
            )
        }
    )
    rows = rows_of(score(s, partitions(s, GROUPS, 2), PARAMS))
    assert {tuple(r["flags"]) for (_, c), r in rows.items() if c is None} == {
        ("no_content", "poisson_only")
    }
    assert {r["n_posts"] for r in rows.values()} == {None}


def test_small_communities_and_the_unassigned_are_lost_and_said() -> None:
    s = shared(world())
    params = PARAMS.model_copy(update={"min_shares": 480})
    part = score(s, partitions(s, GROUPS, 2), params).kinds["user"]
    assert part.scored.tolist() == [False, True]
    label = partitions(s, GROUPS, 2).reference
    blue = float((label[part.events.user] == 1).mean())
    assert part.lost_share == pytest.approx(1.0 - blue)


def test_no_shares_no_scores() -> None:
    s = assemble({"users": pa.table({"user_id": ["x:a"]})})
    scored = score(s, partitions(s, GROUPS, 2), PARAMS)
    assert (scored.table.num_rows, scored.main) == (0, None)


Change = tuple[list[Share], list[str]]


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1000))
def test_row_order_doubles_and_an_isolated_user_change_nothing(seed: int) -> None:
    rows = world(seed, 100)
    turned = [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]
    a, b = shared(rows), shared([*turned, *rows[:50]], ["x:lonely"])
    first = score(a, partitions(a, GROUPS, 2), PARAMS).table
    assert first.equals(score(b, partitions(b, GROUPS, 2), PARAMS).table)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1000))
def test_names_of_sharers_change_nothing(seed: int) -> None:
    rows = world(seed, 100)
    # Another name for each sharer, so that their order is another too; authors keep theirs,
    # as their names decide their folds.
    renamed = [(f"{u}{(hash_of(u) * 7919) % 1000:03d}", c, t) for u, c, t in rows]
    turned = [(u.replace("_", f"_{u[-3:]}"), c, t) for u, c, t in renamed]
    a, b = shared(rows), shared(turned)
    first = score(a, partitions(a, GROUPS, 2), PARAMS).table
    assert first.equals(score(b, partitions(b, GROUPS, 2), PARAMS).table)


def hash_of(name: str) -> int:
    return int.from_bytes(name.encode(), "little") % 99_991
