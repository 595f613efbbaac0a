"""Versions: older stores are brought forward, newer ones refused in words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from engine.assemble import assemble
from engine.backends.embedded import migrations
from engine.backends.embedded.layout import Layout
from engine.backends.embedded.log import file_entries
from engine.backends.embedded.manifest import Manifest
from engine.backends.embedded.migrations import FORMAT, MIGRATIONS, migrate, stored_format
from engine.backends.embedded.store import EmbeddedStore
from engine.connect import connect
from engine.errors import StoreDamaged, StoreMissing, StoreNewer
from engine.results import RESULTS
from tests.conftest import ROOT
from tests.engine.backends.worlds import START, load, plain, small_run, world

STORES = ROOT / "tests" / "fixtures" / "stores"

FIXTURE = world(
    users=[{"user_id": "x:a", "handle": "ann", "labels": ["red"]}],
    content=[{"content_id": "x:p", "author_id": "x:a", "created_at": START}],
    shares=[{"user_id": "x:@ann", "content_id": "x:p", "at": START}],
)
"""What every fixture store holds, as one batch, with `small_run` over it."""


def make_fixture(path: Path) -> None:
    """Write the fixture store of this format: run once, when a format is new."""
    with EmbeddedStore.open(path) as store:
        load(store, FIXTURE, "fixture")
        store.publish(small_run(store))
    # The graph is derived; a store without it is smaller and tests that it is.
    shutil.rmtree(path / "graph")
    (path / "lock").unlink()


@pytest.mark.parametrize("format", range(1, FORMAT + 1))
def test_a_store_of_each_format_opens(tmp_path: Path, format: int) -> None:
    path = tmp_path / "store"
    shutil.copytree(STORES / f"format-{format}", path)
    with connect(path) as store:
        assert plain(store.snapshot()) == plain(assemble(FIXTURE))
        assert store.read("memberships")["user_id"].to_pylist() == ["x:a"]
        found = store.query(
            "MATCH (u:User)-[:SHARED]->(c:Content) RETURN u.user_id AS u, c.content_id AS c"
        )
        assert found.to_pylist() == [{"u": "x:a", "c": "x:p"}]
        assert [f for f in store.doctor() if not f.ok] == []
    assert stored_format(Layout(path)) == FORMAT


def contents(path: Path) -> tuple[list[str], list[dict[str, object]]]:
    """Columns and rows of the contents in a fixture's log."""
    (file,) = path.glob("log/*/content.parquet")
    rows = pq.read_table(file)
    return rows.column_names, rows.to_pylist()


def test_an_older_store_is_read_as_it_is_where_it_is_only_read(tmp_path: Path) -> None:
    path = tmp_path / "store"
    shutil.copytree(STORES / "format-1", path)
    before = {p: p.stat().st_mtime_ns for p in path.rglob("*")}
    with connect(path, read_only=True) as store:
        assert plain(store.snapshot()) == plain(assemble(FIXTURE))
        assert store.run().stale
        # Columns and tables that came since are unknown, not an error.
        assert store.read("memberships")["stability"].to_pylist() == [None]
        assert store.read("reach").equals(RESULTS["reach"].schema.empty_table())
    assert {p: p.stat().st_mtime_ns for p in path.rglob("*")} == before


def test_contents_of_format_1_were_judged_by_nobody(tmp_path: Path) -> None:
    path, judged = tmp_path / "store", ("stance", "emotion", "is_promotion")
    shutil.copytree(STORES / "format-1", path)
    old, rows = contents(path)
    assert set(old).isdisjoint(judged)
    # A step that was cut off before the manifest followed is taken again.
    untold = (path / "manifest.json").read_bytes()
    migrate(Layout(path), {1: MIGRATIONS[1]}, target=2)
    (path / "manifest.json").write_bytes(untold)
    migrations.stamp(Layout(path), 1)
    migrate(Layout(path), {1: MIGRATIONS[1]}, target=2)
    new, found = contents(path)
    assert new == contents(STORES / "format-2")[0]
    assert found == [{**row, **dict.fromkeys(judged)} for row in rows]
    (batch,) = Manifest.load(Layout(path).manifest).batches
    assert batch.files == file_entries(Layout(path).batch(batch.batch_id))


def test_there_is_a_step_out_of_every_older_format() -> None:
    assert sorted(MIGRATIONS) == list(range(1, FORMAT))


def test_steps_are_taken_in_order_and_again_where_they_stopped(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    migrations.stamp(layout, 1)
    taken: list[int] = []

    def stops(_: Layout) -> None:
        taken.append(2)
        if len(taken) < 3:
            raise OSError

    steps = {1: lambda _: taken.append(1), 2: stops}
    with pytest.raises(OSError):  # noqa: PT011 - the step's own
        migrate(layout, steps, target=3)
    assert stored_format(layout) == 2
    assert migrate(layout, steps, target=3) == [2]
    assert (taken, stored_format(layout)) == ([1, 2, 2], 3)
    with pytest.raises(StoreDamaged, match="no step leads out of format 3"):
        migrate(layout, steps, target=4)


def test_a_newer_store_is_refused_and_untouched(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path):
        pass
    (tmp_path / "store.json").write_text(json.dumps({"format": FORMAT + 1, "writer": "9.9"}))
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    for read_only in (False, True):
        with pytest.raises(StoreNewer) as refused:
            EmbeddedStore.open(tmp_path, create=False, read_only=read_only)
        assert refused.value.found == f"it is in format {FORMAT + 1}, written by kindred 9.9"
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before


def test_no_store(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(StoreMissing, match="kindred load"):
            connect(path, create=False)
        with pytest.raises(StoreMissing):
            connect(path, read_only=True)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": "one"}'])
def test_a_store_that_does_not_say_its_format(tmp_path: Path, content: str) -> None:
    (tmp_path / "store.json").write_text(content)
    with pytest.raises(StoreDamaged, match=r"store.json does not say its format"):
        connect(tmp_path)


def test_a_manifest_that_cannot_be_read(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path):
        pass
    (tmp_path / "manifest.json").write_text('{"revision": 1')
    with pytest.raises(StoreDamaged, match=r"manifest.json cannot be read"):
        connect(tmp_path)


def test_a_run_of_another_result_schema_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        load(store, FIXTURE)
        info = store.publish(small_run(store))
        assert not info.stale
        monkeypatch.setattr("engine.backends.files.runs.schema_hash", lambda: "another")
        assert store.run().stale
        assert [r.stale for r in store.runs()] == [True]
