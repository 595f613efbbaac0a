"""X API v2 (twarc2): response pages or flattened posts, as lines of JSON."""

from __future__ import annotations

import re
from typing import Final

from engine.errors import InputError, MangledIds, UsageError
from loaders.check import collect
from loaders.export import Export, Job, Options, Shaped
from loaders.read import load_json
from loaders.shape import shape
from loaders.source import Source

__all__ = ["X_API_V2"]

_WHAT: Final = {
    "counts": ("counts of posts", "posts with who posted them: twarc2 search, not twarc2 counts"),
    "lists": ("lists", "the lists' members or posts"),
}


def _recognise(source: Source) -> str | None:
    """Look at the keys near the start of the first line: a page can be longer than the head."""
    if not source.is_json:
        return None
    start = source.text.lstrip()[:200_000]
    if re.match(r'\{\s*"(data|includes|errors|meta|__twarc)"\s*:', start):
        inside = re.search(r'"(includes|__twarc|public_metrics|author_id|result_count)"\s*:', start)
        if inside or re.match(r'\{\s*"data"\s*:\s*[\[{]', start):
            return "its lines are response pages: data, includes, meta"
    if re.search(r'"(edit_history_tweet_ids|author_id)"\s*:', start) and re.search(
        r'"(conversation_id|public_metrics|referenced_tweets)"\s*:', start
    ):
        return "its lines are flattened posts of X API v2"
    return None


def _resolve(source: Source, options: Options) -> Options:
    if options.get("platform") not in {None, "x"}:
        raise UsageError(
            f"platform = {options['platform']} for {source.name}",
            "posts of X API v2 are on the platform x",
            "leave the option out",
        )
    return options


def _read(job: Job) -> Shaped:
    if "\n" in job.source.text.rstrip() and re.match(r"[\[{]\s*\n", job.source.text):
        raise InputError(
            f"one object a line in {job.source.name}",
            "JSON spread over several lines",
            "write each object on a line of its own, for example with jq -c",
        )
    raw = load_json(job.session, job.source, job.survey)
    job.session.values |= {"rows": raw.rows, "ends_whole": job.survey.ends_whole}
    rows = shape(job.session, "x_api_v2", job.folder, source=job.source.name, progress=job.progress)
    (rounded,) = job.session.run("SELECT min(p.id) FROM parsed WHERE mangled(p.id)")[0]
    if rounded:
        raise MangledIds(
            f"ids of posts in {job.source.name}",
            f"ids that were rounded on the way, such as {rounded[:60]}",
            "take the file as twarc2 wrote it: other tools keep 15 digits; nothing was loaded",
        )
    rejects = collect(job.session, raw)
    reasons = {r.reason for r in rejects}
    if not rows and len(reasons) == 1 and (what := _WHAT.get(*reasons)):
        raise InputError(
            f"posts or users in {job.source.name}", f"only {what[0]}", f"load {what[1]}"
        )
    return Shaped(rows, rejects)


X_API_V2: Final = Export(
    name="x-api-v2",
    about="X API v2 as JSON lines: twarc2 pages of posts or users, or flattened posts",
    told_by="pages with data, includes and meta; or posts with author_id and public_metrics",
    carries="people, followers' number, posts, shares, quotes, replies, mentions, hashtags, links",
    cannot_say="from whom a share was seen (X names the first author only); follows; likes",
    example="kindred load search.jsonl",
    confirmed=True,
    recognise=_recognise,
    resolve=_resolve,
    read=_read,
)
