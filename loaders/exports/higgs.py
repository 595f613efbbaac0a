"""SNAP Higgs activity: who retweeted, mentioned or answered whom, and when."""

from __future__ import annotations

import re
from typing import Final

from engine.errors import InputError
from loaders.dialect import Dialect
from loaders.export import Export, Job, Options, Shaped, read_table
from loaders.source import Source

__all__ = ["HIGGS"]

_LINE: Final = re.compile(r"\S+ \S+ \d{9,10} (RT|MT|RE)")
_COLUMNS: Final = {"user_id": 0, "target_id": 1, "at": 2, "kind": 3}


def _recognise(source: Source) -> str | None:
    lines = [line for line in source.lines if not line.startswith("#")][:50]
    matching = sum(_LINE.fullmatch(line.strip()) is not None for line in lines)
    if lines and matching >= 0.8 * len(lines):
        return "its lines read `user user unix-seconds RT|MT|RE`"
    return None


def _resolve(source: Source, options: Options) -> Options:
    del source
    return {"platform": "x-higgs", **options}


def _read(job: Job) -> Shaped:
    lines = job.source.text.split("\n")
    comments = next((n for n, line in enumerate(lines) if line and line[0] != "#"), None)
    if comments is None:
        raise InputError(
            f"activity in {job.source.name}", "only comments", "check that it is the whole file"
        )
    dialect = Dialect(" ", ("1", "2", "3", "4"), header=False, skip=comments, sample=())
    return read_table(job, "higgs", dialect, _COLUMNS, ids=("user_id", "target_id"))


HIGGS: Final = Export(
    name="higgs",
    about="SNAP Higgs activity: `userA userB unix-seconds RT|MT|RE`",
    told_by="every line has two ids, unix seconds and RT, MT or RE",
    carries="who retweeted, mentioned or replied to whom, and when",
    cannot_say="which post; so no posts, no cascades",
    example="kindred load higgs-activity_time.txt.gz",
    confirmed=True,
    recognise=_recognise,
    resolve=_resolve,
    read=_read,
)
