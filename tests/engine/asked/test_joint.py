"""Several sources as one: sums of their own cells, no share twice, no sharer who made the place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import kindred
from engine.lift import posterior
from engine.recount import Counting, prior_of
from tests.engine.asked.conftest import Asked

USERS = ["x:u003", "x:u004", "x:u050"]
DOMAINS = ["paper00.org", "paper01.org"]


def rows(found: kindred.Result) -> dict[str | None, dict[str, Any]]:
    return {row["community_id"]: row for row in found}


@pytest.mark.parametrize("tier", ["affinity", "follows"])
def test_counts_and_expectations_are_sums_over_the_parts(asked: Asked, tier: str) -> None:
    run = asked.runs[tier]
    found = rows(asked.k.joint(USERS, run=run))
    cells = Counting.of(asked.k.backend, asked.scene(tier), "user").cells(
        pa.array(USERS, pa.string())
    )
    communities = asked.scene(tier).partitions.community_ids.to_pylist()
    _, prior = prior_of(asked.k.backend, run, "user")
    assert set(found) == {None, *communities}
    for c, community in enumerate(communities):
        row, weight = found[community], cells.weight[:, c]
        assert row["observed"] == cells.observed[:, c].sum()
        assert row["expected"] == pytest.approx(cells.expected[:, c].sum(), rel=1e-2)
        o, e = (weight * cells.observed[:, c]).sum(), (weight * cells.expected[:, c]).sum()
        p = posterior(prior, [o], [e])
        assert row["resonance"] == pytest.approx(p.resonance[0], rel=1e-2, abs=1e-3)
        assert row["lift_low"] == pytest.approx(p.lift_low[0], rel=1e-2)
        assert row["tier"] == tier
    whole = found.pop(None)
    shares = [row["observed"] for row in found.values()]
    for name in ("resonance", "resonance_low", "resonance_high"):
        mean = np.average([row[name] for row in found.values()], weights=shares)
        assert whole[name] == pytest.approx(mean)
    assert whole["observed"] == sum(shares)
    assert whole["sharer_count"] <= sum(row["sharer_count"] for row in found.values())


@pytest.mark.parametrize("tier", ["affinity", "follows"])
def test_one_source_together_is_that_source(asked: Asked, tier: str) -> None:
    found = rows(asked.k.joint(["x:u003"], run=asked.runs[tier]))
    for row in asked.k.scores("x:u003", run=asked.runs[tier]):
        if row["observed"]:
            for name in ("observed", "expected", "effective_sharers"):
                assert found[row["community_id"]][name] == pytest.approx(row[name])
            assert found[row["community_id"]]["lift"] == pytest.approx(row["lift"], rel=1e-2)


def test_a_share_about_two_of_the_sources_counts_once(asked: Asked) -> None:
    run = asked.runs["affinity"]
    found = asked.k.joint(DOMAINS, run=run)
    shares = asked.scene("affinity").events("domain")
    ids = [f"domain:{name}" for name in DOMAINS]
    named = shares.source_id.take(pa.array(shares.source)).to_pylist()
    acts = [
        (user, content)
        for user, content, name in zip(
            shares.user.tolist(), shares.content.tolist(), named, strict=True
        )
        if name in ids
    ]
    twice = len(acts) - len(set(acts))
    assert twice > 10
    assert f"{twice:,} shares are of several" in found.notes[0]
    assert rows(found)[None]["observed"] == len(set(acts))


def test_strictly_a_person_counts_once_for_a_set_of_topics(asked: Asked) -> None:
    run = asked.runs["affinity"]
    found = rows(asked.k.joint(DOMAINS, strict=True, run=run))
    everywhere = found[None]
    assert everywhere["observed"] == everywhere["sharer_count"]
    loose = rows(asked.k.joint(DOMAINS, run=run))[None]
    assert everywhere["observed"] < loose["observed"]
    assert everywhere["sharer_count"] == loose["sharer_count"]


def test_the_strict_partition_sees_none_of_the_set(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine import joint

    seen: list[Any] = []
    inner = joint._labels_without

    def watched(backend: Any, scene: Any, hidden: Any) -> Any:
        seen.append(hidden)
        return inner(backend, scene, hidden)

    monkeypatch.setattr(joint, "_labels_without", watched)
    asked.k.joint(USERS, strict=True, run=asked.runs["affinity"])
    (hidden,) = seen
    scene = asked.scene("affinity")
    at = [scene.groups.names.index(f"user:{name}").as_py() for name in USERS]
    assert hidden[at].all()
    own = np.isin(np.arange(len(hidden)), at)
    # And beside them one fold, which the habits of communities are measured on.
    (fold,) = np.unique(scene.group_folds[hidden & ~own])
    assert hidden[scene.group_folds == fold].all()


@pytest.mark.parametrize(
    ("names", "found"),
    [(["x:u003", "paper00.org"], "kinds domain, user"), (["nobody"], "knows none of this name")],
)
def test_what_cannot_be_taken_together(asked: Asked, names: list[str], found: str) -> None:
    with pytest.raises(kindred.KindredError, match=found):
        asked.k.joint(names)
