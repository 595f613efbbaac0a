"""`kindred influence`."""

from __future__ import annotations

from typing import Annotated

import typer

from kindred.cli.opening import reading
from kindred.cli.options import Database, Debug, Format, Kind, Limit, Quiet, Run, Store, examples
from kindred.cli.printing import limited, show

__all__ = ["register"]

COLUMNS = {
    "label": "source",
    "source_kind": "kind",
    "community_id": "home",
    "followers_count": "followers",
    "reach_count": "reach",
    "share_count": "shares",
    "sharer_count": "sharers",
    "attention_count": "attention",
    "attention_inside_count": "inside",
    "attention_across_count": "across",
    "authority": "authority",
    "authority_recent": "recent",
    "brokerage": "brokerage",
    "influence": "percentile",
    "influence_basis": "of",
}


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred influence",
            "kindred influence --kind user --community c1 --limit 5",
            "kindred influence --format csv",
        ),
    )(influence)


def influence(
    source: Annotated[
        str | None, typer.Argument(metavar="[SOURCE]", help="One source: its id, label or handle.")
    ] = None,
    *,
    kind: Kind = None,
    community: Annotated[
        str | None,
        typer.Option("--community", metavar="ID", help="Only users at home in this community."),
    ] = None,
    limit: Limit = None,
    run: Run = None,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """List sources by how loud they are: raw counts, never part of a score.

    Attention is who mentioned, replied or did something unknown; it is not sharing. Recent is
    authority on ties that halve every 30 days; brokerage says how evenly a user's ties lie
    over communities, 0 with all in one.
    """
    with reading(store) as k:
        found = k.influence(
            source, kind=kind, community=community, limit=limited(limit, format), run=run
        )
        show(found, format, columns=COLUMNS, quiet=quiet)
