"""Small worlds to load, and ways to look at a store whole."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.contract import Backend, Batch, LoadReport, RunTables
from engine.model import CANONICAL, CONTENT_KINDS, EDGES, NODES, REACTION_KINDS
from engine.params import AnalysisParams
from engine.results import table
from engine.snapshot import Snapshot

Rows = Sequence[Mapping[str, Any]]
World = dict[str, pa.Table]

START = datetime(2021, 9, 1, tzinfo=UTC)


def rows(name: str, given: Rows) -> pa.Table:
    """Canonical table from rows; columns nobody names are left out."""
    named = {key for row in given for key in row} | set(CANONICAL[name].required)
    schema = pa.schema([f.with_nullable(True) for f in CANONICAL[name].schema if f.name in named])
    return pa.Table.from_pylist([dict(row) for row in given], schema=schema)


def world(**given: Rows) -> World:
    return {name: rows(name, some) for name, some in given.items()}


def load(
    store: Backend, tables: World, name: str = "", options: Mapping[str, Any] | None = None
) -> LoadReport:
    """Load tables as one batch; its fingerprint is the hash of its name or content."""
    said = name or repr(sorted((n, t.to_pylist()) for n, t in tables.items()))
    mark = hashlib.sha256(said.encode()).hexdigest()
    with store.stage() as folder:
        for table_name, rows_ in tables.items():
            pq.write_table(rows_, folder / f"{table_name}.parquet")
        return store.write(Batch(mark, name or "rows", "test", folder, options or {}))


def random_batch(seed: int) -> World:
    """A few rows of every table, drawn so that ids, handles, keys and brands collide."""
    draw = random.Random(seed)  # noqa: S311 - a world, not a secret

    def when() -> datetime | None:
        return None if draw.random() < 0.2 else START + timedelta(hours=draw.randrange(6))

    def user() -> str:
        native = draw.choice(["1", "2", "3", "4", "5", "@ann", "@bob", "@eve"])
        return f"{draw.choice(['x', 'x', 'bluesky'])}:{native}"

    def content() -> str:
        return f"x:p{draw.randrange(5)}"

    def maybe(value: Any) -> Any:
        return None if draw.random() < 0.5 else value

    def some(make: Any, most: int = 8) -> list[dict[str, Any]]:
        return [make() for _ in range(draw.randrange(most))]

    return world(
        users=some(
            lambda: {
                "user_id": user(),
                "handle": maybe(draw.choice(["Ann", "bob", "eve"])),
                "name": maybe(draw.choice(["A", "B"])),
                "followers_count": maybe(draw.randrange(9)),
                "is_bot": maybe(draw.random() < 0.5),
                "labels": maybe(draw.sample(["red", "blue"], draw.randrange(3))),
                "seen_at": when(),
            }
        ),
        content=some(
            lambda: {
                "content_id": content(),
                "author_id": maybe(user()),
                "created_at": when(),
                "kind": maybe(draw.choice([*CONTENT_KINDS, "poem"])),
                "text": maybe(draw.choice(["", "a", "b", "zwölf 👩‍🔬"])),
                "likes_count": maybe(draw.randrange(9)),
                "impressions_count": maybe(draw.randrange(9)),
                "clicks_count": maybe(draw.randrange(9)),
                "stance": maybe(draw.randrange(-2, 3) / 2),
                "emotion": maybe(draw.randrange(5) / 4),
                "is_promotion": maybe(draw.random() < 0.5),
                "seen_at": when(),
            },
            5,
        ),
        shares=some(
            lambda: {
                "user_id": user(),
                "content_id": content(),
                "at": when(),
                "kind": draw.choice(["share", "quote", None]),
                "via_user_id": maybe(user()),
            }
        ),
        mentions=some(
            lambda: {
                "user_id": user(),
                "target_id": draw.choice([user(), "brand:acme", "Acme", "brand:zeta"]),
                "at": when(),
                "content_id": maybe(draw.choice([content(), "x:elsewhere"])),
            }
        ),
        replies=some(
            lambda: {
                "user_id": user(),
                "parent_content_id": content(),
                "at": when(),
                "content_id": maybe(draw.choice([content(), "x:r1"])),
            }
        ),
        reactions=some(
            lambda: {
                "user_id": user(),
                "content_id": content(),
                "kind": draw.choice([*REACTION_KINDS, "wave"]),
                "at": when(),
                "score": maybe(float(draw.randrange(5))),
            }
        ),
        follows=some(lambda: {"follower_id": user(), "followee_id": user(), "at": when()}),
        interactions=some(
            lambda: {
                "user_id": user(),
                "target_id": user(),
                "kind": draw.choice(["share", "mention", "unknown"]),
                "at": when(),
                "weight": maybe(float(draw.randrange(1, 4))),
            }
        ),
        brands=some(
            lambda: {
                "brand_id": draw.choice(["brand:acme", "brand:zeta"]),
                "name": draw.choice(["Acme", "Zeta"]),
                "seen_at": when(),
            },
            3,
        ),
        brand_members=some(
            lambda: draw.choice(
                [
                    {"brand_id": "brand:acme", "kind": "alias", "value": "Acme"},
                    {"brand_id": "brand:acme", "kind": "account", "value": user()},
                    {"brand_id": "brand:zeta", "kind": "domain", "value": "zeta.org"},
                ]
            ),
            3,
        ),
        topics=some(
            lambda: {
                "content_id": content(),
                "kind": draw.choice(["domain", "hashtag"]),
                "label": draw.choice(["zeta.org", "a:b"]),
            },
            5,
        ),
        impressions=some(
            lambda: {
                "content_id": content(),
                "user_id": maybe(user()),
                "community": maybe(draw.choice(["north", "süd"])),
                "count": draw.randrange(9),
            },
        ),
    )


def joined(batches: Sequence[World]) -> World:
    """All batches as one."""
    return {
        name: pa.concat_tables([b[name] for b in batches if name in b], promote_options="default")
        for name in CANONICAL
        if any(name in b for b in batches)
    }


def parts(value: object, path: str = "snapshot") -> Iterator[tuple[str, object]]:
    """Every field of a snapshot as plain values."""
    if is_dataclass(value):
        for f in fields(value):
            yield from parts(getattr(value, f.name), f"{path}.{f.name}")
    elif isinstance(value, np.ndarray):
        # What is no number is not equal to itself.
        unknown = np.isnan(value)
        known = [None if no else one for one, no in zip(value.tolist(), unknown, strict=True)]
        yield path, (str(value.dtype), known)
    elif isinstance(value, pa.Array):
        yield path, value.to_pylist()
    else:
        yield path, value


def plain(snapshot: Snapshot) -> dict[str, object]:
    return dict(parts(snapshot))


def graph(store: Backend) -> dict[str, list[list[Any]]]:
    """Every row of every graph table, sorted."""
    found: dict[str, list[list[Any]]] = {}
    for node in NODES.values():
        values = ", ".join(f"n.`{p}` AS c{i}" for i, (p, _) in enumerate(node.properties))
        found[node.name] = _sorted(store.query(f"MATCH (n:`{node.name}`) RETURN {values}"))
    for edge in EDGES.values():
        for start, end in edge.pairs:
            values = ", ".join(
                [
                    f"a.`{NODES[start].key}` AS c_from",
                    f"b.`{NODES[end].key}` AS c_to",
                    *(f"r.`{p}` AS c{i}" for i, (p, _) in enumerate(edge.properties)),
                ]
            )
            found[f"{edge.name} {start} {end}"] = _sorted(
                store.query(f"MATCH (a:`{start}`)-[r:`{edge.name}`]->(b:`{end}`) RETURN {values}")
            )
    return found


def _sorted(answer: pa.Table) -> list[list[Any]]:
    return sorted(([*row.values()] for row in answer.to_pylist()), key=repr)


def small_run(store: Backend, *, seed: int = 1, community: str = "c1") -> RunTables:
    """A run that puts every user into one community and scores each."""
    snapshot = store.snapshot()
    users = snapshot.users.user_id
    n = len(users)
    tables = {
        "communities": table(
            "communities",
            {
                "community_id": [community],
                "level": [1],
                "label": [f"seed {seed}"],
                "kind": ["community"],
                "member_count": [n],
                "share_count": [0],
                "verdict": ["kindred"],
                "flags": [[]],
            },
        ),
        "memberships": table(
            "memberships",
            {
                "user_id": users,
                "community_id": [community] * n,
                "level": [1] * n,
                "confidence": [1.0] * n,
            },
        ),
        "scores": table(
            "scores",
            {
                "source_kind": ["user"] * n,
                "source_id": users,
                "community_id": [community] * n,
                "observed": np.arange(n, dtype=np.float64),
                "expected": [None if i % 3 == 0 else float(i % 2) for i in range(n)],
                "tier": ["affinity"] * n,
                "flags": [["few_sharers"] if i % 2 else [] for i in range(n)],
            },
        ),
    }
    return RunTables(
        AnalysisParams.model_validate({"seed": seed}),
        snapshot.fingerprint,
        "affinity",
        tables,
        {"all": 0.5},
        {"n": n},
    )
