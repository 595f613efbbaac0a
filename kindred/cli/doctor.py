"""`kindred doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from kindred.cli.bar import bar
from kindred.cli.opening import reading, writing
from kindred.cli.options import Database, Debug, Format, NoWait, Quiet, Store, examples
from kindred.cli.printing import show
from kindred.cli.reporting import FAILED

__all__ = ["register"]

COLUMNS = {"ok": "well", "what": "what", "found": "found", "todo": "to do"}


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples("kindred doctor", "kindred doctor --rebuild"),
    )(doctor)


def doctor(
    *,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the graph anew from what was loaded.")
    ] = False,
    no_wait: NoWait = False,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Check every file of the store, and say what to do about what is wrong.

    Ends with 1 if something is.
    """
    opened = writing(store, wait=not no_wait) if rebuild else reading(store)
    with opened as k, bar(quiet=quiet) as progress:
        found = k.doctor(rebuild=rebuild, progress=progress)
    show(found, format, columns=COLUMNS, quiet=quiet)
    if not all(row["ok"] for row in found):
        raise typer.Exit(FAILED)
