"""A path through somebody's own graph, as they write it: labels, types, directions, properties.

    (:Person {user_id: name})-[:RETWEETED {at: when}]->(:Tweet)

A label, type or property is a plain name, or anything between backticks. What stands in
braces says which column of kindred's model a property fills (`at: when`), or the word that
every row has there (`kind: 'quote'`). Names of variables are allowed and forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from cypher import quoted

__all__ = ["Element", "Hop", "Path", "PathError", "Property", "Word", "parse_path"]

Direction = Literal["->", "<-", "--"]


@dataclass(frozen=True, slots=True)
class Property:
    """A value that a property of theirs holds."""

    name: str

    def __str__(self) -> str:
        return _name(self.name)


@dataclass(frozen=True, slots=True)
class Word:
    """A value that is the same in every row."""

    text: str

    def __str__(self) -> str:
        escaped = self.text.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"


@dataclass(frozen=True, slots=True)
class Element:
    """A node or relationship of a path: its labels or types, and what its properties fill.

    A node has all of its labels; a relationship has one of its types.
    """

    names: tuple[str, ...] = ()
    values: tuple[tuple[str, Property | Word], ...] = ()

    def get(self, column: str) -> Property | Word | None:
        """Return what fills a column, None where nothing is said."""
        return dict(self.values).get(column)


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a path: a relationship, which way it points, and the node it leads to."""

    relationship: Element
    direction: Direction
    node: Element


@dataclass(frozen=True, slots=True)
class Path:
    """A node, or a line of nodes.

    Examples
    --------
    >>> path = parse_path("(p:Person {user_id: name})<-[:`by whom`]-(:Post)")
    >>> str(path)
    '(:Person {user_id: name})<-[:`by whom`]-(:Post)'
    >>> path.pattern
    '(first:`Person`)<-[:`by whom`]-(last:`Post`)'
    """

    first: Element
    hops: tuple[Hop, ...] = ()

    @property
    def nodes(self) -> tuple[Element, ...]:
        """The nodes from first to last."""
        return (self.first, *(hop.node for hop in self.hops))

    @property
    def relationships(self) -> tuple[Element, ...]:
        """The relationships from first to last."""
        return tuple(hop.relationship for hop in self.hops)

    @property
    def elements(self) -> tuple[Element, ...]:
        """The nodes, then the relationships, as `nodes(p) + relationships(p)` in Cypher."""
        return self.nodes + self.relationships

    @property
    def pattern(self) -> str:
        """The path as Cypher matches it: every name quoted, its ends called first and last."""
        last = len(self.hops)

        def inside(element: Element, between: str, place: int) -> str:
            variable = "first" if place == 0 else "last" if place == last else ""
            names = between.join(quoted(name) for name in element.names)
            return f"{variable}:{names}" if names else variable

        return self._drawn(inside)

    def __str__(self) -> str:
        def inside(element: Element, between: str, _place: int) -> str:
            names = between.join(_name(name) for name in element.names)
            values = ", ".join(f"{_name(column)}: {value}" for column, value in element.values)
            parts = (f":{names}" if names else "", f"{{{values}}}" if values else "")
            return " ".join(part for part in parts if part)

        return self._drawn(inside)

    def _drawn(self, inside: Callable[[Element, str, int], str]) -> str:
        """Draw the path; `inside` is told what stands between names, and the node's place."""
        parts = [f"({inside(self.first, ':', 0)})"]
        for place, hop in enumerate(self.hops, 1):
            left = "<-" if hop.direction == "<-" else "-"
            right = "->" if hop.direction == "->" else "-"
            parts.append(f"{left}[{inside(hop.relationship, '|', -1)}]{right}")
            parts.append(f"({inside(hop.node, ':', place)})")
        return "".join(parts)


class PathError(ValueError):
    """A text is not a path.

    Parameters
    ----------
    at
        The character, from 0, at which it stops being one.
    expected
        What could have stood there.
    """

    def __init__(self, text: str, at: int, expected: str) -> None:
        self.at = at
        self.expected = expected
        met = f"'{text[at : at + 12]}'" if at < len(text) else "its end"
        super().__init__(f"at character {at + 1}, {met}: expected {expected}")


_PLAIN: Final = re.compile(r"[^\W\d]\w*")
_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<name>[^\W\d]\w*)
    | `(?P<quoted>(?:[^`]|``)+)`
    | '(?P<single>(?:[^'\\]|\\.)*)'
    | "(?P<double>(?:[^"\\]|\\.)*)"
    | (?P<mark><-|->|[-()\[\]{}:,|&])
    )""",
    re.VERBOSE | re.DOTALL,
)


def _name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else f"`{name.replace('`', '``')}`"


def parse_path(text: str) -> Path:
    r"""Read a path. O(length).

    Raises
    ------
    PathError
        If the text is not one; it says where and what was expected.

    Examples
    --------
    >>> parse_path("(:User)-[:POSTS]->(:Tweet {at: created})-[:QUOTES]->(:Tweet)").hops[1].direction
    '->'
    >>> parse_path("(:User)-[:POSTS]=>(:Tweet)")
    Traceback (most recent call last):
        ...
    cypher.path.PathError: at character 17, '=>(:Tweet)': expected '->' or '-'
    """
    reader = _Reader(text)
    first = reader.node()
    hops = []
    while not reader.ended:
        hops.append(reader.hop())
    return Path(first, tuple(hops))


class _Reader:
    """Reads a text from left to right, one token ahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._look()

    def _look(self) -> None:
        found = _TOKEN.match(self._text, self._at)
        self._kind = found.lastgroup if found else None
        self._value = found[found.lastgroup] if found and found.lastgroup else ""
        self._next = found.end() if found else self._at

    @property
    def ended(self) -> bool:
        """Nothing but blanks is left."""
        return not self._text[self._at :].strip()

    def _fail(self, expected: str) -> PathError:
        blanks = len(self._text[self._at :]) - len(self._text[self._at :].lstrip())
        return PathError(self._text, self._at + blanks, expected)

    def _take(self, *marks: str) -> str | None:
        """Take one of these marks if it is next."""
        if self._kind != "mark" or self._value not in marks:
            return None
        return self._advance()

    def _advance(self) -> str:
        value, self._at = self._value, self._next
        self._look()
        return value

    def _need(self, *marks: str) -> str:
        found = self._take(*marks)
        if found is None:
            raise self._fail(" or ".join(f"'{mark}'" for mark in marks))
        return found

    def _name(self, what: str) -> str:
        if self._kind not in {"name", "quoted"}:
            raise self._fail(what)
        plain = self._kind == "name"
        value = self._advance()
        return value if plain else value.replace("``", "`")

    def node(self) -> Element:
        """Read `(:Label {column: property})`."""
        self._need("(")
        element = self._element((":", "&"), "a label")
        self._need(")")
        return element

    def hop(self) -> Hop:
        """Read `-[:TYPE {column: property}]->(:Label)`, in either direction."""
        left = self._need("-", "<-")
        element = Element()
        if self._take("["):
            element = self._element(("|",), "a type")
            self._need("]")
        right = self._need("->", "-") if left == "-" else self._need("-")
        direction: Direction = "<-" if left == "<-" else "->" if right == "->" else "--"
        return Hop(element, direction, self.node())

    def _element(self, between: tuple[str, ...], what: str) -> Element:
        names = []
        variable = self._kind in {"name", "quoted"}
        if variable:  # it means nothing here, unless it was meant for a label
            self._advance()
        if self._need(":") if variable else self._take(":"):
            names.append(self._name(what))
            while self._take(*between):
                self._take(":")
                names.append(self._name(what))
        return Element(tuple(names), tuple(self._values()))

    def _values(self) -> list[tuple[str, Property | Word]]:
        found: list[tuple[str, Property | Word]] = []
        if not self._take("{") or self._take("}"):
            return found
        while True:
            column = self._name("the name of a column")
            self._need(":")
            found.append((column, self._value_of(column)))
            if self._need(",", "}") == "}":
                return found

    def _value_of(self, column: str) -> Property | Word:
        if self._kind in {"single", "double"}:
            return Word(re.sub(r"\\(.)", r"\1", self._advance(), flags=re.DOTALL))
        return Property(self._name(f"the property that holds {column}, or a word in quotes"))
