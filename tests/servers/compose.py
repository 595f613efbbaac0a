"""The server of docker-compose.yml, for who has Docker and its images."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import neo4j.exceptions

from tests.servers.local import USER, free_port
from tests.servers.server import Neo4jServer, describe

__all__ = ["ComposeServer", "find_compose"]

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"
SERVICE = "neo4j"
_INFO_SECONDS = 5
_UP_SECONDS = 180


def find_compose() -> ComposeServer | None:
    """Return a started server, or None where Docker or its image is not at hand.

    Docker is asked for at most five seconds, and no image is downloaded.
    """
    docker = shutil.which("docker")
    if docker is None or _asked([docker, "info"], _INFO_SECONDS) is None:
        return None
    images = _asked([docker, "compose", "-f", str(FILE), "config", "--images", SERVICE], 30)
    if not images or any(
        _asked([docker, "image", "inspect", image], 30) is None for image in images.split()
    ):
        return None
    return ComposeServer(docker)


class ComposeServer:
    """The `neo4j` service in a compose project of this run's own, with volumes of its own."""

    def __init__(self, docker: str) -> None:
        self.port = free_port()
        self._compose = [docker, "compose", "-f", str(FILE), "-p", f"kindred-tests-{os.getpid()}"]
        self._env = {
            **os.environ,
            "KINDRED_NEO4J_BOLT_PORT": str(self.port),
            "KINDRED_NEO4J_HTTP_PORT": str(free_port()),
        }
        try:
            self._run("up", "--detach", "--pull", "never", SERVICE)
            self.server = self._answering()
        except BaseException:
            self.close()
            raise

    def _answering(self) -> Neo4jServer:
        until = time.monotonic() + _UP_SECONDS
        while True:
            with contextlib.suppress(
                subprocess.CalledProcessError,
                neo4j.exceptions.DriverError,
                neo4j.exceptions.Neo4jError,
            ):
                password = self._run(
                    "exec", "-T", SERVICE, "cat", "/run/kindred/neo4j_password"
                ).strip()
                return describe(f"bolt://127.0.0.1:{self.port}", USER, password)
            if time.monotonic() > until:
                raise TimeoutError(f"the service {SERVICE} did not answer in {_UP_SECONDS} s")
            time.sleep(1)

    def _run(self, *words: str) -> str:
        return subprocess.run(
            [*self._compose, *words],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=_UP_SECONDS,
            check=True,
        ).stdout

    def close(self) -> None:
        """Take the service down, volumes and all."""
        with contextlib.suppress(subprocess.CalledProcessError, subprocess.TimeoutExpired):
            self._run("down", "--volumes", "--timeout", "1")


def _asked(command: list[str], seconds: int) -> str | None:
    """Return what a command said, None where it failed or took too long."""
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout if ended.returncode == 0 else None
