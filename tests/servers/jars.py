"""The jars of a Neo4j server with OpenGDS, resolved by Maven once and kept.

They stand in a cache folder of the user's, named for what the pom says, so that a second run
of the tests starts no Maven at all. A bare machine downloads about 140 MB.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Jars", "NotThere", "find_jars", "find_java"]

POM = Path(__file__).with_name("pom.xml")
OLDEST_JAVA = 17
_MAVEN_SECONDS = 600


class NotThere(Exception):
    """Something a server needs is not on this machine; the message says what."""


@dataclass(frozen=True)
class Jars:
    """Folders of a server's jars, and the Java that runs them."""

    java: Path
    folder: Path

    @property
    def lib(self) -> Path:
        """The server itself and every third-party library."""
        return self.folder / "lib"

    @property
    def plugins(self) -> Path:
        """OpenGDS."""
        return self.folder / "plugins"

    def class_path(self, *, gds: bool) -> str:
        """Both folders where OpenGDS is wanted: its extensions are found on the class path."""
        folders = [self.lib, self.plugins] if gds else [self.lib]
        return os.pathsep.join(f"{folder}{os.sep}*" for folder in folders)


def find_java() -> Path:
    """Return a Java that can run the server: `JAVA_HOME` first, then the path.

    Raises
    ------
    NotThere
        If there is none, or only older ones.
    """
    home = os.environ.get("JAVA_HOME")
    found = [Path(home, "bin", "java")] if home else []
    on_path = shutil.which("java")
    found += [Path(on_path)] if on_path else []
    for java in found:
        if java.is_file() and java_version(java) >= OLDEST_JAVA:
            return java
    raise NotThere(f"Java {OLDEST_JAVA} or newer")


def java_version(java: Path) -> int:
    """Return the major version of a Java, 0 where it does not say."""
    ended = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    said = re.search(r'version "(\d+)(?:\.(\d+))?', ended.stderr)
    if said is None:
        return 0
    return int(said[2] or 0) if said[1] == "1" else int(said[1])


def find_jars() -> Jars:
    """Return the jars, fetched by Maven where this pom's are not in the cache yet.

    Raises
    ------
    NotThere
        If Java is missing, or the jars are and Maven cannot get them.
    """
    java = find_java()
    folder = cache() / f"neo4j-{hashlib.sha256(POM.read_bytes()).hexdigest()[:16]}"
    if not folder.is_dir():
        _fetch(folder)
    return Jars(java, folder)


def cache() -> Path:
    """Return the folder of this user's caches."""
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "kindred"


def _fetch(folder: Path) -> None:
    """Let Maven fill a folder, which gets its name only when it is whole."""
    maven = shutil.which("mvn")
    if maven is None:
        raise NotThere("Maven")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as making:
        whole = Path(making, "whole")
        try:
            ended = subprocess.run(
                [maven, "--batch-mode", "--quiet", "--file", POM, "package", f"-Dinto={whole}"],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_MAVEN_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as fault:
            raise NotThere(f"the server's jars (Maven took over {_MAVEN_SECONDS} s)") from fault
        if ended.returncode != 0:
            said = [line for line in ended.stdout.splitlines() if "ERROR" in line]
            raise NotThere(f"the server's jars (Maven: {said[0] if said else 'failed'})")
        try:
            whole.rename(folder)
        except OSError:
            # Another run of the tests was quicker.
            if not folder.is_dir():
                raise
