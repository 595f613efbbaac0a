"""A Neo4j server as tests see it: where it is, who may ask, and a way to look inside."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Self

import neo4j

from engine.server import Server

__all__ = ["Neo4jServer", "Rule", "describe"]

_TIME_OUT = 60.0
_EMPTY = "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS"


class Rule(NamedTuple):
    """A constraint or an index, as the server tells of it."""

    name: str
    type: str
    labels: tuple[str, ...]
    properties: tuple[str, ...]

    @classmethod
    def of(cls, row: neo4j.Record) -> Self:
        """Read a row that names it."""
        name, type, labels, properties = row.values()
        return cls(name, type, tuple(labels or ()), tuple(properties or ()))


@dataclass(frozen=True)
class Neo4jServer:
    """A server that answers. Its password is never printed."""

    address: str
    user: str
    password: str = field(repr=False)
    version: str
    """Such as `5.26.30`."""
    gds: str | None
    """Version of its Graph Data Science, None where it has none."""

    def settings(
        self,
        *,
        database: str | None = None,
        transactions: int = 4,
        timeout: float = _TIME_OUT,
        patience: float = 30.0,
    ) -> Server:
        """How kindred asks this server."""
        return Server(database, self.user, self.password, transactions, timeout, patience)

    @cached_property
    def driver(self) -> neo4j.Driver:
        """A driver of the tests' own, which knows nothing of kindred; it outlives restarts."""
        return _driver(self.address, self.user, self.password)

    def run(self, text: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """Run one statement in a transaction of its own; rows as dictionaries."""
        with self.driver.session() as session:
            return session.run(text, parameters).data()

    def clean(self, keep: Collection[Rule] = ()) -> None:
        """Empty the database: nodes, relationships, constraints, indexes.

        Parameters
        ----------
        keep
            Constraints and indexes that stay. Dropping one makes the server forget how it
            runs any statement, and planning them again is most of what a test costs it.
        """
        with self.driver.session() as session:
            session.run(_EMPTY).consume()
            for kind, rule in _rules(session):
                if rule not in keep:
                    session.run(f"DROP {kind} `{rule.name}`").consume()

    def close(self) -> None:
        """Let go of its connections, not of the server."""
        self.driver.close()


def _rules(session: neo4j.Session) -> list[tuple[str, Rule]]:
    """List what was made of schema: constraints first, whose indexes go with them."""
    shape = "RETURN name, type, labelsOrTypes, properties"
    constraints = session.run(
        f"SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties {shape}"
    )
    found = [("CONSTRAINT", Rule.of(row)) for row in constraints]
    indexes = session.run(
        "SHOW INDEXES YIELD name, type, labelsOrTypes, properties, owningConstraint "
        f"WHERE type <> 'LOOKUP' AND owningConstraint IS NULL {shape}"
    )
    return [*found, *(("INDEX", Rule.of(row)) for row in indexes)]


def _driver(address: str, user: str, password: str) -> neo4j.Driver:
    return neo4j.GraphDatabase.driver(
        address,
        auth=neo4j.basic_auth(user, password),
        liveness_check_timeout=0,
        notifications_min_severity="OFF",
        telemetry_disabled=True,
    )


def describe(address: str, user: str, password: str) -> Neo4jServer:
    """Ask a server what it is.

    Raises
    ------
    neo4j.exceptions.DriverError, neo4j.exceptions.Neo4jError
        If it does not answer, or does not let us in.
    """
    with _driver(address, user, password) as driver, driver.session() as session:
        version = session.run(
            "CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' "
            "RETURN versions[0]"
        ).single(strict=True)[0]
        has_gds = session.run(
            "SHOW FUNCTIONS YIELD name WHERE name = 'gds.version' RETURN count(*)"
        ).single(strict=True)[0]
        gds = session.run("RETURN gds.version()").single(strict=True)[0] if has_gds else None
    return Neo4jServer(address, user, password, str(version), None if gds is None else str(gds))
