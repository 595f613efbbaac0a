"""Writing rows to the server: columns in pieces, in an order in which writers never meet.

Rows travel as lists of columns, times as whole seconds and nanoseconds: measured several
times as fast as a map a row with times as the driver has them. Nodes are looked up by their
unique key, which the server does as fast as by its own numbers and which stays true.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

import duckdb
import pyarrow as pa

import cypher
from engine.backends.files.duck import quoted, scalar
from engine.backends.neo4j import layout
from engine.backends.neo4j.driver import Work
from engine.backends.neo4j.graph_rows import EDGE_ROWS, NO_TIME_SQL, EdgeRows
from engine.backends.neo4j.known import key_of
from engine.backends.neo4j.lock import Held
from engine.errors import OutOfMemory, StoreDamaged
from engine.progress import Progress

__all__ = [
    "BYTES",
    "CHANGES",
    "NEW_EDGES",
    "NEW_NODES",
    "ROWS",
    "WRITES",
    "Write",
    "apply",
    "pieces",
    "rows_of",
    "together",
    "write_new",
]

_T = TypeVar("_T")
Rows = tuple["Write", pa.Table]

ROWS: Final = 10_000
"""Most rows in one transaction."""
BYTES: Final = 8 * 2**20
"""Most bytes of rows in one transaction: texts may be long, and the server keeps both."""
_BUCKETS: Final = 4
_ROUNDS: Final = (
    ((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)), ((0, 0), (1, 1)), ((2, 2), (3, 3)),
)  # fmt: skip
"""Pairs of buckets of nodes, in rounds of jobs that have no bucket in common: whoever writes
one job locks no node that the other locks."""


@dataclass(frozen=True, slots=True)
class Write:
    """One kind of write: a table of DuckDB, the statement its rows go to, and how.

    `times` are columns that travel in two, `micros` those of them that are microseconds
    already. `makes` names the counter that must grow by one a row.
    """

    table: str
    statement: str
    columns: tuple[str, ...]
    where: str = "true"
    order: str = ""
    slots: Mapping[str, str] = field(default_factory=dict)
    makes: str = ""
    micros: bool = False

    @property
    def text(self) -> str:
        """The statement with its slots filled."""
        found = cypher.statement(self.statement, "neo4j")
        return found.named(**self.slots) if self.slots else found.text

    @property
    def takes_load(self) -> bool:
        """Whether the statement marks what it writes with the number of the load."""
        return "load" in cypher.statement(self.statement, "neo4j").parameters


_TIMES: Final = frozenset({"created_at", "at"})
_USER: Final = (
    "user_id", "platform", "handle", "name", "followers_count", "following_count", "posts_count",
    "created_at", "is_bot", "labels", "seen", "told", "claim",
)  # fmt: skip
_CONTENT: Final = (
    "content_id", "platform", "kind", "created_at", "text", "url", "lang", "root_id",
    "shares_count", "likes_count", "replies_count", "quotes_count", "impressions_count",
    "clicks_count", "stance", "emotion", "is_promotion", "seen", "told",
)  # fmt: skip
_EDGE: Final = (
    "start", "end", "at", "kind", "via_user_id", "content_id", "score", "weight", "count", "said",
)  # fmt: skip


def _node(name: str, columns: tuple[str, ...]) -> Write:
    return Write(name, name, columns, order=columns[0], makes="nodes_created")


NEW_NODES: Final = (
    _node("make_users", _USER),
    _node("make_handles", (*_USER, "to", "is_user")),
    _node("make_content", _CONTENT),
    _node("make_topics", ("topic_id", "kind", "label")),
    _node("make_brands", ("brand_id", "name", "seen")),
    _node("make_members", ("brand_id", "kind", "value")),
    _node("make_exposures", ("content_id", "community", "count")),
    Write("make_names", "make_names", ("name",), order="name"),
)


def _edge(when: str, edge: EdgeRows, label: str) -> Write:
    slots = {
        "type": layout.NAMED if label == layout.NAME else edge.type,
        "start_label": edge.start,
        "start_key": key_of(edge.start),
        "end_label": label,
        "end_key": key_of(label),
    }
    return Write(
        f"{when}_{edge.name}", "make_edges", _EDGE, f"label = '{label}'", '"start", "end"', slots,
        makes="relationships_created", micros=True,
    )  # fmt: skip


NEW_EDGES: Final = tuple(_edge("make", edge, label) for edge in EDGE_ROWS for label in edge.labels)

CHANGES: Final = (
    Write("turn", "turn_handles", ("user_id", "to", "is_user"), order="user_id"),
    Write("drop", "drop_edges", ("rid",), order="rid"),
    *(_edge("later", edge, label) for edge in EDGE_ROWS for label in edge.labels),
    Write("set_users", "set_users", _USER, "NOT handle_only", "user_id", {"label": "User"}),
    Write("set_users", "set_users", _USER, "handle_only", "user_id", {"label": layout.HANDLE}),
    Write("set_content", "set_content", _CONTENT, order="content_id"),
    Write("set_brands", "set_brands", ("brand_id", "name", "seen"), order="brand_id"),
    Write("set_exposures", "set_exposures", ("rid", "count"), order="rid"),
    Write("lose", "lose_users", ("id",), order="id"),
)
"""What is done to nodes and relationships that are there, in this order."""

WRITES: Final[Mapping[str, Write]] = {
    f"{w.table} {w.slots.get('end_label', w.slots.get('label', ''))}".strip(): w for w in CHANGES
}
"""Changes by the name under which they are kept."""


def rows_of(con: duckdb.DuckDBPyConnection, write: Write, where: str = "true") -> pa.Table:
    """Return the rows of a write as they travel."""
    chosen = []
    for name in write.columns:
        column = quoted(name)
        if name in _TIMES:
            micros = column if write.micros else f"epoch_us({column})"
            known = f"nullif({micros}, {NO_TIME_SQL})"
            chosen.append(f"CAST(floor({known} / 1000000) AS BIGINT) AS {column}")
            chosen.append(
                f"CAST(({known} % 1000000 + 1000000) % 1000000 * 1000 AS BIGINT)"
                f" AS {quoted(name + '_rest')}"
            )
        else:
            chosen.append(column)
    order = f" ORDER BY {write.order}" if write.order else ""
    return con.sql(
        f"SELECT {', '.join(chosen)} FROM {quoted(write.table)}"
        f" WHERE ({write.where}) AND ({where}){order}"
    ).to_arrow_table()


def pieces(rows: pa.Table) -> Iterator[pa.Table]:
    """Cut rows into what one transaction takes."""
    for first in range(0, rows.num_rows, ROWS):
        yield from _halves(rows.slice(first, ROWS))


def _halves(rows: pa.Table) -> Iterator[pa.Table]:
    if rows.nbytes <= BYTES or rows.num_rows == 1:
        yield rows
        return
    half = rows.num_rows // 2
    yield from _halves(rows.slice(0, half))
    yield from _halves(rows.slice(half))


def parameters(write: Write, rows: pa.Table, load: int) -> dict[str, Any]:
    """Return rows as a statement takes them; a column without a value is one null.

    So is one that the rows lack: an older version kept them, to be applied by this.
    """
    columns: dict[str, Any] = dict.fromkeys(cypher.statement(write.statement, "neo4j").parameters)
    columns |= {
        name: None if rows[name].null_count == rows.num_rows else rows[name].to_pylist()
        for name in rows.column_names
    }
    return columns | ({"load": load} if write.takes_load else {})


def apply(work: Work, write: Write, rows: pa.Table, load: int) -> None:
    """Write rows in an open transaction.

    Raises
    ------
    StoreDamaged
        If the nodes that relationships were to join are not all there.
    """
    counters = work.run(write.text, parameters(write, rows, load)).counters
    if write.makes and counters[write.makes] != rows.num_rows:
        raise StoreDamaged(
            f"to write {rows.num_rows:,} rows of {write.table.partition('_')[2]}",
            f"only {counters[write.makes]:,} could be written: nodes of the graph are gone",
            "load the exports into an empty database; something else deleted what kindred wrote",
        )


class _Writer:
    """A load as it is written: what it holds, how far it is, and whether to go on."""

    def __init__(self, held: Held, load: int, tell: Callable[[int], None]) -> None:
        self._held = held
        self._load = load
        self._tell = tell
        self._lock = threading.Lock()
        self._done = 0
        self._stopped = False

    def lane(self, given: Sequence[Rows], worker: int = 0) -> None:
        """Write rows in order, a transaction after the other."""
        for some in together(given, lambda one: (one[1].num_rows, one[1].nbytes)):
            if self._stopped:
                return
            self._write(some, worker)
            with self._lock:
                self._done += sum(rows.num_rows for _, rows in some)
                self._tell(self._done)

    def _write(self, given: Sequence[Rows], worker: int) -> None:
        """Write rows in one transaction, or in halves where a small server has no room for it."""
        work = partial(_write, given=given, load=self._load)
        try:
            self._held.writing(work, wanted="to write the graph", worker=worker)
        except OutOfMemory:
            smaller = _smaller(given)
            if not smaller:
                raise
            for half in smaller:
                self._write(half, worker)

    def lanes(self, given: Sequence[Sequence[Rows]]) -> None:
        """Write lanes side by side; a fault in one, or Ctrl-C, stops all after a transaction."""
        with ThreadPoolExecutor(max(len(given), 1)) as pool:
            running = [pool.submit(self.lane, lane, i) for i, lane in enumerate(given)]
            try:
                for one in as_completed(running):
                    one.result()
            except BaseException:
                self._stopped = True
                raise


def _smaller(given: Sequence[Rows]) -> list[Sequence[Rows]]:
    """Return two halves of what one transaction was to write; none of a single row."""
    if len(given) > 1:
        half = len(given) // 2
        return [given[:half], given[half:]]
    ((write, rows),) = given
    half = rows.num_rows // 2
    return [[(write, rows.slice(0, half))], [(write, rows.slice(half))]] if half else []


def _write(work: Work, given: Sequence[Rows], load: int) -> None:
    for write, rows in given:
        apply(work, write, rows, load)


def write_new(
    con: duckdb.DuckDBPyConnection, held: Held, load: int, told: str, progress: Progress
) -> None:
    """Write what a load makes new: nodes, then the relationships between them.

    What is little goes together in one transaction. Of what is much, relationships are written
    by two side by side.
    """
    counts = [(write, _count(con, write)) for write in (*NEW_NODES, *NEW_EDGES)]
    total = sum(count for _, count in counts)
    writer = _Writer(held, load, lambda done: progress(told, done, total))
    little: list[Rows] = []
    for write, count in counts:
        if count <= ROWS:
            little += _cut(con, write)
            continue
        writer.lane(little)
        little = []
        if write.makes != "relationships_created":
            writer.lane(_cut(con, write))
            continue
        for pairs in _ROUNDS:
            writer.lanes([_cut(con, write, _between(*pair)) for pair in pairs])
    writer.lane(little)


def _count(con: duckdb.DuckDBPyConnection, write: Write) -> int:
    return int(scalar(con, f"SELECT count(*) FROM {quoted(write.table)} WHERE {write.where}"))


def _cut(con: duckdb.DuckDBPyConnection, write: Write, where: str = "true") -> list[Rows]:
    return [(write, piece) for piece in pieces(rows_of(con, write, where))]


def together(given: Iterable[_T], size: Callable[[_T], tuple[int, int]]) -> Iterator[list[_T]]:
    """Put things together, in order, while one transaction takes their rows and bytes."""
    some: list[_T] = []
    rows = bytes_ = 0
    for one in given:
        more, longer = size(one)
        if some and (rows + more > ROWS or bytes_ + longer > BYTES):
            yield some
            some, rows, bytes_ = [], 0, 0
        some.append(one)
        rows, bytes_ = rows + more, bytes_ + longer
    if some:
        yield some


def _between(one: int, other: int) -> str:
    """Return SQL for rows whose ends are in these two buckets, or in the one."""
    start, end = (f"hash({quoted(c)}) % {_BUCKETS}" for c in ("start", "end"))
    return f"least({start}, {end}) = {one} AND greatest({start}, {end}) = {other}"
