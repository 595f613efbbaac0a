"""What stands before every answer: this machine's name as host, and headers that shut doors."""

from __future__ import annotations

import re
from typing import Any, Final

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem

__all__ = ["Guard", "install", "is_loopback_name"]

_LOOPBACK: Final = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
DATA_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
"""Of answers that are data: nothing in them may be run or fetched."""
PAGE_POLICY: Final = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Of pages: what their own policy, which admits their scripts by hash, cannot say."""


def is_loopback_name(host: str) -> bool:
    """Say whether a Host header names this machine by its loopback.

    Examples
    --------
    >>> is_loopback_name("127.0.0.1:8765"), is_loopback_name("[::1]"), is_loopback_name("a.b")
    (True, True, False)
    """
    return _LOOPBACK.fullmatch(host) is not None


class Guard:
    """Refuse requests that came under another name, and complete the headers of answers.

    A page from elsewhere can let its own name point at 127.0.0.1 ("DNS rebinding"); its
    requests then reach this server, but under that name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                _complete(MutableHeaders(scope=message))
            await send(message)

        host = Headers(scope=scope).get("host", "")
        app: Any = self.app
        if not is_loopback_name(host):
            app = problem(
                400,
                "not this machine",
                wanted="an answer under the name of this machine",
                found="another name in the Host header",
                todo="ask 127.0.0.1 or localhost",
            )
        await app(scope, receive, completed)


def _complete(headers: MutableHeaders) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    is_page = headers.get("content-type", "").startswith("text/html")
    headers.setdefault("Content-Security-Policy", PAGE_POLICY if is_page else DATA_POLICY)
    headers.setdefault("Cache-Control", "no-store")


def install(app: FastAPI) -> None:
    """Put the guard before everything else."""
    app.add_middleware(Guard)
