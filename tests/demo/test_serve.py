"""The end of a demo: its pages on this machine until Ctrl-C, or their path."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import httpx
import pytest

from kindred.demo.serve import serve_folder

Start = Callable[..., "subprocess.Popen[str]"]

ADDRESS = re.compile(r"^Pages: (http://127\.0\.0\.1:(\d+)/)   \(Ctrl-C ends\)$")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where stores and pages go; the demo keeps what is there already."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start the parliament's demo in a process of its own, and end it with the test."""
    started: list[subprocess.Popen[str]] = []

    def run(*words: object, **environment: str) -> subprocess.Popen[str]:
        inherited = {k: v for k, v in os.environ.items() if k != "DEMO_SERVE"}
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "kindred", "demo", "parliament"),
                *("-o", str(folder), "--quiet", *map(str, words)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**inherited, "PYTHONUNBUFFERED": "1", **environment},
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def address(process: subprocess.Popen[str]) -> tuple[str, int]:
    """Read until the demo says where its pages are."""
    assert process.stdout is not None
    for line in process.stdout:
        found = ADDRESS.match(line.rstrip("\n"))
        if found is not None:
            return found[1], int(found[2])
    pytest.fail(f"no address was printed; {process.communicate()[1]}")


def test_the_pages_are_served_until_ctrl_c(start: Start, folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        given = taken.getsockname()[1]
        process = start("--port", given)
        url, port = address(process)
    assert port != given, "the given port was taken"
    pages = {"": folder / "index.html"}
    pages["parliament/pages/index.html"] = folder / "parliament" / "pages" / "index.html"
    with httpx.Client(base_url=url, timeout=30) as client:
        for path, file in pages.items():
            answer = client.get(path)
            assert (answer.status_code, answer.content) == (200, file.read_bytes())
        front = client.get("").text
    assert 'href="parliament/pages/index.html"' in front
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, timeout=5)


@contextmanager
def served(folder: Path, port: int) -> Iterator[int]:
    """Serve a folder in a thread and lend the port."""
    with serve_folder(folder, port) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_a_free_port_is_taken_where_none_is_given_and_a_given_one_is_kept(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("a page")
    with served(tmp_path, 0) as free:
        assert httpx.get(f"http://127.0.0.1:{free}/", timeout=30).text == "a page"
    with served(tmp_path, free) as given:
        assert given == free
        with served(tmp_path, given) as other:
            assert other != given
            assert httpx.get(f"http://127.0.0.1:{other}/", timeout=30).text == "a page"
