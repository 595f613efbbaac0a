"""`kindred scorecard`."""

from __future__ import annotations

from typing import Annotated

import typer

from kindred.cli.opening import reading
from kindred.cli.options import (
    Community,
    Database,
    Debug,
    Format,
    Kind,
    Quiet,
    Run,
    Store,
    examples,
)
from kindred.cli.printing import show

__all__ = ["register"]

COLUMNS = {
    "row": "element",
    "element": "figure",
    "value": "value",
    "low": "5 %",
    "high": "95 %",
    "unit": "unit",
    "range": "range",
    "n": "n",
    "reason": "why nothing",
}


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred scorecard u003",
            "kindred scorecard u003 --community c1 --format csv",
        ),
    )(scorecard)


def scorecard(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="The source: its id, label or handle.")
    ],
    *,
    community: Community = None,
    kind: Kind = None,
    run: Run = None,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Give every element of the integration model for a source.

    Each figure has a range, a unit, the columns it came from and of how many it was counted.
    What the data cannot tell is empty and says why; nothing is put in its place.
    """
    with reading(store) as k:
        found = k.scorecard(source, community=community, kind=kind, run=run)
        show(found, format, columns=COLUMNS, quiet=quiet)
