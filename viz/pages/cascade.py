"""One cascade: how a content travelled, from whom to whom where that is known."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from markupsafe import Markup

from engine import wording
from engine.csr import Floats
from viz import charts, layout, select
from viz.drawing import Drawing, Edge, Node
from viz.figures import count, figure, percent, span
from viz.frame import Door, beside, counted, frame
from viz.html import render
from viz.labels import fitting, shorten
from viz.site import Row, Site
from viz.style import Mark, areas

__all__ = ["page"]

_LABELS = 24
_LANES = 7
_CROWD = 20
_FROM_WHAT = "but whom the sharer follows or turned to before; else the author for want of better"


def page(site: Site, row: Row) -> tuple[str, str, str]:
    """Return title, HTML and what was left out, of a row of `cascades`."""
    pick = select.cascade(site, row)
    people = [s["user_id"] for s in pick.shares] + ([row["author_id"]] if row["author_id"] else [])
    known = select.names(site, people)
    found = site.backend.contents([row["content_id"]]).to_pylist()
    content: Row = found[0] if found else {}
    author = known[row["author_id"]]["shown"] if row["author_id"] else "an author not in the data"
    title = f"How it travelled: {shorten(row['content_id'], 60)}"
    posted = content.get("created_at")
    hours = _hours([s["at"] for s in pick.shares], posted)
    drawing, caption = _picture(site, pick, known, author, hours)
    crowd = _crowd(site, pick)
    growth = _growth(site, pick, posted)
    here = site.cascade_pages.get(row["content_id"], "")
    html = render(
        "cascade.html",
        drawing=drawing,
        **frame(site, "cascade-1.html", title, pick.left_out, around=beside(_doors(site), here)),
        content_id=shorten(row["content_id"], 80),
        lead=_lead(row, shorten(author, 60), posted),
        text=shorten(content.get("text") or content.get("url") or "", 600),
        facts=_facts(row),
        hint="Hover for names; click to see from whom and to whom it went.",
        caption=caption,
        legend=_legend(site, pick),
        chart=growth,
        chart_caption=[
            ("Steps", "each share adds one"),
            ("Colour", "the sharer's community, as in the picture above"),
        ],
        crowd=crowd,
        flags=row["flags"],
    )
    return title, html, pick.left_out


def _doors(site: Site) -> list[Door]:
    return [
        (site.cascade_pages[row["content_id"]], f"{counted(row['share_count'], 'share')}")
        for row in site.cascades
    ]


def _lead(row: Row, author: str, posted: datetime | None) -> str:
    when = f" on {posted:%-d %B %Y, %H:%M} UTC" if posted else ""
    head = (
        f"Posted by {author}{when}, passed on by {counted(row['share_count'], 'person', 'people')}"
    )
    return head + wording.depth_sentence(row)


def _facts(row: Row) -> list[tuple[str, str, str]]:
    facts = [
        ("shares", count(row["share_count"]), "one a person"),
        ("communities reached", count(row["communities_count"]), ""),
        ("sharers in the author's community", percent(row["home_share"]), ""),
    ]
    if row["depth_max"] is not None:
        about = _between(row, "depth", 0) or f"mean {figure(row['depth_mean'])}"
        facts += [
            ("deepest", count(row["depth_max"]), about),
            ("widest step", count(row["breadth_max"]), "shares"),
        ]
    if row["structural_virality"] is not None:
        about = _between(row, "virality", 2) or "mean distance of pairs"
        facts.append(("structural virality", figure(row["structural_virality"], 2), about))
    if row["cross_community_hops"] is not None:
        facts.append(("steps across communities", count(row["cross_community_hops"]), ""))
    if row["half_life_seconds"] is not None:
        facts.append(("half of its shares after", span(row["half_life_seconds"]), ""))
    return facts


def _between(row: Row, name: str, digits: int) -> str:
    """Say the range over likely trees, where there is one."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return "" if low is None else f"{figure(low, digits)} to {figure(high, digits)}, likely trees"


def _hours(times: Sequence[datetime | None], posted: datetime | None) -> Floats | None:
    """Hours since the post of each share, or None where times are missing."""
    known = [t for t in times if t is not None]
    if not times or len(known) < len(times):
        return None
    start = posted or min(known)
    since = [(t - start).total_seconds() / 3600 for t in known]
    return np.array(since, np.float64).clip(min=0.0)


def _by_count(counts: Counter[str | None]) -> list[str | None]:
    """Return communities by how many sharers they have; None is "in none"."""
    return [c for c, _ in sorted(counts.items(), key=lambda i: (-i[1], i[0] is None, i[0] or ""))]


def _shown_communities(pick: select.CascadePick) -> list[str | None]:
    return _by_count(Counter(s["community_id"] for s in pick.shares))


def _word(site: Site, community_id: str | None) -> str:
    if community_id is None:
        return "in no community"
    row = site.by_id.get(community_id)
    return community_id if row is None else f"{community_id} {shorten(row['label'], 30)}"


def _legend(site: Site, pick: select.CascadePick) -> list[tuple[Mark, str]]:
    order = _shown_communities(pick)
    items = [(site.mark(c), _word(site, c)) for c in order[:_LANES]]
    if len(order) > _LANES:
        items.append((site.mark(None), f"and {len(order) - _LANES} more communities"))
    return items


def _picture(
    site: Site,
    pick: select.CascadePick,
    known: Mapping[str, Row],
    author: str,
    hours: Floats | None,
) -> tuple[Drawing | None, list[tuple[str, str]]]:
    if not pick.shares:
        return None, []
    if pick.is_tree:
        return _tree(site, pick, known, author)
    return _lanes(site, pick, known, hours)


def _tree(
    site: Site, pick: select.CascadePick, known: Mapping[str, Row], author: str
) -> tuple[Drawing, list[tuple[str, str]]]:
    """Draw rings: the author in the middle, one ring a step, unknown parents outside."""
    n = len(pick.parent)
    inside = np.flatnonzero(pick.parent != -2)
    outside = np.flatnonzero(pick.parent == -2)
    new = np.full(n, -1, np.int32)
    new[inside] = np.arange(len(inside), dtype=np.int32)
    parent = np.where(pick.parent[inside] >= 0, new[pick.parent[inside]], -1).astype(np.int32)
    placed = layout.rings(parent, inside.astype(np.int32), strangers=len(outside))
    xy = np.zeros((n, 2))
    xy[inside] = placed.xy
    xy[outside] = placed.outside
    below = np.zeros(n)
    for i in range(n - 1, 0, -1):
        if pick.parent[i] >= 0:
            below[pick.parent[i]] += below[i] + 1
    radius = areas(below + 1, 3.5 if n > 200 else 5.0, 24.0)
    who = [author] + [known[s["user_id"]]["shown"] for s in pick.shares]
    home = [pick.cascade["community_id"]] + [s["community_id"] for s in pick.shares]
    texts = [shorten(w, 22) for w in who]
    matter = below.copy()
    matter[0] = n
    matter[(below == 0) & (n > 60)] = -1
    shown = fitting(xy, radius, texts, matter, size=13, most=_LABELS)
    shown[matter < 0] = 0
    nodes = [
        Node(
            label=texts[i] if shown[i] else "",
            title=f"{shorten(who[i], 80)}\n{_word(site, home[i])}\n"
            + (f"{int(below[i]):,} shares below" if i else "the author"),
            x=xy[i, 0],
            y=xy[i, 1],
            size=radius[i],
            mark=site.mark(home[i]),
            font=13,
        )
        for i in range(n)
    ]
    edges = [
        Edge(int(p), i, 1.0, across=home[i] != home[p], dashed=pick.is_inferred(i))
        for i, p in enumerate(pick.parent.tolist())
        if p >= 0
    ]
    caption = [
        ("Size", "area of a dot: shares that came through it, itself included"),
        ("Colour", "the community of the sharer, the same on every page"),
        ("Position", "the author in the middle, one ring a step, one wedge a branch"),
        ("Lines", "from whom it came; brown where it crossed to another community"),
    ]
    if any(edge.dashed for edge in edges):
        caption.append(("Dashed", "inferred: the data do not say from whom, " + _FROM_WHAT))
    if len(outside):
        caption.append(("Outside", "shares whose parent is not known"))
    about = f"A tree of {n - 1} shares on {len(placed.circles)} rings around the author."
    return Drawing(nodes, edges, about, directed=n < 150, circles=placed.circles), caption


def _lanes(
    site: Site, pick: select.CascadePick, known: Mapping[str, Row], hours: Floats | None
) -> tuple[Drawing, list[tuple[str, str]]]:
    """Draw lanes: a community each, from left to right in time; no line, as no parent is known."""
    order = _shown_communities(pick)
    lane_of = {c: min(i, _LANES) for i, c in enumerate(order)}
    lane = np.array([lane_of[s["community_id"]] for s in pick.shares], np.int32)
    lane_count = int(lane.max()) + 1
    if hours is None:
        position = np.arange(len(lane)) / max(len(lane) - 1, 1)
        time = "from left to right in the order of the data (no times)"
    else:
        # Minutes matter at first, days later.
        scaled = np.log1p(hours * 60)
        position = scaled / max(float(scaled.max()), 1e-9)
        last = span(float(hours.max()) * 3600)
        time = f"from left to right in time since the post, early minutes drawn wider (to {last})"
    xy = layout.lanes(position, lane, lane_count, margin=60.0)
    followers = [known[s["user_id"]]["followers_count"] or 0 for s in pick.shares]
    radius = areas(np.array(followers, np.float64), 4.0, 20.0)
    texts = [shorten(known[s["user_id"]]["shown"], 22) for s in pick.shares]
    shown = fitting(xy, radius, texts, np.array(followers) + 1.0 / (1 + np.arange(len(lane))),
                    size=13, most=_LABELS)  # fmt: skip
    nodes = [
        Node(
            label=texts[i] if shown[i] else "",
            title="\n".join(
                (
                    shorten(known[s["user_id"]]["shown"], 80),
                    _word(site, s["community_id"]),
                    *([f"after {span(float(hours[i]) * 3600)}"] if hours is not None else []),
                )
            ),
            x=xy[i, 0],
            y=xy[i, 1],
            size=radius[i],
            mark=site.mark(s["community_id"]),
            font=13,
        )
        for i, s in enumerate(pick.shares)
    ]
    caption = [
        ("Size", "area of a dot: followers of the sharer" if any(followers) else "all the same"),
        ("Colour", "the community of the sharer, the same on every page"),
        ("Position", f"one lane a community; {time}"),
        ("Lines", f"none: {_no_lines(pick.cascade)}"),
    ]
    return Drawing(nodes, [], f"{len(nodes)} shares in {lane_count} lanes."), caption


def _no_lines(row: Row) -> str:
    if row["parent_method"] == "unknown":
        return "the data name only the author, not from whom it was passed on"
    return "too few of the people it came from are known"


def _crowd(site: Site, pick: select.CascadePick) -> list[dict[str, Any]]:
    """Count the sharers of each community, over all shares; the first of each is named."""
    homes = pick.edges["community_id"].to_pylist()
    people = pick.edges["user_id"].to_pylist()
    times = pick.edges["at"].to_pylist()
    order = sorted(range(len(homes)), key=lambda i: (times[i] is None, times[i], people[i]))
    first: dict[str | None, str] = {}
    for i in order:
        first.setdefault(homes[i], people[i])
    counts = Counter(homes)
    shown = _by_count(counts)[:_CROWD]
    known = select.names(site, [first[c] for c in shown])
    return [
        {
            "id": c or "none",
            "mark": site.mark(c),
            "page": site.community_page(c),
            "label": "" if c is None else shorten(site.by_id.get(c, {}).get("label", ""), 60),
            "count": counts[c],
            "share": counts[c] / len(homes),
            "first": shorten(known[first[c]]["shown"], 40),
        }
        for c in shown
    ]


def _growth(site: Site, pick: select.CascadePick, posted: datetime | None) -> Markup | None:
    """Chart all shares adding up, where there are times."""
    hours = _hours(pick.edges["at"].to_pylist(), posted)
    if hours is None or len(hours) < 3 or math.isclose(float(hours.max()), 0.0):
        return None
    homes = pick.edges["community_id"].to_pylist()
    order = np.argsort(hours, kind="stable")
    colours = [site.mark(homes[i]).paint for i in order.tolist()]
    drawn = charts.growth(hours[order].tolist(), colours)
    return Markup(charts.svg(drawn))  # noqa: S704 - drawn and escaped by the renderer
