"""`kindred replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kindred.cli.bar import bar
from kindred.cli.options import Debug, Format, Quiet, examples
from kindred.cli.printing import show

__all__ = ["register"]

COLUMNS = {
    "table": "table",
    "rows": "rows",
    "same": "same",
    "digest": "SHA-256 of what it says",
    "difference": "first difference",
}


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples("kindred replay paper.zip"),
    )(replay)


def replay(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="A bundle, written by kindred bundle.")
    ],
    *,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Compute the run of a bundle again, and say of every table whether it comes out the same.

    Works in a store of its own that is gone afterwards. Ends with 1 where a table differs.
    """
    from kindred.facade import Kindred

    with bar(quiet=quiet) as progress:
        found = Kindred.replay(path, progress=progress)
    show(found, format, columns=COLUMNS, quiet=quiet)
    if not all(row["same"] for row in found):
        raise typer.Exit(1)
