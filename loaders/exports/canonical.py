"""The canonical table folder: kindred's own layout, one file a table.

`users.csv`, `shares.parquet`, `topics.jsonl.gz`, ...: the file's name is the table, its
columns are those of `engine.model.CANONICAL`. What each cell becomes is generated from the
model (`loaders.cells`), since every table of it has the same few kinds of column.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from engine.errors import InputError, UsageError, WrongColumns
from engine.model import CANONICAL, Table
from loaders.cells import convert, ids_of, refuse, remember_platforms
from loaders.check import Reject, collect, refuse_mangled
from loaders.dialect import plain_name, single_column, sniff
from loaders.export import Export, Job, Options, Shaped, dataset_platform
from loaders.read import Raw, load_json_cells, load_parquet, load_table, quoted
from loaders.shape import write_table
from loaders.source import Source, Survey

__all__ = ["CANONICAL_FOLDER", "described", "tables_in"]

ENDINGS: Final = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson")
_PACKED: Final = (".gz", ".zst", ".bz2", ".xz")


def tables_in(folder: Path) -> dict[str, Path]:
    """Return the canonical tables of a folder by name, in the order of the model.

    Raises
    ------
    UsageError
        A table is there twice.
    """
    found: dict[str, Path] = {}
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        name = _table(path)
        if name is None:
            continue
        if name in found:
            raise UsageError(
                f"one file for the table {name} in {folder}",
                f"{found[name].name} and {path.name}",
                "leave one of them, or put them into two folders",
            )
        found[name] = path
    return {name: found[name] for name in CANONICAL if name in found}


def _table(path: Path) -> str | None:
    name = path.name
    for packed in _PACKED:
        name = name.removesuffix(packed)
    stem, dot, ending = name.partition(".")
    return stem if stem in CANONICAL and f"{dot}{ending}" in ENDINGS else None


def described(folder: Path) -> dict[str, Any]:
    """Return what `source.toml` beside the data says: title, licence, note, made, dataset.

    Raises
    ------
    InputError
        It is not TOML.
    """
    path = folder / "source.toml"
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"to read {path}", f"it is not TOML: {error}", "mend it, or take it away"
        ) from error


def _recognise(source: Source) -> str | None:
    name = _table(source.path)
    if name is None:
        return None
    columns = _columns_of(source)
    own = set(columns or ()).intersection(CANONICAL[name].required)
    if own:
        return f"it is named {name} and has the column {min(own)} of that table"
    return None


def _columns_of(source: Source) -> list[str] | None:
    if source.is_parquet or source.is_json:
        return list(CANONICAL[_table(source.path) or ""].required)
    layout = sniff(source)
    return None if layout is None else list(layout.positions)


def _resolve(source: Source, options: Options) -> Options:
    stem = source.path.parent.resolve().name
    dataset = described(source.path.parent).get("dataset", stem)
    return {"platform": dataset_platform(str(dataset)), "timezone": "UTC", **options}


def _read(job: Job) -> Shaped:
    rows: dict[str, int] = {}
    rejects: list[Reject] = []
    notes: list[str] = []
    known: set[str] = set()
    for done, (source, survey) in enumerate(job.sources):
        name = _table(source.path)
        if name is None:
            raise UsageError(
                f"{source.name} as a canonical table",
                "its name is not that of a table",
                f"name it {', '.join(CANONICAL)} with one of {', '.join(ENDINGS)}",
            )
        job.session.name = source.name
        job.progress(f"shaping {name}", done, len(job.sources))
        table = CANONICAL[name]
        raw, found = _load(job, table, source, survey)
        notes += _column_notes(source, table, found)
        refuse_mangled(job.session, source.name, ids_of(table))
        refuse(job.session, table, found)
        remember_platforms(job.session, table, known)
        count = write_table(job.session, table, convert(table), job.folder)
        notes += _zone_notes(job, source, table)
        rejects += collect(job.session, raw, name)
        if count:
            rows[name] = count
        job.session.run("DROP TABLE raw; DELETE FROM rejected")
    return Shaped(rows, rejects, notes)


def _load(job: Job, table: Table, source: Source, survey: Survey) -> tuple[Raw, Mapping[str, str]]:
    """Read a file into `raw`, all cells as text; return it and its columns as written."""
    wanted = [*table.schema.names]
    if "platform" not in wanted:
        wanted.append("platform")
    if source.is_parquet:
        raw, found = load_parquet(job.session, source, survey, wanted)
    elif source.is_json:
        raw, found = load_json_cells(job.session, source, survey, wanted)
    else:
        layout = sniff(source, header=True)
        if layout is None:
            layout = single_column(source)
        at = {name: layout.positions.get(name, -1) for name in wanted}
        _must_have(source, table, {plain_name(c): c for c in layout.columns})
        raw = load_table(job.session, source, survey, layout, at)
        found = {plain_name(c): c for c in layout.columns}
    _must_have(source, table, found)
    return raw, found


def _must_have(source: Source, table: Table, found: Mapping[str, str]) -> None:
    missing = [c for c in table.required if c not in found]
    if missing:
        near = {m: get_close_matches(m, list(found), 1, 0.5) for m in missing}
        hints = [f"is {n[0]} the {m}?" for m, n in near.items() if n]
        raise WrongColumns(
            f"the table {table.name} with {', '.join(table.required)} from {source.name}",
            f"without {', '.join(missing)}; its columns are "
            f"{', '.join(list(found.values())[:40]) or 'none'}",
            " ".join(["rename the columns;", *hints, "see: kindred formats"]),
        )


def _column_notes(source: Source, table: Table, found: Mapping[str, str]) -> list[str]:
    known = {*table.schema.names, "platform"}
    unread = [written for plain, written in found.items() if plain not in known]
    if not unread:
        return []
    return [f"{source.name}: columns not read: {', '.join(unread[:20])[:300]}"]


def _zone_notes(job: Job, source: Source, table: Table) -> list[str]:
    times = [c.name for c in table.columns if str(c.type).startswith("timestamp")]
    if not times:
        return []
    some = " OR ".join(f"zoneless({quoted(name)})" for name in times)
    (count,) = job.session.run(f"SELECT count(*) FROM raw WHERE {some}")[0]
    zone = job.options["timezone"]
    return [f"{source.name}: {count:,} times name no zone and were read as {zone}"] if count else []


CANONICAL_FOLDER: Final = Export(
    name="canonical",
    about="a folder of tables named " + ", ".join(CANONICAL),
    told_by="file names and columns",
    carries="whatever its tables carry: posts, shares with their parents, follows, impressions",
    cannot_say="what its tables leave out",
    example="kindred load my-tables/",
    confirmed=True,
    recognise=_recognise,
    resolve=_resolve,
    read=_read,
)
