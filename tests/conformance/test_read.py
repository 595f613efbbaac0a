"""read: rows of a result table by filter, order and page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from engine.errors import NotFound, UsageError
from tests.conformance.shelf import Stock

FILTERS: list[tuple[Mapping[str, Any], pc.Expression]] = [
    ({"expected": None}, pc.field("expected").is_null()),
    ({"expected": 1.0}, pc.field("expected") == 1.0),
    (
        {"expected": [0.0, None]},
        pc.field("expected").is_null() | (pc.field("expected") == 0.0),
    ),
    ({"expected": []}, pc.scalar(False)),
    (
        {"observed__ge": 2, "observed__lt": 40},
        (pc.field("observed") >= 2) & (pc.field("observed") < 40),
    ),
    (
        {"observed__gt": 4, "observed__le": 6},
        (pc.field("observed") > 4) & (pc.field("observed") <= 6),
    ),
    (
        {"expected__ne": 1.0},
        pc.field("expected").is_null() | (pc.field("expected") != 1.0),
    ),
    ({"expected__ne": None}, pc.field("expected").is_valid()),
    ({"source_id": "x' OR true --"}, pc.scalar(False)),
    ({"source_id": ["x:hub", "x:loud"]}, pc.field("source_id").isin(["x:hub", "x:loud"])),
]


@pytest.mark.parametrize(
    ("where", "holds"), FILTERS, ids=lambda w: str(w) if isinstance(w, dict) else ""
)
def test_filters(stock: Stock, where: Mapping[str, Any], holds: pc.Expression) -> None:
    """As Arrow filters the table that was published."""
    assert stock.store.read("scores", where=where).equals(stock.run.tables["scores"].filter(holds))


def test_filters_of_lists(stock: Stock) -> None:
    scores = stock.run.tables["scores"].to_pylist()
    has = [r for r in scores if "few_sharers" in r["flags"]]
    lacks = [r for r in scores if "few_sharers" not in r["flags"]]
    read = stock.store.read
    assert read("scores", where={"flags": "few_sharers"}).to_pylist() == has
    assert read("scores", where={"flags__has": ["few_sharers"]}).to_pylist() == has
    assert read("scores", where={"flags__lacks": ["few_sharers"]}).to_pylist() == lacks
    assert 0 < len(has) < len(scores)


@pytest.mark.parametrize("order", [("expected", "-observed"), ("-expected", "source_id")])
def test_pages_follow_each_other_and_nulls_come_last(stock: Stock, order: tuple[str, str]) -> None:
    whole = stock.store.read("scores", order=order)
    keys = [(k.removeprefix("-"), "descending" if k[0] == "-" else "ascending") for k in order]
    assert whole.equals(stock.run.tables["scores"].sort_by(keys))
    pages: list[pa.Table] = []
    after: list[Any] | None = None
    while not pages or pages[-1].num_rows == 30:
        pages.append(stock.store.read("scores", order=order, limit=30, after=after))
        last = pages[-1].slice(pages[-1].num_rows - 1).to_pylist()
        after = [last[0][name] for name, _ in keys] if last else None
    assert pa.concat_tables(pages).equals(whole)
    assert len(pages) > 2


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"where": {"colour": 1}}, "there is none"),
        ({"where": {"observed__like": 1}}, "like is not one"),
        ({"order": ["observed; DROP"]}, "there is none"),
        ({"order": ["observed"], "after": [1, 2]}, "2 values"),
        ({"limit": -1}, "-1"),
    ],
)
def test_what_is_not_declared_is_refused(stock: Stock, asked: dict[str, Any], found: str) -> None:
    with pytest.raises(UsageError) as refused:
        stock.store.read("scores", **asked)
    assert refused.value.found == found


def test_a_table_nobody_declares(stock: Stock) -> None:
    with pytest.raises(UsageError, match="the result table 'secrets'"):
        stock.store.read("secrets")


def test_an_unknown_run(stock: Stock) -> None:
    with pytest.raises(NotFound, match="r-none"):
        stock.store.read("scores", run_id="r-none")
