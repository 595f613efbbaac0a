"""docker-compose.yml against its schema; what its images run, run outside of them.

compose-spec.json is the schema of the Compose Specification (Apache-2.0), as compose-go
2.16.2 carries it. No container is started here.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import orjson
import pytest
import yaml

from tests.conftest import ROOT
from tests.servers.fixtures import OpenStore
from tests.servers.local import free_port
from tests.servers.server import Neo4jServer

DOCKER = ROOT / "docker"
SCHEMA = Path(__file__).with_name("compose-spec.json")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """What docker-compose.yml says, variables unset."""
    read = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert isinstance(read, dict)
    return read


def test_it_is_a_compose_file(compose: dict[str, Any]) -> None:
    schema = orjson.loads(SCHEMA.read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    wrong = list(jsonschema.Draft202012Validator(schema).iter_errors(compose))
    assert wrong == []
    compose_with_a_slip = {**compose, "services": {"neo4j": {"imgae": "neo4j"}}}
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(compose_with_a_slip)) != []


def test_nothing_is_reached_from_another_machine(compose: dict[str, Any]) -> None:
    ports = [port for s in compose["services"].values() for port in s.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    assert [name for name, s in compose["services"].items() if "network_mode" in s] == ["secrets"]


def test_every_lasting_service_says_whether_it_is_well(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert [n for n, s in services.items() if "healthcheck" not in s] == ["secrets"]
    assert {n for n, s in services.items() if s.get("profiles")} == {"spark-master", "spark-worker"}


def test_no_secret_stands_in_the_file(compose: dict[str, Any]) -> None:
    said = {k: v for s in compose["services"].values() for k, v in s.get("environment", {}).items()}
    secret = {k: v for k, v in said.items() if "PASSWORD" in k or "AUTH" in k}
    assert secret == {
        "NEO4J_AUTH_PATH": "/run/kindred/neo4j_auth",
        "KINDRED_NEO4J_PASSWORD_FILE": "/run/kindred/neo4j_password",
    }


def test_volumes_and_files_that_are_named_are_there(compose: dict[str, Any]) -> None:
    mounts = [m for s in compose["services"].values() for m in s.get("volumes", [])]
    named = {m.split(":")[0] for m in mounts}
    assert {n for n in named if not n.startswith(".")} == set(compose["volumes"])
    assert [n for n in named if n.startswith(".") and not (ROOT / n).is_file()] == []


def test_what_the_image_copies_is_let_through() -> None:
    copied = {
        word.rstrip("/")
        for line in (DOCKER / "Dockerfile").read_text(encoding="utf-8").splitlines()
        if line.startswith("COPY ")
        for word in line.split()[1:-1]
    }
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert [name for name in sorted(copied) if not (ROOT / name).exists()] == []
    assert "*" in ignored


# The password -------------------------------------------------------------------------------


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A folder in the place of the volume."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    return folder


def draw(folder: Path, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """Run the script of the `secrets` service. Who is not root cannot give files away."""
    path = os.environ["PATH"]
    if os.geteuid() != 0:
        chown = folder.parent / "chown"
        chown.write_text("#!/bin/sh\n", encoding="ascii")
        chown.chmod(0o755)
        path = f"{folder.parent}{os.pathsep}{path}"
    return subprocess.run(
        ["/bin/sh", DOCKER / "secrets.sh", *words],
        env={"PATH": path, "KINDRED_SECRETS": str(folder)},
        input=said,
        capture_output=True,
        text=True,
        check=False,
    )


def kept(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="ascii") for path in folder.iterdir()}


def test_a_password_is_drawn_once(secrets: Path) -> None:
    assert (draw(secrets).returncode, draw(secrets).stdout) == (0, "")
    first = kept(secrets)
    password = first["neo4j_password"]
    assert first == {"neo4j_password": password, "neo4j_auth": f"neo4j/{password}"}
    assert len(password) == 48
    for path in secrets.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o400
    if os.geteuid() == 0:
        owners = {path.name: path.stat().st_uid for path in secrets.iterdir()}
        assert owners == {"neo4j_auth": 7474, "neo4j_password": 10001}
    assert draw(secrets).returncode == 0
    assert kept(secrets) == first
    other = secrets.with_name("other")
    other.mkdir()
    draw(other)
    assert kept(other)["neo4j_password"] != password


def test_a_password_can_be_chosen_before_the_first_start(secrets: Path) -> None:
    assert draw(secrets, "choose", said="short").returncode == 1
    assert draw(secrets, "choose", said="with/a/slash").returncode == 1
    assert kept(secrets) == {}
    chosen = "chosen by hand"
    assert draw(secrets, "choose", said=chosen).returncode == 0
    assert draw(secrets, "choose", said="another one").returncode == 0
    assert kept(secrets)["neo4j_password"] == chosen


# kindred's container ------------------------------------------------------------------------


def run_entrypoint(words: list[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    programs = Path(sys.executable).parent
    return subprocess.Popen(
        ["/bin/sh", DOCKER / "entrypoint.sh", *words],
        env={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def environment(
    compose: dict[str, Any], neo4j_store: OpenStore, neo4j_cleared: Neo4jServer, tmp_path: Path
) -> dict[str, str]:
    """The environment of the service, for this machine's server and a port of its own."""
    password = tmp_path / "password"
    password.write_text(neo4j_cleared.password, encoding="utf-8")
    said = dict(compose["services"]["kindred"]["environment"])
    assert set(said) >= {"KINDRED_STORE", "KINDRED_PORT", "KINDRED_NEO4J_PASSWORD_FILE"}
    return {
        **said,
        "KINDRED_STORE": neo4j_cleared.address,
        "KINDRED_NEO4J_USER": neo4j_cleared.user,
        "KINDRED_NEO4J_PASSWORD_FILE": str(password),
        "KINDRED_PORT": str(free_port()),
        "HOME": str(tmp_path),
    }


def healthy(environment: Mapping[str, str]) -> bool:
    """Say what the health check of the service says."""
    with run_entrypoint(["healthy"], environment) as process:
        process.communicate()
    return process.returncode == 0


@pytest.fixture
def served(environment: dict[str, str]) -> Iterator[str]:
    """The address of the service, which starts on an empty database."""
    process = run_entrypoint(["serve"], environment)
    until = time.monotonic() + 120
    while not healthy(environment):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
    yield f"127.0.0.1:{environment['KINDRED_PORT']}"
    process.terminate()
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (-signal.SIGTERM, "")
    assert err.startswith(f"serving {environment['KINDRED_STORE']} on http://127.0.0.1:")


def test_the_service_serves_an_empty_database(served: str, neo4j_cleared: Neo4jServer) -> None:
    health = httpx.get(f"http://{served}/v1/health").json()
    assert (health["status"], health["load_count"]) == ("empty", 0)
    assert httpx.get(f"http://{served}/").status_code < 500
    # The port is published on the host's loopback: under another name nothing is answered.
    other = httpx.get(f"http://{served}/v1/health", headers={"Host": "kindred.example.org"})
    assert other.status_code == 400
    stores = neo4j_cleared.run("MATCH (s:kindred_Store) RETURN count(s) AS stores")
    assert stores == [{"stores": 1}]


def test_the_entrypoint_passes_commands_on(tmp_path: Path) -> None:
    with run_entrypoint(["formats", "--format", "json"], {"HOME": str(tmp_path)}) as process:
        out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert "x-api-v2" in {row["name"] for row in orjson.loads(out)}


def test_the_servers_health_is_asked_with_a_program_that_says_so(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    word, *command = compose["services"]["neo4j"]["healthcheck"]["test"]
    assert (word, command[0]) == ("CMD", "wget")
    if shutil.which("wget") is None:
        pytest.skip("this machine has no wget, which the image of Neo4j has")
    served = subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "0"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert served.stdout is not None
    port = served.stdout.readline().rpartition(":")[2].split("/")[0]
    here = [w.replace(":7474", f":{port}") for w in command]
    try:
        assert subprocess.run(here, check=False).returncode == 0
    finally:
        served.kill()
        served.communicate()
    assert subprocess.run(here, check=False).returncode != 0
