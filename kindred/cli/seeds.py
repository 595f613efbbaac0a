"""`kindred seeds`."""

from __future__ import annotations

from typing import Annotated

import typer

from kindred.cli.bar import bar
from kindred.cli.opening import reading
from kindred.cli.options import Database, Debug, Format, Kind, Quiet, Run, Store, examples
from kindred.cli.printing import show

__all__ = ["register"]

COLUMNS = {
    "ranking": "list",
    "rank": "rank",
    "label": "whom to talk to",
    "user_id": "id",
    "is_member": "member",
    "followers_count": "followers there",
    "moved": "moved up to here",
    "moved_low": "5 %",
    "moved_high": "95 %",
}


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred seeds c1 --source u001",
            "kindred seeds c1 --source u001 --count 5 --format csv",
        ),
    )(seeds)


def seeds(
    community: Annotated[str, typer.Argument(metavar="COMMUNITY", help="Which community.")],
    *,
    source: Annotated[
        str,
        typer.Option("--source", metavar="SOURCE", help="Whose posts: an id, label or handle."),
    ],
    count: Annotated[int, typer.Option("--count", min=1, max=100, help="How many people.")] = 10,
    kind: Kind = None,
    run: Run = None,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Choose whom to talk to, so that a source moves a community (experimental).

    The choice stands beside the people most resonant and most authoritative there, each list
    spread by the same model. It needs to be known who follows whom.
    """
    with reading(store) as k:
        with bar(quiet=quiet) as progress:
            found = k.seeds(
                community, source=source, count=count, kind=kind, run=run, progress=progress
            )
        show(found, format, columns=COLUMNS, quiet=quiet)
