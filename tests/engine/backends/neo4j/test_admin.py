"""A store as files, imported by the real `neo4j-admin` into a database that then is that store."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.backends.embedded.store import EmbeddedStore
from engine.backends.neo4j.admin import SCRIPT, write_import
from engine.backends.neo4j.store import Neo4jStore
from engine.contract import Backend, Batch, LoadReport
from engine.errors import InputError, NotFound, UsageError
from kindred.facade import Kindred
from tests.engine.backends.worlds import START, World, random_batch, world
from tests.servers.local import LocalServer

LONG = "a text longer than the import reads at once " * 120_000


def nasty() -> World:
    """What a file can say in more than one way, and what it cannot say at all."""
    texts = [
        "two\nlines", "\r\n", 'a "quoted" word', "comma, semicolon; tab\t", "back\\slash \\n", "",
        " spaces ", "null", "\x1f", "ünï¢ödé 🜁", "'", '"', LONG,
    ]  # fmt: skip
    lists = [[], [""], ["a", ""], ["", ""], ["a;b", "c,d"], [" a "], ['"'], None, ["\x1e"]]
    return world(
        users=[
            {
                "user_id": f"x:n{i}",
                "handle": f"N{i}",
                "name": texts[i % len(texts)] if i != 12 else "long",
                "labels": labels,
                "created_at": datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
                "followers_count": 2**62,
                "seen_at": START,
            }
            for i, labels in enumerate(lists)
        ]
        + [{"user_id": "x:@told", "labels": [], "seen_at": START + timedelta(hours=1)}],
        content=[
            {"content_id": f"x:t{i}", "author_id": f"x:n{i % 5}", "text": text}
            for i, text in enumerate(texts)
        ],
        interactions=[
            {"user_id": "x:n0", "target_id": "x:@n3", "kind": "like", "weight": 1e-300},
            {"user_id": "x:n0", "target_id": "x:n1", "kind": "like", "weight": 12345678.9},
        ],
    )


def load(store: Backend, tables: World, name: str, *, rejects: bool = False) -> LoadReport:
    """Load tables as one batch."""
    with store.stage() as folder:
        for table, rows in tables.items():
            pq.write_table(rows, folder / f"{table}.parquet")
        if rejects:
            refused = {
                "table": ["shares"] * 2, "line": [3, 4], "reason": ["no_time", "no_id"],
                "sentence": ["a time", "an id"], "raw": ["x,y\n", '"'],
            }  # fmt: skip
            pq.write_table(pa.table(refused), folder / "rejects.parquet")
        return store.write(Batch(name.ljust(64, "0"), name, "test", folder))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of several loads that have to do with each other: copy it to write."""
    folder = tmp_path_factory.mktemp("loaded") / "store"
    with EmbeddedStore.open(folder) as made:
        for seed in range(3):
            load(made, random_batch(seed), f"b{seed}", rejects=seed == 2)
        load(made, nasty(), "nasty")
    return folder


@pytest.fixture
def store(loaded: Path, tmp_path: Path) -> Iterator[EmbeddedStore]:
    """A copy of that store."""
    shutil.copytree(loaded, tmp_path / "store")
    with EmbeddedStore.open(tmp_path / "store") as opened:
        yield opened


def everything(store: Backend) -> dict[str, object]:
    """What a store says of itself and of all that is in it."""
    snapshot = store.snapshot()
    users = sorted(snapshot.users.user_id.to_pylist())
    contents = sorted(snapshot.contents.content_id.to_pylist())
    return {
        "fingerprint": snapshot.fingerprint,
        "batches": store.batches(),
        "rejects": store.rejects().to_pylist(),
        "users": store.users(users).to_pylist(),
        "contents": store.contents(contents).to_pylist(),
    }


def test_an_imported_database_is_the_store(
    store: EmbeddedStore, neo4j_unstarted: LocalServer, tmp_path: Path
) -> None:
    k = Kindred(store)
    files = k.export("graph", tmp_path / "import", format="neo4j-admin").to_pandas()
    ended = subprocess.run(
        ["sh", tmp_path / "import" / SCRIPT, "neo4j", "--strict"],
        env={**os.environ, "NEO4J_ADMIN": str(neo4j_unstarted.admin)},
        cwd=neo4j_unstarted.home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    counted = dict(files.groupby("kind")["rows"].sum())
    assert f"  {counted['nodes']} nodes\n" in ended.stdout
    assert f"  {counted['relationships']} relationships\n" in ended.stdout

    neo4j_unstarted.start()
    server = neo4j_unstarted.server
    with Neo4jStore.open(server.address, server.settings(), create=False) as imported:
        assert everything(imported) == everything(store)
        assert [f.what for f in imported.doctor() if not f.ok] == []
        assert imported.knows("b1".ljust(64, "0"))
        assert load(imported, random_batch(1), "b1").already_loaded
        for one in (imported, store):
            load(one, random_batch(7), "b7")
        assert imported.snapshot().fingerprint == store.snapshot().fingerprint


def test_the_files_are_the_same_whenever_they_are_written(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        Kindred(store).export("graph", tmp_path / name, format="neo4j-admin")
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two")
    )
    assert one == two
    assert len(LONG) * 4 == int(one[SCRIPT].decode().partition("--read-buffer-size=")[2].split()[0])


def test_what_was_loaded_can_be_loaded_again(store: EmbeddedStore, tmp_path: Path) -> None:
    (tmp_path / "canonical").mkdir()
    loads = store.dump(tmp_path / "canonical")
    assert [one.report for one in loads] == store.batches()
    again = EmbeddedStore.open(tmp_path / "again")
    with again.stage() as folder:
        shutil.copytree(tmp_path / "canonical", folder, dirs_exist_ok=True)
        again.write(Batch("all", "all", "test", folder))
    assert again.snapshot().fingerprint == store.snapshot().fingerprint


def test_a_folder_is_replaced_only_if_it_is_an_export(store: EmbeddedStore, tmp_path: Path) -> None:
    k = Kindred(store)
    there = tmp_path / "there"
    there.mkdir()
    k.export("graph", there, format="neo4j-admin")
    with pytest.raises(UsageError, match="give another name, or --force"):
        k.export("graph", there, format="neo4j-admin")
    k.export("graph", there, format="neo4j-admin", force=True)
    (there / SCRIPT).unlink()
    before = sorted(path.name for path in there.iterdir())
    with pytest.raises(UsageError, match=r"to do: give another name$"):
        k.export("graph", there, format="neo4j-admin", force=True)
    assert sorted(path.name for path in there.iterdir()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store", "there"]


def test_there_must_be_something_to_export(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path / "store") as empty, pytest.raises(NotFound):
        Kindred(empty).export("graph", tmp_path / "import", format="neo4j-admin")
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_lists_that_nothing_can_part_are_refused(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path / "store") as store:
        users = [{"user_id": f"x:{c}", "labels": [chr(c)]} for c in range(0x1C, 0x20)]
        load(store, world(users=users), "b")
        (tmp_path / "canonical").mkdir()
        loads = store.dump(tmp_path / "canonical")
        (tmp_path / "out").mkdir()
        with pytest.raises(InputError, match="every one of"):
            write_import(tmp_path / "canonical", loads, tmp_path / "out")
