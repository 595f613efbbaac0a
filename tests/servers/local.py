"""A Neo4j server of the tests' own: started from jars, killed, started again, gone at the end.

It listens on 127.0.0.1 only, asks for a password that was drawn for it, and lives in a
temporary folder that goes with it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import neo4j

from tests.servers import leash
from tests.servers.certificate import write_certificate
from tests.servers.jars import Jars
from tests.servers.server import Neo4jServer, describe

__all__ = ["USER", "LocalServer", "Wishes", "free_port"]

USER = "neo4j"
_START_SECONDS = 240
_OPENED = ("java.nio", "java.io", "sun.nio.ch", "java.lang")
"""Packages of Java that the server reaches into."""


@dataclass(frozen=True)
class Wishes:
    """What a test wants of a server of its own."""

    gds: bool = True
    """With OpenGDS."""
    tls: bool = False
    """Bolt only over TLS, with a certificate that nobody signed."""
    heap: str = "512m"
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further lines of neo4j.conf."""
    quick: bool = True
    """Compile soon rather than well, which halves a start. Measurements want False."""


class LocalServer:
    """A server in a process of its own, not started yet; `started` makes one that is."""

    def __init__(self, jars: Jars, wishes: Wishes | None = None) -> None:
        self.jars = jars
        self.wishes = wishes or Wishes()
        self.home = Path(tempfile.mkdtemp(prefix="kindred-neo4j-"))
        self.port = free_port()
        self.password = secrets.token_urlsafe(12)
        self._leash: subprocess.Popen[bytes] | None = None
        self.pid: int | None = None
        """Process id of the server while it runs."""
        self._is_new = True
        self._seen: Neo4jServer | None = None
        try:
            self._lay_out()
        except BaseException:
            self.close()
            raise

    @classmethod
    def started(cls, jars: Jars, wishes: Wishes | None = None) -> Self:
        """Make a server and wait until it answers."""
        made = cls(jars, wishes)
        try:
            made.start()
        except BaseException:
            made.close()
            raise
        return made

    @property
    def address(self) -> str:
        """Where it listens; TLS without a check of who signed, where it was asked for TLS."""
        return f"bolt{'+ssc' if self.wishes.tls else ''}://127.0.0.1:{self.port}"

    @property
    def server(self) -> Neo4jServer:
        """The server as every test sees one."""
        if self._seen is None:
            self._seen = describe(self.address, USER, self.password)
        return self._seen

    @property
    def certificate(self) -> Path:
        """The certificate that it shows, PEM, where it was asked for TLS."""
        return self.home / "certificates" / "bolt" / "public.crt"

    def configure(self, **changes: str) -> None:
        """Change settings of neo4j.conf (dots written as `__`); they hold from the next start."""
        named = {name.replace("__", "."): value for name, value in changes.items()}
        self.wishes = replace(self.wishes, settings={**self.wishes.settings, **named})
        self._write_settings()

    # Its life -----------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, on the data that are there, and wait until it says that it has."""
        if self.pid is None:
            self._run()
        if self._is_new:
            self._set_first_password()
            self._is_new = False

    def _run(self) -> None:
        log = self.home / "logs" / "neo4j.log"
        before = log.stat().st_size if log.exists() else 0
        self._leash = subprocess.Popen(
            [sys.executable, "-I", leash.__file__, self.home, *self._command()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._leash.stdout is not None
        self.pid = int(self._leash.stdout.readline())
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if log.exists() and b"Started." in log.read_bytes()[before:]:
                return
            if self._leash.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"Neo4j did not start:\n{self._last_words()}")

    def kill(self) -> None:
        """End it as a crash does: SIGKILL, nothing flushed, nothing said to clients."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as an operator does: SIGTERM, transactions rolled back, files closed."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Stop it and start it again, on the same port and data."""
        self.stop()
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self.pid is None or self._leash is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, how)
        self._leash.wait(timeout=60)
        self._let_go()

    def _let_go(self) -> None:
        """Close both ends of the leash that still hold it."""
        assert self._leash is not None
        for end in (self._leash.stdin, self._leash.stdout):
            if end is not None:
                end.close()
        self._leash.wait(timeout=60)
        self._leash = None
        self.pid = None

    def close(self) -> None:
        """End it and remove all it wrote."""
        if self._seen is not None:
            self._seen.close()
            self._seen = None
        if self._leash is not None:
            self._let_go()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def admin(self) -> Path:
        """The `neo4j-admin` of this server, as a program."""
        path = self.home / "bin" / "neo4j-admin"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            words = [*self._java(), "org.neo4j.cli.AdminTool"]
            path.write_text(
                f"#!/bin/sh\nexport NEO4J_HOME='{self.home}' NEO4J_CONF='{self.home / 'conf'}'\n"
                f'exec {shlex.join(words)} "$@"\n',
                encoding="utf-8",
            )
            path.chmod(0o755)
        return path

    # What it is made of -------------------------------------------------------------------

    def _lay_out(self) -> None:
        for name in ("conf", "data", "logs", "plugins", "run", "import"):
            (self.home / name).mkdir()
        if self.wishes.gds:
            for jar in self.jars.plugins.iterdir():
                (self.home / "plugins" / jar.name).symlink_to(jar)
        if self.wishes.tls:
            write_certificate(self.certificate.parent)
        self._write_settings()

    def _write_settings(self) -> None:
        here = f"127.0.0.1:{self.port}"
        settings = {
            "server.bolt.listen_address": here,
            "server.bolt.advertised_address": here,
            "server.http.enabled": "false",
            "dbms.security.auth_enabled": "true",
            "server.memory.pagecache.size": "128m",
            "db.tx_log.preallocate": "false",
            "dbms.usage_report.enabled": "false",
        }
        if self.wishes.gds:
            settings["dbms.security.procedures.unrestricted"] = "gds.*"
        if self.wishes.tls:
            settings |= {
                "server.bolt.tls_level": "REQUIRED",
                "dbms.ssl.policy.bolt.enabled": "true",
                "dbms.ssl.policy.bolt.base_directory": str(self.certificate.parent),
                "dbms.ssl.policy.bolt.client_auth": "NONE",
            }
        lines = [
            f"{name}={value}\n" for name, value in {**settings, **self.wishes.settings}.items()
        ]
        (self.home / "conf" / "neo4j.conf").write_text("".join(lines), encoding="utf-8")

    def _command(self) -> list[str]:
        return [
            *self._java(),
            f"-Xms{self.wishes.heap}",
            "org.neo4j.server.CommunityEntryPoint",
            f"--home-dir={self.home}",
            f"--config-dir={self.home / 'conf'}",
        ]

    def _java(self) -> list[str]:
        """Return the command line up to the class that is to run."""
        return [
            str(self.jars.java),
            "-cp",
            self.jars.class_path(gds=self.wishes.gds),
            *(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in _OPENED),
            f"-Xmx{self.wishes.heap}",
            *(("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1") if self.wishes.quick else ()),
        ]

    def _set_first_password(self) -> None:
        """Give the only user the drawn password; a new server lets nothing else be done."""
        with (
            neo4j.GraphDatabase.driver(self.address, auth=(USER, "neo4j")) as driver,
            driver.session(database="system") as session,
        ):
            session.run(
                "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $password",
                password=self.password,
            ).consume()

    def _last_words(self) -> str:
        said = ""
        for name in ("console.log", "logs/neo4j.log"):
            path = self.home / name
            said += path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        return said[-2_000:]


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as ear:
        ear.bind(("127.0.0.1", 0))
        return int(ear.getsockname()[1])
