"""The doctor says what is wrong, file by file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.backends.embedded.store import EmbeddedStore
from engine.contract import Finding
from tests.engine.backends.worlds import load, small_run, world

ROWS = world(follows=[{"follower_id": "x:a", "followee_id": "x:b"}])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with EmbeddedStore.open(tmp_path) as store:
        load(store, ROWS)
        store.publish(small_run(store))
    return tmp_path


def wrong(path: Path) -> list[Finding]:
    with EmbeddedStore.open(path, read_only=True) as store:
        return [f for f in store.doctor() if not f.ok]


def test_a_sound_store(path: Path) -> None:
    with EmbeddedStore.open(path, read_only=True) as store:
        found = [*store.doctor()]
    assert [f.what.split()[0] for f in found] == ["version", "batch", "run", "graph", "leftovers"]
    assert all(f.ok and not f.todo for f in found)
    assert found[3].found == "generation g000002 opens: 2 users, 5 edges, as the log says"
    assert found[4].found == "none"


def test_a_missing_file_of_the_log(path: Path) -> None:
    (file,) = path.glob("log/*/follows.parquet")
    file.unlink()
    (told,) = wrong(path)
    assert told.found == "follows.parquet is missing"
    assert told.todo.startswith(f"restore log/{file.parent.name} from a backup")


def test_a_changed_file_of_the_log(path: Path) -> None:
    (file,) = path.glob("log/*/follows.parquet")
    content = bytearray(file.read_bytes())
    content[10] ^= 1
    file.write_bytes(bytes(content))
    (told,) = wrong(path)
    assert told.found == "follows.parquet is not what was written: its bytes have changed"


def test_a_changed_run(path: Path) -> None:
    (file,) = path.glob("runs/*/scores.parquet")
    pq.write_table(pa.table({"a": [1]}), file)
    (told,) = wrong(path)
    assert (told.what.split()[0], told.todo) == ("run", "run: kindred analyse")
    (info,) = path.glob("runs/*/run.json")
    info.write_text("{")
    assert len(wrong(path)) == 1


def test_leftovers_are_named_and_removed(path: Path) -> None:
    for folder in ("log/b0009-x", "runs/r-x", "graph/g000009/leases", "staging/1-0"):
        (path / folder).mkdir(parents=True)
    (path / "manifest.json.new").write_text("{")
    with EmbeddedStore.open(path) as store:
        (told,) = [f for f in store.doctor() if f.what == "leftovers"]
        assert told.ok
        assert told.found.startswith("log/b0009-x, runs/r-x, graph/g000009, staging/1-0: of work")
        assert [f.found for f in store.doctor(rebuild=True) if f.what == "leftovers"] == ["none"]
    assert not (path / "manifest.json.new").exists()


def test_a_graph_with_another_run_than_the_active_one(path: Path) -> None:
    with EmbeddedStore.open(path) as store:
        manifest = store.manifest()
        manifest.next(active=None).save(store.layout.manifest)
        (told,) = [f for f in store.doctor() if not f.ok]
        assert told.found == f"it holds the run {manifest.active}, the active one is None"
        assert [f for f in store.doctor(rebuild=True) if not f.ok] == []
        assert store.query("MATCH (r:Run) RETURN r.run_id").num_rows == 0
