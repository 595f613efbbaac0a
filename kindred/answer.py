"""The printed answer of a run: what a strategist asks, in the order of asking.

Which communities are there and are they real; what is strong in each; who is loud with
little behind it and who is quiet with much; how far to believe it; where to look next.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Group, RenderableType

from engine import lists
from engine.contract import Backend, RunInfo
from engine.verbs import RUNS
from engine.wording import (
    lower_bound,
    quadrant_heading,
    score_word,
    tier_sentence,
    verdict_word,
)
from kindred.believing import calibration
from kindred.loudness import loudness
from kindred.made import labelled
from kindred.paragraphs import columns, figure, heading, interval, percent, sentence
from kindred.plain import plain
from kindred.structureless import structureless

__all__ = ["answer"]

COMMUNITIES: Final = 10
"""Communities in the overview."""
INSIDE: Final = 5
"""Communities looked into, and sources shown of each."""
CONTRASTS: Final = 6
"""Sources shown of each contrast."""
ENOUGH: Final = 10
"""Fewest shares of a source that is shown as a contrast: below, the words were never tested."""
ACCOUNTS: Final = 100_000
"""Most accounts of brands that are looked up."""

_TOPICS: Final = frozenset(
    {"window", "tier", "ties", "resolution", "engine", "platforms", "crossfit", "floor"}
)
"""Notes of a run that stand at the top."""

Row = Mapping[str, Any]


def answer(
    backend: Backend,
    run_id: str | None = None,
    *,
    beyond: Sequence[RenderableType] = (),
    store: str | None = None,
) -> RenderableType:
    """Return the answer of a run as a Rich renderable, bounded to a few screens.

    Where the data were made up, every line says so. `beyond` is shown before the commands
    to try next, which name the `store` where it is not the usual one.
    """
    run = backend.run(run_id)
    told = [*_parts(backend, run), *beyond, *_next(backend, run, store)]
    return labelled(Group(*told), backend)


def _parts(backend: Backend, run: RunInfo) -> Iterator[RenderableType]:
    yield from _opening(backend, run)
    yield from _communities(backend, run)
    if run.tier is None:
        yield from loudness(backend, run, _communities_of(backend, run))
    elif lists.no_kindred(backend, run.run_id):
        yield from structureless(backend, run)
    else:
        yield from _strongest(backend, run)
        yield from _contrasts(backend, run)
    yield from calibration(backend, run)


def _opening(backend: Backend, run: RunInfo) -> Iterator[RenderableType]:
    titles = [
        f"{source['title']} ({source.get('licence', 'licence unknown')})"
        for batch in backend.batches()
        if (source := batch.options.get("source")) and source.get("title")
    ]
    if titles:
        yield plain("; ".join(dict.fromkeys(titles)), "bold")
    counts = ", ".join(f"{n:,} {what}" for what, n in run.counts.items() if n and what != RUNS)
    yield sentence(
        f"{counts}. Run {run.run_id}: seed {run.params.seed}, {run.counts.get(RUNS, 0)} {RUNS}, "
        f"{sum(run.timings.values()):.0f} s."
    )
    refused = sum(sum(batch.rejected.values()) for batch in backend.batches())
    if refused:
        rows = "row was" if refused == 1 else "rows were"
        yield sentence(f"{refused:,} {rows} refused at loading, each kept with its reason.")
    yield sentence(tier_sentence(run.tier))
    for note in backend.read("notes", run_id=run.run_id).to_pylist():
        if note["topic"] in _TOPICS:
            yield sentence(note["text"], style="dim")


def _communities(backend: Backend, run: RunInfo) -> Iterator[RenderableType]:
    rows = _communities_of(backend, run)
    kindred = sum(r["verdict"] == "kindred" for r in rows)
    yield heading(
        f"Communities: {len(rows):,} that are large enough and share enough to describe, "
        f"{kindred:,} of them kindred"
        if run.tier is not None
        else f"Communities: {len(rows):,} large enough to describe, {kindred:,} of them kindred"
    )
    if not kindred and not lists.no_kindred(backend, run.run_id):
        yield sentence("No community here could be told from chance, nor be shown to be chance.")
    table = columns(
        ("id", "left"),
        ("members", "right"),
        ("what they share or engage with most", "left"),
        ("platforms, labels", "left"),
        ("verdict", "left"),
    )
    for r in rows[:COMMUNITIES]:
        table.add_row(
            r["community_id"],
            figure(r["member_count"]),
            plain(", ".join((r["top_sources"] or [])[:3]) or r["label"]),
            plain(_mix(r)),
            verdict_word(r["verdict"]),
        )
    yield table
    if len(rows) > COMMUNITIES:
        yield sentence(f"and {len(rows) - COMMUNITIES:,} smaller ones.", style="dim")
    for note in backend.read("notes", run_id=run.run_id, where={"topic": "verdict"}).to_pylist():
        yield sentence(note["text"], style="dim")


def _communities_of(backend: Backend, run: RunInfo) -> list[Row]:
    found = backend.read(
        "communities",
        run_id=run.run_id,
        where={"level": 1},
        order=("-member_count", "community_id"),
    )
    return [r for r in found.to_pylist() if r["kind"] != "fringe"]


def _mix(row: Row) -> str:
    parts = [*(row["platforms"] or [])][:2]
    words = [f"{p['platform']} {percent(p['share'])}" for p in parts if len(parts) > 1]
    words += [f"{t['label']} {percent(t['share'])}" for t in (row["traits"] or [])[:2]]
    return ", ".join(words) or ", ".join(p["platform"] for p in parts)


def _strongest(backend: Backend, run: RunInfo) -> Iterator[RenderableType]:
    yield heading(f"In each community, by {lower_bound(run.tier)}")
    yield sentence(
        f"Lists are cut so that at most {run.params.false_sign_rate:.0%} of them are expected "
        "to have the wrong sign.",
        style="dim",
    )
    ids = [
        r["community_id"]
        for r in _communities_of(backend, run)
        if r["kind"] != "mainstream" and r["verdict"] != "not_kindred"
    ]
    owned = _owned(backend)
    shown = 0
    for community_id in ids:
        rows = [
            r
            for r in backend.read(
                "scores",
                run_id=run.run_id,
                where={"community_id": community_id, "lift_low__gt": 1.0},
                order=("-lift_low", "source_id"),
                limit=4 * INSIDE,
            ).to_pylist()
            if "flagged" in r["flags"] and r["source_id"] not in owned
        ][:INSIDE]
        if not rows:
            continue
        table = columns(
            (community_id, "left"),
            ("shared", "right"),
            ("expected", "right"),
            ("times expected, 90 % interval", "right"),
            ("people", "right"),
        )
        names = _labels(backend, run, rows)
        for r in rows:
            table.add_row(
                plain(names[r["source_kind"], r["source_id"]]),
                figure(r["observed"]),
                figure(r["expected"], 1),
                f"{figure(r['lift'], 1)}  {interval(r['lift_low'], r['lift_high'], 1)}",
                figure(r["effective_sharers"]),
            )
        yield table
        shown += 1
        if shown == INSIDE:
            break
    if not shown:
        yield sentence(
            f"No source stands out at a false-sign rate of {run.params.false_sign_rate:.0%}."
        )


def _owned(backend: Backend) -> frozenset[str]:
    """Return the accounts that belong to a brand: the brand stands for them in lists."""
    rows = backend.statement("brand_accounts", {"limit": ACCOUNTS})
    return frozenset(rows["user_id"].to_pylist())


def _contrasts(backend: Backend, run: RunInfo) -> Iterator[RenderableType]:
    owned = _owned(backend)
    for quadrant, order in (("broadcaster", "-influence"), ("gem", "-resonance_low")):
        rows = backend.read(
            "scores",
            run_id=run.run_id,
            where={"community_id": None, "quadrant": quadrant, "observed__ge": ENOUGH},
            order=(order, "-observed", "source_id"),
            limit=4 * CONTRASTS,
        ).to_pylist()
        rows = [r for r in rows if r["source_id"] not in owned][:CONTRASTS]
        yield heading(quadrant_heading(quadrant, run.tier))
        if not rows:
            yield sentence(
                f"None of {ENOUGH} shares or more that the intervals allow to be called so."
            )
            continue
        table = columns(
            ("source", "left"),
            ("loudness percentile", "right"),
            ("shares", "right"),
            (f"{score_word(run.tier)}, % in excess [90 % interval]", "right"),
        )
        names = _labels(backend, run, rows)
        for r in rows:
            table.add_row(
                plain(names[r["source_kind"], r["source_id"]]),
                figure(r["influence"]),
                figure(r["observed"]),
                f"{figure(r['resonance'])}  {interval(r['resonance_low'], r['resonance_high'])}",
            )
        yield table


def _labels(backend: Backend, run: RunInfo, rows: Sequence[Row]) -> dict[tuple[str, str], str]:
    keys = [(str(r["source_kind"]), str(r["source_id"])) for r in rows]
    ids = sorted({source_id for _, source_id in keys})
    found = backend.read("influence", run_id=run.run_id, where={"source_id": ids}).to_pylist()
    named = {(r["source_kind"], r["source_id"]): str(r["label"]) for r in found}
    return {key: named.get(key, key[1]) for key in keys}


def _next(backend: Backend, run: RunInfo, store: str | None) -> Iterator[RenderableType]:
    first = next(iter(_communities_of(backend, run)), None)
    commands = ["communities", "influence", "view --open", "serve"]
    if first is not None:
        commands.insert(1, f"communities {first['community_id']}")
    if run.tier is not None and first is not None and not lists.no_kindred(backend, run.run_id):
        commands.insert(2, f"resonance --community {first['community_id']}")
        commands.append("export scores -o scores.parquet")
    yield heading("Where to look next")
    where = "" if store is None else f" --store {shlex.quote(store)}"
    for command in commands:
        yield sentence(f"{_program()} {command}{where}", style="cyan")


def _program() -> str:
    """Return what to type for this program: its path where the shell would not find it."""
    called = Path(sys.argv[0])
    if shutil.which("kindred") or called.name != "kindred":
        return "kindred"
    return os.path.relpath(called)
