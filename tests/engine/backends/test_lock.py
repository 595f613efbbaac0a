"""One writer a store: the second waits for the first, by name, or gives up."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.backends.embedded.lock import holder, writer_lock
from engine.backends.embedded.store import EmbeddedStore
from engine.errors import StoreLocked
from tests.engine.backends.worlds import load, world

ROWS = world(shares=[{"user_id": "x:a", "content_id": "x:p"}])

HOLD = """
import sys
from pathlib import Path
from engine.backends.embedded.lock import writer_lock
with writer_lock(Path(sys.argv[1]), wait=True):
    print("held", flush=True)
    sys.stdin.readline()
"""


def hold(lock: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def release(process: subprocess.Popen[str]) -> None:
    process.communicate("go\n", timeout=60)


def test_the_second_process_waits_and_names_the_first(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        first = hold(store.layout.lock)
        said: list[str] = []

        def hear(stage: str, done: float = 0, total: float | None = None) -> None:
            said.append(stage)
            if len(said) == 1:
                threading.Thread(target=release, args=(first,)).start()

        with writer_lock(store.layout.lock, wait=True, progress=hear):
            assert holder(store.layout.lock).startswith(f"process {os.getpid()} (")
        assert said == [f"waiting for process {first.pid} (-c lock), which is writing to the store"]


def test_the_second_process_gives_up_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        first = hold(store.layout.lock)
        store.no_wait = True
        with pytest.raises(StoreLocked) as refused:
            load(store, ROWS)
        assert refused.value.found == f"process {first.pid} (-c lock) is writing to it"
        assert store.batches() == []
        release(first)
        load(store, ROWS)
        monkeypatch.setenv("KINDRED_NO_WAIT", "1")
        with EmbeddedStore.open(tmp_path) as other:
            assert other.no_wait


def test_a_killed_writer_holds_nothing(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        first = hold(store.layout.lock)
        first.kill()
        first.communicate()
        store.no_wait = True
        assert load(store, ROWS).new_rows == {"shares": 1}


def test_writers_in_one_process_follow_each_other(tmp_path: Path) -> None:
    stores = [EmbeddedStore.open(tmp_path) for _ in range(3)]
    batches = [world(shares=[{"user_id": f"x:{i}", "content_id": "x:p"}]) for i in range(3)]
    threads = [
        threading.Thread(target=load, args=pair) for pair in zip(stores, batches, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(s.batches()) for s in stores] == [3, 3, 3]
    assert stores[0].snapshot().users.user_id.to_pylist() == ["x:0", "x:1", "x:2"]
    assert [f for f in stores[1].doctor() if not f.ok] == []
    for store in stores:
        store.close()
