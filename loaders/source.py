"""One input file as bytes: what it is packed in, how it begins, and a survey of the whole.

Names say nothing here. Compression and encoding are read off the first bytes; the survey
reads the file once from end to end, so that a cut-off archive is met before a row of it
is loaded, and so that a batch is known by its content whatever the file is called.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import hashlib
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Final, Literal, cast

import pyarrow as pa

from engine.errors import InputError, UsageError
from engine.progress import Progress, silent

__all__ = ["Source", "Survey", "open_bytes", "peek", "survey", "write_clean"]

Compression = Literal["none", "gzip", "zstd", "bzip2", "xz"]

HEAD: Final = 1 << 18
"""Bytes looked at to recognise a file: enough for its first lines."""
CHUNK: Final = 1 << 22

_PACKED: Final[dict[bytes, Compression]] = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
}
_BOMS: Final = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True, eq=False)
class Source:
    """A file that is there and can be read."""

    path: Path
    compression: Compression
    head: bytes
    """Its first bytes, unpacked, without a byte order mark."""
    whole: bool
    """The head is all there is."""
    encoding: str
    bom: bool

    @property
    def name(self) -> str:
        """The file's name, as messages show it."""
        return self.path.name

    @property
    def stem(self) -> str:
        """The name without any of its endings."""
        return self.path.name.split(".", 1)[0] or self.path.name

    @property
    def is_parquet(self) -> bool:
        """It begins as a Parquet file does."""
        return self.head.startswith(b"PAR1")

    @property
    def is_json(self) -> bool:
        """It begins with an object or a list of JSON."""
        return self.head.lstrip()[:1] in {b"{", b"["} or (
            self.encoding != "utf-8" and self.text.lstrip()[:1] in {"{", "["}
        )

    @cached_property
    def text(self) -> str:
        """The head as text; what is not text shows as a replacement character."""
        return self.head.decode(self.encoding, errors="replace")

    @cached_property
    def lines(self) -> list[str]:
        """Whole lines of the head that are not blank, at most a thousand."""
        lines = self.text.splitlines()
        if not self.whole and len(lines) > 1:
            lines = lines[:-1]
        return [line for line in lines[:1000] if line.strip()]


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over the unpacked bytes found."""

    digest: str
    size: int
    line_feeds: int
    carriage_returns: int
    """Line feeds that follow a carriage return."""
    quotes: int
    blank: bool
    """Two line ends in a row, or one at the start, were met."""
    ends_whole: bool
    """The last line has its line end."""

    @property
    def mixed(self) -> bool:
        """Some lines end in CR LF and some in LF: parsers trip over that."""
        return 0 < self.carriage_returns < self.line_feeds

    @property
    def lines(self) -> int:
        """Lines, the last one counted whether or not it ends in a line feed."""
        return self.line_feeds + (self.size > 0 and not self.ends_whole)


@contextmanager
def _unpacking(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, pa.ArrowInvalid) as error:
        raise _cut(path, error) from error
    except OSError as error:
        if error.errno is not None:
            raise InputError(
                f"to read {path}",
                error.strerror or str(error),
                "check that the file is there and may be read",
            ) from error
        raise _cut(path, error) from error


def _cut(path: Path, error: Exception) -> InputError:
    return InputError(
        f"to unpack {path}",
        f"the compressed data is cut off, damaged, or packed in a way that is not read "
        f"({str(error)[:120]}); nothing was loaded",
        "fetch the file again, and compare its size with the original's",
    )


def open_bytes(path: Path, compression: Compression) -> BinaryIO:
    """Open a file for reading its unpacked bytes."""
    if compression == "gzip":
        return cast("BinaryIO", gzip.open(path, "rb"))
    if compression == "bzip2":
        return cast("BinaryIO", bz2.open(path, "rb"))
    if compression == "xz":
        return cast("BinaryIO", lzma.open(path, "rb"))
    if compression == "zstd":
        return cast("BinaryIO", pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"))
    return path.open("rb")


def _magic(path: Path) -> Compression:
    with path.open("rb") as file:
        start = file.read(8)
    return next((kind for mark, kind in _PACKED.items() if start.startswith(mark)), "none")


def peek(path: Path, encoding: str | None = None) -> Source:
    """Look at the beginning of a file.

    Parameters
    ----------
    encoding
        What the text is written in, where no byte order mark says so. Default UTF-8.

    Raises
    ------
    InputError
        The file is missing, empty, a folder, or cannot be unpacked.
    UsageError
        There is no such encoding.
    """
    _known_encoding(encoding)
    if not path.exists():
        near = sorted(p.name for p in path.parent.glob(f"{path.stem[:4]}*"))[:3]
        raise InputError(
            f"to load {path}",
            "there is no such file" + (f"; beside it: {', '.join(near)}" if near else ""),
            "check the spelling, or give the full path",
        )
    with _unpacking(path):
        if path.is_file() and path.stat().st_size == 0:
            raise _empty(path)
        compression = _magic(path)
        with open_bytes(path, compression) as file:
            head = file.read(HEAD)
            whole = len(head) < HEAD
    bom = next((mark for mark in _BOMS if head.startswith(mark)), b"")
    known = _BOMS.get(bom, codecs.lookup(encoding or "utf-8").name)
    body = head if known == "utf-16" else head[len(bom) :]
    if not body.strip():
        raise _empty(path)
    return Source(path, compression, body, whole, known, bool(bom))


def _known_encoding(encoding: str | None) -> None:
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError as error:
        raise UsageError(
            f"the encoding {encoding}",
            "there is none of this name",
            "use utf-8, latin-1, cp1252, utf-16 or another that Python knows",
        ) from error


def _empty(path: Path) -> InputError:
    return InputError(
        f"to load {path}",
        "the file is empty",
        "export it again; nothing was loaded",
    )


def survey(source: Source, progress: Progress = silent) -> Survey:
    """Read a file from end to end, once: its hash, its size, its line ends.

    Cost: one pass at the speed of SHA-256 or of unpacking; memory of one chunk.

    Raises
    ------
    InputError
        The compressed data is cut off or damaged.
    """
    digest = hashlib.sha256()
    size = feeds = returns = quotes = 0
    blank = False
    last = b"\n"
    with _unpacking(source.path), open_bytes(source.path, source.compression) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            feeds += chunk.count(b"\n")
            quotes += chunk.count(b'"')
            joined = last + chunk  # a line end may lie across two chunks
            returns += joined.count(b"\r\n")
            blank = blank or b"\n\n" in joined or b"\n\r\n" in joined
            last = joined[-2:] if joined.endswith(b"\r") else joined[-1:]
            progress(f"reading {source.name}", size)
    return Survey(digest.hexdigest(), size, feeds, returns, quotes, blank, last == b"\n")


def write_clean(source: Source, target: Path) -> None:
    """Write a copy that any parser reads: unpacked, UTF-8, no byte order mark, LF line ends."""
    # Bytes that are no UTF-8 go through unchanged, for the parser to refuse with their line.
    strange = "surrogateescape" if source.encoding == "utf-8" else "replace"
    decoder = codecs.getincrementaldecoder(source.encoding)(errors=strange)
    held = ""
    with (
        _unpacking(source.path),
        open_bytes(source.path, source.compression) as file,
        target.open("wb") as out,
    ):
        first = True
        for chunk in iter(lambda: file.read(CHUNK), b""):
            text = held + decoder.decode(chunk)
            if first:
                text, first = text.removeprefix("\ufeff"), False
            held = "\r" if text.endswith("\r") else ""
            text = text.removesuffix("\r").replace("\r\n", "\n")
            out.write(text.encode("utf-8", errors="surrogateescape"))
        rest = held + decoder.decode(b"", final=True)
        out.write(rest.encode("utf-8", errors="surrogateescape"))


def text_lines(source: Source) -> Iterator[str]:
    """Yield the lines of the head as a CSV reader wants them."""
    yield from io.StringIO(source.text, newline="")
