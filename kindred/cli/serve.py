"""`kindred serve`."""

from __future__ import annotations

from typing import Annotated

import typer

from kindred.cli.opening import reading
from kindred.cli.options import Database, Debug, Quiet, Store, examples
from kindred.cli.printing import remark

__all__ = ["register"]


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples("kindred serve", "kindred serve --port 0 --open"),
    )(serve)


def serve(
    *,
    host: Annotated[
        str | None,
        typer.Option(
            envvar="KINDRED_HOST",
            help="Where to listen; loopback only.",
            show_default="127.0.0.1",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            envvar="KINDRED_PORT",
            help="0 takes a free one.",
            show_default="8765",
        ),
    ] = None,
    open: Annotated[
        bool, typer.Option("--open", help="Open the front page in the browser.")
    ] = False,
    store: Store = None,
    _database: Database = None,
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Serve the pages and the API of a store on this machine until Ctrl-C.

    The server follows: a run published while it serves is what it answers with next.
    """
    from api.server import listening, serve_until_stopped
    from kindred.settings import Settings

    settings = Settings()
    host = settings.host if host is None else host
    port = settings.port if port is None else port
    with (
        listening(host, port, contained=settings.contained) as (socket, address),
        reading(store) as k,
    ):
        if not quiet:
            remark(
                f"serving {store or settings.store} on {address}/ (API: {address}/v1; Ctrl-C ends)"
            )
        if open:
            typer.launch(f"{address}/")
        serve_until_stopped(k.backend, socket)
    if not quiet:
        remark("stopped")
