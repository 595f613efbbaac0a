"""The three demos as a newcomer runs them: what they print and what they must never say."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from kindred.demo.score_world import RANKINGS
from kindred.made import MARK
from tests.demo.ahead import NAMES

ONLY_WITH_EXPOSURE = re.compile(
    r"\bresonat\w*|\bresonance\b|\bresonant\b|\bhollow\b|\bgems?\b", re.IGNORECASE
)
# A command is called what it is called; it is no claim about the data.
COMMAND = re.compile(r"kindred resonance\b")


def printed(demos: Path, name: str) -> str:
    return (demos / f"{name}.txt").read_text(encoding="utf-8")


def words_of(page: Path) -> str:
    """Return what a reader sees of a page: no scripts, no styles, no tags."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.DOTALL | re.IGNORECASE)
    return re.sub(r"<[^>]+>", " ", text)


@pytest.mark.parametrize("name", ["parliament", "election"])
def test_without_exposure_nothing_resonates(demos: Path, name: str) -> None:
    text = COMMAND.sub("", printed(demos, name))
    assert not ONLY_WITH_EXPOSURE.findall(text)
    pages = sorted((demos / name / "pages").rglob("*.html"))
    assert pages
    for page in pages:
        seen = ONLY_WITH_EXPOSURE.findall(COMMAND.sub("", words_of(page)))
        assert not seen, f"{page.name}: {seen}"


def test_every_heading_of_a_score_says_that_exposure_is_unknown(demos: Path) -> None:
    text = printed(demos, "election")
    assert "affinity (exposure unknown), lower bound" in text
    said = [line for line in text.splitlines() if re.search(r"\baffinity\b", line, re.IGNORECASE)]
    assert len(said) >= 4
    assert [line for line in said if "exposure unknown" not in line] == []


def test_made_data_says_so_on_every_line_and_page(demos: Path) -> None:
    text = printed(demos, "world")
    answer = text.split("\nPages:")[0]
    assert all(line.startswith(MARK) for line in answer.splitlines() if line.strip())
    for page in (demos / "world" / "pages").rglob("*.html"):
        assert "made data" in words_of(page).lower(), page.name
    for name in ("parliament", "election"):
        assert MARK not in printed(demos, name)


def test_without_serving_a_demo_ends_and_says_where_its_pages_are(demos: Path) -> None:
    """Told by DEMO_SERVE=0 (the parliament) or by --no-serve."""
    for name in NAMES:
        assert printed(demos, name).splitlines()[-1] == f"Pages: {demos / 'index.html'}"
    assert (demos / "index.html").is_file()


def test_parliament_tells_loud_from_engaged_with(demos: Path) -> None:
    text = printed(demos, "parliament")
    corbyn = next(
        line for line in text.splitlines() if "Jeremy Corbyn" in line and "2,464,893" in line
    )
    assert re.search(r"2,464,893\s+70\b", corbyn)
    sunak = next(line for line in text.splitlines() if "Rishi Sunak" in line and "513,840" in line)
    assert re.search(r"513,840\s+447\b", sunak)
    assert "cannot be calibrated" in text
    agreement = re.search(r"NMI (\d\.\d+), adjusted Rand (\d\.\d+)", text)
    assert agreement is not None
    assert float(agreement[1]) >= 0.8
    assert float(agreement[2]) >= 0.85


def test_no_page_asks_for_anything_from_elsewhere(demos: Path) -> None:
    for page in demos.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", text), page
        assert "pbs.twimg.com" not in text


def test_world_shows_the_planted_answer_and_who_finds_it(demos: Path) -> None:
    text = printed(demos, "world")
    found = {
        m[1]: float(m[2])
        for m in re.finditer(
            r"^made │\s+([a-z][\w ,()]+?)\s{2,}(0?\.\d+|1\.0+|0\.\d+)", text, re.MULTILINE
        )
    }
    score = next(v for k, v in found.items() if k.startswith("resonance"))
    rivals = [found[RANKINGS[name]] for name in RANKINGS if name != "score"]
    assert score >= max(rivals) + 0.1


def test_where_follows_tell_exposure_the_score_is_called_resonance(demos: Path) -> None:
    text = printed(demos, "world")
    assert "resonance, lower bound" in text
    assert "exposure unknown" not in text


def test_world_has_cascades_deeper_than_two(demos: Path) -> None:
    runs = list((demos / "world" / "store" / "runs").glob("*/cascades.parquet"))
    (deepest,) = duckdb.execute(
        "SELECT max(depth_max) FROM read_parquet($files)", {"files": [str(r) for r in runs]}
    ).fetchall()[0]
    assert deepest > 2


def test_election_holds_its_claims_against_later_sharing(demos: Path) -> None:
    text = printed(demos, "election")
    assert re.search(r"domain \d+ \(anonymised\)", text)
    for platform in ("facebook", "x", "all"):
        assert re.search(rf"brand, {platform}\b.*blind to the shares", text), platform
    assert re.search(r"\d+% of the earlier shares are made by people in no community", text)
    for platform in ("facebook", "x", "all"):
        pairs = re.search(rf"^ brand, {platform}\s+((?:[\d.]+ → [\d.]+\s*)+)$", text, re.MULTILINE)
        assert pairs is not None, platform
        assert len(pairs[1].split("→")) >= 4
    assert re.search(r"[\d,]+ members are placed by a single share", text)
