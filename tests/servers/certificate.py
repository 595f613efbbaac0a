"""A certificate for 127.0.0.1 that nobody signed, made when a test asks for one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.servers.jars import NotThere

__all__ = ["write_certificate"]


def write_certificate(folder: Path) -> None:
    """Write private.key and public.crt (PEM) for localhost and 127.0.0.1, good for a day.

    Raises
    ------
    NotThere
        If this machine has no OpenSSL.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        raise NotThere("OpenSSL")
    folder.mkdir(parents=True)
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "1",
            "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", folder / "private.key",
            "-out", folder / "public.crt",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
