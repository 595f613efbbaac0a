"""Handles become ids when exactly one user claims them, whatever was loaded first."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.backends.embedded.store import EmbeddedStore
from tests.engine.backends.worlds import START, World, graph, load, world

MENTION = world(mentions=[{"user_id": "x:1", "target_id": "x:@ann", "at": START}])
SHARE = world(
    shares=[{"user_id": "x:@ann", "content_id": "x:p", "at": START, "via_user_id": "x:@ann"}],
    content=[{"content_id": "x:p", "author_id": "x:@ann"}],
)
CLAIM = world(users=[{"user_id": "x:7", "handle": "Ann"}])
RIVAL = world(users=[{"user_id": "x:8", "handle": "ann"}])
ELSEWHERE = world(users=[{"user_id": "bluesky:7", "handle": "ann"}])


@pytest.mark.parametrize(
    "order", [(MENTION, SHARE, CLAIM), (CLAIM, MENTION, SHARE), (SHARE, CLAIM, MENTION)]
)
def test_one_claim_resolves(tmp_path: Path, order: tuple[World, ...]) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        for batch in (*order, ELSEWHERE):
            load(store, batch)
        found, seen = store.snapshot(), graph(store)
    assert found.users.user_id.to_pylist() == ["bluesky:7", "x:1", "x:7"]
    assert found.mentions.target.tolist() == [2]
    assert (found.shares.user.tolist(), found.shares.via.tolist()) == ([2], [2])
    assert found.contents.author.tolist() == [2]
    assert seen["MENTIONED User User"] == [["x:1", "x:7", START, None]]
    assert seen["SHARED User Content"] == [["x:7", "x:p", START, "share", "x:7"]]
    assert seen["POSTED User Content"] == [["x:7", "x:p", None]]


def test_two_claims_leave_it_and_are_reported(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        notes = [load(store, batch).notes for batch in (MENTION, CLAIM, RIVAL)]
        assert store.snapshot().users.user_id.to_pylist() == ["x:1", "x:7", "x:8", "x:@ann"]
        assert "x:@ann" in [row[0] for row in graph(store)["User"]]
    assert notes[:2] == [(), ()]
    assert notes[2] == ("1 handles stay users of their own: several accounts claim each of them",)


def test_a_brand_is_named_by_id_or_alias_even_when_it_is_declared_later(tmp_path: Path) -> None:
    named = world(
        mentions=[
            {"user_id": "x:1", "target_id": t, "at": START} for t in ("brand:b", "Bee", "x:2")
        ]
    )
    declared = world(
        brands=[{"brand_id": "brand:b", "name": "B"}],
        brand_members=[{"brand_id": "brand:b", "kind": "alias", "value": "Bee"}],
    )
    for name, order in {"a": (named, declared), "b": (declared, named)}.items():
        with EmbeddedStore.open(tmp_path / name) as store:
            for batch in order:
                load(store, batch)
            found, seen = store.snapshot(), graph(store)
        assert found.users.user_id.to_pylist() == ["x:1", "x:2"]
        assert found.mentions.target.tolist() == [1]
        assert found.brands.mention_user.tolist() == [0]
        assert seen["MENTIONED User Brand"] == [["x:1", "brand:b", START, None]]
        assert seen["MENTIONED User User"] == [["x:1", "x:2", START, None]]
