"""What an export shape declares about itself, and what one load of a file hands around."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine.errors import UsageError, WrongColumns
from engine.progress import Progress, silent
from loaders.check import Reject, collect, refuse_mangled
from loaders.dialect import Dialect
from loaders.read import Session, load_table
from loaders.shape import shape
from loaders.source import Source, Survey

__all__ = [
    "Export",
    "Job",
    "Options",
    "Shaped",
    "dataset_platform",
    "flag",
    "must_have",
    "one_of",
    "read_table",
]

Options = dict[str, Any]

COMMON: Final = {
    "platform": "the platform that the ids belong to, such as x or facebook",
    "brands": "`domains`: every domain is a brand",
    "timezone": "the zone of times that name none, such as Europe/Berlin; UTC by default",
    "encoding": "what the text is written in, such as latin-1; UTF-8 by default",
}
"""Options that every export takes."""


@dataclass(frozen=True, slots=True)
class Job:
    """One load of one file: what is read, with which options, and where it is written."""

    session: Session
    sources: Sequence[tuple[Source, Survey]]
    """One file; a folder of canonical tables has several."""
    folder: Path
    options: Options
    progress: Progress = silent

    @property
    def source(self) -> Source:
        """The file, where there is one."""
        return self.sources[0][0]

    @property
    def survey(self) -> Survey:
        """Its survey."""
        return self.sources[0][1]


@dataclass(frozen=True, slots=True)
class Shaped:
    """What became of a file: rows by table, refused rows, and what the user should know."""

    rows: Mapping[str, int]
    rejects: Sequence[Reject] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """A shape of file that kindred reads."""

    name: str
    about: str
    """What it is, in a line."""
    told_by: str
    """How it is recognised."""
    carries: str
    """What it tells."""
    cannot_say: str
    """What it leaves open, and why no analysis can know it."""
    example: str
    """A command that loads one."""
    confirmed: bool
    """Read off real files, not off a description."""
    recognise: Callable[[Source], str | None]
    """Say why a file is of this shape, or None."""
    resolve: Callable[[Source, Options], Options]
    """Complete the options from the file; raises `UsageError` where the user must say."""
    read: Callable[[Job], Shaped]
    """Write canonical tables."""
    columns: tuple[str, ...] = ()
    """Columns that show a table to be near this shape."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of its own, each with a sentence."""
    anonymised: bool = False
    """Its labels are numbers that stand for names."""

    @property
    def all_options(self) -> dict[str, str]:
        """Its own options and those that every export takes."""
        return {**self.options, **COMMON}


def dataset_platform(stem: str) -> str:
    """Name the platform of a data set whose platform is not known.

    Examples
    --------
    >>> dataset_platform("UK Members (2022)")
    'x-uk-members-2022'
    """
    slug = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")
    return f"x-{slug or 'data'}"


def flag(option: str, value: object) -> str:
    """Write an option as it is given on the command line.

    Examples
    --------
    >>> flag("direction", "from engages to"), flag("time_column", "at")
    ('--direction "from engages to"', '--time-column at')
    """
    text = str(value)
    quoted = f'"{text}"' if " " in text else text
    return f"--{option.replace('_', '-')} {quoted}"


def one_of(option: str, value: object, known: Collection[str]) -> str:
    """Return a value if it is a known one; otherwise raise a `UsageError` that lists them."""
    if value not in known:
        raise UsageError(flag(option, value), "there is no such value", f"use {', '.join(known)}")
    return str(value)


def read_table(
    job: Job,
    mapping: str,
    dialect: Dialect,
    columns: Mapping[str, int],
    *,
    ids: Sequence[str],
    leave_out: Collection[str] = (),
) -> Shaped:
    """Read a delimited table and run a mapping over it: the way of most exports.

    Parameters
    ----------
    columns
        Names as the mapping knows them, to positions in the file.
    ids
        Those of them that hold ids.
    """
    raw = load_table(job.session, job.source, job.survey, dialect, columns)
    refuse_mangled(job.session, job.source.name, ids)
    rows = shape(
        job.session,
        mapping,
        job.folder,
        source=job.source.name,
        leave_out=leave_out,
        progress=job.progress,
    )
    return Shaped(rows, collect(job.session, raw))


def must_have(name: str, found: Mapping[str, int], wanted: Sequence[str]) -> dict[str, int]:
    """Pick the wanted columns of a header; raises `WrongColumns` with those that exist."""
    missing = [w for w in wanted if w not in found]
    if missing:
        raise WrongColumns(
            f"the columns {', '.join(wanted)} in {name}",
            f"without {', '.join(missing)}; its columns are {', '.join(list(found)[:40])}",
            "name what the file is with --from-format, or rename its columns",
        )
    return {w: found[w] for w in wanted}
