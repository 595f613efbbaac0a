"""The made world with everything in it: all that a scorecard needs, with planted values.

On top of `make_world` come impressions, clicks, likes, reviews and conversions, texts, stance and
emotion, promotion, bookmarks, a second platform, replies and what the brands answer, and what they
pass on themselves. Each brand has rates of its own for all of that, drawn apart from
everything else; a scorecard must find them again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.model import CANONICAL
from kindred.demo.world import World, WorldParams, make_world

__all__ = ["FullWorld", "Planted", "full_world"]

HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR
SMALL: Final = WorldParams(
    users=260, communities=4, sources=12, brands=4, posts=300, days=60.0, habit=0.04,
    attention=0.03, follows=16.0, planted_at_home=1.0, seed=6,
)  # fmt: skip
"""Every brand is taken to at home; of this seed also so surely that its score says so."""


@dataclass(frozen=True, slots=True)
class Planted:
    """What is true of a brand, whatever the draw: rates [0,1], and means."""

    click: float
    like: float
    convert: float
    own_words: float
    stance: float
    emotion: float
    turn_back: float
    answer: float
    passed_on: float
    texts: float
    promotion: float


@dataclass(frozen=True, slots=True, eq=False)
class FullWorld:
    """The world it is made of, all canonical tables, and what was planted of each brand."""

    base: World
    tables: Mapping[str, pa.Table]
    planted: Mapping[str, Planted]


Rows = list[dict[str, Any]]


def full_world(params: WorldParams = SMALL) -> FullWorld:
    """Make it; the same parameters give the same bytes. About a second."""
    base = make_world(params)
    random = np.random.default_rng([params.seed, 77])
    tables: dict[str, Rows] = {name: rows.to_pylist() for name, rows in base.tables.items()}
    for name in ("shares", "mentions", "replies"):
        for row in tables[name]:
            row["at"] = _micro(row["at"])
    for row in tables["content"]:
        row["created_at"] = _micro(row["created_at"])
    members = [m for m in tables["brand_members"] if m["kind"] == "account"]
    brand_of = {m["value"]: m["brand_id"] for m in members}
    planted = {b["brand_id"]: _plant(random) for b in tables["brands"]}
    usual = _usual()
    truth = {c["content_id"]: planted.get(brand_of.get(c["author_id"], ""), usual)
             for c in tables["content"]}  # fmt: skip
    shown = _shown(tables)
    _platforms(tables, random)
    _contents(tables, truth, random)
    _shares(tables, truth, random)
    tables["impressions"] = [
        {"content_id": c, "user_id": u, "count": 1} for c, users in shown.items() for u in users
    ]
    tables["reactions"] = _reactions(shown, truth, brand_of, random)
    _replies(tables, truth, random)
    _turn_back(tables, planted, brand_of, random)
    _pass_on(tables, planted, members, brand_of, random)
    return FullWorld(base, {n: _table(n, rows) for n, rows in sorted(tables.items())}, planted)


def _plant(random: np.random.Generator) -> Planted:
    low = (0.05, 0.1, 0.1, 0.2, -0.5, 0.4, 0.3, 0.5, 0.1, 0.4, 0.1)
    high = (0.25, 0.3, 0.4, 0.7, 0.5, 0.8, 0.7, 0.9, 0.4, 0.9, 0.5)
    return Planted(*random.uniform(low, high).tolist())


def _usual() -> Planted:
    return Planted(0.1, 0.2, 0.05, 0.3, 0.0, 0.4, 0.0, 0.0, 0.0, 0.5, 0.0)


def _shown(tables: dict[str, Rows]) -> dict[str, list[str]]:
    """Everyone who follows an author or sharer of a content is shown it, once."""
    heard: dict[str, set[str]] = defaultdict(set)
    for row in tables["follows"]:
        heard[row["followee_id"]].add(row["follower_id"])
    found = {c["content_id"]: set(heard[c["author_id"]]) for c in tables["content"]}
    for row in tables["shares"]:
        found[row["content_id"]] |= heard[row["user_id"]]
    for row in tables["content"]:
        found[row["content_id"]].discard(row["author_id"])
    return {content: sorted(users) for content, users in sorted(found.items())}


def _platforms(tables: dict[str, Rows], random: np.random.Generator) -> None:
    """Half of the accounts are elsewhere; brands with two accounts are on both platforms."""
    for row in tables["users"]:
        row["platform"] = "made" if random.random() < 0.5 else "elsewhere"


def _contents(
    tables: dict[str, Rows], truth: Mapping[str, Planted], random: np.random.Generator
) -> None:
    for row in tables["content"]:
        mine = truth[row["content_id"]]
        row["text"] = "words" if random.random() < mine.texts else ""
        row["emotion"] = float(np.clip(mine.emotion + random.normal(0, 0.1), 0.0, 1.0))
        row["is_promotion"] = bool(random.random() < mine.promotion)


def _shares(
    tables: dict[str, Rows], truth: Mapping[str, Planted], random: np.random.Generator
) -> None:
    """Turn shares into quotes, and let people keep bookmarks, which count for nothing."""
    kept = []
    for row in tables["shares"]:
        if random.random() < truth[row["content_id"]].own_words:
            row["kind"] = "quote"
        if random.random() < 0.1:
            kept.append(row | {"kind": "bookmark", "at": row["at"] + HOUR})
    tables["shares"] += kept


def _reactions(
    shown: Mapping[str, list[str]],
    truth: Mapping[str, Planted],
    brand_of: Mapping[str, str],
    random: np.random.Generator,
) -> Rows:
    """Draw a click, a like, a review for each who is shown it; a conversion once a person."""
    rows: Rows = []
    convinced: dict[tuple[int, str], bool] = {}
    for content, users in shown.items():
        mine = truth[content]
        for user in users:
            if user in brand_of:
                continue
            for kind, rate in (("click", mine.click), ("like", mine.like), ("review", 0.02)):
                if random.random() < rate:
                    score = 4.0 if kind == "review" else None
                    rows.append(_reaction(user, content, kind, score))
            if (id(mine), user) not in convinced:
                convinced[id(mine), user] = bool(random.random() < mine.convert)
                if convinced[id(mine), user]:
                    rows.append(_reaction(user, content, "conversion", None))
    return rows


def _reaction(user: str, content: str, kind: str, score: float | None) -> dict[str, Any]:
    return {"user_id": user, "content_id": content, "kind": kind, "at": None, "score": score}


def _replies(
    tables: dict[str, Rows], truth: Mapping[str, Planted], random: np.random.Generator
) -> None:
    """Give each reply a content of its own, with or without words, and a stance."""
    for number, row in enumerate(tables["replies"]):
        mine = truth[row["parent_content_id"]]
        row["content_id"] = f"made:r{number:05d}"
        tables["content"].append(
            {
                "content_id": row["content_id"],
                "platform": "made",
                "kind": "reply",
                "author_id": row["user_id"],
                "created_at": row["at"],
                "text": "words" if random.random() < mine.own_words else "",
                "stance": float(np.clip(mine.stance + random.normal(0, 0.3), -1.0, 1.0)),
            }
        )


def _turn_back(
    tables: dict[str, Rows],
    planted: Mapping[str, Planted],
    brand_of: Mapping[str, str],
    random: np.random.Generator,
) -> None:
    """Let brands turn to some people, and of those answer some of what they say within a day.

    Whom a brand turns to without an answer it names three days after all they did.
    """
    account: dict[str, str] = {}
    for user, brand in sorted(brand_of.items()):
        account.setdefault(brand, user)
    owner: str | None
    alias = {m["value"]: m["brand_id"] for m in tables["brand_members"] if m["kind"] == "alias"}
    author = {c["content_id"]: c["author_id"] for c in tables["content"]}
    said: dict[tuple[str, str], list[tuple[int, str | None]]] = defaultdict(list)
    for row in tables["replies"]:
        if (owner := brand_of.get(author[row["parent_content_id"]])) is not None:
            said[owner, row["user_id"]].append((row["at"], row["content_id"]))
    named: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in tables["mentions"]:
        if (owner := alias.get(row["target_id"])) is not None:
            named[owner, row["user_id"]].append(row["at"])
    for row in tables["shares"]:
        if row["kind"] != "bookmark" and (owner := brand_of.get(author[row["content_id"]])):
            named[owner, row["user_id"]].append(row["at"])
    people = sorted(set(said) | set(named))
    for brand, user in people:
        if user in brand_of or random.random() >= planted[brand].turn_back:
            continue
        for at, content in said[brand, user]:
            if random.random() < planted[brand].answer:
                tables["replies"].append(
                    {"user_id": account[brand], "parent_content_id": content, "at": at + DAY,
                     "content_id": None}
                )  # fmt: skip
        last = max([at for at, _ in said[brand, user]] + named[brand, user])
        tables["mentions"].append(
            {"user_id": account[brand], "target_id": user, "at": last + 3 * DAY}
        )


def _pass_on(
    tables: dict[str, Rows],
    planted: Mapping[str, Planted],
    members: Rows,
    brand_of: Mapping[str, str],
    random: np.random.Generator,
) -> None:
    """Show each brand contents of creators, of which it shares some."""
    others = [c for c in tables["content"] if c["kind"] == "post" and
              c["author_id"] not in brand_of]  # fmt: skip
    for brand, mine in planted.items():
        account = next(m["value"] for m in members if m["brand_id"] == brand)
        for row in others:
            tables["impressions"].append(
                {"content_id": row["content_id"], "user_id": account, "count": 1}
            )
            if random.random() < mine.passed_on:
                tables["shares"].append(
                    {"user_id": account, "content_id": row["content_id"], "kind": "share",
                     "at": row["created_at"] + HOUR, "via_user_id": row["author_id"]}
                )  # fmt: skip


def _micro(at: Any) -> int:
    return int(pa.scalar(at, pa.timestamp("us", tz="UTC")).value)


def _table(name: str, rows: Rows) -> pa.Table:
    schema = CANONICAL[name].schema
    columns = {}
    for field in schema:
        values = [row.get(field.name) for row in rows]
        if pa.types.is_timestamp(field.type) and any(isinstance(v, int) for v in values):
            columns[field.name] = pa.array(values, pa.int64()).cast(field.type)
        else:
            columns[field.name] = pa.array(values, field.type)
    found = pa.table(columns)
    names = [n for n in found.column_names if pc.count(found[n]).as_py() or n in _needed(name)]
    return found.select(names)


def _needed(name: str) -> tuple[str, ...]:
    return CANONICAL[name].required
