"""Taking kindred out of a database: what it wrote, and nothing else.

First the loads are called not done and no run is active, in transactions of their own: a
removal that is interrupted leaves an empty store, whose next writer sweeps what is left, or
whose removal goes on when it is asked for again. What carries kindred's labels but not its
mark is somebody else's, and stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cypher import statement
from engine.backends.neo4j import graph_schema
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.layout import BOOKKEEPING, LOCK, STORE, WORKER
from engine.backends.neo4j.lock import Held
from engine.model import EDGES, NODES
from engine.progress import Progress

__all__ = ["remove_graph", "remove_lock"]

AT_ONCE: Final = 5_000
"""Nodes or relationships of one transaction."""
_WANTED: Final = "to remove kindred from the database"
_LAST: Final = (LOCK, WORKER, STORE)


def remove_graph(held: Held, progress: Progress) -> dict[str, int]:
    """Delete everything but the writer's lock; return how many relationships and nodes went.

    The results are to be removed before: what they put into the graph is found faster then.
    """
    names = held.link.names
    held.writing(lambda work: work.run(statement("remove_loads", "neo4j").text), wanted=_WANTED)
    gone = {"relationships": 0, "nodes": 0}
    for edge in EDGES:
        progress(f"removing {edge}")
        gone["relationships"] += _all(held, "remove_edges", {}, type=names.of(edge))
    for node in NODES:
        progress(f"removing {node}")
        gone["nodes"] += _all(held, "remove_nodes", {"all": False}, label=names.of(node))
    for label in (*(b for b in BOOKKEEPING if b not in _LAST), STORE):
        _all(held, "remove_nodes", {"all": True}, label=label)
    graph_schema.drop(held.link)
    return gone


def _all(held: Held, name: str, given: Mapping[str, Any], **slots: str) -> int:
    text, every = statement(name, "neo4j").named(**slots), 0
    asked = {**given, "most": AT_ONCE}
    while True:
        done = held.writing(lambda work: int(work.run(text, asked).one("removed")), wanted=_WANTED)
        every += done
        if done < AT_ONCE:
            return every


def remove_lock(link: Link) -> None:
    """Delete what is left of the lock when it was let go, unless another writer has it."""
    link.write(statement("remove_lock", "neo4j").text, wanted=_WANTED)
