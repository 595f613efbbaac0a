"""`kindred communities`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from engine.wording import verdict_word
from kindred.cli.opening import reading
from kindred.cli.options import Database, Debug, Format, Limit, Quiet, Run, Store, examples
from kindred.cli.printing import limited, show

__all__ = ["register"]

COLUMNS = {
    "community_id": "id",
    "label": "shares or engages with most",
    "kind": "kind",
    "member_count": "members",
    "share_count": "shares",
    "inside_share": "ties inside",
    "verdict": "verdict",
    "q_value": "q",
    "platforms": "platforms",
    "traits": "labels",
}
MEMBER_COLUMNS = {
    "rank": "rank",
    "user_id": "user",
    "name": "name",
    "handle": "handle",
    "platform": "platform",
    "followers_count": "followers",
    "authority": "authority inside",
    "confidence": "confidence",
}
Verdict = Literal["kindred", "not_kindred", "undetermined"]


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred communities",
            "kindred communities --verdict kindred --format csv",
            "kindred communities c1",
            "kindred communities c1 --members --limit 5",
        ),
    )(communities)


def communities(
    community: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One community, such as c1.")
    ] = None,
    *,
    members: Annotated[
        bool, typer.Option("--members", help="List its members instead, by authority inside.")
    ] = False,
    verdict: Annotated[
        Verdict | None, typer.Option("--verdict", help="Only those with this verdict.")
    ] = None,
    limit: Limit = None,
    run: Run = None,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """List communities, largest first, or show one and its members.

    A community is kindred if it holds together better on ties it has not seen than
    communities of rewired graphs do.
    """
    if members and community is None:
        raise typer.BadParameter("--members needs the ID of a community")
    with reading(store) as k:
        if members and community is not None:
            found = k.members(community, limit=limited(limit, format), run=run)
            show(found, format, columns=MEMBER_COLUMNS, quiet=quiet)
            return
        found = k.communities(community, verdict=verdict, limit=limited(limit, format), run=run)
        show(found, format, columns=COLUMNS, words={"verdict": verdict_word}, quiet=quiet)
        if community is not None and format == "table":
            people = k.members(community, limit=limited(limit, format), run=run)
            show(people, format, columns=MEMBER_COLUMNS, quiet=quiet)
