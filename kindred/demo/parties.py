"""Communities found from who engages with whom, beside the parties: a truth anyone can check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import RenderableType

from engine.agreement import adjusted_rand, mutual_information
from engine.contract import Backend, RunInfo
from kindred.paragraphs import columns, heading, sentence

__all__ = ["parties"]

SHOWN: Final = 6
"""Parties with a column of their own."""


def parties(backend: Backend, run: RunInfo, folder: Path) -> Iterator[RenderableType]:
    """Yield a table of communities against parties, and how far the two agree."""
    del folder
    members = backend.read("memberships", run_id=run.run_id, where={"fold": None, "level": 1})
    user_ids = members["user_id"].to_pylist()
    community = members["community_id"].to_pylist()
    party = [(r["labels"] or ["none"])[0] for r in backend.users(user_ids).to_pylist()]
    largest = [name for name, _ in Counter(party).most_common(SHOWN)]
    counts = Counter(zip(community, party, strict=True))
    table = columns(("", "left"), *((name, "right") for name in (*largest, "others")))
    for community_id, size in Counter(community).most_common(SHOWN):
        inside = [counts[community_id, name] for name in largest]
        cells = [f"{n}" if n else "·" for n in (*inside, size - sum(inside))]
        table.add_row(community_id, *cells)
    yield heading("Communities against parties (the parties were not looked at)")
    yield table
    nmi, ari = mutual_information(community, party), adjusted_rand(community, party)
    yield sentence(f"Agreement: NMI {nmi:.2f}, adjusted Rand {ari:.2f} (1 = the same, 0 = chance).")
