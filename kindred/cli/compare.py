"""`kindred compare`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from engine.wording import quadrant_word, verdict_word
from kindred.cli.opening import reading
from kindred.cli.options import Database, Debug, Format, Limit, Quiet, Store, examples
from kindred.cli.printing import limited, show

__all__ = ["register"]

SUMMARY_COLUMNS = {
    "topic": "topic",
    "name": "what",
    "value": "run",
    "other_value": "other",
    "figure": "figure",
    "text": "in words",
}
COMMUNITY_COLUMNS = {
    "community_id": "id",
    "other_community_id": "other id",
    "label": "shares or engages with most",
    "other_label": "other",
    "member_count": "members",
    "other_member_count": "other members",
    "common_count": "in both",
    "jaccard": "overlap",
    "verdict": "verdict",
    "other_verdict": "other verdict",
}
SCORE_COLUMNS = {
    "label": "source",
    "source_kind": "kind",
    "community_id": "community",
    "other_community_id": "other community",
    "resonance": "% in excess",
    "resonance_low": "low",
    "resonance_high": "high",
    "other_resonance": "other",
    "other_resonance_low": "low",
    "other_resonance_high": "high",
    "difference": "difference",
    "quadrant": "quadrant",
    "other_quadrant": "other quadrant",
}
VERDICTS = {"verdict": verdict_word, "other_verdict": verdict_word}
Part = Literal["summary", "communities", "scores"]


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred compare",
            "kindred compare --part scores --changed --format csv",
            "kindred compare --other-store last-week",
        ),
    )(compare)


def compare(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="A run. By default the one before the active run; with --other-store the "
            "active run.",
        ),
    ] = None,
    other: Annotated[
        str | None,
        typer.Argument(metavar="[OTHER]", help="Another run. By default the active one."),
    ] = None,
    *,
    other_store: Annotated[
        str | None,
        typer.Option(
            "--other-store", metavar="FOLDER|URL", help="Where the other run is, if elsewhere."
        ),
    ] = None,
    part: Annotated[
        Part | None,
        typer.Option("--part", help="Only this part.", show_default="all in a table, else summary"),
    ] = None,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only scores that are in another quadrant.")
    ] = False,
    limit: Limit = None,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Compare two runs: their data and parameters, communities and scores.

    Runs whose communities agree to less than .95 (normalised mutual information) are called
    different runs. Scores in another quadrant come first, both rows with their intervals.
    """
    with reading(store) as k:
        found = k.compare(
            run, other, store=other_store, changed=changed, limit=limited(limit, format)
        )
        if part == "summary" or (part is None and format != "table"):
            show(found, format, columns=SUMMARY_COLUMNS, quiet=quiet)
            return
        if part is None:
            show(found, format, columns=SUMMARY_COLUMNS, quiet=quiet)
        if part != "scores":
            show(found.communities, format, columns=COMMUNITY_COLUMNS, words=VERDICTS, quiet=quiet)
        if part == "scores" or (part is None and len(found.scores)):
            words = dict.fromkeys(
                ("quadrant", "other_quadrant"), lambda word: quadrant_word(word, found.tier)
            )
            show(found.scores, format, columns=SCORE_COLUMNS, words=words, quiet=quiet)
