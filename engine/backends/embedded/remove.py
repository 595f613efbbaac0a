"""Taking a store out of its folder: what kindred made there, and nothing else."""

from __future__ import annotations

import shutil

from engine.backends.embedded.layout import Layout
from engine.errors import StoreError

__all__ = ["check_only_ours", "empty"]


def check_only_ours(layout: Layout) -> None:
    """Raise `StoreError` where the store's folder holds what is not the store's.

    Only names are looked at: a folder of the store's may hold folders, whatever their names,
    since unfinished work is cleared by name as well, but no files of its own.
    """
    rooms = (layout.log, layout.runs, layout.graph)
    ours = {layout.store_json, layout.adopted, layout.manifest, layout.lock, layout.staging, *rooms}
    found = [path for path in layout.root.iterdir() if path not in ours]
    found += [path for room in rooms if room.is_dir() for path in room.iterdir() if path.is_file()]
    if found:
        names = sorted(path.relative_to(layout.root).as_posix() for path in found)
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise StoreError(
            f"to remove the store {layout.root}",
            f"the folder also holds {', '.join(names[:3])}{more}",
            "move them elsewhere, or remove the results only; nothing was removed",
        )


def empty(layout: Layout) -> None:
    """Remove every file of a store that holds nothing any more, the lock last."""
    for room in (layout.log, layout.runs, layout.graph, layout.staging):
        shutil.rmtree(room, ignore_errors=True)
    for file in (layout.store_json, layout.adopted, layout.manifest, layout.lock):
        file.unlink(missing_ok=True)
