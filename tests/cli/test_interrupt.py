"""Ctrl-C, a closed pipe, a server that is asked to stop."""

from __future__ import annotations

import fcntl
import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import kindred
from kindred.demo.shows import DATA

Spawn = Callable[..., "subprocess.Popen[str]"]
EDGE_LIST = ("load", "edges.csv", "--kind", "share", "--direction", "forward")


def tree(store: Path) -> dict[str, bytes]:
    """Files of a store that count, with their bytes."""
    beside = {"lock"}
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.name not in beside
    }


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """An edge list that takes seconds to load."""
    path = tmp_path / "many.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("source,target\n")
        for i in range(400_000):
            file.write(f"user{i % 90_001},user{(i * 7) % 80_021}\n")
    return path


def test_ctrl_c_during_a_load_leaves_the_store_as_before(
    spawn: Spawn, tmp_path: Path, small_store: Path, many: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(small_store, store)
    before = tree(store)
    process = spawn("load", many, "--kind", "share", "--direction", "forward", "--store", store)
    until = time.monotonic() + 30
    while not list((store / "staging").glob("*/*")) and time.monotonic() < until:
        time.sleep(0.01)
    assert process.poll() is None, "the load was over before it could be interrupted"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err == (
        "kindred load: interrupted; nothing is half done, "
        "what was being loaded is not in the store\n"
    )
    assert tree(store) == before
    with kindred.connect(store, create=False) as k:
        assert all(row["ok"] for row in k.doctor())


def test_ctrl_c_keeps_the_files_that_were_loaded_before(
    spawn: Spawn, tmp_path: Path, many: Path
) -> None:
    few = tmp_path / "few.csv"
    few.write_text("source,target\na,b\n", encoding="utf-8")
    store = tmp_path / "store"
    said = ("--kind", "share", "--direction", "forward", "--store", store)
    process = spawn("load", few, many, *said)
    until = time.monotonic() + 60
    while _loaded(store) < 1 and time.monotonic() < until:
        time.sleep(0.01)
    assert process.poll() is None, "the load was over before it could be interrupted"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.endswith("what was being loaded is not in the store\n")
    with kindred.connect(store, create=False) as k:
        assert [Path(batch.source).name for batch in k.backend.batches()] == ["few.csv"]


def _loaded(store: Path) -> int:
    manifest = store / "manifest.json"
    return len(json.loads(manifest.read_bytes())["batches"]) if manifest.exists() else 0


@pytest.fixture(scope="module")
def election(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose analysis takes seconds."""
    store = tmp_path_factory.mktemp("election") / "store"
    with kindred.connect(store) as k:
        k.load(DATA / "election" / "german_elections.csv.gz", brands="domains")
    return store


def test_ctrl_c_during_an_analysis_leaves_the_store_as_before(spawn: Spawn, election: Path) -> None:
    before = tree(election)
    process = spawn("analyse", "--store", election)
    time.sleep(4)
    assert process.poll() is None, "the analysis was over before it could be interrupted"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == (
        "kindred analyse: interrupted; nothing is half done, the store is as it was before\n"
    )
    assert tree(election) == before
    with kindred.connect(election, create=False) as k:
        assert k.runs().to_arrow().num_rows == 0
        assert all(row["ok"] for row in k.doctor())


def test_a_closed_pipe_is_silent(spawn: Spawn, small_store: Path) -> None:
    process = spawn("cascades", "--format", "jsonl", "--store", small_store)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=30) == 0


def test_serve_follows_the_store_until_it_is_stopped(
    spawn: Spawn, tmp_path: Path, small_store: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(small_store, store)
    process = spawn("serve", "--port", "0", "--store", store)
    assert process.stderr is not None
    told = process.stderr.readline()
    address = told.split(" on ")[1].split("/ ")[0]
    assert address.startswith("http://127.0.0.1:")
    with httpx.Client(base_url=address, timeout=30) as client:
        first = client.get("/v1/health").json()
        with kindred.connect(store) as k:
            run = k.analyse(seed=5, rewirings=0, ensemble=0, split=None).run_id
        second = client.get("/v1/health").json()
        listed = client.get("/v1/runs").json()["items"]
        front = client.get("/")
    assert first["run_id"] != run
    assert second["run_id"] == run
    assert [item["run_id"] for item in listed] == [run, first["run_id"]]
    assert front.headers["content-type"].startswith("text/html")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    assert process.stderr.read() == "stopped\n"


def test_a_taken_port_is_said(call: Callable[..., Any], small_store: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = call("serve", "--port", taken.getsockname()[1], "--store", small_store)
    assert ended.code == 2
    assert ended.told[1] == "found: another process is listening there"


def test_a_second_writer_waits_or_gives_up(spawn: Spawn, tmp_path: Path, small_store: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(small_store, store)
    edges = tmp_path / "edges.csv"
    edges.write_text("source,target\na,b\n", encoding="utf-8")
    words: tuple[Any, ...] = (
        "load",
        edges,
        "--kind",
        "share",
        "--direction",
        "forward",
        "--store",
        store,
        "--quiet",
    )
    with (store / "lock").open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        gave_up = spawn(*words, "--no-wait")
        _, err = gave_up.communicate(timeout=30)
        assert gave_up.returncode == 1
        assert [line.split(":")[0] for line in err.splitlines()] == ["wanted", "found", "to do"]
        waits = spawn(*words[:-1])
        assert waits.stderr is not None
        assert waits.stderr.readline().startswith("waiting for")
    assert waits.wait(timeout=30) == 0


@pytest.mark.parametrize(
    "words",
    [
        (*EDGE_LIST, "--no-wait"),
        ("analyse", "--rewirings", "0", "--no-split", "--no-wait"),
        ("doctor", "--rebuild", "--no-wait"),
    ],
)
def test_no_wait_gives_up_on_a_held_lock(
    call: Callable[..., Any], desk: Path, words: tuple[str, ...]
) -> None:
    before = tree(desk / "kindred-data")
    with (desk / "kindred-data" / "lock").open("a+") as held:
        held.truncate(0)
        held.write("process 1 (another)\n")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        ended = call(*words)
    assert (ended.code, ended.out) == (1, "")
    assert [line.split(":")[0] for line in ended.told] == ["wanted", "found", "to do"]
    assert ended.told[1:] == [
        "found: process 1 (another) is writing to it",
        "to do: wait until it is done, or leave --no-wait out to wait for it here",
    ]
    assert tree(desk / "kindred-data") == before
