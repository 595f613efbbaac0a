"""Open the store a command names; ask for a password where a server wants one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import typer

from kindred.cli.options import DATABASE

if TYPE_CHECKING:
    from engine.server import Server
    from kindred.facade import Kindred

__all__ = ["asking", "reading", "writing"]

_T = TypeVar("_T")


def reading(store: str | None) -> Kindred:
    """Open a store that is there; nothing of it changes."""
    return _opened(store, create=False, wait=True)


def writing(store: str | None, *, create: bool = False, wait: bool = True) -> Kindred:
    """Open a store for writing; with `create`, make it where there is none."""
    return _opened(store, create=create, wait=wait)


def _opened(store: str | None, *, create: bool, wait: bool) -> Kindred:
    from engine.connect import asks_server
    from kindred.facade import connect
    from kindred.settings import Settings

    settings = Settings()
    address = store or settings.store
    if not asks_server(address):
        return connect(address, create=create, wait=wait)
    return asking(
        settings.server(DATABASE.get()),
        lambda server: connect(address, create=create, wait=wait, server=server),
    )


def asking(server: Server, call: Callable[[Server], _T]) -> _T:
    """Call with a server; where it refuses for want of a password, ask for one and try again."""
    from engine.errors import AccessDenied

    try:
        return call(server)
    except AccessDenied:
        if server.password is not None or not sys.stdin.isatty():
            raise
        return call(_asked(server))


def _asked(server: Server) -> Server:
    """Ask whoever sits there; what is typed is neither shown nor kept."""
    user = server.user or typer.prompt("user", default="neo4j", err=True)
    password = typer.prompt(f"password of {user}", hide_input=True, err=True)
    return replace(server, user=user, password=password)
