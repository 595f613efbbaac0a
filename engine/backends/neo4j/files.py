"""Files kept in the database, in pieces: the tables of runs, the rejected rows of loads.

The pieces of a file come first and the file itself last, in one transaction that counts
them: a file without all its pieces is no file. Pieces that no file names are cleared by
the next writer. What is read back is compared with its checksum.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

from cypher import statement
from engine.backends.files.durable import digest
from engine.backends.neo4j.driver import Link, Rows, Work
from engine.backends.neo4j.lock import Held
from engine.errors import StoreDamaged

__all__ = ["PIECE", "Kept", "described", "drop", "get", "kept", "put", "put_all", "strays", "sweep"]

PIECE: Final = 2**20
"""Most bytes of a piece: one property of one node."""
AT_ONCE: Final = 8
"""Most whole pieces in one transaction, either way."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in the database."""

    key: str
    name: str
    size: int
    """Bytes."""
    sha256: str
    chunks: int

    @property
    def pieces(self) -> list[str]:
        """Keys of its pieces, in order."""
        return [_piece(self.key, number) for number in range(self.chunks)]


def described(owner: str, path: Path) -> Kept:
    """Return how a file is kept."""
    size = path.stat().st_size
    sha256 = digest(path)
    key = f"{owner}/{path.name}/{sha256[:16]}"
    return Kept(key, path.name, size, sha256, -(-size // PIECE))


def put(held: Held, owner: str, path: Path, *, load: int = 0) -> Kept:
    """Keep one file; see `put_all`."""
    return put_all(held, owner, [path], load=load)[0]


def put_all(held: Held, owner: str, paths: Sequence[Path], *, load: int = 0) -> list[Kept]:
    """Keep files under their own names, all of them or none; twice is once.

    Parameters
    ----------
    held
        The writer's lock.
    owner
        Whose files: such as `run:r-0123456789` or `load:7`. They go with `drop`.
    paths
        The files.
    load
        Number of the load that writes them; 0 for a run.

    Raises
    ------
    StoreDamaged
        If somebody took pieces away while they were written.
    """
    wanted = "to keep files on the server"
    whole = [described(owner, path) for path in paths]
    named = {
        "files": [
            {"key": file.key, "pieces": file.pieces, "properties": _properties(file, owner, load)}
            for file in whole
        ]
    }
    group: list[dict[str, Any]] = []

    def write(work: Work, *, last: bool) -> None:
        work.run(statement("put_pieces", "neo4j").text, {"load": load, "pieces": group})
        if last and len(work.run(statement("put_files", "neo4j").text, named)) < len(whole):
            raise StoreDamaged(wanted, "pieces of them are gone", "run it again")

    for piece in _read(dict(zip((file.key for file in whole), paths, strict=True))):
        if sum(len(each["bytes"]) for each in [*group, piece]) > AT_ONCE * PIECE:
            held.writing(partial(write, last=False), wanted=wanted)
            group = []
        group.append(piece)
    held.writing(partial(write, last=True), wanted=wanted)
    return whole


def _properties(file: Kept, owner: str, load: int) -> dict[str, object]:
    return {
        "owner": owner,
        "name": file.name,
        "size": file.size,
        "sha256": file.sha256,
        "kindred_load": load,
    }


def _read(paths: Mapping[str, Path]) -> Iterator[dict[str, Any]]:
    """Read files, by their keys, a piece at a time."""
    for key, path in paths.items():
        with path.open("rb") as source:
            for number in count():
                content = source.read(PIECE)
                if not content:
                    break
                yield {
                    "file": key, "key": _piece(key, number), "number": number, "bytes": content,
                }  # fmt: skip


def _piece(key: str, number: int) -> str:
    return f"{key}#{number}"


def _groups(pieces: Sequence[str]) -> list[Sequence[str]]:
    return [pieces[i : i + AT_ONCE] for i in range(0, len(pieces), AT_ONCE)]


def _run(name: str, given: Mapping[str, Any]) -> Callable[[Work], Rows]:
    """Return the work of one statement."""
    text = statement(name, "neo4j").text
    return lambda work: work.run(text, given)


def kept(link: Link, owner: str) -> dict[str, Kept]:
    """Return the files of an owner by name."""
    found = link.read(
        statement("files", "neo4j").text, {"owner": owner}, wanted="to list files on the server"
    )
    return {row["name"]: Kept(**row) for row in found.rows()}


def get(link: Link, file: Kept, path: Path) -> None:
    """Write a kept file to `path`, and only if it is what was kept.

    Raises
    ------
    StoreDamaged
        If pieces are missing, or the checksum is another: `path` is not there then.
    """
    wanted = f"to fetch {file.name} from the server"
    beside = path.with_name(f"{path.name}.new")
    seen = hashlib.sha256()
    try:
        with beside.open("wb") as out:
            for keys in _groups(file.pieces):
                rows = link.read(
                    statement("get_pieces", "neo4j").text, {"pieces": list(keys)}, wanted=wanted
                )
                for piece in rows.columns["bytes"]:
                    out.write(piece)
                    seen.update(piece)
        if seen.hexdigest() != file.sha256:
            raise StoreDamaged(wanted, "it is not what was kept", "run: kindred analyse")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def drop(held: Held, owner: str) -> None:
    """Let go of the files of an owner."""
    held.writing(_run("drop_files", {"owner": owner}), wanted="to drop files from the server")
    sweep(held)


def strays(link: Link) -> bool:
    """Say whether there are pieces that belong to no file."""
    found = link.read(statement("stray_pieces", "neo4j").text, wanted="to look for pieces of files")
    return bool(found.one("found"))


def sweep(held: Held) -> int:
    """Delete pieces that belong to no file, few at a time; return how many."""
    clear, dropped = _run("drop_pieces", {"most": AT_ONCE}), 0
    while True:
        done = int(held.writing(clear, wanted="to clear pieces of files").one("dropped"))
        dropped += done
        if done < AT_ONCE:
            return dropped
