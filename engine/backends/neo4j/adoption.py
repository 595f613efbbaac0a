"""A mapping as it is kept in the place where the results go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

import orjson

from engine.backends.neo4j.layout import BESIDE, Names
from engine.backends.neo4j.mapping import Key, Part, Space, part
from engine.errors import StoreDamaged, UsageError

__all__ = ["Adoption", "Understood"]

_SPACES: Final[Mapping[str, Space]] = {"User": "user", "Brand": "brand"}
"""Nodes that hold a key of the graph. That of a topic is its label, as it is compared."""


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Understood:
    """What a path gave: how many rows, what could not be read, and a sentence with an example.

    `odd` names a column, how many of its values cannot be what they should, and one of them;
    `notes` say what else there is to know.
    """

    option: str
    path: str
    table: str
    rows: int
    says: str
    left_out: int = 0
    odd: tuple[tuple[str, int, str], ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """Read what `asdict` made."""
        odd = tuple((column, count, example) for column, count, example in value["odd"])
        return cls(**{**value, "odd": odd, "notes": tuple(value["notes"])})

    @property
    def remarks(self) -> tuple[str, ...]:
        """What could not be read, and what else there is to know."""
        return (*(sentence for _, sentence, _ in self.unreadable()), *self.notes)

    def unreadable(self) -> Iterator[tuple[str, str, str | None]]:
        """Yield what could not be read: a reason, a sentence, an example."""
        if self.left_out:
            missing = "a key is missing, or a weight cannot be read"
            yield "no_id", f"{_many(self.left_out, 'row')} left out: {missing}", None
        for column, count, example in self.odd:
            said = f"{_many(count, 'value')} of {column} cannot be read, such as '{example}'"
            yield "value", said, example


@dataclass(frozen=True, slots=True)
class Adoption:
    """A mapping as it is kept: of which graph, under which names, and what it found.

    Parameters
    ----------
    parts
        With keys at all ends.
    platform
        Ids are `platform:key`.
    address, database
        The server that holds the graph. None is the one that the results stand on.
    whole
        Keys that are whole numbers on their side.
    understood
        What each part gave when it was adopted.
    """

    parts: tuple[Part, ...]
    platform: str
    address: str | None = None
    database: str | None = None
    whole: frozenset[Key] = frozenset()
    understood: tuple[Understood, ...] = ()

    def of(self, *roles: str) -> tuple[Part, ...]:
        """Return the parts of these roles."""
        return tuple(one for one in self.parts if one.role.name in roles)

    def keys(self, space: Space) -> tuple[Key, ...]:
        """Return which nodes are users (contents, …): those named so first."""
        found = [
            (len(one.role.ends), one.key(end))
            for one in self.parts
            for end, (_, kind, _, _) in enumerate(one.ends)
            if kind == space
        ]
        return tuple(dict.fromkeys(key for _, key in sorted(found, key=lambda f: f[0])))

    @property
    def names(self) -> Names:
        """What kindred's own nodes are called beside this graph, and the keys they hold."""
        whole = {
            node
            for node, space in _SPACES.items()
            if (keys := self.keys(space)) and self.whole.issuperset(keys)
        }
        return replace(BESIDE, whole=frozenset(whole))

    def to_json(self) -> str:
        """Return the mapping as text that `from_json` reads."""
        return orjson.dumps(
            {
                "parts": [(one.role.name, str(one)) for one in self.parts],
                "platform": self.platform,
                "address": self.address,
                "database": self.database,
                "whole": sorted((key.labels, key.property) for key in self.whole),
                "understood": [asdict(one) for one in self.understood],
            }
        ).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote.

        Raises
        ------
        StoreDamaged
            If it is something else.
        """
        try:
            value: dict[str, Any] = orjson.loads(text)
            return cls(
                tuple(part(name, path) for name, path in value["parts"]),
                value["platform"],
                value["address"],
                value["database"],
                frozenset(Key(tuple(labels), name) for labels, name in value["whole"]),
                tuple(Understood.of(one) for one in value["understood"]),
            )
        except (ValueError, KeyError, TypeError, UsageError) as fault:
            raise StoreDamaged(
                "the mapping of an adopted graph",
                f"what is kept of it cannot be read ({type(fault).__name__}: {fault})",
                "adopt the graph again: kindred adopt",
            ) from fault
