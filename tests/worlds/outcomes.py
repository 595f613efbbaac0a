"""What a run finds in a planted world, worked out once a world and kept as a few figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pyarrow as pa

from engine import communities
from engine.agreement import mutual_information
from engine.assemble import assemble
from engine.calibration import calibrate
from engine.csr import Floats
from engine.lift import posterior
from engine.params import AnalysisParams
from engine.partition import Partitions
from engine.resonance import score
from engine.snapshot import Snapshot
from engine.sources import all_events
from engine.tiers import choose
from tests.worlds.harness import (
    Found,
    Honesty,
    RollUp,
    find,
    honesty,
    matrix,
    roll_up,
    with_reach,
)
from tests.worlds.planted import UNASSUMED, VARIANTS, Plan, World, make
from tests.worlds.rivals import oracle, rivals

__all__ = ["PARAMS", "Outcome", "Recovered", "light", "outcome", "recovered", "snapshot_of", "told"]

PARAMS = AnalysisParams(sources=("user",), rewirings=0, ensemble=0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the score, its rivals and the oracle do in one world, with planted communities."""

    tier: str
    score: Found
    lower: Found
    """The score by its lower end, as lists are ranked."""
    rivals: Mapping[str, Found]
    oracle: Found
    honesty: Honesty
    roll_up: RollUp
    reach: float
    """Rank correlation of the lift with followers, over candidates."""
    planted_reach: float
    """That of the true lift."""

    @property
    def best_rival(self) -> float:
        """The highest average precision of any rival."""
        return max(found.average_precision for found in self.rivals.values())


@dataclass(frozen=True, slots=True)
class Recovered:
    """The same with communities that were found, not given."""

    mutual_information: float
    score: Found


def named(world: str, seed: int) -> Plan:
    """Return the plan of a variant."""
    return replace({**VARIANTS, **UNASSUMED}[world], seed=seed)


def snapshot_of(world: World) -> Snapshot:
    """Return the world as an analysis sees it."""
    return assemble(world.tables)


def told(world: World, params: AnalysisParams = PARAMS) -> Outcome:
    """Score a world, and hold the score against what was planted."""
    snapshot, places = snapshot_of(world), world.partitions
    ids = places.community_ids
    made, affine = (
        _scored(world, snapshot, places, params.model_copy(update={"tier": tier}))
        for tier in (params.tier, "affinity")
    )
    scores = made.table
    beside = {name: find(world, values) for name, values in rivals(world).items()}
    beside["affinity"] = find(world, affine.low)
    return Outcome(
        tier=made.tier,
        score=find(world, made.lift),
        lower=find(world, made.low),
        rivals=beside,
        oracle=find(world, oracle(world)),
        honesty=honesty(world, scores, ids),
        roll_up=roll_up(world, scores, ids),
        reach=with_reach(world, made.lift),
        planted_reach=with_reach(world, world.lift),
    )


@dataclass(frozen=True, slots=True)
class _Scored:
    """Scores of a world: as a run shows them, and lifts of all cells, float64[actors, k].

    A cell without a share is shown only where some were to be expected; here it has the lift
    that was fitted to it, and that of the prior where it was never exposed.
    """

    tier: str
    table: pa.Table
    lift: Floats
    low: Floats


def _scored(
    world: World, snapshot: Snapshot, places: Partitions, params: AnalysisParams
) -> _Scored:
    events = all_events(snapshot, params)
    tiers = choose(snapshot, params, events)
    made = score(snapshot, places, params, events_by_kind=events, tiers=tiers)
    found, exposure = made.kinds["user"].found, tiers.exposure.get("user")
    nothing = posterior(found.prior, [0.0], [0.0])
    ids = places.community_ids
    lift = matrix(world, made.table, "lift", ids, float(nothing.lift[0]))
    low = matrix(world, made.table, "lift_low", ids, float(nothing.lift_low[0]))
    if exposure is not None and found.exposed is not None:
        every = found.exposed
        known = posterior(found.prior, every.weighted_observed, every.weighted_expected)
        author = snapshot.contents.author[exposure.content[exposure.unit_of_source[:-1]]]
        actor = np.full(len(world.place), -1, np.int64)
        actor[world.actors] = np.arange(len(world.actors))
        lift[actor[author][every.source], every.community] = known.lift
        low[actor[author][every.source], every.community] = known.lift_low
    return _Scored(str(made.tier), made.table, lift, low)


@cache
def outcome(name: str, seed: int) -> Outcome:
    """Score a variant at full size. A few seconds."""
    return told(make(named(name, seed)))


@cache
def recovered(name: str, seed: int) -> Recovered:
    """Score a variant in the communities found in it, each planted one read in its likeliest."""
    world = make(named(name, seed))
    snapshot = snapshot_of(world)
    found = communities.find(snapshot, PARAMS).partitions
    of_cell = _scored(world, snapshot, found, PARAMS).lift
    k = world.plan.communities
    both = found.reference >= 0
    overlap = np.bincount(
        world.place[both] * found.k + found.reference[both], minlength=k * found.k
    ).reshape(k, found.k)
    return Recovered(
        mutual_information(world.place[both], found.reference[both]),
        find(world, of_cell[:, overlap.argmax(axis=1)]),
    )


@cache
def light(name: str, seed: int) -> str:
    """Return the verdict of calibration on a variant: green, amber, red or uncalibrated."""
    held = calibrate(snapshot_of(make(named(name, seed))), PARAMS).calibration.to_pylist()
    return str(next(row["verdict"] for row in held if row["method"] == "crossfit"))
