"""`kindred query`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from kindred.cli.opening import reading
from kindred.cli.options import Database, Debug, Format, Quiet, Store, examples
from kindred.cli.printing import show

__all__ = ["parameters", "register"]


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred query 'MATCH (u:User) RETURN count(u) AS users'",
            "kindred query 'MATCH (u:User) WHERE u.followers_count > $least RETURN u.user_id "
            "ORDER BY u.user_id' --param least=100 --limit 5",
        ),
    )(query)


def query(
    cypher: Annotated[str, typer.Argument(metavar="CYPHER", help="A reading statement.")],
    *,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            metavar="NAME=VALUE",
            help="A value for $NAME: JSON (5, true, [1,2]), else text.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Most rows.")] = 10_000,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Ask the graph in Cypher, read-only.

    Values belong into --param, never into the statement.
    """
    given = parameters(param or [])
    with reading(store) as k:
        show(k.query(cypher, given, limit=limit), format, quiet=quiet)


def parameters(pairs: list[str]) -> dict[str, Any]:
    """Read `name=value` pairs; a value that is not JSON is text.

    Examples
    --------
    >>> parameters(["least=100", "handle=ann", 'name="5"'])
    {'least': 100, 'handle': 'ann', 'name': '5'}
    """
    import orjson

    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"'{pair}' is not NAME=VALUE")
        try:
            found[name] = orjson.loads(value)
        except orjson.JSONDecodeError:
            found[name] = value
    return found
