"""What the gates of the measure demanded and what was measured, told when the tests end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["LEDGER", "Entry", "told"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One demand on one world."""

    gate: str
    world: str
    target: str
    measured: str
    met: bool | None
    """None where nothing is demanded."""


LEDGER: Final[list[Entry]] = []
"""In the order in which it was measured."""


def told(gate: str, world: str, target: str, measured: str, *, met: bool | None) -> bool:
    """Write down a measurement, and return whether the demand is met."""
    LEDGER.append(Entry(gate, world, target, measured, met))
    return met is not False
