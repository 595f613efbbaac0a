"""The order in which a server is looked for, and what is said where there is none."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import neo4j as client
import pytest

from tests.conftest import ROOT
from tests.servers import compose, leash
from tests.servers.choice import Servers, Unusable
from tests.servers.fixtures import NewVictim
from tests.servers.jars import NotThere, find_jars, find_java
from tests.servers.local import LocalServer, free_port
from tests.servers.server import Neo4jServer

ASKS = """
def test_one(neo4j): neo4j.run("RETURN 1")
def test_two(neo4j_empty): neo4j_empty.run("RETURN 1")
def test_three(neo4j_victim): neo4j_victim.kill()
def test_none(): pass
"""
WRONG = "not-the-one"


def program(folder: Path, name: str, *lines: str) -> Path:
    """Write a program of this name, in a folder of programs."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder where programs are found; nothing in it, and nothing cached."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("JAVA_HOME", "KINDRED_NEO4J_URL", "KINDRED_NEO4J_WIPE"):
        monkeypatch.delenv(name, raising=False)
    return folder


def name_it(
    monkeypatch: pytest.MonkeyPatch, server: Neo4jServer, password: str | None = None
) -> None:
    monkeypatch.setenv("KINDRED_NEO4J_URL", server.address)
    monkeypatch.setenv("KINDRED_NEO4J_USER", server.user)
    monkeypatch.setenv("KINDRED_NEO4J_PASSWORD", password or server.password)


def test_a_named_server_comes_first(
    neo4j_empty: Neo4jServer, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_it(monkeypatch, neo4j_empty)
    with closing(Servers()) as servers:
        assert servers.shared() == neo4j_empty
        neo4j_empty.run("CREATE (:Left)")
    assert neo4j_empty.run("MATCH (n) RETURN count(n) AS nodes") == [{"nodes": 0}]


def test_a_named_server_with_data_is_not_emptied(
    neo4j_empty: Neo4jServer, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_it(monkeypatch, neo4j_empty)
    neo4j_empty.run("CREATE (:Precious)")
    with pytest.raises(Unusable, match="holds 1 nodes, and tests empty the database"):
        Servers().shared()
    assert neo4j_empty.run("MATCH (n:Precious) RETURN count(n) AS nodes") == [{"nodes": 1}]
    monkeypatch.setenv("KINDRED_NEO4J_WIPE", "yes")
    with closing(Servers()) as servers:
        assert servers.shared() == neo4j_empty


def test_a_named_server_must_let_the_tests_in(
    neo4j: Neo4jServer, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_it(monkeypatch, neo4j, WRONG)
    with pytest.raises(Unusable, match="does not let the tests in") as refused:
        Servers().shared()
    assert WRONG not in str(refused.value)
    monkeypatch.setenv("KINDRED_NEO4J_URL", f"bolt://127.0.0.1:{free_port()}")
    with pytest.raises(Unusable, match="does not let the tests in"):
        Servers().shared()


def test_docker_is_not_waited_for(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "_INFO_SECONDS", 0.2)
    program(programs, "docker", "exec /bin/sleep 60")
    begun = time.monotonic()
    assert compose.find_compose() is None
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "answers",
    [
        ["exit 1"],
        ['case "$*" in info) ;; *) exit 1;; esac'],
        ['case "$*" in info) ;; *--images*) echo neo4j:5;; *) exit 1;; esac'],
    ],
    ids=["no daemon", "no compose", "no image"],
)
def test_docker_without_what_it_needs_is_passed_over(programs: Path, answers: list[str]) -> None:
    program(programs, "docker", *answers)
    assert compose.find_compose() is None


def test_java_must_be_new_enough(programs: Path) -> None:
    with pytest.raises(NotThere, match="Java 17 or newer"):
        find_java()
    program(programs, "java", "echo 'openjdk version \"1.8.0_292\"' >&2")
    with pytest.raises(NotThere, match="Java 17 or newer"):
        find_java()
    java = program(programs, "java", "echo 'openjdk version \"21.0.4\" 2024-07-16' >&2")
    assert find_java() == java


def test_maven_is_needed_once(programs: Path, tmp_path: Path) -> None:
    program(programs, "java", "echo 'openjdk version \"17.0.15\" 2025-04-15' >&2")
    with pytest.raises(NotThere, match="Maven"):
        find_jars()
    program(programs, "mvn", "echo '[ERROR] offline'", "exit 1")
    with pytest.raises(NotThere, match=r"the server's jars \(Maven: \[ERROR\] offline\)"):
        find_jars()
    program(
        programs, "mvn", 'for w; do case "$w" in -Dinto=*) /bin/mkdir -p "${w#*=}/lib";; esac; done'
    )
    made = find_jars()
    assert made.lib.is_dir()
    (programs / "mvn").unlink()
    assert find_jars() == made
    assert [path.name for path in (tmp_path / "cache" / "kindred").iterdir()] == [made.folder.name]


@pytest.mark.parametrize("required", ["", "neo4j"])
def test_without_a_server_the_tests_say_so(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, required: str
) -> None:
    monkeypatch.setenv("KINDRED_REQUIRE", required)
    asks = tmp_path / "test_asks.py"
    asks.write_text(ASKS, encoding="utf-8")
    ended = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "tests.servers.fixtures",
            "-p", "no:cacheprovider", "-c", ROOT / "pyproject.toml", f"--rootdir={tmp_path}", asks,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    told = ended.stdout.splitlines()
    assert ended.returncode == (1 if required else 0), ended.stdout
    assert ("1 passed, 3 errors" if required else "1 passed, 3 skipped") in told[-1]
    closing = [line for line in told if line.startswith("not run: 3 tests on a Neo4j server")]
    assert len(closing) == (0 if required else 1)
    missing = "no Neo4j server: Java 17 or newer"
    assert any(missing in line for line in told)


OWNER = """
import subprocess, sys
subprocess.Popen([sys.executable, *sys.argv[1:]], stdin=subprocess.PIPE).wait()
"""


def test_a_server_ends_with_its_owner(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, leash.__file__, home, "/bin/sleep", "600"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    server = int(owner.stdout.readline())
    os.kill(server, 0)
    owner.kill()
    owner.communicate()
    until = time.monotonic() + 10
    while home.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not home.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)


@pytest.mark.gates  # the tests of faults do the same, and more
def test_a_victim_dies_and_comes_back_with_its_data(neo4j_victim: LocalServer) -> None:
    before = neo4j_victim.server
    neo4j_victim.server.run("CREATE (:Kept)")
    pid = neo4j_victim.pid
    assert pid is not None
    neo4j_victim.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    with (
        pytest.raises(ConnectionRefusedError),
        socket.create_connection(("127.0.0.1", neo4j_victim.port), 1),
    ):
        pass
    neo4j_victim.start()
    assert neo4j_victim.server == before
    assert neo4j_victim.server.run("MATCH (n) RETURN labels(n) AS l") == [{"l": ["Kept"]}]


@pytest.mark.gates  # the tests of faults do the same, and more
def test_a_victim_takes_wishes(neo4j_victims: NewVictim) -> None:
    victim = neo4j_victims(gds=False, tls=True)
    assert (victim.server.gds, victim.server.address.split(":")[0]) == (None, "bolt+ssc")
    plain = client.GraphDatabase.driver(
        f"bolt://127.0.0.1:{victim.port}", auth=(victim.server.user, victim.server.password)
    )
    with plain, pytest.raises(client.exceptions.ServiceUnavailable):
        plain.verify_connectivity()
    assert "BEGIN CERTIFICATE" in victim.certificate.read_text(encoding="ascii")
