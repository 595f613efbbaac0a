"""Every error a user can meet, as one tree.

    KindredError
    ├── UsageError            the call itself is wrong (exit code 2)
    ├── InputError            a file cannot be read as what it claims to be
    │   ├── UnknownFormat     no loader recognises the file
    │   ├── WrongColumns      a required column is missing
    │   └── MangledIds        a spreadsheet has turned ids into rounded numbers
    ├── StoreError            the store cannot be used
    │   ├── StoreMissing      there is none at this place
    │   ├── StoreNewer        a newer kindred wrote it
    │   ├── StoreLocked       another process is writing
    │   ├── StoreDamaged      a file is missing or unreadable
    │   ├── DiskFull          nothing was written
    │   └── ServerError       a database server does not do what is asked
    │       ├── ServerAway        it cannot be reached, or did not answer in time
    │       ├── AccessDenied      wrong name or password, or a right is missing
    │       ├── MissingProcedure  it has no Graph Data Science, or one that is too old
    │       ├── OutOfMemory       what was asked does not fit its memory
    │       └── ForeignData       what stands there is not kindred's
    ├── NotFound              no such run, community, source or content
    └── TooLittleData         an analysis cannot say anything from this

An error is three short sentences: what was wanted, what was found, what to do.
"""

from __future__ import annotations

__all__ = [
    "AccessDenied",
    "DiskFull",
    "ForeignData",
    "InputError",
    "KindredError",
    "MangledIds",
    "MissingProcedure",
    "NotFound",
    "OutOfMemory",
    "ServerAway",
    "ServerError",
    "StoreDamaged",
    "StoreError",
    "StoreLocked",
    "StoreMissing",
    "StoreNewer",
    "TooLittleData",
    "UnknownFormat",
    "UsageError",
    "WrongColumns",
]


class KindredError(Exception):
    """Something a user can act on.

    Parameters
    ----------
    wanted
        What the call set out to do.
    found
        What stood in the way, with the value that was met.
    todo
        What the user can do next.

    Examples
    --------
    >>> print(KindredError("a run", "none in this store", "run: kindred analyse"))
    wanted: a run
    found: none in this store
    to do: run: kindred analyse
    """

    exit_code = 1

    def __init__(self, wanted: str, found: str, todo: str) -> None:
        self.wanted = wanted
        self.found = found
        self.todo = todo
        super().__init__(wanted, found, todo)

    def __str__(self) -> str:
        return f"wanted: {self.wanted}\nfound: {self.found}\nto do: {self.todo}"


class UsageError(KindredError):
    """The call itself is wrong: an option, a name, a combination."""

    exit_code = 2


class InputError(KindredError):
    """A file cannot be read as what it claims to be."""


class UnknownFormat(InputError):
    """No loader recognises the file."""


class WrongColumns(InputError):
    """A required column is missing; the columns that exist are named."""


class MangledIds(InputError):
    """A spreadsheet has turned ids into rounded numbers such as 5.70306E+17."""


class StoreError(KindredError):
    """The store cannot be used."""


class StoreMissing(StoreError):
    """There is no store at this place."""


class StoreNewer(StoreError):
    """A newer kindred wrote this store."""


class StoreLocked(StoreError):
    """Another process is writing to this store."""


class StoreDamaged(StoreError):
    """A file of the store is missing or unreadable."""


class DiskFull(StoreError):
    """The disk is full; the store is as it was before."""


class ServerError(StoreError):
    """A database server does not do what is asked; nothing half-done is left behind."""


class ServerAway(ServerError):
    """The server cannot be reached, or did not answer in time."""


class AccessDenied(ServerError):
    """The server refuses this name and password, or they lack a right."""


class MissingProcedure(ServerError):
    """The server has no Graph Data Science, or one that is too old."""


class OutOfMemory(ServerError):
    """What was asked does not fit the server's memory; the figures are named."""


class ForeignData(ServerError):
    """What stands in the database is not kindred's, and would be touched."""


class NotFound(KindredError):
    """No such run, community, source or content."""


class TooLittleData(KindredError):
    """An analysis cannot say anything from this data; the threshold is named."""
