"""`kindred formats`."""

from __future__ import annotations

import typer

from kindred.cli.options import Debug, Format, Quiet, examples
from kindred.cli.printing import show

__all__ = ["register"]

COLUMNS = {
    "name": "name",
    "about": "what it is",
    "told_by": "told by",
    "cannot_say": "cannot say",
    "options": "options",
}


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples("kindred formats", "kindred formats --format json"),
    )(formats)


def formats(format: Format = "table", quiet: Quiet = False, _debug: Debug = False) -> None:
    """List the formats that can be loaded, and how each is told from the others."""
    from kindred.facade import Kindred

    show(Kindred.formats(), format, columns=COLUMNS, quiet=quiet)
