"""The command line. A command is: parse, one call of the library, print."""

from __future__ import annotations

from kindred.cli.app import main

__all__ = ["main"]
