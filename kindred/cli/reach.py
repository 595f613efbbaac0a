"""`kindred reach`."""

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
    Limit,
    Quiet,
    Run,
    Store,
    examples,
)
from kindred.cli.printing import limited, show

__all__ = ["register"]

_FIGURES = {
    "potential_count": "followers",
    "exposed_count": "exposed",
    "exposed_low": "5 %",
    "exposed_high": "95 %",
    "penetration": "of members",
    "conversion": "shared",
}
LISTED = {
    "label": "source",
    "source_kind": "kind",
    "community_id": "community",
    **_FIGURES,
    "mean_distance": "steps away",
    "within_six_share": "within six",
    "basis": "basis",
    "flags": "flags",
}
TOGETHER = {
    "part": "people of",
    "label": "source",
    "with_label": "and",
    "community_id": "community",
    **_FIGURES,
    "exposed_overlap": "counted twice",
    "basis": "basis",
    "flags": "flags",
}


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred reach",
            "kindred reach --community c1 --limit 5",
            "kindred reach u001 u002 u003 --community c1",
        ),
    )(reach)


def reach(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SOURCE]...", help="Sources: ids, labels or handles."),
    ] = None,
    *,
    community: Community = None,
    kind: Kind = None,
    limit: Limit = None,
    run: Run = None,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Count the distinct people that sources reach, each and together.

    Audiences overlap: together, everybody counts once. Without sources, list all of them by
    the people exposed. Where the data say neither who follows whom nor who was shown what,
    reach is a lower bound: the people who were seen to do something with the source.
    """
    with reading(store) as k:
        found = k.reach(
            *(sources or ()),
            community=community,
            kind=kind,
            limit=limited(limit, format),
            run=run,
        )
        show(found, format, columns=TOGETHER if sources else LISTED, quiet=quiet)
