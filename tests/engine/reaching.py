"""Small worlds for reach and seeds, and their figures counted by hand with sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from engine.assemble import assemble
from engine.contract import RunInfo
from engine.params import AnalysisParams
from engine.partition import Partitions
from engine.scene import Scene
from engine.snapshot import Snapshot

Tables = dict[str, list[dict[str, Any]]]


def snapshot_of(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> Snapshot:
    return assemble({name: pa.Table.from_pylist(list(rows)) for name, rows in tables.items()})


def partition(snapshot: Snapshot, labels: Mapping[str, int], unscored: int = 0) -> Partitions:
    """Put users where `labels` says; the last `unscored` communities are too small to score."""
    ids = snapshot.users.user_id.to_pylist()
    reference = np.array([labels.get(u, -1) for u in ids], np.int32)
    k = int(reference.max(initial=-1)) + 1
    scored = np.arange(k) < k - unscored
    folds = np.repeat(reference[None, :], 2, axis=0)
    return Partitions(reference, folds, np.ones(len(ids)), scored, 1.0)


def scene_of(snapshot: Snapshot, partitions: Partitions) -> Scene:
    run = RunInfo(
        run_id="r",
        created_at=datetime(2024, 1, 1, tzinfo=UTC),
        active=True,
        stale=False,
        params=AnalysisParams(folds=2),
        fingerprint=snapshot.fingerprint,
        tier=None,
        versions={},
        timings={},
        counts={},
        batches=(),
    )
    return Scene(run, snapshot, partitions)


def made(
    seed: int,
    *,
    users: int = 30,
    posts: int = 25,
    follows: int = 90,
    impressions: int = 0,
    interactions: int = 0,
) -> Tables:
    """Draw a world with brands that own accounts and domains, and posts about topics."""
    random = np.random.default_rng(seed)

    def who() -> str:
        return f"x:u{int(random.integers(users)):03}"

    tables: Tables = {
        "users": [{"user_id": f"x:u{i:03}"} for i in range(users)],
        "content": [{"content_id": f"x:p{i}", "author_id": who()} for i in range(posts)],
        "shares": [
            {"user_id": who(), "content_id": f"x:p{int(random.integers(posts))}"}
            for _ in range(4 * posts)
        ],
        "topics": [
            {
                "content_id": f"x:p{int(random.integers(posts))}",
                "kind": str(random.choice(["domain", "hashtag"])),
                "label": str(random.choice(["acme.com", "b.org", "c.net"])),
            }
            for _ in range(posts)
        ],
        "brands": [{"brand_id": "brand:acme", "name": "Acme"}, {"brand_id": "brand:bo"}],
        "brand_members": [
            {"brand_id": "brand:acme", "kind": "account", "value": "x:u000"},
            {"brand_id": "brand:acme", "kind": "account", "value": "x:u001"},
            {"brand_id": "brand:acme", "kind": "domain", "value": "acme.com"},
            {"brand_id": "brand:bo", "kind": "account", "value": "x:u002"},
        ],
        "mentions": [{"user_id": who(), "target_id": who()} for _ in range(20)],
        "replies": [
            {"user_id": who(), "parent_content_id": f"x:p{int(random.integers(posts))}"}
            for _ in range(20)
        ],
        "reactions": [
            {"user_id": who(), "content_id": f"x:p{int(random.integers(posts))}", "kind": "like"}
            for _ in range(20)
        ],
    }
    if follows:
        tables["follows"] = [{"follower_id": who(), "followee_id": who()} for _ in range(follows)]
    if impressions:
        tables["impressions"] = [
            {
                "content_id": f"x:p{int(random.integers(posts))}",
                "user_id": who(),
                "count": int(random.integers(0, 3)),
            }
            for _ in range(impressions)
        ]
    if interactions:
        tables["interactions"] = [
            {"user_id": who(), "target_id": who(), "kind": str(random.choice(["share", "unknown"]))}
            for _ in range(interactions)
        ]
    return tables


@dataclass
class Known:
    """The people of a source, as sets of ids."""

    accounts: set[str]
    contents: set[str]
    sharers: set[str]
    potential: set[str] | None
    exposed: set[str]
    basis: str
    partial: bool

    @property
    def passed(self) -> set[str]:
        return self.exposed & self.sharers


def known(tables: Tables, kind: str, source_id: str) -> Known:
    """Count a source's people by going through the rows."""
    accounts, contents = set[str](), set[str]()
    author = {row["content_id"]: row["author_id"] for row in tables["content"]}
    if kind == "user":
        accounts = {source_id}
    if kind == "brand":
        members = [row for row in tables["brand_members"] if row["brand_id"] == source_id]
        accounts = {row["value"] for row in members if row["kind"] == "account"}
        domains = {row["value"] for row in members if row["kind"] == "domain"}
        contents = {
            row["content_id"]
            for row in tables["topics"]
            if row["kind"] == "domain" and row["label"] in domains
        }
    if kind in ("domain", "hashtag"):
        label = source_id.partition(":")[2]
        contents = {
            row["content_id"]
            for row in tables["topics"]
            if (row["kind"], row["label"]) == (kind, label)
        }
    about = set(contents)
    contents |= {c for c, who in author.items() if who in accounts}
    counted = [
        (row["user_id"], row["content_id"])
        for row in tables["shares"]
        if row["user_id"] != author[row["content_id"]]
    ]
    sharers = {u for u, c in counted if c in contents}
    if about:
        sharers |= {author[c] for c in about}
    interactions = tables.get("interactions", [])
    passes = [
        (row["user_id"], row["target_id"])
        for row in interactions
        if row["target_id"] in accounts and row["kind"] == "share"
    ]
    posters = {author[c] for c in contents} | {u for u, c in counted if c in contents}
    posters |= {u for pair in passes for u in pair}
    # What names a content says more: then pairwise shares are not counted as well.
    sharers = sharers or {u for u, v in passes if u != v}
    follows = {(row["follower_id"], row["followee_id"]) for row in tables.get("follows", [])}
    shown = tables.get("impressions", [])
    told = {row["content_id"] for row in shown} & contents
    if contents and len(told) >= len(contents) / 2:
        basis = "impressions"
        exposed = {r["user_id"] for r in shown if r["content_id"] in contents and r["count"] > 0}
    elif follows:
        basis = "follows"
        exposed = {u for u, v in follows if v in posters}
    else:
        basis = "interaction"
        exposed = sharers | {
            row["user_id"]
            for name, key in (
                ("shares", "content_id"),
                ("reactions", "content_id"),
                ("replies", "parent_content_id"),
            )
            for row in tables[name]
            if row[key] in contents
        }
        exposed |= {r["user_id"] for r in tables["mentions"] if r["target_id"] in accounts}
        exposed |= {r["user_id"] for r in interactions if r["target_id"] in accounts}
    potential = (
        {u for u, v in follows if v in accounts} - accounts if follows and accounts else None
    )
    return Known(
        accounts,
        contents,
        sharers - accounts,
        potential,
        exposed - accounts,
        basis,
        partial=basis == "impressions" and told != contents,
    )
