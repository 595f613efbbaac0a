"""Edge lists: two columns of people, perhaps a weight and a time.

Real lists come in both directions under the same headings, so direction and kind are never
guessed: without them the error shows what the first row would say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from engine.errors import InputError, UsageError, WrongColumns
from engine.model import INTERACTION_KINDS
from loaders.dialect import Dialect, plain_name, sniff
from loaders.export import (
    Export,
    Job,
    Options,
    Shaped,
    dataset_platform,
    flag,
    one_of,
    read_table,
)
from loaders.source import Source

__all__ = ["DIRECTIONS", "EDGES", "KINDS"]

DIRECTIONS: Final = ("A engages B", "B engages A")
"""Who acts, where A stands in the source column and B in the target column."""
KINDS: Final = (*INTERACTION_KINDS, "follow")

_SOURCES: Final = re.compile(r"(source|src|from|follower|sender|actor|user_a|user_id)(_?.*)")
_TARGETS: Final = re.compile(r"(target|dst|dest|to|followee|receiver|user_b)(_.*|account|id)?")
_WEIGHTS: Final = ("weight", "weights", "count", "value", "n", "freq", "frequency")
_TIMES: Final = ("at", "time", "timestamp", "date", "created_at", "unix", "datetime")
_NUMBER: Final = re.compile(r"\d+([.]\d+)?")

_FORWARD: Final = {"a engages b", "forward", "source engages target", "a->b"}
_REVERSED: Final = {"b engages a", "reversed", "reverse", "target engages source", "b->a"}
_TURNING: Final = {"by", "not", "never"}
"""Words that turn a sentence round: who stands first in it does not act."""
_SHORT_NAME: Final = re.compile(r"\w[\w.-]{0,39}")
_VERBS: Final = {
    "share": "shared from",
    "quote": "quoted",
    "like": "liked a post of",
    "reply": "replied to",
    "mention": "mentioned",
    "unknown": "did something with",
    "follow": "follows",
}


def _recognise(source: Source) -> str | None:
    layout = sniff(source)
    if layout is None:
        return None
    if layout.header and _by_name(layout, _SOURCES) and _by_name(layout, _TARGETS):
        return f"its columns name two ends: {', '.join(layout.columns[:4])}"
    width = len(layout.columns)
    short = all(len(cell) <= 80 for row in layout.sample for cell in row)
    if width in (2, 3) and short and layout.sample:
        third = width == 2 or all(_NUMBER.fullmatch(r[2].strip()) for r in layout.sample)
        if third:
            return "its rows are two ids" + (" and a number" if width == 3 else "")
    return None


def _by_name(layout: Dialect, pattern: re.Pattern[str]) -> str | None:
    return next((c for c in layout.columns if pattern.fullmatch(plain_name(c))), None)


def _layout(source: Source, options: Options) -> Dialect:
    layout = sniff(source, header=_header(options))
    if layout is None or not layout.sample:
        raise InputError(
            f"an edge list in {source.name}",
            "no rows of two or more columns",
            "check the separator: comma, tab, semicolon, bar or space",
        )
    return layout


def _header(options: Options) -> bool | None:
    given = options.get("header")
    if given is None or isinstance(given, bool):
        return given
    return one_of("header", str(given).lower(), ("yes", "no", "true", "false")) in {"yes", "true"}


def _resolve(source: Source, options: Options) -> Options:
    layout = _layout(source, options)
    ends = {
        "source_column": _column(layout, options, "source_column", _by_name(layout, _SOURCES), 0),
        "target_column": _column(layout, options, "target_column", _by_name(layout, _TARGETS), 1),
    }
    if ends["source_column"] == ends["target_column"]:
        ends["target_column"] = next(c for c in layout.columns if c != ends["source_column"])
    platform = str(options.get("platform") or dataset_platform(source.stem))
    rest = {
        "weight_column": _optional(layout, options, "weight_column", _WEIGHTS),
        "time_column": _optional(layout, options, "time_column", _TIMES),
        "platform": platform,
        "timezone": options.get("timezone", "UTC"),
        "ids": _ids(layout, options, platform, list(ends.values())),
    }
    kind = options.get("kind")
    if kind is not None:
        one_of("kind", kind, KINDS)
    direction = _direction(options.get("direction"), ends)
    if kind is None or direction is None:
        raise _ask(source, layout, ends, kind, direction)
    return {**options, **rest, **ends, "kind": kind, "direction": direction}


def _column(layout: Dialect, options: Options, option: str, named: str | None, place: int) -> str:
    given = options.get(option)
    if given is None:
        return named or layout.columns[place]
    if layout.position(str(given)) is None:
        raise WrongColumns(
            f"a column for {flag(option, given)}",
            f"the columns are {', '.join(layout.columns[:40])}",
            "name one of them; without a header they are called 1, 2, ...",
        )
    return layout.columns[layout.positions[plain_name(str(given))]]


def _optional(layout: Dialect, options: Options, option: str, names: tuple[str, ...]) -> str | None:
    if options.get(option) is not None:
        return _column(layout, options, option, None, 0)
    named = next((c for c in layout.columns if plain_name(c) in names), None)
    if named is None and option == "weight_column" and not layout.header:
        named = "3" if len(layout.columns) == 3 else None
    return named


def _ids(layout: Dialect, options: Options, platform: str, ends: list[str]) -> str:
    """Say whether the ends are ids or handles: on X an id is a number."""
    if options.get("ids") is not None:
        return one_of("ids", options["ids"], ("id", "handle"))
    cells = [row[layout.positions[plain_name(end)]] for row in layout.sample for end in ends]
    words = any(re.search(r"[A-Za-z_]", cell) for cell in cells)
    return "handle" if platform == "x" and words else "id"


def _direction(given: object, ends: Mapping[str, str]) -> str | None:
    """Read which end acts: in fixed words, or in a sentence with the file's own columns."""
    if given is None:
        return None
    said = " ".join(str(given).lower().split())
    source, target = (" ".join(end.lower().split()) for end in ends.values())
    ways = (
        said in _FORWARD or _says(said, source, target),
        said in _REVERSED or _says(said, target, source),
    )
    if ways[0] == ways[1]:
        raise UsageError(
            flag("direction", given),
            "it can be read both ways" if ways[0] else "it does not say which column acts",
            f"use {', '.join(_sentences(ends))}, forward or reversed",
        )
    return DIRECTIONS[0] if ways[0] else DIRECTIONS[1]


def _says(said: str, first: str, last: str) -> bool:
    """Whether a sentence is: one column, what it does, the other column.

    Examples
    --------
    >>> _says("from engages to", "from", "to"), _says("from is followed by to", "from", "to")
    (True, False)
    """
    middle = said.removeprefix(f"{first} ").removesuffix(f" {last}")
    whole = said == f"{first} {middle} {last}"
    return whole and middle != "" and _TURNING.isdisjoint(middle.split())


def _sentences(ends: Mapping[str, str]) -> tuple[str, str]:
    """Word both directions as they can be given: with the columns, where these are words."""
    a, b = ends.values()
    if not (_SHORT_NAME.fullmatch(a) and _SHORT_NAME.fullmatch(b)):
        a, b = "A", "B"
    return flag("direction", f"{a} engages {b}"), flag("direction", f"{b} engages {a}")


def _ask(
    source: Source,
    layout: Dialect,
    ends: Mapping[str, str],
    kind: str | None,
    direction: str | None,
) -> UsageError:
    """Ask for direction and kind, with what the first row would then say."""
    row = layout.sample[0]
    a, b = (row[layout.positions[plain_name(end)]].strip()[:60] for end in ends.values())
    verb = _VERBS[kind or "share"]
    first, second = (b, a) if direction == DIRECTIONS[1] else (a, b)
    so, otherwise = _sentences(ends)
    say = {
        "kind": None if kind else f"--kind {', '.join(KINDS[:-1])} or {KINDS[-1]}",
        "direction": None if direction else f"{so} if so, {otherwise} if the other way round",
    }
    missing = [word for word, how in say.items() if how]
    return UsageError(
        f"the {' and the '.join(missing)} of the edges in {source.name}",
        f'the file does not say: is it "{first} {verb} {second}"?',
        f"give {'; '.join(how for how in say.values() if how)}",
    )


def _read(job: Job) -> Shaped:
    layout = _layout(job.source, job.options)
    wanted = {
        name: -1
        if (column := job.options[option]) is None
        else layout.positions[plain_name(column)]
        for name, option in (
            ("source", "source_column"),
            ("target", "target_column"),
            ("weight", "weight_column"),
            ("at", "time_column"),
        )
    }
    shaped = read_table(job, "edges", layout, wanted, ids=("source", "target"))
    return Shaped(shaped.rows, shaped.rejects, _notes(job, layout))


def _notes(job: Job, layout: Dialect) -> list[str]:
    notes = []
    (repeated,) = job.session.run(
        'SELECT count(*) - count(DISTINCT (user_id, target_id)) FROM named WHERE "at" IS NULL'
    )[0]
    if repeated:
        notes.append(f"{repeated:,} rows repeat a pair of people; their weights were added up")
    if layout.doubtful:
        notes.append(
            f"the first line ({', '.join(layout.sample[0])[:80]}) was read as an edge; "
            "if it is a header, give --header yes"
        )
    return notes


EDGES: Final = Export(
    name="edges",
    about="an edge list: two columns of people, perhaps a weight and a time",
    told_by="two columns that name two ends, or rows of two ids and perhaps a number",
    carries="who did what with whom and how often, once direction and kind are given",
    cannot_say="direction and kind (you say them); which post; mostly not when",
    example='kindred load edges.csv --kind share --direction "from engages to"',
    confirmed=True,
    recognise=_recognise,
    resolve=_resolve,
    read=_read,
    columns=("source", "target", "from", "to", "weight"),
    options={
        "source_column": "the column of A; the first by default",
        "target_column": "the column of B; the second by default",
        "weight_column": "the column that counts interactions",
        "time_column": "the column that says when",
        "direction": "who acts, in the columns' own names: `from engages to` or `to engages from`; "
        "or `forward` (A acts on B), `reversed`",
        "kind": f"what an edge is: {', '.join(KINDS)}",
        "ids": "`id` or `handle`: what the columns hold",
        "header": "`yes` or `no`, where the first line does not show it",
    },
)
