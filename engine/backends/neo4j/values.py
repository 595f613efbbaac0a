"""Values of a server as Arrow columns: types that are declared where they are, else met.

A node becomes a struct of `_ID`, `_LABEL` and its properties; a relationship one of `_SRC`,
`_DST`, `_LABEL`, `_ID` and its properties; a path one of `_NODES` and `_RELS`; a point one
of its coordinates; a duration its ISO 8601 text, since months have no length. Times are UTC.
Fields are in the order of their names: a server keeps none.
Where the values of a column, or of a field inside it, are of several types, each is its JSON
text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import Any, Final

import neo4j.graph
import neo4j.spatial
import neo4j.time
import orjson
import pyarrow as pa

from engine.model import TIME

__all__ = ["column"]

_JSON: Final = pa.large_string()
"""Stands for the type of what is told as JSON text, while types are worked out."""
_MOST_FIELDS: Final = 200
"""Fields of a struct, at most: a map by id has as many as there are ids."""
_SCALARS: Final[Mapping[type, pa.DataType]] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
}


def column(values: Sequence[Any], declared: pa.DataType | None) -> pa.Array:
    """Return values of one column.

    Parameters
    ----------
    values
        As the driver gives them.
    declared
        Its type, where no value says it; a value of another type goes before.

    Examples
    --------
    >>> column([1, None], None).type, column([None], TIME).type, column([None], None).type
    (DataType(int64), TimestampType(timestamp[us, tz=UTC]), DataType(string))
    >>> column([1, "a"], None).to_pylist()
    ['1', '"a"']
    """
    plain = [_plain(value) for value in values]
    found = reduce(_joined, map(_type, plain), pa.null())
    if declared is not None and _joined(found, declared) == declared:
        found = declared
    if _has(found, _JSON):
        plain = [_fitted(value, found) for value in plain]
    return pa.array(plain, _settled(found))


def _plain(value: Any) -> Any:
    """Return what Arrow and JSON know in the place of the driver's own kinds."""
    if value is None or type(value) in _SCALARS:
        return value
    if isinstance(value, neo4j.graph.Node):
        said = ":".join(sorted(value.labels))
        return {"_ID": value.element_id, "_LABEL": said, **_properties(value)}
    if isinstance(value, neo4j.graph.Relationship):
        ends = [None if n is None else n.element_id for n in (value.start_node, value.end_node)]
        return {
            "_SRC": ends[0], "_DST": ends[1], "_LABEL": value.type, "_ID": value.element_id,
            **_properties(value),
        }  # fmt: skip
    if isinstance(value, neo4j.graph.Path):
        parts = {"_NODES": value.nodes, "_RELS": value.relationships}
        return {name: [_plain(one) for one in some] for name, some in parts.items()}
    if isinstance(value, neo4j.time.DateTime):
        native = value.to_native()
        return native if native.tzinfo is None else native.astimezone(UTC)
    if isinstance(value, neo4j.time.Date):
        return value.to_native()
    if isinstance(value, neo4j.time.Time):
        return value.iso_format() if value.tzinfo is not None else value.to_native()
    if isinstance(value, neo4j.time.Duration):
        return value.iso_format()
    if isinstance(value, neo4j.spatial.Point):
        return {"srid": value.srid, **dict(zip("xyz", map(float, value), strict=False))}
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in sorted(value.items())}
    return [_plain(one) for one in value]


def _properties(entity: neo4j.graph.Entity) -> dict[str, Any]:
    return {name: _plain(value) for name, value in sorted(entity.items())}


def _type(value: Any) -> pa.DataType:
    if value is None:
        return pa.null()
    if type(value) in _SCALARS:
        return _SCALARS[type(value)]
    if isinstance(value, list):
        return pa.list_(_common(value))
    if isinstance(value, dict):
        fields = [(name, _type(one)) for name, one in value.items()]
        return pa.struct(fields) if len(fields) <= _MOST_FIELDS else _JSON
    if isinstance(value, datetime):
        return TIME if value.tzinfo is not None else pa.timestamp("us")
    return pa.scalar(value).type


def _common(values: Iterable[Any]) -> pa.DataType:
    return reduce(_joined, map(_type, values), pa.null())


def _joined(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """Return the type that holds the values of both."""
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if {one, other} == {pa.int64(), pa.float64()}:
        return pa.float64()
    if pa.types.is_list(one) and pa.types.is_list(other):
        return pa.list_(_joined(one.value_type, other.value_type))
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        fields = {f.name: f.type for f in one}
        for f in other:
            fields[f.name] = _joined(fields.get(f.name, pa.null()), f.type)
        return pa.struct(list(fields.items())) if len(fields) <= _MOST_FIELDS else _JSON
    return _JSON


def _has(found: pa.DataType, part: pa.DataType) -> bool:
    inner = [found.field(i).type for i in range(found.num_fields)]
    return found == part or any(_has(one, part) for one in inner)


def _fitted(value: Any, wanted: pa.DataType) -> Any:
    """Return the value with JSON text where its type says so."""
    if value is None:
        return None
    if wanted == _JSON:
        return orjson.dumps(value, default=bytes.hex).decode()
    if pa.types.is_list(wanted):
        return [_fitted(one, wanted.value_type) for one in value]
    if pa.types.is_struct(wanted):
        return {f.name: _fitted(value.get(f.name), f.type) for f in wanted}
    return value


def _settled(found: pa.DataType) -> pa.DataType:
    """Return the type with text where nothing is known, and for JSON."""
    if pa.types.is_null(found) or found == _JSON:
        return pa.string()
    if pa.types.is_list(found):
        return pa.list_(_settled(found.value_type))
    if pa.types.is_struct(found):
        return pa.struct([(f.name, _settled(f.type)) for f in found])
    return found
