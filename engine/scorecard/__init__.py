"""The scorecard: every element of the integration model, of any source in any community.

Each figure has a range, a unit, the columns it came from and of how many it was counted; an
estimate has its 90 % interval. What the data cannot tell is null and says why: nothing is put
in its place. People are placed as the fold of the source has them, as in its score.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.model import TEXT, Column
from engine.params import SourceKind
from engine.progress import Progress, silent
from engine.results import RESULTS, empty, table
from engine.scene import Scene
from engine.scorecard.card import Card, Subject, subject
from engine.scorecard.elements import ELEMENTS, Element
from engine.scorecard.facts import Facts, Read

__all__ = [
    "ASKED",
    "ELEMENTS",
    "KEPT",
    "Element",
    "Facts",
    "Read",
    "held",
    "left_out",
    "scorecard",
    "scorecards",
    "shown",
]

KEPT: Final = 20
"""Most shared sources of a kind whose scorecards a run keeps; any other is made when asked."""
PLACES: Final = 3
"""Communities that share a source most in which its scorecard is kept."""

_STEPS: Final = 1_000_000_000
"""Follows walked for all scorecards of a run together."""

Note = tuple[str, str, float | None]

_SUBJECT: Final = ("source_kind", "source_id", "community_id")


def scorecard(
    scene: Scene, read: Read, kind: SourceKind, source_id: str, community_id: str | None = None
) -> pa.Table:
    """Return the scorecard of one source: the declared table `scorecard`, a row an element.

    Parameters
    ----------
    scene
        A run with its data.
    read
        Rows of the run's tables.
    kind, source_id
        Which source.
    community_id
        Where; by default over everyone.

    Raises
    ------
    NotFound
        If there is no such source or community.

    Notes
    -----
    O(shares of the source + followers of its posters + ties); a second or two at a million
    ties, most of it for sorting what all scorecards share.
    """
    facts = Facts(scene.snapshot, scene.partitions, scene.run.params, read)
    return _table(_of(subject(facts, kind, source_id), community_id))


ASKED: Final = (
    Column("row", TEXT, "the element of the model that this is a figure of", required=True),
    *(c for c in RESULTS["scorecard"].columns if c.name not in _SUBJECT),
    Column("range", TEXT, "what values are possible", required=True),
    Column("about", TEXT, "what it tells", required=True),
)
"""Columns of a scorecard as it is shown: that of one source, in the order of the model."""


def shown(card: pa.Table) -> pa.Table:
    """Return a scorecard in the order of the model, with what each figure tells."""
    order = pc.index_in(pa.array([e.name for e in ELEMENTS]), card["element"].combine_chunks())
    rows = card.take(order)
    said = {
        "row": [e.row for e in ELEMENTS],
        "range": [e.range for e in ELEMENTS],
        "about": [e.about for e in ELEMENTS],
    }
    names = [c.name for c in ASKED]
    return pa.table({n: said[n] if n in said else rows[n] for n in names})


def scorecards(facts: Facts, kinds: Iterable[SourceKind], progress: Progress = silent) -> pa.Table:
    """Return scorecards of the sources that a run keeps, over everyone and where they are shared.

    The `KEPT` most shared of each kind, over everyone and in the `PLACES` communities that
    share them most. About ten milliseconds a scorecard at a thousand users.
    """
    rows: list[dict[str, Any]] = []
    chosen = [(kind, source_id) for kind in kinds for source_id in _kept(facts, kind)]
    if len(facts.snapshot.follows.follower) * len(chosen) > _STEPS:
        facts = replace(facts, counted=facts.shares, over=facts.whom, most_steps=0)
    for number, (kind, source_id) in enumerate(chosen):
        progress("scorecards", number, len(chosen))
        of = subject(facts, kind, source_id)
        for place in (None, *_places(of)):
            rows += _of(of, place)
    return _table(rows)


def held(tables: Mapping[str, pa.Table]) -> Read:
    """Read tables that are in memory."""

    def read(name: str, where: Mapping[str, Any]) -> pa.Table:
        rows = tables[name] if name in tables else empty(name)
        for column, wanted in where.items():
            values = wanted if isinstance(wanted, list) else [wanted]
            rows = rows.filter(pc.is_in(rows[column], pa.array(values, pa.string())))
        return rows

    return read


def left_out(facts: Facts, kinds: Iterable[SourceKind]) -> Iterator[Note]:
    """Yield, for each kind, how many sources have no scorecard in the run."""
    for kind in kinds:
        left = len(facts.placed(kind).sources.at) - len(_kept(facts, kind))
        if left > 0:
            said = (
                f"{kind}: {left:,} sources that are shared less have no scorecard in the run; "
                "kindred scorecard SOURCE makes it."
            )
            yield ("scorecard", said, float(left))


def _kept(facts: Facts, kind: SourceKind) -> list[str]:
    """Return the ids of the sources whose scorecards are kept, sorted."""
    events = facts.placed(kind).sources.events
    ids: list[str] = events.source_id.to_pylist()
    count = np.bincount(events.source, minlength=len(ids))
    # Ids are in their order, so that a stable sort leaves equals in it.
    return sorted(ids[i] for i in np.argsort(-count, kind="stable")[:KEPT].tolist())


def _places(of: Subject) -> list[str]:
    """Return the communities that share a source most, the largest first among equals."""
    order = {name: label for label, name in enumerate(of.placed.names.to_pylist())}
    cells = [(-row["observed"], order[name], name) for name, row in of.scores.items() if name]
    return [name for _, _, name in sorted(cells)[:PLACES]]


def _of(of: Subject, community_id: str | None) -> list[dict[str, Any]]:
    place = None if community_id is None else of.facts.label(community_id)
    card = Card(of, community_id, place)
    return [_row(card, element) for element in ELEMENTS]


def _row(card: Card, element: Element) -> dict[str, Any]:
    value = element.measure(card)
    return {
        "source_kind": card.of.kind,
        "source_id": card.of.source_id,
        "community_id": card.community_id,
        "element": element.name,
        "value": value.value,
        "low": value.low,
        "high": value.high,
        "unit": element.unit,
        "n": value.n,
        "basis": list(value.basis),
        "reason": value.reason,
    }


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    if not rows:
        return empty("scorecard")
    return table("scorecard", {name: [row[name] for row in rows] for name in rows[0]})
