"""The part of an answer on data in which no community is kindred: who is loud, and no scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import RenderableType

from engine import lists
from engine.contract import Backend, RunInfo
from engine.wording import score_word
from kindred.paragraphs import columns, figure, heading, sentence
from kindred.plain import plain

__all__ = ["structureless"]

SHOWN: Final = 10
"""Sources shown."""

_BASIS: Final = {
    "reach_count": "people who could see it",
    "share_count": "shares received",
    "attention_count": "people who engaged with it",
}


def structureless(backend: Backend, run: RunInfo) -> Iterator[RenderableType]:
    """Yield the loudest sources, and why nothing is said of what resonates where."""
    yield heading("Influence only")
    yield sentence(
        f"What is shared more in one of these groups than in another is no {score_word(run.tier)} "
        "of a community: groups like these are found in chance ties too. So only who is loud is "
        "shown; the scores are stored, and every list of them says the same."
    )
    rows = lists.influence(backend, run.run_id, limit=SHOWN).rows.to_pylist()
    table = columns(
        ("source", "left"),
        ("loudness percentile", "right"),
        ("by", "left"),
        ("shares", "right"),
        ("sharers", "right"),
        ("followers", "right"),
    )
    for r in rows:
        table.add_row(
            plain(r["label"]),
            figure(r["influence"]),
            _BASIS.get(r["influence_basis"] or "", "–"),
            figure(r["share_count"]),
            figure(r["sharer_count"]),
            figure(r["followers_count"]),
        )
    yield table
