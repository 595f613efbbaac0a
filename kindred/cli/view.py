"""`kindred view`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kindred.cli.bar import bar
from kindred.cli.opening import reading
from kindred.cli.options import Database, Debug, Quiet, Run, Store, examples
from kindred.cli.printing import remark

__all__ = ["register"]


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples("kindred view -o pages"),
    )(view)


def view(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the pages go.")
    ] = Path("kindred-pages"),
    open: Annotated[
        bool, typer.Option("--open", help="Open the first page in the browser.")
    ] = False,
    run: Run = None,
    store: Store = None,
    _database: Database = None,
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Write pages that open offline: community map, communities, cascades, quadrants."""
    with reading(store) as k, bar(quiet=quiet) as progress:
        pages = k.view(output, run=run, progress=progress)
    front = output / "index.html"
    if not quiet:
        for note in pages.notes:
            remark(note)
        remark(f"{len(pages):,} files in {output}")
    typer.echo(str(front))
    if open:
        typer.launch(str(front))
