"""A run as rows of the graph: communities, members, scores, and the run's own name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from engine.backends.embedded.graph_files import GraphFile
from engine.backends.embedded.graph_schema import copy_columns
from engine.backends.files import duck
from engine.backends.files.duck import copy_to, quoted
from engine.backends.files.run_rows import (
    SOURCES,
    community_rows,
    member_rows,
    open_run,
    score_rows,
)
from engine.backends.files.runs import read_info
from engine.model import NODES

if TYPE_CHECKING:
    import ladybug

__all__ = ["RunRows"]


class RunRows:
    """Fills an open graph with a run, and remembers how many rows that made.

    A member or source that the graph does not know (a handle resolved since the run) has
    no row; a run is not rewritten.
    """

    def __init__(self, run: Path, folder: Path) -> None:
        self._run = run
        self._folder = folder
        self.files: list[GraphFile] = []

    @property
    def counts(self) -> dict[str, int]:
        """Rows by table, after `write`."""
        counts: dict[str, int] = {}
        for file in self.files:
            counts[file.table] = counts.get(file.table, 0) + file.rows
        return counts

    def write(self, graph: ladybug.Connection) -> Sequence[GraphFile]:
        """Write the files to copy, looking up which keys the graph has."""
        from engine.backends.embedded.graph import keys_of

        with duck.connect(self._folder) as con:
            for node in SOURCES:
                con.register(f"run_{node}", pa.table({"id": keys_of(graph, node)}))
            open_run(con, self._run)
            every = (
                self._file(con, "Community", community_rows()),
                self._run_node(con),
                self._file(con, "MEMBER_OF", member_rows("run_User"), ("User", "Community")),
                *(
                    self._file(
                        con, "RESONATES_IN", score_rows(node, f"run_{node}"), (node, "Community")
                    )
                    for node in SOURCES
                ),
            )
        self.files = [file for file in every if file.rows]
        return self.files

    def _run_node(self, con: duckdb.DuckDBPyConnection) -> GraphFile:
        info = read_info(self._run, active=True)
        con.execute(
            "CREATE TABLE run_node AS SELECT $id AS run_id, $tier::VARCHAR AS tier,"
            " $seed::BIGINT AS seed, $print AS fingerprint",
            {
                "id": info.run_id,
                "tier": info.tier,
                "seed": info.params.seed,
                "print": info.fingerprint,
            },
        )
        columns = ", ".join(quoted(c) for c in copy_columns(NODES["Run"]))
        return self._file(con, "Run", f"SELECT {columns} FROM run_node")

    def _file(
        self,
        con: duckdb.DuckDBPyConnection,
        table: str,
        select: str,
        pair: tuple[str, str] | None = None,
    ) -> GraphFile:
        path = self._folder / f"run_{table}_{'_'.join(pair or ())}.parquet"
        return GraphFile(table, path, copy_to(con, select, path), pair=pair)
