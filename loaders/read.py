"""Bytes into DuckDB: a session with bounds, tables of text, and lines of JSON.

Every cell arrives as text in a table `raw` with its row number: an id is never a number
on the way. Which line of the file a row stood on is asked for only where a row is refused
(`loaders.lines`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import duckdb

from engine.errors import DiskFull, InputError
from loaders.dialect import Dialect
from loaders.source import Source, Survey, write_clean

__all__ = [
    "Raw",
    "Session",
    "escaped",
    "load_json",
    "load_json_cells",
    "load_parquet",
    "load_table",
    "quoted",
]

MEMORY: Final = "2GiB"
LONGEST_LINE: Final = 1 << 25
"""Bytes of the longest line of JSON that is read: a page of 500 posts takes some 3 million."""

_DIRECT: Final = {"none", "gzip"}
"""What DuckDB unpacks itself. It takes a cut-off zstd file for a whole one."""


@dataclass(slots=True)
class Raw:
    """What was read into the table `raw`, and where it came from."""

    source: Source
    survey: Survey
    read_from: Path
    compression: str
    rows: int
    skip: int = 0
    separator: str = ""
    by_row: bool = False
    """Rows have no lines: a Parquet file."""
    refused_at: list[tuple[int, str]] = field(default_factory=list)
    """Byte position and reason of records that are no rows: too few cells, bad encoding."""


class Session:
    """An in-memory DuckDB that spills into one folder and fetches nothing.

    Use as a context manager. `name` stands in messages. Values travel as parameters: `run`
    passes on those that a statement names, and turns what DuckDB raises into an `InputError`.
    """

    def __init__(self, work: Path, name: str, values: Mapping[str, Any] | None = None) -> None:
        self.work = work
        self.name = name
        self.values = dict(values or {})
        self._worker = ThreadPoolExecutor(1, "kindred-load")
        self._db = duckdb.connect(
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "memory_limit": MEMORY,
                "temp_directory": str(work),
            }
        )
        self._db.execute("SET TimeZone = 'UTC'")
        self._db.execute("SET enable_progress_bar = false")
        # DuckDB 2.0 raises BindBuiltinScalarFunction over timezone() of a column that is all null.
        self._db.execute("SET disabled_optimizers = 'statistics_propagation'")

    def run(self, statement: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        known = {**self.values, **(values or {})}
        used = {name: known[name] for name in _names(statement)}
        with _worded(self.name):
            return self._patiently(lambda: self._db.execute(statement, used).fetchall())

    def _patiently(self, work: Callable[[], list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
        """Wait for a statement in a way that Ctrl-C ends: DuckDB itself does not listen."""
        running = self._worker.submit(work)
        try:
            return running.result()
        except KeyboardInterrupt:
            self._db.interrupt()
            raise

    def write(self, select: str, path: Path) -> int:
        """Write what a SELECT answers to a Parquet file and return its number of rows."""
        copied = self.run(
            f"COPY ({select}) TO $to (FORMAT parquet, COMPRESSION snappy)",
            {"to": str(path)},
        )
        return int(copied[0][0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.shutdown()
        self._db.close()


def _names(statement: str) -> Sequence[str]:
    return sorted(set(re.findall(r"\$([a-z_]+)", statement)))


def quoted(name: str) -> str:
    """Write a declared name so that SQL takes it for no keyword (`at` is one)."""
    return f'"{name}"'


def escaped(path: Path) -> str:
    """Write a path so that DuckDB takes no character of it for a wildcard.

    Examples
    --------
    >>> escaped(Path("a[1]*.csv"))
    'a[[]1][*].csv'
    """
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))


@contextmanager
def _worded(name: str) -> Iterator[None]:
    """Turn what DuckDB raises over a file into an error that a user can act on."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.OutOfMemoryException as error:
        if "max_temp_directory_size" in str(error):  # what did not fit had no disk to go to
            raise _disk_full(name) from error
        raise InputError(
            f"to read {name}",
            f"it does not fit into {MEMORY} of memory ({_first_line(error)})",
            "split the file and load the parts",
        ) from error
    except duckdb.Error as error:
        said = _first_line(error)
        if isinstance(error, duckdb.OperationalError) and "No space left" in str(error):
            raise _disk_full(name) from error
        if "maximum_object_size" in said:
            said = f"a line of JSON is longer than {LONGEST_LINE:,} bytes"
        raise InputError(
            f"to read {name}",
            f"{said}; nothing was loaded",
            "check the file in a text editor, or name what it is with --from-format",
        ) from error


def _disk_full(name: str) -> DiskFull:
    return DiskFull(
        f"to read {name}",
        "the disk is full; nothing was loaded",
        "free some space and load it again",
    )


def _first_line(error: Exception) -> str:
    text = str(error).replace("\x00", "").strip().splitlines()
    return (text[0] if text else type(error).__name__)[:300]


def _readable(source: Source, survey: Survey, work: Path) -> tuple[Path, str]:
    clean = (
        source.compression in _DIRECT
        and source.encoding == "utf-8"
        and not survey.mixed
        and not source.bom
    )
    if clean:
        return source.path, source.compression
    target = work / "clean"
    write_clean(source, target)
    return target, "none"


def load_table(
    session: Session, source: Source, survey: Survey, dialect: Dialect, wanted: Mapping[str, int]
) -> Raw:
    """Read the wanted columns of a delimited table into `raw (row, ...)`, all as text.

    Parameters
    ----------
    wanted
        Name of a column as declared by its reader, to its position in the file, or -1 for
        one that is not there. Names go into SQL: they never come from the file.

    Raises
    ------
    InputError
        DuckDB cannot read it, or returned another number of rows than the file has lines.
    """
    path, compression = _readable(source, survey, session.work)
    cells = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(dialect.columns)))
    chosen = ", ".join(
        f"c{at} AS {quoted(name)}" if at >= 0 else f"CAST(NULL AS VARCHAR) AS {quoted(name)}"
        for name, at in wanted.items()
    )
    session.run(
        f"""
        CREATE TEMP TABLE raw AS
        SELECT row_number() OVER () AS row, {chosen}
        FROM read_csv($path, delim = $separator, quote = '"', escape = '"', header = false,
                      skip = $skip, auto_detect = false, columns = {{{cells}}}, nullstr = '',
                      store_rejects = true, ignore_errors = true, compression = $packed)
        """,
        {
            "path": escaped(path),
            "separator": dialect.separator,
            "skip": dialect.skip,
            "packed": compression,
        },
    )
    refused = session.run(
        "SELECT line_byte_position - 1, min(error_type) FROM reject_errors GROUP BY 1 ORDER BY 1"
    )
    rows = int(session.run("SELECT count(*) FROM raw")[0][0])
    raw = Raw(source, survey, path, compression, rows, dialect.skip, dialect.separator)
    raw.refused_at = [(int(at), str(kind)) for at, kind in refused]
    _all_read(raw)
    return raw


def _all_read(raw: Raw) -> None:
    """Trust the parser, but count: without quotes and blank lines, lines are rows."""
    expected = raw.survey.lines - raw.skip
    if (
        raw.source.encoding != "utf-8"
        or raw.survey.quotes
        or raw.survey.blank
        or raw.survey.carriage_returns
    ):
        return
    if raw.survey.line_feeds and raw.rows + len(raw.refused_at) != expected:
        raise InputError(
            f"to read {raw.source.name}",
            f"{raw.rows + len(raw.refused_at):,} of {expected:,} rows could be told apart",
            "check the separator and the line ends; nothing was loaded",
        )


def load_json(session: Session, source: Source, survey: Survey) -> Raw:
    """Read lines of JSON into `raw (row, json)`; json is null where a line is none."""
    path, compression = _readable(source, survey, session.work)
    session.run(
        """
        CREATE TEMP TABLE raw AS
        SELECT row_number() OVER () AS row, json
        FROM read_ndjson_objects($path, ignore_errors = true, compression = $packed,
                                 maximum_object_size = $longest)
        """,
        {"path": escaped(path), "packed": compression, "longest": LONGEST_LINE},
    )
    rows = int(session.run("SELECT count(*) FROM raw")[0][0])
    return Raw(source, survey, path, compression, rows)


def load_json_cells(
    session: Session, source: Source, survey: Survey, wanted: Sequence[str]
) -> tuple[Raw, dict[str, str]]:
    """Read wanted keys of lines of JSON into `raw`, as text; refuse lines that are no object.

    Returns the keys found, anywhere in the file.
    """
    raw = load_json(session, source, survey)
    cells = ", ".join(f"json ->> '{name}' AS {quoted(name)}" for name in wanted)
    session.run(
        """
        INSERT INTO rejected
        SELECT row, NULL, CASE WHEN json IS NULL AND row = $rows AND NOT $whole
                               THEN 'cut_off' ELSE 'not_json' END, NULL
        FROM raw WHERE json IS NULL OR json_type(json) <> 'OBJECT'
        """,
        {"rows": raw.rows, "whole": survey.ends_whole},
    )
    keys = session.run(
        "SELECT DISTINCT unnest(json_keys(json)) AS key FROM raw"
        " WHERE json_type(json) = 'OBJECT' ORDER BY key"
    )
    session.run(f"CREATE OR REPLACE TEMP TABLE cells AS SELECT row, {cells} FROM raw")
    session.run("DROP TABLE raw; ALTER TABLE cells RENAME TO raw")
    return raw, {str(k): str(k) for (k,) in keys}


def load_parquet(
    session: Session, source: Source, survey: Survey, wanted: Sequence[str]
) -> tuple[Raw, dict[str, str]]:
    """Read wanted columns of a Parquet file into `raw`, as text; lists become JSON."""
    path = {"path": escaped(source.path)}
    types = {
        str(name): str(kind)
        for name, kind, *_ in session.run("DESCRIBE SELECT * FROM read_parquet($path)", path)
    }
    cells = ", ".join(f"{_as_text(name, types)} AS {quoted(name)}" for name in wanted)
    session.run(
        f"CREATE TEMP TABLE raw AS SELECT row_number() OVER () AS row, {cells}"
        " FROM read_parquet($path)",
        path,
    )
    rows = int(session.run("SELECT count(*) FROM raw")[0][0])
    raw = Raw(source, survey, source.path, "none", rows, by_row=True)
    return raw, {name.lower(): name for name in types}


def _as_text(name: str, types: Mapping[str, str]) -> str:
    kind = next((t for n, t in types.items() if n.lower() == name), None)
    if kind is None:
        return "CAST(NULL AS VARCHAR)"
    if kind.endswith("]"):
        return f"CAST(to_json({quoted(name)}) AS VARCHAR)"
    return f"CAST({quoted(name)} AS VARCHAR)"
