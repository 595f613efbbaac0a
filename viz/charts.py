"""Charts: Vega-Lite through Altair, drawn offline to SVG and PNG by vl-convert.

Charts in pages take their ink from the page (`currentColor`), so that they follow light and
dark; charts in files stand on white. Names from the data are values of fields, never
expressions, and are escaped by the renderer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, Literal

import altair as alt
import numpy as np

from engine.resonance import HIGH_INFLUENCE, HIGH_SCORE
from engine.wording import QUADRANTS, lower_bound, quadrant_word, score_word
from viz.labels import fitting, shorten
from viz.site import Row
from viz.style import FONT, INK, PAPER, QUADRANT_MARKS, SHAPES, Mark, in_file, mark

__all__ = ["attention", "calibration", "community_bars", "growth", "png", "quadrants", "svg"]

MARKED: Final = (7, 7, 4)
"""Leaders, gems and broadcasters that carry a name and an interval; more hide one another."""

_VEGA_SHAPES: Final = {**SHAPES, "dot": "circle"}
_WIDTH: Final = 900
_OVER_PAPER: Final[tuple[dict[str, Any], ...]] = (
    {"stroke": PAPER, "strokeWidth": 4, "strokeJoin": "round", "color": PAPER},
    {"color": INK},
)
"""Text is drawn twice: its rim first, so that it stays readable over dots and lines."""


def _data(rows: Sequence[dict[str, Any]]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))


def _stack(*layers: alt.Chart, width: int, height: int) -> alt.LayerChart:
    return alt.LayerChart(layer=list(layers), width=width, height=height)


_SIDES: Final[tuple[tuple[int, Literal["left", "right"]], ...]] = ((1, "left"), (-1, "right"))


def _names(points: Sequence[dict[str, Any]], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Write names beside their points, over a rim of the ground, so that they stay readable."""
    return [
        alt.Chart(_data([p for p in points if p["side"] == side]))
        .mark_text(align=align, dx=8 * side, fontSize=12, aria=False, **look)
        .encode(x, y, alt.Text("name:N"))
        for side, align in _SIDES
        for look in _OVER_PAPER
    ]


def _log(low: float, high: float) -> alt.Scale:
    """Scale between two powers of ten, exactly: labels were fitted to it."""
    return alt.Scale(type="log", domain=[float(10**low), float(10**high)], nice=False)


def _axis(title: str, **options: Any) -> alt.Axis:
    return alt.Axis(title=title, **options)


def quadrants(rows: Sequence[Row], labels: Sequence[str], tier: str | None) -> alt.LayerChart:
    """Chart loudness against the lower bound of the score; intervals for the marked ones.

    Parameters
    ----------
    rows
        Rows of `scores` with influence and interval, of one community or rolled up.
    labels
        How each row's source is shown.
    """
    points = []
    for row, label in zip(rows, labels, strict=True):
        if row["influence"] is None or row["resonance_low"] is None:
            continue
        quadrant = row["quadrant"] or "undetermined"
        points.append(
            {
                "x": round(row["influence"], 2),
                "y": round(row["resonance_low"], 2),
                "high": round(row["resonance_high"], 2),
                "quadrant": quadrant_word(quadrant, tier),
                "name": shorten(label),
                "about": f"{shorten(label, 60)}: {quadrant_word(quadrant, tier)}, louder than "
                f"{row['influence']:.0f} % of sources, {score_word(tier)} "
                f"{row['resonance_low']:.0f} to {row['resonance_high']:.0f}, "
                f"from {row['observed']:,.0f} shares",
                "rank": _rank(row, quadrant),
            }
        )
    points.sort(key=lambda p: (-p["rank"], p["name"], p["x"], p["y"]))
    words = [quadrant_word(q, tier) for q in QUADRANTS]
    marked = [
        p
        for word, most in zip(words, MARKED, strict=False)
        for p in [p for p in points if p["quadrant"] == word and p["rank"] > 0][:most]
    ]
    height = 520
    xy = np.array([[p["x"] * _WIDTH / 100, -p["y"] * height / 100] for p in marked]).reshape(-1, 2)
    shown = fitting(
        xy,
        np.full(len(marked), 6.0),
        [p["name"] for p in marked],
        np.arange(len(marked), 0, -1.0),
        size=12,
        below=False,
        obstacles=[
            (float(u) - 2, -p["high"] * height / 100, float(u) + 2, float(v))
            for (u, v), p in zip(xy, marked, strict=True)
        ],
    )
    named = [p | {"side": int(side)} for p, side in zip(marked, shown, strict=True) if side]
    marks = [QUADRANT_MARKS[q] for q in QUADRANTS]
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0, 100], nice=False),
        axis=_axis("loudness: influence percentile"),
    )
    y = alt.Y(
        "y:Q",
        scale=alt.Scale(domain=[0, 100], nice=False),
        axis=_axis(lower_bound(tier)),
    )
    colour = alt.Color(
        "quadrant:N",
        scale=alt.Scale(domain=words, range=[m.paint for m in marks]),
        legend=alt.Legend(title=None, orient="top", symbolSize=90),
    )
    shape = alt.Shape(
        "quadrant:N",
        scale=alt.Scale(domain=words, range=[_VEGA_SHAPES[m.shape] for m in marks]),
        legend=alt.Legend(title=None, orient="top", symbolSize=90),
    )
    corners: list[dict[str, Any]] = [
        {"x": 99, "y": 97, "align": "right", "text": quadrant_word("leader", tier)},
        {"x": 1, "y": 97, "align": "left", "text": quadrant_word("gem", tier)},
        {"x": 99, "y": 21, "align": "right", "text": quadrant_word("broadcaster", tier)},
        {"x": 1, "y": 21, "align": "left", "text": quadrant_word("background", tier)},
    ]
    base = alt.Chart(_data(points))
    # The loudest claims are drawn last, so that nothing hides them.
    dots = base.mark_point(filled=True, size=46, opacity=0.75).encode(
        x, y, colour, shape, description="about:N", order=alt.Order("rank:Q")
    )
    bars = (
        alt.Chart(_data(marked))
        .mark_rule(strokeWidth=1.6, opacity=0.65)
        .encode(x, y, alt.Y2("high:Q"), color=alt.Color("quadrant:N"), description="about:N")
    )
    text = _names(named, x, y)
    lines = [
        alt.Chart(_data([{"x": HIGH_INFLUENCE}]))
        .mark_rule(color=INK, opacity=0.45, strokeDash=[4, 4], aria=False)
        .encode(x),
        alt.Chart(_data([{"y": HIGH_SCORE}]))
        .mark_rule(color=INK, opacity=0.45, strokeDash=[4, 4], aria=False)
        .encode(y),
    ]
    words_in_corners = [
        alt.Chart(_data([c]))
        .mark_text(align=c["align"], fontSize=12, fontStyle="italic", aria=False, **look)
        .encode(x, y, alt.Text("text:N"))
        for c in corners
        for look in _OVER_PAPER
    ]
    return _stack(*lines, bars, dots, *words_in_corners, *text, width=_WIDTH, height=height)


def _rank(row: Row, quadrant: str) -> float:
    """Order sources for marking: strong claims by their lower bound, then the loud with little."""
    if "own_audience" in row["flags"]:
        return 0.0
    if quadrant in ("leader", "gem"):
        return 1_000 + float(row["resonance_low"])
    if quadrant == "broadcaster":
        return float(row["influence"])
    return 0.0


def attention(
    rows: Sequence[Row], labels: Sequence[str], marks: Sequence[Mark], groups: Sequence[str]
) -> alt.LayerChart:
    """Chart followers against attention received, both on log axes.

    Parameters
    ----------
    rows
        Rows of `influence` of users. Those without followers or attention are not drawn.
    marks, groups
        Style and word of each row's community.
    """
    points = [
        {
            "x": row["followers_count"],
            "y": row["attention_count"],
            "group": group,
            "name": shorten(label),
            "about": f"{shorten(label, 60)}: {row['followers_count']:,} followers, attention of "
            f"{row['attention_count']:,} people",
            "mark": mark,
        }
        for row, label, mark, group in zip(rows, labels, marks, groups, strict=True)
        if (row["followers_count"] or 0) > 0 and row["attention_count"] > 0
    ]
    styles = {p["group"]: p.pop("mark") for p in points}
    order = list(dict.fromkeys(p["group"] for p in points))
    height = 520
    log = np.log10(np.array([[p["x"], p["y"]] for p in points]).reshape(-1, 2))
    low = (log.min(axis=0) if len(log) else np.zeros(2)) - 0.08
    high = (log.max(axis=0) if len(log) else np.ones(2)) + 0.08
    unit = (log - low) / (high - low)
    # What stands out: far right, far up, or far from where followers alone would put it.
    slope = np.polyfit(log[:, 0], log[:, 1], 1) if len(log) > 2 else np.array([0.0, 0.0])
    gap = np.abs(log[:, 1] - np.polyval(slope, log[:, 0])) if len(log) > 2 else np.zeros(len(log))
    rank = np.maximum(unit.max(axis=1), gap / (gap.max() + 1e-9)) if len(log) else gap
    xy = np.c_[unit[:, 0] * _WIDTH, -unit[:, 1] * height]
    shown = fitting(
        xy, np.full(len(points), 5.0), [p["name"] for p in points], rank, size=12, most=26,
        below=False,
    )  # fmt: skip
    x = alt.X("x:Q", scale=_log(low[0], high[0]), axis=_axis("followers (log)", format="~s"))
    y = alt.Y(
        "y:Q",
        scale=_log(low[1], high[1]),
        axis=_axis("attention: distinct people who engaged (log)", format="~s"),
    )
    dots = (
        alt.Chart(_data(points))
        .mark_point(filled=True, size=52, opacity=0.8)
        .encode(
            x,
            y,
            alt.Color(
                "group:N",
                scale=alt.Scale(domain=order, range=[styles[g].paint for g in order]),
                legend=alt.Legend(title=None, orient="top", symbolSize=90, columns=4),
            ),
            alt.Shape(
                "group:N",
                scale=alt.Scale(domain=order, range=[_VEGA_SHAPES[styles[g].shape] for g in order]),
                legend=alt.Legend(title=None, orient="top", symbolSize=90, columns=4),
            ),
            description="about:N",
        )
    )
    named = [p | {"side": int(side)} for p, side in zip(points, shown, strict=True) if side]
    text = _names(named, x, y)
    return _stack(dots, *text, width=_WIDTH, height=height)


def calibration(bins: Sequence[Row]) -> alt.LayerChart:
    """Chart realised against predicted lift by bin; on the diagonal claims come true.

    Parameters
    ----------
    bins
        Rows of `calibration_bins` of one kind of source and one platform.
    """
    words = {"crossfit": "cross-fitted (what is reported)", "naive": "naive (for comparison)"}
    points = [
        {
            "x": max(row["predicted"], 1e-3),
            "y": max(row["realised"], 1e-3),
            "low": max(row["realised_low"], 1e-3),
            "high": max(row["realised_high"], 1e-3),
            "method": words[row["method"]],
            "about": f"predicted {row['predicted']:.2f}, realised {row['realised']:.2f} "
            f"({row['realised_low']:.2f} to {row['realised_high']:.2f}), "
            f"{row['cell_count']:,} cells, {words[row['method']]}",
        }
        for row in bins
    ]
    spread = [v for p in points for v in (p["x"], p["y"])] or [0.5, 2.0]
    ends = [min(spread) * 0.8, max(spread) * 1.25]
    scale = alt.Scale(type="log", domain=ends, nice=False)
    x = alt.X("x:Q", scale=scale, axis=_axis("predicted: times the ordinary", format="~g"))
    y = alt.Y("y:Q", scale=scale, axis=_axis("realised later: times the ordinary", format="~g"))
    colour = alt.Color(
        "method:N",
        scale=alt.Scale(domain=list(words.values()), range=[mark(0).paint, mark(-1).paint]),
        legend=alt.Legend(title=None, orient="top"),
    )
    base = alt.Chart(_data(points))
    diagonal = (
        alt.Chart(_data([{"x": e, "y": e} for e in ends]))
        .mark_line(color=INK, opacity=0.45, strokeDash=[4, 4], strokeWidth=1.2, aria=False)
        .encode(x, y)
    )
    bars = base.mark_rule(strokeWidth=2, opacity=0.6, clip=True).encode(
        x, alt.Y("low:Q", scale=scale, axis=_axis("realised later: times the ordinary")),
        alt.Y2("high:Q"), color=colour, description="about:N",
    )  # fmt: skip
    dots = base.mark_point(filled=True, size=64, opacity=1).encode(
        x, y, colour, description="about:N"
    )
    return _stack(diagonal, bars, dots, width=420, height=360)


def community_bars(rows: Sequence[Row], marks: Sequence[Mark], tier: str | None) -> alt.LayerChart:
    """Chart communities: the score with its interval where there is one, else their size."""
    scored = any(row["resonance"] is not None for row in rows)
    bars = [
        {
            "community": f"{row['community_id']} · {shorten(row['label'], 34)}",
            "value": row["resonance"] if scored else row["member_count"],
            "low": row["resonance_low"],
            "high": row["resonance_high"],
            "colour": mark.paint,
            "about": f"{row['community_id']}: {row['member_count']:,} members",
        }
        for row, mark in zip(rows, marks, strict=True)
        if not scored or row["resonance"] is not None
    ]
    order = [bar["community"] for bar in bars]
    title = f"share-weighted {score_word(tier)}, percent of shares" if scored else "members"
    y = alt.Y("community:N", sort=order, axis=_axis("", labelLimit=320))
    base = alt.Chart(_data(bars))
    chart = base.mark_bar(height={"band": 0.62}, opacity=0.9).encode(
        alt.X("value:Q", axis=_axis(title)),
        y,
        color=alt.Color("colour:N", scale=None),
        description="about:N",
    )
    interval = base.mark_rule(strokeWidth=1.6, color=INK, opacity=0.8, aria=False).encode(
        alt.X("low:Q", axis=_axis(title)), alt.X2("high:Q"), y
    )
    layers = [chart, interval] if scored else [chart]
    return _stack(*layers, width=620, height=max(26 * len(bars), 60))


def growth(hours: Sequence[float], colours: Sequence[str]) -> alt.LayerChart:
    """Chart shares adding up over hours since the post, one step a share.

    Parameters
    ----------
    hours
        Hours since the post, rising.
    colours
        The colour of each share: its community's.
    """
    # At most about 400 steps: more cannot be told apart.
    stride = max(len(hours) // 400, 1)
    shown = sorted({*range(0, len(hours), stride), len(hours) - 1})
    steps = [{"x": round(hours[i], 4), "y": i + 1, "colour": colours[i]} for i in shown]
    x = alt.X("x:Q", axis=_axis("hours since the post", format=",~f"))
    y = alt.Y("y:Q", axis=_axis("shares so far", format="~s"))
    base = alt.Chart(_data(steps))
    line = base.mark_line(interpolate="step-after", color=INK, opacity=0.5, aria=False).encode(x, y)
    dots = base.mark_point(filled=True, size=26, opacity=0.9, aria=False).encode(
        x, y, color=alt.Color("colour:N", scale=None)
    )
    return _stack(line, dots, width=_WIDTH, height=220)


def _dressed(chart: alt.LayerChart, *, ground: str) -> dict[str, Any]:
    dressed = chart.configure(
        background=ground,
        font=FONT,
        padding=8,
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelColor=INK,
            titleColor=INK,
            tickColor=INK,
            domainColor=INK,
            gridColor=INK,
            gridOpacity=0.1,
            tickOpacity=0.5,
            domainOpacity=0.5,
            labelFontSize=12,
            titleFontSize=13,
            titleFontWeight="normal",
            titlePadding=10,
        ),
        legend=alt.LegendConfig(labelColor=INK, labelFontSize=12, labelLimit=320, rowPadding=4),
    )
    spec: dict[str, Any] = dressed.to_dict()
    return spec


def svg(chart: alt.LayerChart, *, inline: bool = True) -> str:
    """Draw as SVG: in the page's ink, or for a file, on white.

    The same chart gives the same text, whatever was drawn before.
    """
    import vl_convert

    spec = _dressed(chart, ground="transparent" if inline else "#ffffff")
    drawn: str = vl_convert.vegalite_to_svg(spec, vl_version=_vl_version())
    if not inline:
        drawn = in_file(drawn)
    # The renderer numbers clip paths on from one picture to the next.
    clip = re.compile(r'(?<= id=")clip\d+(?=")|(?<=url\(#)clip\d+(?=\))')
    seen: dict[str, str] = {}
    return clip.sub(lambda m: seen.setdefault(m[0], f"clip{len(seen)}"), drawn)


def png(chart: alt.LayerChart) -> bytes:
    """Draw as PNG on white, at twice the size for sharp screens."""
    import vl_convert

    drawn: bytes = vl_convert.svg_to_png(svg(chart, inline=False), scale=2)
    return drawn


def _vl_version() -> str:
    return ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
