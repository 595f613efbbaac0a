"""What the communities look like: the tables communities, memberships, links and ties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.csr import Csr, Floats, Ints, Longs
from engine.found import Found, community_ids, kinds, sizes
from engine.groups import Flags
from engine.params import SourceKind
from engine.results import RESULTS, table
from engine.snapshot import Snapshot
from engine.sources import SourceEvents
from engine.ties import ItemTies, PairTies
from engine.verdict import AGAIN, Verdicts

__all__ = ["DRAWN", "DRAWN_MEMBERS", "DRAWN_TIES", "tables"]

DRAWN: Final = 60
"""Largest communities of which members and ties are kept for drawing."""

DRAWN_MEMBERS: Final = 300
DRAWN_TIES: Final = 1500

_TOP: Final = 5
"""Most sources, platforms and labels named of a community."""

_ONE_PLATFORM: Final = 0.95

_NEARLY_ALL: Final = 0.8


def tables(
    snapshot: Snapshot,
    found: Found,
    verdicts: Verdicts,
    shared: Mapping[SourceKind, SourceEvents] | None = None,
    enough: Flags | None = None,
) -> dict[str, pa.Table]:
    """Return the tables communities (scores left empty), memberships, links and ties.

    Parameters
    ----------
    snapshot
        The data.
    found, verdicts
        The communities, and the verdict on each.
    shared
        What counts as a share, by kind of source. A community is called by a label that four
        in five members carry, else by what its members share most beyond chance, else by whom
        or what their ties go to.
    enough
        Which communities share enough to be scored; by default all do.

    Notes
    -----
    O(events + ties) and some sorts. `ties` holds, of each of the 60 largest communities, the
    1,500 strongest ties among the 300 members with most tie weight inside.
    """
    ids = pa.array(community_ids(found.partitions.k).tolist(), pa.string())
    return {
        "communities": _communities(snapshot, found, verdicts, shared or {}, enough, ids),
        "memberships": _memberships(snapshot, found, ids),
        "links": _links(found, ids),
        "ties": _ties(snapshot, found, ids),
    }


def _communities(  # noqa: PLR0917 - what `tables` was given, and the ids
    snapshot: Snapshot,
    found: Found,
    verdicts: Verdicts,
    shared: Mapping[SourceKind, SourceEvents],
    enough: Flags | None,
    ids: pa.StringArray,
) -> pa.Table:
    of, k = found.partitions.reference, found.partitions.k
    size = sizes(found.partitions)
    main = max(shared.values(), key=len, default=None)
    share_count = np.zeros(k, np.int64) if main is None else _by_community(of, main.user, k)
    platform, words = snapshot.users.platform, pa.array(snapshot.platforms, pa.string())
    platforms = _mix(of, platform, words, size, "platform")
    users, labels = _labels(snapshot)
    top = _top_sources(snapshot, found, shared)
    traits = _mix(of[users], labels.indices.to_numpy(), labels.dictionary, size, "label")
    shown = [
        _shown(trait, names, members)
        for trait, names, members in zip(traits.to_pylist(), top, size.tolist(), strict=True)
    ]
    few = found.partitions.scored & ~(np.ones(k, np.bool_) if enough is None else enough)
    several = len(np.unique(platform[of >= 0])) > 1
    lost = found.partitions.scored & (verdicts.overlap < AGAIN)
    alike = [several and p[0]["share"] >= _ONE_PLATFORM for p in platforms.to_pylist()]
    flags = [
        [
            w
            for w, on in zip(("few_shares", "one_platform", "not_found_again"), each, strict=True)
            if on
        ]
        for each in zip(few.tolist(), alike, lost.tolist(), strict=True)
    ]
    return table(
        "communities",
        {
            "community_id": ids,
            "level": np.ones(k, np.int32),
            "label": shown,
            "kind": kinds(found.partitions, enough),
            "member_count": size,
            "share_count": share_count,
            "inside_share": _inside_share(found.graph, of, k),
            "verdict": list(verdicts.verdict),
            "tie_gain": verdicts.gain,
            "q_value": verdicts.q,
            "platforms": platforms,
            "top_sources": top,
            "traits": traits,
            "flags": flags,
        },
    )


def _shown(traits: list[dict[str, Any]], names: list[str], members: int) -> str:
    """Call a community by what nearly all its members are, else by what they turn to most."""
    if traits and traits[0]["share"] >= _NEARLY_ALL:
        return str(traits[0]["label"])
    return ", ".join(names[:2]) or f"{members} members"


def _by_community(of: Ints, user: Ints, k: int) -> Longs:
    label = of[user]
    return np.bincount(label[label >= 0], minlength=k).astype(np.int64)


def _inside_share(graph: Csr, of: Ints, k: int) -> Floats:
    rows = of[np.repeat(np.arange(graph.n), np.diff(graph.indptr))]
    inside = rows == of[graph.indices]
    total = np.bincount(rows, weights=graph.weights, minlength=k)
    return np.bincount(rows[inside], weights=graph.weights[inside], minlength=k) / total


def _labels(snapshot: Snapshot) -> tuple[Ints, pa.DictionaryArray]:
    """Return the user and the word of each (user, account label), each pair once."""
    lists = snapshot.users.labels
    words = lists.flatten().cast(pa.string()).dictionary_encode()
    users = np.asarray(lists.value_parent_indices(), np.int32)
    known = np.asarray(words.indices.is_valid())
    code = words.indices.fill_null(0).to_numpy()
    pairs = np.unique((users.astype(np.int64) * max(len(words.dictionary), 1) + code)[known])
    user, code = np.divmod(pairs, max(len(words.dictionary), 1))
    return user.astype(np.int32), pa.DictionaryArray.from_arrays(
        pa.array(code.astype(np.int32)), words.dictionary
    )


def _ranked(community: Longs, *worth: npt.NDArray[Any]) -> Longs:
    """Return rows by community, then by falling worth, the first `_TOP` of each."""
    order = np.lexsort((*(-w for w in worth[::-1]), community))
    by = community[order]
    rank = np.arange(len(by)) - np.searchsorted(by, by, "left")
    return order[rank < _TOP]


def _offsets(community: Longs, k: int) -> pa.Int32Array:
    return pa.array(np.searchsorted(community, np.arange(k + 1), "left").astype(np.int32))


def _mix(label: Ints, code: Ints, words: pa.StringArray, size: Longs, name: str) -> pa.ListArray:
    """Return the most frequent words of each community's members, with their share."""
    within = label >= 0
    many = max(len(words), 1)
    cells, count = np.unique(
        label[within].astype(np.int64) * many + code[within], return_counts=True
    )
    community, word = np.divmod(cells, many)
    top = _ranked(community, count, -word)
    share = count[top] / size[community[top]]
    values = pa.StructArray.from_arrays(
        [words.take(pa.array(word[top])), pa.array(share)], [name, "share"]
    )
    return pa.ListArray.from_arrays(_offsets(community[top], len(size)), values)


def _top_sources(
    snapshot: Snapshot, found: Found, shared: Mapping[SourceKind, SourceEvents]
) -> list[list[str]]:
    """Name what the members of each community share most beyond chance, else deal with."""
    of, k = found.partitions.reference, found.partitions.k
    top: list[list[str]] = [[] for _ in range(k)]
    for events in sorted(shared.values(), key=len, reverse=True):
        _add(top, of, events.user, events.source, events.label)
    ties = found.ties
    if isinstance(ties, ItemTies):
        engaged = (ties.user, ties.item, snapshot.topics.label)
    elif isinstance(ties, PairTies):
        engaged = (ties.user, ties.other, snapshot.users.shown)
    bare = np.array([not names for names in top], np.bool_)
    _add(top, np.where(np.append(bare, False)[of], of, -1), *engaged)
    return top


def _add(top: list[list[str]], of: Ints, user: Ints, source: Ints, words: pa.StringArray) -> None:
    """Append the sources with the greatest O ln(O / E) of distinct users to each list.

    E is what the community's and the source's totals give; T. Dunning (1993). Accurate
    methods for the statistics of surprise and coincidence.
    """
    within = of[user] >= 0
    many = max(len(words), 1)
    pairs = np.unique(user[within].astype(np.int64) * many + source[within])
    user, source = np.divmod(pairs, many)
    cells, count = np.unique(of[user].astype(np.int64) * many + source, return_counts=True)
    community, source = np.divmod(cells, many)
    of_community = np.bincount(community, weights=count, minlength=len(top))[community]
    of_source = np.bincount(source, weights=count, minlength=many)[source]
    worth = count * np.log(count * float(count.sum()) / (of_community * of_source))
    chosen = _ranked(community, np.round(worth, 9), count, -source)
    names = words.take(pa.array(source[chosen])).to_pylist()
    for c, name in zip(community[chosen].tolist(), names, strict=True):
        if len(top[c]) < _TOP and name not in top[c]:
            top[c].append(name)


def _memberships(snapshot: Snapshot, found: Found, ids: pa.StringArray) -> pa.Table:
    parts = found.partitions
    labels = np.vstack((parts.reference[None, :], parts.folds))
    fold, user = np.nonzero(labels >= 0)  # in order: reference, folds; users by id
    confidence = parts.confidence[user]
    columns = [
        snapshot.users.user_id.take(pa.array(user)),
        ids.take(pa.array(labels[fold, user])),
        pa.array(np.ones(len(user), np.int32)),
        pa.array((fold - 1).astype(np.int32), mask=fold == 0),
        pa.array(confidence, mask=fold > 0),
    ]
    return pa.table(columns, schema=RESULTS["memberships"].schema)


def _links(found: Found, ids: pa.StringArray) -> pa.Table:
    of, k = found.partitions.reference.astype(np.int64), found.partitions.k
    u, v, weight = found.graph.pairs()
    low, high = np.minimum(of[u], of[v]), np.maximum(of[u], of[v])
    cells, which, count = np.unique(low * max(k, 1) + high, return_inverse=True, return_counts=True)
    a, b = np.divmod(cells, max(k, 1))
    total = np.bincount(which, weights=weight, minlength=len(cells))
    degree = np.bincount(low, weights=weight, minlength=k) + np.bincount(
        high, weights=weight, minlength=k
    )
    chance = degree[a] * degree[b] / max(float(degree.sum()), 1e-300)
    chance[a == b] /= 2
    return table(
        "links",
        {
            "community_id": ids.take(pa.array(a)),
            "other_id": ids.take(pa.array(b)),
            "tie_count": count,
            "weight": total,
            "lift": total / chance,
        },
    )


def _ties(snapshot: Snapshot, found: Found, ids: pa.StringArray) -> pa.Table:
    of = found.partitions.reference
    u, v, weight = found.graph.pairs()
    inside = (of[u] == of[v]) & (of[u] < DRAWN)
    u, v, weight = u[inside], v[inside], weight[inside]
    # Heaviest first inside each community; weights are compared as printed, not to the last bit.
    order = np.lexsort((v, u, -np.round(weight, 9), of[u]))
    u, v, weight = u[order], v[order], weight[order]
    within = np.bincount(u, weights=weight, minlength=len(of)) + np.bincount(
        v, weights=weight, minlength=len(of)
    )
    central = _first_of_each(of, np.round(within, 9), DRAWN_MEMBERS)
    both = np.flatnonzero(central[u] & central[v])
    label = of[u[both]]
    kept = both[np.arange(len(both)) - np.searchsorted(label, label, "left") < DRAWN_TIES]
    return table(
        "ties",
        {
            "community_id": ids.take(pa.array(of[u[kept]])),
            "user_id": snapshot.users.user_id.take(pa.array(u[kept])),
            "other_id": snapshot.users.user_id.take(pa.array(v[kept])),
            "weight": weight[kept],
        },
    )


def _first_of_each(of: Ints, worth: Floats, most: int) -> Flags:
    """Mark the users of each community that are worth most, lower numbers first."""
    order = np.lexsort((-worth, of))
    by = of[order]
    marked = np.zeros(len(of), np.bool_)
    marked[order] = (np.arange(len(by)) - np.searchsorted(by, by, "left") < most) & (by >= 0)
    return marked
