"""A run as rows of the graph: communities, members, scores, and the run's own name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow as pa

from engine.backends.embedded import duck
from engine.backends.embedded.duck import copy_to, quoted
from engine.backends.embedded.graph_files import GraphFile
from engine.backends.embedded.graph_schema import copy_columns
from engine.backends.embedded.runs import read_info
from engine.model import EDGES, NODES, TOPIC_KINDS

if TYPE_CHECKING:
    import ladybug

__all__ = ["RunRows"]

_SOURCE_KINDS: Final = {"User": ("user",), "Brand": ("brand",), "Topic": TOPIC_KINDS}
"""Which kinds of sources each node table holds."""


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
            for node in _SOURCE_KINDS:
                con.register(f"run_{node}", pa.table({"id": keys_of(graph, node)}))
            for name in ("communities", "memberships", "scores"):
                con.read_parquet([str(self._run / f"{name}.parquet")]).create_view(name)
            every = (
                self._community(con), self._run_node(con), self._members(con), *self._scores(con)
            )  # fmt: skip
        self.files = [file for file in every if file.rows]
        return self.files

    def _community(self, con: duckdb.DuckDBPyConnection) -> GraphFile:
        columns = ", ".join(quoted(c) for c in copy_columns(NODES["Community"]))
        return self._file(con, "Community", f"SELECT {columns} FROM communities")

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

    def _members(self, con: duckdb.DuckDBPyConnection) -> GraphFile:
        select = (
            'SELECT m.user_id AS "from", m.community_id AS "to", m.confidence'
            " FROM memberships m SEMI JOIN run_User u ON u.id = m.user_id"
            " SEMI JOIN communities c USING (community_id)"
            " WHERE m.fold IS NULL"
        )
        return self._file(con, "MEMBER_OF", select, ("User", "Community"))

    def _scores(self, con: duckdb.DuckDBPyConnection) -> list[GraphFile]:
        figures = ", ".join(quoted(c) for c in copy_columns(EDGES["RESONATES_IN"])[2:])
        files = []
        for node, kinds in _SOURCE_KINDS.items():
            said = ", ".join(f"'{kind}'" for kind in kinds)
            # A topic's key is `kind:label`.
            source = (
                "CASE WHEN starts_with(source_id, source_kind || ':') THEN source_id"
                " ELSE source_kind || ':' || source_id END"
                if node == "Topic"
                else "source_id"
            )
            select = (
                f'SELECT s."from", s.community_id AS "to", {figures} FROM (SELECT *, {source} AS'
                f' "from" FROM scores WHERE source_kind IN ({said})'
                f' AND community_id IS NOT NULL) s SEMI JOIN run_{node} n ON n.id = s."from"'
                " SEMI JOIN communities c USING (community_id)"
            )
            files.append(self._file(con, "RESONATES_IN", select, (node, "Community")))
        return files

    def _file(
        self,
        con: duckdb.DuckDBPyConnection,
        table: str,
        select: str,
        pair: tuple[str, str] | None = None,
    ) -> GraphFile:
        path = self._folder / f"run_{table}_{'_'.join(pair or ())}.parquet"
        return GraphFile(table, path, copy_to(con, select, path), pair=pair)
