"""From the log to a `Snapshot`, in numbers all the way.

The log's numbers are given in the order of loading; a snapshot's in the order of ids.
One sort of the ids gives the rank of each number, and every column of the events is
looked up in it: no string is compared for an event. O(ids log ids + rows).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.assemble import finish
from engine.backends.embedded.logviews import define, merged, resolve
from engine.backends.embedded.manifest import BatchEntry
from engine.backends.embedded.shape import SPACES, Space
from engine.backends.files.duck import quoted
from engine.csr import Ints
from engine.model import INTERACTION_KINDS, REACTION_KINDS, SHARE_KINDS, canonical
from engine.snapshot import Snapshot

__all__ = ["project"]

Columns = dict[str, npt.NDArray[Any]]

_USER_COLUMNS: Final = (
    *("user_id", "platform", "handle", "name", "followers_count", "labels"),
    "is_bot",
)
_CONTENT_COLUMNS: Final = (
    *("content_id", "platform", "author_id", "created_at", "kind", "text"),
    *("impressions_count", "likes_count", "clicks_count", "stance", "emotion", "is_promotion"),
)


_TEXT_LENGTH: Final = 'CAST(length("text") AS INTEGER) AS text_length'
"""In the place of texts, which may be longer than all else together."""


def _code(words: tuple[str, ...], other: str) -> str:
    cases = " ".join(f"WHEN '{word}' THEN {i}" for i, word in enumerate(words))
    return f"CAST(CASE kind {cases} ELSE {words.index(other)} END AS INTEGER) AS kind"


_READ: Final[Mapping[str, tuple[str, ...]]] = {
    "shares": ("user", "content", "at", _code(SHARE_KINDS, "share"), "via"),
    "mentions": ("user", "target", "at", "content"),
    "replies": ("user", "parent", "at", "content"),
    "reactions": (
        *("user", "content", _code(REACTION_KINDS, "other"), "at"),
        "coalesce(score, 'nan'::DOUBLE) AS score",
    ),
    "follows": ("follower", "followee"),
    "interactions": ("user", "target", _code(INTERACTION_KINDS, "unknown"), "at", "weight"),
    "about": ("content", "topic"),
    "brand_accounts": ("brand_id", "user"),
    "brand_domains": ("brand_id", "topic"),
    "brand_mentions": ("brand", "user", "at"),
    "impressions": ("content", "user", "count"),
}

_SPACE: Final[Mapping[str, Space]] = {
    "user": "user",
    "target": "user",
    "via": "user",
    "follower": "user",
    "followee": "user",
    "content": "content",
    "parent": "content",
    "topic": "topic",
}

_ONLY_NAMED: Final = {("mentions", "content"), ("replies", "content")}
"""Columns that name a content without making it one."""


def project(con: duckdb.DuckDBPyConnection, batches: Sequence[tuple[BatchEntry, Path]]) -> Snapshot:
    """Return the snapshot of these batches.

    Parameters
    ----------
    con
        A fresh DuckDB connection; its catalogue is used as scratch space.
    batches
        Entries and folders of batches.
    """
    define(con, batches)
    resolve(con)
    merged(con, "users", _USER_COLUMNS, "users", where="user_no NOT IN (SELECT no FROM resolved)")
    merged(con, "content", _CONTENT_COLUMNS, "content", kept={"text": _TEXT_LENGTH})
    merged(con, "brands", ("brand_id", "name"), "brands")
    users, contents = _table(con, "users"), _table(con, "content")
    author = _resolved(con, contents["author_no"])
    events = {name: _numbers(con, name, columns) for name, columns in _READ.items()}
    numbers = _Numbers(con)
    numbers.mark("user", users["user_no"].to_numpy())
    numbers.mark("user", author)
    numbers.mark("content", contents["content_no"].to_numpy())
    for name, columns in events.items():
        for column in columns:
            if column in _SPACE and (name, column) not in _ONLY_NAMED:
                numbers.mark(_SPACE[column], columns[column])
    rank = {space: numbers.rank(space) for space in SPACES}
    brands = _table(con, "brands").sort_by("brand_id")
    _number_brands(con, events, brands["brand_id"].combine_chunks())
    groups = _number_groups(con, events)
    ranked = {
        name: {c: _ranked(v, rank, c) for c, v in columns.items()}
        for name, columns in events.items()
    }
    at_content = rank["content"][contents["content_no"].to_numpy()]
    authors = np.full(len(numbers.ids["content"]), -1, np.int32)
    authors[at_content] = _look_up(rank["user"], author)
    return finish(
        users=_aligned(users, "user", numbers.ids["user"], rank["user"]),
        contents=_aligned(contents, "content", numbers.ids["content"], rank["content"]),
        author=authors,
        brands=_with_nulls(brands, "brands"),
        topic_id=numbers.ids["topic"],
        groups=groups,
        events=ranked,
    )


class _Numbers:
    """Which numbers of each space are used, and their rank in the order of ids."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.ids: dict[Space, pa.StringArray] = {}
        self._keys: dict[Space, pa.Table] = {
            space: con.sql(f"SELECT no, id FROM keys_{space} ORDER BY no").to_arrow_table()
            for space in SPACES
        }
        self._used: dict[Space, npt.NDArray[np.bool_]] = {
            space: np.zeros(keys.num_rows, np.bool_) for space, keys in self._keys.items()
        }

    def mark(self, space: Space, numbers: npt.NDArray[Any]) -> None:
        """Note that these are used; -1 is none."""
        self._used[space][numbers[numbers >= 0]] = True

    def rank(self, space: Space) -> Ints:
        """Return the rank of each number among the used ids, -1 for the others."""
        used = np.flatnonzero(self._used[space])
        ids = self._keys[space]["id"].combine_chunks().take(pa.array(used))
        order = pc.array_sort_indices(ids).to_numpy()
        self.ids[space] = ids.take(pa.array(order))
        rank = np.full(len(self._used[space]), -1, np.int32)
        rank[used[order]] = np.arange(len(used), dtype=np.int32)
        return rank


def _table(con: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    return con.sql(f"SELECT * FROM {name}").to_arrow_table()


def _numbers(con: duckdb.DuckDBPyConnection, name: str, columns: tuple[str, ...]) -> Columns:
    chosen = ", ".join(c if " " in c else quoted(c) for c in columns)
    rows = con.sql(f"SELECT {chosen} FROM row_{name}").to_arrow_table()
    return {
        c: rows[c].to_numpy() if c != "brand_id" else np.asarray(rows[c].to_pylist(), object)
        for c in rows.column_names
    }


def _number_brands(
    con: duckdb.DuckDBPyConnection, events: dict[str, Columns], brand_ids: pa.StringArray
) -> None:
    """Put the brand's index, -1 for an undeclared one, in the place of its id or name."""
    for name in ("brand_accounts", "brand_domains"):
        given = pa.array(events[name].pop("brand_id").tolist(), pa.string())
        events[name]["brand"] = _index(given, brand_ids)
    names = con.sql("SELECT no, brand_id FROM brand_names").to_arrow_table()
    of_name = dict(
        zip(names["no"].to_pylist(), _index(names["brand_id"], brand_ids).tolist(), strict=True)
    )
    said = events["brand_mentions"]["brand"]
    distinct, back = np.unique(said, return_inverse=True)
    brands = np.array([of_name[no] for no in distinct.tolist()], np.int32)
    events["brand_mentions"]["brand"] = brands[back]


def _number_groups(con: duckdb.DuckDBPyConnection, events: dict[str, Columns]) -> pa.StringArray:
    """Part impressions of users from those of named communities; return the names, sorted."""
    rows = con.sql(
        'SELECT content, community, "count" FROM row_impressions'
        " WHERE user < 0 AND community <> ''"
    ).to_arrow_table()
    every = rows["community"].unique()
    names = every.take(pc.array_sort_indices(every))
    events["group_impressions"] = {
        "content": rows["content"].to_numpy(),
        "group": _index(rows["community"], names),
        "count": rows["count"].to_numpy(),
    }
    to_user = events["impressions"]["user"] >= 0
    events["impressions"] = {c: v[to_user] for c, v in events["impressions"].items()}
    return names


def _index(values: pa.Array | pa.ChunkedArray, ids: pa.StringArray) -> Ints:
    found = pc.fill_null(pc.index_in(values, ids), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False)).astype(np.int32)


def _resolved(con: duckdb.DuckDBPyConnection, numbers: pa.ChunkedArray) -> Ints:
    pairs = con.sql("SELECT no, to_no FROM resolved").to_arrow_table()
    values = np.asarray(pc.fill_null(numbers, -1).to_numpy()).astype(np.int32)
    if pairs.num_rows:
        at = _index(pa.array(values), pairs["no"].combine_chunks())
        to = pairs["to_no"].to_numpy()
        values = np.where(at >= 0, to[np.maximum(at, 0)], values).astype(np.int32)
    return values


def _ranked(values: npt.NDArray[Any], rank: Mapping[Space, Ints], column: str) -> npt.NDArray[Any]:
    return _look_up(rank[_SPACE[column]], values) if column in _SPACE else values


def _look_up(rank: Ints, numbers: npt.NDArray[Any]) -> Ints:
    if not len(rank):
        return np.full(len(numbers), -1, np.int32)
    return np.where(numbers >= 0, rank[np.maximum(numbers, 0)], np.int32(-1)).astype(np.int32)


def _aligned(rows: pa.Table, space: Space, ids: pa.StringArray, rank: Ints) -> pa.Table:
    """Return the row of each id, in the order of ids, nulls where it has none."""
    at = np.full(len(ids), -1, np.int64)
    at[rank[rows[f"{space}_no"].to_numpy()]] = np.arange(rows.num_rows)
    found = rows.drop_columns(f"{space}_no").take(pa.array(at, mask=at < 0))
    named = found.append_column(f"{space}_id", pa.chunked_array([ids]))
    return _with_nulls(named, "users" if space == "user" else "content")


def _with_nulls(rows: pa.Table, table: str) -> pa.Table:
    """Return the columns that are there with the types of the model."""
    chosen = [f for f in canonical(table).schema if f.name in rows.column_names]
    found = pa.table([rows[f.name].cast(f.type) for f in chosen], names=[f.name for f in chosen])
    if "text_length" in rows.column_names:
        found = found.append_column("text_length", rows["text_length"])
    return found
