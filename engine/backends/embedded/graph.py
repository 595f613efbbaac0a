"""Ladybug generations: built beside, closed, opened read-only to verify, then named.

A generation is one file that nobody writes to once a manifest names it. The builder
works on a file of its own, so it needs no protection from readers, and a transaction
only to be fast. What it has written is believed when another, read-only open counts
it: after a full disk Ladybug may call a commit durable that is gone when reopened.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from engine.backends.embedded.graph_files import GraphFile
from engine.backends.embedded.graph_schema import (
    DERIVED,
    PUBLISHED,
    copy_columns,
    copy_statement,
    count_statement,
    create_statement,
    drop_statement,
    set_statement,
    tables,
)
from engine.backends.files.durable import sync_file
from engine.errors import StoreDamaged
from engine.model import NODES

if TYPE_CHECKING:
    import ladybug

__all__ = [
    "ADDRESS_SPACE",
    "Filler",
    "answer",
    "apply",
    "build",
    "count_rows",
    "derived_counts",
    "keys_of",
    "ladybug_version",
    "opened",
    "publish_filler",
    "verify",
]

_MIB: Final = 2**20
ADDRESS_SPACE: Final = 2**40
"""Bytes of addresses an open graph reserves. The default of 8 TiB fits a process 15 times."""
_POOL_FLOOR: Final = 512 * _MIB

Filler = Callable[["ladybug.Connection"], None]
"""Does more work on a graph before it is committed: how a run is published."""


def ladybug_version() -> str:
    """Return the version of Ladybug that is installed."""
    from importlib import metadata

    return metadata.version("ladybug")


def pool_size() -> int:
    """Return the buffer pool to build with: a quarter of the memory, at least 512 MiB.

    It must be given: the default maps most of the machine, and below 512 MiB a build of a
    few million rows fails.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(_POOL_FLOOR, memory // 4 // _MIB * _MIB)


@contextmanager
def opened(file: Path, *, read_only: bool, pool: int | None = None) -> Iterator[ladybug.Connection]:
    """Open a graph file on its own and close it again: one object on one path at a time."""
    import ladybug

    database = ladybug.Database(
        str(file),
        buffer_pool_size=pool or pool_size(),
        read_only=read_only,
        max_db_size=ADDRESS_SPACE,
    )
    try:
        connection = ladybug.Connection(database)
        try:
            yield connection
        finally:
            connection.close()
    finally:
        database.close()


def build(file: Path, files: Sequence[GraphFile], more: Filler | None = None) -> None:
    """Make a new graph file of everything."""
    with opened(file, read_only=False) as graph, _transaction(graph):
        for table in tables().values():
            graph.execute(create_statement(table))
        _fill(graph, files)
        if more is not None:
            more(graph)
    _settle(file)


def apply(
    current: Path, file: Path, files: Sequence[GraphFile], more: Filler | None = None
) -> None:
    """Make a new graph file of the current one and what is new."""
    shutil.copyfile(current, file)
    with opened(file, read_only=False) as graph, _transaction(graph):
        _fill(graph, files)
        if more is not None:
            more(graph)
    _settle(file)


def _settle(file: Path) -> None:
    """Check that everything is in the one file, and force it to the disk."""
    if beside := sorted(p.name for p in file.parent.iterdir() if p.is_file() and p != file):
        raise StoreDamaged(
            "to build the graph", f"{', '.join(beside)} stayed beside it", "run it again"
        )
    sync_file(file)


@contextmanager
def _transaction(graph: ladybug.Connection) -> Iterator[None]:
    graph.execute("BEGIN TRANSACTION")
    yield
    graph.execute("COMMIT")


def _fill(graph: ladybug.Connection, files: Sequence[GraphFile]) -> None:
    if not files:
        return
    with plain_path(files[0].path.parent) as folder:
        for each in files:
            check_columns(each)
            table, path = tables()[each.table], f"{folder}/{each.path.name}"
            if each.sets:
                graph.execute(set_statement(NODES[each.table], path))
            else:
                graph.execute(copy_statement(table, path, each.pair))


def check_columns(file: GraphFile) -> None:
    """Raise where a file's columns are not in the order in which COPY takes them."""
    wanted = copy_columns(tables()[file.table])
    if (found := tuple(pq.read_schema(file.path).names)) != wanted:
        raise StoreDamaged(
            f"to copy {file.path.name} into the graph with the columns {', '.join(wanted)}",
            f"it has {', '.join(found)}",
            "report this: COPY takes columns by position and would mix them up",
        )


@contextmanager
def plain_path(folder: Path) -> Iterator[str]:
    """Give a folder a name without characters that Ladybug would take for a pattern."""
    absolute = str(folder.resolve())
    if not set(absolute) & set("*?[]{}"):
        yield absolute
        return
    with tempfile.TemporaryDirectory(prefix="kindred-") as beside:
        link = Path(beside) / "files"
        link.symlink_to(absolute, target_is_directory=True)
        yield str(link)


def publish_filler(write: Callable[[ladybug.Connection], Sequence[GraphFile]]) -> Filler:
    """Return what replaces the run a graph holds.

    DROP, CREATE and COPY: a tenth of the time of DELETE and COPY.
    """

    def fill(graph: ladybug.Connection) -> None:
        files = write(graph)
        for name in reversed(PUBLISHED):
            graph.execute(drop_statement(name))
        for name in PUBLISHED:
            graph.execute(create_statement(tables()[name]))
        _fill(graph, files)

    return fill


def answer(
    graph: ladybug.Connection, cypher: str, parameters: Mapping[str, Any] | None = None
) -> pa.Table:
    """Run one query and return its rows."""
    results = graph.execute(cypher, dict(parameters or {}))
    result = results[-1] if isinstance(results, list) else results
    with result:
        return result.get_as_arrow()


def keys_of(graph: ladybug.Connection, node: str) -> pa.ChunkedArray:
    """Return the keys of all nodes of a table."""
    return answer(graph, f"MATCH (n:`{node}`) RETURN n.`{NODES[node].key}` AS id")["id"]


def count_rows(file: Path) -> dict[str, int]:
    """Open a graph read-only and count every table."""
    with opened(file, read_only=True) as graph:
        return {name: int(answer(graph, count_statement(name))[0][0].as_py()) for name in tables()}


def verify(file: Path, expected: Mapping[str, int]) -> None:
    """Reopen a graph read-only and compare its counts.

    Raises
    ------
    StoreDamaged
        If it cannot be opened or holds something else.
    """
    found = count_rows(file)
    wrong = {n: (found[n], c) for n, c in expected.items() if found[n] != c}
    if wrong:
        said = "; ".join(f"{n}: {f:,} rows, not {e:,}" for n, (f, e) in sorted(wrong.items()))
        raise StoreDamaged("a graph that holds what the log says", said, "run it again")


def derived_counts(files: Sequence[GraphFile], before: Mapping[str, int]) -> dict[str, int]:
    """Return the rows each derived table must hold after files were copied."""
    counts = {name: before.get(name, 0) for name in DERIVED}
    for each in files:
        if not each.sets:
            counts[each.table] += each.rows
    return counts
