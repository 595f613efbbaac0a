"""`kindred compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.errors import UsageError
from engine.wording import quadrant_word, verdict_word
from kindred.cli.opening import reading
from kindred.cli.options import (
    Database,
    Debug,
    Format,
    Kind,
    Limit,
    Quiet,
    RowFormat,
    Run,
    Store,
    examples,
)
from kindred.cli.printing import limited, show

if TYPE_CHECKING:
    from kindred.compared import Compared
    from kindred.contrasted import Contrasted

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
WHERE_COLUMNS = {
    "community_id": "id",
    "label": "shares or engages with most",
    "member_count": "members",
    "standing": "standing",
    "sources": "strong there",
}
CELL_COLUMNS = {
    "label": "source",
    "community_id": "community",
    "observed": "observed",
    "expected": "expected",
    "lift": "times expected",
    "lift_low": "5 %",
    "lift_high": "95 %",
    "resonance": "% in excess",
    "resonance_low": "low",
    "resonance_high": "high",
    "flags": "flags",
}
DIFFERENCE_COLUMNS = {
    "label": "source",
    "other_label": "less",
    "community_id": "community",
    "resonance": "points of % in excess",
    "resonance_low": "5 %",
    "resonance_high": "95 %",
    "log2_lift": "doublings of lift",
    "log2_lift_low": "5 %",
    "log2_lift_high": "95 %",
    "prob_above": "P(above)",
    "reason": "why nothing",
}
Part = Literal["summary", "communities", "scores", "differences"]


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred compare",
            "kindred compare --part scores --changed --format csv",
            "kindred compare --other-store last-week",
            "kindred compare u003 u004 u050",
            "kindred compare u003 u050 --part differences --format csv",
        ),
    )(compare)


def compare(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN|SOURCE]...",
            help="Up to two runs: by default the one before the active run, and the active one. "
            "Or two to ten sources: ids, labels or handles.",
        ),
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
        typer.Option(
            "--part",
            help="Only this part: summary is of runs, differences of sources.",
            show_default="all in a table, else the first",
        ),
    ] = None,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only scores that are in another quadrant.")
    ] = False,
    kind: Kind = None,
    limit: Limit = None,
    run: Run = None,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """Compare two runs, or two to ten sources of one run.

    Runs whose communities agree to less than .95 (normalised mutual information) are called
    different runs. Scores in another quadrant come first, both rows with their intervals.

    Of sources: the communities that several of them are strong in and those that one has to
    itself, and how far the scores of each two are apart, with an interval of its own.
    """
    asked = names or []
    rows = limited(limit, format)
    if asked and not all(name.startswith("r-") for name in asked):
        if other_store is not None or changed:
            raise UsageError(
                f"to compare the sources {', '.join(asked)}",
                "--other-store and --changed are for two runs",
                "leave them out, or name runs: kindred runs",
            )
        with reading(store) as k:
            found = k.compare_sources(asked, kind=kind, limit=rows, run=run)
        _show_sources(found, asked, part, format, quiet=quiet)
        return
    if len(asked) > 2 or part == "differences":
        raise UsageError(
            f"to compare the runs {', '.join(asked)}",
            "two can be compared, by summary, communities and scores",
            "name two, or none",
        )
    first, second = (*asked, None, None)[:2]
    with reading(store) as k:
        compared = k.compare(first, second, store=other_store, changed=changed, limit=rows)
    _show_runs(compared, part, format, quiet=quiet)


def _show_runs(found: Compared, part: Part | None, format: RowFormat, *, quiet: bool) -> None:
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


def _show_sources(
    found: Contrasted, names: list[str], part: Part | None, format: RowFormat, *, quiet: bool
) -> None:
    if part == "summary":
        raise UsageError(
            f"a summary of the sources {', '.join(names)}",
            "a summary is of two runs",
            "take --part communities, scores or differences",
        )
    whole = part is None and format == "table"
    if part in {None, "communities"}:
        show(found, format, columns=WHERE_COLUMNS, quiet=quiet)
    if whole or part == "scores":
        show(found.cells, format, columns=CELL_COLUMNS, quiet=quiet)
    if whole or part == "differences":
        show(found.differences, format, columns=DIFFERENCE_COLUMNS, quiet=quiet)
