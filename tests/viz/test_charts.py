"""Charts: deterministic, offline, names as text, words by tier."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from viz import charts
from viz.style import mark

NAME = "</script><img src=x onerror=window.pwned=1>"


def score(i: int, quadrant: str, low: float, *, flags: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "influence": 5.0 * i, "resonance_low": low, "resonance_high": low + 8, "observed": 40.0,
        "quadrant": quadrant, "flags": list(flags),
    }  # fmt: skip


ROWS = [
    score(19, "leader", 60),
    score(18, "broadcaster", 2),
    score(4, "gem", 70),
    score(6, "background", 3),
    score(8, "undetermined", 20),
    score(7, "gem", 50, flags=("own_audience",)),
]
LABELS = [NAME, "Broad", "Gemma", "Back", "Undo", "Own"]


def texts(svg: str) -> list[str]:
    # Our own drawing: nothing in it comes from a stranger's document.
    root = ET.fromstring(svg)  # noqa: S314
    return [e.text or "" for e in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize(
    ("tier", "words", "axis"),
    [
        (
            "affinity",
            {"loud, strong affinity", "quiet, strong affinity", "loud, little affinity"},
            "affinity (exposure unknown), lower bound",
        ),
        ("follows", {"resonant leader", "hidden gem", "loud but hollow"}, "resonance, lower bound"),
    ],
)
def test_a_quadrant_chart_speaks_its_tier(tier: str, words: set[str], axis: str) -> None:
    said = texts(charts.svg(charts.quadrants(ROWS, LABELS, tier)))
    assert words <= set(said)
    assert axis in said
    # Marked sources carry their names; those on their own audience never do.
    assert {"Broad", "Gemma"} <= set(said)
    assert not {"Own", "Back", "Undo"} & set(said)


def test_a_hostile_name_is_text() -> None:
    svg = charts.svg(charts.quadrants(ROWS, LABELS, "affinity"))
    assert "<img" not in svg
    assert "<script" not in svg
    assert any(text.startswith("</script><img src=x") for text in texts(svg))


def test_the_same_chart_is_the_same_text_whatever_was_drawn_before() -> None:
    chart = charts.calibration(
        [
            {"predicted": p, "realised": p, "realised_low": p / 2, "realised_high": p * 2,
             "cell_count": 9, "method": method}
            for p in (0.3, 1.0, 4.0)
            for method in ("crossfit", "naive")
        ]
    )  # fmt: skip
    first = charts.svg(chart)
    charts.svg(charts.quadrants(ROWS, LABELS, "affinity"))
    assert charts.svg(chart) == first
    assert 'id="clip0"' in first


def test_a_file_stands_alone() -> None:
    people = [{"followers_count": 10**k, "attention_count": 3 * k + 1} for k in range(6)]
    chart = charts.attention(people, [f"P{k}" for k in range(6)], [mark(0)] * 6, ["c1"] * 6)
    svg = charts.svg(chart, inline=False)
    assert "var(" not in svg
    assert "currentColor" not in svg
    assert mark(0).light in svg
    assert charts.png(chart)[:8] == b"\x89PNG\r\n\x1a\n"


def test_people_without_followers_are_not_on_a_log_axis() -> None:
    people = [
        {"followers_count": followers, "attention_count": attention}
        for followers, attention in ((100, 5), (0, 5), (None, 5), (100, 0), (5_000, 40))
    ]
    chart = charts.attention(people, list("abcde"), [mark(0)] * 5, ["c1"] * 5)
    said = charts.svg(chart)
    assert [name for name in "abcde" if f'aria-label="{name}: ' in said] == ["a", "e"]
