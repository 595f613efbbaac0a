"""Which server the tests get: the first of what is there, decided when a test first asks.

1. the one that `KINDRED_NEO4J_URL` names, with `KINDRED_NEO4J_USER` and `KINDRED_NEO4J_PASSWORD`;
2. the one of docker-compose.yml, where Docker answers and its image is on this machine;
3. one started from jars, where Java 17 and Maven are there, or Java and the jars of before;
4. none: the tests that need one are not run, and the last line says so. With
   `KINDRED_REQUIRE=neo4j` they fail instead.
"""

from __future__ import annotations

import os
from collections import OrderedDict

import neo4j.exceptions

from tests.servers.compose import ComposeServer, find_compose
from tests.servers.jars import Jars, NotThere, find_jars
from tests.servers.local import LocalServer, Wishes
from tests.servers.server import Neo4jServer, describe

__all__ = ["Servers", "Unusable", "is_required"]

URL = "KINDRED_NEO4J_URL"
WIPE = "KINDRED_NEO4J_WIPE"
_AT_ONCE = 2
"""Most servers of single tests that run beside the shared one."""

SHARED = Wishes(heap="768m")


class Unusable(Exception):
    """A server was named, and tests cannot use it."""


def is_required() -> bool:
    """Say whether a missing server is a failure."""
    return "neo4j" in os.environ.get("KINDRED_REQUIRE", "").replace(",", " ").split()


class Servers:
    """The servers of one run of the tests."""

    def __init__(self) -> None:
        self._shared: Neo4jServer | None = None
        self._owned: LocalServer | ComposeServer | None = None
        self._jars: Jars | None = None
        self._missing: NotThere | None = None
        self._victims: OrderedDict[str, LocalServer] = OrderedDict()

    def shared(self) -> Neo4jServer:
        """Return the server that every test shares; started by the first call.

        Raises
        ------
        NotThere
            If there is none, and nothing to start one from.
        Unusable
            If the one that was named does not answer, or holds data.
        """
        if self._shared is None:
            self._shared = self._choose()
        return self._shared

    def _choose(self) -> Neo4jServer:
        if URL in os.environ:
            return _named(os.environ[URL])
        compose = find_compose()
        self._owned = compose or LocalServer.started(self.jars(), SHARED)
        return self._owned.server

    def jars(self) -> Jars:
        """Return the jars of a server of one's own, fetched where they are not there yet.

        Raises
        ------
        NotThere
            If there is no Java, or no Maven to fetch them with.
        """
        if self._missing is not None:
            raise self._missing
        if self._jars is None:
            try:
                self._jars = find_jars()
            except NotThere as missing:
                self._missing = missing
                raise
        return self._jars

    def victim(self, wishes: Wishes) -> LocalServer:
        """Return a running server, empty, that a test may end and start again.

        The same wishes get the same server, so that its start is paid for once; of different
        ones, two are kept running.

        Raises
        ------
        NotThere
            If there is nothing to start one from.
        """
        key = repr(wishes)
        kept = self._victims.pop(key, None)
        if kept is not None and kept.wishes != wishes:
            kept.close()
            kept = None
        if kept is None:
            while len(self._victims) >= _AT_ONCE:
                self._victims.popitem(last=False)[1].close()
            kept = LocalServer.started(self.jars(), wishes)
        else:
            kept.start()
            kept.server.clean()
        self._victims[key] = kept
        return kept

    def close(self) -> None:
        """End every server that was started here, and leave a named one empty."""
        for victim in self._victims.values():
            victim.close()
        self._victims.clear()
        if self._shared is not None:
            if self._owned is None:
                self._shared.clean()
            self._shared.close()
        if self._owned is not None:
            self._owned.close()
        self._owned = self._shared = None


def _named(address: str) -> Neo4jServer:
    """Return the server that the environment names, if tests may empty it."""
    user = os.environ.get("KINDRED_NEO4J_USER", "neo4j")
    try:
        server = describe(address, user, os.environ.get("KINDRED_NEO4J_PASSWORD", ""))
    except (neo4j.exceptions.DriverError, neo4j.exceptions.Neo4jError) as fault:
        raise Unusable(f"{URL}={address} does not let the tests in: {fault}") from fault
    held = server.run("MATCH (n) RETURN count(n) AS nodes")[0]["nodes"]
    if held and os.environ.get(WIPE) != "yes":
        server.close()
        raise Unusable(
            f"{URL}={address} holds {held} nodes, and tests empty the database they use: "
            f"name an empty one, or set {WIPE}=yes"
        )
    return server
