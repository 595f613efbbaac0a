"""A store with two runs over the same data: one by follows, one with exposure unknown."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

import kindred
from engine.scene import Scene
from tests.conftest import GROUP, write_small_export


def write_richer_export(folder: Path) -> Path:
    """Write the small export with follows, bots, and posts about two domains of each group."""
    random = Random(5)  # noqa: S311 - a fixed world, not a secret
    write_small_export(folder)
    people = range(3 * GROUP)
    follows = [
        [f"x:u{u:03}", f"x:u{v:03}"]
        for u in people
        for v in people
        if u != v and random.random() < (0.5 if u // GROUP == v // GROUP else 0.15)
    ]
    rewrite(folder / "follows.csv", ["follower_id", "followee_id"], follows)
    header, *users = read(folder / "users.csv")
    marked = [[*row, "true" if i in {4, 9} else "false"] for i, row in enumerate(users)]
    rewrite(folder / "users.csv", [*header, "is_bot"], marked)
    topics = []
    for content_id, author_id, _ in read(folder / "content.csv")[1:]:
        group = int(author_id.removeprefix("x:u")) // GROUP
        named = random.sample(range(2), random.choice((1, 1, 2)))
        topics += [[content_id, "domain", f"paper{group}{n}.org"] for n in named]
    rewrite(folder / "topics.csv", ["content_id", "kind", "label"], topics)
    return folder


def read(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def rewrite(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


@dataclass(frozen=True)
class Asked:
    """A store, and its runs by tier."""

    k: kindred.Kindred
    runs: dict[str, str]

    def scene(self, tier: str) -> Scene:
        return self.k._scene(self.runs[tier])


@pytest.fixture(scope="session")
def richer_export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 users, 600 contents about 6 domains, 4,200 shares, some 3,000 follows."""
    return write_richer_export(tmp_path_factory.mktemp("richer") / "export")


@pytest.fixture(scope="session")
def asked(richer_export: Path) -> Iterator[Asked]:
    """The store; its active run is the one by follows."""
    with kindred.connect(richer_export.parent / "store") as k:
        k.load(richer_export)
        runs = {
            tier: k.analyse(
                tier=tier, rewirings=0, split=None, ensemble=0, folds=3, continues="none"
            ).run_id
            for tier in ("affinity", "follows")
        }
        yield Asked(k, {tier: str(run) for tier, run in runs.items()})
