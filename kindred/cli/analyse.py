"""`kindred analyse`, as lists of commands show it.

Its options are built in `kindred.cli.analysing`, which needs half a second more than all
other commands together; so they are built when the command is named.
"""

from __future__ import annotations

import typer

__all__ = ["NAMES", "register"]

NAMES = ("analyse", "analyze")
"""The command, and its other spelling."""


def register(app: typer.Typer, panel: str) -> None:
    """Add the command to the lists."""
    app.command(NAMES[0], rich_help_panel=panel)(_listed)
    app.command(NAMES[1], hidden=True)(_listed)


def _listed() -> None:
    """Find communities, score and calibrate everything, and print the answer."""
