"""The store on a Neo4j server: one database, which every test shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.connect import connect
from engine.contract import Backend
from engine.errors import UsageError
from tests.conformance.conf import Conf, Gap, Place

if TYPE_CHECKING:
    from tests.servers.server import Neo4jServer


class Database:
    """The one database of a community server."""

    def __init__(self, server: Neo4jServer) -> None:
        self.server = server
        server.clean()

    def empty(self) -> str:
        # Constraints may stay: making them again would cost each store a second.
        self.server.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS")
        return self.server.address

    def open(
        self, address: str, *, create: bool = True, read_only: bool = False, wait: bool = True
    ) -> Backend:
        asked = self.server.settings()
        return connect(address, create=create, read_only=read_only, wait=wait, server=asked)


class Neo4j(Conf):
    name = "neo4j"
    title = "Neo4j"
    address = "neo4j://HOST"
    marks = (pytest.mark.neo4j,)
    several = False
    examples = 0
    costly = ("test_what_is_derived_is_made_again_the_same",)
    gaps = (
        Gap(
            "dump",
            (),
            "never",
            "keeps the graph that exports make, not the exports themselves",
            UsageError,
        ),
    )

    def store(self) -> type[Backend]:
        from engine.backends.neo4j.store import Neo4jStore

        return Neo4jStore

    def start(self, request: pytest.FixtureRequest) -> Place:
        server: Neo4jServer = request.getfixturevalue("neo4j")
        return Database(server)


CONF = Neo4j()
