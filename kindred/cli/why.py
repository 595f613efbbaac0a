"""`kindred why`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from kindred.cli.opening import reading
from kindred.cli.options import (
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

SCORE_COLUMNS = {
    "variant": "score",
    "member_count": "members left out",
    "observed": "observed",
    "expected": "expected",
    "lift": "times expected",
    "lift_low": "5 %",
    "lift_high": "95 %",
    "resonance": "% in excess",
    "resonance_low": "low",
    "resonance_high": "high",
    "reason": "why nothing",
}
MEMBER_COLUMNS = {
    "user_id": "member",
    "name": "name",
    "share_count": "shares",
    "part": "part",
    "first_at": "first",
    "last_at": "last",
    "confidence": "confidence",
    "is_bot": "bot",
    "in_step_count": "in step",
}
Part = Literal["score", "parts", "members", "contents"]


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred why u003 --community c1",
            "kindred why u003 --community c1 --part members --format csv",
        ),
    )(why)


def why(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="The source: its id, label or handle.")
    ],
    *,
    community: Annotated[str, typer.Option("--community", metavar="ID", help="The community.")],
    part: Annotated[
        Part | None,
        typer.Option("--part", help="Only this part.", show_default="all in a table, else score"),
    ] = None,
    kind: Kind = None,
    limit: Limit = None,
    run: Run = None,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Say why a source scores as it does in a community.

    The score as it stands, and as it would be without its largest contributor, without the
    1 % of accounts that share in step most often, and without bots; what was expected and
    from what; the members and contents that carry it.
    """
    with reading(store) as k:
        found = k.why(source, community, kind=kind, limit=limited(limit, format), run=run)
        whole = part is None and format == "table"
        if part in {None, "score"}:
            show(found, format, columns=SCORE_COLUMNS, quiet=quiet)
        if whole or part == "parts":
            show(found.parts, format, quiet=quiet)
        if whole or part == "members":
            show(found.members, format, columns=MEMBER_COLUMNS, quiet=quiet)
        if whole or part == "contents":
            show(found.contents, format, quiet=quiet)
