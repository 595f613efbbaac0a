"""What was planted in the made world, and how much of it each ranking finds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import RenderableType

from engine.contract import Backend, RunInfo
from engine.wording import score_word
from kindred.demo.score_world import agreement, find_rate
from kindred.paragraphs import columns, figure, heading, sentence
from kindred.plain import plain

__all__ = ["planted"]


def planted(backend: Backend, run: RunInfo, folder: Path) -> Iterator[RenderableType]:
    """Yield how cascades went, whom the loudest reach, and how much each ranking finds."""
    yield from _deepest(backend, run)
    yield from _reached(backend, run)
    truth = pq.read_table(folder / "data" / "truth" / "truth.parquet")
    places = pq.read_table(folder / "data" / "truth" / "places.parquet")
    results = {
        name: backend.read(name, run_id=run.run_id)
        for name in ("scores", "influence", "memberships")
    }
    same = agreement(results["memberships"], places)
    yield heading("What was planted, and who finds it")
    yield sentence(
        f"{same.planted_count} communities were planted and {same.found_count} found: NMI "
        f"{same.mutual_information:.2f}, adjusted Rand {same.adjusted_rand:.2f}."
    )
    found = find_rate(results, truth, places).to_pylist()
    table = columns(
        ("ranking", "left"),
        ("average precision", "right"),
        ("right among first 50", "right"),
        ("first 100", "right"),
    )
    for row in sorted(found, key=lambda r: (-r["average_precision"], r["ranking"])):
        table.add_row(
            plain(
                f"{score_word(run.tier)} in the community, lower bound"
                if row["ranking"] == "score"
                else row["label"]
            ),
            figure(row["average_precision"], 2),
            figure(row["precision_50"], 2),
            figure(row["precision_100"], 2),
        )
    yield table
    yield sentence(
        f"{found[0]['planted_count']:,} of {found[0]['cell_count']:,} pairs of a source and a "
        "community were planted: shared there 2 to 16 times as readily as by habit.",
        style="dim",
    )


def _deepest(backend: Backend, run: RunInfo) -> Iterator[RenderableType]:
    rows = backend.read(
        "cascades",
        run_id=run.run_id,
        order=("-depth_max", "-share_count", "content_id"),
        limit=4,
    ).to_pylist()
    names = {
        u["user_id"]: u["name"] for u in backend.users([r["author_id"] for r in rows]).to_pylist()
    }
    yield heading("Deepest cascades (true parents are in the data)")
    table = columns(
        ("by", "left"),
        ("shares", "right"),
        ("deepest chain", "right"),
        ("mean distance of pairs", "right"),
        ("communities", "right"),
        ("hops between them", "right"),
    )
    for r in rows:
        table.add_row(
            plain(names.get(r["author_id"]) or r["author_id"]),
            figure(r["share_count"]),
            figure(r["depth_max"]),
            figure(r["structural_virality"], 2),
            figure(r["communities_count"]),
            figure(r["cross_community_hops"]),
        )
    yield table


def _reached(backend: Backend, run: RunInfo) -> Iterator[RenderableType]:
    rows = backend.read(
        "influence",
        run_id=run.run_id,
        where={"source_kind": "brand"},
        order=("-reach_count", "source_id"),
        limit=5,
    ).to_pylist()
    yield heading("Brands by distinct people reached")
    table = columns(
        ("brand", "left"),
        ("followers", "right"),
        ("distinct people reached", "right"),
        ("shares", "right"),
        ("distinct sharers", "right"),
    )
    for r in rows:
        table.add_row(
            plain(r["label"]),
            figure(r["followers_count"]),
            figure(r["reach_count"]),
            figure(r["share_count"]),
            figure(r["sharer_count"]),
        )
    yield table
