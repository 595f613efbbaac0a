"""CooRTweet's four columns: an account shared an object in a post."""

from __future__ import annotations

import re
from typing import Final

from engine.errors import InputError, UsageError
from engine.model import TOPIC_KINDS
from loaders.check import collect, refuse_mangled
from loaders.dialect import sniff
from loaders.export import Export, Job, Options, Shaped, dataset_platform, must_have, one_of
from loaders.read import load_table
from loaders.shape import shape
from loaders.source import Source

__all__ = ["COORTWEET"]

_COLUMNS: Final = ("object_id", "account_id", "content_id", "timestamp_share")
_IDS: Final = _COLUMNS[:3]
_OBJECTS: Final = ("content", *TOPIC_KINDS)


def _recognise(source: Source) -> str | None:
    layout = sniff(source)
    if layout is not None and set(_COLUMNS) <= set(layout.positions):
        return f"its columns are {', '.join(_COLUMNS)}"
    return None


def _resolve(source: Source, options: Options) -> Options:
    if "objects" in options:
        one_of("objects", options["objects"], _OBJECTS)
    return {"platform": dataset_platform(source.stem), "timezone": "UTC", **options}


def _read(job: Job) -> Shaped:
    layout = sniff(job.source)
    if layout is None:
        raise InputError(
            f"a table in {job.source.name}", "no rows and columns", "check the file's separator"
        )
    columns = must_have(job.source.name, layout.positions, _COLUMNS)
    raw = load_table(job.session, job.source, job.survey, layout, columns)
    refuse_mangled(job.session, job.source.name, _IDS)
    objects, because = _objects(job)
    job.session.values["objects"] = objects
    rows = shape(
        job.session, "coortweet", job.folder, source=job.source.name, progress=job.progress
    )
    return Shaped(rows, collect(job.session, raw), because)


def _objects(job: Job) -> tuple[str, list[str]]:
    """Say what the shared objects are, and why; raises `UsageError` where nothing shows it."""
    if "objects" in job.options:
        return str(job.options["objects"]), []
    total, known, urls, tags, example = job.session.run(
        """
        SELECT count(*), count(*) FILTER (WHERE object_id IN (SELECT content_id FROM raw)),
               count(*) FILTER (WHERE regexp_matches(object_id, '^https?://')),
               count(*) FILTER (WHERE starts_with(object_id, '#')), min(object_id)
        FROM raw WHERE object_id IS NOT NULL
        """
    )[0]
    if known:
        said = f"objects were read as posts: {known:,} of {total:,} rows share a post of this file"
        return "content", [f"{said} (--objects {'|'.join(_OBJECTS)})"]
    for kind, count in (("url", urls), ("hashtag", tags)):
        if total and count > total / 2:
            return kind, [f"objects were read as {kind}s (--objects)"]
    raise UsageError(
        f"to know what the objects of {job.source.name} are",
        f"ids such as {_short(str(example))}, and none of them is a post of this file",
        f"say so with --objects {', '.join(_OBJECTS[:-1])} or {_OBJECTS[-1]}",
    )


def _short(text: str) -> str:
    return re.sub(r"[^ -~]", "·", text)[:60]


COORTWEET: Final = Export(
    name="coortweet",
    about="CooRTweet's four columns: accounts that share the same objects",
    told_by=f"the columns {', '.join(_COLUMNS)}",
    carries="which account shared which object, in which post, and when",
    cannot_say="from whom, unless the object is a post of the same file; follows; texts",
    example="kindred load russian_coord_tweets.csv.gz",
    confirmed=True,
    recognise=_recognise,
    resolve=_resolve,
    read=_read,
    columns=_COLUMNS,
    options={"objects": f"what the objects are: {', '.join(_OBJECTS)}"},
)
