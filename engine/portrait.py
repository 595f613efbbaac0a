"""What the communities look like: the tables communities, memberships, links and ties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.csr import Csr, Floats, Ints, Longs
from engine.found import Found
from engine.groups import Flags
from engine.identity import Names
from engine.levels import Levels
from engine.params import SourceKind
from engine.results import RESULTS, table
from engine.snapshot import Snapshot
from engine.sources import SourceEvents
from engine.strata import Stratum, above, below, judged
from engine.ties import ItemTies, PairTies
from engine.verdict import Verdicts

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
    *,
    levels: Levels | None = None,
    names: Names | None = None,
    stability: Floats | None = None,
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
    levels, names
        What lies above and below the communities, and what all of it is called; by default
        nothing does.
    stability
        Part of the runs on resampled ties in which each user is in the community too.

    Notes
    -----
    O(events + ties) and some sorts, a level. `links` and `ties` are of level 1; `ties` holds,
    of each of the 60 largest communities, the 1,500 strongest ties among the 300 members with
    most tie weight inside.
    """
    ids = found.partitions.community_ids
    main = judged(found, verdicts, enough, stability, names)
    several = [main]
    if levels is not None and names is not None:
        several += [above(found, levels, names, main), below(found, levels, names)]
    rows = [_communities(snapshot, found, each, shared or {}) for each in several]
    every = pa.concat_tables(rows)
    return {
        "communities": table("communities", {c: every[c] for c in every.column_names}),
        "memberships": _memberships(snapshot, found, several),
        "links": _links(found, ids),
        "ties": _ties(snapshot, found, ids),
    }


def _communities(
    snapshot: Snapshot, found: Found, level: Stratum, shared: Mapping[SourceKind, SourceEvents]
) -> pa.Table:
    of, k, size = level.of, level.k, level.size
    main = max(shared.values(), key=len, default=None)
    share_count = np.zeros(k, np.int64) if main is None else _by_community(of, main.user, k)
    platform, words = snapshot.users.platform, pa.array(snapshot.platforms, pa.string())
    platforms = _mix(of, platform, words, size, "platform")
    users, labels = _labels(snapshot)
    top = _top_sources(snapshot, found, level, shared)
    traits = _mix(of[users], labels.indices.to_numpy(), labels.dictionary, size, "label")
    shown = [
        _shown(trait, names, members)
        for trait, names, members in zip(traits.to_pylist(), top, size.tolist(), strict=True)
    ]
    several = len(np.unique(platform[of >= 0])) > 1
    alike = [several and p[0]["share"] >= _ONE_PLATFORM for p in platforms.to_pylist()]
    said = {**level.flags, "one_platform": alike}
    return table(
        "communities",
        {
            "community_id": level.ids,
            "level": np.full(k, level.level, np.int32),
            "parent_id": level.parents,
            "label": shown,
            "kind": list(level.kind),
            "member_count": size,
            "share_count": share_count,
            "inside_share": _inside_share(found.graph, of, k),
            "verdict": list(level.verdict),
            **level.judged,
            "platforms": platforms,
            "top_sources": top,
            "traits": traits,
            "flags": [[name for name in sorted(said) if said[name][c]] for c in range(k)],
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
    placed = rows >= 0
    inside = placed & (rows == of[graph.indices])
    total = np.bincount(rows[placed], weights=graph.weights[placed], minlength=k)
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
    snapshot: Snapshot, found: Found, level: Stratum, shared: Mapping[SourceKind, SourceEvents]
) -> list[list[str]]:
    """Name what the members of each community share most beyond chance, else deal with."""
    of, k = level.of, level.k
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


def _memberships(snapshot: Snapshot, found: Found, several: Sequence[Stratum]) -> pa.Table:
    """Return who belongs where: in the reference, level by level, then in each fold."""
    parts = found.partitions
    pieces = []
    for level in sorted(several, key=lambda each: each.level):
        user = np.flatnonzero(level.of >= 0)
        pieces.append(
            _members(snapshot, user, level.ids.take(pa.array(level.of[user])), level.level)
            | {
                "confidence": pa.array(level.confidence[user]),
                "stability": _known(level.steady[user]),
            }
        )
    fold, user = np.nonzero(parts.folds >= 0)  # in order: folds; users by id
    inside = parts.community_ids.take(pa.array(parts.folds[fold, user]))
    pieces.append(_members(snapshot, user, inside, 1) | {"fold": pa.array(fold.astype(np.int32))})
    schema = RESULTS["memberships"].schema
    made = [
        pa.table([p.get(f.name, pa.nulls(len(p["user_id"]), f.type)) for f in schema], schema)
        for p in pieces
    ]
    return pa.concat_tables(made).combine_chunks()


def _members(
    snapshot: Snapshot, user: npt.NDArray[np.intp], community: pa.Array, level: int
) -> dict[str, pa.Array]:
    return {
        "user_id": snapshot.users.user_id.take(pa.array(user)),
        "community_id": community,
        "level": pa.array(np.full(len(user), level, np.int32)),
    }


def _known(figures: Floats) -> pa.Array:
    return pa.array(figures, mask=np.isnan(figures))


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
