"""From canonical tables to a `Snapshot`: resolve, number, clean of doubles, sort, fingerprint.

A store keeps its rows numbered already and calls `finish` with them; `assemble` numbers
tables that are in memory. Both give the same snapshot for the same rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.csr import Floats, Ints, Longs
from engine.merge import merged_sql
from engine.model import (
    CANONICAL,
    CONTENT_KINDS,
    INTERACTION_KINDS,
    REACTION_KINDS,
    SHARE_KINDS,
    TOPIC_KINDS,
)
from engine.snapshot import (
    NO_TIME,
    Brands,
    Contents,
    Follows,
    Impressions,
    Interactions,
    Mentions,
    Reactions,
    Replies,
    Shares,
    Snapshot,
    Topics,
    Users,
)

__all__ = ["Arrays", "assemble", "codes", "fingerprint", "finish", "resolve_handles", "times"]

Arrays = Mapping[str, npt.NDArray[Any]]
"""Columns of integers by name."""

_USER_COLUMNS = (
    ("users", "user_id"),
    ("content", "author_id"),
    ("shares", "user_id"),
    ("shares", "via_user_id"),
    ("mentions", "user_id"),
    ("mentions", "target_id"),
    ("replies", "user_id"),
    ("reactions", "user_id"),
    ("follows", "follower_id"),
    ("follows", "followee_id"),
    ("interactions", "user_id"),
    ("interactions", "target_id"),
    ("impressions", "user_id"),
)
_CONTENT_COLUMNS = (
    ("content", "content_id"),
    ("shares", "content_id"),
    ("replies", "parent_content_id"),
    ("reactions", "content_id"),
    ("topics", "content_id"),
    ("impressions", "content_id"),
)


def codes(values: pa.Array | pa.ChunkedArray, words: tuple[str, ...], other: str) -> Ints:
    """Return the index of each value in `words`, and that of `other` for all else and null."""
    found = pc.index_in(values, pa.array(words))
    return _numpy(pc.fill_null(found, words.index(other)), np.int32)


def times(values: pa.Array | pa.ChunkedArray) -> Longs:
    """Return microseconds since 1970 UTC, `NO_TIME` for null."""
    return _numpy(pc.fill_null(values.cast(pa.int64()), NO_TIME), np.int64)


def _numpy(values: pa.Array | pa.ChunkedArray, type: npt.DTypeLike) -> npt.NDArray[Any]:
    return np.asarray(values.to_numpy(zero_copy_only=False)).astype(type, copy=False)


def assemble(tables: Mapping[str, pa.Table]) -> Snapshot:
    """Return the snapshot of canonical tables. O(rows log rows).

    Parameters
    ----------
    tables
        Canonical tables by name (`engine.model.CANONICAL`); tables and optional columns
        may be missing, and things (users, content, brands) may have several rows.

    Examples
    --------
    >>> import pyarrow as pa
    >>> shares = pa.table({"user_id": ["x:b", "x:a"], "content_id": ["x:1", "x:1"]})
    >>> s = assemble({"shares": shares})
    >>> s.users.user_id.to_pylist(), s.shares.user.tolist()
    (['x:a', 'x:b'], [0, 1])
    """
    complete = {name: _complete(name, table) for name, table in tables.items()}
    for name in CANONICAL:
        complete.setdefault(name, CANONICAL[name].schema.empty_table())
    things = {n: _merge(n, complete[n]) for n in ("users", "content", "brands")}
    resolved = resolve_handles(things["users"])
    brand_ids = things["brands"]["brand_id"]
    aliases = complete["brand_members"].filter(pc.equal(complete["brand_members"]["kind"], "alias"))
    is_brand = pc.is_in(
        complete["mentions"]["target_id"],
        pa.concat_arrays([brand_ids.combine_chunks(), aliases["value"].combine_chunks()]),
    )
    brand_mentions = complete["mentions"].filter(is_brand)
    complete["mentions"] = complete["mentions"].filter(pc.invert(is_brand))
    accounts = complete["brand_members"].filter(
        pc.equal(complete["brand_members"]["kind"], "account")
    )
    domains = complete["brand_members"].filter(
        pc.equal(complete["brand_members"]["kind"], "domain")
    )

    def people(values: pa.ChunkedArray) -> pa.ChunkedArray:
        at = pc.index_in(values, resolved[0])
        return pc.if_else(pc.is_valid(at), pc.take(resolved[1], at), values)

    # Who was an author once, and is no longer, is named by nothing.
    names = [people((things if t in things else complete)[t][c]) for t, c in _USER_COLUMNS]
    names += [people(brand_mentions["user_id"]), people(accounts["value"])]
    user_id = _distinct(names)
    content_id = _distinct([complete[t][c] for t, c in _CONTENT_COLUMNS])
    topic_key = pc.binary_join_element_wise(
        complete["topics"]["kind"], complete["topics"]["label"], ":"
    )
    domain_key = pc.binary_join_element_wise("domain", domains["value"], ":")
    topic_id = _distinct([topic_key, domain_key])
    brand_key = _distinct([brand_ids])

    def user(values: pa.ChunkedArray) -> Ints:
        return _index(people(values), user_id)

    def content(values: pa.ChunkedArray) -> Ints:
        return _index(values, content_id)

    # Of brands that share an alias the first by id has it, whatever the order of rows.
    claims = zip(aliases["value"].to_pylist(), aliases["brand_id"].to_pylist(), strict=True)
    by_alias = dict(sorted(claims, reverse=True))
    targets = brand_mentions["target_id"].to_pylist()
    mentioned = pa.chunked_array([pa.array([by_alias.get(t, t) for t in targets], pa.string())])
    to_group = complete["impressions"].filter(pc.is_null(complete["impressions"]["user_id"]))
    to_group = to_group.filter(pc.not_equal(to_group["community"], ""))
    to_user = complete["impressions"].filter(pc.is_valid(complete["impressions"]["user_id"]))
    groups = _distinct([to_group["community"]])
    t = complete
    return finish(
        users=_rows_for(things["users"], "user_id", user_id),
        contents=_measured(_rows_for(things["content"], "content_id", content_id)),
        author=user(_rows_for(things["content"], "content_id", content_id)["author_id"]),
        brands=_rows_for(things["brands"], "brand_id", brand_key),
        topic_id=topic_id,
        groups=groups,
        events={
            "impressions": {
                "content": content(to_user["content_id"]),
                "user": user(to_user["user_id"]),
                "count": _numpy(to_user["count"], np.int64),
            },
            "group_impressions": {
                "content": content(to_group["content_id"]),
                "group": _index(to_group["community"], groups),
                "count": _numpy(to_group["count"], np.int64),
            },
            "shares": {
                "user": user(t["shares"]["user_id"]),
                "content": content(t["shares"]["content_id"]),
                "at": times(t["shares"]["at"]),
                "kind": codes(t["shares"]["kind"], SHARE_KINDS, "share"),
                "via": user(t["shares"]["via_user_id"]),
            },
            "mentions": {
                "user": user(t["mentions"]["user_id"]),
                "target": user(t["mentions"]["target_id"]),
                "at": times(t["mentions"]["at"]),
                "content": content(t["mentions"]["content_id"]),
            },
            "replies": {
                "user": user(t["replies"]["user_id"]),
                "parent": content(t["replies"]["parent_content_id"]),
                "at": times(t["replies"]["at"]),
                "content": content(t["replies"]["content_id"]),
            },
            "reactions": {
                "user": user(t["reactions"]["user_id"]),
                "content": content(t["reactions"]["content_id"]),
                "kind": codes(t["reactions"]["kind"], REACTION_KINDS, "other"),
                "at": times(t["reactions"]["at"]),
                "score": _numbers(t["reactions"]["score"]),
            },
            "follows": {
                "follower": user(t["follows"]["follower_id"]),
                "followee": user(t["follows"]["followee_id"]),
            },
            "interactions": {
                "user": user(t["interactions"]["user_id"]),
                "target": user(t["interactions"]["target_id"]),
                "kind": codes(t["interactions"]["kind"], INTERACTION_KINDS, "unknown"),
                "at": times(t["interactions"]["at"]),
                "weight": _numpy(pc.fill_null(t["interactions"]["weight"], 1.0), np.float64),
            },
            "about": {
                "content": content(t["topics"]["content_id"]),
                "topic": _index(topic_key, topic_id),
            },
            "brand_accounts": {
                "brand": _index(accounts["brand_id"], brand_key),
                "user": user(accounts["value"]),
            },
            "brand_domains": {
                "brand": _index(domains["brand_id"], brand_key),
                "topic": _index(domain_key, topic_id),
            },
            "brand_mentions": {
                "brand": _index(mentioned, brand_key),
                "user": user(brand_mentions["user_id"]),
                "at": times(brand_mentions["at"]),
            },
        },
    )


def _measured(contents: pa.Table) -> pa.Table:
    """Put the length of the text in the place of the text."""
    return contents.append_column("text_length", pc.utf8_length(contents["text"]))


def _complete(name: str, table: pa.Table) -> pa.Table:
    columns = [
        table[c.name].cast(c.type)
        if c.name in table.column_names
        else pa.chunked_array([pa.nulls(table.num_rows, c.type)])
        for c in CANONICAL[name].columns
    ]
    return pa.table(columns, names=[c.name for c in CANONICAL[name].columns])


def _merge(name: str, rows: pa.Table) -> pa.Table:
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        db.register("rows", rows)
        merged = db.sql(merged_sql(CANONICAL[name], "rows")).to_arrow_table()
    return merged.select(CANONICAL[name].schema.names).cast(
        pa.schema([f.with_nullable(True) for f in CANONICAL[name].schema])
    )


def resolve_handles(users: pa.Table) -> tuple[pa.Array, pa.Array]:
    """Return `platform:@handle` ids and the one id that claims each handle.

    `users` has the columns `user_id` and `handle`, one row a user.
    """
    with duckdb.connect() as db:
        db.register("users", users)
        found = db.sql(
            """
            SELECT platform || ':@' || lower(handle) AS named, min(user_id) AS user_id
            FROM (SELECT user_id, handle, split_part(user_id, ':', 1) AS platform FROM users)
            WHERE handle IS NOT NULL AND user_id NOT LIKE platform || ':@%'
            GROUP BY ALL HAVING count(DISTINCT user_id) = 1 ORDER BY named
            """
        ).to_arrow_table()
    return found["named"].combine_chunks(), found["user_id"].combine_chunks()


def _distinct(columns: list[pa.ChunkedArray]) -> pa.StringArray:
    chunks = [c.cast(pa.string()) for column in columns for c in pa.chunked_array(column).chunks]
    every = pa.chunked_array(chunks, pa.string()).unique().drop_null()
    return every.take(pc.array_sort_indices(every))


def _index(values: pa.ChunkedArray, ids: pa.StringArray) -> Ints:
    return _numpy(pc.fill_null(pc.index_in(values, ids), -1), np.int32)


def _rows_for(table: pa.Table, key: str, ids: pa.StringArray) -> pa.Table:
    """Return the table's row of each id, in the order of `ids`, nulls where it has none."""
    at = pc.index_in(ids, table[key].combine_chunks())
    return table.take(at).set_column(table.schema.get_field_index(key), key, ids)


_ORDER: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # events: sorted by these columns, which make a row the same row; of rows that agree on
    # them, the one with the greatest value of the others stays.
    "shares": (("content", "at", "user", "kind"), ("via",)),
    "mentions": (("user", "target", "at", "content"), ()),
    "replies": (("user", "parent", "at"), ("content",)),
    "reactions": (("user", "content", "kind"), ("at", "score")),
    "follows": (("follower", "followee"), ()),
    "interactions": (("user", "target", "kind", "at"), ("weight",)),
    "about": (("content", "topic"), ()),
    "brand_accounts": (("brand", "user"), ()),
    "brand_domains": (("brand", "topic"), ()),
    "brand_mentions": (("brand", "user", "at"), ()),
    "impressions": (("content", "user"), ("count",)),
    "group_impressions": (("content", "group"), ("count",)),
}


def finish(
    *,
    users: pa.Table,
    contents: pa.Table,
    author: Ints,
    brands: pa.Table,
    topic_id: pa.StringArray,
    groups: pa.StringArray,
    events: Mapping[str, Arrays],
) -> Snapshot:
    """Sort numbered rows, drop doubles, and return the snapshot with its fingerprint.

    Parameters
    ----------
    users, contents, brands
        One row a thing, sorted by id, with the canonical columns; of contents with
        `text_length`, characters, in the place of the text.
    author
        User of each content, -1 unknown.
    topic_id
        `kind:label`, sorted.
    groups
        Communities as impression exports name them, sorted.
    events
        By table (`shares mentions replies reactions follows interactions about
        brand_accounts brand_domains brand_mentions impressions group_impressions`), columns
        of numbers in any order.
    """
    rows = {name: _sorted(name, events[name]) for name in _ORDER}
    platform = pc.fill_null(pc.coalesce(users["platform"], _prefix(users["user_id"])), "unknown")
    content_platform = pc.coalesce(contents["platform"], _prefix(contents["content_id"]))
    platforms = _distinct([platform, content_platform])
    kind, label = _split_topics(topic_id)
    s, i = rows["shares"], rows["interactions"]
    found = Snapshot(
        fingerprint="",
        platforms=tuple(platforms.to_pylist()),
        users=Users(
            user_id=_one(users["user_id"]),
            platform=_index(platform, platforms),
            handle=_one(users["handle"]),
            name=_one(users["name"]),
            followers_count=_counts(users["followers_count"]),
            labels=_one(users["labels"]),
            is_bot=_yes_no(users["is_bot"]),
        ),
        contents=Contents(
            content_id=_one(contents["content_id"]),
            platform=_index(content_platform, platforms),
            author=author,
            created_at=times(contents["created_at"]),
            kind=_codes_or_unknown(contents["kind"], CONTENT_KINDS),
            text_length=_numpy(pc.fill_null(contents["text_length"], -1), np.int32),
            impressions_count=_counts(contents["impressions_count"]),
            likes_count=_counts(contents["likes_count"]),
            clicks_count=_counts(contents["clicks_count"]),
            stance=_numbers(contents["stance"]),
            emotion=_numbers(contents["emotion"]),
            is_promotion=_yes_no(contents["is_promotion"]),
            posted=np.ones(len(author), np.bool_),
        ),
        topics=Topics(
            topic_id=topic_id,
            kind=codes(kind, TOPIC_KINDS, "hashtag").astype(np.int8),
            label=_one(label),
            content=rows["about"]["content"],
            topic=rows["about"]["topic"],
        ),
        brands=Brands(
            brand_id=_one(brands["brand_id"]),
            name=_one(brands["name"]),
            account_brand=rows["brand_accounts"]["brand"],
            account_user=rows["brand_accounts"]["user"],
            domain_brand=rows["brand_domains"]["brand"],
            domain_topic=rows["brand_domains"]["topic"],
            mention_brand=rows["brand_mentions"]["brand"],
            mention_user=rows["brand_mentions"]["user"],
            mention_at=rows["brand_mentions"]["at"],
        ),
        shares=Shares(s["user"], s["content"], s["at"], s["kind"].astype(np.int8), s["via"]),
        mentions=Mentions(
            rows["mentions"]["user"], rows["mentions"]["target"], rows["mentions"]["at"]
        ),
        replies=Replies(
            rows["replies"]["user"],
            rows["replies"]["parent"],
            rows["replies"]["at"],
            rows["replies"]["content"],
        ),
        reactions=Reactions(
            rows["reactions"]["user"],
            rows["reactions"]["content"],
            rows["reactions"]["kind"].astype(np.int8),
            rows["reactions"]["at"],
            rows["reactions"]["score"],
        ),
        follows=Follows(rows["follows"]["follower"], rows["follows"]["followee"]),
        interactions=Interactions(
            i["user"], i["target"], i["kind"].astype(np.int8), i["at"], i["weight"]
        ),
        impressions=Impressions(
            content=rows["impressions"]["content"],
            user=rows["impressions"]["user"],
            count=rows["impressions"]["count"],
            group_name=groups,
            group_content=rows["group_impressions"]["content"],
            group=rows["group_impressions"]["group"],
            group_count=rows["group_impressions"]["count"],
        ),
    )
    object.__setattr__(found, "fingerprint", fingerprint(found))
    return found


def _sorted(name: str, columns: Arrays) -> dict[str, npt.NDArray[Any]]:
    key, others = _ORDER[name]
    table = pa.table(dict(columns))
    order = pc.sort_indices(
        table, sort_keys=[(k, "ascending") for k in key] + [(o, "descending") for o in others]
    )
    at = order.to_numpy()
    sorted_ = {c: np.asarray(columns[c])[at] for c in (*key, *others)}
    fresh = np.ones(len(at), np.bool_)
    if len(at) > 1:
        same = np.ones(len(at) - 1, np.bool_)
        for k in key:
            same &= sorted_[k][1:] == sorted_[k][:-1]
        fresh[1:] = ~same
    return {c: np.ascontiguousarray(v[fresh]) for c, v in sorted_.items()}


def _counts(values: pa.Array | pa.ChunkedArray) -> Longs:
    """Return whole numbers, -1 for null."""
    return _numpy(pc.fill_null(values, -1), np.int64)


def _numbers(values: pa.Array | pa.ChunkedArray) -> Floats:
    """Return numbers, NaN for null."""
    return _numpy(pc.fill_null(values, np.nan), np.float64)


def _yes_no(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int8]:
    """Return 1 for true, 0 for false, -1 for null."""
    return _numpy(pc.fill_null(values.cast(pa.int8()), -1), np.int8)


def _codes_or_unknown(
    values: pa.Array | pa.ChunkedArray, words: tuple[str, ...]
) -> npt.NDArray[np.int8]:
    """Return the index of each value in `words`, -1 for all else and null."""
    return _numpy(pc.fill_null(pc.index_in(values, pa.array(words)), -1), np.int8)


def _one(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _prefix(ids: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.struct_field(pc.extract_regex(ids, r"^(?P<platform>[^:]*):"), "platform")


def _split_topics(topic_id: pa.StringArray) -> tuple[pa.Array, pa.Array]:
    parts = pc.extract_regex(topic_id, r"(?s)^(?P<kind>[^:]*):(?P<label>.*)$")
    return pc.struct_field(parts, "kind"), pc.struct_field(parts, "label")


def fingerprint(snapshot: Snapshot) -> str:
    """Hash what a snapshot says, so that the same rows give the same word in any order.

    One pass over all columns, about a second a gigabyte.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in _parts(snapshot):
        digest.update(part)
    return digest.hexdigest()


def _parts(value: object) -> Iterator[bytes]:
    if is_dataclass(value):
        for f in fields(value):
            if f.name != "fingerprint":
                yield f.name.encode()
                yield from _parts(getattr(value, f.name))
    elif isinstance(value, np.ndarray):
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, pa.Array):
        # The buffers of equal arrays may differ in offset and padding; their IPC body does not
        # once they were rebuilt from their values.
        plain = pc.take(value, pa.array(np.arange(len(value))))
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, pa.schema([pa.field("v", value.type)])) as stream:
            stream.write_batch(pa.record_batch([plain], names=["v"]))
        yield sink.getvalue().to_pybytes()
    else:
        yield repr(value).encode()
