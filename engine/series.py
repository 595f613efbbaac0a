"""A row of windows of time: a run each, and the scores of a source along them.

Every run continues the ids of the one before it, so that a community keeps its name for as
long as it holds together. A window is cut whether or not much happened in it: one in which
nobody shared anything gives no run, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyarrow as pa

from engine.contract import Backend, RunInfo
from engine.errors import NotFound, TooLittleData, UsageError
from engine.lists import scores, sources_named
from engine.model import TIME
from engine.params import AnalysisParams
from engine.progress import Progress, silent
from engine.results import RESULTS
from engine.verbs import analyse
from engine.window import Window, day, span

__all__ = ["MOST_WINDOWS", "SERIES", "Series", "analyse_every", "length", "parsed", "series"]

MOST_WINDOWS: Final = 400
"""Runs of one series at most: each is a whole analysis."""

_UNITS: Final = {"h": 3_600, "d": 86_400, "w": 7 * 86_400}
_SECOND: Final = 1_000_000

_OF_SCORES: Final = (
    *("source_kind", "source_id", "community_id", "observed", "expected"),
    *("lift", "lift_low", "lift_high", "resonance", "resonance_low", "resonance_high"),
    *("quadrant", "tier", "flags"),
)
SERIES: Final = pa.schema(
    [
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("since", TIME),
        pa.field("until", TIME),
        *(RESULTS["scores"].schema.field(name).with_nullable(True) for name in _OF_SCORES),
        pa.field("reason", pa.string()),
    ]
)
"""Columns of `series`: the window, then those of a score, and why there is none."""


@dataclass(frozen=True, slots=True)
class Series:
    """The runs of a row of windows, oldest first, and what is said of windows without one."""

    runs: tuple[RunInfo, ...]
    skipped: tuple[str, ...]


def parsed(window: str) -> tuple[datetime, datetime]:
    """Read a window such as `2021-08-01..2021-09-01`; UTC where no zone is named.

    Raises
    ------
    UsageError
        If it is not two times.

    Examples
    --------
    >>> [moment.isoformat() for moment in parsed("2021-08-01..2021-09-01T12:00")]
    ['2021-08-01T00:00:00+00:00', '2021-09-01T12:00:00+00:00']
    """
    try:
        since, until = (datetime.fromisoformat(end.strip()) for end in window.split(".."))
    except ValueError as error:
        raise UsageError(
            f"the window of time '{window}'",
            f"it is not two times with .. between them ({error})",
            "write it as 2021-08-01..2021-09-01",
        ) from error
    return _aware(since), _aware(until)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def length(every: str) -> int:
    """Return the length of a window such as `30d`, `2w` or `12h`, in microseconds.

    Raises
    ------
    UsageError
        If it is none.

    Examples
    --------
    >>> length("30d"), length("12h")
    (2592000000000, 43200000000)
    """
    found = re.fullmatch(r"([1-9]\d{0,4})([hdw])", every.strip())
    if found is None:
        raise UsageError(
            f"a run every '{every}'",
            "it is not a number of hours, days or weeks",
            "write it as 12h, 30d or 2w",
        )
    return int(found[1]) * _UNITS[found[2]] * _SECOND


def analyse_every(
    backend: Backend, params: AnalysisParams, every: str, progress: Progress = silent
) -> Series:
    """Analyse one window of time after the other, and make the last one the active run.

    Parameters
    ----------
    backend
        The store.
    params
        The options of each run. `since` and `until` bound the series; by default the day of
        the first act and the time of the last one do. `continues` is that of the first run.
    every
        Length of a window: `30d`, `2w`, `12h`. The last one may be cut short by `until`.
    progress
        Told of each window.

    Raises
    ------
    UsageError
        If `every` is no length, or makes more than `MOST_WINDOWS` windows.
    TooLittleData
        If no act has a time, or none of the windows could be analysed.

    Notes
    -----
    Costs an analysis a window; the data are read from the store once for each.
    """
    windows = _windows(backend, params, length(every))
    runs: list[RunInfo] = []
    skipped: list[str] = []
    fault: TooLittleData | None = None
    for number, window in enumerate(windows):
        progress(f"window {window.words}", number, len(windows))
        given: dict[str, Any] = {"since": _moment(window.since), "until": _moment(window.until)}
        if runs:
            given["continues"] = runs[-1].run_id
        one = AnalysisParams(**{**params.model_dump(exclude_unset=True), **given})
        try:
            runs.append(analyse(backend, one, progress))
        except TooLittleData as error:
            fault = error
            skipped.append(f"{window.words}: no run, {error.found}")
    if fault is not None and not runs:
        raise fault
    return Series(tuple(backend.run(run.run_id) for run in runs), tuple(skipped))


def _windows(backend: Backend, params: AnalysisParams, width: int) -> list[Window]:
    given = Window.of(params) or Window()
    since, until = given.since, given.until
    if since is None or until is None:
        found = span(backend.snapshot())
        if found is None:
            raise TooLittleData(
                "a run for each window of time",
                "nothing that was loaded has a time",
                "analyse everything at once: kindred analyse",
            )
        midnight = found[0] // (86_400 * _SECOND) * (86_400 * _SECOND)
        since = midnight if since is None else since
        until = found[1] + 1 if until is None else until
    if (until - since) > MOST_WINDOWS * width:
        raise UsageError(
            f"a run every {width // (3_600 * _SECOND):,} hours from {day(since)} to {day(until)}",
            f"that is more than {MOST_WINDOWS} runs",
            "take longer windows, or a shorter time with --since and --until",
        )
    return [Window(at, min(at + width, until)) for at in range(since, until, width)]


def _moment(at: int | None) -> datetime | None:
    return None if at is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)


def series(
    backend: Backend,
    source: str,
    *,
    kind: str | None = None,
    community_id: str | None = None,
    run_id: str | None = None,
) -> pa.Table:
    """Return the scores of a source along the windows that end with a run, oldest first.

    Parameters
    ----------
    backend
        The store.
    source, kind
        Id, label or handle of the source, as any of the runs knows it.
    community_id
        Only this community; by default all, and all together (`community_id` null).
    run_id
        The last run of the series; by default the active one.

    Returns
    -------
    pa.Table
        With the columns of `SERIES`: a row for every window, source and community in which
        the source was shared in any of the windows. Where it was not shared, `observed` is 0
        and the figures are null; where there was no such community in that window, all are.

    Raises
    ------
    NotFound
        If the run is no window of time, or none of the windows knows the source.
    """
    runs = _chain(backend, run_id)
    source_ids = _named(backend, runs, source, kind)
    found: dict[str, dict[tuple[str, str, str | None], dict[str, Any]]] = {}
    for run in runs:
        page = scores(
            backend, run.run_id, source_ids=source_ids, kind=kind, community_id=community_id
        )
        found[run.run_id] = {
            (row["source_kind"], row["source_id"], row["community_id"]): row
            for row in page.rows.to_pylist()
        }
    every = {key for rows in found.values() for key in rows}
    keys = sorted(every, key=lambda key: (key[0], key[1], key[2] is not None, key[2] or ""))
    known = {run.run_id: _communities(backend, run.run_id) for run in runs}
    rows = []
    for key in keys:
        for run in runs:
            row = found[run.run_id].get(key) or _absent(key, known[run.run_id], run.tier)
            window = {"since": run.params.since, "until": run.params.until}
            rows.append({"reason": None} | row | {"run_id": run.run_id} | window)
    return pa.Table.from_pylist(
        [{name: row[name] for name in SERIES.names} for row in rows], SERIES
    )


def _chain(backend: Backend, run_id: str | None) -> list[RunInfo]:
    """Return the runs that each continue the one before, up to this one."""
    known = {run.run_id: run for run in backend.runs()}
    run = backend.run(run_id)
    if run.params.since is None and run.params.until is None:
        raise NotFound(
            "a series of scores",
            f"run {run.run_id} is over all times, not over one window of several",
            "make one with: kindred analyse --every 30d",
        )
    found = [run]
    while (before := known.get(found[-1].params.continues)) is not None:
        if before in found or (before.params.since is None and before.params.until is None):
            break
        found.append(before)
    return found[::-1]


def _named(backend: Backend, runs: Sequence[RunInfo], source: str, kind: str | None) -> list[str]:
    """Return the ids that any of the runs knows by this name: the newest first to be asked."""
    fault: NotFound | None = None
    ids: set[str] = set()
    for run in reversed(runs):
        try:
            ids.update(sources_named(backend, run.run_id, source, kind=kind))
        except NotFound as error:
            fault = fault or error
    if not ids and fault is not None:
        raise fault
    return sorted(ids)


def _communities(backend: Backend, run_id: str) -> set[str]:
    return set(backend.read("communities", run_id=run_id)["community_id"].to_pylist())


def _absent(
    key: tuple[str, str, str | None], communities: set[str], tier: str | None
) -> dict[str, Any]:
    """Return the row of a window in which the source has no score."""
    kind, source_id, community_id = key
    there = community_id is None or community_id in communities
    return dict.fromkeys(SERIES.names) | {
        "source_kind": kind,
        "source_id": source_id,
        "community_id": community_id,
        "observed": 0.0 if there else None,
        "tier": tier,
        "flags": [],
        "reason": "not shared there in this window"
        if there
        else "no such community in this window",
    }
