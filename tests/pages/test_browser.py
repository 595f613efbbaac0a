"""Pages in a real browser, from files, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

pytestmark = pytest.mark.browser

SCRIPT = "</script><img src=x onerror=window.pwned=1>"
LINK = '<a href="javascript:window.pwned=1">href</a>'

SCORED = (
    "index.html", "communities.html", "community-c1.html", "quadrants.html", "cascade-1.html",
    "cascade-2.html",
)  # fmt: skip
UNSCORED = ("index.html", "communities.html", "community-c1.html", "quadrants.html")


@dataclass
class Heard:
    """What a page tried to fetch, and what it complained of."""

    left: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--use-gl=angle",
                "--use-angle=swiftshader",
                "--enable-unsafe-swiftshader",
                "--disable-background-networking",
            ],
        )
        yield started
        started.close()


def opened(browser: Browser, file: Path, scheme: str = "light") -> tuple[Page, Heard]:
    heard = Heard()

    def decide(route: Route) -> None:
        if route.request.url.startswith(("file://", "data:")):
            route.continue_()
        else:
            heard.left.append(route.request.url)
            route.abort()

    context = browser.new_context(
        viewport={"width": 1280, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.route("**/*", decide)
    page = context.new_page()
    page.on("console", lambda message: heard.complaints.append(message.text))
    page.on("pageerror", lambda error: heard.complaints.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready=yes]")
    if page.locator("#graph").count():
        page.wait_for_selector("html[data-drawn=yes]")
    return page, heard


def pwned(page: Page) -> bool:
    return bool(page.evaluate("window.pwned !== undefined"))


@pytest.mark.parametrize(
    ("kind", "name"),
    [*(("affinity", name) for name in SCORED), *(("attention", name) for name in UNSCORED)],
)
def test_a_page_opens_quietly_and_fetches_nothing(
    browser: Browser, folders: dict[str, Path], kind: str, name: str
) -> None:
    page, heard = opened(browser, folders[kind] / name)
    assert heard == Heard()
    assert not pwned(page)
    assert page.locator("h1").inner_text()
    # Nothing is wider than the window, and nothing from the data became an element.
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert page.locator("main img").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    page.context.close()


def test_the_policy_is_in_force(browser: Browser, folders: dict[str, Path]) -> None:
    page, heard = opened(browser, folders["affinity"] / "index.html")
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.pwned = 1";
            document.body.append(script);
            document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.pwned=1'>");
            const far = document.createElement("img");
            far.src = "https://example.org/pixel.png";
            document.body.append(far);
        }"""
    )
    page.wait_for_timeout(200)
    assert not pwned(page)
    assert heard.left == []
    assert sum("Content Security Policy" in text for text in heard.complaints) >= 3
    page.context.close()


def spot(page: Page, title: str) -> tuple[float, float]:
    """Where on the screen the node with this title is."""
    at = page.evaluate(
        """(title) => {
            const { network, nodes } = window.kindred;
            const node = nodes.find((one) => one.title.startsWith(title));
            const { x, y } = network.getPositions([node.id])[node.id];
            const place = network.canvasToDOM({ x, y });
            const box = document.getElementById("graph").getBoundingClientRect();
            return [box.x + place.x, box.y + place.y];
        }""",
        title,
    )
    return float(at[0]), float(at[1])


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("community-c1.html", SCRIPT),
        ("community-c1.html", LINK),
        ("communities.html", "c1 " + SCRIPT),
        ("communities.html", "c2 " + LINK),
        ("cascade-1.html", SCRIPT),
    ],
)
def test_a_hostile_name_is_text_on_hover_and_on_click(
    browser: Browser, folders: dict[str, Path], name: str, title: str
) -> None:
    page, heard = opened(browser, folders["affinity"] / name)
    page.locator("#graph").scroll_into_view_if_needed()
    x, y = spot(page, title)
    # A circle may hold people in its middle: its lower rim is its own.
    if name == "communities.html":
        y += 0.9 * float(
            page.evaluate(
                """(title) => {
                    const { network, nodes } = window.kindred;
                    const node = nodes.find((one) => one.title.startsWith(title));
                    return node.size * network.getScale();
                }""",
                title,
            )
        )
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    tip = page.locator("div.vis-tooltip")
    tip.wait_for(state="visible")
    assert tip.inner_text().startswith(title)
    assert tip.locator("*").count() == tip.locator("br").count()
    page.mouse.click(x, y)
    page.wait_for_timeout(100)
    assert page.locator("#picked span").inner_text().startswith(title)
    assert page.locator("#picked img, #picked svg").count() == 0
    assert not pwned(page)
    assert heard == Heard()
    page.context.close()


def test_a_chart_says_names_as_text_on_hover(browser: Browser, folders: dict[str, Path]) -> None:
    page, heard = opened(browser, folders["affinity"] / "quadrants.html")
    titles = page.locator("figure.chart title").all_text_contents()
    assert any(text.startswith(SCRIPT) for text in titles)
    assert page.locator("figure.chart img").count() == 0
    assert heard == Heard()
    page.context.close()


def test_a_double_click_on_a_community_opens_its_page(
    browser: Browser, folders: dict[str, Path]
) -> None:
    page, _ = opened(browser, folders["affinity"] / "communities.html")
    page.locator("#graph").scroll_into_view_if_needed()
    page.mouse.dblclick(*spot(page, "c3 third"))
    page.wait_for_url("**/community-c3.html")
    page.locator("nav a", has_text="Front page").click()
    page.wait_for_url("**/index.html")
    page.context.close()


def test_light_and_dark_have_readable_ink(browser: Browser, folders: dict[str, Path]) -> None:
    def luminance(colour: list[float]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    grounds = []
    for scheme in ("light", "dark"):
        page, _ = opened(browser, folders["affinity"] / "communities.html", scheme)
        colours = page.evaluate(
            """() => ["--paper", "--ink", "--soft", "--link"].map((name) => {
                const style = getComputedStyle(document.documentElement);
                const hex = style.getPropertyValue(name).trim();
                return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
            })"""
        )
        paper, *inks = map(luminance, colours)
        for ink in inks:
            contrast = (max(paper, ink) + 0.05) / (min(paper, ink) + 0.05)
            assert contrast >= 4.5, (scheme, contrast)
        grounds.append(paper)
        page.context.close()
    assert grounds[0] > 0.9
    assert grounds[1] < 0.05
