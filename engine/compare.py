"""Two runs beside each other: whether they are the same answer, and where they part.

Runs of one store or of two: of other data, other parameters, another engine or version.
Everything is read from what the runs stored; nothing is found or scored again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from engine.comparison import OTHER, PARTS, numbered
from engine.contract import Backend, RunInfo
from engine.errors import UsageError
from engine.overlap import Places, communities
from engine.side_by_side import side_by_side
from engine.wording import score_word

__all__ = ["SAME", "Comparison", "compare", "modularity"]

SAME: Final = 0.95
"""Normalised mutual information below which two runs are called different."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two runs, compared.

    `nmi` and `ari` compare the reference communities of the users that both runs place, NaN
    where there are none. `modularity` is that of each run on its own ties. `verdict` says in
    words what follows. `tables` are those of `engine.comparison.PARTS`.
    """

    nmi: float
    ari: float
    modularity: tuple[float, float]
    verdict: str
    tables: Mapping[str, pa.Table]

    @property
    def same(self) -> bool:
        """Whether the two have the same communities, but for a few users."""
        return self.nmi >= SAME


def compare(
    backend: Backend, run_id: str | None, other: Backend, other_id: str | None
) -> Comparison:
    """Compare two runs, of one store or of two; by default the active ones.

    Parameters
    ----------
    backend, run_id
        The store and the run.
    other, other_id
        The store of the other run, which may be the same, and the other run.

    Raises
    ------
    NotFound
        If a store has no such run.
    UsageError
        If a run was written by another version, or both are the same run of one store.

    Notes
    -----
    O(users + scores), and some sorts.
    """
    first, second = _Side.open(backend, run_id), _Side.open(other, other_id)
    if backend is other and first.info.run_id == second.info.run_id:
        raise UsageError(
            f"to compare the run {first.info.run_id} with another",
            "both are the same run",
            "name two runs; list them with: kindred runs",
        )
    reference = {"fold": None, "level": 1}
    places = Places.of(*(side.read("memberships", reference) for side in (first, second)))
    matched = places.matched()
    scores = side_by_side(
        first.read("scores"),
        second.read("scores"),
        matched,
        [side.read("influence") for side in (first, second)],
    )
    nmi, ari = places.agreement()
    both = (modularity(first.read("links")), modularity(second.read("links")))
    verdict = _verdict(nmi, places)
    summary = [
        *_data(first.info, second.info),
        *_differing("parameters", _params(first.info), _params(second.info)),
        *_differing("versions", first.info.versions, second.info.versions),
        *_communities_said(first, second, places, both),
        *_scores_said(scores, first.info.tier),
    ]
    head: _Row = ("verdict", "communities", None, None, _known(nmi), verdict)
    tables = {
        "summary": _summary([head, *summary]),
        "communities": communities(first.communities(), second.communities(), places, matched),
        "scores": scores,
    }
    return Comparison(nmi, ari, both, verdict, tables)


def modularity(links: pa.Table) -> float:
    """Return the modularity of a run's communities, from its table `links`.

    At resolution 1, whatever resolution the communities were found at, so that two runs can
    be compared; NaN without ties. Newman and Girvan (2004).

    Examples
    --------
    Two pairs of friends, and one tie between them:

    >>> links = pa.table({"community_id": ["c1", "c1", "c2"], "other_id": ["c1", "c2", "c2"],
    ...                   "weight": [1.0, 1.0, 1.0]})
    >>> round(modularity(links), 4)
    0.1667
    """
    weight = np.asarray(links["weight"], np.float64)
    total = float(weight.sum())
    if total <= 0:
        return float("nan")
    ends = pa.chunked_array(
        [*links["community_id"].chunks, *links["other_id"].chunks], pa.string()
    ).combine_chunks()
    code = ends.dictionary_encode().indices.to_numpy()
    start, end = code[: len(weight)], code[len(weight) :]
    degree = np.bincount(code, weights=np.concatenate((weight, weight)))
    inside = float(weight[start == end].sum())
    return inside / total - float(((degree / (2 * total)) ** 2).sum())


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One of the two runs, and the store it stands in."""

    backend: Backend
    info: RunInfo

    @classmethod
    def open(cls, backend: Backend, run_id: str | None) -> _Side:
        info = backend.run(run_id)
        if info.stale:
            raise UsageError(
                f"to compare the run {info.run_id}",
                "its tables were written by another version",
                "analyse again: kindred analyse",
            )
        return cls(backend, info)

    def read(self, name: str, where: Mapping[str, Any] | None = None) -> pa.Table:
        return self.backend.read(name, run_id=self.info.run_id, where=where)

    def communities(self) -> pa.Table:
        """Return the communities of level 1: the others repeat or part them."""
        return self.read("communities", {"level": 1})


def _verdict(nmi: float, places: Places) -> str:
    if not len(places.first):
        return "Nothing to compare: no user is placed in a community by both runs."
    if nmi >= SAME:
        alike = nmi == 1.0 and not places.only_first and not places.only_second
        return "The same communities." if alike else "The same communities, but for a few users."
    return (
        f"Different runs: their communities agree to a degree of {nmi:.2f} only "
        f"(normalised mutual information; {SAME:.2f} or more are called the same)."
    )


# In words ---------------------------------------------------------------------------------

_Row = tuple[str, str, str | None, str | None, float | None, str]
"""Topic, name, value, other value, figure, text."""


def _data(one: RunInfo, other: RunInfo) -> Iterator[_Row]:
    same = one.fingerprint == other.fingerprint
    text = "The same data." if same else "Not the same data: what follows may differ for that."
    yield "data", "fingerprint", one.fingerprint, other.fingerprint, None, text
    if not same:
        yield from _differing("data", one.counts, other.counts)


def _params(info: RunInfo) -> dict[str, Any]:
    return info.params.model_dump(mode="json")


def _differing(topic: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[_Row]:
    for name in dict.fromkeys([*one, *other]):
        a, b = _told(one.get(name)), _told(other.get(name))
        if a != b:
            yield topic, name, a, b, None, f"{name}: {a or 'not said'} against {b or 'not said'}."


def _told(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def _communities_said(
    one: _Side, other: _Side, places: Places, both: tuple[float, float]
) -> Iterator[_Row]:
    topic = "communities"
    count, other_count = (str(side.communities().num_rows) for side in (one, other))
    yield topic, "count", count, other_count, None, f"{count} against {other_count} communities."
    text = f"Users placed by both runs: {len(places.first):,}"
    if places.only_first or places.only_second:
        text += f"; by one of them alone: {places.only_first:,} and {places.only_second:,}"
    yield topic, "users", None, None, float(len(places.first)), f"{text}."
    for name, figure in zip(("nmi", "ari"), places.agreement(), strict=True):
        words = {"nmi": "Normalised mutual information", "ari": "Adjusted Rand index"}[name]
        yield topic, name, None, None, _known(figure), f"{words}: {figure:.4f} (1 = the same)."
    if not any(np.isnan(both)):
        values = [f"{q:.4f}" for q in both]
        text = (
            f"Modularity at resolution 1, each run on its own ties: {values[0]} against "
            f"{values[1]}, a difference of {_percent(both)}."
        )
        yield topic, "modularity", values[0], values[1], both[1] - both[0], text


def _percent(both: tuple[float, float]) -> str:
    return f"{(both[1] - both[0]) / both[0]:+.2%}" if both[0] else f"{both[1] - both[0]:+.4f}"


def _scores_said(scores: pa.Table, tier: str | None) -> Iterator[_Row]:
    if not scores.num_rows:
        return
    present = scores["present"].to_numpy()
    both = int((present == "both").sum())
    text = f"Scores in both runs: {both:,}; in one of them alone: {len(present) - both:,}."
    yield "scores", "compared", None, None, float(both), text
    changed = int(pc.sum(scores["changed"]).as_py())
    yield "scores", "changed", None, None, float(changed), f"In another quadrant: {changed:,}."
    apart = int(pc.sum(scores["apart"]).as_py())
    yield "scores", "apart", None, None, float(apart), f"Intervals that do not meet: {apart:,}."
    difference: npt.NDArray[np.float64] = pc.abs(scores["difference"]).to_numpy()
    if np.isfinite(difference).any():
        place = int(np.nanargmax(difference))
        row = scores.slice(place, 1).to_pylist()[0]
        where = f" in {row['community_id']}" if row["community_id"] else ""
        text = (
            f"Largest difference of {score_word(tier)}: {difference[place]:.3g} points, "
            f"{row['label']}{where}."
        )
        yield "scores", "difference", None, None, float(difference[place]), text


def _summary(rows: Sequence[_Row]) -> pa.Table:
    names = ("topic", "name", "value", f"{OTHER}value", "figure", "text")
    return numbered(PARTS["summary"], [dict(zip(names, row, strict=True)) for row in rows])


def _known(figure: float) -> float | None:
    return None if np.isnan(figure) else figure
