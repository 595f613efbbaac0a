"""The embedded store: a folder."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from engine.backends.embedded.store import EmbeddedStore
from engine.connect import connect
from engine.contract import Backend
from engine.errors import MissingProcedure
from tests.conformance.conf import Conf, Gap, Place


class Folders:
    """Folders, as many as are asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.numbers = count()

    def empty(self) -> str:
        return str(self.root / f"store {next(self.numbers)}")

    def open(
        self, address: str, *, create: bool = True, read_only: bool = False, wait: bool = True
    ) -> Backend:
        return connect(address, create=create, read_only=read_only, wait=wait)


class Embedded(Conf):
    name = "embedded"
    title = "Embedded"
    address = "FOLDER"
    gaps = (
        Gap(
            "algorithms",
            (),
            "never",
            "a folder has no algorithms of its own: kindred's kernels work on it",
            MissingProcedure,
            given="gds",
        ),
    )

    def store(self) -> type[Backend]:
        return EmbeddedStore

    def start(self, request: pytest.FixtureRequest) -> Place:
        factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
        return Folders(factory.mktemp("conformance"))


CONF = Embedded()
