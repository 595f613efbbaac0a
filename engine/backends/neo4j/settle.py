"""After a load and before the next: what was left open is swept, what is done is applied.

A load that is done may change what was there before it: a handle turns out to be somebody's,
a newer row tells more. Each such change is applied in one transaction with the note of it, so
that it is done once, by whoever comes next if need be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa

import cypher
from engine.backends.files import duck
from engine.backends.neo4j import files, layout
from engine.backends.neo4j.diff import compare
from engine.backends.neo4j.driver import Link, Work
from engine.backends.neo4j.gather import gather
from engine.backends.neo4j.graph import (
    BYTES,
    ROWS,
    WRITES,
    apply,
    pieces,
    rows_of,
    together,
    write_new,
)
from engine.backends.neo4j.known import Known
from engine.backends.neo4j.lock import Held
from engine.backends.neo4j.manifest import Manifest
from engine.model import EDGES, NODES
from engine.progress import Progress

__all__ = ["again", "clear", "finish", "note", "owner", "packed", "sweep"]

_MOST = 10_000
_WANTED = "to finish a load"
_SWEPT = (
    layout.CHANGE, layout.MEMBER, layout.EXPOSURE, layout.NAME, layout.HANDLE,
    *(name for name, node in NODES.items() if node.source is not None),
)  # fmt: skip


def owner(load: int) -> str:
    """Return the name under which a load keeps files."""
    return f"load:{load}"


def clear(link: Link, held: Held, progress: Progress) -> None:
    """Sweep loads that did not finish, and finish those that did. Cheap where there are none."""
    manifest = Manifest.read(link)
    if manifest is None:
        return
    for entry in manifest.open:
        progress(f"sweeping the load of {entry.report.source}, which did not finish")
        sweep(held, entry.number)
    if not manifest.settled:
        finish(held, progress)


def sweep(held: Held, load: int) -> None:
    """Delete all that carries the number of a load, then the load itself."""
    wanted = "to sweep a load that did not finish"
    types = [*(n for n, e in EDGES.items() if e.source is not None), layout.NAMED]
    given = {"load": load, "most": _MOST}
    for type in types:
        held.alone(cypher.statement("sweep_edges", "neo4j").named(type=type), given, wanted=wanted)
    for label in _SWEPT:
        held.alone(
            cypher.statement("sweep_nodes", "neo4j").named(label=label), given, wanted=wanted
        )
    files.drop(held, owner(load))
    _write(held, [("drop_batch", {"number": load})])


def note(con: duckdb.DuckDBPyConnection, held: Held, load: int) -> int:
    """Keep what a load changes of what was there; return how many notes that took."""
    found = [(kind, piece) for kind, w in WRITES.items() for piece in pieces(rows_of(con, w))]
    notes = [_note(load, number, *one) for number, one in enumerate(found)]
    _write(held, [("drop_changes", {})])  # of one who did not come to say that they count
    for some in together(notes, lambda one: (0, one["size"])):
        _write(held, [("put_change", one) for one in some])
    return len(notes)


def _note(load: int, number: int, kind: str, rows: pa.Table) -> dict[str, Any]:
    content = packed(rows)
    return {
        "load": load, "number": number, "kind": kind,
        "rows": content, "count": rows.num_rows, "size": len(content),
    }  # fmt: skip


def finish(held: Held, progress: Progress) -> None:
    """Apply what loads that are done change, each change once."""
    changes = held.link.read(cypher.statement("changes", "neo4j").text, wanted=_WANTED).rows()
    done = 0
    for some in together(changes, lambda one: (one["count"] or ROWS, one["size"] or BYTES)):
        progress("joining with what was there", done, len(changes))
        found = held.link.read(
            cypher.statement("get_changes", "neo4j").text,
            {"notes": [one["note"] for one in some]},
            wanted=_WANTED,
        ).rows()
        held.writing(partial(_apply, changes=found), wanted=_WANTED)
        done += len(some)
    _write(held, [("settle_store", {"settled": True})])


def _apply(work: Work, changes: Sequence[Mapping[str, Any]]) -> None:
    drop = cypher.statement("drop_change", "neo4j").text
    for change in changes:
        # A retry after a commit whose answer was lost finds the note gone, and does nothing.
        if work.run(drop, {"note": change["note"]}).one("dropped"):
            apply(work, WRITES[change["kind"]], _unpacked(change["rows"]), change["load"])


def again(link: Link, held: Held, progress: Progress) -> None:
    """Derive anew whose handles are and which names are brands', and put right what differs."""
    manifest = Manifest.read(link)
    if manifest is None or not manifest.done:
        return
    load = manifest.done[-1].number
    with duck.connect() as con:
        gather(con, [], Known(link, con), every=True)
        compare(con, at_once=False)
        write_new(con, held, load, "joining with what was there", progress)
        if note(con, held, load):
            _write(held, [("settle_store", {"settled": False})])
            finish(held, progress)


def _write(held: Held, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    def run(work: Work) -> None:
        for name, given in statements:
            work.run(cypher.statement(name, "neo4j").text, given)

    held.writing(run, wanted=_WANTED)


def packed(rows: pa.Table) -> bytes:
    """Return rows as a note keeps them."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return bytes(sink.getvalue())


def _unpacked(packed: bytes) -> pa.Table:
    with pa.ipc.open_stream(packed) as stream:
        return stream.read_all()
