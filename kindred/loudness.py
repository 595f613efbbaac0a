"""The part of an answer on data that say who engaged with whom, and not what was shared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import RenderableType

from engine.contract import Backend, RunInfo
from kindred.paragraphs import columns, figure, heading, sentence
from kindred.plain import plain

__all__ = ["loudness"]

SHOWN: Final = 6
"""Communities, and people of each list."""

Row = Mapping[str, Any]


def loudness(
    backend: Backend, run: RunInfo, communities: Sequence[Row]
) -> Iterator[RenderableType]:
    """Yield authority inside the communities, and followers beside attention."""
    people = [
        r
        for r in backend.read(
            "influence", run_id=run.run_id, where={"source_kind": "user"}
        ).to_pylist()
        if r["followers_count"] is not None
    ]
    yield heading("Authority inside the largest communities")
    for community in communities[:SHOWN]:
        rows = backend.read(
            "authority",
            run_id=run.run_id,
            where={"community_id": community["community_id"]},
            order=("rank",),
            limit=SHOWN,
        ).to_pylist()
        names = {
            r["user_id"]: _shown(r) for r in backend.users([r["user_id"] for r in rows]).to_pylist()
        }
        yield sentence(
            f"{community['community_id']} ({community['label']}): "
            + ", ".join(names.get(r["user_id"], r["user_id"]) for r in rows)
        )
    if not people:
        return
    engaged = sorted(r["attention_count"] for r in people)
    for words, rows in (
        (
            "Loudest, by followers",
            sorted(people, key=lambda r: (-r["followers_count"], r["source_id"])),
        ),
        (
            "Most attention from others in these data",
            sorted(people, key=lambda r: (-r["attention_count"], r["source_id"])),
        ),
    ):
        yield heading(words)
        table = columns(
            ("name", "left"),
            ("community", "left"),
            ("followers", "right"),
            ("engaged by", "right"),
            ("inside", "right"),
            ("across", "right"),
            ("authority percentile", "right"),
        )
        percentiles = _percentiles(backend, run, [r["source_id"] for r in rows[:SHOWN]])
        for r in rows[:SHOWN]:
            table.add_row(
                plain(r["label"]),
                r["community_id"] or "–",
                figure(r["followers_count"]),
                figure(r["attention_count"]),
                figure(r["attention_inside_count"]),
                figure(r["attention_across_count"]),
                figure(percentiles.get(r["source_id"])),
            )
        yield table
    yield sentence(
        f"Half of these accounts are engaged by at least {engaged[len(engaged) // 2]:,} others. "
        "Followers say who is loud; attention says who is engaged with, and by whom.",
        style="dim",
    )


def _percentiles(backend: Backend, run: RunInfo, user_ids: Sequence[str]) -> dict[str, float]:
    rows = backend.read(
        "authority", run_id=run.run_id, where={"community_id": None, "user_id": list(user_ids)}
    )
    return {r["user_id"]: r["percentile"] for r in rows.to_pylist()}


def _shown(user: Row) -> str:
    return str(user["name"] or user["handle"] or user["user_id"])
