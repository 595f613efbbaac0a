"""From a loader's batch to the graph: compare, write beside, count, settle.

A load writes what is new under its own number, which counts for nothing until the load is
called done in one transaction. There is no copy of the exports: the graph is the truth.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa

import cypher
from engine.backends.files import duck
from engine.backends.files.batch import (
    REJECTS,
    REJECTS_SCHEMA,
    count_rejects,
    raw_views,
    read_rejects,
)
from engine.backends.files.duck import scalar
from engine.backends.neo4j import files, settle
from engine.backends.neo4j.diff import compare, new_rows
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.gather import gather
from engine.backends.neo4j.graph import write_new
from engine.backends.neo4j.known import Known
from engine.backends.neo4j.lock import Held
from engine.backends.neo4j.manifest import Manifest, report_to_json
from engine.contract import Batch, LoadReport
from engine.errors import KindredError, ServerAway, StoreLocked
from engine.progress import Progress

__all__ = ["rejects", "write_batch"]


def write_batch(link: Link, batch: Batch, held: Held, progress: Progress) -> LoadReport:
    """Take in a batch, all of it or nothing. A batch known by fingerprint is left alone.

    Parameters
    ----------
    link
        The server.
    batch
        Canonical Parquet files.
    held
        The writer's lock, with earlier loads swept and settled (`settle.clear`).
    progress
        Hears how many rows are written.

    Raises
    ------
    WrongColumns, InputError
        If a file is not the canonical table it is named for, or an id is too long to be
        indexed.
    ServerError
        If the server does not take it. What was written is swept, now or by the next writer.
    """
    manifest = Manifest.read(link)
    done = manifest.done if manifest is not None else ()
    for known in done:
        if known.fingerprint == batch.fingerprint:
            return _already(known.report)
    told = f"loading {batch.source}"
    progress(told, 0)
    with tempfile.TemporaryDirectory(prefix="kindred-") as spill, duck.connect(Path(spill)) as con:
        tables = raw_views(con, batch.folder)
        part = Known(link, con)
        gather(con, tables, part if done else None)
        compare(con)
        report = _report(con, batch, tables, number=len(done) + 1)
        return _written(con, batch, held, report, progress)


def _written(
    con: duckdb.DuckDBPyConnection,
    batch: Batch,
    held: Held,
    report: LoadReport,
    progress: Progress,
) -> LoadReport:
    load = begin_load(held, batch.fingerprint, report)
    try:
        if report.rejected:
            files.put(held, settle.owner(load), batch.folder / f"{REJECTS}.parquet", load=load)
        write_new(con, held, load, f"loading {batch.source}", progress)
        changes = settle.note(con, held, load)
        end_load(held, load, report, settled=not changes)
    except (ServerAway, StoreLocked):
        raise  # nothing can be swept from here; the next writer does it
    except BaseException:
        with suppress(KindredError):  # the first fault is the one to tell
            settle.clear(held.link, held, progress)
        raise
    if changes:
        settle.finish(held, progress)
    return _noted(held, load, report)


def begin_load(held: Held, fingerprint: str, report: LoadReport) -> int:
    """Open a load; return its number, which no load had before."""
    text = cypher.statement("begin_load", "neo4j").text
    given = {"fingerprint": fingerprint, "report": report_to_json(report)}
    begun = held.writing(lambda work: work.run(text, given), wanted=f"to load {report.source}")
    return int(begun.one("number"))


def end_load(held: Held, load: int, report: LoadReport, *, settled: bool) -> None:
    """Make a load count, and all that carries its number with it."""
    text = cypher.statement("end_load", "neo4j").text
    given = {"number": load, "report": report_to_json(report), "settled": settled}
    held.writing(lambda work: work.run(text, given), wanted=f"to load {report.source}")


def _report(
    con: duckdb.DuckDBPyConnection, batch: Batch, tables: list[str], number: int
) -> LoadReport:
    return LoadReport(
        batch_id=f"b{number:04d}-{batch.fingerprint[:8]}",
        source=batch.source,
        format=batch.format,
        already_loaded=False,
        rows={name: int(scalar(con, f"SELECT count(*) FROM raw_{name}")) for name in tables},
        new_rows=new_rows(con, tables),
        rejected=count_rejects(con, batch.folder),
        options=dict(batch.options),
    )


def _noted(held: Held, load: int, report: LoadReport) -> LoadReport:
    """Return the report with what only the settled graph can tell, and keep it so."""
    wanted = f"to load {report.source}"
    found = held.link.read(cypher.statement("ambiguous_handles", "neo4j").text, wanted=wanted)
    if not (ambiguous := found.one("handles")):
        return report
    note = (f"{ambiguous} handles stay users of their own: several accounts claim each of them",)
    complete = replace(report, notes=note)
    text = cypher.statement("set_report", "neo4j").text
    given = {"number": load, "report": report_to_json(complete)}
    held.writing(lambda work: work.run(text, given), wanted=wanted)
    return complete


def _already(report: LoadReport) -> LoadReport:
    return replace(report, already_loaded=True, new_rows=dict.fromkeys(report.new_rows, 0))


def rejects(link: Link, manifest: Manifest) -> pa.Table:
    """Return rejected rows: batch_id, table, line, reason, sentence, raw; batches in order."""
    found = [REJECTS_SCHEMA.empty_table()]
    with tempfile.TemporaryDirectory(prefix="kindred-") as folder, duck.connect() as con:
        for entry in manifest.done:
            if not entry.report.rejected:
                continue
            path = Path(folder) / f"{entry.number}.parquet"
            for file in files.kept(link, settle.owner(entry.number)).values():
                files.get(link, file, path)
                found.append(read_rejects(con, entry.report.batch_id, path))
    return pa.concat_tables(found)
