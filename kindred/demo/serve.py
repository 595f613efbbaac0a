"""Showing a folder of pages on this machine, until Ctrl-C."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

__all__ = ["serve_folder"]


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing on the terminal."""

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the terminal for the answers."""


def serve_folder(folder: Path, port: int) -> ThreadingHTTPServer:
    """Return a server for this folder on 127.0.0.1, on another port where this one is taken."""
    handler = partial(_Quiet, directory=str(folder))
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:
        return ThreadingHTTPServer(("127.0.0.1", 0), handler)
