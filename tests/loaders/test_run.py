"""Loading into a real store: once is enough, several files, brands, Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from engine.backends.embedded.store import EmbeddedStore
from engine.errors import InputError
from loaders.dialect import sniff
from loaders.formats import FORMATS
from loaders.lines import places
from loaders.read import Session, load_table
from loaders.run import load
from loaders.shape import mapping, prepare
from loaders.source import peek, survey
from tests.loaders.conftest import Write, write_tables

SAMPLES = Path(__file__).parent.parent / "fixtures" / "exports" / "x-api-v2"


def _staged(store: Path) -> list[Path]:
    return [p for p in (store / "staging").rglob("*") if p.is_file()]


def test_twice_is_once_and_a_pattern_is_one_load_a_file(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path / "store", create=True) as store:
        reports = load(store, SAMPLES / "[eq]*.jsonl")
        assert [Path(r.source).name for r in reports] == [
            "edited_after.jsonl",
            "edited_before.jsonl",
            "quoted_edit.jsonl",
        ]
        assert [r.new_rows["content"] for r in reports] == [1, 0, 1]
        again = load(store, [SAMPLES / "edited_after.jsonl", SAMPLES / "quoted_edit.jsonl"])
        assert [r.already_loaded for r in again] == [True, True]
        assert len(store.batches()) == 3
        assert store.contents(["x:1576994746135764992"])["author_id"].to_pylist() == ["x:337119125"]
    assert _staged(tmp_path / "store") == []


def test_the_store_keeps_refused_rows_and_where_data_come_from(tmp_path: Path) -> None:
    folder = write_tables(
        tmp_path / "toy",
        {
            "shares.csv": "user_id,content_id,at\n1,p,2021-01-01\n2,p,never\n",
            "source.toml": 'title = "Toy"\nmade = true\n',
        },
    )
    with EmbeddedStore.open(tmp_path / "store", create=True) as store:
        (report,) = load(store, folder, options={"platform": "x"})
        assert report.rejected == {"time": 1}
        assert report.notes == ("shares.csv: 1 times name no zone and were read as UTC",)
        (row,) = store.rejects().to_pylist()
        assert (row["table"], row["line"], row["reason"]) == ("shares", 3, "time")
        assert store.batches()[0].options["source"] == {"title": "Toy", "made": True}


def test_a_bad_file_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    bad = write_tables(tmp_path / "bad", {"follows.csv": "follower_id,followee_id\n1.0,2\n"})
    with EmbeddedStore.open(tmp_path / "store", create=True) as store:
        with pytest.raises(InputError):
            load(store, bad)
        assert store.batches() == []
    assert _staged(tmp_path / "store") == []


def test_domains_of_links_become_brands(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path / "store", create=True) as store:
        load(store, SAMPLES / "geo_tweets.jsonl", options={"brands": "domains"})
        brands = store.snapshot().brands
        assert brands.brand_id.to_pylist() == [
            "brand:instagram.com",
            "brand:twarc-project.readthedocs.io",
        ]
        assert brands.name.to_pylist() == ["instagram.com", "twarc-project.readthedocs.io"]


def test_ctrl_c_ends_a_running_statement(tmp_path: Path) -> None:
    """DuckDB would go on to the end; the statement alone takes minutes."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    try:
        with Session(tmp_path, "long") as session:
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                session.run("SELECT count(*) FROM range(100000000000) t(a) WHERE a * a % 7 = 3")
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_order_of_rows_does_not_matter(tmp_path: Path, write: Write) -> None:
    rows = [f"{n % 7},{n % 5},{n}\n" for n in range(1, 60)]
    fingerprints = []
    for name, body in (("a", rows), ("b", rows[::-1])):
        path = write(f"{name}/e.csv", "source,target,weight\n" + "".join(body))
        with EmbeddedStore.open(tmp_path / name, create=True) as store:
            load(store, path, options={"kind": "share", "direction": "forward"})
            snapshot = store.snapshot()
            it = snapshot.interactions
            fingerprints.append(
                [it.user.tolist(), it.target.tolist(), it.weight.tolist(), it.at.tolist()]
            )
    assert fingerprints[0] == fingerprints[1]


def test_lines_are_those_of_the_file_in_every_chunk(tmp_path: Path, write: Write) -> None:
    """Over several chunks, with blank lines, line ends in quotes, and rows that are none."""
    lines, wanted, line = ["# a comment", "", "source,target"], {}, 3
    for n in range(120_000):
        text = (
            f'"{n}\nmore","stray "" quote, {n}"' if n % 11 == 0 else f"{n},name of some length {n}"
        )
        if n % 13 == 0:
            lines.append("")
            line += 1
        if n % 17 == 0:
            lines.append(f"only{n}")
            line += 1
        if n % 9_973 == 0:
            wanted[n + 1] = (line + 1, text)
        lines.append(text)
        line += 1 + text.count("\n")
    source = peek(write("long.csv", "\n".join(lines)))
    layout = sniff(source)
    assert layout is not None
    with Session(tmp_path, "lines") as session:
        prepare(session)
        raw = load_table(session, source, survey(source), layout, {"a": 0, "b": 1})
        found, broken = places(raw, list(wanted))
    assert raw.survey.size > 2 * 1_500_000
    assert {row: (p.line, p.text) for row, p in found.items()} == wanted
    assert len(broken) == len(range(0, 120_000, 17))
    assert all(
        lines_text == p.text
        for p, lines_text in zip(
            [p for p, _ in broken], [f"only{n}" for n in range(0, 120_000, 17)], strict=True
        )
    )


def test_every_format_describes_itself() -> None:
    for known in FORMATS:
        assert all((known.about, known.told_by, known.carries, known.cannot_say))
        assert known.example.startswith("kindred load ")
        assert known.confirmed
    for name in ("higgs", "german_posts", "coortweet", "edges", "x_api_v2"):
        assert any(part.kind == "table" for part in mapping(name))
