"""From the graph on a server to a `Snapshot`, in numbers all the way.

Nodes come with the server's own numbers for them, and relationships as pairs of those; a
snapshot numbers in the order of ids. One sort of the ids gives the rank of each number,
and every column of the events is looked up in it. Only what counts is read: rows of loads
that are done. Reading takes several transactions, so the manifest is looked at again
afterwards, and where a load was done meanwhile, all is read again.
O(ids log ids + rows log ids).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.assemble import codes, finish, resolve_handles
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.manifest import Manifest
from engine.backends.neo4j.shape import EVENTS, THINGS, Event, Space
from engine.backends.neo4j.stream import Lists, Streams
from engine.csr import Ints, Longs
from engine.errors import StoreLocked, StoreMissing
from engine.snapshot import Snapshot

__all__ = ["project"]

Columns = dict[str, npt.NDArray[Any]]

_TRIES: Final = 5
_PAUSE: Final = 0.5
"""Seconds between looks at a load that is being applied."""


def project(link: Link, manifest: Manifest) -> tuple[int, Snapshot]:
    """Return the revision of the store that was read, and its snapshot.

    Parameters
    ----------
    link
        The server.
    manifest
        What the store held a moment ago.

    Raises
    ------
    StoreLocked
        If loads were done while it was read, again and again, or one stays half applied.
    StoreMissing
        If the store was removed meanwhile.
    """
    patient_until = time.monotonic() + link.server.patience
    tries = 0
    while tries < _TRIES and (manifest.settled or time.monotonic() < patient_until):
        found = None
        if manifest.settled:
            found = _once(link, manifest)
            tries += 1
        else:
            time.sleep(_PAUSE)
        now = Manifest.read(link)
        if now is None:
            raise StoreMissing(
                f"the store on {link.address}", "it was removed while it was read", "load again"
            )
        if found is not None and now.settled and now.done == manifest.done:
            return now.revision, found
        manifest = now
    raise StoreLocked(
        "to read the graph for an analysis",
        f"loads were done while it was read, {tries} times"
        if manifest.settled
        else "a load that is done is still being applied",
        "wait for the load that goes on; if there is none, run: kindred doctor --rebuild",
    )


def _once(link: Link, manifest: Manifest) -> Snapshot | None:
    """Read everything once; None where it does not hold together."""
    try:
        return _Reading(link, [b.number for b in manifest.done]).snapshot()
    except _Torn:
        return None


class _Torn(Exception):
    """A relationship leads to a node that was not there: somebody writes."""


class _Reading:
    """The pages and records that were read, and what they make."""

    def __init__(self, link: Link, loads: Sequence[int]) -> None:
        self._streams = Streams(link, loads)
        self._things = {space: [thing.schema.empty_table()] for space, thing in THINGS.items()}
        self._events = {name: [event.schema.empty_table()] for name, event in EVENTS.items()}

    def snapshot(self) -> Snapshot:
        """Read everything and number it."""
        name_of = {event.statement: name for name, event in EVENTS.items()}
        for record in self._streams.side_by_side(self._jobs()):
            for statement, lists in record.items():
                name = name_of[statement]
                self._events[name].append(_table(lists, EVENTS[name].schema))
        spaces = {
            space: _Space(pa.concat_tables(self._things.pop(space)), thing.key)
            for space, thing in THINGS.items()
        }
        events = {
            name: _numbered(event, pa.concat_tables(self._events.pop(name)), spaces)
            for name, event in EVENTS.items()
        }
        posted, loose = events.pop("posted"), events.pop("loose_mentions")
        events["brand_mentions"] = _joined(
            events["brand_mentions"], loose | {"brand": np.full(len(loose["user"]), -1, np.int32)}
        )
        groups = _number_groups(events["group_impressions"])
        author = np.full(len(spaces["content"].ids), -1, np.int32)
        np.maximum.at(author, posted["content"], posted["user"])
        return finish(
            users=spaces["user"].rows,
            contents=spaces["content"].rows,
            author=author,
            brands=spaces["brand"].rows,
            topic_id=spaces["topic"].ids,
            groups=groups,
            events=events | _owned(self._streams.whole("project_members"), spaces),
        )

    def _jobs(self) -> Iterator[Callable[[], dict[str, Lists]]]:
        for space, thing in THINGS.items():
            names = [
                event.statement
                for event in EVENTS.values()
                if event.start[1] == space and event.type in self._streams.types
            ]
            for page in self._streams.pages(thing.statement, thing.key):
                self._things[space].append(_table(page, thing.schema))
                yield from self._streams.jobs(names, page)


class _Space:
    """The nodes of a space in the order of their ids."""

    def __init__(self, pages: pa.Table, key: str) -> None:
        rows = pages.take(pc.array_sort_indices(pages[key]))
        self.rows = rows.drop_columns("node")
        self.ids: pa.StringArray = rows[key].combine_chunks()
        node = rows["node"].to_numpy()
        self._rank = np.argsort(node).astype(np.int32)
        self._node = node[self._rank]

    def of_nodes(self, node: Longs) -> Ints:
        """Return the rank of each node. Raises `_Torn` where one was not there."""
        at = np.searchsorted(self._node, node)
        if len(at) and (at.max() >= len(self._node) or np.any(self._node[at] != node)):
            raise _Torn
        return self._rank[at]

    def of_ids(self, ids: pa.Array | pa.ChunkedArray) -> Ints:
        """Return the rank of each id, -1 where there is no such node."""
        found = pc.fill_null(pc.index_in(ids, self.ids), -1)
        return np.asarray(found.to_numpy(zero_copy_only=False)).astype(np.int32)


def _table(lists: Lists, schema: pa.Schema) -> pa.Table:
    return pa.table([pa.array(lists[f.name], f.type) for f in schema], schema=schema)


def _numbered(event: Event, rows: pa.Table, spaces: Mapping[Space, _Space]) -> Columns:
    """Return the columns of an event as `finish` takes them."""
    ends = {"source": event.start} | ({"target": event.end} if event.end else {})
    columns: Columns = {
        name: spaces[space].of_nodes(rows[end].to_numpy()) for end, (name, space) in ends.items()
    }
    for name in rows.column_names:
        if name == "kind":
            columns[name] = codes(rows[name], event.kinds, event.other)
        elif name in event.named:
            columns[name] = spaces[event.named[name]].of_ids(rows[name])
        elif name not in ends:
            columns[name] = rows[name].to_numpy()
    return columns


def _joined(one: Columns, other: Columns) -> Columns:
    return {name: np.concatenate([values, other[name]]) for name, values in one.items()}


def _number_groups(exposures: Columns) -> pa.StringArray:
    """Put numbers in the place of the names of communities, and return the names, sorted."""
    said = pa.array(exposures.pop("community"), pa.string())
    every = said.unique()
    names = every.take(pc.array_sort_indices(every))
    exposures["group"] = pc.index_in(said, names).to_numpy().astype(np.int32)
    return names


def _owned(members: Lists, spaces: Mapping[Space, _Space]) -> dict[str, Columns]:
    """Return which accounts and domains belong to which brand, -1 for an undeclared one."""
    rows = pa.table({name: pa.array(values, pa.string()) for name, values in members.items()})
    accounts, domains = (
        rows.filter(pc.equal(rows["kind"], kind)).combine_chunks() for kind in ("account", "domain")
    )
    people = accounts["value"]
    handles, claimants = resolve_handles(spaces["user"].rows)
    people = pc.coalesce(pc.take(claimants, pc.index_in(people, handles)), people)
    topics = pc.binary_join_element_wise("domain", domains["value"], ":")
    return {
        "brand_accounts": {
            "brand": spaces["brand"].of_ids(accounts["brand_id"]),
            "user": spaces["user"].of_ids(people),
        },
        "brand_domains": {
            "brand": spaces["brand"].of_ids(domains["brand_id"]),
            "topic": spaces["topic"].of_ids(topics),
        },
    }
