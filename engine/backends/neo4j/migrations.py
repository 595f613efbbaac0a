"""The version of a store on a server, and the numbered steps from an older one to this.

The `kindred_Store` node names the format the store is in and the version of kindred that
wrote it. A change of what stands in the database raises `FORMAT` and adds one step to
`MIGRATIONS`, forward only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import cypher
from engine.backends.files.version import writer
from engine.backends.neo4j import graph_schema, layout
from engine.backends.neo4j.driver import Link, Work
from engine.backends.neo4j.lock import Held, writer_lock
from engine.backends.neo4j.manifest import Manifest
from engine.errors import ForeignData, StoreDamaged, StoreNewer
from engine.model import NODES
from engine.snapshot import NO_TIME

__all__ = ["FORMAT", "MIGRATIONS", "Migration", "make", "migrate"]

FORMAT: Final = 2
"""The format this version writes."""

Migration = Callable[[Held], None]
"""Takes a store from its format to the next, through the writer's lock; may run twice."""

_AT_ONCE: Final = 10_000
"""Nodes of one transaction."""


def _judged_contents(held: Held) -> None:
    """Say of every content that its stance, emotion and promotion were never seen.

    Columns of the model are told by their place in `kindred_seen`. A list that a load keeps
    to be written later may still be shorter: what it leaves out was never seen either.
    """
    held.alone(
        cypher.statement("lengthen_seen", "neo4j").named(label="Content"),
        {"before": 14, "more": [NO_TIME] * 3, "most": _AT_ONCE},
        wanted="to bring the contents of the store to this version",
    )


MIGRATIONS: Final[Mapping[int, Migration]] = {1: _judged_contents}
"""From a format to the step that leads out of it."""


def make(link: Link, mapping: str | None = None) -> None:
    """Make a store in a database: constraints, and the node that says so.

    With a mapping it is from the first the place of results on somebody's own graph.

    Two processes that do this at once end with one store. What else the database holds is
    left alone.

    Raises
    ------
    ForeignData
        If nodes with kindred's labels stand there that kindred did not write, or that are
        left of a store that was not removed to the end.
    """
    check_foreign(link)
    graph_schema.ensure(link)
    link.write(
        cypher.statement("make_store", "neo4j").text,
        {"format": FORMAT, "writer": writer(), "mapping": mapping},
        wanted="to make a store",
    )


def check_foreign(link: Link) -> None:
    """Raise `ForeignData` where a node stands that a new store would take for its own."""
    wanted = f"to make a store on {link.address}"
    foreign = cypher.statement("foreign", "neo4j")
    for label in map(link.names.of, NODES):
        row = link.read(foreign.named(label=label, load=layout.LOAD), wanted=wanted)
        nodes = row.one("nodes")
        if row.one("foreign"):
            raise ForeignData(
                wanted,
                f"the database holds nodes labelled {label} that kindred did not write"
                f" (nodes of that label: {nodes:,})",
                "name an empty database with --database, or read that graph where it is:"
                " kindred adopt",
            )
        if nodes:
            raise ForeignData(
                wanted,
                f"{nodes:,} nodes labelled {label} are left of a store that was removed in part",
                "finish that: kindred remove --all",
            )


def migrate(
    link: Link,
    manifest: Manifest,
    *,
    wait: bool,
    steps: Mapping[int, Migration] = MIGRATIONS,
    target: int = FORMAT,
) -> list[int]:
    """Bring the store to `target`, one step at a time, and return the steps taken.

    Each step ends with the new format on the store's node, so that a migration that was
    interrupted goes on where it stopped. A store opened read-only is read as it is.

    Raises
    ------
    StoreNewer
        If this version cannot know the store's format.
    """
    found = manifest.format
    if found > target:
        raise StoreNewer(
            f"the store on {link.address} in format {target}, the newest that kindred"
            f" {writer()} knows",
            f"it is in format {found}, written by kindred {manifest.writer}",
            "use that version of kindred or a newer one; nothing was changed",
        )
    if link.read_only:
        return []
    graph_schema.ensure(link)
    if found == target:
        return []
    wanted = f"to bring the store on {link.address} from format {found} to {target}"
    with writer_lock(link, wanted, wait=wait) as held:
        return _step(held, wanted, steps, target)


def _step(held: Held, wanted: str, steps: Mapping[int, Migration], target: int) -> list[int]:
    """Take the steps, from the format that stands now that nobody else is writing."""
    taken: list[int] = []
    manifest = Manifest.read(held.link)
    found = target if manifest is None else manifest.format
    while found < target:
        if found not in steps:
            raise StoreDamaged(
                wanted, f"no step leads out of format {found}", "restore it from a backup"
            )
        steps[found](held)
        taken.append(found)
        found += 1
        held.writing(_stamping(found), wanted=wanted)
    return taken


def _stamping(format: int) -> Callable[[Work], object]:
    values = {"format": format, "writer": writer()}
    return lambda work: work.run(cypher.statement("stamp_store", "neo4j").text, values)
