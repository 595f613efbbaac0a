"""Adopting somebody's own graph: understand it, say what was understood, and only then keep it.

Nothing here writes to the graph. It is looked at path by path, cheap questions first: are
there such nodes, is there such a property. Then all of it is read once, so that what is
said is counted and not guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import pyarrow.compute as pc

import cypher
from cypher.path import Path, Property, Word
from engine.backends.neo4j.adopted_rows import PartRows, read_tables
from engine.backends.neo4j.adoption import Adoption, Understood
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.mapping import KEYS, Key, Part, Source, parts
from engine.errors import UsageError
from engine.progress import Progress, silent

__all__ = ["told", "understand"]

_SHOWN: Final = 12
"""Names listed in an error."""
_UNIQUE: Final = frozenset({"UNIQUENESS", "NODE_PROPERTY_UNIQUENESS", "NODE_KEY"})
_KEYS_CAN_BE: Final = frozenset({"STRING NOT NULL", "INTEGER NOT NULL", "NULL"})


def understand(
    link: Link,
    options: Mapping[str, Sequence[str]],
    *,
    platform: str = "graph",
    progress: Progress = silent,
) -> Adoption:
    """Return the mapping of a graph with keys, counts, and sentences on what it means.

    Parameters
    ----------
    link
        The database that holds the graph; it is only read.
    options
        Paths by option (`engine.backends.neo4j.mapping.ROLES`).
    platform
        First part of every id.

    Raises
    ------
    UsageError
        If a path matches nothing, a property does not exist, nodes have no key that can be
        found, or no value of a property can be what it should.
    """
    said = parts(options)
    if not said:
        raise UsageError(
            "to adopt a graph",
            "nothing was said about it",
            "name at least --users and what they do, such as"
            ' --shares "(:Person)-[:RETWEETED]->(:Tweet)"',
        )
    for one in said:
        _check_there(link, one)
    keyed = _keyed(link, said)
    for one in keyed:
        for source in one.sources:
            _check_property(link, one, source)
    _check_one_key(keyed)
    whole = frozenset(key for key in _every_key(keyed) if _is_whole(link, key))
    adoption = Adoption(keyed, platform, whole=whole)
    _, found = read_tables(link, adoption, progress)
    for part_rows in found:
        _check_readable(part_rows)
    return replace(adoption, understood=tuple(told(f, adoption) for f in found))


def _named(name: str, path: Path) -> str:
    return cypher.statement(name, "neo4j").named(path=path)


def _check_there(link: Link, part: Part) -> None:
    wanted = f"--{part.role.name} '{part}'"
    text = _named("adopted_some", part.path)
    if link.read(text, {"place": None, "property": None}, wanted=wanted).one("some"):
        return
    names = link.read(cypher.statement("adopted_names", "neo4j").text, wanted=wanted).rows()[0]
    raise UsageError(
        wanted,
        "nothing in the graph matches it",
        f"labels there: {_listed(names['labels'])}; types: {_listed(names['types'])}",
    )


def _check_property(link: Link, part: Part, source: Source) -> None:
    if not isinstance(source.value, Property):
        return
    wanted = f"--{part.role.name} '{part}': {source.column} from {source.value}"
    given = {"place": source.place, "property": source.value.name}
    if not link.read(_named("adopted_some", part.path), given, wanted=wanted).one("some"):
        raise UsageError(
            wanted,
            f"no {_element(part, source.place)} has the property {source.value}",
            f"properties there: {_listed(_properties(link, part, source.place))}",
        )


def _properties(link: Link, part: Part, place: int) -> Sequence[str]:
    found = link.read(_named("adopted_properties", part.path), {"place": place})
    return found.columns["property"]


def _element(part: Part, place: int) -> str:
    nodes = part.path.nodes
    if place < len(nodes):
        return str(Path(replace(nodes[place], values=())))
    return f"[:{'|'.join(part.path.elements[place].names)}]"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(sorted(names)[:_SHOWN])
    return (shown + (", …" if len(names) > _SHOWN else "")) or "none"


def _keyed(link: Link, said: Sequence[Part]) -> tuple[Part, ...]:
    """Return the parts with a key at each end: as given, else as elsewhere, else the unique one."""
    known: dict[str, str] = {}
    for one in said:
        for _, space, _, element in one.ends:
            value = element.get(KEYS[space])
            if isinstance(value, Property):
                known |= dict.fromkeys(element.names, value.name)
    unique = _unique(link)
    keyed = []
    for one in said:
        found = {}
        for _, space, place, element in one.ends:
            if element.get(KEYS[space]) is None:
                names = [n for by in (known, unique) for n in element.names if n in by]
                if not names:
                    raise _no_key(link, one, place, KEYS[space])
                found[place] = known.get(names[0]) or unique[names[0]]
        keyed.append(one.keyed(found))
    return tuple(keyed)


def _unique(link: Link) -> dict[str, str]:
    """Return the property of each label that one constraint alone makes unique."""
    rows = link.read(
        cypher.statement("constraints", "neo4j").text, wanted="to find the keys of labels"
    ).rows()
    found: dict[str, set[str]] = {}
    for row in rows:
        if row["entity"] == "NODE" and row["type"] in _UNIQUE and len(row["properties"]) == 1:
            found.setdefault(row["labels"][0], set()).add(row["properties"][0])
    return {label: names.pop() for label, names in found.items() if len(names) == 1}


def _no_key(link: Link, part: Part, place: int, key: str) -> UsageError:
    seen = _properties(link, part, place)
    element = _element(part, place)
    shown = element.removesuffix(")") + f" {{{key}: {seen[0] if seen else 'property'}}})"
    return UsageError(
        f"--{part.role.name} '{part}': the key of {element}",
        "no property of it is said or known to be unique",
        f"name one, such as {shown}; properties there: {_listed(seen)}",
    )


def _every_key(said: Sequence[Part]) -> list[Key]:
    return list(dict.fromkeys(one.key(end) for one in said for end in range(len(one.role.ends))))


def _check_one_key(said: Sequence[Part]) -> None:
    """Refuse a label with two keys: one person would become two."""
    first: dict[tuple[str, ...], Key] = {}
    for key in _every_key(said):
        before = first.setdefault(key.labels, key)
        if before != key:
            raise UsageError(
                f"to adopt nodes as {before}", f"elsewhere they are {key}", "name one key"
            )


def _is_whole(link: Link, key: Key) -> bool:
    """Say whether a key is a whole number in every node."""
    wanted = f"the key of {key}"
    rows = link.read(
        _named("adopted_kinds", key.match("key")), {"property": key.property}, wanted=wanted
    ).rows()
    odd = [row for row in rows if row["kind"] not in _KEYS_CAN_BE]
    if odd:
        raise UsageError(
            wanted,
            f"{odd[0]['nodes']:,} nodes hold a {odd[0]['kind'].removesuffix(' NOT NULL')}",
            "name a property that holds text or whole numbers",
        )
    return {row["kind"] for row in rows} - {"NULL"} == {"INTEGER NOT NULL"}


def _check_readable(found: PartRows) -> None:
    """Refuse a property of which no value can be what it should."""
    for column, odd in found.odd.items():
        if odd.count == found.filled[column]:
            source = next(s for s in found.part.sources if s.column == column)
            raise UsageError(
                f"--{found.part.role.name} '{found.part}': {column} from {source.value}",
                f"none of its {odd.count:,} values can be that, such as '{odd.example}'",
                "name another property, or leave it out",
            )


def told(found: PartRows, adoption: Adoption) -> Understood:
    """Say what a path gave: an example in a sentence, how many, and what could not be read."""
    part = found.part
    ends = [_shown(found, adoption, end) for end in range(len(part.ends))]
    says = " ".join([ends[0], part.role.verb, *ends[1:]])
    at = found.example.get("at") or found.example.get("created_at")
    if at and len(ends) > 1:
        says += f" at {at}"
    notes = []
    if found.acts:
        notes.append(f"{len(found.acts):,} nodes between are shares, and no contents themselves")
    if len(ends) == 1 and (same := found.table.num_rows - _distinct(found)):
        notes.append(f"{same:,} nodes have the key of another, and count as one with it")
    return Understood(
        part.role.name,
        str(part),
        part.role.table,
        found.table.num_rows,
        says,
        found.left_out,
        tuple((column, odd.count, odd.example) for column, odd in sorted(found.odd.items())),
        tuple(notes),
    )


def _distinct(found: PartRows) -> int:
    column, *_ = found.part.ends[0]
    return int(pc.count_distinct(found.table[column]).as_py())


def _shown(found: PartRows, adoption: Adoption, end: int) -> str:
    """Return an end as its label, and its key in the first row."""
    column, _, place, _ = found.part.ends[end]
    element, key = _element(found.part, place), found.part.key(end)
    value = found.example.get(column)
    if value is None:
        return element
    held = value if key in adoption.whole else str(Word(value))
    return f"{element.removesuffix(')')} {{{Property(key.property)}: {held}}})"
