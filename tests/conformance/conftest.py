"""The fixtures of the conformance suite: every store there is, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.contract import Backend
from tests.conformance.backends.embedded import CONF as EMBEDDED
from tests.conformance.conf import Conf
from tests.conformance.registry import CONFS
from tests.conformance.shelf import Shelf, Stock

HERE = Path(__file__).parent


@pytest.fixture(
    scope="session", params=[pytest.param(c, marks=c.marks, id=c.name) for c in CONFS.values()]
)
def kind(request: pytest.FixtureRequest) -> Iterator[Shelf]:
    """Stores of one kind, kept as long as there are tests."""
    conf: Conf = request.param
    if conf is EMBEDDED:
        yield request.getfixturevalue("kind_embedded")
        return
    made = Shelf(conf, conf.start(request))
    yield made
    made.close()


@pytest.fixture(scope="session")
def kind_embedded(request: pytest.FixtureRequest) -> Iterator[Shelf]:
    """Embedded stores, whose answers the other kinds must give."""
    made = Shelf(EMBEDDED, EMBEDDED.start(request))
    yield made
    made.close()


@pytest.fixture
def shelf(kind: Shelf) -> Iterator[Shelf]:
    """Stores of one kind; what a test opens is closed after it."""
    yield kind
    kind.tidy()


@pytest.fixture
def embedded(kind_embedded: Shelf) -> Iterator[Shelf]:
    """Embedded stores."""
    yield kind_embedded
    kind_embedded.tidy()


@pytest.fixture
def stock(shelf: Shelf) -> Stock:
    """A store of each kind that holds every toy graph and a run, to be read only."""
    return shelf.stock()


@pytest.fixture
def bare(shelf: Shelf) -> Backend:
    """An empty store of each kind, to be read only."""
    return shelf.bare()


@pytest.fixture
def wanted(embedded: Shelf) -> Stock:
    """The embedded store of the same content."""
    return embedded.stock()


@pytest.fixture
def make_backend(shelf: Shelf) -> Callable[[], Backend]:
    """Make empty stores; where there is place for one only, the one before is closed."""
    return shelf.fresh


@pytest.fixture
def backend(make_backend: Callable[[], Backend]) -> Backend:
    """An empty store of each kind."""
    return make_backend()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Leave to `gates` what costs too much in a store: marked before marks choose."""
    spec = getattr(item, "callspec", None)
    confs = (c for c in (spec.params.values() if spec is not None else ()) if isinstance(c, Conf))
    if any(getattr(item, "originalname", None) in conf.costly for conf in confs):
        item.add_marker(pytest.mark.gates)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the gaps, and let the tests that share a store follow each other."""
    ours = [
        item for item in items if isinstance(item, pytest.Function) and HERE in item.path.parents
    ]
    for item in ours:
        spec = getattr(item, "callspec", None)
        given = list(spec.params.values()) if spec is not None else []
        for conf in (value for value in given if isinstance(value, Conf)):
            for gap in conf.gaps:
                if gap.holds(item, given):
                    item.add_marker(gap.mark)
    places = [place for place, item in enumerate(items) if item in ours]
    for place, item in zip(places, sorted(ours, key=_turn), strict=True):
        items[place] = item


def _turn(item: pytest.Function) -> tuple[int, int]:
    kinds = list(CONFS.values())
    spec = getattr(item, "callspec", None)
    conf = spec.params.get("kind") if spec is not None else None
    shared = [name in item.fixturenames for name in ("stock", "bare")]
    return (kinds.index(conf) if conf is not None else -1), ([*shared, True]).index(True)
