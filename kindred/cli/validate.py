"""`kindred validate`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from engine.errors import UsageError
from engine.wording import trust_word
from kindred.cli.bar import bar
from kindred.cli.calibration import COLUMNS as SLOPE_COLUMNS
from kindred.cli.opening import reading
from kindred.cli.options import Database, Debug, Format, Quiet, Store, examples
from kindred.cli.printing import remark, show

__all__ = ["register"]

RIVAL_COLUMNS = {
    "source_kind": "sources",
    "tier": "tier",
    "volume": "volume",
    "label": "forecast by",
    "deviance_explained": "deviance explained",
    "ahead": "score ahead by",
    "ahead_low": "2.5 %",
    "ahead_high": "97.5 %",
    "spearman": "Spearman",
    "ndcg": "NDCG at 10",
    "cell_count": "cells",
    "future_count": "new shares",
}
BIN_COLUMNS = {
    "source_kind": "sources",
    "platform": "platform",
    "method": "method",
    "predicted": "predicted",
    "realised": "realised",
    "realised_low": "5 %",
    "realised_high": "95 %",
    "cell_count": "cells",
    "future_count": "new shares",
}
WORDS = {"given": "given away", "forecast": "forecast too"}
Part = Literal["rivals", "slopes", "bins"]


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred validate",
            "kindred validate --split 50% --sources user --part slopes",
            "kindred validate --part rivals --format csv",
        ),
    )(validate)


def validate(
    *,
    split: Annotated[
        str, typer.Option("--split", metavar="PART", help="What part of the time is learned from.")
    ] = "60%",
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--sources",
            metavar="KIND",
            help="Only this kind of source: user, brand, url, ...; may be given again.",
            show_default="user, brand and domain",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of folds and bootstrap.")] = 1,
    part: Annotated[
        Part | None,
        typer.Option(
            "--part",
            help="Only this part.",
            show_default="slopes and rivals in a table, else rivals",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Write all three parts there, too."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Hold the score and simpler figures against what new people shared later.

    Everything is learned on the first part of the time. Deviance explained is of counts in
    the rest, beyond what the margins say; *score ahead by* is the score's less the rival's,
    with a 95 % interval. Nothing in the store changes.
    """
    with reading(store) as k:
        with bar(quiet=quiet) as progress:
            found = k.validate(
                split=_part(split),
                sources=tuple(sources) if sources else None,
                seed=seed,
                progress=progress,
            )
        if output is not None:
            for path in found.write(output, force=force):
                if not quiet:
                    remark(f"wrote {path}")
        if part == "slopes" or (part is None and format == "table"):
            light = {"verdict": trust_word}
            show(found.calibration, format, columns=SLOPE_COLUMNS, words=light, quiet=quiet)
        if part == "bins":
            show(found.bins, format, columns=BIN_COLUMNS, quiet=quiet)
        if part in (None, "rivals"):
            volume = {"volume": lambda word: WORDS[word]}
            show(found, format, columns=RIVAL_COLUMNS, words=volume, quiet=quiet)


def _part(text: str) -> float:
    """Read `60%` or `0.6`.

    Examples
    --------
    >>> _part("60%"), _part("0.5")
    (0.6, 0.5)
    """
    read = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+)\s*(%?)", text.strip())
    if read is None:
        raise UsageError(f"a split at '{text}'", "that is no part", "give one such as 60% or 0.6")
    return float(read[1]) / 100.0 if read[2] else float(read[1])
