"""Data without names: every account and content under a pseudonym, the same one everywhere.

A pseudonym is a hash with a key that is thrown away, so that who has the file cannot turn it
round, nor try names. Texts give way to placeholders of the same length, names and handles to
nothing. What stays are times, counts, account labels, hashtags, domains and brands: whoever has
the original data can still recognise an account by what it did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from engine.assemble import resolve_handles
from engine.merge import merged_sql
from engine.model import CANONICAL, TEXT

__all__ = ["Pseudonyms", "hushed", "merged"]

Tables = Mapping[str, pa.Table]

_PEOPLE: Final = (
    *(("users", "user_id"), ("content", "author_id"), ("impressions", "user_id")),
    *(("shares", "user_id"), ("shares", "via_user_id")),
    *(("mentions", "user_id"), ("replies", "user_id"), ("reactions", "user_id")),
    *(("follows", "follower_id"), ("follows", "followee_id")),
    *(("interactions", "user_id"), ("interactions", "target_id")),
)
_CONTENTS: Final = (
    *(("content", "content_id"), ("content", "root_id"), ("shares", "content_id")),
    *(("mentions", "content_id"), ("replies", "content_id"), ("replies", "parent_content_id")),
    *(("reactions", "content_id"), ("topics", "content_id"), ("impressions", "content_id")),
)
_ADDRESS: Final = (
    r"(?s)^(?P<scheme>(?:[a-zA-Z][a-zA-Z0-9+.-]*://)?)(?:[^/?#@]*@)?(?P<host>[^/?#@]*)"
)
_NAMES: Final = (("users", "handle"), ("users", "name"), ("content", "url"))


def merged(tables: Tables) -> dict[str, pa.Table]:
    """Return canonical tables with all their columns, and one row of each thing.

    A store merges what several exports say of a user, content or brand; so is it here.
    """
    found = {}
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        for name, rows in tables.items():
            declared = CANONICAL[name]
            schema = pa.schema([f.with_nullable(True) for f in declared.schema])
            columns = [
                rows[f.name].cast(f.type)
                if f.name in rows.column_names
                else pa.nulls(rows.num_rows, f.type)
                for f in schema
            ]
            complete = pa.table(columns, schema=schema)
            if declared.merges:
                db.register("rows_of", complete)
                complete = db.sql(merged_sql(declared, "rows_of")).to_arrow_table()
                complete = complete.select(schema.names).cast(schema)
                complete = complete.sort_by([(declared.key[0], "ascending")])
            found[name] = complete
    return found


def hushed(tables: Tables) -> dict[str, pa.Table]:
    """Return merged tables with a placeholder of the same length in the place of each text.

    Examples
    --------
    >>> content = pa.table({"content_id": ["x:1"], "text": ["Grüße"]})
    >>> hushed({"content": content})["content"]["text"].to_pylist()
    ['.....']
    """
    found = dict(tables)
    if "content" in found:
        text = found["content"]["text"]
        found["content"] = _put(
            found["content"], "text", pc.binary_repeat(pa.scalar("."), pc.utf8_length(text))
        )
    return found


class Pseudonyms:
    """Pseudonyms under one key, for the accounts and contents of some data.

    Parameters
    ----------
    tables
        The data, as `merged` returns them: accounts that go by a handle in one place and by an
        id in another are one.
    key
        Up to 64 bytes. Kept by nobody, the pseudonyms cannot be turned round.

    Examples
    --------
    >>> users = merged({"users": pa.table({"user_id": ["x:1"], "handle": ["Ann"]})})
    >>> given = Pseudonyms(users, b"secret")
    >>> one, other = given.people(pa.chunked_array([["x:1", "x:@ann"]])).to_pylist()
    >>> one == other, one[:2], len(one)
    (True, 'x:', 22)
    """

    def __init__(self, tables: Tables, key: bytes) -> None:
        empty = CANONICAL["users"].schema.empty_table()
        self._claims = resolve_handles(tables.get("users", empty).select(["user_id", "handle"]))
        self._key = key

    def people(self, ids: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return the pseudonym of each account id: `platform:hash`."""
        named, user_id = self._claims
        at = pc.index_in(ids, named)
        known = pc.if_else(pc.is_valid(at), pc.take(user_id, at), ids)
        return self._each(known, b"user")

    def contents(self, ids: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return the pseudonym of each content id."""
        return self._each(ids, b"content")

    def of(self, tables: Tables) -> dict[str, pa.Table]:
        """Return merged tables under pseudonyms, texts hushed."""
        found = hushed(tables)
        for room, turned in ((_PEOPLE, self.people), (_CONTENTS, self.contents)):
            for name, column in room:
                if name in found:
                    found[name] = _put(found[name], column, turned(found[name][column]))
        for name, column in _NAMES:
            if name in found:
                nothing = pa.nulls(found[name].num_rows, TEXT)
                found[name] = _put(found[name], column, nothing)
        if "topics" in found:
            found["topics"] = _put(found["topics"], "label", self._labels(found["topics"]))
        if "brand_members" in found:
            rows = found["brand_members"]
            account = pc.equal(rows["kind"], "account")
            value = pc.if_else(account, self.people(rows["value"]), rows["value"])
            found["brand_members"] = _put(rows, "value", value)
        if "mentions" in found:
            found["mentions"] = self._targets(found["mentions"], found)
        return found

    def _targets(self, mentions: pa.Table, tables: Tables) -> pa.Table:
        """Rename the users who are mentioned; brands and their aliases stay."""
        brands = [rows["brand_id"] for name, rows in tables.items() if name == "brands"]
        if "brand_members" in tables:
            members = tables["brand_members"]
            brands.append(members.filter(pc.equal(members["kind"], "alias"))["value"])
        chunks = [chunk for column in brands for chunk in column.chunks]
        target = mentions["target_id"]
        is_brand = pc.is_in(target, pa.chunked_array(chunks, TEXT).combine_chunks())
        return _put(mentions, "target_id", pc.if_else(is_brand, target, self.people(target)))

    def _labels(self, topics: pa.Table) -> pa.ChunkedArray:
        """Rename what an address names beside its host, and images."""
        kind, label = topics["kind"], topics["label"]
        parts = pc.extract_regex(label, _ADDRESS)
        host = pc.binary_join_element_wise(
            *(pc.coalesce(pc.struct_field(parts, name), "") for name in ("scheme", "host")), ""
        )
        hashed = self._hash(label, b"label")
        address = pc.binary_join_element_wise(host, hashed, "/")
        found = pc.if_else(pc.equal(kind, "url"), address, label)
        return pc.if_else(pc.equal(kind, "image"), hashed, found)

    def _each(self, ids: pa.ChunkedArray, room: bytes) -> pa.ChunkedArray:
        platform = pc.struct_field(pc.extract_regex(ids, r"(?s)^(?P<platform>[^:]*):"), "platform")
        hashed = self._hash(ids, room)
        with_platform = pc.binary_join_element_wise(platform, hashed, ":")
        return pc.coalesce(with_platform, hashed)

    def _hash(self, values: pa.ChunkedArray, room: bytes) -> pa.ChunkedArray:
        """Hash each distinct value once; null stays null."""
        coded = pa.chunked_array(values).combine_chunks().dictionary_encode()
        words = [
            hashlib.blake2b(word.encode(), digest_size=10, key=self._key, person=room).hexdigest()
            for word in coded.dictionary.to_pylist()
        ]
        index = coded.indices
        return pa.chunked_array([pa.array(words, TEXT).take(index)])


def _put(rows: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    place = rows.schema.get_field_index(name)
    return rows.set_column(place, rows.schema.field(name), values)
