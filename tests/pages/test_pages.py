"""What pages say and hold, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from engine.contract import Backend
from engine.errors import NotFound
from viz import view
from viz.select import MEMBERS, SHARES, TIES

NAMES = {
    "affinity": [
        "index.html", "communities.html", "quadrants.html", "community-c1.html",
        "community-c2.html", "community-c3.html", "cascade-1.html", "cascade-2.html",
        "quadrants.svg", "quadrants.png",
    ],
    "attention": [
        "index.html", "communities.html", "quadrants.html", "community-c1.html",
        "community-c2.html", "community-c3.html", "quadrants.svg", "quadrants.png",
    ],
}  # fmt: skip


class Parsed(HTMLParser):
    """Tags with attributes, scripts, and the text a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[str | None, str]] = []
        self.styles: list[str] = []
        self.text: list[str] = []
        self._inside: list[str] = []
        self._type: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside.append(tag)
            self._type = dict(attrs).get("type")

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.text.append(data)
        elif self._inside[-1] == "script":
            self.scripts.append((self._type, data))
        else:
            self.styles.append(data)

    @property
    def words(self) -> str:
        seen = [*self.text, *(a.get("aria-label") or "" for _, a in self.tags)]
        return " ".join(" ".join(seen).split())


def pages(folders: dict[str, Path], kind: str) -> dict[str, str]:
    return {p.name: p.read_text("utf-8") for p in sorted(folders[kind].glob("*.html"))}


@pytest.mark.parametrize("kind", NAMES)
def test_the_files_are_the_pages_and_the_chart(folders: dict[str, Path], kind: str) -> None:
    assert sorted(p.name for p in folders[kind].iterdir()) == sorted(NAMES[kind])


@pytest.mark.parametrize("kind", NAMES)
def test_nothing_comes_from_elsewhere_and_nothing_runs_inline(
    folders: dict[str, Path], kind: str
) -> None:
    for name, html in pages(folders, kind).items():
        page = Parsed(html)
        for tag, attributes in page.tags:
            assert not [a for a in attributes if a.startswith("on")], (name, tag, attributes)
            assert "style" not in attributes, (name, tag, attributes)
            assert "src" not in attributes, (name, tag, attributes)
            assert tag not in ("img", "iframe", "object", "embed", "form", "base"), (name, tag)
            if tag == "a":
                assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)?\.html", attributes["href"] or ""), name
            if tag == "link":
                assert attributes["href"] == "data:,"


@pytest.mark.parametrize("kind", NAMES)
def test_the_policy_admits_these_scripts_and_this_style_only(
    folders: dict[str, Path], kind: str
) -> None:
    def digest(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    for html in pages(folders, kind).values():
        page = Parsed(html)
        policy = next(a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv"))
        assert policy is not None
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        code = [text for type, text in page.scripts if type is None]
        assert rules == {
            "default-src": "'none'",
            "script-src": " ".join(map(digest, code)),
            "style-src": " ".join(map(digest, page.styles)),
            "img-src": "data:",
            "base-uri": "'none'",
            "form-action": "'none'",
        }


@pytest.mark.parametrize("kind", NAMES)
def test_every_link_leads_to_a_page_of_the_folder(folders: dict[str, Path], kind: str) -> None:
    written = {p.name for p in folders[kind].iterdir()}
    linked: set[str] = set()
    for html in pages(folders, kind).values():
        page = Parsed(html)
        linked |= {a["href"] or "" for t, a in page.tags if t == "a"}
        data = [json.loads(text) for type, text in page.scripts if type == "application/json"]
        linked |= {node["page"] for graph in data for node in graph["nodes"] if node["page"]}
    assert linked == {name for name in written if name.endswith(".html")}


def test_words_of_known_exposure_stay_out_of_affinity_and_attention(
    folders: dict[str, Path],
) -> None:
    forbidden = re.compile(r"resonan|resonat|hollow|\bgem", re.IGNORECASE)
    for kind in NAMES:
        texts = [Parsed(html).words for html in pages(folders, kind).values()]
        texts.append((folders[kind] / "quadrants.svg").read_text("utf-8"))
        for text in texts:
            assert not forbidden.findall(text)
    both = " ".join(Parsed(html).words for html in pages(folders, "affinity").values())
    assert "affinity (exposure unknown), lower bound" in both
    assert "loud, little affinity" in both
    assert "quiet, strong affinity" in both
    for html in pages(folders, "attention").values():
        assert "ffinity" not in Parsed(html).words
        assert "Attention only" in Parsed(html).words


def test_exposure_earns_its_words(resonance: Backend) -> None:
    words = Parsed(view.quadrants(resonance).html).words
    assert "Loudness and resonance" in words
    assert "loud but hollow" in words
    assert "hidden gem" in words
    assert "ffinity" not in words


def test_made_data_is_said_on_every_page(folders: dict[str, Path]) -> None:
    for html in pages(folders, "affinity").values():
        assert "made data Names, shares and people here were made up." in Parsed(html).words
    for html in pages(folders, "attention").values():
        assert "made data" not in Parsed(html).words


def test_the_same_run_gives_the_same_bytes(affinity: Backend, folders: dict[str, Path]) -> None:
    again = {
        "index.html": view.front(affinity),
        "communities.html": view.community_map(affinity),
        "community-c1.html": view.community(affinity, "c1"),
        "cascade-1.html": view.cascade(affinity, "x:p0"),
        "quadrants.html": view.quadrants(affinity),
    }
    written = pages(folders, "affinity")
    assert {name: page.html for name, page in again.items()} == {n: written[n] for n in again}
    picture = (folders["affinity"] / "quadrants.svg").read_bytes()
    assert view.quadrant_picture(affinity) == picture
    assert (folders["affinity"] / "quadrants.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("name", NAMES["affinity"][:-2])
def test_a_server_asks_for_the_same_pages_by_name(affinity: Backend, name: str) -> None:
    page = view.page(affinity, name)
    assert page.title in Parsed(page.html).words
    assert page.left_out in Parsed(page.html).words


@pytest.mark.parametrize(
    "name", ["", "community-c99.html", "cascade-0.html", "cascade-3.html", "../index.html", "x"]
)
def test_other_names_are_not_found(affinity: Backend, name: str) -> None:
    with pytest.raises(NotFound):
        view.page(affinity, name)


def test_what_is_left_out_is_said(affinity: Backend) -> None:
    assert view.community(affinity, "c1").left_out == (
        "Left out: ties of weaker or less central members."
    )
    assert view.cascade(affinity, "x:p0").left_out == (
        "Left out: 1 parent that the data name but do not hold."
    )
    assert view.community_map(affinity).left_out == "Nothing was left out."
    assert view.quadrants(affinity).left_out == "Nothing was left out."
    assert (MEMBERS, TIES, SHARES) == (300, 1_500, 500)


def test_a_cascade_is_drawn_from_its_parents_or_not_at_all(affinity: Backend) -> None:
    def graph(content: str) -> dict[str, list[dict[str, object]]]:
        scripts = Parsed(view.cascade(affinity, content).html).scripts
        found: dict[str, list[dict[str, object]]] = json.loads(
            next(text for type, text in scripts if type == "application/json")
        )
        return found

    tree, star = graph("x:p0"), graph("x:p1")
    # 59 known parents, one share whose parent is unknown, and the author.
    assert (len(tree["nodes"]), len(tree["edges"])) == (61, 59)
    assert {edge["arrows"] for edge in tree["edges"]} == {"to"}
    assert sum(bool(edge["across"]) for edge in tree["edges"]) == 20
    assert (len(star["nodes"]), len(star["edges"])) == (29, 0)
    assert "depth is unknown" in Parsed(view.cascade(affinity, "x:p1").html).words


def test_pages_of_an_earlier_run_go(attention: Backend, tmp_path: Path) -> None:
    for name in ("community-c9.html", "cascade-4.html", "notes.html"):
        (tmp_path / name).write_text("old")
    seen: list[tuple[str, float, float | None]] = []
    written = view.write_pages(
        attention, tmp_path, progress=lambda *step: seen.append((step[0], step[1], step[2]))
    )
    assert written == [tmp_path / name for name in NAMES["attention"]]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*NAMES["attention"], "notes.html"])
    assert seen[-1] == ("pages", 7, 7)
