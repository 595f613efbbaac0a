"""The doctor: looks at all that is kindred's in a database and says in a sentence what it found."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cypher
from engine.backends.neo4j import files, graph_schema, layout
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.gds_support import installed
from engine.backends.neo4j.lock import holder
from engine.backends.neo4j.manifest import Manifest
from engine.backends.neo4j.migrations import FORMAT
from engine.contract import Finding
from engine.errors import KindredError
from engine.model import EDGES, NODES
from engine.progress import Progress

__all__ = ["examine"]

_WANTED: Final = "to look at the store"
_EVENTS: Final = (
    "shares", "mentions", "replies", "reactions", "follows", "interactions", "topics",
)  # fmt: skip
"""Canonical tables each row of which is said by one relationship."""


def examine(link: Link, manifest: Manifest, progress: Progress) -> Iterator[Finding]:
    """Look at the server, the schema, the loads, the graph, the runs and what lies about.

    Notes
    -----
    Every node and relationship of kindred's is counted, and every file fetched once: seconds
    for some 10^6, and as many bytes over the wire as the runs have.
    """
    steps = 7
    progress("asking the server", 0, steps)
    yield _server(link)
    yield Finding(
        "version",
        manifest.format == FORMAT,
        f"store format {manifest.format}",
        "" if manifest.format == FORMAT else "open the store for writing: it is migrated then",
    )
    progress("checking what must be unique", 1, steps)
    yield _schema(link)
    progress("checking the loads", 2, steps)
    yield from _loads(manifest)
    progress("counting the graph", 3, steps)
    yield from _graph(link, manifest)
    progress("fetching the runs", 4, steps)
    yield from _files(link, manifest)
    progress("looking for leftovers", 6, steps)
    yield _writing(link)
    yield _leftovers(link, manifest)
    progress("looking for leftovers", steps, steps)


def _server(link: Link) -> Finding:
    found = installed(link)
    gds = f"Graph Data Science {found.gds}" if found.gds else "no Graph Data Science"
    words = {
        "tried": "a pair that kindred was tried on",
        "expected": "a pair that kindred was not tried on, and that should do",
        "refused": "analyses run on kindred's own kernels",
    }
    return Finding(
        "server",
        ok=True,
        found=f"Neo4j {found.neo4j} {found.edition}, {gds}: {words[found.standing]}",
    )


def _schema(link: Link) -> Finding:
    try:
        missing = graph_schema.missing(link)
    except KindredError as fault:
        return Finding("constraints", ok=False, found=fault.found, todo=fault.todo)
    if missing:
        return Finding(
            "constraints",
            ok=False,
            found=f"missing: {', '.join(map(str, missing))}",
            todo="open the store for writing: they are made then",
        )
    return Finding("constraints", ok=True, found=f"{len(graph_schema.keys(link.names))}, all there")


def _loads(manifest: Manifest) -> Iterator[Finding]:
    for batch in manifest.done:
        report = batch.report
        rows = sum(report.new_rows.values())
        yield Finding(
            f"batch {report.batch_id}",
            ok=True,
            found=f"{report.source}: {rows:,} rows that were new, {sum(report.rejected.values()):,}"
            " rejected",
        )
    if not manifest.settled:
        yield Finding(
            "settled",
            ok=True,
            found="what the last load changes of earlier ones is not applied yet;"
            " the next load, analysis or doctor --rebuild does it",
        )


def _graph(link: Link, manifest: Manifest) -> Iterator[Finding]:
    """Count what is kindred's: none of it a stranger's, none missing, none of no load."""
    loads = {"loads": [b.number for b in manifest.done]}
    nodes = {
        name: _row(link, "doctor_nodes", loads, label=link.names.of(name), load=layout.LOAD)
        for name in NODES
    }
    types = {name: link.names.of(name) for name in EDGES} | {layout.NAMED: layout.NAMED}
    edges = {
        name: _row(link, "doctor_edges", loads, type=type, load=layout.LOAD, said=layout.SAID)
        for name, type in types.items()
    }
    foreign = {name: row["foreign"] for name, row in nodes.items() if row["foreign"]}
    if foreign:
        yield Finding(
            "strangers",
            ok=False,
            found=f"nodes that kindred did not write carry its labels: {_listed(foreign)}",
            todo="give them labels of their own; kindred neither reads nor removes them",
        )
    # Of a load that is going on there may be any number; of no load there must be none.
    stray = {name: row["stray"] for name, row in (nodes | edges).items() if row["stray"]}
    wrong = f"of no load that the store knows: {_listed(stray)}" if stray else ""
    if manifest.settled and not wrong:
        wrong = _missing_rows(edges, manifest)
    if wrong and not manifest.open:
        yield Finding(
            "graph", ok=False, found=wrong, todo="load the exports into an empty database"
        )
        return
    users, ties = nodes["User"]["nodes"], sum(row["edges"] for row in edges.values())
    yield Finding("graph", ok=True, found=f"{users:,} users, {ties:,} relationships")


def _missing_rows(edges: Mapping[str, Mapping[str, int]], manifest: Manifest) -> str:
    """Say where fewer rows are told of by relationships than the loads' reports say were new.

    Those of one table of exports become relationships of one type, but for mentions, which
    also end at names that are no brand's yet. A relationship may tell of one row twice, as two
    loads worded it.
    """
    wrong = []
    for table in _EVENTS:
        told = sum(b.report.new_rows.get(table, 0) for b in manifest.done)
        types = [name for name, edge in EDGES.items() if edge.source == table]
        types += [layout.NAMED] if table == "mentions" else []
        there = sum(edges[name]["said"] for name in types)
        if there < told:
            wrong.append(f"{there:,} of {told:,} {table}")
    return f"it holds only {', '.join(wrong)}" if wrong else ""


def _files(link: Link, manifest: Manifest) -> Iterator[Finding]:
    """Fetch every file that is kept, and compare it with its checksum."""
    kept: dict[str, list[files.Kept]] = {}
    for row in link.read(_text("doctor_files"), wanted=_WANTED).rows():
        kept.setdefault(row.pop("owner"), []).append(files.Kept(**row))
    runs = link.read(_text("doctor_runs"), wanted=_WANTED).rows()
    for run in runs:
        mine = kept.pop(run["owner"], [])
        wrong = _damage(link, mine) if mine else "its tables are gone"
        words = "the active run, " if run["run_id"] == manifest.active else ""
        yield Finding(
            f"run {run['run_id']}",
            ok=not wrong,
            found=wrong or f"{words}{len(mine)} files, as they were kept",
            todo="run: kindred analyse" if wrong else "",
        )
    if manifest.active is not None and all(r["run_id"] != manifest.active for r in runs):
        yield Finding(
            f"run {manifest.active}",
            ok=False,
            found="the active run has no record",
            todo="run: kindred analyse",
        )
    for owner, some in kept.items():
        if wrong := _damage(link, some):
            yield Finding(f"files of {owner}", ok=False, found=wrong)


def _damage(link: Link, some: Sequence[files.Kept]) -> str:
    """Return what is wrong with files; nothing where all are as they were kept."""
    with tempfile.TemporaryDirectory(prefix="kindred-") as folder:
        for file in some:
            path = Path(folder, "file")
            try:
                files.get(link, file, path)
            except KindredError as fault:
                return f"{file.name}: {fault.found}"
            path.unlink()
    return ""


def _writing(link: Link) -> Finding:
    found = holder(link)
    if found is None:
        words = "nobody is writing"
    elif found.gone:
        words = f"left behind by {found.who}; the next writer takes it over"
    else:
        words = f"{found.who} is writing"
    return Finding("lock", ok=True, found=words)


def _leftovers(link: Link, manifest: Manifest) -> Finding:
    """Tell what no finished work names: it harms nobody, and the next writer removes it."""
    left = _row(link, "doctor_left", {})
    found = {
        "loads that did not finish": len(manifest.open),
        "changes that wait": left["changes"],
        "workers of writers that are gone": left["workers"],
        "pieces of files": left["pieces"],
    }
    some = {what: count for what, count in found.items() if count}
    return Finding(
        "leftovers",
        ok=True,
        found=f"{_listed(some)}: of work that goes on or was interrupted; the next load, analysis"
        " or doctor --rebuild removes them"
        if some
        else "none",
    )


def _row(link: Link, name: str, parameters: Mapping[str, Any], **slots: str) -> dict[str, Any]:
    text = cypher.statement(name, "neo4j").named(**slots)
    return link.read(text, parameters, wanted=_WANTED).rows()[0]


def _text(name: str) -> str:
    return cypher.statement(name, "neo4j").text


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())
