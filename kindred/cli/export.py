"""`kindred export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kindred.cli.opening import reading
from kindred.cli.options import Debug, Quiet, Run, Store, examples
from kindred.cli.printing import remark
from kindred.suffix import FileFormat

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
        ),
    )(export)


def export(
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE",
            help="scores, memberships, communities, cascades, cascade_edges, authority, "
            "influence, links, ties, calibration, calibration_bins, notes or rejects.",
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")
    ],
    format: Annotated[
        FileFormat | None,
        typer.Option("--format", "-f", help="By default what the file's suffix says."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    run: Run = None,
    store: Store = None,
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Write a table with exactly its declared columns: how other tools read results.

    The file appears complete or not at all.
    """
    with reading(store) as k:
        written = k.export(table, output, format=format, force=force, run=run)
    if not quiet:
        for note in written.notes:
            remark(note)
        remark(f"{len(written):,} rows of {table} in {output}")
