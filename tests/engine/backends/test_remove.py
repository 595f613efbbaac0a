"""Removing results, or a whole store, from a folder: nothing else goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.backends.embedded import store as store_module
from engine.backends.embedded.store import EmbeddedStore
from engine.errors import NotFound, StoreError, StoreMissing, UsageError
from tests.engine.backends.worlds import graph, load, plain, small_run, world

ROWS = world(follows=[{"follower_id": f"x:{i}", "followee_id": "x:0"} for i in range(1, 7)])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    with EmbeddedStore.open(tmp_path / "store") as made:
        load(made, ROWS)
        yield made


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_results_go_and_what_was_loaded_stays(store: EmbeddedStore) -> None:
    before = graph(store), plain(store.snapshot()), files(store.layout.log)
    assert store.remove("results") == {"runs": 0, "relationships": 0, "nodes": 0}
    store.publish(small_run(store))
    store.publish(small_run(store, seed=2))
    assert store.remove("results") == {"runs": 2, "relationships": 14, "nodes": 2}
    assert (graph(store), plain(store.snapshot()), files(store.layout.log)) == before
    assert [*store.layout.runs.iterdir()] == []
    with pytest.raises(NotFound, match="kindred analyse"):
        store.read("scores")
    assert [f for f in store.doctor() if not f.ok] == []
    assert store.publish(small_run(store)).active


def test_results_go_where_the_graph_has_to_be_built_again(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = graph(store)
    store.publish(small_run(store))
    monkeypatch.setattr("engine.backends.embedded.generations.is_usable", lambda *_: False)
    store.remove("results")
    monkeypatch.undo()
    assert graph(store) == before


def test_everything_goes_and_the_folder_is_empty(store: EmbeddedStore) -> None:
    store.publish(small_run(store))
    reader = EmbeddedStore.open(store.layout.root, read_only=False)
    assert graph(reader)["Run"] != []  # holds the graph open meanwhile
    assert store.remove("all") == {"runs": 1, "relationships": 20, "nodes": 9, "batches": 1}
    reader.close()
    assert [*store.layout.root.iterdir()] == []
    with pytest.raises(StoreMissing, match="the folder holds no store"):
        EmbeddedStore.open(store.layout.root, create=False)
    with EmbeddedStore.open(store.layout.root) as again:
        assert not load(again, ROWS).already_loaded


@pytest.mark.parametrize("name", ["notes.txt", "log/notes.txt", "photos/a.png"])
def test_a_folder_with_other_files_is_left_as_it_is(store: EmbeddedStore, name: str) -> None:
    theirs = store.layout.root / name
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text("mine")
    before = files(store.layout.root)
    with pytest.raises(StoreError, match=f"also holds {name.removesuffix('/a.png')}"):
        store.remove("all")
    assert files(store.layout.root) == before
    assert store.remove("results")["runs"] == 0
    assert theirs.read_text() == "mine"


def test_a_removal_that_is_cut_leaves_an_empty_store_and_can_be_finished(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    store.publish(small_run(store))
    monkeypatch.setattr(store_module, "empty", cut)
    with pytest.raises(KeyboardInterrupt):
        store.remove("all")
    monkeypatch.undo()
    with EmbeddedStore.open(store.layout.root) as again:
        assert (again.batches(), again.runs()) == ([], [])
        again.remove("all")
    assert [*store.layout.root.iterdir()] == []


def test_nothing_is_removed_through_a_store_that_is_only_read(store: EmbeddedStore) -> None:
    with (
        EmbeddedStore.open(store.layout.root, read_only=True) as reader,
        pytest.raises(UsageError, match="read-only"),
    ):
        reader.remove("all")
    assert len(store.batches()) == 1
