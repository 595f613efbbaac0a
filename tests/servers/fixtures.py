"""What a test that needs a real Neo4j asks for.

    neo4j            the server that all tests share (a `Neo4jServer`)
    neo4j_empty      the same, its database emptied: no nodes, no constraints, no indexes
    neo4j_cleared    the same without nodes; constraints and indexes of a store may stand
    neo4j_store      opens stores of kindred in the cleared database: `neo4j_store(read_only=True)`
    neo4j_victim     a server of the test's own, empty: `.kill()`, `.start()`, `.restart()`
    neo4j_victims    the same with wishes: `neo4j_victims(gds=False, tls=True, settings={...})`
    neo4j_unstarted  one that was never started, for `neo4j-admin`: `.admin`, then `.start()`

Nothing is started before a test asks. A test that asks carries the marker `neo4j` by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Protocol, TypeVar

import pytest

from tests.servers.choice import Servers, Unusable, is_required
from tests.servers.jars import NotThere
from tests.servers.local import LocalServer, Wishes
from tests.servers.server import Neo4jServer, Rule

if TYPE_CHECKING:
    from engine.backends.neo4j.store import Neo4jStore

__all__ = [
    "NewVictim",
    "OpenStore",
    "neo4j",
    "neo4j_cleared",
    "neo4j_empty",
    "neo4j_store",
    "neo4j_unstarted",
    "neo4j_victim",
    "neo4j_victims",
]

_SERVERS: pytest.StashKey[Servers] = pytest.StashKey()
_T = TypeVar("_T")
_NO_SERVER = "no Neo4j server: "
_ASKING = frozenset(
    {
        "neo4j",
        "neo4j_empty",
        "neo4j_cleared",
        "neo4j_store",
        "neo4j_victim",
        "neo4j_victims",
        "neo4j_unstarted",
    }
)


class OpenStore(Protocol):
    """Opens a store of kindred in the shared server's database; closed after the test."""

    def __call__(
        self,
        *,
        create: bool = True,
        read_only: bool = False,
        wait: bool = True,
        transactions: int = 4,
    ) -> Neo4jStore: ...


class NewVictim(Protocol):
    """Gives a running, empty server with these wishes, to be ended at will."""

    def __call__(
        self,
        *,
        gds: bool = True,
        tls: bool = False,
        heap: str = "512m",
        settings: Mapping[str, str] | None = None,
    ) -> LocalServer: ...


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_SERVERS] = Servers()


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_SERVERS].close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for a server, so that `-m "not neo4j"` leaves it out."""
    for item in items:
        if _ASKING.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.neo4j)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the end what was not run, and what would let it run."""
    skipped = [
        report.longrepr[2]
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and _NO_SERVER in report.longrepr[2]
    ]
    for reason in sorted(set(skipped)):
        tests = skipped.count(reason)
        terminalreporter.write_line(
            f"not run: {tests} {'test' if tests == 1 else 'tests'} on a Neo4j server, for want of "
            f"{reason.partition(_NO_SERVER)[2]}: run `make neo4j`, which installs Java and Maven, "
            "or set KINDRED_NEO4J_URL, KINDRED_NEO4J_USER and KINDRED_NEO4J_PASSWORD"
        )


def _had(request: pytest.FixtureRequest, ask: Callable[[Servers], _T]) -> _T:
    """Return what the servers give, or skip; or fail where a server is required."""
    try:
        return ask(request.config.stash[_SERVERS])
    except Unusable as fault:
        pytest.fail(str(fault), pytrace=False)
    except NotThere as missing:
        if is_required():
            pytest.fail(f"{_NO_SERVER}{missing}; KINDRED_REQUIRE asks for one", pytrace=False)
        pytest.skip(f"{_NO_SERVER}{missing}")


@pytest.fixture(scope="session")
def neo4j(request: pytest.FixtureRequest) -> Neo4jServer:
    """The server that all tests share. What it holds is whatever the last test left."""
    return _had(request, Servers.shared)


@pytest.fixture
def neo4j_empty(neo4j: Neo4jServer) -> Neo4jServer:
    """The shared server, its database empty: no nodes, no constraints, no indexes."""
    neo4j.clean()
    return neo4j


@pytest.fixture
def neo4j_cleared(request: pytest.FixtureRequest, neo4j: Neo4jServer) -> Neo4jServer:
    """The shared server, its database without nodes, as a store that was emptied leaves it.

    Constraints and indexes of a store of kindred's own stay where they stand, and no others.
    Where a test asks for `neo4j_empty` as well, that is what it gets.
    """
    from engine.backends.neo4j.graph_schema import keys

    if "neo4j_empty" not in request.fixturenames:
        neo4j.clean(
            {
                Rule(
                    key.name, "UNIQUENESS" if key.unique else "RANGE", (key.label,), key.properties
                )
                for key in keys()
            }
        )
    return neo4j


@pytest.fixture
def neo4j_store(neo4j_cleared: Neo4jServer) -> Iterator[OpenStore]:
    """Open stores of kindred in the cleared database of the shared server."""
    from engine.backends.neo4j.store import Neo4jStore

    with ExitStack() as opened:

        def open_store(
            *,
            create: bool = True,
            read_only: bool = False,
            wait: bool = True,
            transactions: int = 4,
        ) -> Neo4jStore:
            return opened.enter_context(
                Neo4jStore.open(
                    neo4j_cleared.address,
                    neo4j_cleared.settings(transactions=transactions),
                    create=create,
                    read_only=read_only,
                    wait=wait,
                )
            )

        yield open_store


@pytest.fixture
def neo4j_victims(request: pytest.FixtureRequest) -> NewVictim:
    """Servers of the test's own, empty, that may be ended and started again.

    The same wishes give the same server, also to the next test: its start is paid for once.
    """

    def give(
        *,
        gds: bool = True,
        tls: bool = False,
        heap: str = "512m",
        settings: Mapping[str, str] | None = None,
    ) -> LocalServer:
        wishes = Wishes(gds, tls, heap, dict(settings or {}))
        return _had(request, lambda servers: servers.victim(wishes))

    return give


@pytest.fixture
def neo4j_victim(neo4j_victims: NewVictim) -> LocalServer:
    """A server of the test's own, empty, with OpenGDS: `.kill()`, `.start()`, `.restart()`."""
    return neo4j_victims()


@pytest.fixture
def neo4j_unstarted(request: pytest.FixtureRequest) -> Iterator[LocalServer]:
    """A server of the test's own, without OpenGDS, that was never started; gone after the test."""
    with closing(LocalServer(_had(request, Servers.jars), Wishes(gds=False))) as server:
        yield server
