"""`kindred resonance`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from engine.errors import UsageError
from engine.wording import quadrant_word
from kindred.cli.opening import reading
from kindred.cli.options import (
    Community,
    Database,
    Debug,
    Format,
    Kind,
    Limit,
    Quiet,
    Run,
    Store,
    examples,
)
from kindred.cli.printing import limited, show

__all__ = ["register"]

COLUMNS = {
    "label": "source",
    "source_kind": "kind",
    "community_id": "community",
    "observed": "observed",
    "expected": "expected",
    "lift": "times expected",
    "lift_low": "5 %",
    "lift_high": "95 %",
    "resonance": "% in excess",
    "resonance_low": "low",
    "resonance_high": "high",
    "influence": "loudness percentile",
    "quadrant": "quadrant",
    "n_posts": "n",
    "flags": "flags",
}
JOINT_COLUMNS = {
    "community_id": "community",
    "observed": "observed",
    "expected": "expected",
    "lift": "times expected",
    "lift_low": "5 %",
    "lift_high": "95 %",
    "resonance": "% in excess",
    "resonance_low": "low",
    "resonance_high": "high",
    "sharer_count": "people",
    "content_count": "contents",
    "flags": "flags",
}
SERIES_COLUMNS = {
    "since": "from",
    "until": "up to",
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
    "reason": "why nothing",
}
Quadrant = Literal["leader", "gem", "broadcaster", "background", "undetermined"]


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=panel,
        epilog=examples(
            "kindred resonance",
            "kindred resonance --community c1 --limit 5",
            "kindred resonance --kind user --quadrant leader",
            "kindred resonance --overall --format jsonl",
            "kindred resonance u003 --series",
            "kindred resonance --sources u003,u004 --community c1",
            "kindred resonance --sources u003,u004 --strict --format json",
        ),
    )(resonance)


def resonance(
    source: Annotated[
        str | None, typer.Argument(metavar="[SOURCE]", help="One source: its id, label or handle.")
    ] = None,
    *,
    community: Community = None,
    quadrant: Annotated[
        Quadrant | None, typer.Option("--quadrant", help="Only this quadrant.")
    ] = None,
    kind: Kind = None,
    overall: Annotated[
        bool, typer.Option("--overall", help="Over all communities instead of in each.")
    ] = False,
    flagged: Annotated[
        bool, typer.Option("--flagged", help="Only claims at the run's false-sign rate.")
    ] = False,
    along: Annotated[
        bool,
        typer.Option("--series", help="One source window by window, of kindred analyse --every."),
    ] = False,
    sources: Annotated[
        str | None,
        typer.Option(
            "--sources",
            metavar="A,B,...",
            help="The score of several sources of one kind, taken together.",
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="With --sources: on communities found once more without them; takes longer.",
        ),
    ] = False,
    limit: Limit = None,
    run: Run = None,
    store: Store = None,
    _database: Database = None,
    format: Format = "table",
    quiet: Quiet = False,
    _debug: Debug = False,
) -> None:
    """List what communities share beyond expectation, by the lower bound.

    Without follows or impressions the figures are affinity (exposure unknown), and are
    called so. Cells that rest on the source's own audience come last and are flagged.
    """
    with reading(store) as k:
        if along:
            if source is None:
                raise UsageError(
                    "scores window by window",
                    "no source is named",
                    "name one: kindred resonance SOURCE --series",
                )
            found = k.series(source, kind=kind, community=community, run=run)
            show(found, format, columns=SERIES_COLUMNS, quiet=quiet)
            return
        if sources is not None:
            names = [name.strip() for name in sources.split(",") if name.strip()]
            found = k.joint(names, kind=kind, community=community, strict=strict, run=run)
            show(found, format, columns=JOINT_COLUMNS, quiet=quiet)
            return
        found = k.scores(
            source,
            kind=kind,
            community=community,
            overall=overall,
            quadrant=quadrant,
            flagged=True if flagged else None,
            limit=limited(limit, format),
            run=run,
        )
        words = {"quadrant": lambda quadrant: quadrant_word(quadrant, found.tier)}
        show(found, format, columns=COLUMNS, words=words, quiet=quiet)
