"""`kindred remove`."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from engine.errors import UsageError
from kindred.cli.bar import bar
from kindred.cli.opening import writing
from kindred.cli.options import Database, Debug, Format, NoWait, Quiet, Store, examples
from kindred.cli.printing import show

__all__ = ["register"]

COLUMNS: Final = {"what": "removed", "count": "how many"}


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred remove --results --yes", "kindred remove --all --yes --store last-week"
        ),
    )(remove)


def remove(
    *,
    results: Annotated[
        bool, typer.Option("--results", help="All runs, and what of them is in the graph.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="All that kindred wrote there: the store itself.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    no_wait: NoWait = False,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Take out what kindred wrote, and nothing else; say what went.

    A database that also holds somebody's own data is then as it was before.
    """
    if results == every:
        raise UsageError(
            "to remove something",
            "both --results and --all" if every else "neither --results nor --all",
            "say one of them",
        )
    with writing(store, wait=not no_wait) as k:
        if not yes:
            many = len(k.runs())
            _ask(f"{many} run{'' if many == 1 else 's'}{' and the whole store' if every else ''}")
        with bar(quiet=quiet) as progress:
            gone = k.remove("all" if every else "results", progress=progress)
    show(gone, format, columns=COLUMNS, quiet=quiet)


def _ask(what: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            f"to remove {what}", "nobody is there to be asked", "if you mean it, add --yes"
        )
    typer.confirm(f"Remove {what}? This cannot be undone", abort=True, err=True)
