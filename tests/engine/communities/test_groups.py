from __future__ import annotations

import numpy as np
import pyarrow as pa

from engine.assemble import assemble
from engine.groups import folds, root_groups
from engine.snapshot import Snapshot


def world() -> Snapshot:
    return assemble(
        {
            "users": pa.table({"user_id": ["x:acme", "x:fan", "x:rival"]}),
            "content": pa.table(
                {
                    "content_id": ["x:1", "x:2", "x:3", "x:4"],
                    "author_id": ["x:acme", "x:fan", None, None],
                }
            ),
            "brands": pa.table({"brand_id": ["brand:acme", "brand:acme-shop"], "name": ["A", "S"]}),
            "brand_members": pa.table(
                {
                    "brand_id": ["brand:acme", "brand:acme", "brand:acme-shop"],
                    "kind": ["account", "domain", "domain"],
                    "value": ["x:acme", "acme.com", "acme.com"],
                }
            ),
            "topics": pa.table(
                {
                    "content_id": ["x:2", "x:2", "x:2", "x:3", "x:3", "x:3"],
                    "kind": ["domain", "url", "hashtag", "url", "url", "domain"],
                    "label": [
                        "acme.com",
                        "6874",
                        "tag",
                        "https://www.Acme.com/a",
                        "news.org",
                        "blog.net",
                    ],
                }
            ),
        }
    )


def names_of(snapshot: Snapshot) -> dict[str, str]:
    groups = root_groups(snapshot)
    named = groups.names.to_pylist()
    ids = (
        (snapshot.users.user_id, groups.of_user),
        (snapshot.topics.topic_id, groups.of_topic),
        (snapshot.brands.brand_id, groups.of_brand),
        (snapshot.contents.content_id, groups.of_content),
    )
    return {
        f"{kind} {id}": named[g]
        for kind, (things, of) in zip(("user", "topic", "brand", "content"), ids, strict=True)
        for id, g in zip(things.to_pylist(), of.tolist(), strict=True)
    }


def test_everything_of_a_brand_is_one_group() -> None:
    assert names_of(world()) == {
        "user x:acme": "brand:acme",
        "user x:fan": "user:x:fan",
        "user x:rival": "user:x:rival",
        "topic domain:acme.com": "brand:acme",
        "topic domain:blog.net": "domain:blog.net",
        "topic hashtag:tag": "hashtag:tag",
        "topic url:6874": "brand:acme",  # no address: the domain its contents carry
        "topic url:https://www.Acme.com/a": "brand:acme",
        "topic url:news.org": "domain:news.org",  # not a topic, but the name of a domain
        "brand brand:acme": "brand:acme",
        "brand brand:acme-shop": "brand:acme",  # shares a domain with it
        "content x:1": "brand:acme",
        "content x:2": "user:x:fan",
        "content x:3": "domain:blog.net",
        "content x:4": "content:x:4",
    }


def test_hiding_a_group_hides_what_is_by_it_or_about_it() -> None:
    snapshot = world()
    groups = root_groups(snapshot)
    hidden = np.asarray(groups.names.to_numpy(zero_copy_only=False) == "brand:acme")
    assert groups.about(hidden).tolist() == [False, True, True, False]
    assert groups.carrying(hidden).tolist() == [True, True, True, False]


def test_only_groups_of_the_kinds_asked_for_are_sources() -> None:
    snapshot = world()
    groups = root_groups(snapshot)
    scored = groups.of_sources(snapshot, ("brand", "hashtag"))
    assert groups.names.filter(pa.array(scored)).to_pylist() == ["brand:acme", "hashtag:tag"]


def test_a_group_keeps_its_fold_when_others_come() -> None:
    few = assemble({"users": pa.table({"user_id": [f"x:{i}" for i in range(500)]})})
    many = assemble({"users": pa.table({"user_id": [f"x:{i}" for i in range(900)]})})
    of_few, of_many = root_groups(few), root_groups(many)
    place = [of_many.names.to_pylist().index(n) for n in of_few.names.to_pylist()]
    assert folds(of_many, 5, 7)[place].tolist() == folds(of_few, 5, 7).tolist()
    assert folds(of_few, 5, 7).tolist() != folds(of_few, 5, 8).tolist()
    assert np.bincount(folds(of_many, 5, 7)).min() > 140  # 180 expected, sd 12


def test_no_data_has_no_groups() -> None:
    groups = root_groups(assemble({}))
    assert len(groups) == 0
    assert folds(groups, 5, 1).tolist() == []
