"""A database with users that a run can be published about, and ways to look at it whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from engine.backends.neo4j.driver import Link, Work
from engine.backends.neo4j.lock import Held, writer_lock
from engine.backends.neo4j.runs import Runs
from engine.contract import RunInfo, RunTables
from engine.errors import ServerAway
from engine.model import EDGES, NODES
from engine.progress import silent
from tests.servers.server import Neo4jServer

_T = TypeVar("_T")


class Cut(Exception):
    """The connection is gone: what a test does to a writer."""


class Fragile(Held):
    """A writer whose connection goes after so many transactions."""

    def __init__(self, held: Held, left: int) -> None:
        super().__init__(held.link, held.owner)
        self.left = left

    def writing(self, work: Callable[[Work], _T], *, wanted: str, worker: int = 0) -> _T:
        """Write, or find the connection gone."""
        if self.left <= 0:
            raise ServerAway(wanted, "cut by a test", "go on")
        self.left -= 1
        return super().writing(work, wanted=wanted, worker=worker)


class Repeating(Held):
    """A writer who never hears that a commit went well, and so does everything twice."""

    def writing(self, work: Callable[[Work], _T], *, wanted: str, worker: int = 0) -> _T:
        """Write, and write again."""
        super().writing(work, wanted=wanted, worker=worker)
        return super().writing(work, wanted=wanted, worker=worker)


def with_users(server: Neo4jServer, user_ids: Sequence[str]) -> None:
    """Put users into the graph as a load would."""
    server.run(
        "UNWIND $ids AS id CREATE (:User {user_id: id, kindred_load: 1})", ids=list(user_ids)
    )


@contextmanager
def writing(link: Link, runs: Runs) -> Iterator[Held]:
    """Hold the writer's lock, with what was left behind cleared."""
    with writer_lock(link, "to test", wait=False, progress=silent) as held:
        runs.clear(held)
        yield held


def publish(link: Link, runs: Runs, run: RunTables) -> RunInfo:
    with writing(link, runs) as held:
        return runs.publish(run, ["b0001"], held)


def graph(server: Neo4jServer) -> dict[str, list[list[Any]]]:
    """Every row of what a run publishes, as `tests.engine.backends.worlds.graph` has it."""
    found: dict[str, list[list[Any]]] = {}
    for name in ("Community", "Run"):
        columns = [p for p, _ in NODES[name].properties]
        rows = server.run(f"MATCH (n:{name}) RETURN properties(n) AS p")
        found[name] = _sorted([[row["p"].get(c) for c in columns] for row in rows])
    for name in ("MEMBER_OF", "RESONATES_IN"):
        columns = [p for p, _ in EDGES[name].properties]
        for start, end in EDGES[name].pairs:
            rows = server.run(
                f"MATCH (a:{start})-[r:{name}]->(b:{end}) RETURN a.{NODES[start].key} AS a,"
                f" b.{NODES[end].key} AS b, properties(r) AS p"
            )
            found[f"{name} {start} {end}"] = _sorted(
                [[row["a"], row["b"], *(row["p"].get(c) for c in columns)] for row in rows]
            )
    return found


def _sorted(rows: list[list[Any]]) -> list[list[Any]]:
    return sorted(rows, key=repr)


def everything(server: Neo4jServer) -> dict[str, list[Any]]:
    """All that a database holds: nodes, relationships, constraints, indexes."""
    return {
        "nodes": server.run(
            "MATCH (n) RETURN elementId(n) AS id, labels(n) AS l, properties(n) AS p ORDER BY id"
        ),
        "relationships": server.run(
            "MATCH (a)-[r]->(b) RETURN elementId(r) AS id, type(r) AS t, properties(r) AS p,"
            " elementId(a) AS a, elementId(b) AS b ORDER BY id"
        ),
        "constraints": server.run("SHOW CONSTRAINTS YIELD *"),
        "indexes": server.run(
            "SHOW INDEXES YIELD id, name, type, entityType, labelsOrTypes, properties"
        ),
    }
