"""Parquet files for COPY: all of a graph, or what a new batch changes in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from engine.backends.embedded.graph_rows import (
    EDGE_ROWS,
    NODE_ROWS,
    EdgeRows,
    derive,
    edge_select,
    touched,
)
from engine.backends.embedded.manifest import BatchEntry
from engine.backends.embedded.shape import SPACES, Space
from engine.backends.files.duck import copy_to, quoted, scalar
from engine.model import NODES

__all__ = ["GraphFile", "NotAdditive", "all_files", "new_files"]


class NotAdditive(Exception):
    """A batch changes what earlier ones said, so that the graph has to be built anew."""


@dataclass(frozen=True, slots=True)
class GraphFile:
    """A file of rows for one table: new rows to copy, or nodes whose properties are set."""

    table: str
    path: Path
    rows: int
    pair: tuple[str, str] | None = None
    sets: bool = False


def all_files(
    con: duckdb.DuckDBPyConnection, batches: Sequence[tuple[BatchEntry, Path]], folder: Path
) -> list[GraphFile]:
    """Write every derived table of these batches, derived as `now`, into `folder`."""
    given = {name for entry, _ in batches for name in entry.files}
    files = []
    for node, (space, sources) in NODE_ROWS.items():
        if given.intersection(sources):
            where = f" SEMI JOIN now.used_{space} USING (no)" if space else ""
            files.append(_node_file(con, node, f"SELECT * FROM now.node_{node}{where}", folder))
    files += [
        _edge_file(con, edge, f"now.edge_{edge.view}", "now", folder)
        for edge in EDGE_ROWS
        if given.intersection(edge.sources)
    ]
    return [f for f in files if f.rows]


def new_files(
    con: duckdb.DuckDBPyConnection, batches: Sequence[tuple[BatchEntry, Path]], folder: Path
) -> list[GraphFile]:
    """Write what the last of these batches, derived as `now`, adds or changes.

    Raises
    ------
    NotAdditive
        If it also takes something away: an edge, a node, or what a handle stands for.
    """
    *earlier, (last, _) = batches
    derive(con, "before", earlier)
    con.execute("SET schema = 'now'")
    _same_reading(con, last)
    for space in SPACES:
        con.execute(f"CREATE TABLE now.touched_{space} AS {touched(space, last.number)}")
    given = set(last.files)
    files = [
        file
        for node, (space, sources) in NODE_ROWS.items()
        if given.intersection(sources)
        for file in _new_nodes(con, node, space, folder)
    ]
    files += [
        _new_edges(con, edge, folder) for edge in EDGE_ROWS if given.intersection(edge.sources)
    ]
    return [f for f in files if f.rows]


def _same_reading(con: duckdb.DuckDBPyConnection, last: BatchEntry) -> None:
    """Check that handles and brand names of earlier batches are read as before."""
    for table in ("resolved", "brand_names"):
        differ = (
            f"SELECT * FROM {{}}.{table} WHERE no < {last.firsts['user']}"
            f" EXCEPT SELECT * FROM {{}}.{table}"
        )
        if _any(con, differ.format("now", "before")) or _any(con, differ.format("before", "now")):
            raise NotAdditive(table)


def _new_nodes(
    con: duckdb.DuckDBPyConnection, node: str, space: Space | None, folder: Path
) -> list[GraphFile]:
    key = quoted(NODES[node].key)
    if space is None:
        con.execute(f"CREATE VIEW now.some_{node} AS SELECT * FROM now.node_{node}")
        con.execute(f"CREATE VIEW before.some_{node} AS SELECT * FROM before.node_{node}")
    else:
        for schema in ("now", "before"):
            con.execute(
                f"CREATE TABLE {schema}.some_{node} AS SELECT n.* EXCLUDE (no) FROM"
                f" {schema}.node_{node} n SEMI JOIN now.touched_{space} USING (no)"
                f" SEMI JOIN {schema}.used_{space} USING (no)"
            )
    if _any(con, f"SELECT * FROM before.some_{node} ANTI JOIN now.some_{node} USING ({key})"):
        raise NotAdditive(node)
    fresh = f"SELECT * FROM now.some_{node} ANTI JOIN before.some_{node} USING ({key})"
    changed = (
        f"SELECT * FROM (SELECT * FROM now.some_{node} EXCEPT SELECT * FROM before.some_{node})"
        f" SEMI JOIN before.some_{node} USING ({key})"
    )
    return [
        _node_file(con, node, fresh, folder),
        _node_file(con, node, changed, folder, sets=True),
    ]


def _new_edges(con: duckdb.DuckDBPyConnection, edge: EdgeRows, folder: Path) -> GraphFile:
    limit = ""
    if edge.touch is not None:
        space = "content" if edge.touch == "content" else "user"
        limit = f" SEMI JOIN now.touched_{space} t ON t.no = r.{quoted(edge.touch)}"
    for schema in ("now", "before"):
        con.execute(
            f"CREATE TABLE {schema}.some_{edge.view} AS SELECT * FROM"
            f" {schema}.edge_{edge.view} r{limit}"
        )
    minus = f"SELECT * FROM {{}}.some_{edge.view} EXCEPT SELECT * FROM {{}}.some_{edge.view}"
    if _any(con, minus.format("before", "now")):
        raise NotAdditive(edge.table)
    return _edge_file(con, edge, f"({minus.format('now', 'before')})", "now", folder)


def _node_file(
    con: duckdb.DuckDBPyConnection, node: str, rows: str, folder: Path, *, sets: bool = False
) -> GraphFile:
    columns = ", ".join(_plain(name, type) for name, type in NODES[node].properties)
    path = folder / f"{'set_' if sets else ''}{node}.parquet"
    written = _write(con, f"SELECT {columns} FROM ({rows})", path, NODES[node].key)
    return GraphFile(node, path, written, sets=sets)


def _plain(name: str, type: str) -> str:
    # The graph's TIMESTAMP has no zone: UTC is what both sides mean.
    return (
        f"make_timestamp(epoch_us({quoted(name)})) AS {quoted(name)}"
        if type == "TIMESTAMP"
        else quoted(name)
    )


def _edge_file(
    con: duckdb.DuckDBPyConnection, edge: EdgeRows, relation: str, schema: str, folder: Path
) -> GraphFile:
    path = folder / f"{edge.table}_{'_'.join(edge.pair)}.parquet"
    rows = _write(con, edge_select(edge, relation, schema), path)
    return GraphFile(edge.table, path, rows, pair=edge.pair)


def _write(
    con: duckdb.DuckDBPyConnection, select: str, path: Path, order: str | None = None
) -> int:
    ordered = f" ORDER BY {quoted(order)}" if order else ""
    return copy_to(con, f"{select}{ordered}", path)


def _any(con: duckdb.DuckDBPyConnection, select: str) -> bool:
    return bool(scalar(con, f"SELECT EXISTS ({select})"))
