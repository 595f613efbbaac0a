"""Adopting a graph: somebody's own labels and types become a store, without a copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cypher
from engine.errors import UsageError
from engine.progress import Progress, silent
from engine.server import SCHEMES, Server, check_address, is_server

if TYPE_CHECKING:
    from engine.backends.neo4j.adoption import Adoption, Understood
    from engine.backends.neo4j.driver import Link

__all__ = ["BESIDE", "Adopted", "adopt"]

BESIDE: Final = "beside"
"""The place of results that is the graph's own database, in nodes of kindred's."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """What was understood of a graph, and where its runs will stand.

    `store` and `database` open it (`engine.connect.connect`); None where nothing was kept.
    """

    understood: tuple[Understood, ...]
    store: str | None = None
    database: str | None = None


def adopt(
    graph: str,
    paths: Mapping[str, Sequence[str]],
    *,
    results: str | None = None,
    dry_run: bool = False,
    platform: str = "graph",
    server: Server | None = None,
    wait: bool = True,
    progress: Progress = silent,
) -> Adopted:
    """Map a graph to the model and keep the mapping where the results will go.

    The graph is read once, and never written to.

    Parameters
    ----------
    graph
        Address of the server that holds it; `server` names its database.
    paths
        Paths by option, such as `{"shares": ["(:Person)-[:RETWEETED]->(:Tweet)"]}`; the
        options are `engine.backends.neo4j.mapping.ROLES`.
    results
        A database of the same server, a folder, the address of another server, or `BESIDE`.
    dry_run
        Only say what would be understood.
    platform
        First part of every id: `platform:key`.

    Raises
    ------
    UsageError
        If the graph is on no server, a path says nothing that is there, or the place of
        results holds data of its own.
    """
    from engine.backends.neo4j.adopt import understand
    from engine.backends.neo4j.driver import Link

    if not is_server(graph):
        raise UsageError(
            "to adopt a graph",
            f"{graph} is no server",
            f"give its address with --store: {', '.join(SCHEMES[:2])}://…",
        )
    if results is None and not dry_run:
        raise UsageError(
            "to adopt a graph",
            "no place for the results is named",
            "add --results DATABASE or FOLDER, or --publish for nodes of kindred's own beside"
            " the graph; or only look: --dry-run",
        )
    server = server or Server()
    link = Link(check_address(graph), server, read_only=True)
    try:
        adoption = understand(link, paths, platform=platform, progress=progress)
        if dry_run or results is None:
            return Adopted(adoption.understood)
        if results != BESIDE:
            adoption = replace(adoption, address=link.address, database=_database(link))
    finally:
        link.close()
    return _kept(adoption, link.address, results, server, wait=wait)


def _database(link: Link) -> str:
    text = cypher.statement("adopted_place", "neo4j").text
    return str(link.read(text, wanted="to ask for the database's name").one("name"))


def _kept(adoption: Adoption, graph: str, results: str, server: Server, *, wait: bool) -> Adopted:
    """Keep a mapping in the place of results."""
    if is_server(results) or not _is_folder(results):
        address = results if is_server(results) else graph
        if results == BESIDE:
            place = server
        else:
            place = replace(server, database=None if is_server(results) else results)
            _check_elsewhere(adoption, address, place)
        _keep_on_server(adoption, check_address(address), place, wait=wait)
        return Adopted(adoption.understood, address, place.database)
    from engine.backends.embedded.store import EmbeddedStore

    with EmbeddedStore.open(Path(results)) as store:
        store.no_wait = store.no_wait or not wait
        store.keep_mapping(adoption.to_json())
    return Adopted(adoption.understood, results)


def _check_elsewhere(adoption: Adoption, address: str, place: Server) -> None:
    if (address, place.database) == (adoption.address, adoption.database):
        raise UsageError(
            "to keep the results in a database of their own",
            f"{place.database} is the one that holds the graph",
            "use --publish to keep them beside the graph, or name another database",
        )


def _keep_on_server(adoption: Adoption, address: str, server: Server, *, wait: bool) -> None:
    from engine.backends.neo4j.store import Neo4jStore

    text = adoption.to_json()
    with Neo4jStore.open(address, server, wait=wait, mapping=text) as store:
        if store.mapping() != text:
            store.keep_mapping(text)


def _is_folder(place: str) -> bool:
    return place.startswith((".", "/", "~")) or "/" in place or "\\" in place
