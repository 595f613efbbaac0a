"""The version of a store, and the numbered steps from an older one to this.

`store.json` names the format the store is in and the version of kindred that wrote it.
A change of the log's or the manifest's shape raises `FORMAT` and adds one step to
`MIGRATIONS`, which turns a store of the format before into the next one, forward only.
The graph needs no step: it is built again from the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import orjson

from engine.backends.embedded.layout import Layout
from engine.backends.files.durable import replace_json
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

FORMAT: Final = 1
"""The format this version writes."""

Migration = Callable[[Layout], None]
"""Takes a store from its format to the next, all of it or nothing, and may run twice."""

MIGRATIONS: Final[Mapping[int, Migration]] = {}
"""From a format to the step that leads out of it. Format 1 is the first: none yet."""


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
