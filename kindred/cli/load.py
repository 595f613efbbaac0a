"""`kindred load`."""

from __future__ import annotations

from glob import has_magic
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from kindred.cli.bar import bar
from kindred.cli.opening import writing
from kindred.cli.options import Database, Debug, Format, NoWait, Quiet, Store, examples
from kindred.cli.printing import show
from kindred.cli.reporting import REJECTED

__all__ = ["register"]

COLUMNS = {
    "source": "source",
    "format": "format",
    "already_loaded": "known already",
    "table": "table",
    "rows": "rows",
    "new_rows": "new",
    "reason": "rejected because",
}
EdgeKind = Literal["unknown", "share", "quote", "like", "reply", "mention", "follow"]
Objects = Literal["content", "hashtag", "url", "domain", "image"]


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred load export",
            'kindred load edges.csv --kind mention --direction "from engages to"',
            "kindred load 'export*' --strict --store other-store",
        ),
    )(load)


def load(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files, or folders of canonical tables.")
    ],
    *,
    from_format: Annotated[
        str | None,
        typer.Option(
            "--from-format",
            metavar="NAME",
            help="What the file is; see: kindred formats.",
            show_default="the file says it",
        ),
    ] = None,
    source_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Edge list: who acts.")
    ] = None,
    target_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Edge list: towards whom.")
    ] = None,
    weight_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Edge list: how often.")
    ] = None,
    time_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Edge list: when.")
    ] = None,
    direction: Annotated[
        str | None,
        typer.Option(
            metavar="SENTENCE",
            help='Edge list: who acts, such as "from engages to"; or forward, reversed.',
        ),
    ] = None,
    kind: Annotated[EdgeKind | None, typer.Option(help="Edge list: what was done.")] = None,
    ids: Annotated[
        Literal["id", "handle"] | None,
        typer.Option(help="Edge list: what the columns hold.", show_default="the cells show it"),
    ] = None,
    header: Annotated[
        Literal["yes", "no"] | None,
        typer.Option(
            help="Edge list: whether there is one.", show_default="the first line shows it"
        ),
    ] = None,
    objects: Annotated[
        Objects | None,
        typer.Option(help="CooRTweet: what the objects are.", show_default="the ids show it"),
    ] = None,
    platform: Annotated[
        str | None, typer.Option(metavar="NAME", help="The platform that the ids belong to.")
    ] = None,
    brands: Annotated[
        Literal["domains"] | None, typer.Option(help="Take every domain for a brand.")
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Of times that name none.", show_default="UTC"),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the text.", show_default="UTF-8")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 3 if rows were rejected.")
    ] = False,
    no_wait: NoWait = False,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Load exports into the store: each file as a whole or not at all, and only once.

    Rows that cannot be read are kept with their line and the reason: kindred export rejects.
    """
    given: dict[str, Any] = {
        "source_column": source_column,
        "target_column": target_column,
        "weight_column": weight_column,
        "time_column": time_column,
        "direction": direction,
        "kind": kind,
        "ids": ids,
        "header": header,
        "objects": objects,
        "platform": platform,
        "brands": brands,
        "timezone": timezone,
        "encoding": encoding,
    }
    options = {name: value for name, value in given.items() if value is not None}
    _look_at(paths, encoding)
    with writing(store, create=True, wait=not no_wait) as k:
        with bar(quiet=quiet) as progress:
            loaded = k.load(*paths, format=from_format, progress=progress, **options)
        show(loaded, format, columns=COLUMNS, quiet=quiet)
    if strict and any(row["reason"] for row in loaded):
        raise typer.Exit(REJECTED)


def _look_at(paths: list[str], encoding: str | None) -> None:
    """Refuse what is missing before a store is made for it."""
    from loaders.source import peek

    for path in map(Path, paths):
        if not path.is_dir() and (path.exists() or not has_magic(str(path))):
            peek(path, encoding)
