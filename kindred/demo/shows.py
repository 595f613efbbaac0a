"""The three demos: what each loads, what each asks, and what each adds to the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import RenderableType

from engine.contract import Backend, RunInfo
from engine.params import AnalysisParams
from kindred.demo.parties import parties

__all__ = ["SHOWS", "Show"]

DATA: Final = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Show:
    """One demo.

    `source` makes the data in the given folder where they are made up, and returns what to
    load; `beyond` yields what this demo has to say beyond the common answer.
    """

    name: str
    question: str
    source: Callable[[Path], Path]
    options: Mapping[str, Any] = field(default_factory=dict)
    params: AnalysisParams = field(default_factory=AnalysisParams)
    beyond: Callable[[Backend, RunInfo, Path], Iterator[RenderableType]] | None = None


def _made_world(folder: Path) -> Path:
    from kindred.demo.world import WorldParams, make_world, write

    write(make_world(WorldParams()), folder)
    return folder / "tables"


def _planted(backend: Backend, run: RunInfo, folder: Path) -> Iterator[RenderableType]:
    from kindred.demo.planted import planted

    yield from planted(backend, run, folder)


SHOWS: Final[dict[str, Show]] = {
    show.name: show
    for show in (
        Show(
            "parliament",
            "585 members of the UK parliament, and who engaged with whom: do communities found "
            "from that alone match the parties, and is the loudest the one others turn to?",
            source=lambda _: DATA / "parliament",
            beyond=parties,
        ),
        Show(
            "world",
            "A made world whose answer is known: how much of it does each ranking find?",
            source=_made_world,
            beyond=_planted,
        ),
        Show(
            "election",
            "The German election of 2021 on two platforms, each domain a brand: what do "
            "communities share beyond chance, and do the claims come true later?",
            source=lambda _: DATA / "election" / "german_elections.csv.gz",
            options={"brands": "domains"},
        ),
    )
}
"""Demos by name, in the order they are shown."""
