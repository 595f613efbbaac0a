"""A server as a store: its address, its database, and a password nobody gets to see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.server import Server
from kindred.cli.options import DATABASE
from kindred.settings import Settings
from tests.cli.test_errors import refused

Call = Callable[..., Any]
NOBODY = "bolt://127.0.0.1:9"
"""The discard port, where nothing listens."""


def test_a_server_is_asked_as_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("pass word \n", encoding="utf-8")
    monkeypatch.setenv("KINDRED_NEO4J_PASSWORD_FILE", str(file))
    monkeypatch.setenv("KINDRED_NEO4J_TRANSACTIONS", "2")
    monkeypatch.setenv("KINDRED_DATABASE", "team")
    assert Settings().server() == Server("team", "neo4j", "pass word ", 2, 600.0, 30.0)
    assert Settings().server("other").database == "other"
    monkeypatch.setenv("KINDRED_NEO4J_USER", "ana")
    monkeypatch.setenv("KINDRED_NEO4J_PASSWORD", "said")
    assert (Settings().server().user, Settings().server().password) == ("ana", "said")
    assert "said" not in repr(Settings())
    assert "said" not in repr(Settings().server())


def test_nobody_listens(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINDRED_NEO4J_PATIENCE", "1")
    monkeypatch.setenv("KINDRED_NEO4J_PASSWORD", "hidden-word")
    ended = call("runs", "--store", NOBODY)
    assert NOBODY in refused(ended)["found"]
    assert "hidden-word" not in ended.err


def test_a_password_in_the_address(call: Call) -> None:
    ended = call("runs", "--store", "neo4j://ana:hidden-word@db.example.org")
    said = refused(ended, 2)
    assert said["todo"].endswith("set KINDRED_NEO4J_USER and KINDRED_NEO4J_PASSWORD_FILE")
    assert "hidden-word" not in ended.err


@pytest.mark.parametrize("address", ["neo4j://host/team", "bolt://", "spark://host"])
def test_an_address_that_is_none(call: Call, address: str) -> None:
    refused(call("runs", "--store", address), 2)


def test_a_password_file_that_is_not_there(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINDRED_NEO4J_PASSWORD_FILE", "no/such/file")
    said = refused(call("runs", "--store", NOBODY), 2)
    assert said["found"] == "no/such/file cannot be read: FileNotFoundError"


def test_the_database_is_forgotten_with_the_command(call: Call, tmp_path: Path) -> None:
    call("runs", "--store", tmp_path / "none", "--database", "team")
    assert DATABASE.get() == "team"
    call("runs", "--store", tmp_path / "none")
    assert DATABASE.get() is None
