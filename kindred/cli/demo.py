"""`kindred demo`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kindred.cli.bar import bar
from kindred.cli.options import Debug, Quiet, examples
from kindred.cli.printing import console, remark

__all__ = ["register"]


class Name(StrEnum):
    """The demos."""

    parliament = "parliament"
    world = "world"
    election = "election"


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples("kindred demo", "kindred demo parliament --no-serve"),
    )(demo)


def demo(
    name: Annotated[Name | None, typer.Argument(help="One of them; by default all three.")] = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where stores and pages go.")
    ] = Path("demo-out"),
    serve: Annotated[
        bool,
        typer.Option("--serve/--no-serve", envvar="DEMO_SERVE", help="Show the pages at the end."),
    ] = True,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; another where it is taken.")
    ] = 8765,
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Load, analyse and show three data sets: a parliament, a made world, an election."""
    from kindred.demo.run import index, show

    shown = []
    for one in [name] if name else list(Name):
        with bar(quiet=quiet) as progress:
            done = show(one.value, output, progress)
        console().print(done.answer)
        shown.append(done)
    front = index(output, shown)
    if serve:
        _serve(output, port, quiet=quiet)
    else:
        typer.echo(f"\nPages: {front}")


def _serve(folder: Path, port: int, *, quiet: bool) -> None:
    from kindred.demo.serve import serve_folder

    with serve_folder(folder, port) as server:
        typer.echo(f"\nPages: http://127.0.0.1:{server.server_port}/   (Ctrl-C ends)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            if not quiet:
                remark("\nno longer serving")
