"""Up to ten sources beside each other: where each is strong, where several are, how far apart.

A difference has an interval of its own: lifts of both sources are drawn from what is known of
them, and the differences of the draws are looked at. Two intervals that overlap say less.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
import pyarrow as pa

from engine.contract import Backend
from engine.csr import Floats
from engine.draws import draws
from engine.errors import UsageError
from engine.lift import Prior, excess, posterior
from engine.model import COUNT, TEXT
from engine.recount import Counting, Recount
from engine.scene import Scene

__all__ = ["CELLS", "DIFFERENCES", "MOST", "WHERE", "Versus", "versus"]

MOST: Final = 10
"""Sources that can be compared at once."""

F64: Final = pa.float64()
_FIGURES: Final = (
    *("lift", "lift_low", "lift_high", "prob_above"),
    *("resonance", "resonance_low", "resonance_high"),
)
_SIDES: Final = ("source_kind", "source_id", "label")

WHERE: Final = pa.schema(
    [
        ("community_id", TEXT),
        ("label", TEXT),
        ("member_count", COUNT),
        ("standing", TEXT),
        ("sources", pa.list_(TEXT)),
    ]
)
"""A row a community: `shared` where several of the sources are flagged, `exclusive` where one is,
`open` where none is; and which."""
CELLS: Final = pa.schema(
    [
        *((name, TEXT) for name in _SIDES),
        ("community_id", TEXT),
        *((name, F64) for name in ("observed", "expected", "weight", *_FIGURES)),
        ("tier", TEXT),
        ("flags", pa.list_(TEXT)),
    ]
)
"""The scores that are compared, as in `scores`; also where a source was not shared at all."""
DIFFERENCES: Final = pa.schema(
    [
        ("community_id", TEXT),
        *((name, TEXT) for name in _SIDES),
        *((f"other_{name}", TEXT) for name in _SIDES),
        ("resonance", F64),
        ("resonance_low", F64),
        ("resonance_high", F64),
        ("log2_lift", F64),
        ("log2_lift_low", F64),
        ("log2_lift_high", F64),
        ("prob_above", F64),
        ("reason", TEXT),
    ]
)
"""A row a pair and community, and one over all communities (`community_id` null): the first
source's figure less the other's, its 5 % and 95 % points, and how likely it is above 0."""

Source = tuple[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Versus:
    """Sources, compared: the tables `WHERE`, `CELLS` and `DIFFERENCES`."""

    where: pa.Table
    cells: pa.Table
    differences: pa.Table


def versus(backend: Backend, scene: Scene, sources: Sequence[Source]) -> Versus:
    """Compare the scores of two to ten sources in every community of a run.

    Parameters
    ----------
    backend, scene
        The store, the run and its data.
    sources
        Kind and id of each, as `engine.why.one_source` returns them.

    Raises
    ------
    UsageError
        If there are fewer than two different ones, or more than ten.

    Notes
    -----
    Counts the events of each kind of source once; 4,000 draws a cell, by the run's seed.
    """
    asked = list(dict.fromkeys(sources))
    if not 2 <= len(asked) <= MOST:
        raise UsageError(
            "to compare sources",
            f"{len(asked)} different ones were named",
            f"name two to {MOST}",
        )
    labels = _labels(backend, scene, asked)
    kinds = dict.fromkeys(kind for kind, _ in asked)
    counted = {kind: Counting.of(backend, scene, kind) for kind in kinds}
    cells = _cells(backend, scene, asked, counted, labels)
    priors = {kind: counting.prior for kind, counting in counted.items()}
    differences = list(_differences(scene, asked, cells, priors, labels))
    return Versus(
        where=_where(backend, scene, asked, cells, labels),
        cells=pa.Table.from_pylist([row for s in asked for row in cells[s].values()], CELLS),
        differences=pa.Table.from_pylist(differences, DIFFERENCES),
    )


Cells = dict[Source, dict[str, dict[str, Any]]]
"""The row of each source and community, in the order asked for."""


def _labels(backend: Backend, scene: Scene, asked: Sequence[Source]) -> dict[Source, str]:
    ids = [source_id for _, source_id in asked]
    rows = backend.read("influence", run_id=scene.run.run_id, where={"source_id": ids}).to_pylist()
    return {(row["source_kind"], row["source_id"]): row["label"] for row in rows}


def _cells(
    backend: Backend,
    scene: Scene,
    asked: Sequence[Source],
    counted: Mapping[str, Counting],
    labels: Mapping[Source, str],
) -> Cells:
    """Return the stored rows of the sources, and those of communities that never shared them."""
    ids = scene.partitions.community_ids.to_pylist()
    found: Cells = {}
    for kind, counting in counted.items():
        names = [source_id for of_kind, source_id in asked if of_kind == kind]
        where = {"source_kind": kind, "source_id": names, "community_id__ne": None}
        rows = backend.read("scores", run_id=scene.run.run_id, where=where).to_pylist()
        stored = {(row["source_id"], row["community_id"]): row for row in rows}
        again = counting.cells(pa.array(names, TEXT))
        for place, name in enumerate(names):
            found[kind, name] = {}
            for c in np.flatnonzero(counting.scored).tolist():
                row = stored.get((name, ids[c])) or _unshared(again, place, c, counting.prior)
                base = dict.fromkeys(CELLS.names) | {"observed": 0.0, "flags": []} | row
                found[kind, name][ids[c]] = {column: base[column] for column in CELLS.names} | {
                    "source_kind": kind,
                    "source_id": name,
                    "label": labels.get((kind, name), name),
                    "community_id": ids[c],
                    "tier": counting.tier,
                }
    return found


def _unshared(found: Recount, place: int, label: int, prior: Prior) -> dict[str, Any]:
    """Return the figures of a cell without a share: where many were expected they say much."""
    expected, weight = float(found.expected[place, label]), float(found.weight[place, label])
    if not np.isfinite(expected):
        return {"flags": ["no_expectation"]}
    p = posterior(prior, [0.0], [weight * expected])
    figures = {name: float(getattr(p, name)[0]) for name in _FIGURES}
    return {"expected": expected, "weight": weight} | figures


def _where(
    backend: Backend, scene: Scene, asked: Sequence[Source], cells: Cells, labels: dict[Source, str]
) -> pa.Table:
    rows = []
    for row in backend.read(
        "communities", run_id=scene.run.run_id, order=("-member_count", "community_id")
    ).to_pylist():
        community = row["community_id"]
        if not any(community in cells[source] for source in asked):
            continue
        strong = [
            labels.get(source, source[1])
            for source in asked
            if community in cells[source] and "flagged" in cells[source][community]["flags"]
        ]
        standing = "shared" if len(strong) > 1 else "exclusive" if strong else "open"
        rows.append(
            {name: row[name] for name in ("community_id", "label", "member_count")}
            | {"standing": standing, "sources": strong}
        )
    return pa.Table.from_pylist(rows, WHERE)


def _differences(
    scene: Scene,
    asked: Sequence[Source],
    cells: Cells,
    priors: dict[str, Prior],
    labels: dict[Source, str],
) -> Iterator[dict[str, Any]]:
    drawn = {
        source: {
            community: _drawn(scene.run.params.seed, row, priors[source[0]])
            for community, row in cells[source].items()
        }
        for source in asked
    }
    overall = {source: _overall(drawn[source], cells[source]) for source in asked}
    for one, other in combinations(asked, 2):
        sides = {"source_kind": one[0], "source_id": one[1], "label": labels.get(one, one[1])}
        sides |= {
            f"other_{name}": value
            for name, value in zip(_SIDES, (*other, labels.get(other, other[1])), strict=True)
        }
        yield sides | _apart(overall[one], overall[other], None)
        for community in drawn[one]:
            if community in drawn[other]:
                a, b = drawn[one][community], drawn[other][community]
                found = _of_lifts(a, b)
                yield sides | {"community_id": community} | found


def _drawn(seed: int, row: dict[str, Any], prior: Prior) -> Floats | None:
    """Return draws of the lift of a cell, None where nothing is known of it."""
    if row["expected"] is None or row["lift"] is None:
        return None
    weight = 1.0 if row["weight"] is None else row["weight"]
    key = f"{row['source_kind']}\n{row['source_id']}\n{row['community_id']}"
    return draws(prior, weight * row["observed"], weight * row["expected"], seed, key)


def _overall(drawn: dict[str, Floats | None], rows: dict[str, dict[str, Any]]) -> Floats | None:
    """Return draws of the score over all communities: the mean weighted with shares."""
    known = [(lifts, rows[c]["observed"]) for c, lifts in drawn.items() if lifts is not None]
    total = sum(observed for _, observed in known)
    if total <= 0:
        return None
    return np.asarray(sum(excess(lifts) * observed for lifts, observed in known) / total)


def _of_lifts(one: Floats | None, other: Floats | None) -> dict[str, Any]:
    if one is None or other is None:
        return {"reason": "nothing can be expected of one of the two there"}
    apart = _apart(excess(one), excess(other), np.log2(one / other))
    return {name: value for name, value in apart.items() if name != "community_id"}


def _apart(one: Floats | None, other: Floats | None, logs: Floats | None) -> dict[str, Any]:
    """Return the middle and the ends of a difference of draws, and how likely it is above 0.

    Of excess parts many draws are 0 on both sides: the lifts tell which is above where known.
    """
    if one is None or other is None:
        return {"community_id": None, "reason": "one of the two was shared in no scored community"}
    points = one - other
    sign = points if logs is None else logs
    row: dict[str, Any] = {"community_id": None, "prob_above": float(np.mean(sign > 0))}
    for name, values in (("resonance", points), ("log2_lift", logs)):
        if values is not None:
            low, middle, high = np.quantile(values, (0.05, 0.5, 0.95)).tolist()
            row |= {name: middle, f"{name}_low": low, f"{name}_high": high}
    return row
