"""Pages of a run: open in any browser, without a network, for as long as the file lasts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine import lists
from engine.contract import Backend
from engine.errors import NotFound
from engine.progress import Progress, silent
from viz import charts
from viz.pages import cascade as cascade_page
from viz.pages import communities as communities_page
from viz.pages import community as community_page
from viz.pages import front as front_page
from viz.pages import quadrants as quadrants_page
from viz.site import Site

__all__ = [
    "Page",
    "cascade",
    "community",
    "community_map",
    "front",
    "page",
    "quadrant_picture",
    "quadrants",
    "write_pages",
]


@dataclass(frozen=True, slots=True)
class Page:
    """A page: one HTML text that holds all it needs."""

    title: str
    html: str
    left_out: str
    """What was too much to show, in a sentence."""


def front(backend: Backend, run_id: str | None = None) -> Page:
    """Show what the data are, what was found, and how far to believe it.

    Raises
    ------
    NotFound
        If there is no such run, or none at all.
    """
    return Page(*front_page.page(Site.open(backend, run_id)))


def community_map(backend: Backend, run_id: str | None = None) -> Page:
    """Map the communities: at most 60, the largest."""
    return Page(*communities_page.page(Site.open(backend, run_id)))


def community(backend: Backend, community_id: str, run_id: str | None = None) -> Page:
    """Show one community: at most 300 members and 1,500 ties. Raises `NotFound`."""
    return Page(*community_page.page(Site.open(backend, run_id), community_id))


def cascade(backend: Backend, content_id: str, run_id: str | None = None) -> Page:
    """Show how a content travelled: at most 500 shares. Raises `NotFound`."""
    site = Site.open(backend, run_id)
    row = lists.cascade(backend, site.run.run_id, content_id).to_pylist()[0]
    return Page(*cascade_page.page(site, row))


def quadrants(backend: Backend, run_id: str | None = None, community_id: str | None = None) -> Page:
    """Show loudness against the score, or against attention where nothing is scored."""
    return Page(*quadrants_page.page(Site.open(backend, run_id), community_id))


def quadrant_picture(
    backend: Backend,
    run_id: str | None = None,
    community_id: str | None = None,
    *,
    format: str = "svg",
) -> bytes:
    """Draw the quadrant chart as a file: `svg` or `png`. Raises `NotFound` where there is none."""
    drawn = quadrants_page.chart(Site.open(backend, run_id), community_id)
    if drawn is None:
        raise NotFound(
            "a chart of loudness",
            "this run has neither scores nor attention",
            "load shares or interactions, then run: kindred analyse",
        )
    return charts.png(drawn) if format == "png" else charts.svg(drawn, inline=False).encode()


_COMMUNITY: Final = re.compile(r"community-([A-Za-z0-9_-]+)\.html")
_CASCADE: Final = re.compile(r"cascade-([1-9][0-9]{0,4})\.html")


def page(backend: Backend, name: str, run_id: str | None = None) -> Page:
    """Make the page of this file name, for a server: any community, more cascades.

    Parameters
    ----------
    name
        `index.html`, `communities.html`, `community-<id>.html`, `cascade-<n>.html` or
        `quadrants.html`: what links in pages say.

    Raises
    ------
    NotFound
        If no page has this name.
    """
    return _page(Site.open(backend, run_id, served=True), name)


def _page(site: Site, name: str) -> Page:
    if name == "index.html":
        return Page(*front_page.page(site))
    if name == "communities.html":
        return Page(*communities_page.page(site))
    if name == "quadrants.html":
        return Page(*quadrants_page.page(site))
    if found := _COMMUNITY.fullmatch(name):
        return Page(*community_page.page(site, found[1]))
    if (found := _CASCADE.fullmatch(name)) and int(found[1]) <= len(site.cascades):
        return Page(*cascade_page.page(site, site.cascades[int(found[1]) - 1]))
    raise NotFound(
        f"the page {name}",
        f"run {site.run.run_id} has none of this name",
        "start at index.html",
    )


def write_pages(
    backend: Backend,
    folder: Path,
    run_id: str | None = None,
    progress: Progress = silent,
) -> list[Path]:
    """Write the pages of a run and the quadrant chart into a folder, front page first.

    The twelve largest communities and six cascades (the largest and the deepest) get a
    page. Files of the same names are replaced; pages of an earlier run that this one
    does not have are removed.
    """
    site = Site.open(backend, run_id)
    names = ["index.html", "communities.html", "quadrants.html"]
    names += [
        page
        for row in site.communities
        if (page := site.community_page(row["community_id"])) is not None
    ]
    names += site.cascade_pages.values()
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("*.html")):
        ours = _COMMUNITY.fullmatch(old.name) or _CASCADE.fullmatch(old.name)
        if ours and old.name not in names:
            old.unlink()
    written = []
    for done, name in enumerate(names):
        progress("pages", done, len(names) + 1)
        path = folder / name
        path.write_text(_page(site, name).html, encoding="utf-8", newline="\n")
        written.append(path)
    progress("pages", len(names), len(names) + 1)
    drawn = quadrants_page.chart(site)
    if drawn is not None:
        for name, content in (
            ("quadrants.svg", charts.svg(drawn, inline=False).encode()),
            ("quadrants.png", charts.png(drawn)),
        ):
            (folder / name).write_bytes(content)
            written.append(folder / name)
    progress("pages", len(names) + 1, len(names) + 1)
    return written
