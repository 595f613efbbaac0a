"""The map of communities: who lies near whom, how large, how sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from engine import wording
from engine.csr import Floats
from viz import charts, layout, select
from viz.drawing import Drawing, Edge, Node
from viz.figures import percent
from viz.frame import community_rows, frame, mark_items
from viz.html import render
from viz.labels import boxes, fitting, short, shorten
from viz.site import Row, Site
from viz.style import Mark, areas

__all__ = ["drawing", "page"]

_LABELS = 40
_FILLED = 0.14
_RADII = (40.0, 125.0)
_ROOMY = 34.0
_NAMING = 60.0
_PEOPLE = 60
_NAMED = 4


def page(site: Site) -> tuple[str, str, str]:
    """Return title, HTML and what was left out."""
    pick, drawn = drawing(site)
    title = "The map of communities"
    lead = site.census
    chart, heading = _chart(site, pick.communities)
    html = render(
        "communities.html",
        drawing=drawn if pick.communities else None,
        **frame(site, "communities.html", title, pick.left_out),
        lead=lead,
        hint="Hover for names; click to see who is near; double click opens a community.",
        caption=[
            ("Size", "area of a shape: members; of a dot inside: authority there (or tie weight)"),
            ("Colour", "the community, the same on every page; a dashed rim: not found kindred"),
            ("Position", "near each other: more ties between them than chance gives"),
            ("Lines", "width: weight of the ties between two communities"),
        ],
        legend=mark_items(site, pick.communities),
        chart=chart,
        chart_heading=heading,
        chart_caption=[
            ("Bars", heading[0].lower() + heading[1:]),
            ("Colour", "the community, as on the map"),
        ],
        communities=community_rows(site, pick.communities),
    )
    return title, html, pick.left_out


def _chart(site: Site, rows: Sequence[Row]) -> tuple[Markup | None, str]:
    top = rows[:20]
    scored = any(row["resonance"] is not None for row in top)
    heading = (
        f"Community by {wording.score_word(site.run.tier)}" if scored else "Members by community"
    )
    if not top:
        return None, heading
    drawn = charts.community_bars(
        top, [site.mark(row["community_id"]) for row in top], site.run.tier
    )
    return Markup(charts.svg(drawn)), heading  # noqa: S704 - drawn and escaped by the renderer


def drawing(site: Site) -> tuple[select.MapPick, Drawing]:
    """Return the map and what is on it; the front page shows it too."""
    if "map" not in site.kept:
        pick = select.map_of_communities(site)
        site.kept["map"] = pick, _drawing(site, pick)
    kept: tuple[select.MapPick, Drawing] = site.kept["map"]
    return kept


def _drawing(site: Site, pick: select.MapPick) -> Drawing:
    """Draw communities by size, and in the larger ones the members with most authority."""
    rows = pick.communities
    size = np.array([row["member_count"] for row in rows], np.float64)
    radius = areas(size, 7.0, _largest(size))
    xy = layout.separate(
        layout.force(pick.graph, margin=60.0 + 150.0 * max(0.0, 1 - len(rows) / 12)),
        radius,
        gap=30.0,
    )
    xy, radius = layout.fitted(xy, radius)
    inside = [_inside(site, row, xy[i], float(radius[i])) for i, row in enumerate(rows)]
    people = [node for nodes in inside for node in nodes]
    names = [f"{row['community_id']} {shorten(short(row['label']), 27)}" for row in rows]
    # Communities are named first, then people by the size of their dot.
    matter = np.concatenate((1e9 + size, [node.size for node in people]))
    spots = np.concatenate((xy, np.array([[n.x, n.y] for n in people]).reshape(-1, 2)))
    extent = np.concatenate((radius, [node.size for node in people]))
    lone = [i for i, nodes in enumerate(inside) if not nodes]

    def fit(texts: list[str], matter: Floats) -> npt.NDArray[np.int8]:
        return fitting(
            spots,
            extent,
            [*texts, *(node.label for node in people)],
            matter,
            size=14,
            most=_LABELS,
            bodies=np.zeros(len(spots), bool),
            obstacles=boxes(xy[lone], radius[lone] * 0.8),
        )

    # Where a name does not fit, the number of the community may.
    first = fit(names, matter)[: len(rows)]
    texts = [name if first[i] else name.split(" ")[0] for i, name in enumerate(names)]
    shown = fit(texts, matter + np.where(np.arange(len(matter)) < len(rows), 1e12, 0.0)
                * np.append(first, np.zeros(len(people))))  # fmt: skip
    circles = [
        Node(
            label=texts[i] if shown[i] else "",
            title=_title(row),
            x=xy[i, 0],
            y=xy[i, 1],
            size=radius[i],
            mark=site.mark(row["community_id"]),
            dashed=row["verdict"] != "kindred",
            pale=bool(inside[i]),
            page=site.community_page(row["community_id"]),
        )
        for i, row in enumerate(rows)
    ]
    dots = [
        node if shown[len(rows) + i] else replace(node, label="") for i, node in enumerate(people)
    ]
    most = max((link["weight"] for _, _, link in pick.links), default=1.0) or 1.0
    edges = [
        Edge(
            len(dots) + u,
            len(dots) + v,
            0.6 + 9 * float(np.sqrt(link["weight"] / most)),
            title=f"{rows[u]['community_id']} and {rows[v]['community_id']}: "
            f"{link['tie_count']:,} ties" + _times(link["lift"]),
        )
        for u, v, link in pick.links
    ]
    about = f"A map of {len(rows)} communities; the table on this page says the same in words."
    return Drawing([*dots, *circles], edges, about)


def _largest(size: Floats) -> float:
    """Radius of the largest circle such that all circles fill a fixed part of the canvas."""
    if len(size) == 0 or size.max() <= 0:
        return _RADII[0]
    fill = _FILLED * layout.WIDTH * layout.HEIGHT / (np.pi * (size / size.max()).sum())
    return float(np.clip(np.sqrt(fill), *_RADII))


def _inside(site: Site, row: Row, middle: Floats, radius: float) -> list[Node]:
    """Lay out the members with most authority inside the circle of their community."""
    if radius < _ROOMY:
        return []
    most = int(min(_PEOPLE, radius * radius / 60))
    pick = select.members(site, row["community_id"], most=most)
    if len(pick.members) < 3:
        return []
    xy = layout.force(pick.graph)
    far = np.hypot(xy[:, 0], xy[:, 1])
    # The square root spreads a dense core; a dot stays clear of the rim.
    unit = xy / np.maximum(far, 1e-9)[:, None] * np.sqrt(far / max(far.max(), 1e-9))[:, None]
    size = areas(pick.matter, 2.5, 7.0 if pick.matter[0] > 2 * pick.matter[-1] else 3.5)
    spots = layout.separate(unit * radius * 0.8, size, gap=2.0) + middle
    known = select.names(site, [m["user_id"] for m in pick.members])
    dot = Mark(site.mark(row["community_id"]).colour, "dot")
    nodes = []
    for i, member in enumerate(pick.members):
        name = shorten(known[member["user_id"]]["shown"], 22)
        title = f"{name}\n{row['community_id']}"
        if member["rank"] is not None:
            title += f", authority inside: rank {member['rank']:,}"
        named = name if i < _NAMED and radius >= _NAMING else ""
        nodes.append(
            Node(
                named,
                title,
                spots[i, 0],
                spots[i, 1],
                size[i],
                dot,
                font=11,
            )
        )
    return nodes


def _times(lift: float | None) -> str:
    return "" if lift is None else f", {lift:.2g} times what chance gives"


def _title(row: Row) -> str:
    word = wording.verdict_word(row["verdict"])
    lines = [
        f"{row['community_id']} {shorten(row['label'], 60)}",
        f"{row['member_count']:,} members, {word}",
    ]
    if row["inside_share"] is not None:
        lines.append(f"{percent(row['inside_share'])} of tie weight stays inside")
    return "\n".join(lines)
