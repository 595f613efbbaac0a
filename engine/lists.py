"""Lists people read, out of the result tables: ranked, named, a page at a time.

The library, the command line and the API show the same rows in the same order because
they all ask here. Nothing is computed that the tables do not say.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from engine.contract import Backend, LoadReport, RunInfo
from engine.errors import NotFound
from engine.model import TEXT
from engine.results import RESULTS
from engine.wording import NO_KINDRED

__all__ = [
    "Page",
    "beside_scores",
    "cascade",
    "cascades",
    "changes",
    "communities",
    "community",
    "continued",
    "influence",
    "made_sources",
    "members",
    "no_kindred",
    "reach",
    "reader",
    "run_before",
    "scores",
    "sharers",
    "sources_named",
]

OWN_AUDIENCE: Final = "own_audience"
"""Cells with this flag are shown, but after all that are ranked."""

BY_SIZE: Final = ("-member_count", "community_id")
BY_BOUND: Final = ("-resonance_low", "-resonance", "source_kind", "source_id", "community_id")
BY_LOUDNESS: Final = ("-influence", "-share_count", "-attention_count", "source_kind", "source_id")
BY_SHARES: Final = ("-share_count", "content_id")
BY_RANK: Final = ("rank", "user_id")
BY_REACH: Final = ("-exposed_count", "-potential_count", "source_kind", "source_id")
BY_CONFIDENCE: Final = ("-confidence", "user_id")

BY_TIME: Final = ("at", "user_id")

_NAMES: Final = ("name", "handle", "platform", "followers_count")
_NEAR: Final = 5_000
"""Labels that are looked through for one that was meant."""


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Some rows of a list, and where the next page starts; None where this is the last."""

    rows: pa.Table
    after: tuple[Any, ...] | None = None


def communities(
    backend: Backend,
    run_id: str,
    *,
    verdict: str | None = None,
    kind: str | None = None,
    level: int | None = 1,
    limit: int | None = None,
    after: Sequence[Any] | None = None,
) -> Page:
    """List communities of a level, largest first, with what their scores rest on.

    Level 1 is what is judged and scored, 0 joins its communities, and 2 parts them; None is
    all three. To the declared columns come `observed` and `expected` (sums over the scored cells of
    the community) and `n` (how many cells those are), null where nothing is scored.
    """
    where = _given(verdict=verdict, kind=kind, level=level)
    page = _page(backend, "communities", run_id, where, BY_SIZE, limit=limit, after=after)
    return Page(_with_sums(backend, run_id, page.rows), page.after)


def changes(backend: Backend, run_id: str, *, limit: int | None = None) -> pa.Table:
    """List what became of the communities of the run before: news first, then what was kept.

    Larger communities first, by members now, or then where there are none now.
    """
    rows = backend.read("changes", run_id=run_id)
    event = ("merge", "split", "birth", "death", "kept")
    rank = pc.index_in(rows["event"], pa.array(event, TEXT))
    size = pc.coalesce(rows["member_count"], rows["before_count"])
    keyed = pa.table({"rank": rank, "size": size, "id": rows["community_id"]})
    order = [("rank", "ascending"), ("size", "descending"), ("id", "ascending")]
    return rows.take(pc.sort_indices(keyed, sort_keys=order)[:limit])


def continued(backend: Backend, run: RunInfo) -> list[str]:
    """Return what a run says of the run whose community ids it carries on."""
    rows = backend.read("notes", run_id=run.run_id, where={"topic": "identity"}, order=("number",))
    texts: list[str] = rows["text"].to_pylist()
    return texts or ["This run carries on the ids of no other; its communities are numbered anew."]


def community(backend: Backend, run_id: str, community_id: str) -> pa.Table:
    """Return the row of one community, as `communities` does.

    Raises
    ------
    NotFound
        Naming the communities there are.
    """
    rows = backend.read("communities", run_id=run_id, where={"community_id": community_id})
    if rows.num_rows == 0:
        main = {"level": 1}
        known = backend.read("communities", run_id=run_id, where=main, order=BY_SIZE, limit=5)
        names = ", ".join(known["community_id"].to_pylist())
        raise NotFound(
            f"the community '{community_id}'",
            f"run {run_id} has none of this name" + (f"; its largest are {names}" if names else ""),
            "list them with: kindred communities",
        )
    return _with_sums(backend, run_id, rows)


def members(
    backend: Backend,
    run_id: str,
    community_id: str,
    *,
    limit: int | None = None,
    after: Sequence[Any] | None = None,
) -> Page:
    """List the members of a community, the most authoritative inside it first.

    Columns: user_id, name, handle, platform, followers_count, confidence, stability,
    authority, percentile, rank. Where the run has no authority inside this community (it is too
    small), those are null and the surest members come first.
    """
    inside = {"community_id": community_id}
    reference = inside | {"fold": None}
    ranked = backend.read("authority", run_id=run_id, where=inside, limit=1).num_rows > 0
    both = (("authority", inside, BY_RANK), ("memberships", reference, BY_CONFIDENCE))
    (first, where, order), (second, beside, _) = both if ranked else both[::-1]
    page = _page(backend, first, run_id, where, order, limit=limit, after=after)
    ids = page.rows["user_id"].to_pylist()
    other = backend.read(second, run_id=run_id, where=beside | {"user_id": ids})
    sure = ("confidence", "stability")
    columns = sure if ranked else ("authority", "percentile", "rank")
    rows = _joined(page.rows, other, columns)
    named = _joined(rows, backend.users(ids), _NAMES)
    shown = ("user_id", *_NAMES, *sure, "authority", "percentile", "rank")
    return Page(named.select(shown), page.after)


def scores(
    backend: Backend,
    run_id: str,
    *,
    source_ids: Sequence[str] | None = None,
    kind: str | None = None,
    community_id: str | None = None,
    roll_up: bool | None = None,
    quadrant: str | None = None,
    flagged: bool | None = None,
    limit: int | None = None,
    after: Sequence[Any] | None = None,
) -> Page:
    """List scores by their lower bound, with the source's label.

    Parameters
    ----------
    roll_up
        True for the rows over all communities only, False for rows of one community only.
    flagged
        True for the cells claimed at the run's false-sign rate, False for the others.

    Notes
    -----
    A score that rests on the source's own audience cannot be ranked against others: cells
    with that flag follow after all others.
    """
    where = _given(source_kind=kind, community_id=community_id, quadrant=quadrant)
    if source_ids is not None:
        where["source_id"] = list(source_ids)
    if community_id is None and roll_up is not None:
        where["community_id" if roll_up else "community_id__ne"] = None
    has = ["flagged"] if flagged else []
    lacks = ["flagged"] if flagged is False else []
    ranked = {"flags__has": has, "flags__lacks": [*lacks, OWN_AUDIENCE]}
    beside = {"flags__has": [*has, OWN_AUDIENCE], "flags__lacks": lacks}
    page = _segments(backend, run_id, (where | ranked, where | beside), limit, after)
    return Page(_labelled(backend, run_id, page.rows), page.after)


def influence(
    backend: Backend,
    run_id: str,
    *,
    source_ids: Sequence[str] | None = None,
    kind: str | None = None,
    community_id: str | None = None,
    limit: int | None = None,
    after: Sequence[Any] | None = None,
) -> Page:
    """List sources by how loud they are; `community_id` is the home community of a user."""
    where = _given(source_kind=kind, community_id=community_id)
    if source_ids is not None:
        where["source_id"] = list(source_ids)
    return _page(backend, "influence", run_id, where, BY_LOUDNESS, limit=limit, after=after)


def reach(
    backend: Backend,
    run_id: str,
    *,
    kind: str | None = None,
    community_id: str | None = None,
    limit: int | None = None,
    after: Sequence[Any] | None = None,
) -> Page:
    """List how many people sources reach, most exposed first: everywhere, or in a community."""
    where = _given(source_kind=kind) | {"community_id": community_id}
    page = _page(backend, "reach", run_id, where, BY_REACH, limit=limit, after=after)
    return Page(_labelled(backend, run_id, page.rows), page.after)


def cascades(
    backend: Backend,
    run_id: str,
    *,
    community_id: str | None = None,
    limit: int | None = None,
    after: Sequence[Any] | None = None,
) -> Page:
    """List contents by shares counted; `community_id` is the author's community."""
    where = _given(community_id=community_id)
    return _page(backend, "cascades", run_id, where, BY_SHARES, limit=limit, after=after)


def cascade(backend: Backend, run_id: str, content_id: str) -> pa.Table:
    """Return the row of one content's cascade.

    Raises
    ------
    NotFound
        Naming the contents shared most.
    """
    rows = backend.read("cascades", run_id=run_id, where={"content_id": content_id})
    if rows.num_rows == 0:
        known = backend.read("cascades", run_id=run_id, order=BY_SHARES, limit=3)
        names = ", ".join(known["content_id"].to_pylist())
        raise NotFound(
            f"the cascade of '{content_id}'",
            f"run {run_id} counted no share of it" + (f"; shared most: {names}" if names else ""),
            "list them with: kindred cascades",
        )
    return rows


def sharers(
    backend: Backend,
    run_id: str,
    content_id: str,
    *,
    limit: int | None = None,
    after: Sequence[Any] | None = None,
) -> Page:
    """List who passed a content on, in the order of time."""
    where = {"content_id": content_id}
    return _page(backend, "cascade_edges", run_id, where, BY_TIME, limit=limit, after=after)


def sources_named(
    backend: Backend, run_id: str, name: str, *, kind: str | None = None
) -> list[str]:
    """Find the ids of sources by id, label or handle, whatever the case.

    Raises
    ------
    NotFound
        With the labels that look most like it.
    """
    kinds = _given(source_kind=kind)
    for column in ("source_id", "label"):
        rows = backend.read("influence", run_id=run_id, where=kinds | {column: name})
        if rows.num_rows:
            return _distinct(rows["source_id"])
    known = backend.read("influence", run_id=run_id, where=kinds, order=BY_LOUDNESS)
    bare = name.removeprefix("@").casefold()
    ids = known["source_id"]
    for texts in (known["label"], pc.replace_substring_regex(ids, "^[^:]*:@?", "")):
        same = pc.equal(pc.utf8_lower(pc.utf8_ltrim(texts, "@")), bare)
        if pc.any(same).as_py():
            return _distinct(ids.filter(same))
    handles = backend.query(
        "MATCH (u:User) WHERE lower(u.handle) = $handle RETURN u.user_id AS user_id",
        {"handle": bare},
        limit=100,
    )["user_id"].to_pylist()
    if found := sorted(set(handles) & set(ids.to_pylist())):
        return found
    labels = known["label"].slice(0, _NEAR).to_pylist()
    near = difflib.get_close_matches(name, labels, n=3, cutoff=0.5) or labels[:3]
    raise NotFound(
        f"the source '{name}'",
        f"run {run_id} knows none of this name" + (f"; near it: {', '.join(near)}" if near else ""),
        "list them with: kindred influence",
    )


def reader(backend: Backend, run_id: str) -> Callable[[str, Mapping[str, Any]], pa.Table]:
    """Return what reads rows of a run's tables under conditions."""

    def read(name: str, where: Mapping[str, Any]) -> pa.Table:
        return backend.read(name, run_id=run_id, where=where)

    return read


def run_before(backend: Backend, run_id: str | None = None) -> str:
    """Return the newest run before this one, by default the active one; else the newest other.

    Raises
    ------
    NotFound
        If there is none.
    """
    known = backend.run(run_id)
    runs = [run.run_id for run in backend.runs()]
    rest = runs[runs.index(known.run_id) + 1 :] or [r for r in runs if r != known.run_id]
    if not rest:
        raise NotFound(
            f"a run to compare {known.run_id} with",
            "the store has no other",
            "analyse with other options, such as: kindred analyse --seed 2",
        )
    return rest[0]


def beside_scores(backend: Backend, run_id: str) -> list[str]:
    """Return what a run says about all of its scores, to stand beside every list of them.

    It tells whether any community is kindred at all, and how much of the sharing they
    describe, since shares by people in no community are never scored.
    """
    rows = backend.read("notes", run_id=run_id, where={"topic": "crossfit"}, order=("number",))
    texts: list[str] = rows["text"].to_pylist()
    return [*no_kindred(backend, run_id), *texts]


def no_kindred(backend: Backend, run_id: str) -> list[str]:
    """Return the sentence of a run whose communities were judged, and none of them kindred."""
    rows = backend.read("notes", run_id=run_id, where={"topic": "verdict"}, order=("number",))
    return [text for text in rows["text"].to_pylist() if text.startswith(NO_KINDRED)]


def made_sources(reports: Sequence[LoadReport]) -> list[str]:
    """Return the titles of loaded sources that were made up, in the order of loading."""
    sources = [report.options.get("source") or {} for report in reports]
    titles = [str(s.get("title", "untitled")) for s in sources if s.get("made")]
    return list(dict.fromkeys(titles))


def _given(**conditions: Any) -> dict[str, Any]:
    return {column: value for column, value in conditions.items() if value is not None}


def _distinct(values: pa.ChunkedArray) -> list[str]:
    return sorted(set(values.to_pylist()))


def _page(
    backend: Backend,
    table: str,
    run_id: str,
    where: Mapping[str, Any],
    order: Sequence[str],
    *,
    limit: int | None,
    after: Sequence[Any] | None,
) -> Page:
    """Read one row more than asked for, to know whether there is a next page."""
    rows = backend.read(
        table,
        run_id=run_id,
        where=where,
        order=order,
        limit=None if limit is None else limit + 1,
        after=after,
    )
    if limit is None or rows.num_rows <= limit:
        return Page(rows)
    rows = rows.slice(0, limit)
    last = rows.slice(limit - 1).to_pylist()[0]
    return Page(rows, tuple(last[key.removeprefix("-")] for key in order))


def _segments(
    backend: Backend,
    run_id: str,
    segments: Sequence[Mapping[str, Any]],
    limit: int | None,
    after: Sequence[Any] | None,
) -> Page:
    """Page through scores under one condition after the other.

    The key of a page starts with the number of its segment.
    """
    first, key = (int(after[0]), after[1:] or None) if after else (0, None)
    found = [RESULTS["scores"].schema.empty_table()]
    for number in range(first, len(segments)):
        left = None if limit is None else limit - sum(map(len, found))
        if left == 0:
            return Page(pa.concat_tables(found), (number,))
        page = _page(backend, "scores", run_id, segments[number], BY_BOUND, limit=left, after=key)
        found.append(page.rows)
        if page.after is not None:
            return Page(pa.concat_tables(found), (number, *page.after))
        key = None
    return Page(pa.concat_tables(found))


def _labelled(backend: Backend, run_id: str, rows: pa.Table) -> pa.Table:
    """Put the label of each source behind its id."""
    ids = _distinct(rows["source_id"])
    known = backend.read("influence", run_id=run_id, where={"source_id": ids}) if ids else None
    labels: dict[tuple[str, str], str] = {}
    if known is not None:
        keys = zip(known["source_kind"].to_pylist(), known["source_id"].to_pylist(), strict=True)
        labels = dict(zip(keys, known["label"].to_pylist(), strict=True))
    pairs = zip(rows["source_kind"].to_pylist(), rows["source_id"].to_pylist(), strict=True)
    shown = pa.array([labels.get(pair, pair[1]) for pair in pairs], TEXT)
    return rows.add_column(rows.column_names.index("source_id") + 1, "label", shown)


def _with_sums(backend: Backend, run_id: str, rows: pa.Table) -> pa.Table:
    """Add what the scores of each community rest on."""
    ids = rows["community_id"].to_pylist()
    cells = backend.read("scores", run_id=run_id, where={"community_id": ids})
    sums = cells.group_by("community_id").aggregate(
        [("observed", "sum"), ("expected", "sum"), ("source_id", "count")]
    )
    sums = sums.rename_columns(["community_id", "observed", "expected", "n"])
    return _joined(rows, sums, ("observed", "expected", "n"), key="community_id")


def _joined(
    rows: pa.Table, other: pa.Table, columns: Sequence[str], key: str = "user_id"
) -> pa.Table:
    """Add columns of another table by key, keeping the order of rows; null where unknown."""
    at = pc.index_in(rows[key].combine_chunks(), other[key].combine_chunks())
    for name in columns:
        rows = rows.append_column(other.schema.field(name), other[name].combine_chunks().take(at))
    return rows
