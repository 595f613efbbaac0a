"""`kindred adopt`."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from kindred.cli.bar import bar
from kindred.cli.opening import asking
from kindred.cli.options import DATABASE, Database, Debug, Format, NoWait, Quiet, Store, examples
from kindred.cli.printing import show

__all__ = ["register"]

COLUMNS: Final = {
    "option": "option",
    "says": "understood, such as",
    "rows": "rows",
    "left_out": "left out",
    "remarks": "remarks",
}
_NODE: Final = "NODE"
_PATH: Final = "PATH"


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            'kindred adopt --store neo4j://localhost --users "(:Person {user_id: name})" '
            '--shares "(:Person)-[:RETWEETED {at: when}]->(:Tweet)" --dry-run',
            'kindred adopt --store neo4j://localhost --shares "(:User)-[:POSTS]->'
            '(:Tweet {at: created_at})-[:RETWEETS]->(:Tweet)" --publish',
        ),
    )(adopt)


def adopt(
    *,
    users: Annotated[
        list[str] | None, typer.Option(metavar=_NODE, help="People, such as (:Person).")
    ] = None,
    content: Annotated[
        list[str] | None, typer.Option(metavar=_NODE, help="What can be shared.")
    ] = None,
    posts: Annotated[
        list[str] | None, typer.Option(metavar=_PATH, help="From people to what they made.")
    ] = None,
    shares: Annotated[
        list[str] | None, typer.Option(metavar=_PATH, help="From people to what they passed on.")
    ] = None,
    likes: Annotated[
        list[str] | None, typer.Option(metavar=_PATH, help="From people to what they liked.")
    ] = None,
    replies: Annotated[
        list[str] | None, typer.Option(metavar=_PATH, help="From people to what they answered.")
    ] = None,
    mentions: Annotated[
        list[str] | None, typer.Option(metavar=_PATH, help="From people to whom they named.")
    ] = None,
    follows: Annotated[
        list[str] | None, typer.Option(metavar=_PATH, help="From people to whom they follow.")
    ] = None,
    interactions: Annotated[
        list[str] | None,
        typer.Option(metavar=_PATH, help="From people to people, where no content is named."),
    ] = None,
    topics: Annotated[
        list[str] | None, typer.Option(metavar=_PATH, help="From contents to topics.")
    ] = None,
    brands: Annotated[list[str] | None, typer.Option(metavar=_NODE, help="Brands.")] = None,
    accounts: Annotated[
        list[str] | None, typer.Option(metavar=_PATH, help="From people to their brand.")
    ] = None,
    platform: Annotated[
        str, typer.Option(metavar="NAME", help="First part of ids: NAME:key.")
    ] = "graph",
    results: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="Where runs go: a database of the server, ./a-folder, or another server.",
        ),
    ] = None,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="They go beside the graph, into nodes of kindred's own."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be understood.")
    ] = False,
    no_wait: NoWait = False,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Read somebody's own graph on a Neo4j server as a store, without a copy.

    A path names their labels and types; in braces stands which column of kindred's a
    property fills: {at: when}. Nothing of their graph is ever written to.
    """
    from kindred.facade import Kindred
    from kindred.settings import Settings

    paths = {
        "users": users, "content": content, "posts": posts, "shares": shares, "likes": likes,
        "replies": replies, "mentions": mentions, "follows": follows,
        "interactions": interactions, "topics": topics, "brands": brands, "accounts": accounts,
    }  # fmt: skip
    given: dict[str, Any] = {name: said for name, said in paths.items() if said}
    with bar(quiet=quiet) as progress:
        found = asking(
            Settings().server(DATABASE.get()),
            lambda server: Kindred.adopt(
                store,
                results=results,
                publish=publish,
                dry_run=dry_run,
                platform=platform,
                server=server,
                wait=not no_wait,
                progress=progress,
                **given,
            ),
        )
    show(found, format, columns=COLUMNS, quiet=quiet)
