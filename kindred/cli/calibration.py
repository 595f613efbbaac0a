"""`kindred calibration`."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.wording import trust_word
from kindred.cli.opening import reading
from kindred.cli.options import Database, Debug, Format, Quiet, Run, Store, examples
from kindred.cli.printing import show

__all__ = ["register"]

COLUMNS = {
    "source_kind": "sources",
    "platform": "platform",
    "method": "method",
    "verdict": "verdict",
    "slope": "slope",
    "slope_low": "2.5 %",
    "slope_high": "97.5 %",
    "deviance_explained": "deviance",
    "deviance_smoothed": "(O+.5)/(E+.5)",
    "cell_count": "cells",
    "flagged_lift": "flagged came to",
    "lost_share": "lost",
    "reason": "in words",
}


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred calibration",
            "kindred calibration --bins --format csv",
        ),
    )(calibration)


def calibration(
    *,
    bins: Annotated[
        bool, typer.Option("--bins", help="Predicted against realised lift, bin by bin.")
    ] = False,
    run: Run = None,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Say how far to believe the scores: whether the claims came true later.

    What was claimed on the earlier time is held against the later time; a slope of 1
    means that claims are realised in full.
    """
    with reading(store) as k:
        found = k.calibration(bins=bins, run=run)
        if bins:
            show(found, format, quiet=quiet)
        else:
            show(found, format, columns=COLUMNS, words={"verdict": trust_word}, quiet=quiet)
