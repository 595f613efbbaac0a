"""Scores in tier 2 on 10^6, 3*10^6 and 10^7 follows and as many shares: seconds, peak memory.

Everything after communities is measured: what counts as a share, who had been exposed, and the
scores. Each size runs in a process of its own, so that its peak is its own.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from engine import resonance, sources, tiers
from engine.assemble import assemble
from engine.params import AnalysisParams
from engine.partition import Partitions
from engine.shares import first_shares
from engine.snapshot import Snapshot

SIZES: Final = (1_000_000, 3_000_000, 10_000_000)
TARGET_SECONDS: Final = 60.0
TARGET_BYTES: Final = 64
"""Bytes an edge and event on top of two gigabytes."""

_FOLLOWED: Final = 25
_SHARES: Final = 5
_SIZE: Final = 2_000
"""Follows of a user, shares of a content, members of a community: means."""


def made(size: int, seed: int = 1) -> tuple[Snapshot, Partitions]:
    """Make `size` follows, and as many shares by people who follow a poster, for the most part.

    Half of the follows stay in the community. A content goes from its author to followers,
    and from those on: each share after the first comes from the followers of an earlier one.
    """
    random = np.random.default_rng(seed)
    users = size // _FOLLOWED
    k = max(users // _SIZE, 4)
    place = random.integers(0, k, users).astype(np.int32)
    order = np.argsort(place, kind="stable")
    start = np.searchsorted(place[order], np.arange(k + 1))
    popular = random.pareto(1.5, users) + 1.0
    follower = random.integers(0, users, size)
    inside = random.random(size) < 0.5
    some = np.searchsorted(np.cumsum(popular) / popular.sum(), random.random(size))
    c = place[follower]
    near = order[start[c] + (random.random(size) ** 2 * (start[c + 1] - start[c])).astype(int)]
    followee = np.where(inside, near, np.minimum(some, users - 1))
    pair = np.unique(follower[follower != followee] * users + followee[follower != followee])
    follower, followee = np.divmod(pair, users)
    audience = follower[np.argsort(followee, kind="stable")]
    heard = np.searchsorted(np.sort(followee), np.arange(users + 1))
    contents = size // _SHARES
    author = random.choice(users, contents, p=popular / popular.sum())
    content = np.sort(random.integers(0, contents, size))
    first = np.searchsorted(content, np.arange(contents + 1))
    user = np.empty(size, np.int64)
    rank = np.arange(size) - first[content]
    for step in range(int(rank.max()) + 1):
        here = np.flatnonzero(rank == step)
        back = first[content[here]] + (random.random(len(here)) * step).astype(int)
        via = (
            author[content[here]]
            if step == 0
            else np.where(random.random(len(here)) < 0.5, author[content[here]], user[back])
        )
        many = heard[via + 1] - heard[via]
        pick = heard[via] + (random.random(len(here)) * many).astype(int)
        user[here] = np.where(
            many > 0,
            audience[np.minimum(pick, len(audience) - 1)],
            random.integers(0, users, len(here)),
        )
    return _assembled(users, (follower, followee), author, (content, user, rank)), _partition(
        place, k
    )


def _assembled(
    users: int,
    follows: tuple[np.ndarray, np.ndarray],
    author: np.ndarray,
    shares: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> Snapshot:
    names = np.char.add("x:u", np.char.zfill(np.arange(users).astype(str), 8))
    posts = np.char.add("x:c", np.char.zfill(np.arange(len(author)).astype(str), 8))
    user_id, content_id = pa.array(names, pa.string()), pa.array(posts, pa.string())
    content, user, rank = shares
    posted = np.arange(len(author), dtype=np.int64) * 60_000_000

    def at(values: np.ndarray) -> pa.Array:
        return pa.array(values, pa.int64()).cast(pa.timestamp("us", "UTC"))

    return assemble(
        {
            "users": pa.table({"user_id": user_id}),
            "content": pa.table(
                {
                    "content_id": content_id,
                    "author_id": user_id.take(pa.array(author)),
                    "created_at": at(posted),
                }
            ),
            "shares": pa.table(
                {
                    "user_id": user_id.take(pa.array(user)),
                    "content_id": content_id.take(pa.array(content)),
                    "at": at(posted[content] + (rank + 1) * 600_000_000),
                }
            ),
            "follows": pa.table(
                {
                    "follower_id": user_id.take(pa.array(follows[0])),
                    "followee_id": user_id.take(pa.array(follows[1])),
                }
            ),
        }
    )


def _partition(place: np.ndarray, k: int, folds: int = 5) -> Partitions:
    """Return communities of which every fold puts a few members elsewhere."""
    random = np.random.default_rng(2)
    moved = random.random((folds, len(place))) < 0.05
    elsewhere = random.integers(0, k, (folds, len(place)))
    return Partitions(
        reference=place,
        folds=np.where(moved, elsewhere, place).astype(np.int32),
        confidence=np.ones(len(place)),
        scored=np.ones(k, np.bool_),
        gamma=1.0,
    )


def _run(size: int, answer: multiprocessing.SimpleQueue[tuple[float, ...]]) -> None:
    params = AnalysisParams(sources=("user",))
    small, parts = made(20_000)
    resonance.score(small, parts, params)  # compiles the kernels
    snapshot, parts = made(size)
    _forget_peak()
    began, worked = time.perf_counter(), time.process_time()
    counted = first_shares(snapshot)
    shared = sources.all_events(snapshot, params)
    ready = time.perf_counter()
    taken = tiers.choose(snapshot, params, shared, counted=counted)
    exposed = time.perf_counter()
    found = resonance.score(snapshot, parts, params, events_by_kind=shared, tiers=taken)
    done, worked = time.perf_counter(), time.process_time() - worked
    scored = found.kinds["user"].found.exposed
    answer.put(
        (
            ready - began,
            exposed - ready,
            done - exposed,
            _peak(),
            worked,
            float(0 if scored is None else len(scored.community)),
        )
    )


def _forget_peak() -> None:
    """Start the peak anew: making the data is not what is measured."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak() -> float:
    """Return the most bytes this process has held since."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024.0 * float(status.split("VmHWM:")[1].split()[0])


def main(sizes: tuple[int, ...] = SIZES) -> None:
    """Print seconds by part and the peak, against the target of the largest size."""
    table = Table(title="tier 2 scores: follows and as many shares, communities given")
    for name in (
        "follows",
        "shares s",
        "exposure s",
        "scores s",
        "all s",
        "processor s",
        "peak GB",
        "cells",
    ):
        table.add_column(name, justify="right")
    context = multiprocessing.get_context("spawn")
    for size in sizes:
        answer: multiprocessing.SimpleQueue[tuple[float, ...]] = context.SimpleQueue()
        process = context.Process(target=_run, args=(size, answer))
        process.start()
        shares, exposure, scores, peak, worked, cells = answer.get()
        process.join()
        table.add_row(
            f"{size:,}",
            f"{shares:.1f}",
            f"{exposure:.1f}",
            f"{scores:.1f}",
            f"{shares + exposure + scores:.1f}",
            f"{worked:.1f}",
            f"{peak / 1e9:.2f}",
            f"{cells:,.0f}",
        )
    console = Console(width=100)
    console.print(table)
    allowed = 2.0 + TARGET_BYTES * 2 * sizes[-1] / 1e9
    console.print(
        f"target at {sizes[-1]:,}: {TARGET_SECONDS:.0f} s, {allowed:.2f} GB, two processors"
    )


if __name__ == "__main__":
    main(tuple(int(float(size)) for size in sys.argv[1:]) or SIZES)
