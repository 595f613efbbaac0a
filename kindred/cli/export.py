"""`kindred export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from kindred.cli.bar import bar
from kindred.cli.opening import reading
from kindred.cli.options import Database, Debug, Quiet, Run, Store, examples
from kindred.cli.printing import remark
from kindred.suffix import FileFormat, GraphFormat

__all__ = ["register"]


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred export scores -o scores.parquet",
            "kindred export memberships -o memberships.csv",
            "kindred export communities -o communities.jsonl --force",
            "kindred export authority -o authority.txt --format csv",
            "kindred export graph --format neo4j-admin -o import",
        ),
    )(export)


def export(
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE",
            help="scores, memberships, communities, cascades, cascade_edges, authority, "
            "influence, reach, dimensions, scorecard, priors, changes, links, ties, "
            "calibration, calibration_bins, notes, rejects or graph.",
        ),
    ],
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The file to write; of the graph, the folder."
        ),
    ],
    format: Annotated[
        Literal[FileFormat, GraphFormat] | None,
        typer.Option(
            "--format",
            "-f",
            help="By default what the file's suffix says; of the graph, neo4j-admin.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    run: Run = None,
    store: Store = None,
    _database: Database = None,
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Write a table with exactly its declared columns: how other tools read results.

    The file appears complete or not at all. The graph is a folder of files that
    `neo4j-admin database import full` makes a store of, in an empty database.
    """
    with reading(store) as k, bar(quiet=quiet) as progress:
        written = k.export(table, output, format=format, force=force, run=run, progress=progress)
    if not quiet:
        for note in written.notes:
            remark(note)
        told = f"files of the {table}" if table == "graph" else f"rows of {table}"
        remark(f"{len(written):,} {told} in {output}")
        if table == "graph":
            remark(f"import them with: sh {output}/import.sh")
