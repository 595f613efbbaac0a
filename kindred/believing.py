"""The part of an answer that says how far to believe it: claims held against later time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from rich.console import RenderableType

from engine.contract import Backend, RunInfo
from kindred.paragraphs import columns, figure, heading, interval, percent, sentence

__all__ = ["calibration"]


def calibration(backend: Backend, run: RunInfo) -> Iterator[RenderableType]:
    """Yield slopes, what was predicted beside what came, and the sharing that is left out."""
    yield heading("How far to believe it: predicted on the earlier time, held against the later")
    rows = backend.read(
        "calibration", run_id=run.run_id, order=("source_kind", "method", "platform")
    ).to_pylist()
    if not rows:
        yield sentence(
            "These data cannot be calibrated: they name no shares, so nothing is scored "
            "that could come true or not."
        )
    measured = [r for r in rows if r["slope"] is not None]
    for r in rows:
        if r["slope"] is None and r["platform"] is None and r["method"] == "crossfit":
            yield sentence(f"{r['source_kind']}: {r['reason']}")
    if measured:
        table = columns(
            ("sources, platform", "left"),
            ("communities", "left"),
            ("slope, 95 % interval", "right"),
            ("deviance explained", "right"),
            ("(O+.5)/(E+.5)", "right"),
            ("raw O/E", "right"),
            ("flagged came to", "right"),
            ("in no community", "right"),
            ("light", "left"),
        )
        for r in measured:
            table.add_row(
                f"{r['source_kind']}, {r['platform'] or 'all'}",
                "blind to the shares" if r["method"] == "crossfit" else "saw them (naive)",
                f"{figure(r['slope'], 2)}  {interval(r['slope_low'], r['slope_high'], 2)}",
                figure(r["deviance_explained"], 3),
                figure(r["deviance_smoothed"], 3),
                figure(r["deviance_raw"], 3),
                f"{figure(r['flagged_lift'], 2)}×",
                percent(r["lost_share"]),
                r["verdict"] if r["method"] == "crossfit" else "",
            )
        yield table
        yield from _realised(backend, run)
    whole = [r for r in measured if r["platform"] is None and r["method"] == "crossfit"]
    for r in whole:
        yield sentence(f"{r['source_kind']}: {r['reason']}")
        yield sentence(
            f"{percent(r['lost_share'])} of the earlier shares are made by people in no community "
            f"then; {figure(r['single_share_count'])} members are placed by a single share."
        )
    for note in backend.read(
        "notes", run_id=run.run_id, where={"topic": "calibration"}
    ).to_pylist():
        yield sentence(note["text"], style="dim")


def _realised(backend: Backend, run: RunInfo) -> Iterator[RenderableType]:
    """Yield a table of predicted beside realised lift, for each kind of source and platform."""
    rows = backend.read(
        "calibration_bins",
        run_id=run.run_id,
        where={"method": "crossfit"},
        order=("source_kind", "platform", "bin"),
    ).to_pylist()
    table = columns(
        ("predicted → realised, times expected", "left"),
        ("", "left"),
    )
    for (kind, platform), bins in groupby(rows, key=lambda r: (r["source_kind"], r["platform"])):
        table.add_row(
            f"{kind}, {platform or 'all'}",
            "   ".join(f"{figure(r['predicted'], 1)} → {figure(r['realised'], 1)}" for r in bins),
        )
    yield table
