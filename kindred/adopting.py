"""Adopt a graph: the settings it is reached with, and what was understood as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from engine.adopt import BESIDE, Adopted
from engine.adopt import adopt as adopt_graph
from engine.errors import UsageError
from engine.model import COUNT, TEXT
from engine.progress import Progress
from engine.server import Server
from kindred.result import Result
from kindred.settings import Settings

__all__ = ["adopt"]

_UNDERSTOOD = pa.schema(
    [
        ("option", TEXT),
        ("path", TEXT),
        ("says", TEXT),
        ("rows", COUNT),
        ("left_out", COUNT),
        ("remarks", pa.list_(TEXT)),
    ]
)


def adopt(
    store: str | None,
    paths: Mapping[str, Sequence[str]],
    *,
    results: str | Path | None,
    publish: bool,
    dry_run: bool,
    platform: str,
    database: str | None,
    server: Server | None,
    wait: bool,
    progress: Progress,
) -> Result:
    """Adopt a graph; see `kindred.facade.Kindred.adopt`."""
    if publish and results is not None:
        raise UsageError(
            "to adopt a graph",
            "both a place of results and the graph's own database",
            "leave out --results or --publish",
        )
    settings = Settings()
    if server is None:
        server = settings.server(database)
    elif database is not None:
        server = replace(server, database=database)
    found = adopt_graph(
        store or settings.store,
        paths,
        results=BESIDE if publish else None if results is None else str(results),
        dry_run=dry_run,
        platform=platform,
        server=server,
        wait=wait,
        progress=progress,
    )
    return Result(_rows(found), "the graph as it was understood", notes=_next(found))


def _rows(found: Adopted) -> pa.Table:
    rows = [
        {
            "option": one.option,
            "path": one.path,
            "says": one.says,
            "rows": one.rows,
            "left_out": one.left_out,
            "remarks": list(one.remarks),
        }
        for one in found.understood
    ]
    return pa.Table.from_pylist(rows, _UNDERSTOOD)


def _next(found: Adopted) -> tuple[str, ...]:
    if found.store is None:
        return ("nothing was kept; name the place of results to go on: --results or --publish",)
    database = f" --database {found.database}" if found.database else ""
    return (f"next: kindred analyse --store {found.store}{database}",)
