"""Loudness against the score; or, where nothing is scored, followers against attention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import altair as alt
from markupsafe import Markup

from engine import wording
from engine.resonance import HIGH_INFLUENCE, HIGH_SCORE
from viz import charts, select
from viz.frame import counted, frame, score_rows, sources
from viz.html import render
from viz.labels import shorten
from viz.site import Row, Site
from viz.style import mark

__all__ = ["chart", "page"]

_LIST = 12
_PEOPLE = 20


def page(site: Site, community_id: str | None = None) -> tuple[str, str, str]:
    """Return title, HTML and what was left out; of one community, or rolled up over all."""
    if community_id is not None:
        site.community(community_id)
    return _scored(site, community_id) if site.has_scores else _attention(site)


def chart(site: Site, community_id: str | None = None) -> alt.LayerChart | None:
    """Return the page's chart, or None where there is nothing to draw."""
    if site.has_scores:
        rows, _ = _points(site, community_id)
        return charts.quadrants(rows, [r["label"] for r in rows], site.run.tier) if rows else None
    people, _ = _people(site)
    return _scatter(site, people) if people else None


def _points(site: Site, community_id: str | None) -> tuple[list[Row], str]:
    """Return what is drawn: all that is claimed first, then what is not, and what was left out."""
    rows: list[Row] = []
    parts = []
    for quadrant in wording.QUADRANTS:
        most = select.SOURCES // len(wording.QUADRANTS)
        found = sources(site, most=most + 1, quadrant=quadrant, **_which(community_id))
        rows += found[:most]
        if len(found) > most:
            word = wording.quadrant_word(quadrant, site.run.tier)
            parts.append(f"of {word}, all but the {most:,} with the highest lower bound")
    return rows, f"Left out: {'; '.join(parts)}." if parts else "Nothing was left out."


def _which(community_id: str | None) -> dict[str, Any]:
    return {"roll_up": True} if community_id is None else {"community_id": community_id}


def _scored(site: Site, community_id: str | None) -> tuple[str, str, str]:
    tier = site.run.tier
    where = "" if community_id is None else f" in community {community_id}"
    title = f"Loudness and {wording.score_word(tier)}{where}"
    rows, left_out = _points(site, community_id)
    drawn = charts.quadrants(rows, [r["label"] for r in rows], tier) if rows else None
    about = {
        "leader": "Among the loudest fifth, and the lower end of the interval is "
        f"{HIGH_SCORE:.0f} or more.",
        "gem": f"Not among the loudest fifth, and the lower end is {HIGH_SCORE:.0f} or more.",
        "broadcaster": "Among the loudest fifth, and even the upper end of the interval is below "
        f"{HIGH_SCORE:.0f}.",
    }
    undetermined = sum(r["quadrant"] in (None, "undetermined") for r in rows)
    html = render(
        "quadrants.html",
        **frame(site, "quadrants.html", title, left_out),
        lead=f"{counted(len(rows), 'source')}{where} drawn; for {undetermined:,} of them the "
        "interval is too wide to say where they stand.",
        nothing="No source has a figure here.",
        chart=None if drawn is None else Markup(charts.svg(drawn)),  # noqa: S704 - as drawn
        chart_caption=[
            ("Across", "influence percentile: how loud a source is among all sources of its kind"),
            ("Up", f"{wording.lower_bound(tier)}: percent of shares beyond the expected, at least"),
            ("Bars", "from the lower to the upper end of the interval, for the marked ones"),
            (
                "Lines",
                f"quadrants part at the {HIGH_INFLUENCE:.0f}th percentile and at {HIGH_SCORE:.0f}",
            ),
        ],
        lists=[
            {
                "word": wording.quadrant_heading(quadrant, tier),
                "about": text,
                "rows": score_rows(site, [r for r in rows if r["quadrant"] == quadrant][:_LIST]),
            }
            for quadrant, text in about.items()
        ],
    )
    return title, html, left_out


def _people(site: Site) -> tuple[list[Row], str]:
    """Return users with attention, the most first, and what was left out."""
    rows = site.rows(
        "influence",
        {"source_kind": "user"},
        ("-attention_count", "-followers_count", "source_id"),
        limit=select.SOURCES + 1,
    )
    both = [r for r in rows if (r["followers_count"] or 0) > 0 and r["attention_count"] > 0]
    kept = both[: select.SOURCES]
    parts = []
    if len(rows) > select.SOURCES:
        parts.append(f"all but the {select.SOURCES:,} people with the most attention")
    if len(both) < len(rows):
        parts.append(
            f"{counted(len(rows) - len(both), 'person', 'people')} with no followers or no "
            "attention in the data"
        )
    return kept, f"Left out: {'; '.join(parts)}." if parts else "Nothing was left out."


def _scatter(site: Site, rows: Sequence[Row]) -> alt.LayerChart:
    sizes = Counter(r["community_id"] for r in rows)
    few = {c for c, _ in sizes.most_common()[8:]} | {None}

    def word(community_id: str | None) -> str:
        if community_id in few:
            return "smaller communities, or none"
        row = site.by_id.get(community_id or "")
        label = "" if row is None else " " + shorten(row["label"], 24)
        return f"{community_id}{label}"

    ordered = sorted(rows, key=lambda r: (-sizes[r["community_id"]], r["community_id"] or ""))
    return charts.attention(
        ordered,
        [r["label"] for r in ordered],
        [mark(-1) if r["community_id"] in few else site.mark(r["community_id"]) for r in ordered],
        [word(r["community_id"]) for r in ordered],
    )


def _attention(site: Site) -> tuple[str, str, str]:
    title = "Followers and attention"
    rows, left_out = _people(site)
    drawn = _scatter(site, rows) if rows else None
    people = [
        {
            "shown": shorten(r["label"], 60),
            "beside": r["community_id"] or "",
            "followers": r["followers_count"],
            "attention": r["attention_count"],
            "inside": r["attention_inside_count"],
            "across": r["attention_across_count"],
        }
        for r in rows
    ]
    loudest = sorted(people, key=lambda p: (-p["followers"], p["shown"]))[:_PEOPLE]
    columns = [
        ("followers", "followers"),
        ("attention", "attention"),
        ("of it inside", "inside"),
        ("from elsewhere", "across"),
    ]
    html = render(
        "quadrants.html",
        **frame(site, "quadrants.html", title, left_out),
        lead="How many follow someone, beside how many distinct people engage with them. "
        "Being followed is not being engaged with.",
        nothing="Nobody here has both followers and attention in the data.",
        chart=None if drawn is None else Markup(charts.svg(drawn)),  # noqa: S704 - as drawn
        chart_caption=[
            ("Across", "followers as the platform said, on a log scale"),
            ("Up", "attention: distinct people who mentioned, replied or did something unknown"),
            ("Colour", "home community, as on the map"),
            ("Names", "the most followed, the most attended, and those far from the common line"),
        ],
        columns=[{"word": w, "key": k, "digits": None} for w, k in columns],
        lists=[
            {
                "word": "Most followers",
                "about": "Loud by audience; attention is counted inside the home community and "
                "from elsewhere.",
                "rows": _ranked(loudest),
            },
            {
                "word": "Most attention",
                "about": "Engaged with by the most distinct people in these data.",
                "rows": _ranked(people[:_PEOPLE]),
            },
        ],
    )
    return title, html, left_out


def _ranked(people: Sequence[Row]) -> list[Row]:
    return [{"rank": i, **person} for i, person in enumerate(people, start=1)]
