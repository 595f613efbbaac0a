"""Values of a real server become columns of the types they have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import pyarrow as pa
import pytest

from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.reader import query
from engine.model import TIME
from tests.servers.server import Neo4jServer

TEXTS = pa.list_(pa.string())


@pytest.fixture(scope="module")
def link(neo4j: Neo4jServer) -> Iterator[Link]:
    made = Link(neo4j.address, neo4j.settings())
    yield made
    made.close()


@pytest.mark.parametrize(
    ("expression", "type", "value"),
    [
        ("1", pa.int64(), 1),
        ("9223372036854775807", pa.int64(), 2**63 - 1),
        ("1.5", pa.float64(), 1.5),
        ("true", pa.bool_(), True),
        ("'é\\n'", pa.string(), "é\n"),
        ("null", pa.string(), None),
        ("[]", TEXTS, []),
        ("[1, null, 2]", pa.list_(pa.int64()), [1, None, 2]),
        ("[1, 2.5]", pa.list_(pa.float64()), [1.0, 2.5]),
        ("[[1], []]", pa.list_(pa.list_(pa.int64())), [[1], []]),
        ("[1, 'a', null]", TEXTS, ["1", '"a"', None]),
        ("date('2020-02-29')", pa.date32(), date(2020, 2, 29)),
        (
            "datetime('2020-01-01T02:00:00.000001+02:00')",
            TIME,
            datetime(2020, 1, 1, 0, 0, 0, 1, UTC),
        ),
        (
            "datetime('1969-12-31T23:59:59.5[Europe/Paris]')",
            TIME,
            datetime(1969, 12, 31, 22, 59, 59, 500_000, UTC),
        ),
        (
            "localdatetime('2020-01-01T00:00')",
            pa.timestamp("us"),
            datetime(2020, 1, 1),  # noqa: DTZ001 - that is what it is: a time of no zone
        ),
        ("localtime('12:30')", pa.time64("us"), time(12, 30)),
        ("time('12:30+01:00')", pa.string(), "12:30:00.000000000+01:00"),
        ("duration('P1M2DT3S')", pa.string(), "P1M2DT3S"),
        ("{a: 1, b: 'x'}", pa.struct([("a", pa.int64()), ("b", pa.string())]), {"a": 1, "b": "x"}),
        (
            "point({x: 1, y: 2})",
            pa.struct([("srid", pa.int64()), ("x", pa.float64()), ("y", pa.float64())]),
            {"srid": 7203, "x": 1.0, "y": 2.0},
        ),
    ],
)
def test_a_value_has_its_type(link: Link, expression: str, type: pa.DataType, value: Any) -> None:
    found = query(link, f"RETURN {expression} AS v", None, 10)
    assert found.schema.field("v").type == type
    assert found["v"].to_pylist() == [value]


@pytest.mark.parametrize(
    ("values", "type", "wanted"),
    [
        ("[1, 2.5, null]", pa.float64(), [1.0, 2.5, None]),
        ("[1, 'a', [1]]", pa.string(), ["1", '"a"', "[1]"]),
        ("[{a: 1}, {b: 'x'}]", None, [{"a": 1, "b": None}, {"a": None, "b": "x"}]),
        ("[{a: 1}, {a: 'x'}]", None, [{"a": "1"}, {"a": '"x"'}]),
        ("[[1], ['a'], null]", TEXTS, [["1"], ['"a"'], None]),
        ("[date('2020-01-01'), 1]", pa.string(), ['"2020-01-01"', "1"]),
        ("[{}, {a: null}]", None, [{"a": None}, {"a": None}]),
    ],
)
def test_rows_of_several_types_have_one_column(
    link: Link, values: str, type: pa.DataType | None, wanted: list[Any]
) -> None:
    found = query(link, f"UNWIND {values} AS v RETURN v", None, 10)
    assert found["v"].to_pylist() == wanted
    assert type is None or found.schema.field("v").type == type


def test_a_map_of_many_keys_is_text(link: Link) -> None:
    keys = ", ".join(f"k{i}: {i}" for i in range(300))
    found = query(link, f"RETURN {{{keys}}} AS v", None, 10)
    assert found.schema.field("v").type == pa.string()
    assert json.loads(found["v"][0].as_py()) == {f"k{i}": i for i in range(300)}


def test_nodes_relationships_and_paths_are_structs(neo4j_empty: Neo4jServer, link: Link) -> None:
    (ids,) = neo4j_empty.run(
        "CREATE (a:Two:One {n: 1, at: datetime('2020-01-01T00:00Z')})-[r:HAS {w: .5}]->(b:One)"
        " RETURN elementId(a) AS a, elementId(b) AS b, elementId(r) AS r"
    )
    found = query(link, "MATCH p = (a)-[r]->(b) RETURN a, b, r, p, [a] AS l", None, 1)
    a = {"_ID": ids["a"], "_LABEL": "One:Two", "at": datetime(2020, 1, 1, tzinfo=UTC), "n": 1}
    b = {"_ID": ids["b"], "_LABEL": "One"}
    r = {"_SRC": ids["a"], "_DST": ids["b"], "_LABEL": "HAS", "_ID": ids["r"], "w": 0.5}
    path = {"_NODES": [a, {**b, "at": None, "n": None}], "_RELS": [r]}
    assert found.to_pylist() == [{"a": a, "b": b, "r": r, "p": path, "l": [a]}]
    assert found.schema.field("a").type.field("at").type == TIME


def test_types_of_properties_do_not_depend_on_the_rows(link: Link) -> None:
    asked = (
        "UNWIND $some AS i WITH i, {created_at: null, labels: null} AS u"
        " RETURN u.created_at, u.labels AS l, coalesce(u.followers_count, u.n) AS f,"
        " count(*) AS user_id ORDER BY user_id"
    )
    for some in ([], [1]):
        found = query(link, asked, {"some": some}, 5)
        assert found.num_rows == len(some)
        assert found.schema.types[:2] == [TIME, TEXTS]
        assert found.column_names == ["u.created_at", "l", "f", "user_id"]
    assert query(link, "RETURN 'x' AS at", None, 5).schema.types == [pa.string()]
