"""The verbs that library, commands and API share: analyse a store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import authority as authorities
from engine import (
    calibration,
    cascades,
    communities,
    dimensions,
    ensemble,
    identity,
    influence,
    levels,
    lineage,
    parents,
    portrait,
    reach,
    resonance,
    scorecard,
    sources,
    tiers,
    verdict,
    window,
)
from engine.algorithms import Algorithms, Local
from engine.contract import Backend, RunInfo, RunTables
from engine.errors import TooLittleData
from engine.kernels.compile import telling
from engine.params import AnalysisParams
from engine.progress import Progress, silent
from engine.results import table
from engine.shares import FirstShares, first_shares
from engine.snapshot import Snapshot

__all__ = ["RUNS", "analyse", "answers"]


def analyse(
    backend: Backend, params: AnalysisParams | None = None, progress: Progress = silent
) -> RunInfo:
    """Analyse everything in a store and make the answer its active run.

    Parameters
    ----------
    backend
        The store. Nothing of it changes until the whole answer is there.
    params
        The options; by default those of `AnalysisParams()`.
    progress
        Told of each stage.

    Raises
    ------
    TooLittleData
        If the store holds no users, or not what a forced tier goes by.
    MissingProcedure
        If Graph Data Science is asked for and the store has none.
    """
    params = AnalysisParams() if params is None else params
    algorithms = backend.algorithms(params.engine, progress)
    if algorithms.reason:
        progress(f"engine: {algorithms.reason}")
    progress("snapshot")
    snapshot = backend.snapshot()
    if not len(snapshot.users):
        raise TooLittleData(
            "an analysis", "the store is empty", "load an export first: kindred load FILE"
        )
    params = params.model_copy(update={"engine": algorithms.engine})
    seen, _ = window.seen(snapshot, params)
    params, earlier = lineage.before(backend, params, seen.fingerprint)
    with telling(progress):
        found = answers(snapshot, params, progress, algorithms, earlier)
    return backend.publish(found, progress)


@dataclass(slots=True)
class _Clock:
    """Seconds by stage, and who is told of progress."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress]:
        self.progress(name)
        began = time.perf_counter()
        yield self.progress
        self.seconds[name] = time.perf_counter() - began


Note = tuple[str, str, float | None]
"""Topic, sentence and, where there is one, the figure in it."""

RUNS: Final = "Leiden runs"
"""Among the counts of a run: how often communities were searched."""

MUCH_LOST: Final = 0.3
"""Part of the shares outside scored communities above which it is said beside every list."""


def answers(
    snapshot: Snapshot,
    params: AnalysisParams,
    progress: Progress = silent,
    algorithms: Algorithms | None = None,
    earlier: lineage.Before | None = None,
) -> RunTables:
    """Compute every result table of a snapshot; nothing is stored.

    The same snapshot, parameters, `algorithms` (by default kindred's own kernels) and
    communities of an `earlier` run (by default none) give the same tables, byte for byte; the
    parameters that come back name the engine and that run.
    """
    algorithms = algorithms or Local()
    continues = lineage.NONE if earlier is None else earlier.run_id
    params = params.model_copy(update={"engine": algorithms.engine, "continues": continues})
    tiers.require(snapshot, params)
    snapshot, windowed = window.seen(snapshot, params)
    clock = _Clock(progress)
    with clock.stage("communities"):
        start = lineage.start(earlier, snapshot)
        found = communities.find(snapshot, params, progress, algorithms=algorithms, start=start)
        nested = levels.nest(found, params, progress)
        names = identity.name(found, nested, snapshot, params, earlier)
        found = identity.renamed(found, names)
    with clock.stage("verdict"):
        verdicts = verdict.judge(found, params, progress)
    with clock.stage("shares"):
        counted = first_shares(snapshot)
        shared = sources.all_events(snapshot, params)
    with clock.stage("authority"):
        central = authorities.authority(
            snapshot, found.partitions, progress, counted, algorithms=algorithms
        )
    with clock.stage("reach"):
        reached = reach.reach(snapshot, found.partitions, shared, counted, progress)
    with clock.stage("influence"):
        loud = influence.influence(
            snapshot,
            found.partitions,
            shared,
            central,
            counted,
            reached=reached.followed,
            recent=authorities.recent(snapshot, counted, algorithms=algorithms),
        )
    with clock.stage("parents"):
        above = parents.parents(snapshot, counted)
    with clock.stage("cascades"):
        travelled, edges = cascades.cascades(
            snapshot, found.partitions, found=above, seed=params.seed
        )
    with clock.stage("scores"):
        taken = tiers.choose(snapshot, params, shared, counted=counted)
        scored = resonance.score(
            snapshot,
            found.partitions,
            params,
            progress,
            influence=influence.percentiles(loud, shared),
            events_by_kind=shared,
            tiers=taken,
        )
    with clock.stage("ensemble"):
        others = ensemble.drawn(snapshot, found, params, progress)
        said = ensemble.rescored(others, scored.table, snapshot, params, shared, progress, taken)
    with clock.stage("dimensions"):
        beside = dimensions.dimensions(
            snapshot,
            found.partitions,
            params,
            shared,
            progress,
            shares=counted,
            whom=above.whom,
        )
    with clock.stage("calibration"):
        held = calibration.calibrate(
            snapshot,
            params,
            progress,
            events_by_kind=shared,
            algorithms=algorithms,
            tiers=taken,
        )
    main = scored.kinds[scored.main] if scored.main else None
    with clock.stage("portrait"):
        drawn = portrait.tables(
            snapshot,
            found,
            verdicts,
            shared,
            None if main is None else main.scored,
            levels=nested,
            names=names,
            stability=others.stability,
        )
    with clock.stage("scorecards"):
        kept = {
            "authority": central,
            "influence": loud,
            "reach": reached.table,
            "scores": said,
            "dimensions": beside,
            "cascades": travelled,
        }
        facts = scorecard.Facts(
            snapshot, found.partitions, params, scorecard.held(kept), counted, above.whom
        )
        cards = scorecard.scorecards(facts, tuple(shared), progress)
    tier = scored.tier
    return RunTables(
        params=params,
        fingerprint=snapshot.fingerprint,
        tier=tier,
        tables={
            **drawn,
            "communities": _with_scores(
                drawn["communities"], found.partitions.community_ids, main, tier
            ),
            "authority": central,
            "influence": loud,
            "reach": reached.table,
            "changes": names.changes,
            "scores": said,
            "priors": scored.priors,
            "dimensions": beside,
            "scorecard": cards,
            "cascades": travelled,
            "cascade_edges": edges,
            "calibration": held.calibration,
            "calibration_bins": held.calibration_bins,
            "notes": _notes(
                (
                    *(("window", text, None) for text in windowed),
                    *found.notes,
                    *names.notes,
                    *others.notes,
                    *(("engine", text, None) for text in algorithms.notes),
                    *verdicts.notes,
                    *reached.notes,
                    *_said(counted, scored),
                    *cascades.said(above),
                    *scorecard.left_out(facts, tuple(shared)),
                )
            ),
        },
        timings=clock.seconds,
        counts={
            **_counts(snapshot, counted),
            RUNS: found.runs + nested.runs + verdicts.runs + others.runs,
        },
        versions=algorithms.versions,
    )


def _with_scores(
    found: pa.Table, ids: pa.StringArray, main: resonance.KindScores | None, tier: str | None
) -> pa.Table:
    """Fill in each community's own score: how much of its sharing is in excess."""
    if main is None:
        return found
    # The table is sorted by id, c10 before c2; scores come by label, of level 1 only.
    label = pc.index_in(found["community_id"].combine_chunks(), ids)
    columns = {name: found[name] for name in found.column_names}
    for place, name in enumerate(("resonance", "resonance_low", "resonance_high")):
        values = main.of_community[:, place]
        columns[name] = pa.array(values, mask=np.isnan(values)).take(label)
    columns["tier"] = pc.if_else(pc.is_valid(label), tier, None)
    return table("communities", columns)


def _counts(snapshot: Snapshot, counted: FirstShares) -> dict[str, int]:
    """Return how many of what were analysed, in the words of an answer."""
    return {
        "users": len(snapshot.users),
        "contents": len(snapshot.contents),
        "shares": len(counted),
        "topics carried": len(snapshot.topics.content),
        "interactions": len(snapshot.interactions.user),
        "mentions": len(snapshot.mentions.user),
        "replies": len(snapshot.replies.user),
        "reactions": len(snapshot.reactions.user),
        "follows": len(snapshot.follows.follower),
        "brands": len(snapshot.brands),
    }


_DROPPED = {
    "bookmark": "are bookmarks",
    "self_share": "are of one's own posts",
    "repeat": "repeat one by the same person",
    "before_post": "come more than five minutes before the post",
}


def _said(counted: FirstShares, scored: resonance.Scored) -> Iterator[Note]:
    """Yield what the run has to say of its shares and scores."""
    yield from scored.notes
    for reason, many in counted.dropped.items():
        if many:
            yield ("shares", f"{many:,} shares do not count: they {_DROPPED[reason]}.", many)
    for kind, part in scored.kinds.items():
        lost = part.lost_share
        said = f"{kind}: {lost:.0%} of the shares are made by people outside any scored community"
        if lost > MUCH_LOST:
            said += f"; these scores describe {1 - lost:.0%} of the sharing"
        yield ("crossfit", f"{said}.", lost)
        if np.isfinite(part.floor):
            yield (
                "floor",
                f"{kind}: weak data alone give a score of {part.floor:.0f}; go by lower bounds.",
                part.floor,
            )


def _notes(said: tuple[Note, ...]) -> pa.Table:
    topic, text, value = zip(*said, strict=True) if said else ((), (), ())
    return table(
        "notes",
        {"number": list(range(1, len(said) + 1)), "topic": topic, "text": text, "value": value},
    )
