"""Options that several commands share, declared once, and the examples in their help."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Annotated, Final, Literal

import typer

__all__ = [
    "DATABASE",
    "SHOWN",
    "Community",
    "Database",
    "Debug",
    "Format",
    "Kind",
    "Limit",
    "NoWait",
    "Quiet",
    "RowFormat",
    "Run",
    "Store",
    "examples",
]

RowFormat = Literal["table", "csv", "json", "jsonl", "parquet"]


DATABASE: Final = ContextVar[str | None]("database", default=None)
"""Which database of a server the command that runs was given; read where the store is opened."""


def _naming(value: str | None) -> str | None:
    DATABASE.set(value)
    return value


def _debugging(ctx: typer.Context, value: bool) -> bool:
    """Tell whoever reports errors, even of options that are parsed later."""
    if value:
        ctx.find_root().ensure_object(dict)["debug"] = True
    return value


Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="KINDRED_STORE",
        metavar="FOLDER|URL",
        help="Where the store is: a folder, or a server such as neo4j://localhost:7687.",
        show_default="./kindred-data",
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="KINDRED_DATABASE",
        is_eager=True,
        callback=_naming,
        metavar="NAME",
        help="Which database of a server.",
        show_default="its home database",
    ),
]
Run = Annotated[
    str | None,
    typer.Option("--run", metavar="RUN", help="Which run.", show_default="the active one"),
]
Format = Annotated[
    RowFormat, typer.Option("--format", "-f", help="How rows are printed; parquet into a pipe.")
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", "-n", min=1, help="Most rows.", show_default="20 in a table, else all"),
]
Kind = Annotated[
    str | None,
    typer.Option(
        "--kind", metavar="KIND", help="Only sources of this kind: user, brand, domain, ..."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no remarks.")]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug", is_eager=True, callback=_debugging, help="Show the traceback of an error."
    ),
]
Community = Annotated[
    str | None, typer.Option("--community", metavar="ID", help="Only this community.")
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Give up if another process is writing.")]

SHOWN: Final = 20
"""Rows of a table where no --limit is given."""


def examples(*commands: str) -> str:
    """Return the epilogue of a help page."""
    return "\n\n".join(["Examples:", *(f"$ {command}" for command in commands)])
