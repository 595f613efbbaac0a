"""Communities of kindred people: found on the ties, once as reference and once for each fold.

A fold's partition is learned without any tie that carries a source of that fold, so that
what a community shares of a source never decides who is in the community.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain

import numpy as np

from engine.agreement import mutual_information
from engine.algorithms import Algorithms, Local, of_tied
from engine.csr import Csr, Ints
from engine.edges import Edges
from engine.found import Found, tie_posterior
from engine.giant import insist, without_giants
from engine.groups import DEFAULT_SOURCES, folds, root_groups
from engine.kernels.leiden import leiden
from engine.params import AnalysisParams
from engine.partition import UNASSIGNED, Partitions
from engine.progress import Progress, silent
from engine.resolution import Choice, choose
from engine.snapshot import Snapshot
from engine.ties import Ties, observe

__all__ = ["Found", "find", "matched", "seen_by_folds"]


def find(
    snapshot: Snapshot,
    params: AnalysisParams,
    progress: Progress = silent,
    before: int | None = None,
    gamma: float | None = None,
    *,
    algorithms: Algorithms | None = None,
    start: Ints | None = None,
) -> Found:
    """Find communities and their cross-fitting folds.

    Parameters
    ----------
    snapshot
        The data.
    params
        Ties, resolution, folds, seed, kinds of sources and the smallest community scored.
    progress
        Told of the stages.
    before
        Microseconds: only events before this time tie, as in calibration.
    gamma
        A resolution found already; by default `params.gamma`, else chosen on held-out ties.
    algorithms
        Who runs Leiden; by default kindred's own kernels, which choose the resolution in any
        case: two engines then search at the same one.
    start
        A label of each user, of an analysis before: kindred's kernels search the reference
        from there, so that communities stay where little has changed. Folds never start so:
        those communities saw the shares that a fold must not see.

    Returns
    -------
    Found
        With users without a tie `UNASSIGNED`. Data without ties give no community. Where one
        community holds more than two in five, and held-out ties insist, its parts at twice
        the resolution stand in its place, in the reference and in every fold.

    Notes
    -----
    Seven Leiden runs for the resolution, where it is not given, one for the reference and
    one a fold, in threads; the answer does not depend on their number.

    Examples
    --------
    Two groups of three who share one another, and one who shares nothing:

    >>> import pyarrow as pa
    >>> from engine.assemble import assemble
    >>> pairs = [(a, b) for g in ("abc", "def") for a in g for b in g if a != b]
    >>> s = assemble({
    ...     "users": pa.table({"user_id": ["x:lone"]}),
    ...     "content": pa.table({"content_id": [f"x:{p}" for p in "abcdef"],
    ...                          "author_id": [f"x:{p}" for p in "abcdef"]}),
    ...     "shares": pa.table({"user_id": [f"x:{a}" for a, b in pairs],
    ...                         "content_id": [f"x:{b}" for a, b in pairs]}),
    ... })
    >>> find(s, AnalysisParams()).partitions.reference.tolist()
    [0, 0, 0, 1, 1, 1, -1]
    """
    progress("communities: ties", 0, None)
    groups = root_groups(snapshot)
    ties = observe(snapshot, params, groups)
    if before is not None:
        ties = ties.before(before)
    edges = ties.edges()
    graph = edges.graph()
    tied = np.diff(graph.indptr) > 0
    progress("communities: resolution", 0, None)
    given = gamma if gamma is not None else params.gamma
    choice = (
        Choice(given, f"Resolution {given:g} was given.", {}, None)
        if given is not None
        else choose(edges, int(tied.sum()), params.seed)
    )
    seen = seen_by_folds(snapshot, ties, params)
    graphs: list[Callable[[], Csr]] = [lambda: graph, *(partial(_graph, one) for one in seen)]
    progress("communities: folds", 0, params.folds + 1)
    search = algorithms or Local()
    if start is None or search.engine != "local":
        searched = search.communities(graphs, choice.gamma, params.seed, ties.kinds)
    else:
        warm = of_tied(graph, leiden(graph, choice.gamma, params.seed, start))
        rest = search.communities(graphs[1:], choice.gamma, params.seed, ties.kinds)
        searched = chain((warm,), rest)
    found: list[Ints] = []
    for part in searched:
        found.append(part)
        progress("communities: folds", len(found), params.folds + 1)
    held = insist(edges, found[0], choice.gamma, params.seed, choice.gain)
    if held is not None:
        parted = zip(graphs, found, strict=True)
        found = [without_giants(make(), part, choice.gamma, params.seed) for make, part in parted]
    reference = found[0]
    sizes = np.bincount(reference[tied], minlength=0)
    partitions = Partitions(
        reference=reference,
        folds=np.array([matched(part, reference) for part in found[1:]], np.int32),
        confidence=tie_posterior(graph, reference),
        scored=sizes >= params.min_members,
        gamma=choice.gamma,
    )
    runs = params.folds + 1 + len(choice.curve)
    return Found(
        partitions,
        ties,
        edges,
        graph,
        choice.curve,
        held or choice.gain,
        runs,
        tuple(_notes(snapshot, ties, choice, partitions)),
        split=held is not None,
    )


def seen_by_folds(
    snapshot: Snapshot, ties: Ties, params: AnalysisParams
) -> list[Callable[[], Edges]]:
    """Return what makes the ties of each fold: those that carry no source of the fold."""
    fold_of = folds(ties.groups, params.folds, params.seed)
    scored = ties.groups.of_sources(snapshot, params.sources or DEFAULT_SOURCES)

    def seen(fold: int) -> Edges:
        return ties.without(scored & (fold_of == fold)).edges()

    return [partial(seen, fold) for fold in range(params.folds)]


def _graph(ties: Callable[[], Edges]) -> Csr:
    return ties().graph()


def matched(labels: Ints, reference: Ints) -> Ints:
    """Rename the labels of a partition to those of the reference they overlap most.

    One to one, the greatest overlap first; who is in a community left over is unassigned.
    (Giving those to the next best name as well lost fewer shares of the German domains, one
    in a hundred, and made their scores come true less.) O(users log users).

    Examples
    --------
    >>> import numpy as np
    >>> reference = np.array([0, 0, 0, 1, 1, 2], np.int32)
    >>> matched(np.array([1, 1, 1, 0, 0, 3], np.int32), reference).tolist()
    [0, 0, 0, 1, 1, 2]
    """
    both = (labels >= 0) & (reference >= 0)
    k = int(reference.max(initial=-1)) + 1
    cells, overlap = np.unique(
        labels[both].astype(np.int64) * k + reference[both], return_counts=True
    )
    mine, theirs = np.divmod(cells, max(k, 1))
    order = np.lexsort((theirs, mine, -overlap))
    name = np.full(int(labels.max(initial=-1)) + 2, UNASSIGNED, np.int32)  # the last is for -1
    taken = np.zeros(k, np.bool_)
    for m, t in zip(mine[order].tolist(), theirs[order].tolist(), strict=True):
        if name[m] == UNASSIGNED and not taken[t]:
            name[m], taken[t] = t, True
    return name[labels]


def _notes(
    snapshot: Snapshot, ties: Ties, choice: Choice, partitions: Partitions
) -> list[tuple[str, str, float | None]]:
    reference = partitions.reference
    assigned = float((reference >= 0).mean()) if len(reference) else 0.0
    said: list[tuple[str, str, float | None]] = [
        ("ties", ties.sentence, None),
        ("resolution", choice.reason, choice.gamma),
        (
            "communities",
            (
                f"{assigned:.0%} of {len(reference):,} users have a tie and so a community; "
                "the others are kept in the totals and never scored."
            ),
            assigned,
        ),
    ]
    platform = snapshot.users.platform[reference >= 0]
    if len(np.unique(platform)) > 1:
        told = mutual_information(reference[reference >= 0], platform)
        said.append(
            (
                "communities",
                (
                    f"Communities follow platforms to a degree of {told:.2f} "
                    "(normalised mutual information: 0 not at all, 1 wholly)."
                ),
                told,
            )
        )
    return said
