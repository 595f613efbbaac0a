"""From a store's address to the backend that keeps it."""

from __future__ import annotations

from pathlib import Path

from engine.contract import Backend
from engine.errors import UsageError
from engine.server import SCHEMES, Server, check_address, is_server

__all__ = ["asks_server", "connect"]


def connect(
    store: str | Path,
    *,
    create: bool = True,
    read_only: bool = False,
    wait: bool = True,
    server: Server | None = None,
) -> Backend:
    """Open the store at an address: a folder, or a Neo4j server.

    Parameters
    ----------
    store
        A folder's path, or an address such as `neo4j://localhost:7687`.
    create
        Make the store where there is none; otherwise `StoreMissing` is raised.
    read_only
        Never write, not even a lock.
    wait
        Wait for another process that is writing; otherwise `StoreLocked` is raised.
    server
        Database, name and password, where the address names a server, or the folder holds
        the runs over a graph on one.

    Raises
    ------
    UsageError
        If the address has a scheme that no store has.
    """
    address = str(store)
    server = server or Server()
    found = _opened(address, server, create=create, read_only=read_only, wait=wait)
    mapping = found.mapping()
    if mapping is None:
        return found
    from engine.backends.neo4j.adopted import AdoptedStore

    return AdoptedStore.over(found, mapping, address, server)


def asks_server(store: str | Path) -> bool:
    """Say whether a server is asked: at that address, or for a graph that a folder maps."""
    if is_server(str(store)):
        return True
    from engine.backends.embedded.layout import Layout

    return Layout(_folder(str(store))).adopted.exists()


def _opened(address: str, server: Server, *, create: bool, read_only: bool, wait: bool) -> Backend:
    if is_server(address):
        from engine.backends.neo4j.store import Neo4jStore

        return Neo4jStore.open(
            check_address(address),
            server,
            create=create,
            read_only=read_only,
            wait=wait,
        )
    if "://" in address and not address.startswith("file://"):
        scheme = address.split("://", 1)[0]
        raise UsageError(
            f"a store at {scheme}://…",
            f"stores are folders or servers, whose addresses begin with {', '.join(SCHEMES)}",
            "give a folder, such as --store ./kindred-data, or --store neo4j://localhost",
        )
    from engine.backends.embedded.store import EmbeddedStore

    found = EmbeddedStore.open(_folder(address), create=create, read_only=read_only)
    found.no_wait = found.no_wait or not wait
    return found


def _folder(address: str) -> Path:
    return Path(address.removeprefix("file://"))
