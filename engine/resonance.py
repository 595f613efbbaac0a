"""Scores: which sources a community shares beyond what the tier's expectation explains.

Each kind of source is scored in the best tier that the data allow (`engine.tiers`): where
exposure is known, by `engine.exposed_cells`; where it is not, as *affinity*, by `engine.cells`.
Cells of (source, community) are counted on cross-fitted communities and given a lift with an
interval (`engine.lift`). The score is the percent of the shares in excess of the expectation;
lists go by its lower end, because the mean has a positive floor on weak data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.cells import FEW_SHARERS, ScoredCells, effective, part_of
from engine.content_scores import score_contents
from engine.csr import Floats, Ints
from engine.groups import folds, root_groups
from engine.kind_scores import Setting, enough_shares
from engine.params import AnalysisParams, SourceKind, Tier
from engine.partition import Partitions
from engine.platform_scores import score_platforms
from engine.progress import Progress, silent
from engine.results import empty, table
from engine.snapshot import Snapshot
from engine.sources import SourceEvents, all_events
from engine.tiers import Tiers, choose

__all__ = [
    "HIGH_INFLUENCE",
    "HIGH_SCORE",
    "KindScores",
    "Scored",
    "score",
    "setting",
]

HIGH_SCORE: Final = 25.0
HIGH_INFLUENCE: Final = 80.0

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class KindScores:
    """Scores of the sources of one kind, in one tier.

    `fold` is that of each source; `scored` says which communities have the members and the
    shares to be scored. `of_community` float64[k, 3] is the share-weighted mean score of
    each community with its ends, NaN where it has none. `floor` is the median score of the
    cells that are not flagged: what weak data alone give.
    """

    events: SourceEvents
    fold: Ints
    scored: Flags
    found: ScoredCells
    of_community: Floats
    floor: float
    tier: Tier = "affinity"

    @property
    def lost_share(self) -> float:
        """Part of the shares by users outside any scored community [0,1]."""
        return self.found.cells.lost_share


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The declared tables `scores` and `priors`, and what stands behind them by kind of source.

    `notes` are (topic, sentence, figure) on the tiers taken.
    """

    table: pa.Table
    kinds: Mapping[SourceKind, KindScores]
    priors: pa.Table
    notes: tuple[tuple[str, str, float | None], ...] = ()

    @property
    def main(self) -> SourceKind | None:
        """The kind with the most shares: what a community's own score goes by."""
        if not self.kinds:
            return None
        return max(self.kinds, key=lambda kind: len(self.kinds[kind].events))

    @property
    def tier(self) -> Tier | None:
        """The tier of the run: that of its main kind."""
        return None if self.main is None else self.kinds[self.main].tier


def score(
    snapshot: Snapshot,
    partitions: Partitions,
    params: AnalysisParams,
    progress: Progress = silent,
    *,
    influence: Mapping[SourceKind, Floats] | None = None,
    events_by_kind: Mapping[SourceKind, SourceEvents] | None = None,
    tiers: Tiers | None = None,
) -> Scored:
    """Score every source in every community that is large enough.

    Parameters
    ----------
    snapshot
        The data.
    partitions
        The communities, cross-fitted.
    params
        Kinds of sources, smallest community, seed of the folds, length of the flagged list.
    progress
        Told of each kind.
    influence
        Influence percentile of each source, in the order of its kind's events; quadrants
        are null without.
    events_by_kind
        What counts as a share, where it is known already; by default all kinds asked for.
    tiers
        The tier of each kind with its exposure (`engine.tiers.choose`), where it is known
        already: it does not depend on the communities.

    Returns
    -------
    Scored
        One row a cell with at least one share (where exposure is known, also one without where
        shares were to be expected), and one a source over all communities (`community_id`
        null), whose score is the mean weighted with shares. Such a row has no lift of its own.

    Notes
    -----
    O(events log events) in tier affinity, a few seconds for 10^6 cells; with exposure see
    `engine.exposed_fit`. Cells of a community that shares nothing else of note are shown but
    never flagged (`own_audience`).
    """
    if events_by_kind is None:
        events_by_kind = all_events(snapshot, params)
    if tiers is None:
        tiers = choose(snapshot, params, events_by_kind)
    base = setting(snapshot, partitions, params)
    done: dict[SourceKind, KindScores] = {}
    for number, (kind, shares) in enumerate(events_by_kind.items()):
        progress(f"scores: {kind}", number, len(events_by_kind))
        if len(shares):
            done[kind] = _score_kind(kind, base, params, shares, tiers)
    if "user" in done:
        done |= _parts(snapshot, params, done["user"], base, tiers)
    rows = [
        _rows(kind, part, partitions, None if influence is None else influence.get(kind))
        for kind, part in done.items()
    ]
    if not rows:
        return Scored(empty("scores"), done, empty("priors"), tiers.notes)
    merged = {name: pa.concat_arrays([r[name] for r in rows]) for name in rows[0]}
    return Scored(table("scores", merged), done, _priors(done), tiers.notes)


def setting(snapshot: Snapshot, partitions: Partitions, params: AnalysisParams) -> Setting:
    """Return the cross-fitted communities as what sources are held to account on."""
    return Setting(
        labels=partitions.folds,
        fold_of_group=folds(root_groups(snapshot), len(partitions.folds), params.seed),
        scored=partitions.scored,
        platforms=len(snapshot.platforms),
        false_sign_rate=params.false_sign_rate,
    )


def _score_kind(
    kind: SourceKind, base: Setting, params: AnalysisParams, shares: SourceEvents, tiers: Tiers
) -> KindScores:
    own = replace(base, scored=enough_shares(shares, base, params))
    found = own.score(shares, tiers.exposure.get(kind))
    return _summed_up(shares, own, found, tiers.of(kind))


def _parts(
    snapshot: Snapshot, params: AnalysisParams, users: KindScores, base: Setting, tiers: Tiers
) -> dict[SourceKind, KindScores]:
    """Score what is made of users as sources: their single contents, and whole platforms."""
    own, asked = replace(base, scored=users.scored), params.sources or ()
    made: dict[SourceKind, KindScores] = {}
    for kind, scores in (("content", score_contents), ("platform", score_platforms)):
        if kind in asked:
            shares, found = scores(
                snapshot, users.found, users.events, own, tiers.exposure.get("user")
            )
            if len(shares):
                made[kind] = _summed_up(shares, own, found, users.tier)
    return made


def _summed_up(shares: SourceEvents, own: Setting, found: ScoredCells, tier: Tier) -> KindScores:
    rest = found.posterior.resonance[found.usable & ~found.flagged]
    return KindScores(
        shares,
        own.fold(shares.group),
        own.scored,
        found,
        _mean_scores(found, found.cells.community, len(own.scored))[:, 1:],
        float(np.median(rest)) if len(rest) else float("nan"),
        tier,
    )


def _priors(done: Mapping[SourceKind, KindScores]) -> pa.Table:
    """Return how lifts are spread over the cells of each kind, as declared."""
    parts = [(kind, part.tier, part.found.prior) for kind, part in done.items()]
    return table(
        "priors",
        {
            "source_kind": [kind for kind, _, prior in parts for _ in prior.means],
            "tier": [tier for _, tier, prior in parts for _ in prior.means],
            "shape": np.concatenate([np.full(len(p.means), p.shape) for _, _, p in parts]),
            "mean": np.concatenate([p.means for _, _, p in parts]),
            "weight": np.concatenate([p.weights for _, _, p in parts]),
        },
    )


def _mean_scores(found: ScoredCells, group: Ints, groups: int) -> Floats:
    """Sum up cells by group: observed, share-weighted score, low and high end.

    Expected shares are not summed: over all communities the margins make them equal to those
    observed, which says nothing.
    """
    # Told by the expectation: pull without exposure is shown, and nothing is known of its lift.
    use, p = found.usable, found.posterior
    o, of = found.cells.observed[use], group[use]
    total = np.bincount(of, o, groups)
    weight = np.where(total > 0, total, np.nan)
    means = [
        np.bincount(of, o * column[use], groups) / weight
        for column in (p.resonance, p.resonance_low, p.resonance_high)
    ]
    every = np.bincount(group, found.cells.observed, groups)
    return np.column_stack((every, *means))


def _rows(
    kind: SourceKind, part: KindScores, partitions: Partitions, influence: Floats | None
) -> dict[str, pa.Array]:
    """Return the cells of a kind and its roll-ups as columns."""
    found, cells, p = part.found, part.found.cells, part.found.posterior
    present = np.unique(cells.source)
    place = np.searchsorted(present, cells.source).astype(np.int32)
    total = _mean_scores(found, place, len(present))
    blank = np.full(len(present), np.nan)
    ambient = _summed(place, found.ambient, len(present))
    source = np.concatenate((cells.source, present))
    score = np.concatenate((p.resonance, total[:, 1]))
    low = np.concatenate((p.resonance_low, total[:, 2]))
    high = np.concatenate((p.resonance_high, total[:, 3]))
    observed = np.concatenate((cells.observed, total[:, 0]))
    loud = np.full(len(source), np.nan) if influence is None else influence[source]
    posts = part.events.n_posts[source]
    where = partitions.community_ids
    community = np.concatenate((cells.community, np.zeros(len(present), np.int32)))
    columns: dict[str, Floats] = {
        "observed": observed,
        "expected": np.concatenate((cells.expected, blank)),
        "weight": np.concatenate((found.weight, blank)),
        "exposure": np.concatenate((found.exposure, _summed(place, found.exposure, len(present)))),
        "fit": np.concatenate((found.fit, blank)),
        "pull": np.concatenate((found.pull, part_of(ambient, total[:, 0] + ambient))),
        "lift": np.concatenate((p.lift, blank)),
        "lift_low": np.concatenate((p.lift_low, blank)),
        "lift_high": np.concatenate((p.lift_high, blank)),
        "prob_above": np.concatenate((p.prob_above, blank)),
        "resonance": score,
        "resonance_low": low,
        "resonance_high": high,
        "resonant_shares": observed * low / 100.0,
        "influence": loud,
        "effective_sharers": np.concatenate(
            (found.effective_sharers, _source_sharers(part)[present])
        ),
    }
    return {
        "source_kind": pa.array([kind] * len(source), pa.string()),
        "source_id": part.events.source_id.take(pa.array(source)),
        "community_id": where.take(pa.array(community, mask=np.arange(len(source)) >= len(cells))),
        **{name: pa.array(v, mask=np.isnan(v)) for name, v in columns.items()},
        "quadrant": _quadrants(loud, low, high),
        "tier": pa.array([part.tier] * len(source), pa.string()),
        "n_posts": pa.array(posts, mask=posts < 0),
        "flags": _flag_lists(part, source, len(present)),
    }


def _summed(group: Ints, values: Floats, groups: int) -> Floats:
    """Sum up by group; NaN where a value is."""
    return np.asarray(np.bincount(group, values, groups), np.float64)


def _quadrants(influence: Floats, low: Floats, high: Floats) -> pa.StringArray:
    """Name the quadrant; null where influence or score is unknown."""
    loud, strong, weak = influence >= HIGH_INFLUENCE, low >= HIGH_SCORE, high < HIGH_SCORE
    words = pa.array(["leader", "gem", "broadcaster", "background", "undetermined"])
    code = np.select([strong & loud, strong, weak & loud, weak], [0, 1, 2, 3], 4)
    return words.take(pa.array(code, mask=np.isnan(influence) | np.isnan(low)))


def _flag_lists(part: KindScores, source: Ints, sums: int) -> pa.ListArray:
    """Return the flags of each cell, and of the sources' sums where they hold for all of it."""
    found, shares = part.found, part.events
    bare = np.bincount(shares.source[shares.content >= 0], minlength=len(shares.source_id)) == 0
    timeless = np.isnan(found.dispersion.bunching)
    no = np.zeros(sums, np.bool_)
    by_name = {
        "few_sharers": np.append(found.effective_sharers < FEW_SHARERS, no),
        "flagged": np.append(found.flagged, no),
        "in_step": np.append(found.in_step, no),
        "no_content": bare[source],
        "no_expectation": np.append(~found.usable, no),
        "own_audience": np.append(found.cells.own_audience, no),
        "poisson_only": timeless[source],
    }
    names = pa.array(list(by_name), pa.string())
    matrix = np.column_stack(list(by_name.values()))
    offsets = np.concatenate(([0], np.cumsum(matrix.sum(axis=1)))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), names.take(pa.array(np.nonzero(matrix)[1])))


def _source_sharers(part: KindScores) -> Floats:
    """Return effective sharers of each source over all scored communities."""
    shares = part.events
    return effective(shares.source, shares.user, len(shares.source_id))
