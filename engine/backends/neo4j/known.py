"""What the server knows of what a batch names: fetched into DuckDB, each thing once.

Only what a batch touches is fetched: nodes it names, relationships between pairs of them,
and what hangs on a handle or an alias that it gives another meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import duckdb
import pyarrow as pa

import cypher
from engine.backends.neo4j import layout
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.graph_rows import EDGE_ROWS, EdgeRows, actual_table
from engine.backends.neo4j.things import known_tables
from engine.model import NODES
from engine.snapshot import NO_TIME

__all__ = ["Known", "key_of", "nothing_known"]

AT_ONCE: Final = 10_000
"""Ids or pairs asked for in one statement."""

_WANTED: Final = "to read what the store knows already"

_ARROW: Final[Mapping[str, pa.DataType]] = {
    "VARCHAR": pa.string(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(), "BIGINT[]": pa.list_(pa.int64()),
    "VARCHAR[]": pa.list_(pa.string()), "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
}  # fmt: skip


def key_of(label: str) -> str:
    """Return the key property of the nodes of a label.

    Examples
    --------
    >>> key_of("Topic"), key_of("kindred_Name")
    ('topic_id', 'name')
    """
    if label in NODES:
        return NODES[label].key
    return {layout.HANDLE: "user_id", layout.NAME: "name"}[label]


def nothing_known(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of `Known`, empty: what an empty database knows."""
    known_tables(con)
    con.execute("CREATE TABLE known_topics (topic_id VARCHAR PRIMARY KEY)")
    con.execute("CREATE TABLE known_members (brand_id VARCHAR, kind VARCHAR, value VARCHAR)")
    con.execute(
        'CREATE TABLE actual_exposures (rid VARCHAR, "end" VARCHAR, community VARCHAR,'
        ' "count" BIGINT)'
    )
    for edge in EDGE_ROWS:
        actual_table(con, edge)


class Known:
    """The part of the server's graph that was fetched, in tables of DuckDB.

    `known_users`, `known_content`, `known_brands` hold nodes, `known_topics` and
    `known_members` what they say, and `actual_<type>` relationships by element id.
    """

    def __init__(self, link: Link, con: duckdb.DuckDBPyConnection) -> None:
        self._link = link
        self._con = con
        self._declared: dict[str, Mapping[str, str]] = {}
        nothing_known(con)

    # Nodes --------------------------------------------------------------------------------

    def users(self, ids: str, label: str = "User", key: str = "user_id") -> None:
        """Fetch users, by a select of ids or of what they claim."""
        text = cypher.statement("known_users", "neo4j").named(label=label, key=key)
        for some in self._lists(ids):
            self._keep("known_users", self._read(text, {"ids": some[0]}), key="user_id")

    def handles(self) -> None:
        """Fetch all handles, and name them all as if a batch had: `batch_users`."""
        ids = self._read(cypher.statement("known_handles", "neo4j").text, {})
        self._keep("batch_users", ids)
        self.users("SELECT id FROM batch_users", label=layout.HANDLE)

    def contents(self, ids: str) -> None:
        """Fetch contents and who posted them, by a select of ids."""
        text = cypher.statement("known_contents", "neo4j").text
        for some in self._lists(ids):
            columns = self._read(text, {"ids": some[0]})
            posted = [i for i, rid in enumerate(columns["rid"]) if rid is not None]
            edges = {
                "rid": [columns["rid"][i] for i in posted],
                "label": ["Content"] * len(posted),
                "start": [columns["start"][i] for i in posted],
                "end": [columns["content_id"][i] for i in posted],
                "at": [_time(columns["at"][i]) for i in posted],
                "said": [columns["said"][i] for i in posted],
            }
            self._keep("actual_posted", edges, key="rid")
            self._keep("known_content", columns, key="content_id")
        self._con.execute(
            """
            UPDATE known_content SET author_id = p.author FROM (
                SELECT "end", CASE WHEN said IS NULL THEN "start"
                ELSE CAST(CAST(said[1] AS JSON) AS VARCHAR[])[1] END AS author
                FROM actual_posted
            ) p WHERE p."end" = content_id
            """
        )

    def topics(self, ids: str) -> None:
        """Fetch topics by a select of ids."""
        text = cypher.statement("known_topics", "neo4j").text
        for some in self._lists(ids):
            self._keep("known_topics", self._read(text, {"ids": some[0]}), key="topic_id")

    def brands(self) -> None:
        """Fetch all brands and what they own."""
        for table, name in (("known_brands", "brands"), ("known_members", "members")):
            columns = self._read(cypher.statement(f"known_{name}", "neo4j").text, {})
            self._keep(table, columns)

    def exposures(self, ids: str) -> None:
        """Fetch how often communities were shown contents, by a select of ids."""
        text = cypher.statement("known_exposures", "neo4j").text
        for some in self._lists(ids):
            self._keep("actual_exposures", self._read(text, {"ids": some[0]}))

    # Relationships ------------------------------------------------------------------------

    def pairs(self, edge: EdgeRows, label: str, pairs: str) -> None:
        """Fetch the relationships of a type between pairs of nodes, by a select of both keys."""
        text = self._edges("known_pairs", edge, label)
        for starts, ends in self._lists(pairs):
            found = self._read(text, {"starts": starts, "ends": ends, "unknown": NO_TIME})
            self._keep_edges(edge, label, found)

    def around(self, edge: EdgeRows, label: str, ids: str, *, at: str, whole: bool) -> None:
        """Fetch the relationships of a type at nodes, by a select of keys.

        Parameters
        ----------
        at
            `from` where they begin at the nodes, `to` where they end.
        whole
            All of them; otherwise those whose ends were resolved.
        """
        text = self._edges(f"known_{at}", edge, label)
        for some in self._lists(ids):
            found = self._read(text, {"ids": some[0], "all": whole, "unknown": NO_TIME})
            self._keep_edges(edge, label, found)

    def via(self, edge: EdgeRows, ids: str) -> None:
        """Fetch the shares that were passed on by users, by a select of ids. Reads them all."""
        text = self._edges("known_via", edge, "Content")
        for some, quoted in self._lists(f"SELECT id, to_json(id)::VARCHAR FROM ({ids})"):
            found = self._read(text, {"ids": some, "quoted": quoted, "unknown": NO_TIME})
            self._keep_edges(edge, "Content", found)

    def _edges(self, name: str, edge: EdgeRows, label: str) -> str:
        return cypher.statement(name, "neo4j").named(
            type=layout.NAMED if label == layout.NAME else edge.type,
            start=edge.start,
            start_key=key_of(edge.start),
            end=label,
            end_key=key_of(label),
        )

    def _keep_edges(self, edge: EdgeRows, label: str, columns: Mapping[str, Sequence[Any]]) -> None:
        labelled = {**columns, "label": [label] * len(columns["rid"])}
        self._keep(f"actual_{edge.name}", labelled, key="rid")

    # Both ---------------------------------------------------------------------------------

    def _read(self, text: str, parameters: Mapping[str, Any]) -> Mapping[str, Sequence[Any]]:
        return self._link.read(text, parameters, wanted=_WANTED).columns

    def _lists(self, select: str) -> Iterator[list[list[Any]]]:
        """Yield the columns of a select, some rows at a time."""
        rows = self._con.sql(f"SELECT * FROM ({select}) ORDER BY ALL").to_arrow_table()
        for first in range(0, rows.num_rows, AT_ONCE):
            yield [column.to_pylist() for column in rows.slice(first, AT_ONCE).columns]

    def _keep(
        self, table: str, columns: Mapping[str, Sequence[Any]], *, key: str | None = None
    ) -> None:
        """Put rows into a table unless their key is there already; columns it lacks are left."""
        if not len(next(iter(columns.values()))):
            return
        types = self._types(table)
        names = [name for name in columns if name in types]
        rows = pa.table([_arrow(columns[n], _ARROW[types[n]]) for n in names], names=names)
        self._con.register("fetched", rows)
        try:
            listed = ", ".join(f'"{name}"' for name in names)
            new = f' ANTI JOIN {table} USING ("{key}")' if key is not None else ""
            distinct = f'DISTINCT ON ("{key}")' if key is not None else ""
            self._con.execute(
                f"INSERT INTO {table} ({listed}) SELECT {distinct} {listed} FROM fetched{new}"
            )
        finally:
            self._con.unregister("fetched")

    def _types(self, table: str) -> Mapping[str, str]:
        if table not in self._declared:
            found = self._con.execute(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = $t",
                {"t": table},
            ).fetchall()
            self._declared[table] = dict(found)
        return self._declared[table]


def _arrow(values: Sequence[Any], type: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(type):
        return pa.array(values, pa.int64()).cast(type)
    return pa.array(values, type)


def _time(at: int | None) -> int:
    return NO_TIME if at is None else at
