"""From somebody's own graph to canonical tables: what a mapping's paths hold, as columns.

A server hands over text; DuckDB makes ids, times and numbers of it, a record of some twenty
thousand rows at a time. A row without the ids it needs is left out, a value that cannot be
what it should is unknown; both are counted, with an example.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import duckdb
import pyarrow as pa

import cypher
from cypher.path import Path
from engine.backends.neo4j.adopted_values import LIST, MACROS, Column, columns
from engine.backends.neo4j.adoption import Adoption
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.mapping import Part
from engine.progress import Progress

__all__ = ["Odd", "PartRows", "read_at", "read_part", "read_tables"]

_ROWS: Final = 20_000
"""Rows of a record, about."""
_NODES: Final = 2_000
"""Nodes that the first record begins at; then as many as make a record of a good size."""
_MOST: Final = 50_000
"""Nodes that a record begins at, at most."""


_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Odd:
    """Values of a property that cannot be what they should: how many, and one of them."""

    count: int
    example: str

    def __add__(self, other: Odd) -> Odd:
        return Odd(self.count + other.count, min(self.example, other.example))


@dataclass(slots=True)
class PartRows:
    """What a path gave: rows of a canonical table, and what could not be read."""

    part: Part
    table: pa.Table
    example: dict[str, str | None]
    """Text of each property in the first row by its ends' keys; empty where there is none."""
    filled: dict[str, int] = field(default_factory=dict)
    """Rows that hold something, by column."""
    left_out: int = 0
    odd: dict[str, Odd] = field(default_factory=dict)
    """By column."""
    acts: set[str] = field(default_factory=set)
    """Ids of what stands between a user and what was shared: no contents, but the shares."""


def read_tables(
    link: Link, adoption: Adoption, progress: Progress
) -> tuple[dict[str, pa.Table], list[PartRows]]:
    """Return the canonical tables of a graph, and what each path gave.

    Reads all of it once, in transactions of about twenty thousand rows: what other people
    write meanwhile may be in it or not.
    """
    found = [read_part(link, one, adoption, progress) for one in adoption.parts]
    acts = set[str]().union(*(one.acts for one in found))
    tables: dict[str, pa.Table] = {}
    for one in found:
        name = one.part.role.table
        rows = _without(one.table, acts) if name == "content" else one.table
        tables[name] = (
            pa.concat_tables([tables[name], rows], promote_options="default")
            if name in tables
            else rows
        )
    return tables, found


def _without(content: pa.Table, acts: set[str]) -> pa.Table:
    if not acts:
        return content
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        db.register("content", content)
        db.register("acts", pa.table({"content_id": pa.array(sorted(acts), pa.string())}))
        return db.sql("FROM content ANTI JOIN acts USING (content_id)").to_arrow_table()


def read_part(link: Link, part: Part, adoption: Adoption, progress: Progress) -> PartRows:
    """Return the rows of one path. Cost: one pass over the path on the server."""
    wanted = f"to read {part}"
    starts_text = cypher.statement("adopted_starts", "neo4j").named(start=Path(part.path.first))
    starts = sorted(link.read(starts_text, wanted=wanted).columns["node"])
    text = cypher.statement("adopted_rows", "neo4j").named(path=part.path)
    at, size = 0, _NODES
    with _Maker(part, adoption) as maker:
        while at < len(starts):
            progress(f"reading {part.role.name}", at, len(starts))
            given = {"starts": starts[at : at + size], "columns": maker.places}
            rows = link.read(text, given, wanted=wanted).one("rows")
            if rows:
                maker.take(rows)
            at += size
            size = max(1, min(_MOST, 4 * size, size * _ROWS // max(len(rows), 1)))
        return maker.made()


def read_at(link: Link, part: Part, adoption: Adoption, end: int, ids: Iterable[str]) -> pa.Table:
    """Return the rows of a path whose first (0) or last (1) node has one of these ids.

    Costs an index look-up an id where the key is indexed, else a scan of the label.
    """
    name = "adopted_to" if end else "adopted_from"
    text = cypher.statement(name, "neo4j").named(path=part.path, key=part.key(end).property)
    with _Maker(part, adoption) as maker:
        given = {"keys": list(_keys(ids, f"{adoption.platform}:")), "columns": maker.places}
        rows = link.read(text, given).one("rows")
        if rows:
            maker.take(rows)
        return maker.made().table


def _keys(ids: Iterable[str], prefix: str) -> Iterator[str | int]:
    """Yield what the key of an id may be on their side: text, or a whole number."""
    for one in ids:
        key = one.removeprefix(prefix)
        if key != one:
            yield key
            if _WHOLE.fullmatch(key) and abs(int(key)) < 2**63:
                yield int(key)


def _acts(part: Part, adoption: Adoption) -> Iterator[tuple[int, str]]:
    """Yield place and key of each node that is a content, and here the act of sharing one."""
    if part.role.name != "shares" or any(
        s.column == "kind" and str(s.value) != "'share'" for s in part.sources
    ):
        return
    contents = {key.labels: key.property for key in adoption.keys("content")}
    for place, node in enumerate(part.path.nodes[1:-1], 1):
        if node.names in contents:
            yield place, contents[node.names]


class _Maker:
    """Makes canonical rows of one path's text, record by record."""

    def __init__(self, part: Part, adoption: Adoption) -> None:
        self._columns = columns(part)
        self._read = [c for c in self._columns if c.read]
        acts = list(_acts(part, adoption))
        self._acts = [f"act_{number}" for number in range(len(acts))]
        self.places = [*(c.place for c in self._read), *acts]
        self._given = {"platform": adoption.platform}
        self._found = PartRows(part, pa.table({}), {})
        self._tables: list[pa.Table] = []
        self._db = duckdb.connect()
        self._db.execute("SET TimeZone = 'UTC'")
        self._db.execute(MACROS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def take(self, rows: Sequence[Sequence[Any]]) -> None:
        """Convert one record."""
        names = [*(c.name for c in self._read), *self._acts]
        types = {c.name: c.type for c in self._read}
        by_column = dict(zip(names, zip(*rows, strict=True), strict=True))
        raw = pa.table({n: _text(v, types.get(n)) for n, v in by_column.items()})
        self._show(raw.select([n for n in types if types[n] != LIST]))
        self._db.register("raw", raw)
        kept = ", ".join(f'"{c.name}" AS "raw_{c.name}"' for c in self._read)
        made = ", ".join(f'{c.sql} AS "{c.name}"' for c in self._columns)
        sql = f"CREATE OR REPLACE TEMP TABLE made AS SELECT {kept}, {made} FROM raw"
        self._db.execute(sql, self._given if "$platform" in sql else {})
        whole = " AND ".join(map(_is_whole, self._columns))
        self._tally(whole)
        chosen = ", ".join(map(_or_instead, self._columns))
        self._tables.append(self._run(f"SELECT {chosen} FROM made WHERE {whole}"))
        for act in self._acts:
            ids = self._run(f"SELECT DISTINCT $platform || ':' || a_key({act}) AS id FROM raw")
            self._found.acts.update(ids["id"].drop_null().to_pylist())

    def _show(self, raw: pa.Table) -> None:
        """Keep the first row as the example, whatever order the server tells rows in."""
        first = raw.sort_by([(name, "ascending") for name in raw.column_names]).slice(0, 1)
        (row,) = first.to_pylist()
        before = self._found.example
        if not before or _rank(row) < _rank(before):
            self._found.example = row

    def made(self) -> PartRows:
        """Return all rows and what was counted."""
        schema = pa.schema([(c.name, c.type) for c in self._columns])
        self._found.table = (
            pa.concat_tables(self._tables).cast(schema) if self._tables else schema.empty_table()
        )
        return self._found

    def _run(self, sql: str) -> pa.Table:
        given = self._given if "$platform" in sql else {}
        return self._db.sql(sql, params=given).to_arrow_table()

    def _tally(self, whole: str) -> None:
        looked = [c for c in self._read if c.type != LIST]
        odd = '"raw_{0}" <> \'\' AND "{0}" IS NULL'
        figures = ", ".join(
            f'count("raw_{c.name}"), count(*) FILTER ({odd.format(c.name)}),'
            f' min("raw_{c.name}") FILTER ({odd.format(c.name)})'
            for c in looked
        )
        left_out = f"count(*) FILTER (NOT ({whole}))"
        (row,) = self._db.execute(f"SELECT {left_out}, {figures} FROM made").fetchall()
        self._found.left_out += row[0]
        for at, column in enumerate(looked):
            filled, odd_count, example = row[1 + 3 * at : 4 + 3 * at]
            name = column.name
            self._found.filled[name] = self._found.filled.get(name, 0) + filled
            if odd_count:
                before = self._found.odd.get(name, Odd(0, example))
                self._found.odd[name] = before + Odd(odd_count, example)


def _rank(row: Mapping[str, str | None]) -> list[tuple[bool, str]]:
    return [(value is None, value or "") for value in row.values()]


def _is_whole(column: Column) -> str:
    if not column.needed:
        return "true"
    there = f'"{column.name}" IS NOT NULL'
    # A weight that nobody wrote is 1; one that cannot be read is not.
    return f"({there} OR raw_weight IS NULL)" if column.name == "weight" else there


def _or_instead(column: Column) -> str:
    if column.instead is None:
        return f'"{column.name}"'
    return f'coalesce("{column.name}", \'{column.instead}\') AS "{column.name}"'


def _text(values: Sequence[Any], type: pa.DataType | None) -> pa.Array:
    """Return what a server handed over as text, or as lists of text."""
    if type == LIST:
        lists = [[v] if isinstance(v, str) else v for v in values]
        return pa.array(lists, LIST)
    plain = [str(v) if isinstance(v, list) else v for v in values]
    return pa.array(plain, pa.string())
