"""From a store's address to the backend that keeps it."""

from __future__ import annotations

from pathlib import Path

from engine.contract import Backend
from engine.errors import UsageError

__all__ = ["connect"]


def connect(
    store: str | Path, *, create: bool = True, read_only: bool = False, wait: bool = True
) -> Backend:
    """Open the store at an address: a folder, for now.

    Parameters
    ----------
    store
        A folder's path. An address with a scheme names a server.
    create
        Make the store where there is none; otherwise `StoreMissing` is raised.
    read_only
        Never write, not even the lock file.
    wait
        Wait for another process that is writing; otherwise `StoreLocked` is raised.
    """
    address = str(store)
    if "://" in address and not address.startswith("file://"):
        scheme = address.split("://", 1)[0]
        raise UsageError(
            f"a store at {scheme}://…",
            "this version keeps stores in folders only",
            "give a folder, such as --store ./kindred-data",
        )
    from engine.backends.embedded.store import EmbeddedStore

    found = EmbeddedStore.open(
        Path(address.removeprefix("file://")), create=create, read_only=read_only
    )
    found.no_wait = found.no_wait or not wait
    return found
