"""`kindred cascades`."""

from __future__ import annotations

from typing import Annotated

import typer

from kindred.cli.opening import reading
from kindred.cli.options import Database, Debug, Format, Limit, Quiet, Run, Store, examples
from kindred.cli.printing import limited, show

__all__ = ["register"]

COLUMNS = {
    "content_id": "content",
    "author_id": "author",
    "community_id": "home",
    "share_count": "shares",
    "parent_method": "parents",
    "parent_known_share": "given",
    "parent_inferred_share": "inferred",
    "depth_max": "depth",
    "depth_low": "from",
    "depth_high": "to",
    "breadth_max": "breadth",
    "structural_virality": "virality",
    "communities_count": "communities",
    "home_share": "at home",
    "half_life_seconds": "half-life s",
    "flags": "flags",
}
SHARER_COLUMNS = {
    "at": "at (UTC)",
    "user_id": "who",
    "parent_user_id": "from whom",
    "depth": "depth",
    "community_id": "community",
    "parent_method": "parent",
}


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred cascades",
            "kindred cascades --community c1 --limit 5",
            "kindred cascades --format parquet > cascades.parquet",
        ),
    )(cascades)


def cascades(
    content: Annotated[
        str | None, typer.Argument(metavar="[CONTENT]", help="Who passed on this content.")
    ] = None,
    *,
    community: Annotated[
        str | None,
        typer.Option("--community", metavar="ID", help="Only by authors of this community."),
    ] = None,
    limit: Limit = None,
    run: Run = None,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """List how contents travelled, most shared first, or who passed one on.

    Whom a share came from is given by the data (via), or inferred: the latest earlier poster
    whom the sharer follows (follows), or turned to most before (interaction). Depth, breadth
    and virality are null where too little of that is known, so always where an export names
    only the first author and holds no follows. Where most is inferred, depth is the median of
    20 likely trees, with the range of nine in ten of them; a range wider than a factor of two
    hides the median.
    """
    with reading(store) as k:
        found = k.cascades(content, community=community, limit=limited(limit, format), run=run)
        columns = COLUMNS if content is None else SHARER_COLUMNS
        show(found, format, columns=columns, quiet=quiet)
