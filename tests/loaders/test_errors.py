"""Bad input: three lines that say what to do, nothing loaded, nothing left behind."""

from __future__ import annotations

import bz2
import gzip
import lzma
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import InputError, KindredError, UnknownFormat, UsageError
from loaders.detect import detect
from loaders.formats import FORMATS
from tests.loaders.conftest import Load, Write

EDGES = b"source,target\n" + b"".join(b"%d,%d\n" % (n, n + 1) for n in range(20_000))
SAID: dict[str, Any] = {"kind": "share", "direction": "forward"}


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, "zstd", asbytes=True))


@pytest.mark.parametrize(
    ("name", "body", "error", "found"),
    [
        ("empty.csv", b"", InputError, "the file is empty"),
        ("blank.csv", b"\xef\xbb\xbf\n \n\n", InputError, "the file is empty"),
        ("empty.gz", gzip.compress(b""), InputError, "the file is empty"),
        ("a.xlsx", b"PK\x03\x04" + bytes(99), UnknownFormat, "a zip archive"),
        ("a.db", b"SQLite format 3\0", UnknownFormat, "an SQLite database"),
        ("a.txt", b"hello\nthere\n", UnknownFormat, "plain text: hello"),
        ("a.csv", b"colour,size,shape,age\nred,1,b,2\n", UnknownFormat, "columns colour, size,"),
        ("a.bin", bytes(5_000), UnknownFormat, "data that is not text"),
        ("a.json", b'[{"reblog": null, "acct": "a"}]', UnknownFormat, "Mastodon posts, which this"),
        ("b.jsonl", b'{"id_str": "1", "user": {}}\n', UnknownFormat, "posts of X API v1.1"),
        ("c.jsonl", b'{"some": 1, "keys": 2}\n', UnknownFormat, "JSON with some, keys"),
        (
            "p.json",
            b'{\n  "data": [\n  ], "meta": {}\n}\n',
            InputError,
            "spread over several lines",
        ),
        ("n.jsonl", b'{"data": [' + b"[" * 99_999, InputError, "the file is cut off"),
        ("cut.gz", gzip.compress(EDGES)[:-9], InputError, "cut off, damaged"),
        ("bad.gz", gzip.compress(EDGES)[:-6] + b"zzzzzz", InputError, "CRC check failed"),
        ("not.gz", b"\x1f\x8bno gzip at all", InputError, "cut off, damaged"),
        ("cut.zst", zstd(EDGES)[:-9], InputError, "cut off, damaged"),
        ("cut.bz2", bz2.compress(EDGES)[:-9], InputError, "cut off, damaged"),
        ("cut.xz", lzma.compress(EDGES)[:-9], InputError, "cut off, damaged"),
        ("header.csv", b"source,target\n", InputError, "no rows of two or more columns"),
    ],
)
def test_bad_files(  # noqa: PLR0917 - fixtures and a case's columns
    loaded: Load, write: Write, name: str, body: bytes, error: type[KindredError], found: str
) -> None:
    with pytest.raises(error) as caught:
        loaded(write(name, body), **(SAID if name == "header.csv" else {}))
    assert found in caught.value.found
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("e.csv.gz", gzip.compress(EDGES)),
        ("e.csv.zst", zstd(EDGES)),
        ("e.csv.bz2", bz2.compress(EDGES)),
        ("e.csv.xz", lzma.compress(EDGES)),
        ("e.csv", b"\xef\xbb\xbf" + EDGES),
        ("e.txt", EDGES.replace(b"\n", b"\r\n", 500)),
        ("e.dat", EDGES.decode().encode("utf-16")),
        ("e.tab", EDGES.replace(b",", b"\t").rstrip()),
    ],
)
def test_however_it_is_packed(loaded: Load, write: Write, name: str, body: bytes) -> None:
    shelf, report = loaded(write(name, body), **SAID)
    assert (report.rows["interactions"], report.rejected) == (20_000, {})
    assert ("x-e:0", "x-e:1") in shelf.column("interactions", "user_id", "target_id")


def test_a_missing_file_and_a_pattern_that_matches_nothing(loaded: Load, write: Write) -> None:
    path = write("exported.csv", "a")
    with pytest.raises(InputError) as caught:
        loaded(path.with_name("exports.csv"))
    assert caught.value.found == "there is no such file; beside it: exported.csv"
    with pytest.raises(InputError) as caught:
        loaded(path.with_name("*.jsonl"))
    assert caught.value.found == "no file matches the pattern"


def test_a_folder_without_tables(loaded: Load, write: Write) -> None:
    folder = write("readme.txt", "hello").parent
    with pytest.raises(UnknownFormat) as caught:
        loaded(folder)
    assert caught.value.found == "none; it holds readme.txt"


def test_another_encoding_is_refused_row_by_row_until_it_is_named(
    loaded: Load, write: Write
) -> None:
    path = write("e.csv", "source,target\nJürgen,b\nc,d\n".encode("latin-1"))
    shelf, report = loaded(path, **SAID)
    assert report.rejected == {"encoding": 1}
    assert shelf.column("rejects", "line", "raw") == {(2, "J\ufffdrgen,b")}
    shelf, report = loaded(path, **SAID, encoding="latin-1")
    assert report.rejected == {}
    assert ("x-e:Jürgen",) in shelf.column("users", "user_id")


@pytest.mark.parametrize(
    "options",
    [
        {"colour": "red"},
        {"encoding": "klingon"},
        {"timezone": "Mars/Base"},
        {"brands": "all"},
        {"brands": "domains"},
        {"kind": "love"},
        {"direction": "sideways"},
        {"header": "perhaps"},
    ],
)
def test_options_are_checked(loaded: Load, write: Write, options: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        loaded(write("e.csv", "source,target\na,b\n"), **(SAID | options))


def test_an_unknown_format_lists_the_known_ones(loaded: Load, write: Write) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(write("e.csv", "a,b\n"), format="gedcom")
    assert all(f.name in caught.value.todo for f in FORMATS)


def test_a_long_line_is_refused_and_the_rest_stands(loaded: Load, write: Write) -> None:
    body = b"source,target\n1,2\n" + b"a" * 3_000_000 + b",b\n3,4\n"
    shelf, report = loaded(write("e.csv", b"1,2\n" * 70_000 + body[14:]), **SAID)
    assert report.rejected == {"too_long": 1}
    assert shelf.column("rejects", "line") == {(70_002,)}
    assert {len(raw) for (raw,) in shelf.column("rejects", "raw")} == {2_048}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    start=st.sampled_from(
        [b"", b"source,target\n", b'{"data":[', b"\x1f\x8b\x08", b"PAR1", b"\xff\xfe", b"1 2 3\n"]
    ),
    body=st.binary(min_size=1, max_size=300),
)
def test_no_bytes_bring_a_traceback(write: Write, start: bytes, body: bytes) -> None:
    path = write("users.csv", start + body)
    with suppress(KindredError):
        assert detect(path).format in {f.name for f in FORMATS}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.binary(max_size=200))
def test_no_rows_bring_a_traceback(loaded: Load, write: Write, body: bytes) -> None:
    path: Path = write("e.csv", b"source,target\na,b\n" + body)
    with suppress(KindredError):
        shelf, _ = loaded(path, **SAID, header="yes")
        assert shelf.column("users", "user_id")
