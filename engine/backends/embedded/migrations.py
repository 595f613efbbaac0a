"""The version of a store, and the numbered steps from an older one to this.

`store.json` names the format the store is in and the version of kindred that wrote it.
A change of the log's or the manifest's shape raises `FORMAT` and adds one step to
`MIGRATIONS`, which turns a store of the format before into the next one, forward only.
The graph needs no step: it is built again from the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import orjson

from engine.backends.embedded.layout import Layout
from engine.backends.embedded.log import copy_rows, file_entries
from engine.backends.embedded.manifest import Manifest
from engine.backends.files import duck
from engine.backends.files.durable import replace_json, sync_file, sync_folder
from engine.backends.files.version import writer
from engine.errors import StoreDamaged, StoreNewer

__all__ = [
    "FORMAT",
    "MIGRATIONS",
    "Migration",
    "check_not_newer",
    "migrate",
    "stamp",
    "stored_format",
]

FORMAT: Final = 2
"""The format this version writes."""

Migration = Callable[[Layout], None]
"""Takes a store from its format to the next, all of it or nothing, and may run twice."""


def _judged_contents(layout: Layout) -> None:
    """Give the contents of every batch the columns `stance`, `emotion` and `is_promotion`.

    A file is replaced whole, with the same rows in the same order; the manifest follows when
    all are.
    """
    added = {"stance": "DOUBLE", "emotion": "DOUBLE", "is_promotion": "BOOLEAN"}
    manifest = Manifest.load(layout.manifest)
    batches = []
    for batch in manifest.batches:
        folder = layout.batch(batch.batch_id)
        if "content" in batch.files:
            _add_columns(folder / "content.parquet", added, before="seen_at")
        batches.append(replace(batch, files=file_entries(folder)))
    manifest.next(batches=tuple(batches)).save(layout.manifest)


def _add_columns(path: Path, added: Mapping[str, str], before: str) -> None:
    """Write a file of the log anew with columns of nulls before one that it has."""
    beside = path.with_name(f"{path.name}.new")
    nulls = [f"CAST(NULL AS {type}) AS {duck.quoted(name)}" for name, type in added.items()]
    with duck.connect() as con:
        rows = con.read_parquet([str(path)])
        if set(added) <= set(rows.columns):
            return
        rows.create_view("held")
        at = rows.columns.index(before)
        names = [duck.quoted(name) for name in rows.columns]
        chosen = ", ".join([*names[:at], *nulls, *names[at:]])
        copy_rows(con, f"SELECT {chosen} FROM held", beside)
    sync_file(beside)
    beside.replace(path)
    sync_folder(path.parent)


MIGRATIONS: Final[Mapping[int, Migration]] = {1: _judged_contents}
"""From a format to the step that leads out of it."""


def stamp(layout: Layout, format: int = FORMAT) -> None:
    """Write `store.json`."""
    replace_json(layout.store_json, {"format": format, "writer": writer()})


def stored_format(layout: Layout) -> int:
    """Return the format of the store.

    Raises
    ------
    StoreDamaged
        If `store.json` does not say.
    """
    try:
        value = orjson.loads(layout.store_json.read_bytes())
        return int(value["format"])
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise StoreDamaged(
            f"the store {layout.root}",
            f"store.json does not say its format ({type(fault).__name__}: {fault})",
            'write {"format": 1} into it if the store was made by kindred 0.1',
        ) from fault


def check_not_newer(layout: Layout) -> int:
    """Return the store's format; raise `StoreNewer` where this version cannot know it."""
    found = stored_format(layout)
    if found > FORMAT:
        raise StoreNewer(
            f"the store {layout.root} in format {FORMAT}, the newest that kindred {writer()} knows",
            f"it is in format {found}, written by kindred {_writer_of(layout)}",
            "use that version of kindred or a newer one; nothing was changed",
        )
    return found


def migrate(
    layout: Layout, steps: Mapping[int, Migration] = MIGRATIONS, target: int = FORMAT
) -> list[int]:
    """Bring the store to `target`, one step at a time, and return the steps taken.

    Each step ends with the new format in `store.json`, so that a migration that was
    interrupted goes on where it stopped.
    """
    taken: list[int] = []
    found = stored_format(layout)
    while found < target:
        if found not in steps:
            raise StoreDamaged(
                f"to bring the store {layout.root} from format {found} to {target}",
                f"no step leads out of format {found}",
                "check store.json",
            )
        steps[found](layout)
        taken.append(found)
        found += 1
        stamp(layout, found)
    return taken


def _writer_of(layout: Layout) -> str:
    return str(orjson.loads(layout.store_json.read_bytes()).get("writer", "of unknown version"))
