"""From text to the columns of the model, as SQL of DuckDB: what a value becomes, or null.

A graph holds times as moments, as numbers of seconds, milli- or microseconds, or as text;
numbers as text; whole numbers as floats. A server hands all of them over as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from cypher.path import Property, Word
from engine.backends.neo4j.mapping import Part, Source
from engine.model import CANONICAL, COUNT, TEXT, TIME
from engine.model import Column as Declared

__all__ = ["LIST", "MACROS", "Column", "columns"]

LIST: Final = pa.list_(TEXT)

MACROS: Final = r"""
CREATE MACRO a_key(v) AS CASE
    WHEN v IS NULL OR trim(v) = '' THEN NULL
    WHEN left(v, 1) = '@' THEN lower(v)
    ELSE v END;
CREATE MACRO a_number(v) AS CASE
    WHEN isfinite(TRY_CAST(v AS DOUBLE)) AND TRY_CAST(v AS DOUBLE) >= 0
    THEN TRY_CAST(v AS DOUBLE) END;
CREATE MACRO a_number_in(v, low, high) AS CASE
    WHEN TRY_CAST(v AS DOUBLE) BETWEEN low AND high THEN TRY_CAST(v AS DOUBLE) END;
CREATE MACRO a_count(v) AS CASE
    WHEN regexp_full_match(v, '\d+') THEN TRY_CAST(v AS BIGINT)
    WHEN a_number(v) = floor(a_number(v)) AND a_number(v) < 9e15 THEN CAST(a_number(v) AS BIGINT)
    END;
CREATE MACRO a_label(kind, v) AS nullif(CASE kind
    WHEN 'hashtag' THEN lower(ltrim(trim(v), '#'))
    WHEN 'domain' THEN regexp_replace(lower(trim(v)), '^www\.|\.$', '', 'g')
    ELSE trim(v) END, '');
CREATE MACRO in_years(t) AS CASE
    WHEN t >= TIMESTAMPTZ '1971-01-01 00:00:00+00' AND t < TIMESTAMPTZ '2200-01-01 00:00:00+00'
    THEN t END;
CREATE MACRO of_seconds(n) AS CASE
    WHEN n >= 1e8 AND n < 1e10 THEN make_timestamptz(CAST(round(n * 1e6) AS BIGINT))
    WHEN n >= 1e11 AND n < 1e13 THEN make_timestamptz(CAST(round(n * 1e3) AS BIGINT))
    WHEN n >= 1e14 AND n < 1e16 THEN make_timestamptz(CAST(n AS BIGINT))
    WHEN n >= 1e17 AND n < 1e19 THEN make_timestamptz(CAST(n AS BIGINT) // 1000) END;
CREATE MACRO a_time(v) AS CASE
    WHEN TRY_CAST(v AS DECIMAL(38, 6)) IS NOT NULL THEN of_seconds(TRY_CAST(v AS DECIMAL(38, 6)))
    WHEN TRY_CAST(v AS DOUBLE) IS NOT NULL THEN of_seconds(TRY_CAST(v AS DOUBLE))
    WHEN regexp_matches(v, '^[A-Z][a-z]{2} [A-Z][a-z]{2} ')
    THEN TRY_STRPTIME(v, '%a %b %d %H:%M:%S %z %Y')
    ELSE in_years(TRY_CAST(regexp_replace(regexp_replace(v, '\[[^\]]*\]$', ''),
                                          '(\.\d{6})\d+', '\1') AS TIMESTAMPTZ)) END;
"""
"""What a piece of text says: null where it says nothing of the kind. Times without a zone
are UTC; numbers of seconds tell their unit by their size (1973 to 2286)."""

_OF_TYPE: Final[dict[pa.DataType, str]] = {
    TIME: "a_time({})",
    COUNT: "a_count({})",
    pa.float64(): "a_number({})",
    pa.bool_(): "TRY_CAST({} AS BOOLEAN)",
    TEXT: "nullif({}, '')",
    LIST: "{}",
}
_IDS: Final = frozenset({
    "user_id", "author_id", "target_id", "via_user_id", "follower_id", "followee_id",
    "content_id", "parent_content_id", "root_id", "value",
})  # fmt: skip
"""Columns that hold ids of users and contents: `platform:key`."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a canonical table as a path fills it.

    `sql` reads the text in the column of the same name, and takes `$platform`. A row whose
    `needed` column is null, or cannot be read where something stood, is left out; another
    value that cannot be read is `instead`, else unknown.
    """

    name: str
    type: pa.DataType
    sql: str
    source: Source
    needed: bool = False
    instead: str | None = None

    @property
    def read(self) -> bool:
        """Whether it is read from the graph, not a word of the mapping."""
        return isinstance(self.source.value, Property)

    @property
    def place(self) -> tuple[int, str]:
        """The element it is read from, and the property (the text of a word)."""
        value = self.source.value
        return self.source.place, value.name if isinstance(value, Property) else value.text


def columns(part: Part) -> tuple[Column, ...]:
    """Return the columns that a path fills.

    Examples
    --------
    >>> from engine.backends.neo4j.mapping import part
    >>> one = part("follows", "(:P {user_id: name})-[:KNOWS {at: since}]->(:P {user_id: name})")
    >>> [(c.name, c.sql, c.needed) for c in columns(one)][-1]
    ('at', 'a_time("at")', False)
    """
    declared = {c.name: c for c in CANONICAL[part.role.table].columns}
    ends = {column for column, _ in part.role.ends}
    return tuple(
        Column(
            source.column,
            declared[source.column].type,
            _sql(part, source, declared[source.column]),
            source,
            source.column in ends or source.column == "weight",
            part.role.words.get(source.column),
        )
        for source in part.sources
    )


def _sql(part: Part, source: Source, declared: Declared) -> str:
    column, table = source.column, part.role.table
    if isinstance(source.value, Word):
        return _word(source.value.text)
    if column == "label" and table == "topics":
        return f'a_label({_kind_of(part)}, "label")'
    if column == "brand_id":
        return "'brand:' || a_key(brand_id)"
    if column in _IDS:
        return f"$platform || ':' || a_key({column})"
    if column == "kind" and part.role.kinds:
        return f"CASE WHEN kind IN ({', '.join(map(_word, part.role.kinds))}) THEN kind END"
    if declared.within is not None:
        low, high = declared.within
        return f'a_number_in("{column}", {low}, {high})'
    return _OF_TYPE[declared.type].format(f'"{column}"')


def _kind_of(part: Part) -> str:
    """Return SQL for the kind of topic: a column of the path, or a word."""
    said = [s.value for s in part.sources if s.column == "kind"]
    return "kind" if isinstance(said[0], Property) else _word(said[0].text)


def _word(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
