"""`kindred bundle`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kindred.cli.bar import bar
from kindred.cli.opening import reading
from kindred.cli.options import Database, Debug, Quiet, Store, examples
from kindred.cli.printing import remark

__all__ = ["register"]


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred bundle -o paper.zip",
            "kindred bundle -o with-handles.zip --handles",
        ),
    )(bundle)


def bundle(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="Which run.", show_default="the active one"),
    ] = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The zip to write.")
    ],
    handles: Annotated[
        bool, typer.Option("--handles", help="Keep the ids of accounts and contents.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    store: Store = None,
    _database: Database = None,
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Write a run as one file that a paper can name and a reader can compute again.

    Data without texts, every table, figures, a methods text and a citation. Accounts and
    contents go by pseudonyms; the run is computed again under them, which costs an analysis.
    """
    with reading(store) as k, bar(quiet=quiet) as progress:
        written = k.bundle(run, path=output, handles=handles, force=force, progress=progress)
    if not quiet:
        for note in written.notes:
            remark(note)
        remark(f"{len(written)} files in {output}")
        remark(f"compute them again with: kindred replay {output}")
