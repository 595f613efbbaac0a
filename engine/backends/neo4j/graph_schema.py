"""What a database must promise: one node a key, and a quick way to it. Made once, checked.

`IF NOT EXISTS` says nothing where a name is taken by something else, or where the same
promise stands under another name. So what is there is read first, and read again after.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

import cypher
from engine.backends.neo4j import layout
from engine.backends.neo4j.driver import Link, Rows, Work
from engine.errors import ServerError
from engine.model import NODES

__all__ = ["Key", "drop", "ensure", "keys", "missing"]

_WANTED: Final = "to prepare the database for kindred"

_SAME: Final = frozenset({"UNIQUENESS", "NODE_PROPERTY_UNIQUENESS", "NODE_KEY"})
"""What servers call a constraint that makes a key unique."""


@dataclass(frozen=True, slots=True)
class Key:
    """Properties by which nodes of a label are found: one, or a pair.

    Where it is `unique`, no two nodes agree in them.
    """

    label: str
    properties: tuple[str, ...]
    unique: bool = True

    @property
    def kind(self) -> Literal["constraint", "index"]:
        """What makes it."""
        return "constraint" if self.unique else "index"

    @property
    def name(self) -> str:
        """The name that kindred gives what makes it.

        Examples
        --------
        >>> Key("User", ("user_id",)).name
        'kindred_unique_User'
        """
        word = "unique" if self.unique else "index"
        return f"{layout.PREFIX}{word}_{self.label.removeprefix(layout.PREFIX)}"

    def __str__(self) -> str:
        return f"{_told([self.label], self.properties)}{' unique' if self.unique else ' indexed'}"

    def made_by(self) -> str:
        """Return the statement that makes it."""
        slots = dict(zip(("first", "second"), self.properties, strict=False))
        slots |= {self.kind: self.name, "label": self.label}
        if not self.unique:
            return cypher.statement("index", "neo4j").named(**slots)
        name = "unique" if len(self.properties) == 1 else "unique_pair"
        return cypher.statement(name, "neo4j").named(**slots)

    def dropped_by(self) -> str:
        """Return the statement that drops it."""
        return cypher.statement(f"drop_{self.kind}", "neo4j").named(**{self.kind: self.name})


_BOOKKEEPING: Final = (
    Key(layout.STORE, ("name",)),
    Key(layout.LOCK, ("name",)),
    Key(layout.BATCH, ("number",)),
    Key(layout.HANDLE, ("user_id",)),
    Key(layout.NAME, ("name",)),
    Key(layout.EXPOSURE, ("content_id",), unique=False),
    Key(layout.RESULT, ("run_id",)),
    Key(layout.PUBLICATION, ("place",)),
    Key(layout.FILE, ("key",)),
    Key(layout.CHUNK, ("key",)),
)
"""Keys by which bookkeeping is looked up."""


def keys(names: layout.Names = layout.OWN) -> tuple[Key, ...]:
    """Return the keys of the model and of bookkeeping, under the names of a database.

    Of communities two runs may stand side by side while one takes the other's place.

    Examples
    --------
    >>> [str(key) for key in keys(layout.BESIDE)][:2]
    ['(:kindred_User {user_id}) unique', '(:kindred_Brand {brand_id}) unique']
    """
    model = tuple(
        Key(names.of(name), (node.key, "kindred_run") if name == "Community" else (node.key,))
        for name, node in NODES.items()
    )
    return (*model, Key(names.of("User"), (layout.CLAIM,), unique=False), *_BOOKKEEPING)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A constraint, or an index that is not one's, as it stands in the database."""

    name: str
    type: str
    entity: str
    labels: tuple[str, ...]
    properties: tuple[str, ...]
    kind: Literal["constraint", "index"]

    @classmethod
    def all(cls, rows: Rows, kind: Literal["constraint", "index"]) -> Iterator[Self]:
        """Read the rows of `constraints` or `indexes`."""
        for row in rows.rows():
            labels, properties = tuple(row["labels"] or ()), tuple(row["properties"] or ())
            yield cls(row["name"], row["type"], row["entity"], labels, properties, kind)

    def __str__(self) -> str:
        place = _told(self.labels, self.properties)
        return f"the {self.type.lower()} {self.kind} {self.name} on {place}"

    def covers(self, key: Key) -> bool:
        """Say whether it is about the same label and properties, in the same order."""
        return (self.entity, self.labels, self.properties) == ("NODE", (key.label,), key.properties)

    def keeps(self, key: Key) -> bool:
        """Say whether it does what the key asks for, under whatever name."""
        if not self.covers(key):
            return False
        if self.kind == "constraint":
            return self.type in _SAME
        return not key.unique and self.type == "RANGE"


def ensure(link: Link) -> None:
    """Make what is missing, all of it or nothing, and check that it stands.

    Raises
    ------
    ServerError
        If a name of kindred's is taken by something else, a plain index is in the way, or
        nodes that are there agree in what must be unique. Nothing is made then.
    AccessDenied
        If the user may not look at or make constraints.
    """
    wanted = missing(link)
    if not wanted:
        return

    def make(work: Work) -> None:
        for key in wanted:
            work.run(key.made_by())

    link.writing(make, wanted=f"{_WANTED}: {', '.join(map(str, wanted))}")
    if left := missing(link):
        raise ServerError(
            _WANTED,
            f"the server did not make {', '.join(map(str, left))}",
            "look into the server's log",
        )


def missing(link: Link) -> list[Key]:
    """Return the keys that the database does not have yet.

    Raises
    ------
    ServerError
        If something that is there makes one impossible.
    """
    rules = link.reading(_rules, wanted=_WANTED)
    wanted = [key for key in keys(link.names) if not any(rule.keeps(key) for rule in rules)]
    for key in wanted:
        _check_free(key, rules)
    return wanted


def _rules(work: Work) -> list[_Rule]:
    return [
        *_Rule.all(work.run(cypher.statement("constraints", "neo4j").text), "constraint"),
        *_Rule.all(work.run(cypher.statement("indexes", "neo4j").text), "index"),
    ]


def _check_free(key: Key, rules: Sequence[_Rule]) -> None:
    for rule in rules:
        if rule.kind == "index" and rule.name == key.name and rule.covers(key):
            # The index of a constraint that another process is making: it comes first. If it
            # is a plain one, the server says so when this process makes its own.
            continue
        if rule.name == key.name:
            raise ServerError(
                f"{_WANTED}: {key}, as {key.name}",
                f"that name is taken by {rule}",
                f"drop it, or give it another name: DROP {rule.kind.upper()} {rule.name}",
            )
        if rule.covers(key) and rule.type == "RANGE":
            raise ServerError(
                f"{_WANTED}: {key}",
                f"{rule} is in the way",
                f"drop it, a unique one takes its place: DROP INDEX {rule.name}",
            )


def drop(link: Link) -> None:
    """Drop what is kindred's own by name and shape; what others made for the same stays."""
    rules = link.reading(_rules, wanted=_WANTED)
    own = [
        key
        for key in keys(link.names)
        if any(rule.name == key.name and rule.keeps(key) for rule in rules)
    ]

    def run(work: Work) -> None:
        for key in own:
            work.run(key.dropped_by())

    link.writing(run, wanted="to drop kindred's constraints")


def _told(labels: Sequence[str], properties: Sequence[str]) -> str:
    return f"(:{':'.join(labels)} {{{', '.join(properties)}}})"
