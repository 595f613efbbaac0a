"""The front page: what the data are, what was found, how far to believe it, where to go."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from engine import wording
from viz import charts, svg
from viz.figures import percent
from viz.frame import community_rows, counted, frame
from viz.html import render
from viz.labels import shorten
from viz.pages import communities as communities_page
from viz.site import Row, Site

__all__ = ["page"]

_COMMUNITIES = 20
_NOTES = 60


def page(site: Site) -> tuple[str, str, str]:
    """Return title, HTML and what was left out."""
    titles = [shorten(origin.title, 80) for origin in site.origins]
    heading = titles[0] if len(titles) == 1 else f"{len(titles)} data sets"
    rows = site.communities[:_COMMUNITIES]
    hidden = len(site.communities) - len(rows)
    pages = [r for r in rows if site.community_page(r["community_id"])]
    parts = []
    if hidden:
        parts.append(f"{counted(hidden, 'smaller community', 'smaller communities')}")
    if not site.served and len(site.communities) > len(pages):
        parts.append(f"pages of all but the {len(pages)} largest communities")
    left_out = f"Left out: {'; '.join(parts)}." if parts else "Nothing was left out."
    bins = _bins(site)
    pick, drawn = communities_page.drawing(site)
    html = render(
        "front.html",
        **frame(site, "index.html", heading, left_out),
        heading=heading,
        lead=_lead(site),
        facts=_facts(site),
        still=svg.picture(drawn) if pick.communities else None,
        still_caption="Each shape is a community, as large as it has members; near each other "
        "means more ties than chance gives; a dashed rim: not found kindred.",
        doors=_doors(site),
        trust=_trust(site),
        chart=Markup(charts.svg(charts.calibration(bins))) if bins else None,  # noqa: S704
        chart_caption=[
            ("Dots", "sources and communities by what was predicted, against what came later"),
            ("Line", "dashed: claims come true exactly"),
            ("Bars", "90 % intervals of what was realised"),
        ],
        communities_about=_communities_about(site, hidden),
        communities=community_rows(site, rows),
        notes=[row["text"] for row in site.rows("notes", order=("number",), limit=_NOTES)],
    )
    return heading, html, left_out


def _lead(site: Site) -> str:
    if not site.communities:
        return "No communities were found here. " + wording.tier_sentence(site.run.tier)
    return f"{site.census} " + wording.tier_sentence(site.run.tier if site.has_scores else None)


def _facts(site: Site) -> list[tuple[str, str, str]]:
    people = sum(row["member_count"] for row in site.communities)
    kindred = sum(row["verdict"] == "kindred" for row in site.described)
    shares = sum(row["share_count"] for row in site.communities)
    facts = [
        ("communities", f"{len(site.described):,}", f"{kindred:,} kindred"),
        ("people in communities", f"{people:,}", ""),
    ]
    if shares:
        facts.append(("shares by them", f"{shares:,}", ""))
    if site.has_scores:
        facts.append(("figures are", "", wording.score_word(site.run.tier)))
    else:
        facts.append(("figures are", "", "attention: who engaged with whom"))
    word = _light(site)
    facts.append(("claims against later time", "", wording.trust_word(word)))
    return facts


def _light(site: Site) -> str:
    rows = [r for r in _calibrations(site) if r["platform"] is None]
    order = ("red", "amber", "green", "uncalibrated")
    found: list[str] = [r["verdict"] for r in rows] or ["uncalibrated"]
    return min(found, key=order.index)


def _calibrations(site: Site) -> list[Row]:
    return site.rows("calibration", {"method": "crossfit"}, limit=40)


def _trust(site: Site) -> list[dict[str, Any]]:
    rows = _calibrations(site)
    if not rows:
        return [_verdict("uncalibrated", "", "", "")]
    trust = []
    for row in sorted(rows, key=lambda r: (r["source_kind"], r["platform"] or "")):
        what = f"{row['source_kind']}s" + (f" on {row['platform']}" if row["platform"] else "")
        counts = ""
        if row["slope"] is not None:
            counts = (
                f"Over {row['future_count']:,} later shares by people new to a source; "
                f"{percent(row['lost_share'])} of the shares are outside any community."
            )
        trust.append(_verdict(row["verdict"], what, _sentence(row["reason"]), counts))
    return trust


def _sentence(text: str) -> str:
    """Make a sentence of a reason: a capital, and a stop."""
    return "" if not text else text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _verdict(verdict: str, what: str, reason: str, counts: str) -> dict[str, Any]:
    return {
        "verdict": verdict,
        "word": wording.trust_word(verdict),
        "sentence": wording.trust_sentence(verdict),
        "what": what,
        "reason": reason,
        "counts": counts,
    }


def _bins(site: Site) -> list[Row]:
    """Return the bins of the kind of source with the most realised shares, over all platforms."""
    rows = site.rows("calibration_bins", {"platform": None}, limit=400)
    weight: dict[str, int] = {}
    for row in rows:
        weight[row["source_kind"]] = weight.get(row["source_kind"], 0) + row["future_count"]
    if not weight:
        return []
    most = min(weight, key=lambda kind: (-weight[kind], kind))
    return [row for row in rows if row["source_kind"] == most]


def _communities_about(site: Site, hidden: int) -> str:
    text = "By size. Kindred, not kindred or undetermined is a verdict against rewired graphs."
    if site.has_scores:
        text += f" {wording.score_word(site.run.tier).capitalize()}: percent of the shares."
    if hidden:
        text += f" {hidden:,} smaller ones are not listed; see: kindred communities."
    return text


def _doors(site: Site) -> list[tuple[str, str, str]]:
    doors = [("communities.html", "The map of communities", "who lies near whom, and how sure")]
    if site.has_scores:
        doors.append(
            ("quadrants.html", "Quadrants", f"loudness against {wording.score_word(site.run.tier)}")
        )
    else:
        doors.append(
            ("quadrants.html", "Followers and attention", "who is followed, who is engaged with")
        )
    for row in site.cascades[:6]:
        deep = "" if row["depth_max"] is None else f", {counted(row['depth_max'], 'step')} deep"
        doors.append(
            (
                site.cascade_pages[row["content_id"]],
                f"Cascade of {counted(row['share_count'], 'share')}{deep}",
                shorten(row["content_id"], 40),
            )
        )
    return doors
