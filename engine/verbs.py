"""The verbs that library, commands and API share: analyse a store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from engine import authority as authorities
from engine import (
    calibration,
    cascades,
    communities,
    influence,
    portrait,
    resonance,
    sources,
    verdict,
)
from engine.algorithms import Algorithms, Local
from engine.contract import Backend, RunInfo, RunTables
from engine.errors import TooLittleData, UsageError
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
        If the store holds no users.
    UsageError
        If a tier is forced that the data or this version cannot give.
    MissingProcedure
        If Graph Data Science is asked for and the store has none.
    """
    params = AnalysisParams() if params is None else params
    if params.tier not in (None, "affinity"):
        raise UsageError(
            f"an analysis of tier {params.tier}",
            "this version computes tier affinity (exposure unknown) only",
            "leave --tier out",
        )
    algorithms = backend.algorithms(params.engine, progress)
    if algorithms.reason:
        progress(f"engine: {algorithms.reason}")
    progress("snapshot")
    snapshot = backend.snapshot()
    if not len(snapshot.users):
        raise TooLittleData(
            "an analysis", "the store is empty", "load an export first: kindred load FILE"
        )
    return backend.publish(answers(snapshot, params, progress, algorithms), progress)


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
) -> RunTables:
    """Compute every result table of a snapshot; nothing is stored.

    The same snapshot, parameters and `algorithms` (by default kindred's own kernels) give the
    same tables, byte for byte; the parameters that come back name the engine.
    """
    algorithms = algorithms or Local()
    params = params.model_copy(update={"engine": algorithms.engine})
    clock = _Clock(progress)
    with clock.stage("communities"):
        found = communities.find(snapshot, params, progress, algorithms=algorithms)
    with clock.stage("verdict"):
        verdicts = verdict.judge(found, params, progress)
    with clock.stage("shares"):
        counted = first_shares(snapshot)
        shared = sources.all_events(snapshot, params)
    with clock.stage("authority"):
        central = authorities.authority(
            snapshot, found.partitions, progress, counted, algorithms=algorithms
        )
    with clock.stage("influence"):
        loud = influence.influence(snapshot, found.partitions, shared, central, counted)
    with clock.stage("cascades"):
        travelled, edges = cascades.cascades(snapshot, found.partitions, counted)
    with clock.stage("scores"):
        scored = resonance.score(
            snapshot,
            found.partitions,
            params,
            progress,
            influence=influence.percentiles(loud, shared),
            events_by_kind=shared,
        )
    with clock.stage("calibration"):
        held = calibration.calibrate(
            snapshot, params, progress, events_by_kind=shared, algorithms=algorithms
        )
    main = scored.kinds[scored.main] if scored.main else None
    with clock.stage("portrait"):
        drawn = portrait.tables(
            snapshot, found, verdicts, shared, None if main is None else main.scored
        )
    tier = "affinity" if scored.kinds else None
    return RunTables(
        params=params,
        fingerprint=snapshot.fingerprint,
        tier=tier,
        tables={
            **drawn,
            "communities": _with_scores(drawn["communities"], main, tier),
            "authority": central,
            "influence": loud,
            "scores": scored.table,
            "cascades": travelled,
            "cascade_edges": edges,
            "calibration": held.calibration,
            "calibration_bins": held.calibration_bins,
            "notes": _notes(
                (
                    *found.notes,
                    *(("engine", text, None) for text in algorithms.notes),
                    *verdicts.notes,
                    *_said(snapshot, counted, scored),
                )
            ),
        },
        timings=clock.seconds,
        counts={
            **_counts(snapshot, counted),
            RUNS: found.runs + verdicts.runs,
        },
        versions=algorithms.versions,
    )


def _with_scores(found: pa.Table, main: resonance.KindScores | None, tier: str | None) -> pa.Table:
    """Fill in each community's own score: how much of its sharing is in excess."""
    if main is None:
        return found
    # The table is sorted by id, c10 before c2; scores come by label.
    label = np.array([int(c[1:]) - 1 for c in found["community_id"].to_pylist()], np.int64)
    columns = {name: found[name] for name in found.column_names}
    for place, name in enumerate(("resonance", "resonance_low", "resonance_high")):
        columns[name] = main.of_community[label, place]
    columns["tier"] = [tier] * len(label)
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


def _said(snapshot: Snapshot, counted: FirstShares, scored: resonance.Scored) -> Iterator[Note]:
    """Yield what the run has to say of its shares and scores."""
    if len(snapshot.follows.follower) and scored.kinds:
        yield (
            "tier",
            (
                "These data hold follows; they tie people together and count reach, but this "
                "version does not yet take them for exposure."
            ),
            None,
        )
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
