"""How far scores depend on which community people happened to fall into.

The ties are drawn anew several times, as they might have been observed as well; each time
communities are found again, in the reference and in every fold, and everything is scored
again. What stays is worth more than what moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.algorithms import of_tied
from engine.communities import matched, seen_by_folds
from engine.csr import Floats, Ints, Longs
from engine.edges import Edges
from engine.found import Found
from engine.giant import without_giants
from engine.kernels.leiden import leiden
from engine.parallel import in_threads
from engine.params import AnalysisParams, SourceKind
from engine.partition import Partitions
from engine.progress import Progress, silent
from engine.resonance import score
from engine.results import table
from engine.snapshot import Snapshot
from engine.sources import SourceEvents
from engine.tiers import Tiers

__all__ = ["LEAST", "Ensemble", "drawn", "ranges", "rescored"]

LEAST: Final = 3
"""Members of the ensemble that are drawn however large the data."""

ENOUGH: Final = 120_000_000
"""Entries of graphs that are searched in all, as far as `LEAST` members allow: two minutes."""

_KEY: Final = ("source_kind", "source_id", "community_id")


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """Partitions of resampled ties, with the labels of the run's own.

    `stability` float64[n] is the part of them in which a user is in the same community as in
    the reference, NaN for users in none. `runs` counts Leiden runs.
    """

    members: tuple[Partitions, ...]
    stability: Floats
    runs: int
    notes: tuple[tuple[str, str, float | None], ...]


def drawn(
    snapshot: Snapshot, found: Found, params: AnalysisParams, progress: Progress = silent
) -> Ensemble:
    """Find communities on resampled ties, in the reference and in every fold.

    Every member is a full set of folds, so that it is scored as the run itself is: by
    communities that saw no share of the source. Each draw is searched from nothing.

    Parameters
    ----------
    snapshot, found
        The data, and the communities of the run.
    params
        `ensemble` is how many members are wanted; fewer are drawn where the graph is large.
    progress
        Told of each fold.

    Notes
    -----
    `params.ensemble` times (folds + 1) Leiden runs, in threads, as long as they see at most
    120 million entries of graphs in all; else fewer members, three at least.
    """
    parts = found.partitions
    count = _members(len(found.graph.indices), params)
    if count == 0 or parts.k == 0:
        return Ensemble((), np.full(len(parts.reference), np.nan), 0, ())
    graphs: list[Callable[[], Edges]] = [
        lambda: found.edges,
        *seen_by_folds(snapshot, found.ties, params),
    ]

    def searched(place: int) -> npt.NDArray[np.int32]:
        edges = graphs[place]()
        several = [_found(edges, found, params.seed, (place, m)) for m in range(count)]
        return np.array([matched(labels, parts.reference) for labels in several], np.int32)

    progress("communities: resampled ties", 0, len(graphs))
    labels = []
    for each in in_threads(searched, range(len(graphs))):
        labels.append(each)
        progress("communities: resampled ties", len(labels), len(graphs))
    members = tuple(
        replace(
            parts,
            reference=labels[0][m],
            folds=np.array([of[m] for of in labels[1:]], np.int32),
            scored=_sizes(labels[0][m], parts.k) >= params.min_members,
        )
        for m in range(count)
    )
    there = (labels[0] == parts.reference[None, :]).mean(axis=0)
    stability = np.where(parts.reference >= 0, there, np.nan)
    return Ensemble(
        members, stability, count * len(graphs), tuple(_notes(count, stability, params))
    )


def _members(entries: int, params: AnalysisParams) -> int:
    affordable = ENOUGH // max(entries * (params.folds + 1), 1)
    return min(params.ensemble, max(LEAST, affordable))


def _found(edges: Edges, found: Found, seed: int, draw: tuple[int, int]) -> Ints:
    graph = edges.resample([seed, *draw]).graph()
    gamma = found.partitions.gamma
    labels = of_tied(graph, leiden(graph, gamma, seed))
    return without_giants(graph, labels, gamma, seed) if found.split else labels


def _sizes(labels: Ints, k: int) -> Longs:
    return np.bincount(labels[labels >= 0], minlength=k).astype(np.int64)


def _notes(
    count: int, stability: Floats, params: AnalysisParams
) -> Iterator[tuple[str, str, float | None]]:
    mean = float(np.nanmean(stability))
    yield (
        "ensemble",
        (
            f"On {count} draws of resampled ties a user is in the same community in {mean:.0%} "
            "of them."
        ),
        mean,
    )
    if count < params.ensemble:
        yield (
            "ensemble",
            (
                f"The ties are too many for {params.ensemble} draws; {count} were made, and "
                "ranges over resampled communities are narrower than more would give."
            ),
            float(count),
        )
    yield (
        "ensemble",
        (
            "Two ranges stand beside a score: the interval covers counting noise, for the "
            "communities as they are; the partition range covers which community people fall "
            "into, as far as it depends on which of their ties were observed. Neither covers "
            "the other."
        ),
        None,
    )


def rescored(  # noqa: PLR0917 - what the run itself was scored by
    ensemble: Ensemble,
    scores: pa.Table,
    snapshot: Snapshot,
    params: AnalysisParams,
    shared: Mapping[SourceKind, SourceEvents],
    progress: Progress = silent,
    tiers: Tiers | None = None,
) -> pa.Table:
    """Score everything in each member, and fill in the ranges of the run's own scores.

    One scoring a member; see `ranges`.
    """

    def each() -> Iterator[pa.Table]:
        for number, member in enumerate(ensemble.members):
            progress("scores: resampled communities", number, len(ensemble.members))
            yield score(snapshot, member, params, events_by_kind=shared, tiers=tiers).table

    return ranges(scores, each()) if ensemble.members and scores.num_rows else scores


def ranges(scores: pa.Table, members: Iterator[pa.Table]) -> pa.Table:
    """Fill in the lowest and the highest score of each row over resampled communities.

    Parameters
    ----------
    scores
        The declared table `scores` of the run.
    members
        The same, scored in each member of an ensemble; read one at a time.

    Returns
    -------
    pyarrow.Table
        With `partition_low` and `partition_high`, which include the score itself. A
        community that shares nothing of a source in a member scores it 0 there. Members in
        which a community is too small to be scored, or not found at all, say nothing of it;
        where all do, and where the row has no score, both are null.

    Notes
    -----
    Cost: a member is sorted once more by (kind, source, community).
    """
    keys = _Keys.of(scores)
    own = scores["resonance"].to_numpy()
    low, high = own.copy(), own.copy()
    seen = np.zeros(len(own), np.bool_)
    for each in members:
        score, known = keys.align(each)
        known &= ~np.isnan(own)
        low[known] = np.minimum(low[known], score[known])
        high[known] = np.maximum(high[known], score[known])
        seen |= known
    low[~seen], high[~seen] = np.nan, np.nan
    columns: dict[str, Any] = {name: scores[name] for name in scores.column_names}
    return table("scores", columns | {"partition_low": low, "partition_high": high})


@dataclass(frozen=True, slots=True, eq=False)
class _Keys:
    """Rows of the table `scores` by number: (kind and community) and source."""

    kinds: pa.StringArray
    sources: pa.StringArray
    communities: pa.StringArray
    key: Longs
    place: Longs
    """kind and community of each row."""

    @classmethod
    def of(cls, scores: pa.Table) -> _Keys:
        kinds, ids, where = (pc.unique(scores[name]).drop_null() for name in _KEY)
        none = np.empty(0, np.int64)
        found = cls(kinds, ids, where, none, none)
        key, place = found._number(scores)
        return replace(found, key=key, place=place)

    def _number(self, rows: pa.Table) -> tuple[Longs, Longs]:
        """Give rows numbers; -1 where one is of something the run itself does not have."""
        vocabulary = dict(zip(_KEY, (self.kinds, self.sources, self.communities), strict=True))
        code = {
            name: pc.fill_null(pc.index_in(rows[name].combine_chunks(), words), -1)
            .to_numpy()
            .astype(np.int64)
            for name, words in vocabulary.items()
        }
        community = code["community_id"] + 1  # 0 is all of them
        strange = np.asarray(rows["community_id"].is_valid()) & (community == 0)
        place = code["source_kind"] * (len(self.communities) + 1) + community
        key = place * max(len(self.sources), 1) + code["source_id"]
        unknown = strange | (code["source_kind"] < 0) | (code["source_id"] < 0)
        return np.where(unknown, -1, key), np.where(strange, -1, place)

    def align(self, rows: pa.Table) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return the score of each row of the run in another table, and whether it says any."""
        key, place = self._number(rows)
        order = np.argsort(key, kind="stable")
        at = np.searchsorted(key[order], self.key)
        hit = at < len(key)
        hit[hit] = key[order][at[hit]] == self.key[hit]
        score = np.zeros(len(self.key))
        score[hit] = rows["resonance"].to_numpy()[order[at[hit]]]
        told = np.isin(self.place, place) & ~np.isnan(score)
        all_of_it = self.place % (len(self.communities) + 1) == 0
        return score, told & (hit | ~all_of_it)
