"""The small world of `tests.conftest`, where it is known as well who follows whom."""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

import kindred
from tests.conftest import GROUP


def learn_follows(store: Path, folder: Path) -> None:
    """Load follows into a store of the small export, and analyse it again."""
    random = Random(5)  # noqa: S311 - a fixed world, not a secret
    rows: list[list[str]] = []
    for i in range(3 * GROUP):
        near = [j for j in range(3 * GROUP) if j // GROUP == i // GROUP and j != i]
        rows += [[f"x:u{i:03}", f"x:u{j:03}"] for j in random.sample(near, 12)]
    folder.mkdir(parents=True)
    with (folder / "follows.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["follower_id", "followee_id"], *rows])
    with kindred.connect(store) as k:
        k.load(folder)
        k.analyse(rewirings=0, ensemble=0, split=None)
