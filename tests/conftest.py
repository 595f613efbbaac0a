"""What every room of the tests shares."""

from __future__ import annotations

import csv
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

import kindred
from tests.demo.ahead import Demos

ROOT = Path(__file__).resolve().parent.parent

pytest_plugins = ["tests.servers.fixtures"]

# A shell makes what it runs in the background ignore Ctrl-C, and children inherit that; what
# has a handler here is heard there.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Data sets that are not part of the project, beside its root."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared data sets are not beside the project")
    return folder


@pytest.fixture(scope="session", autouse=True)
def demos_ahead(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demos | None]:
    """Start the demos with the first test, if any test will look at them."""
    if not any("demos" in getattr(item, "fixturenames", ()) for item in request.session.items):
        yield None
        return
    demos = Demos(tmp_path_factory.mktemp("demos"))
    yield demos
    demos.stop()


GROUP = 40
"""Members of each of the three groups of the small world."""


def write_small_export(folder: Path) -> Path:
    """Write a canonical folder: three groups that share their own, on 25 days.

    One name is an attack on whoever prints it; one row of the shares cannot be read.
    """
    random = Random(3)  # noqa: S311 - a fixed world, not a secret
    start = datetime(2021, 9, 1, tzinfo=UTC)
    people = range(3 * GROUP)
    users: list[list[object]] = [
        [f"x:u{i:03}", f"u{i:03}", f"Person {i}", random.randrange(10, 5_000)] for i in people
    ]
    users[7][2] = "</script><img src=x onerror=alert(1)>\x1b[31m"
    content: list[list[object]] = []
    shares: list[list[object]] = []
    for post in range(600):
        author = random.randrange(len(people))
        at = start + timedelta(hours=post)
        content.append([f"x:p{post}", f"x:u{author:03}", at.isoformat()])
        near = [i for i in people if i // GROUP == author // GROUP and i != author]
        far = [i for i in people if i // GROUP != author // GROUP]
        for i in random.sample(near, 6) + random.sample(far, 1):
            later = at + timedelta(minutes=random.randrange(1, 3_000))
            shares.append([f"x:u{i:03}", f"x:p{post}", later.isoformat(), "share"])
    shares.append(["x:u001", "x:p5", "no time at all", "share"])
    tables: dict[str, tuple[list[str], list[list[object]]]] = {
        "users": (["user_id", "handle", "name", "followers_count"], users),
        "content": (["content_id", "author_id", "created_at"], content),
        "shares": (["user_id", "content_id", "at", "kind"], shares),
    }
    folder.mkdir(parents=True)
    for name, (header, rows) in tables.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
    return folder


@pytest.fixture(scope="session")
def small_export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A canonical folder of 120 users, 600 contents and 4,200 shares."""
    return write_small_export(tmp_path_factory.mktemp("small") / "export")


@pytest.fixture(scope="session")
def small_store(small_export: Path) -> Path:
    """A store that holds the small export and one run. Read it; copy it to write."""
    store = small_export.parent / "kindred-data"
    with kindred.connect(store) as k:
        k.load(small_export)
        k.analyse(rewirings=3, ensemble=2)
    return store
