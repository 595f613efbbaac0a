from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from engine.assemble import assemble
from engine.errors import UsageError
from engine.groups import root_groups
from engine.params import AnalysisParams
from engine.snapshot import Snapshot
from engine.ties import ItemTies, PairTies, Ties, observe

DEFAULT = AnalysisParams()


def snapshot(**tables: dict[str, list[Any]]) -> Snapshot:
    return assemble({name: pa.table(columns) for name, columns in tables.items()})


def weights(snapshot: Snapshot, ties: Ties) -> dict[str, float]:
    """Ties as `a-b` to weight, by the native ids."""
    ids = [i.split(":")[1] for i in snapshot.users.user_id.to_pylist()]
    u, v, weight = ties.edges().graph().pairs()
    return {
        f"{ids[a]}-{ids[b]}": round(w, 6)
        for a, b, w in zip(u.tolist(), v.tolist(), weight.tolist(), strict=True)
    }


CONTENT = {"content_id": ["x:1", "x:2", "x:3"], "author_id": ["x:a", "x:a", "x:b"]}


def test_shares_and_likes_weigh_by_their_logarithm_in_each_direction() -> None:
    s = snapshot(
        content=CONTENT,
        shares={
            "user_id": ["x:b", "x:b", "x:a", "x:c"],
            "content_id": ["x:1", "x:2", "x:3", "x:1"],
        },
        reactions={"user_id": ["x:d"], "content_id": ["x:1"], "kind": ["like"]},
    )
    ties = observe(s, DEFAULT)
    assert ties.sentence == "Users are tied by shares, quotes and likes."
    assert ties.kinds == ("shares", "likes")
    assert weights(s, ties) == {
        "a-b": round(np.log2(3) + 1, 6),  # b shared two of a, a shared one of b
        "a-c": 1.0,
        "a-d": round(np.log2(1.2), 6),
    }


def test_a_share_ties_to_whom_it_was_passed_on_from_too() -> None:
    s = snapshot(
        content=CONTENT,
        shares={
            "user_id": ["x:c", "x:d"],
            "content_id": ["x:1", "x:1"],
            "via_user_id": ["x:b", "x:a"],  # the second came from the author: one tie
        },
    )
    assert weights(s, observe(s, DEFAULT)) == {"a-c": 1.0, "a-d": 1.0, "b-c": 1.0}


def test_mentions_and_replies_tie_only_when_asked_for() -> None:
    s = snapshot(
        content=CONTENT,
        mentions={"user_id": ["x:c"], "target_id": ["x:a"]},
        replies={"user_id": ["x:d"], "parent_content_id": ["x:1"]},
    )
    silent = observe(s, DEFAULT)
    assert weights(s, silent) == {}
    assert silent.sentence.startswith("No ties:")
    asked = observe(s, AnalysisParams(ties=("mentions", "replies")))
    assert weights(s, asked) == {"a-c": round(np.log2(1.5), 6), "a-d": round(np.log2(1.7), 6)}


def test_interactions_of_unknown_kind_tie_only_where_nothing_else_does() -> None:
    pairs = {"user_id": ["x:a", "x:b"], "target_id": ["x:b", "x:c"]}
    alone = snapshot(interactions={**pairs, "kind": ["unknown"] * 2, "weight": [3.0, 1.0]})
    ties = observe(alone, DEFAULT)
    assert weights(alone, ties) == {"a-b": 2.0, "b-c": 1.0}
    assert ties.sentence == (
        "Users are tied by interactions of unknown kind, since the data hold no shares or likes."
    )
    beside = snapshot(interactions={**pairs, "kind": ["unknown", "share"]})
    assert weights(beside, observe(beside, DEFAULT)) == {"b-c": 1.0}


@pytest.mark.parametrize(
    ("followers", "added"), [(["x:b"], True), (["x:e"], False)], ids=["half do", "nobody does"]
)
def test_follows_are_added_where_half_of_the_sharers_have_one(
    followers: list[str],
    added: bool,  # noqa: FBT001 - given by parametrize
) -> None:
    s = snapshot(
        content=CONTENT,
        shares={"user_id": ["x:b", "x:c"], "content_id": ["x:1", "x:1"]},
        follows={"follower_id": followers, "followee_id": ["x:d"] * len(followers)},
    )
    ties = observe(s, DEFAULT)
    found = weights(s, ties)
    assert found == ({"a-b": 1.0, "a-c": 1.0} | ({"b-d": 2.0} if added else {}))
    assert ("follows" in ties.kinds) is added
    assert ("at equal total weight" in ties.sentence) is added
    assert ("left out" in ties.sentence) is not added


def coshares() -> Snapshot:
    return snapshot(
        content={
            "content_id": [f"x:{i}" for i in range(5)],
            "author_id": ["x:a", "x:b", "x:c", "x:a", "x:d"],
            "created_at": [10, 20, 30, 40, 50],
        },
        topics={
            "content_id": ["x:0", "x:1", "x:2", "x:3", "x:4", "x:0", "x:4"],
            "kind": ["domain"] * 5 + ["hashtag"] * 2,
            "label": ["one", "one", "one", "two", "two", "tag", "tag"],
        },
    )


def test_who_posts_about_the_same_domain_is_tied_where_nobody_shares() -> None:
    s = coshares()
    ties = observe(s, DEFAULT)
    assert isinstance(ties, ItemTies)
    assert ties.sentence == (
        "Users are tied by co-shares: by each domain they post or share about alike, "
        "since nobody shares another's content."
    )
    assert weights(s, ties) == {"a-b": 0.5, "a-c": 0.5, "b-c": 0.5, "a-d": 1.0}


def test_events_from_a_time_on_are_left_out() -> None:
    s = coshares()
    assert weights(s, observe(s, DEFAULT).before(30)) == {"a-b": 1.0}


def test_coshares_stand_alone() -> None:
    with pytest.raises(UsageError, match="co-shares alone"):
        observe(coshares(), AnalysisParams(ties=("shares", "coshares")))


def test_hiding_a_source_takes_every_tie_that_carries_it() -> None:
    s = coshares()
    groups = root_groups(s)
    hidden = np.asarray(groups.names.to_numpy(zero_copy_only=False) == "domain:one")
    assert weights(s, observe(s, DEFAULT).without(hidden)) == {"a-d": 1.0}
    own = np.asarray(groups.names.to_numpy(zero_copy_only=False) == "user:x:a")
    assert len(weights(s, observe(s, DEFAULT).without(own))) == 4, (
        "a post is no share of its author"
    )


def test_hiding_an_author_takes_shares_and_interactions_towards_them() -> None:
    s = snapshot(
        content=CONTENT,
        shares={
            "user_id": ["x:c", "x:c"],
            "content_id": ["x:1", "x:3"],
            "via_user_id": ["x:d", None],
        },
        interactions={
            "user_id": ["x:d", "x:a"],
            "target_id": ["x:a", "x:d"],
            "kind": ["share"] * 2,
        },
    )
    ties = observe(s, DEFAULT)
    assert isinstance(ties, PairTies)
    hidden = np.asarray(ties.groups.names.to_numpy(zero_copy_only=False) == "user:x:a")
    assert weights(s, ties) == {"a-c": 1.0, "c-d": 1.0, "b-c": 1.0, "a-d": 2.0}
    assert weights(s, ties.without(hidden)) == {"b-c": 1.0, "a-d": 1.0}
