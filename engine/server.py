"""A database server as a store: its address, who asks, and how much may be asked at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from engine.errors import UsageError

__all__ = ["SCHEMES", "Server", "check_address", "is_server"]

SCHEMES: Final = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")
"""Schemes of addresses: `+s` asks for a certificate that is trusted, `+ssc` for any."""


@dataclass(frozen=True, slots=True)
class Server:
    """How a server is asked. Its password is never printed, logged or kept.

    Examples
    --------
    >>> Server(user="ana", password="secret")
    Server(database=None, user='ana', transactions=4, timeout=600.0, patience=30.0,
    authorities=None)
    """

    database: str | None = None
    """Name of the database; None is the user's home database."""
    user: str | None = None
    """Who asks; None where the server asks for no name."""
    password: str | None = field(default=None, repr=False)
    transactions: int = 4
    """Most transactions open at once."""
    timeout: float = 600.0
    """Seconds that one transaction may take."""
    patience: float = 30.0
    """Seconds to wait for a connection, and to try again after a passing fault."""
    authorities: str | None = None
    """File with certificates, in PEM, of those whose signature is trusted; where it is given
    the connection is encrypted. None trusts those that the system trusts."""


def is_server(address: str) -> bool:
    """Say whether an address names a server.

    Examples
    --------
    >>> is_server("neo4j://localhost"), is_server("./kindred-data")
    (True, False)
    """
    return address.split("://", 1)[0] in SCHEMES if "://" in address else False


def check_address(address: str) -> str:
    """Return an address that names a server and nothing else.

    Raises
    ------
    UsageError
        If it holds a name or password, which anyone who lists processes could read, or a
        path.

    Examples
    --------
    >>> check_address("bolt://127.0.0.1:7687")
    'bolt://127.0.0.1:7687'
    >>> check_address("neo4j://ana:secret@db.example.org")
    Traceback (most recent call last):
        ...
    engine.errors.UsageError: wanted: the address of a server
    found: a user name or password inside neo4j://…@db.example.org
    to do: give the address alone; set KINDRED_NEO4J_USER and KINDRED_NEO4J_PASSWORD_FILE
    """
    parts = urlsplit(address)
    if "@" in parts.netloc:
        raise UsageError(
            "the address of a server",
            f"a user name or password inside {parts.scheme}://…@{parts.netloc.rpartition('@')[2]}",
            "give the address alone; set KINDRED_NEO4J_USER and KINDRED_NEO4J_PASSWORD_FILE",
        )
    if parts.path.strip("/") or not parts.hostname:
        raise UsageError(
            "the address of a server, such as neo4j://localhost:7687",
            address,
            "name the database with --database",
        )
    return address.rstrip("/")
