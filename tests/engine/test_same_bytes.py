"""A whole run is the same bytes over threads, row order, hash seed and a second load."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.results import RESULTS
from tests.conftest import GROUP, write_small_export

ANALYSE = """
import sys, kindred
folder, store, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
with kindred.connect(store) as k:
    for _ in range(times):
        k.load(folder)
    k.analyse(rewirings=1, ensemble=2, folds=3)
"""


def add_tables(folder: Path) -> None:
    """Beside shares: likes, replies, mentions, follows, domains and brands."""
    draw = Random(5)  # noqa: S311 - a fixed world, not a secret
    users = [f"x:u{i:03}" for i in range(120)]
    posts = [f"x:p{i}" for i in range(600)]
    tables: dict[str, list[list[str]]] = {
        "mentions": [["user_id", "target_id", "at"]]
        + [[draw.choice(users), draw.choice(users), "2021-09-03"] for _ in range(400)],
        "replies": [["user_id", "parent_content_id"]]
        + [[draw.choice(users), draw.choice(posts)] for _ in range(400)],
        "reactions": [["user_id", "content_id", "kind"]]
        + [[draw.choice(users), draw.choice(posts), "like"] for _ in range(1_500)],
        # Within the groups of the small world, so that exposure is known and is scored by.
        "follows": [["follower_id", "followee_id"]]
        + [
            [user, users[i // GROUP * GROUP + j]]
            for i, user in enumerate(users)
            for j in sorted(draw.sample(range(GROUP), 30))
            if i % GROUP != j
        ],
        "topics": [["content_id", "kind", "label"]]
        + [[p, "domain", draw.choice(["a.de", "b.de", "c.de"])] for p in posts],
        "brands": [["brand_id", "name"], ["b1", "Acme"], ["b2", "Zed"]],
        "brand_members": [
            ["brand_id", "kind", "value"],
            ["b1", "account", "x:u001"],
            ["b1", "account", "x:u041"],
            ["b2", "domain", "a.de"],
        ],
    }
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)


def shuffle(folder: Path, seed: int) -> None:
    """Put the rows of every table into another order."""
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        Random(seed).shuffle(rows)  # noqa: S311 - an order, not a secret
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])


SETTINGS: Final[Mapping[str, Mapping[str, int]]] = {
    "first": {"threads": 1, "hash_seed": 0, "order": 0, "loads": 1},
    "other_order": {"threads": 3, "hash_seed": 4242, "order": 1, "loads": 1},
    "loaded_twice": {"threads": 2, "hash_seed": 7, "order": 2, "loads": 2},
}


def run(home: Path, *, threads: int, hash_seed: int, order: int, loads: int) -> dict[str, bytes]:
    """Return the bytes of every table of a run in a process of its own, and the run's id."""
    folder = write_small_export(home / "export")
    add_tables(folder)
    if order:
        shuffle(folder, order)
    subprocess.run(
        [sys.executable, "-c", ANALYSE, str(folder), str(home / "store"), str(loads)],
        env={**os.environ, "KINDRED_THREADS": str(threads), "PYTHONHASHSEED": str(hash_seed)},
        check=True,
        capture_output=True,
    )
    (made,) = (home / "store" / "runs").iterdir()
    found = {path.name: path.read_bytes() for path in sorted(made.glob("*.parquet"))}
    return {"run": made.name.encode(), **found}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """A run under each setting, all at once."""
    homes = {name: tmp_path_factory.mktemp(name) for name in SETTINGS}
    with ThreadPoolExecutor(len(SETTINGS)) as pool:
        runs = {name: pool.submit(run, homes[name], **given) for name, given in SETTINGS.items()}
        return {name: each.result() for name, each in runs.items()}


def test_the_run_knows_exposure(made: dict[str, dict[str, bytes]]) -> None:
    """Or the bytes would say nothing of the tier that does."""
    scores = pq.read_table(pa.BufferReader(made["first"]["scores.parquet"]))
    assert set(scores["tier"].to_pylist()) >= {"follows"}
    assert scores["exposure"].null_count < scores.num_rows


@pytest.mark.parametrize("setting", [name for name in SETTINGS if name != "first"])
def test_a_whole_run_is_the_same_bytes(made: dict[str, dict[str, bytes]], setting: str) -> None:
    first, other = made["first"], made[setting]
    assert sorted(first) == sorted(["run", *(f"{name}.parquet" for name in RESULTS)])
    assert [name for name in first if first[name] != other.get(name)] == []
    assert other.keys() == first.keys()
