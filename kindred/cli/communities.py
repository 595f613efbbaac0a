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
    "stability": "stability",
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
    "stability": "stability",
}
CHANGE_COLUMNS = {
    "event": "what became of it",
    "community_id": "id",
    "other_ids": "from, or into",
    "member_count": "members now",
    "before_count": "members then",
    "overlap": "overlap",
}
Verdict = Literal["kindred", "not_kindred", "undetermined"]


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred communities",
            "kindred communities --verdict kindred --format csv",
            "kindred communities --level 0",
            "kindred communities --changes",
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
    level: Annotated[
        int,
        typer.Option(
            "--level",
            min=0,
            max=2,
            help="1: what is judged and scored; 0: what joins them; 2: their parts.",
        ),
    ] = 1,
    changes: Annotated[
        bool,
        typer.Option(
            "--changes", help="What became of the communities of the run before, instead."
        ),
    ] = False,
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
    communities of rewired graphs do. Ids stay from run to run: --changes says what became of
    each.
    """
    if changes and community is not None:
        raise typer.BadParameter("--changes is about all communities: leave the ID out")
    if members and community is None:
        raise typer.BadParameter("--members needs the ID of a community")
    with reading(store) as k:
        if changes:
            found = k.changes(limit=limited(limit, format), run=run)
            show(found, format, columns=CHANGE_COLUMNS, quiet=quiet)
            return
        if members and community is not None:
            found = k.members(community, limit=limited(limit, format), run=run)
            show(found, format, columns=MEMBER_COLUMNS, quiet=quiet)
            return
        found = k.communities(
            community, verdict=verdict, level=level, limit=limited(limit, format), run=run
        )
        show(found, format, columns=COLUMNS, words={"verdict": verdict_word}, quiet=quiet)
        if community is not None and format == "table":
            people = k.members(community, limit=limited(limit, format), run=run)
            show(people, format, columns=MEMBER_COLUMNS, quiet=quiet)
