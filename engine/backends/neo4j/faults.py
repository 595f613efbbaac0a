"""From what a server or the driver reports to three lines that a user can act on."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from neo4j import exceptions as driver

from engine.errors import (
    AccessDenied,
    KindredError,
    MissingProcedure,
    OutOfMemory,
    ServerAway,
    ServerError,
    StoreMissing,
    UsageError,
)

__all__ = ["is_out_of_memory", "server_faults", "told"]

_SET: Final = "set KINDRED_NEO4J_USER and KINDRED_NEO4J_PASSWORD, or KINDRED_NEO4J_PASSWORD_FILE"


@dataclass(frozen=True, slots=True)
class _Told:
    """What a fault of the server becomes; the first whose `part` stands in its code."""

    part: str
    error: type[KindredError]
    todo: str
    found: str | None = None
    """In our words; None where the server's own say what to look for."""


_BY_CODE: Final = (
    _Told(
        "Security.CredentialsExpired",
        AccessDenied,
        "set a new one in the database system: ALTER CURRENT USER SET PASSWORD FROM 'old' TO 'new'",
        "the password has expired, or is the first one, which must be changed",
    ),
    _Told(
        "Security.AuthenticationRateLimit",
        AccessDenied,
        f"wait some seconds, then {_SET}",
        "too many wrong passwords in a row for this name",
    ),
    _Told(
        "Security.Unauthorized",
        AccessDenied,
        _SET,
        "the server does not know this name and password",
    ),
    _Told("Security.Forbidden", AccessDenied, "grant the rights in docs/privileges.cypher"),
    _Told("Security.", AccessDenied, _SET),
    _Told("Database.DatabaseNotFound", StoreMissing, "name one that exists with --database"),
    _Told("DatabaseUnavailable", ServerAway, "start the database, or wait until it has started"),
    _Told("OutOfMemory", OutOfMemory, "give the server more memory; its message names the limit"),
    _Told("StackOverFlow", OutOfMemory, "ask for less at once, or raise the server's -Xss"),
    _Told(
        "TransactionTimedOut",
        ServerError,
        "raise KINDRED_NEO4J_TIMEOUT, in seconds",
        "it was not done within the time allowed",
    ),
    _Told("LockAcquisitionTimeout", ServerError, "run it again when the others are done"),
    _Told("ReadOnly", ServerError, "make the database writable, or name another with --database"),
    _Told("Cluster.NotALeader", ServerError, "give the address as neo4j://…: it finds the leader"),
    _Told(
        "Procedure.ProcedureNotFound",
        MissingProcedure,
        "install what has it, or do without: --engine local",
    ),
    _Told("Schema.", ServerError, "look at what is there with: SHOW CONSTRAINTS and SHOW INDEXES"),
    _Told("Statement.SyntaxError", UsageError, "correct the statement"),
    _Told("Statement.AccessMode", UsageError, "ask without writing: this was begun to read"),
    _Told("Statement.", UsageError, "correct the statement or its parameters"),
    _Told("TransientError", ServerError, "run it again"),
)


@contextmanager
def server_faults(wanted: str, address: str) -> Iterator[None]:
    """Turn faults of the driver and the server into errors of kindred."""
    try:
        yield
    except KindredError:
        raise
    # An OSError of another kind is one of this machine's: a full disk, a file that is gone.
    except (driver.DriverError, driver.Neo4jError, ConnectionError, ssl.SSLError) as fault:
        raise told(fault, wanted, address) from fault


def told(fault: Exception, wanted: str, address: str) -> KindredError:
    """Return the error for a fault of the driver or the server.

    Examples
    --------
    >>> print(told(driver.ServiceUnavailable("no route"), "to load a.csv", "bolt://db:7687"))
    wanted: to load a.csv
    found: bolt://db:7687: no route
    to do: start the server, or correct the address with --store
    """
    if isinstance(fault, driver.Neo4jError):
        return _of_server(fault, wanted)
    found, todo = _of_connection(fault)
    return ServerAway(wanted, f"{address}: {found}", todo)


def is_out_of_memory(fault: driver.Neo4jError) -> bool:
    """Say whether the server ran out of memory, which it calls passing and mostly is not."""
    return "OutOfMemory" in (fault.code or "")


def _of_server(fault: driver.Neo4jError, wanted: str) -> KindredError:
    code = fault.code or ""
    said = _brief(fault.message or "") or type(fault).__name__
    if "Unauthorized" in code and "missing key" in said:
        return AccessDenied(wanted, f"the server asks for a name and a password ({code})", _SET)
    if "ProcedureCallFailed" in code and "exceeds available memory" in said:
        return OutOfMemory(wanted, said, "give the server more heap, or use --engine local")
    for one in _BY_CODE:
        if one.part in code:
            return one.error(wanted, f"{one.found or said} ({code})", one.todo)
    return ServerError(wanted, f"{said} ({code})", "look into the server's log")


_START: Final = "start the server, or correct the address with --store"
_NAME_AUTHORITY: Final = (
    "name the file of the authority that signed it in KINDRED_NEO4J_CA; to trust any"
    " certificate, which keeps no one from listening in between, use +ssc"
)
_SWITCH_ON: Final = (
    "switch TLS on at the server, or leave +s out of the address; a file in"
    " KINDRED_NEO4J_CA must hold certificates in PEM"
)


def _of_connection(fault: BaseException) -> tuple[str, str]:
    """Return what was found and what to do, from the fault that lies at the bottom."""
    faults = list(_down(fault))
    for one in faults:
        if isinstance(one, ssl.SSLCertVerificationError):
            return (
                f"its certificate is not trusted: {one.verify_message}",
                _NAME_AUTHORITY,
            )
        if isinstance(one, ssl.SSLError):
            return (
                f"no encryption could be agreed: {one.reason or one}",
                _SWITCH_ON,
            )
        if isinstance(one, socket.gaierror):
            return ("there is no host of that name", "correct the address with --store")
        if isinstance(one, TimeoutError):
            return ("it did not answer in time", f"{_START}; or raise KINDRED_NEO4J_PATIENCE")
        if isinstance(one, driver.SessionExpired | driver.IncompleteCommit) or (
            isinstance(one, ConnectionError) and not isinstance(one, ConnectionRefusedError)
        ):
            return (
                "the server went away in the middle",
                "run it again when it is back: what was not finished is removed then",
            )
    last = faults[-1]
    if isinstance(last, OSError) and last.strerror:
        return last.strerror.lower(), _START
    return _brief(str(last)) or type(last).__name__, _START


def _down(fault: BaseException) -> Iterator[BaseException]:
    """Yield a fault and those it came from; of several at once, the first."""
    below: BaseException | None = fault
    while below is not None:
        yield below
        if isinstance(below, BaseExceptionGroup):
            below = below.exceptions[0]
        else:
            below = below.__cause__ or below.__context__


_EXPECTED: Final = re.compile(
    r"(?<=^Invalid input )('.*?'): expected .*?(?= \(line \d+, column)", re.DOTALL
)
_OFFSET: Final = re.compile(r" \(offset: \d+\)")


def _brief(text: str) -> str:
    r"""Return the first line of a message, without the list of all that could have stood there.

    Examples
    --------
    >>> _brief("Invalid input 'X': expected 'A', 'B' or 'C' (line 1, column 2 (offset: 1))\n^")
    "Invalid input 'X' (line 1, column 2)"
    """
    lines = _OFFSET.sub("", _EXPECTED.sub(r"\1", text)).strip().splitlines()
    return lines[0][:300] if lines else ""
