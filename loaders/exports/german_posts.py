"""Posts with anonymised topics, as the German election set of CooRTweet has them."""

from __future__ import annotations

from typing import Final

from engine.errors import InputError
from loaders.dialect import sniff
from loaders.export import Export, Job, Options, Shaped, dataset_platform, must_have, read_table
from loaders.source import Source

__all__ = ["GERMAN_POSTS"]

_COLUMNS: Final = (
    "account_id",
    "post_id",
    "url_id",
    "hashtag_id",
    "domain_id",
    "phash_id",
    "timestamp",
)


def _recognise(source: Source) -> str | None:
    layout = sniff(source)
    if layout is not None and set(_COLUMNS) <= set(layout.positions):
        return f"its columns are {', '.join(_COLUMNS)}"
    return None


def _resolve(source: Source, options: Options) -> Options:
    return {"platform": dataset_platform(source.stem), "timezone": "UTC", **options}


def _read(job: Job) -> Shaped:
    layout = sniff(job.source)
    if layout is None:
        raise InputError(
            f"a table in {job.source.name}", "no rows and columns", "check the file's separator"
        )
    columns = must_have(job.source.name, layout.positions, _COLUMNS)
    return read_table(job, "german_posts", layout, columns, ids=("account_id", "post_id"))


GERMAN_POSTS: Final = Export(
    name="german-posts",
    about="posts with url, hashtag, domain and image as numbers (CooRTweet's German election set)",
    told_by=f"the columns {', '.join(_COLUMNS)}",
    carries="who posted what about which url, hashtag, domain and image, and when",
    cannot_say="who shared from whom, follows, texts; numbers stand for all names",
    example="kindred load german_elections.csv.gz --brands domains",
    confirmed=True,
    recognise=_recognise,
    resolve=_resolve,
    read=_read,
    columns=_COLUMNS,
    anonymised=True,
)
