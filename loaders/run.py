"""Loading: from a path to reports, one a file, all of a file or nothing of it."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import orjson

from engine.contract import Backend, Batch, LoadReport
from engine.errors import InputError, UsageError
from engine.progress import Progress, silent
from loaders.brands import domains_as_brands
from loaders.check import write_rejects
from loaders.detect import detect, recognise
from loaders.export import Export, Job, Options, Shaped
from loaders.exports.canonical import described, tables_in
from loaders.formats import format_named
from loaders.read import Session
from loaders.shape import prepare
from loaders.source import Source, Survey, peek, survey

__all__ = ["load"]

MAPPING: Final = 1
"""Raised whenever a mapping changes what it makes of the same bytes."""


def load(
    backend: Backend,
    path: str | Path | Sequence[str | Path],
    *,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> list[LoadReport]:
    """Load exports into a store.

    Parameters
    ----------
    path
        A file, a folder of canonical tables, a pattern such as `exports/*.jsonl`, or several
        of these. Each file is a load of its own; a folder of canonical tables is one.
    format
        A name from `loaders.formats.FORMATS`; by default the file says it itself.
    options
        What the file does not say; each format lists its own. None means not given.

    Returns
    -------
    list of LoadReport
        In the order of the paths. Refused rows are counted there by reason and kept in the
        store; a file that was loaded before is left alone.

    Raises
    ------
    InputError
        A file is missing, empty, cut off, of unknown format, without required columns, or
        its ids were rounded: nothing of it is loaded. Files before it are.
    UsageError
        An option is unknown or missing.
    """
    given = {name: value for name, value in (options or {}).items() if value is not None}
    chosen = None if format is None else format_named(format)
    return [_load_one(backend, one, chosen, given, progress) for one in list(_paths(path))]


def _paths(path: str | Path | Sequence[str | Path]) -> Iterator[Path]:
    if not isinstance(path, str | Path):
        for each in path:
            yield from _paths(each)
        return
    text = str(path)
    found = Path(text)
    if found.exists() or not glob.has_magic(text):
        yield found
        return
    matches = sorted(glob.glob(text))  # noqa: PTH207 (an absolute pattern)
    if not matches:
        raise InputError(
            f"to load {text}", "no file matches the pattern", "check the folder and the ending"
        )
    yield from map(Path, matches)


def _load_one(
    backend: Backend, path: Path, chosen: Export | None, given: Options, progress: Progress
) -> LoadReport:
    encoding = given.get("encoding")
    sources, export = _open(path, chosen, None if encoding is None else str(encoding))
    _known_options(export, given)
    resolved = export.resolve(sources[0], given)
    surveyed = [(source, survey(source, progress)) for source in sources]
    batch = Batch(
        _fingerprint(export, resolved, surveyed),
        str(path),
        export.name,
        path,
        _with_source(resolved, path),
    )
    with backend.stage() as folder:
        notes: Sequence[str] = ()
        if not backend.knows(batch.fingerprint):
            with backend.stage() as work:
                notes = _shape(export, surveyed, resolved, folder, work, progress)
        report = backend.write(replace(batch, folder=folder), progress)
    return replace(report, notes=(*report.notes, *notes))


def _open(path: Path, chosen: Export | None, encoding: str | None) -> tuple[list[Source], Export]:
    if path.is_dir():
        detected = detect(path)
        if chosen is not None and chosen.name != detected.format:
            raise UsageError(
                f"the folder {path} as {chosen.name}",
                "a folder is loaded as canonical tables only",
                f"load its files: kindred load '{path}/*' --from-format {chosen.name}",
            )
        return [peek(p, encoding) for p in tables_in(path).values()], format_named("canonical")
    source = peek(path, encoding)
    return [source], chosen or format_named(recognise(source).format)


def _known_options(export: Export, given: Options) -> None:
    known = export.all_options
    for name in given:
        if name not in known:
            raise UsageError(
                f"the option {name} for {export.name}",
                "this format has no such option",
                f"it has {', '.join(known)}",
            )
    if given.get("brands") not in {None, "domains"}:
        raise UsageError(
            f"--brands {given['brands']}",
            "only domains can be taken for brands here",
            "give --brands domains, or load brands.csv and brand_members.csv beside the rest",
        )


def _with_source(resolved: Options, path: Path) -> Options:
    said = described(path if path.is_dir() else path.parent)
    return {**resolved, "source": said} if said else resolved


def _fingerprint(
    export: Export, resolved: Options, surveyed: Sequence[tuple[Source, Survey]]
) -> str:
    names = len(surveyed) > 1 or export.name == "canonical"
    known = {
        "mapping": MAPPING,
        "format": export.name,
        "options": {name: resolved[name] for name in sorted(resolved)},
        "files": sorted((s.stem if names else "", found.digest) for s, found in surveyed),
    }
    return hashlib.sha256(orjson.dumps(known, default=str)).hexdigest()


def _shape(  # noqa: PLR0917 - private, one caller
    export: Export,
    surveyed: Sequence[tuple[Source, Survey]],
    options: Options,
    folder: Path,
    work: Path,
    progress: Progress,
) -> Sequence[str]:
    """Write the canonical tables of a file into `folder`; return what the user should know."""
    with Session(work, surveyed[0][0].name, options) as session:
        prepare(session)
        _known_zone(session)
        job = Job(session, surveyed, folder, options, progress)
        shaped = export.read(job)
        if options.get("brands") == "domains":
            domains_as_brands(session, folder, anonymised=export.anonymised)
    if not shaped.rows:
        raise _nothing(export, surveyed[0][0], shaped)
    write_rejects(shaped.rejects, folder)
    return shaped.notes


def _known_zone(session: Session) -> None:
    zone = session.values.get("timezone", "UTC")
    if not session.run("SELECT 1 FROM pg_timezone_names() WHERE name = $zone", {"zone": zone}):
        raise UsageError(
            f"the time zone {zone}",
            "there is none of this name",
            "use a name such as Europe/Berlin or America/New_York",
        )


def _nothing(export: Export, source: Source, shaped: Shaped) -> InputError:
    first = shaped.rejects[0] if shaped.rejects else None
    why = f"; line {first.line}: {first.sentence}" if first else ""
    return InputError(
        f"rows of {export.name} in {source.name}",
        f"none of {len(shaped.rejects):,} rows could be read{why}",
        "check the file, or name what it is with --from-format",
    )
