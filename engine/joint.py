"""The score of several sources taken together: a campaign, a party, a set of hashtags.

What was shared and what was expected is summed over the sources, community by community,
each source on the communities that never saw it; the sums are one cell, with the prior of
the run. Asked strictly, the set is one source of its own: communities are found once more
without any of its members.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.affinity import FEW_OTHERS, OWN_PART
from engine.algorithms import Local
from engine.cells import FEW_SHARERS, effective
from engine.communities import matched
from engine.contract import Backend
from engine.csr import Floats, Ints
from engine.errors import UsageError
from engine.groups import DEFAULT_SOURCES
from engine.lift import posterior
from engine.model import COUNT, TEXT, TOPIC_KINDS
from engine.recount import Counting, Recount, places
from engine.scene import Scene
from engine.sources import SourceEvents
from engine.ties import observe

__all__ = ["JOINT", "MOST", "Joint", "joint"]

MOST: Final = 1_000
"""Sources of a set at most."""

Flags = npt.NDArray[np.bool_]
F64: Final = pa.float64()
_FIGURES: Final = (
    *("lift", "lift_low", "lift_high", "prob_above"),
    *("resonance", "resonance_low", "resonance_high"),
)

JOINT: Final = pa.schema(
    [
        ("community_id", TEXT),
        *((name, F64) for name in ("observed", "expected", "weight", *_FIGURES)),
        ("resonant_shares", F64),
        ("effective_sharers", F64),
        ("sharer_count", COUNT),
        ("content_count", COUNT),
        ("tier", TEXT),
        ("flags", pa.list_(TEXT)),
    ]
)
"""As in `scores`; `sharer_count` counts distinct people, however many of the sources each shared,
`content_count` the distinct contents that were shared there. The row without a community is over
all of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """The rows of `JOINT`, and what has to be said of them."""

    table: pa.Table
    notes: tuple[str, ...]


def joint(
    backend: Backend,
    scene: Scene,
    sources: Sequence[tuple[str, str]],
    *,
    community_id: str | None = None,
    strict: bool = False,
) -> Joint:
    """Score a set of sources as one.

    Parameters
    ----------
    backend, scene
        The store, the run and its data.
    sources
        Kind and id of each, of one kind, as `engine.why.one_source` returns them.
    community_id
        Only this community; by default all, and the mean over them.
    strict
        Find communities once more, without any share of the set; with unknown exposure, count
        it there as one source.

    Raises
    ------
    UsageError
        If the sources are of several kinds, too many, or were never shared.

    Notes
    -----
    A share that two of the sources would count (of a post about both) is counted once, for the
    first of them by id. A person who shares two of the sources counts for each, as in their own
    scores; strictly, a person counts once for a set of topics, as for a topic. O(events log
    events); strictly, a projection of the ties and one run of Leiden more, a sixth of what
    `analyse` spends on communities.
    """
    kind, ids = _one_kind(sources)
    counting = Counting.of(backend, scene, kind)
    shares = scene.events(counting.kind)
    chosen = places(shares, pa.array(ids, TEXT))
    notes = []
    if missing := [i for i, at in zip(ids, chosen.tolist(), strict=True) if at < 0]:
        notes.append(f"Never shared, and so without effect here: {', '.join(missing[:10])}.")
    chosen = chosen[chosen >= 0]
    if not len(chosen):
        raise UsageError(
            f"a score of {len(ids)} sources together",
            "nobody shared any of them",
            "list sources with: kindred influence",
        )
    if strict:
        found = _strictly(backend, counting, shares, chosen)
        notes.append("Communities were found once more, without any share of these sources.")
    else:
        shares, twice = _once(shares, chosen)
        if twice:
            notes.append(f"{twice:,} shares are of several of these sources, and count once.")
        found = counting.cells(shares.source_id.take(pa.array(chosen)), shares=shares)
    rows = list(_rows(counting, found))
    if community_id is not None:
        rows = [row for row in rows if row["community_id"] == community_id]
    return Joint(pa.Table.from_pylist(rows, JOINT), tuple(notes))


def _one_kind(sources: Sequence[tuple[str, str]]) -> tuple[str, list[str]]:
    kinds = sorted({kind for kind, _ in sources})
    ids = sorted({source_id for _, source_id in sources})
    if len(kinds) != 1 or len(ids) > MOST:
        raise UsageError(
            f"one score of {len(ids)} sources",
            f"they are of the kinds {', '.join(kinds)}"
            if len(kinds) != 1
            else f"that is more than {MOST:,}",
            "take sources of one kind, such as --kind domain",
        )
    return kinds[0], ids


def _once(shares: SourceEvents, chosen: Ints) -> tuple[SourceEvents, int]:
    """Leave a share of one content to the first of the sources that would count it."""
    of_set = np.flatnonzero(np.isin(shares.source, chosen) & (shares.content >= 0))
    order = of_set[np.lexsort((shares.source[of_set], shares.user[of_set], shares.content[of_set]))]
    again = (shares.user[order][1:] == shares.user[order][:-1]) & (
        shares.content[order][1:] == shares.content[order][:-1]
    )
    kept = np.ones(len(shares), np.bool_)
    kept[order[1:][again]] = False
    return shares.only(kept), int(np.count_nonzero(again))


def _strictly(backend: Backend, counting: Counting, shares: SourceEvents, chosen: Ints) -> Recount:
    """Count the set on communities that saw neither it nor one fold of the rest.

    The rest of that fold is what the community's habit is measured on: of sources that its
    members were put together by, they share more than they would of others.
    """
    scene = counting.scene
    hidden = np.zeros(len(scene.groups), np.bool_)
    hidden[shares.group[chosen]] = True
    size = np.bincount(shares.source, minlength=len(shares.source_id))
    fold = scene.group_folds[shares.group[chosen[int(size[chosen].argmax())]]]
    kinds = scene.run.params.sources or DEFAULT_SOURCES
    scored = scene.groups.of_sources(scene.snapshot, kinds)
    hidden |= scored & (scene.group_folds == fold)
    labels = np.vstack((scene.partitions.folds, _labels_without(backend, scene, hidden)[None, :]))
    folds = np.where(hidden, len(labels) - 1, scene.group_folds).astype(np.int32)
    ids = shares.source_id.take(pa.array(chosen))
    if counting.tier == "affinity":
        # Nothing but shares is counted, so that the set can be one source of its own.
        shares = _distinct(_as_one(shares, chosen), int(chosen[0]))
        ids = ids.slice(0, 1)
    else:
        shares, _ = _once(shares, chosen)
    return counting.cells(ids, shares=shares, fold=folds, labels=labels.astype(np.int32))


def _labels_without(backend: Backend, scene: Scene, hidden: Flags) -> Ints:
    """Find communities without these root groups, under the names of the run's."""
    params = scene.run.params
    ties = observe(scene.snapshot, params, scene.groups)
    rows = backend.read("notes", run_id=scene.run.run_id, where={"topic": "resolution"})
    gamma = float(rows["value"][0].as_py())
    graph = ties.without(hidden).edges().graph()
    (labels,) = Local().communities([lambda: graph], gamma, params.seed, ties.kinds)
    return matched(labels, scene.partitions.reference)


def _as_one(shares: SourceEvents, chosen: Ints) -> SourceEvents:
    """Let the first of the sources stand for all."""
    source = np.where(np.isin(shares.source, chosen), chosen[0], shares.source).astype(np.int32)
    return SourceEvents(
        shares.source_kind,
        shares.source_id,
        shares.label,
        shares.group,
        shares.n_posts,
        shares.repeats,
        shares.user,
        source,
        shares.at,
        shares.content,
        shares.platform,
    )


def _distinct(shares: SourceEvents, source: int) -> SourceEvents:
    """Keep one share a person of a set of topics, one a person and content of other sets.

    Events come by source and time, so that the first stays.
    """
    of_set = np.flatnonzero(shares.source == source)
    of_set = of_set[np.argsort(shares.at[of_set], kind="stable")]
    topics = shares.source_kind in TOPIC_KINDS
    bare = shares.content[of_set] < 0
    # Pairwise shares name no content: each is its own.
    unit = np.where(bare, -1 - np.arange(len(of_set)), shares.content[of_set])
    key = np.column_stack((shares.user[of_set], np.zeros_like(unit) if topics else unit))
    _, first = np.unique(key, axis=0, return_index=True)
    kept = shares.source != source
    kept[of_set[first]] = True
    return shares.only(kept)


def _rows(counting: Counting, found: Recount) -> Iterator[dict[str, Any]]:
    """Yield a row over all communities, and one a community with shares."""
    ids, scored, k = counting.scene.partitions.community_ids, counting.scored, len(counting.scored)
    usable = np.isfinite(found.expected)
    # What a community that shares nothing else does not say is neither counted nor expected.
    o, e, weight = (
        np.where(usable, column, 0.0) for column in (found.observed, found.expected, found.weight)
    )
    every, counted, expected = (column.sum(axis=0) for column in (found.observed, o, e))
    weighted = (weight * o).sum(axis=0)
    p = posterior(counting.prior, weighted, (weight * e).sum(axis=0))
    figures = {name: np.where(expected > 0, getattr(p, name), np.nan) for name in _FIGURES}
    figures |= {
        "observed": every,
        "expected": np.where(expected > 0, expected, np.nan),
        "weight": np.where(counted > 0, weighted / np.where(counted > 0, counted, 1.0), np.nan),
        "resonant_shares": every * figures["resonance_low"] / 100.0,
    }
    carried = (found.source >= 0) & (found.label >= 0)
    carried[carried] = scored[found.label[carried]]
    shares, label = found.shares.only(carried), found.label[carried]
    people = _people(shares, label, k)
    flags = {
        "few_sharers": people["effective_sharers"] < FEW_SHARERS,
        "no_expectation": ~(expected > 0),
        "own_audience": _own_audience(found, every),
        "part_left_out": np.any(~usable & (found.observed > 0), axis=0),
    }
    shown = np.flatnonzero(scored & (every > 0))
    over = _people(shares, np.zeros_like(label), 1)
    yield _over_all({name: values[shown] for name, values in figures.items()}) | {
        "tier": counting.tier,
        "flags": [],
        **{name: _known(values[0]) for name, values in over.items()},
    }
    for c in shown.tolist():
        yield {
            "community_id": ids[c].as_py(),
            "tier": counting.tier,
            "flags": [name for name, holds in flags.items() if holds[c]],
            **{name: _known(values[c]) for name, values in (figures | people).items()},
        }


def _people(shares: SourceEvents, group: Ints, groups: int) -> dict[str, Floats]:
    """Count distinct people and contents of each group; NaN where no content is named."""
    sharers = _distinct_count(group, shares.user, groups)
    posts = _distinct_count(group, shares.content, groups)
    return {
        "effective_sharers": effective(group, shares.user, groups),
        "sharer_count": sharers,
        "content_count": np.where(posts > 0, posts, np.nan),
    }


def _own_audience(found: Recount, observed: Floats) -> Flags:
    """Say where the set makes up so much of the sharing that there is nothing to compare with."""
    _, first = np.unique(found.fold, return_index=True)
    total = found.total[first].sum(axis=0)
    return np.asarray((total - observed < FEW_OTHERS) | (observed > OWN_PART * total))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _distinct_count(group: Ints, value: Ints, groups: int) -> Floats:
    """Count the distinct values of each group; a negative one is none."""
    known = value >= 0
    pairs = np.unique(np.column_stack((group[known], value[known])), axis=0)
    return np.bincount(pairs[:, 0], minlength=groups).astype(np.float64)


def _over_all(cells: Mapping[str, Floats]) -> dict[str, Any]:
    """Return the mean over the communities, weighted with shares, as for a single source."""
    observed, known = cells["observed"], ~np.isnan(cells["resonance"])
    shares, every = float(observed[known].sum()), float(observed.sum())
    row: dict[str, Any] = {"community_id": None, "observed": every}
    for name in ("resonance", "resonance_low", "resonance_high"):
        row[name] = float((observed * cells[name])[known].sum()) / shares if shares else None
    low = row["resonance_low"]
    row["resonant_shares"] = None if low is None else every * low / 100.0
    return row
