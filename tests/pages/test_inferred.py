"""A cascade whose parents are inferred says so, in words, in lines and in the still picture."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest

from engine.contract import Backend, RunTables
from engine.results import table
from tests.pages import conftest as made
from tests.pages.test_pages import Parsed
from viz import view


def inferred(run: RunTables, shown: dict[str, Any], changed: dict[str, str]) -> RunTables:
    """Replace figures of the cascade x:p0, and methods of its edges."""
    rows = run.tables["cascades"].to_pylist()
    edges = run.tables["cascade_edges"].to_pylist()
    first = next(row for row in rows if row["content_id"] == "x:p0")
    first |= shown
    for edge in edges:
        if edge["content_id"] == "x:p0":
            edge["parent_method"] = changed.get(edge["parent_method"], edge["parent_method"])
    tables = {
        name: table(name, {c: [r[c] for r in found] for c in run.tables[name].column_names})
        for name, found in (("cascades", rows), ("cascade_edges", edges))
    }
    return dataclasses.replace(run, tables={**run.tables, **tables})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with made._store(tmp_path_factory.mktemp("inferred"), "affinity") as backend:
        yield backend


def page_of(store: Backend, shown: dict[str, Any], changed: dict[str, str]) -> str:
    run = store.publish(inferred(made._run("affinity"), shown, changed))
    return view.cascade(store, "x:p0", run.run_id).html


def lines(page: str) -> list[dict[str, Any]]:
    scripts = Parsed(page).scripts
    graph = next(text for type, text in scripts if type == "application/json")
    found: list[dict[str, Any]] = json.loads(graph)["edges"]
    return found


def test_inferred_parents_are_dashed_and_said(store: Backend) -> None:
    shown = {
        "parent_known_share": 0.05,
        "parent_inferred_share": 0.93,
        "flags": ["inferred_parents", "root_fallback"],
    }
    page = page_of(store, shown, {"via": "follows"})
    words = Parsed(page).words
    assert "5 steps deep at most (5% of parents given, 93% inferred)" in words
    assert "inferred: the data do not say from whom" in words
    assert [edge["dashes"] for edge in lines(page)] == [True] * 59


def test_given_parents_are_drawn_through(affinity: Backend) -> None:
    page = view.cascade(affinity, "x:p0").html
    assert "(98% of parents given)" in Parsed(page).words
    assert "inferred" not in Parsed(page).words
    assert [edge["dashes"] for edge in lines(page)] == [False] * 59


@pytest.mark.parametrize(
    ("deep", "sentence"),
    [
        (5, "about 5 (3 to 6) steps deep over likely trees (30% of parents given, 60% inferred)"),
        (None, "The data leave open from whom: it went 3 to 6 steps deep over likely trees."),
    ],
)
def test_likely_trees_are_a_range_in_words(store: Backend, deep: int | None, sentence: str) -> None:
    shown = {
        "parent_known_share": 0.3,
        "parent_inferred_share": 0.6,
        "depth_max": deep,
        "depth_low": 3,
        "depth_high": 6,
        "structural_virality": None,
        "virality_low": 2.0,
        "virality_high": 5.0,
        "cross_community_hops": None,
        "flags": ["inferred_parents", "likely_trees"],
    }
    words = Parsed(page_of(store, shown, {})).words
    assert sentence in words
    assert "steps across communities" not in words
