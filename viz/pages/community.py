"""One community: its most authoritative members and their ties, and what it shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from engine import wording
from viz import layout, select
from viz.drawing import Drawing, Edge, Node
from viz.figures import percent
from viz.frame import Door, beside, community_rows, counted, frame, score_rows, sources
from viz.html import render
from viz.labels import fitting, shorten
from viz.site import Row, Site
from viz.style import Mark, areas, mark

__all__ = ["page"]

_LABELS = 36
_PEOPLE = 25
_SOURCES = 15
_OPPOSITES = 6
_TRAITS = 7
_SIZES = {
    False: "area of a dot: authority inside the community (PageRank restarted there)",
    True: "area of a dot: weight of its ties (authority is the same for all here)",
}


def page(site: Site, community_id: str) -> tuple[str, str, str]:
    """Return title, HTML and what was left out. Raises `NotFound`."""
    row = site.community(community_id)
    pick = select.members(site, community_id)
    known = select.names(site, [m["user_id"] for m in pick.members])
    title = f"Community {community_id} {shorten(row['label'], 60)}"
    groups = _groups(pick.members, known, site.mark(community_id))
    drawing = _drawing(pick, known, groups) if pick.members else None
    html = render(
        "community.html",
        drawing=drawing,
        **frame(
            site,
            "communities.html",
            title,
            pick.left_out,
            around=beside(_doors(site), site.community_page(community_id) or ""),
        ),
        community=community_rows(site, [row])[0],
        lead=_lead(row),
        facts=_facts(site, row),
        hint="Hover for names; click to see who is near.",
        caption=[
            ("Size", _SIZES[pick.flat]),
            ("Colour", groups.about),
            ("Position", "near each other: tied to each other and to the same members"),
            ("Lines", "the strongest ties; names: the largest dots whose name fits"),
        ],
        legend=groups.legend,
        **(_scores(site, community_id) if site.has_scores else {}),
        **_people(site, community_id, flat=pick.flat),
    )
    return title, html, pick.left_out


def _doors(site: Site) -> list[Door]:
    pages = (
        (site.community_page(c), f"{c} {shorten(r['label'], 30)}") for c, r in site.by_id.items()
    )
    return [(name, word) for name, word in pages if name is not None]


def _lead(row: Row) -> str:
    parts = [
        f"{counted(row['member_count'], 'member')}.",
        f"{wording.verdict_word(row['verdict']).capitalize()}: "
        + wording.verdict_sentence(row["verdict"])
        + ".",
    ]
    if row["kind"] == "mainstream":
        parts.append("It holds over 40 % of all members, so it is no headline by itself.")
    if row["kind"] == "fringe":
        parts.append("It is too small, or shares too little, to be scored.")
    return " ".join(parts)


def _facts(site: Site, row: Row) -> list[tuple[str, str, str]]:
    q = row["q_value"]
    facts = [
        ("members", f"{row['member_count']:,}", ""),
        ("ties that stay inside", percent(row["inside_share"]), "of their weight"),
        ("verdict", wording.verdict_word(row["verdict"]), "" if q is None else f"q = {q:.3g}"),
    ]
    if site.has_scores:
        facts.append(("shares by members", f"{row['share_count']:,}", ""))
    if row["resonance"] is not None:
        facts.append(
            (
                wording.score_word(site.run.tier),
                f"{row['resonance']:.0f} %",
                f"of its shares; {row['resonance_low']:.0f} to {row['resonance_high']:.0f}",
            )
        )
    shown = community_rows(site, [row])[0]
    if shown["platforms"]:
        facts.append(("platforms", "", shown["platforms"]))
    if shown["traits"]:
        facts.append(("labels of members", "", shown["traits"]))
    return facts


class _Groups:
    """Members by the account label they carry, else by platform, else all in one."""

    def __init__(
        self, words: Sequence[str], about: str, legend: list[tuple[Mark, str]], marks: list[Mark]
    ) -> None:
        self.words, self.about, self.legend, self.marks = words, about, legend, marks


def _groups(members: Sequence[Row], known: Mapping[str, Row], own: Mark) -> _Groups:
    carried = [known[m["user_id"]]["labels"] or [] for m in members]
    platforms = [known[m["user_id"]]["platform"] or "unknown" for m in members]
    if any(carried):
        # A member with several labels stands under the one most members have.
        often = Counter(label for labels in carried for label in sorted(set(labels)))
        words = [
            min(labels, key=lambda label: (-often[label], label)) if labels else "no label"
            for labels in carried
        ]
        about = "the label of the account most members have"
    elif len(set(platforms)) > 1:
        words, about = platforms, "platform"
    else:
        about = "the community's own, as on the map"
        return _Groups([""] * len(members), about, [(own, "member")], [own] * len(members))
    order = sorted(Counter(words).items(), key=lambda item: (-item[1], item[0]))
    style = {word: mark(i) for i, (word, _) in enumerate(order[:_TRAITS])}
    legend = [(style[word], f"{shorten(word, 40)} ({n:,})") for word, n in order[:_TRAITS]]
    if len(order) > _TRAITS:
        rest = sum(n for _, n in order[_TRAITS:])
        legend.append((mark(-1), f"{len(order) - _TRAITS} others ({rest:,})"))
    return _Groups(words, about, legend, [style.get(w, mark(-1)) for w in words])


def _drawing(pick: select.MemberPick, known: Mapping[str, Row], groups: _Groups) -> Drawing:
    radius = areas(pick.matter, 4.0, 26.0 if len(pick.members) < 150 else 20.0)
    xy = layout.separate(layout.force(pick.graph, margin=50.0), radius, gap=3.0)
    texts = [shorten(known[m["user_id"]]["shown"]) for m in pick.members]
    shown = fitting(xy, radius, texts, pick.matter, size=13, most=_LABELS)
    nodes = [
        Node(
            label=texts[i] if shown[i] else "",
            title=_title(member, known[member["user_id"]], groups.words[i]),
            x=xy[i, 0],
            y=xy[i, 1],
            size=radius[i],
            mark=groups.marks[i],
            font=13,
        )
        for i, member in enumerate(pick.members)
    ]
    most = max((w for _, _, w in pick.ties), default=1.0) or 1.0
    edges = [Edge(u, v, 0.35 + 1.8 * w / most) for u, v, w in reversed(pick.ties)]
    about = f"{len(nodes)} members and their ties; the tables below say the same in words."
    return Drawing(nodes, edges, about)


def _title(member: Row, user: Row, group: str) -> str:
    lines = [shorten(user["shown"], 80)]
    if user["handle"] and user["handle"] != user["shown"]:
        lines.append("@" + shorten(user["handle"].removeprefix("@"), 60))
    if group:
        lines.append(shorten(group, 80))
    if member["rank"] is not None:
        lines.append(f"authority inside: rank {member['rank']:,}")
    if user["followers_count"] is not None:
        lines.append(f"{user['followers_count']:,} followers")
    return "\n".join(lines)


def _scores(site: Site, community_id: str) -> dict[str, Any]:
    tier = site.run.tier

    def some(most: int, **which: Any) -> list[dict[str, Any]]:
        return score_rows(site, sources(site, most=most, community_id=community_id, **which))

    return {
        "best": some(_SOURCES),
        "loud": some(_OPPOSITES, quadrant="broadcaster"),
        "quiet": some(_OPPOSITES, quadrant="gem"),
        "loud_word": wording.quadrant_heading("broadcaster", tier),
        "quiet_word": wording.quadrant_heading("gem", tier),
        "scores_about": (
            "Percent of this community's shares of a source beyond what is expected, ranked by "
            "the lower end of the interval. Loudness is the influence percentile over all sources."
        ),
    }


def _people(site: Site, community_id: str, *, flat: bool) -> dict[str, Any]:
    """List members by authority, with their loudness beside the attention they receive."""
    heading = "Whom to talk to: authority inside"
    if flat:
        about = "Nobody here engages with another member, so authority is the same for all."
        return {"people": [], "people_heading": heading, "people_about": about}
    order = ("rank", "user_id")
    top = site.rows("authority", {"community_id": community_id}, order, limit=_PEOPLE)
    ids = [m["user_id"] for m in top]
    known = select.names(site, ids)
    loud = {
        r["source_id"]: r
        for r in site.rows("influence", {"source_kind": "user", "source_id": ids})
    } if ids else {}  # fmt: skip
    people = []
    for m in top:
        row = loud.get(m["user_id"], {})
        user = known[m["user_id"]]
        people.append(
            {
                "rank": m["rank"],
                "shown": shorten(user["shown"], 60),
                "beside": shorten(", ".join((user["labels"] or [])[:2]), 50),
                "percentile": m["percentile"],
                "followers": user["followers_count"],
                "inside": row.get("attention_inside_count"),
                "across": row.get("attention_across_count"),
                "sharers": row.get("sharer_count"),
            }
        )
    columns = [("authority percentile", "percentile", 1), ("followers", "followers", None)]
    if any(p["inside"] or p["across"] for p in people):
        columns += [("attention inside", "inside", None), ("from elsewhere", "across", None)]
    if any(p["sharers"] for p in people):
        columns.append(("distinct sharers", "sharers", None))
    return {
        "people": people,
        "people_heading": heading,
        "people_about": (
            "PageRank over ties, restarted inside this community, beside how loud each is. "
            "Attention counts distinct people who engaged, inside this community and elsewhere."
        ),
        "people_columns": [{"word": w, "key": k, "digits": d} for w, k, d in columns],
    }
