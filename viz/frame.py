"""What pages share: the frame around them, and rows the way tables show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine import lists, wording
from viz.figures import percent
from viz.labels import short, shorten
from viz.site import Row, Site

__all__ = [
    "Door",
    "beside",
    "community_rows",
    "counted",
    "frame",
    "mark_items",
    "score_rows",
    "sources",
]


Door = tuple[str, str]
"""A page's name and what it is called."""


def counted(count: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> counted(1, "community", "communities"), counted(1200, "member")
    ('1 community', '1,200 members')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def frame(
    site: Site, section: str, title: str, left_out: str, *, around: Sequence[Door] = ()
) -> dict[str, Any]:
    """Return what `frame.html` reads.

    Parameters
    ----------
    section
        The page that stands for this one in the navigation.
    around
        Pages of the same kind before and after this one.
    """
    attention_only = not site.has_scores
    nav = [("index.html", "Front page"), ("communities.html", "Communities")]
    nav.append(("quadrants.html", "Followers and attention" if attention_only else "Quadrants"))
    if site.cascades:
        nav.append(("cascade-1.html", "Cascades"))
    some = site.made and not all(origin.made for origin in site.origins)
    return {
        "title": title,
        "section": section,
        "around": around,
        "nav": nav,
        "made": site.made,
        "made_word": wording.MADE_DATA,
        "made_sentence": (
            "Part of these data was made up; nothing here is about real people."
            if some
            else "Names, shares and people here were made up."
        ),
        "tier_sentence": wording.tier_sentence(site.run.tier if site.has_scores else None),
        "left_out": left_out,
        "origins": site.origins,
        "run": site.run,
        "scored": site.has_scores,
        "score_word": wording.score_word(site.run.tier),
        "lower_bound": wording.lower_bound(site.run.tier),
    }


def community_rows(site: Site, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return communities as tables show them."""
    return [
        {
            "id": row["community_id"],
            "mark": site.mark(row["community_id"]),
            "page": site.community_page(row["community_id"]),
            "label": shorten(row["label"], 60),
            "kind": row["kind"],
            "member_count": row["member_count"],
            "inside_share": row["inside_share"],
            "verdict": row["verdict"],
            "verdict_word": wording.verdict_word(row["verdict"]),
            "low": row["resonance_low"],
            "score": row["resonance"],
            "high": row["resonance_high"],
            "platforms": _mix(row["platforms"], "platform"),
            "traits": _mix(row["traits"], "label"),
            "top": ", ".join(shorten(s, 32) for s in (row["top_sources"] or [])[:5]),
        }
        for row in rows
    ]


def _mix(parts: Sequence[Row] | None, key: str) -> str:
    shown = [f"{shorten(p[key], 32)} {percent(p['share'])}" for p in (parts or [])[:3]]
    return ", ".join(shown)


def sources(site: Site, *, most: int, **which: Any) -> list[Row]:
    """List scores with their labels, in the order every list of kindred has."""
    page = lists.scores(site.backend, site.run.run_id, limit=most, **which)
    rows: list[Row] = page.rows.to_pylist()
    return rows


def score_rows(site: Site, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return scores as tables show them."""
    tier = site.run.tier
    return [
        {
            "label": shorten(row["label"] or row["source_id"], 60),
            "kind": row["source_kind"],
            "community": row["community_id"],
            "low": row["resonance_low"],
            "mid": row["resonance"],
            "high": row["resonance_high"],
            "observed": row["observed"],
            "expected": row["expected"],
            "influence": row["influence"],
            "quadrant": wording.quadrant_word(row["quadrant"] or "undetermined", tier),
            "own_audience": "own_audience" in row["flags"],
        }
        for row in rows
    ]


def mark_items(site: Site, rows: Sequence[Row], most: int = 24) -> list[tuple[Any, str]]:
    """Return legend entries for communities, with a line for those that share the last style."""
    items: list[tuple[Any, str]] = [
        (site.mark(r["community_id"]), f"{r['community_id']} {shorten(short(r['label']), 30)}")
        for r in rows[:most]
    ]
    if len(rows) > most:
        items.append((site.mark(None), f"and {len(rows) - most} more, named in the table"))
    return items


def beside(doors: Sequence[Door], here: str) -> list[Door]:
    """Return the pages before and after this one in a row of pages.

    Examples
    --------
    >>> beside([("a.html", "A"), ("b.html", "B"), ("c.html", "C")], "b.html")
    [('a.html', '← A'), ('c.html', 'C →')]
    """
    names = [name for name, _ in doors]
    if here not in names:
        return []
    at = names.index(here)
    found = [(name, f"← {word}") for name, word in doors[max(at - 1, 0) : at]]
    return found + [(name, f"{word} →") for name, word in doors[at + 1 : at + 2]]
