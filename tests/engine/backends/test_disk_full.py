"""A full disk: an error in words, and the store as it was before."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.backends.embedded import generations, graph, log, manifest
from engine.backends.embedded import store as store_module
from engine.backends.embedded.faults import is_disk_full
from engine.backends.embedded.store import EmbeddedStore
from engine.backends.files import runs
from engine.errors import DiskFull, InputError
from loaders.run import load as read_export
from tests.conftest import write_small_export
from tests.engine.backends.worlds import START, World, load, plain, small_run, world
from tests.engine.backends.worlds import graph as whole_graph

SIZE_MB = 24


def big(name: str, rows: int = 20_000) -> World:
    users = [f"x:{name}{i * 7919 % 1_000_003}" for i in range(rows)]
    return {"follows": pa.table({"follower_id": users, "followee_id": users[::-1]})}


def state(store: EmbeddedStore) -> tuple[object, ...]:
    return (
        [b.batch_id for b in store.batches()],
        [r.run_id for r in store.runs()],
        plain(store.snapshot()),
        whole_graph(store),
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes; skipped where mounting is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    asked = [mount or "mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(place)]
    if mount is None or os.geteuid() != 0 or subprocess.run(asked, check=False).returncode:
        pytest.skip("mounting is not allowed here; the injected write errors stand for it")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path, leave: int) -> Path:
    """Fill the disk but for `leave` bytes."""
    file = place / "filler"
    free = shutil.disk_usage(place).free
    with file.open("wb") as out:
        out.write(b"\0" * max(free - leave, 0))
    return file


def test_a_load_on_a_full_disk(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without the check beforehand, so that the error comes from whoever writes.
    monkeypatch.setattr(store_module, "require_space", lambda *_: None)
    failed, told = 0, list[str]()
    with EmbeddedStore.open(small_disk / "s") as store:
        load(store, world(shares=[{"user_id": "x:a", "content_id": "x:p", "at": START}]))
        before = state(store)
        for kilobytes in (0, 40, 200, 400, 800, 1_600, 3_200, 4_800, 6_400):
            file = fill(small_disk, kilobytes * 1024)
            try:
                load(store, big("a"))
            except DiskFull as fault:
                failed += 1
                told.append(fault.found)
            else:
                break
            finally:
                file.unlink()
            assert state(store) == before
            assert [f for f in store.doctor() if not f.ok] == []
            assert [*store.layout.staging.iterdir()] == []
        else:
            load(store, big("a"))
        assert failed >= 4
        assert set(told) == {f"the disk of {store.layout.root} is full"}
        assert len(store.batches()) == 2
        assert [f for f in store.doctor() if not f.ok] == []


def test_a_run_on_a_full_disk(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "require_space", lambda *_: None)
    failed = 0
    with EmbeddedStore.open(small_disk / "s") as store:
        load(store, big("a", 4_000))
        store.publish(small_run(store))
        before = state(store)
        for kilobytes in (0, 40, 200, 800, 1_600, 2_400):
            file = fill(small_disk, kilobytes * 1024)
            try:
                store.publish(small_run(store, seed=2))
            except DiskFull:
                failed += 1
            else:
                break
            finally:
                file.unlink()
            assert state(store) == before
            assert [f for f in store.doctor() if not f.ok] == []
        else:
            store.publish(small_run(store, seed=2))
        assert failed >= 3
        assert store.run().params.seed == 2
        assert [f for f in store.doctor() if not f.ok] == []


PLACES = [
    (generations, "build"),
    (generations, "apply"),
    (generations, "verify"),
    (graph, "sync_file"),
    (store_module, "sync_folder"),
    (manifest, "replace_json"),
]
LOAD_PLACES = [(log, "copy_to"), *PLACES]
RUN_PLACES = [(pq, "write_table"), (runs, "replace_json"), (runs, "sync_tree"), *PLACES]


def named(place: Any) -> str:
    return getattr(place, "__name__", str(place)).rpartition(".")[2]


def fail(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def break_at(patch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    """Let the disk be full there."""
    if name == "build":  # only reached where nothing can be added to
        patch.setattr(generations, "is_usable", lambda *_: False)
    patch.setattr(module, name, fail)


@pytest.mark.parametrize(("module", "name"), LOAD_PLACES, ids=named)
def test_a_write_error_wherever_it_comes_in_a_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    rows = [world(shares=[{"user_id": f"x:{u}", "content_id": "x:p"}]) for u in "ab"]
    with EmbeddedStore.open(tmp_path) as store:
        load(store, rows[0])
        store.publish(small_run(store))
        before = state(store)
        with monkeypatch.context() as patch:
            break_at(patch, module, name)
            with pytest.raises(DiskFull):
                load(store, rows[1])
        assert state(store) == before
        assert [f for f in store.doctor() if not f.ok] == []
        load(store, rows[1])
        assert store.snapshot().users.user_id.to_pylist() == ["x:a", "x:b"]


@pytest.mark.parametrize(("module", "name"), RUN_PLACES, ids=named)
def test_a_write_error_wherever_it_comes_in_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        load(store, world(shares=[{"user_id": "x:a", "content_id": "x:p"}]))
        store.publish(small_run(store))
        before, folders = state(store), {p.name for p in store.layout.runs.iterdir()}
        with monkeypatch.context() as patch:
            break_at(patch, module, name)
            with pytest.raises(DiskFull, match="to store a run"):
                store.publish(small_run(store, seed=2))
        assert state(store) == before
        assert {p.name for p in store.layout.runs.iterdir()} == folders
        assert [*store.layout.staging.iterdir()] == []
        assert [f for f in store.doctor() if not f.ok] == []
        store.publish(small_run(store, seed=2))
        assert store.run().params.seed == 2


def no_space() -> Exception:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def no_space_in_words() -> Exception:
    """As a loader says it over what DuckDB says over the disk."""
    fault = InputError("to read a.csv", "it cannot be read", "check it")
    fault.__cause__ = duckdb.IOException('Could not write file "x": No space left on device')
    return fault


@pytest.mark.parametrize("fault", [no_space, no_space_in_words])
def test_a_full_disk_while_a_loader_prepares(tmp_path: Path, fault: Any) -> None:
    rows = [world(shares=[{"user_id": f"x:{u}", "content_id": "x:p"}]) for u in "ab"]
    with EmbeddedStore.open(tmp_path) as store:
        load(store, rows[0])
        store.publish(small_run(store))
        before = state(store)
        with pytest.raises(DiskFull, match="to prepare a load"), store.stage():
            raise fault()
        assert state(store) == before
        assert [*store.layout.staging.iterdir()] == []
        assert [f for f in store.doctor() if not f.ok] == []


def test_a_loader_s_other_errors_pass_as_they_are(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        with pytest.raises(InputError, match="disk full"), store.stage():
            raise InputError("to read disk full.csv", "no space left in it", "check it")
        assert [*store.layout.staging.iterdir()] == []


@pytest.mark.parametrize("rejects", [False, True])
def test_a_full_disk_while_an_export_is_read(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, *, rejects: bool
) -> None:
    export = write_small_export(small_disk.parent / "export")
    with EmbeddedStore.open(small_disk / "s") as store:
        load(store, world(shares=[{"user_id": "x:a", "content_id": "x:p"}]))
        before = state(store)
        with monkeypatch.context() as patch:
            if rejects:  # the rows fit, what was refused does not
                patch.setattr(pq, "write_table", fail)
            else:
                fill(small_disk, 16 * 1024)
            with pytest.raises(DiskFull):
                read_export(store, export)
        (small_disk / "filler").unlink(missing_ok=True)
        assert state(store) == before
        assert [*store.layout.staging.iterdir()] == []
        (report,) = read_export(store, export)
        assert report.new_rows["users"] == 120


def test_space_is_asked_for_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        monkeypatch.setattr(
            "engine.backends.embedded.faults.shutil.disk_usage",
            lambda _: shutil._ntuple_diskusage(10, 9, 1),
        )
        with pytest.raises(DiskFull, match="0 MB free"):
            load(store, big("a", 10))
        assert [*store.layout.log.iterdir()] == []


@pytest.mark.parametrize(
    ("fault", "full"),
    [
        (OSError(errno.ENOSPC, "x"), True),
        (OSError(errno.EDQUOT, "x"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (RuntimeError("IO exception: Cannot write. No space left on device"), True),
        (RuntimeError("IO Error: Could not write all bytes: errno 28"), True),
        (duckdb.IOException("Could not write file: No space left on device"), True),
        (duckdb.OutOfMemoryException("failed to offload: max_temp_directory_size"), True),
        (duckdb.OutOfMemoryException("failed to pin block"), False),
        (duckdb.ConversionException("Could not convert string 'disk full'"), False),
        (pa.ArrowInvalid("28 rows"), False),
    ],
)
def test_a_full_disk_is_known_by_its_words(fault: Exception, full: bool) -> None:  # noqa: FBT001
    assert is_disk_full(fault) is full
