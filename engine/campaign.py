"""The people that a set of sources reaches together, each counted once.

Audiences overlap, so reach does not add up: the people in all are those of the parts less
whoever is in several. Any source of any kind may be asked for, in any community.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final, cast, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.audiences import Pairs, Sources, followers, posters, shares_of, sources_of
from engine.contract import Backend
from engine.csr import Longs
from engine.errors import NotFound, UsageError
from engine.kernels.audience import mark_audience
from engine.model import COUNT, TEXT, Column
from engine.params import SourceKind
from engine.reach import method_name
from engine.results import F64, FLAGS
from engine.scene import Scene
from engine.shown import BASES, by_impressions, engaged, impressed
from engine.sketch import Counted, Sketch

__all__ = [
    "COLUMNS",
    "MOST_SOURCES",
    "Members",
    "all_sources",
    "joint",
    "kind_named",
    "members_of",
]

Members = npt.NDArray[np.bool_]
"""Who is meant, of all users."""

MOST_SOURCES: Final = 50
"""Sources that can be asked for at once."""

PRECISION: Final = 14
"""Of the sketches, where exact sets would not fit: 0.81 % a count."""

_MOST_BYTES: Final = 1 << 30
"""Memory of exact sets: a byte a user and set."""

_SURE: Final = 3.0
"""Standard deviations an estimated overlap must be away from none to be shown."""

COLUMNS: Final = (
    Column("part", TEXT, "source, all of them, or the overlap of two", required=True),
    Column("source_kind", TEXT, "of a source, or the first of two"),
    Column("source_id", TEXT, "of a source, or the first of two"),
    Column("label", TEXT, "as it is shown"),
    Column("with_kind", TEXT, "of the second of two"),
    Column("with_id", TEXT, "of the second of two"),
    Column("with_label", TEXT, "the second of two as it is shown"),
    Column("community_id", TEXT, "where; null = everywhere"),
    Column("potential_count", COUNT, "distinct followers; null without follows or accounts"),
    Column("potential_low", COUNT, "5 % point; the count where it is exact"),
    Column("potential_high", COUNT, "95 % point; the count where it is exact"),
    Column("potential_overlap", COUNT, "of all: the sum of the parts less the people in all"),
    Column("exposed_count", COUNT, "distinct people shown a content of it"),
    Column("exposed_low", COUNT, "5 % point; the count where it is exact"),
    Column("exposed_high", COUNT, "95 % point; null where only a lower bound is known"),
    Column("exposed_overlap", COUNT, "of all: the sum of the parts less the people in all"),
    Column("penetration", F64, "exposed over members [0,1]"),
    Column("conversion", F64, "part of the exposed who shared [0,1]"),
    Column("method", TEXT, "exact, or hyperloglog with its precision", required=True),
    Column("basis", TEXT, "impressions, follows or interaction (a lower bound)", required=True),
    Column("flags", FLAGS, "what to know when reading the row", required=True),
)
"""What `joint` answers with."""


def members_of(backend: Backend, scene: Scene, community_id: str) -> Members:
    """Return who is in a community of any level, in the reference partition.

    Raises
    ------
    NotFound
        If the run has no community of this name.
    """
    rows = backend.read(
        "memberships",
        run_id=scene.run.run_id,
        where={"community_id": community_id, "fold": None},
    )
    if rows.num_rows == 0:
        raise NotFound(
            f"the community '{community_id}'",
            f"run {scene.run.run_id} has none of this name",
            "list them with: kindred communities",
        )
    users = scene.snapshot.users.user_id
    return np.asarray(
        pc.is_in(users, rows["user_id"].combine_chunks()).to_numpy(zero_copy_only=False), np.bool_
    )


def joint(
    scene: Scene,
    sources: Sequence[tuple[str, str]],
    community_id: str | None = None,
    members: Members | None = None,
    *,
    most_bytes: int = _MOST_BYTES,
) -> pa.Table:
    """Count the distinct people that sources reach, each and together.

    O(followers of all posters).

    Parameters
    ----------
    sources
        Kind and id of each; one named twice counts once.
    community_id, members
        Only these people, and what they are called; by default everybody.
    most_bytes
        Memory of exact sets, beyond which people are counted by HyperLogLog.

    Returns
    -------
    pa.Table
        With `COLUMNS`: a row a source, in the order asked for; one for all of them; one for
        each two whose audiences overlap. An estimated overlap of less than three standard
        deviations is not told from none, and is left out.

    Raises
    ------
    NotFound
        If a source is not in the data.
    UsageError
        If none or more than `MOST_SOURCES` are asked for, or of a kind that does not exist.
    """
    asked = [(kind_named(kind), source_id) for kind, source_id in dict.fromkeys(sources)]
    if not 0 < len(asked) <= MOST_SOURCES:
        raise UsageError(
            f"the joint reach of {len(asked)} sources",
            f"from 1 to {MOST_SOURCES} can be asked for at once",
            "name fewer of them",
        )
    people = np.ones(len(scene.snapshot.users), np.bool_) if members is None else members
    exact = 3 * len(asked) * len(people) <= most_bytes
    parts = _Asking(scene, people, exact=exact).all(asked)
    rows = [part.row("source") for part in parts]
    rows.append(_whole(parts))
    rows += [row for two in combinations(parts, 2) if (row := _overlap(*two)) is not None]
    size = int(people.sum())
    for row in rows:
        row["community_id"] = community_id
        row["method"] = method_name(None if exact else PRECISION)
        if row["part"] != "overlap":
            row["penetration"] = min(row["exposed_count"] / size, 1.0) if size else None
    return pa.Table.from_pylist(rows, pa.schema([column.field for column in COLUMNS]))


def all_sources(scene: Scene, kind: SourceKind) -> Sources:
    """Return the sources of a kind that can be asked for, with what stands behind them."""
    if kind in ("content", "platform"):
        return sources_of(scene.snapshot, kind, shares_of(scene.snapshot, kind, scene.shares))
    return sources_of(scene.snapshot, kind, scene.events(kind))


def kind_named(name: str) -> SourceKind:
    """Return the kind of source of this name.

    Raises
    ------
    UsageError
        Naming the kinds there are.
    """
    for kind in get_args(SourceKind):
        if kind == name:
            return cast("SourceKind", kind)
    raise UsageError(
        f"sources of kind '{name}'",
        "there is no such kind",
        f"take one of {', '.join(get_args(SourceKind))}",
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Set:
    """Distinct people, one by one."""

    has: npt.NDArray[np.bool_]

    def union(self, other: _Set) -> _Set:
        return _Set(self.has | other.has)

    def counted(self) -> Counted:
        return Counted.exactly(int(self.has.sum()))


Crowd = Any
"""A `_Set` or a `Sketch`: both know `union` and `counted`."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The people of one source, or of several together."""

    source_kind: str | None
    source_id: str | None
    label: str | None
    potential: Crowd | None
    exposed: Crowd
    passed: Crowd
    bases: frozenset[int]
    flags: tuple[str, ...]

    def row(self, part: str) -> dict[str, Any]:
        exposed, passed = self.exposed.counted(), self.passed.counted()
        bound = BASES.index("interaction") in self.bases
        known = exposed.count > 0 and not bound
        return {
            "part": part,
            "source_kind": self.source_kind,
            "source_id": self.source_id,
            "label": self.label,
            **_figures("potential", None if self.potential is None else self.potential.counted()),
            **_figures("exposed", exposed, bound=bound),
            "conversion": min(passed.count / exposed.count, 1.0) if known else None,
            "basis": BASES[max(self.bases)],
            "flags": [*self.flags, *(["mixed_basis"] if len(self.bases) > 1 else [])],
        }

    def join(self, other: _Part) -> _Part:
        return _Part(
            None,
            None,
            None,
            _joined(self.potential, other.potential),
            self.exposed.union(other.exposed),
            self.passed.union(other.passed),
            self.bases | other.bases,
            tuple(sorted({*self.flags, *other.flags})),
        )


def _joined(one: Crowd | None, other: Crowd | None) -> Crowd | None:
    if one is None or other is None:
        return one if other is None else other
    return one.union(other)


def _figures(name: str, counted: Counted | None, *, bound: bool = False) -> dict[str, Any]:
    if counted is None:
        return {}
    return {
        f"{name}_count": counted.count,
        f"{name}_low": counted.low,
        f"{name}_high": None if bound else counted.high,
    }


def _whole(parts: Sequence[_Part]) -> dict[str, Any]:
    """Join all parts; what they count twice is the sum less the whole."""
    whole = replace(parts[0], source_kind=None, source_id=None, label=None)
    for part in parts[1:]:
        whole = whole.join(part)
    row = whole.row("all")
    for name in ("potential", "exposed"):
        crowds = [crowd for part in parts if (crowd := getattr(part, name)) is not None]
        if crowds:
            total = sum(crowd.counted().count for crowd in crowds)
            row[f"{name}_overlap"] = max(total - row[f"{name}_count"], 0)
    return row


def _overlap(one: _Part, other: _Part) -> dict[str, Any] | None:
    """Count the people in both; None where that cannot be told from nobody."""
    shared = {
        name: _both(getattr(one, name), getattr(other, name)) for name in ("potential", "exposed")
    }
    if all(counted is None for counted in shared.values()):
        return None
    bases = one.bases | other.bases
    return {
        "part": "overlap",
        "source_kind": one.source_kind,
        "source_id": one.source_id,
        "label": one.label,
        "with_kind": other.source_kind,
        "with_id": other.source_id,
        "with_label": other.label,
        **_figures("potential", shared["potential"]),
        **_figures("exposed", shared["exposed"], bound=BASES.index("interaction") in bases),
        "basis": BASES[max(bases)],
        "flags": ["mixed_basis"] if len(bases) > 1 else [],
    }


def _both(one: Crowd | None, other: Crowd | None) -> Counted | None:
    if one is None or other is None:
        return None
    first, second, either = one.counted(), other.counted(), one.union(other).counted()
    count = first.count + second.count - either.count
    deviation = float(np.sqrt(first.deviation**2 + second.deviation**2 + either.deviation**2))
    if count <= _SURE * deviation:
        return None
    most = min(first.high, second.high)
    spread = 1.6448536269514722 * deviation
    low, high = int(np.floor(count - spread)), min(int(np.ceil(count + spread)), most)
    return Counted(min(count, most), low, high, deviation)


class _Asking:
    """Finds the people of sources, kind by kind."""

    def __init__(self, scene: Scene, people: Members, *, exact: bool) -> None:
        self._scene, self._people, self._exact = scene, people, exact
        self._heard, self._follower = None, np.empty(0, np.int32)
        if len(scene.snapshot.follows.follower):
            self._heard = followers(scene.snapshot)
            self._follower = self._heard.thing.astype(np.int32)

    def all(self, asked: Sequence[tuple[SourceKind, str]]) -> list[_Part]:
        """Return the people of each source, in the order asked for."""
        found: dict[tuple[str, str], _Part] = {}
        for kind in dict.fromkeys(kind for kind, _ in asked):
            ids = [source_id for of, source_id in asked if of == kind]
            found |= {(kind, part.source_id or ""): part for part in self._kind(kind, ids)}
        return [found[key] for key in asked]

    def _kind(self, kind: SourceKind, ids: Sequence[str]) -> list[_Part]:
        snapshot = self._scene.snapshot
        every = all_sources(self._scene, kind)
        at = pc.index_in(pa.array(ids, TEXT), every.source_id)
        if at.null_count:
            missing = ids[at.is_null().to_pylist().index(True)]
            raise NotFound(
                f"the {kind} '{missing}'",
                f"run {self._scene.run.run_id} knows no {kind} of this id",
                "list them with: kindred influence",
            )
        sources = every.only(at.to_numpy().astype(np.int64))
        shown, known = impressed(snapshot, sources)
        posted = posters(snapshot, sources, self._scene.shares)
        acted = engaged(snapshot, sources) if self._heard is None else None
        sharers = Pairs.of(
            sources.at[sources.events.source],
            sources.events.user,
            len(sources),
            len(self._people),
        )
        by_shown = by_impressions(known)
        parts = []
        for s in range(len(sources)):
            if by_shown[s]:
                basis, exposed = 0, self._mask(_of(shown, s))
            elif acted is None:
                basis, exposed = 1, self._hearing(_of(posted, s), sources, s)
            else:
                basis, exposed = 2, self._mask(_of(acted, s))
            flags = {
                "lower_bound": basis == BASES.index("interaction"),
                "partial_impressions": basis == 0 and known[s] < 1,
                "no_accounts": len(_of(sources.accounts, s)) == 0,
            }
            parts.append(
                _Part(
                    kind,
                    sources.source_id[s].as_py(),
                    sources.label[s].as_py(),
                    self._potential(sources, s),
                    self._crowd(exposed),
                    self._crowd(exposed & self._mask(_of(sharers, s))),
                    frozenset([basis]),
                    tuple(flag for flag, holds in flags.items() if holds),
                )
            )
        return parts

    def _potential(self, sources: Sources, s: int) -> Crowd | None:
        accounts = _of(sources.accounts, s)
        if self._heard is None or len(accounts) == 0:
            return None
        return self._crowd(self._hearing(accounts, sources, s))

    def _hearing(self, users: Longs, sources: Sources, s: int) -> npt.NDArray[np.bool_]:
        """Mark who follows one of these users, the source's own accounts left out."""
        assert self._heard is not None  # noqa: S101 - asked for where follows exist only
        marked: npt.NDArray[np.bool_] = mark_audience(
            users.astype(np.int32),
            _of(sources.accounts, s).astype(np.int32),
            self._heard.offset,
            self._follower,
        )
        return marked

    def _mask(self, users: Longs) -> npt.NDArray[np.bool_]:
        marked = np.zeros(len(self._people), np.bool_)
        marked[users] = True
        return marked

    def _crowd(self, has: npt.NDArray[np.bool_]) -> Crowd:
        inside = has & self._people
        return _Set(inside) if self._exact else Sketch.of(np.flatnonzero(inside), PRECISION)


def _of(pairs: Pairs, source: int) -> Longs:
    return pairs.thing[pairs.offset[source] : pairs.offset[source + 1]]
