"""A server on this machine: a socket on the loopback, and uvicorn on it until Ctrl-C."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from engine.contract import Backend
from engine.errors import UsageError

__all__ = ["is_loopback", "listening", "serve_until_stopped"]


def is_loopback(host: str) -> bool:
    """Say whether a host can be reached from this machine only.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost")
    (True, True, True)
    >>> is_loopback("0.0.0.0"), is_loopback("example.org")
    (False, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def listening(
    host: str, port: int, *, contained: bool = False
) -> Iterator[tuple[socket.socket, str]]:
    """Lend a listening socket and the address that reaches it.

    Parameters
    ----------
    contained
        This is a container whose port is published on its host's loopback only, so that its
        own addresses are not the host's. Requests must still name the loopback as their host.

    Raises
    ------
    UsageError
        If the host is not the loopback: whoever reaches the server may read the store.
        Or if the port is taken.
    """
    if not (contained or is_loopback(host)):
        raise UsageError(
            f"to serve on {host}",
            "it can be reached from other machines, and there are no keys yet",
            "serve on 127.0.0.1, and reach it from elsewhere through an ssh tunnel",
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"to serve on {host}, port {port}", _why(error), "take another: --port 0 finds one"
            ) from error
        made.listen(128)
        reached = host if is_loopback(host) else "127.0.0.1"
        shown = f"[{reached}]" if ":" in reached else reached
        yield made, f"http://{shown}:{made.getsockname()[1]}"


def serve_until_stopped(backend: Backend, on: socket.socket) -> None:
    """Answer over a store until the process is asked to stop."""
    import uvicorn

    from api.app import create_app

    config = uvicorn.Config(
        create_app(backend),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    # Ctrl-C is how a server is stopped, not a failure.
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[on])


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another process is listening there"
    return error.strerror or str(error)
