"""A real server on the loopback, and a client of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Thread

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from api import create_app
from api.server import listening


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application in a thread and lend its address."""
    with listening("127.0.0.1", 0) as (socket, address):
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="on"))
        thread = Thread(target=server.run, kwargs={"sockets": [socket]})
        thread.start()
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def serving() -> Callable[[FastAPI], AbstractContextManager[str]]:
    """Serve an application of a test's own."""
    return served


@pytest.fixture(scope="session")
def store(small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of these tests' own."""
    folder = tmp_path_factory.mktemp("api") / "store"
    shutil.copytree(small_store, folder)
    return folder


@pytest.fixture(scope="session")
def address(store: Path) -> Iterator[str]:
    """Where the store is served."""
    with served(create_app(store)) as found:
        yield found


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    """A client of the server."""
    with httpx.Client(base_url=address, timeout=30) as made:
        yield made
