"""Somebody's own graph: odd names, values of many types, kindred's own labels among theirs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any, Final

from tests.engine.backends.worlds import START, World, world
from tests.servers.server import Neo4jServer

__all__ = ["OPTIONS", "PERSON", "build", "everything", "people_and_posts", "theirs"]

PERSON: Final = r"Odd`Person\u0060) DETACH DELETE n //"
_LIKED: Final = "liked`]->() RETURN 1 //"
_WHEN: Final = r"when`\u0060, at"


def _said(name: str) -> str:
    """Return a name as somebody types it."""
    return f"`{name.replace('`', '``')}`"


def _cypher(name: str) -> str:
    """Return a name as Cypher takes it; written apart from what is tested."""
    spelt = {"`": "``", "\\": r"\u005c"}
    return "`" + "".join(spelt.get(letter, letter) for letter in name) + "`"


_P: Final = f"(:{_said(PERSON)})"
_POST: Final = "(:Community:Post {content_id: number})"
OPTIONS: Final[Mapping[str, list[str]]] = {
    "users": [f"(:{_said(PERSON)} {{followers_count: crowd, name: title, labels: tags}})"],
    "content": ["(:Community:Post {content_id: number, text: `what it says`})"],
    "posts": [f"{_P}-[:WROTE]->(:Community:Post {{at: made}})"],
    "shares": [f"{_P}-[:RETWEETED {{at: {_said(_WHEN)}, kind: how}}]->{_POST}"],
    "likes": [f"(p:{_said(PERSON)})-[:{_said(_LIKED)}]->{_POST}"],
    "follows": [f"(:User {{user_id: `nick name`}})<-[:FOLLOWED_BY]-{_P}"],
    "mentions": [f"{_P}-[:SAID]->(:Remark)-[:NAMES]->{_P}"],
    "topics": [f"{_POST}<-[:ON]-(:Tag {{label: word}})"],
}
"""What it means. The key of people is left to their constraint, but for `User`."""

GROUP: Final = 20


def people_and_posts(seed: int = 5) -> World:
    """Three groups that share their own, as kindred's own tables: what analysis should see."""
    draw = Random(seed)  # noqa: S311 - a world, not a secret
    people = [f"x:u{i:03}" for i in range(3 * GROUP)]
    users: list[dict[str, Any]] = [
        {"user_id": one, "name": f"Person {one}", "followers_count": draw.randrange(10, 900),
         "labels": ["even"] if i % 2 == 0 else ["odd", "late"]}
        for i, one in enumerate(people)
    ]  # fmt: skip
    content: list[dict[str, Any]] = []
    shares: list[dict[str, Any]] = []
    for post in range(240):
        group, at = post % 3, START + timedelta(hours=post)
        near = people[group * GROUP : (group + 1) * GROUP]
        author = draw.choice(near)
        content.append(
            {"content_id": f"x:{post}", "author_id": author, "created_at": at, "text": f"no {post}"}
        )
        for one in {*draw.sample(near, 6), draw.choice(people)} - {author}:
            later = at + timedelta(minutes=draw.randrange(1, 900))
            kind = draw.choice(["share", "share", "quote"])
            shares.append({"user_id": one, "content_id": f"x:{post}", "at": later, "kind": kind})
    shares.sort(key=lambda s: (s["content_id"], s["user_id"]))
    return world(
        users=users,
        content=content,
        shares=shares,
        reactions=[
            {"user_id": s["user_id"], "content_id": s["content_id"], "kind": "like"}
            for s in shares[::9]
        ],
        follows=[
            {"follower_id": a, "followee_id": b}
            for a, b in zip(people, people[3:], strict=False)
        ],
        mentions=[
            {"user_id": a, "target_id": b} for a, b in zip(people, people[7:], strict=False)
        ],
        topics=[
            {"content_id": c["content_id"], "kind": "hashtag", "label": f"tag{i % 4}"}
            for i, c in enumerate(content)
        ],
    )  # fmt: skip


def build(server: Neo4jServer, tables: World) -> None:
    """Write the world as somebody else would have: times and numbers in every type there is."""
    given = {name: table.to_pylist() for name, table in tables.items()}
    person, when = _cypher(PERSON), _cypher(_WHEN)
    server.run(f"CREATE CONSTRAINT `their own` FOR (p:{person}) REQUIRE p.`nick name` IS UNIQUE")
    server.run("CREATE INDEX numbers FOR (p:Post) ON (p.number)")
    server.run(
        f"UNWIND $rows AS r CREATE (p:{person}:User {{`nick name`: r.key, title: r.name,"
        " crowd: r.crowd, tags: r.tags, User: 'theirs', kindred_score: 4})",
        rows=[
            {"key": _key(u["user_id"]), "name": u["name"], "crowd": _number(i, u),
             "tags": u["labels"] if i % 2 else u["labels"][0]}
            for i, u in enumerate(given["users"])
        ],
    )  # fmt: skip
    server.run(
        f"UNWIND $rows AS r MATCH (p:{person} {{`nick name`: r.author}})"
        " CREATE (p)-[:WROTE]->(:Community:Post {number: r.key, `what it says`: r.text,"
        " made: localdatetime(r.at), community_id: 'theirs too'})",
        rows=[
            {"author": _key(c["author_id"]), "key": int(_key(c["content_id"])), "text": c["text"],
             "at": c["created_at"].replace(tzinfo=None).isoformat()}
            for c in given["content"]
        ],
    )  # fmt: skip
    _tie(server, "RETWEETED", [
        {"a": _key(s["user_id"]), "b": int(_key(s["content_id"])),
         "p": {_WHEN: _time(i, s["at"])} | ({"how": "quote"} if s["kind"] == "quote" else {})}
        for i, s in enumerate(given["shares"])
    ])  # fmt: skip
    _tie(server, _LIKED, [
        {"a": _key(s["user_id"]), "b": int(_key(s["content_id"])), "p": {}}
        for s in given["reactions"]
    ])  # fmt: skip
    pairs = [{"a": _key(f["follower_id"]), "b": _key(f["followee_id"])} for f in given["follows"]]
    server.run(
        "UNWIND $rows AS r MATCH (a:User {`nick name`: r.a}), (b:User {`nick name`: r.b})"
        " CREATE (b)-[:FOLLOWED_BY]->(a)",
        rows=pairs,
    )
    pairs = [{"a": _key(m["user_id"]), "b": _key(m["target_id"])} for m in given["mentions"]]
    server.run(
        "UNWIND $rows AS r MATCH (a:User {`nick name`: r.a}), (b:User {`nick name`: r.b})"
        " CREATE (a)-[:SAID]->(:Remark)-[:NAMES]->(b)",
        rows=pairs,
    )
    server.run(
        "UNWIND $rows AS r MATCH (p:Post {number: r.key}) MERGE (t:Tag {word: r.word})"
        " CREATE (p)<-[:ON]-(t)",
        rows=[
            {"key": int(_key(t["content_id"])), "word": f"#{t['label'].upper()}"}
            for t in given["topics"]
        ],
    )
    server.run(f"CREATE (:Topic {{topic_id: 'theirs'}})-[:MEMBER_OF {{{when}: 1}}]->(:Run)")


def _tie(server: Neo4jServer, type: str, rows: list[dict[str, Any]]) -> None:
    server.run(
        f"UNWIND $rows AS r MATCH (a:User {{`nick name`: r.a}}), (b:Post {{number: r.b}})"
        f" CREATE (a)-[t:{_cypher(type)}]->(b) SET t = r.p",
        rows=rows,
    )


def _key(id: str) -> str:
    return id.partition(":")[2]


def _number(turn: int, user: Mapping[str, Any]) -> int | float | str:
    count: int = user["followers_count"]
    return (count, float(count), str(count))[turn % 3]


def _time(turn: int, at: datetime) -> datetime | int | float | str:
    """Return a moment as one of the ways graphs hold them."""
    seconds = int(at.timestamp())
    ways = (
        at,
        at.astimezone(timezone(timedelta(hours=5))),
        at.replace(tzinfo=None),
        seconds,
        seconds * 1000,
        float(seconds),
        at.isoformat(),
        at.strftime("%a %b %d %H:%M:%S +0000 %Y"),
    )
    return ways[turn % len(ways)]


def theirs(server: Neo4jServer) -> tuple[Any, ...]:
    """Return all that is not kindred's: nodes, relationships, properties, rules."""
    return (
        server.run(
            "MATCH (n) WHERE none(l IN labels(n) WHERE l STARTS WITH 'kindred_')"
            " RETURN elementId(n) AS id, labels(n) AS labels, properties(n) AS holds ORDER BY id"
        ),
        server.run(
            "MATCH (a)-[r]->(b) WHERE NOT type(r) STARTS WITH 'kindred_'"
            " RETURN elementId(r) AS id, elementId(a) AS a, elementId(b) AS b, type(r) AS type,"
            " properties(r) AS holds ORDER BY id"
        ),
        [rule for rule in _rules(server) if not rule["name"].startswith("kindred_")],
    )


def everything(server: Neo4jServer) -> tuple[Any, ...]:
    """Return all that the database holds."""
    return (
        *theirs(server),
        server.run("MATCH (n) RETURN count(n) AS nodes"),
        server.run("MATCH ()-[r]->() RETURN count(r) AS relationships"),
        _rules(server),
    )


def _rules(server: Neo4jServer) -> list[dict[str, Any]]:
    return [
        *server.run("SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties"),
        *server.run("SHOW INDEXES YIELD name, type, labelsOrTypes, properties"),
    ]
