"""`kindred runs`."""

from __future__ import annotations

import typer

from kindred.cli.opening import reading
from kindred.cli.options import Database, Debug, Format, Quiet, Store, examples
from kindred.cli.printing import show

__all__ = ["register"]

COLUMNS = {
    "run_id": "run",
    "created_at": "made at (UTC)",
    "active": "active",
    "stale": "stale",
    "since": "since",
    "until": "until",
    "tier": "tier",
    "seed": "seed",
    "seconds": "seconds",
    "counts": "counts",
}


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples("kindred runs", "kindred runs --format json"),
    )(runs)


def runs(
    *,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """List the runs, newest first.

    A run is one analysis over what was loaded by then. Reading commands take the active
    one, or another by --run. A stale run was written by another version: analyse again.
    """
    with reading(store) as k:
        show(k.runs(), format, columns=COLUMNS, quiet=quiet)
