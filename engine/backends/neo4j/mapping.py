"""A mapping: what somebody's own labels, types and properties mean in kindred's model.

It is declared as text, one or more paths an option (`shares`, `follows`, …), kept as the
same text, and read by `cypher.path`. The ends of a path are the two things that a row of
a canonical table joins; what stands between them may carry more of the row's columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Self

from cypher.path import Element, Path, PathError, Property, Word, parse_path
from engine.errors import UsageError
from engine.model import CANONICAL, INTERACTION_KINDS, REACTION_KINDS, SHARE_KINDS, TOPIC_KINDS

__all__ = ["KEYS", "ROLES", "Key", "Part", "Role", "Source", "Space", "part", "parts"]

Space = Literal["user", "content", "brand", "topic"]

KEYS: Final[Mapping[Space, str]] = {
    "user": "user_id",
    "content": "content_id",
    "brand": "brand_id",
    "topic": "label",
}
"""What the key of each kind of thing is called in a path."""

_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "shares": SHARE_KINDS,
    "reactions": REACTION_KINDS,
    "interactions": INTERACTION_KINDS,
    "topics": TOPIC_KINDS,
}


@dataclass(frozen=True, slots=True)
class Role:
    """What an option maps: rows of a canonical table.

    `ends` are the columns that the path's first and last node fill, each with the kind of
    thing it is; `more` the columns that anything on the path may fill, under the names they
    have in a path; `words` what a column holds where the path does not say.
    """

    name: str
    table: str
    verb: str
    ends: tuple[tuple[str, Space], ...]
    more: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The values that its column `kind` may have; empty where it has none."""
        return _KINDS.get(self.table, ()) if "kind" in self.more else ()


def _node(name: str, table: str, column: str, space: Space) -> Role:
    more = {c.name: c.name for c in CANONICAL[table].columns if c.name != column}
    return Role(name, table, f"is a {space}", ((column, space),), more)


def _edge(
    name: str,
    table: str,
    verb: str,
    ends: tuple[tuple[str, Space], tuple[str, Space]],
    *more: str,
    kind: str | None = None,
) -> Role:
    columns = {column: column for column in more} | ({"kind": "kind"} if kind else {})
    return Role(name, table, verb, ends, columns, {"kind": kind} if kind else {})


_USER: Final[tuple[str, Space]] = ("user_id", "user")

ROLES: Final[Mapping[str, Role]] = {
    role.name: role
    for role in (
        _node("users", "users", "user_id", "user"),
        _node("content", "content", "content_id", "content"),
        _node("brands", "brands", "brand_id", "brand"),
        Role(
            "posts", "content", "posted",
            (("author_id", "user"), ("content_id", "content")), {"at": "created_at"},
        ),
        _edge(
            "shares", "shares", "shared", (_USER, ("content_id", "content")),
            "at", "via_user_id", kind="share",
        ),
        _edge(
            "likes", "reactions", "liked", (_USER, ("content_id", "content")),
            "at", "score", kind="like",
        ),
        _edge(
            "replies", "replies", "replied to", (_USER, ("parent_content_id", "content")),
            "at", "content_id",
        ),
        _edge(
            "mentions", "mentions", "mentioned", (_USER, ("target_id", "user")),
            "at", "content_id",
        ),
        _edge("follows", "follows", "follows", (("follower_id", "user"), ("followee_id", "user")),
              "at"),
        _edge(
            "interactions", "interactions", "did something with", (_USER, ("target_id", "user")),
            "at", "weight", kind="unknown",
        ),
        _edge(
            "topics", "topics", "is about", (("content_id", "content"), ("label", "topic")),
            kind="hashtag",
        ),
        Role(
            "accounts", "brand_members", "is an account of",
            (("value", "user"), ("brand_id", "brand")), {}, {"kind": "account"},
        ),
    )
}  # fmt: skip
"""What can be mapped, by the name of the option."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a column of a canonical table comes from: a property of an element, or a word.

    `place` counts the path's nodes, then its relationships.
    """

    column: str
    place: int
    value: Property | Word


@dataclass(frozen=True, slots=True)
class Key:
    """Which nodes are a kind of thing, and the property that tells them apart."""

    labels: tuple[str, ...]
    property: str

    def match(self, column: str) -> Path:
        """Return the path that matches these nodes, whose key fills this column."""
        return Path(Element(self.labels, ((column, Property(self.property)),)))

    def __str__(self) -> str:
        return str(self.match("key"))


@dataclass(frozen=True, slots=True)
class Part:
    """One path of a mapping and what it means. Its ends have keys once `keyed`."""

    role: Role
    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def ends(self) -> tuple[tuple[str, Space, int, Element], ...]:
        """Column, kind of thing, place and element of each end."""
        nodes = self.path.nodes
        places = (0,) if len(self.role.ends) == 1 else (0, len(nodes) - 1)
        return tuple(
            (column, space, place, nodes[place])
            for (column, space), place in zip(self.role.ends, places, strict=True)
        )

    def key(self, end: int) -> Key:
        """Return the key of an end."""
        _, space, _, element = self.ends[end]
        value = element.get(KEYS[space])
        if isinstance(value, Property):
            return Key(element.names, value.name)
        msg = f"{self} has no key at its end {end}"
        raise LookupError(msg)

    def keyed(self, keys: Mapping[int, str]) -> Part:
        """Return the part with these properties as keys of its ends, by place."""
        path = self.path
        for _, space, place, element in self.ends:
            if place in keys:
                value = (KEYS[space], Property(keys[place]))
                rest = tuple(v for v in element.values if v[0] != KEYS[space])
                path = _with_node(path, place, replace(element, values=(value, *rest)))
        return replace(self, path=path)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where each column comes from, the ends first."""
        found = [
            Source(column, place, value)
            for column, space, place, element in self.ends
            if (value := element.get(KEYS[space])) is not None
        ]
        found += [
            Source(self.role.more[name], place, value) for place, name, value in self._between()
        ]
        said = {source.column for source in found}
        found += [
            Source(column, 0, Word(word))
            for column, word in self.role.words.items()
            if column not in said
        ]
        return tuple(found)

    def _between(self) -> Iterator[tuple[int, str, Property | Word]]:
        """Yield what the path says beside its ends' keys: place, name, value."""
        keys = {place: KEYS[space] for _, space, place, _ in self.ends}
        for place, element in enumerate(self.path.elements):
            for name, value in element.values:
                if keys.get(place) != name:
                    yield place, name, value

    def check(self) -> Self:
        """Return the part if it says something that can be.

        Raises
        ------
        UsageError
            With what is wrong with the path.
        """
        wanted = f"--{self.role.name} '{self}'"
        one = len(self.role.ends) == 1
        if one and self.path.hops:
            raise UsageError(wanted, "it is a path", "give one node, such as (:Person)")
        if not one and not self.path.hops:
            raise UsageError(
                wanted, "it is one node", "give a path, such as (:Person)-[:RETWEETED]->(:Tweet)"
            )
        for _, _, _, element in self.ends:
            if not element.names:
                raise UsageError(wanted, "an end has no label", "give it one, such as (:Person)")
        if not all(r.names for r in self.path.relationships):
            raise UsageError(
                wanted, "a relationship has no type", "give it one, such as -[:RETWEETED]->"
            )
        self._check_values(wanted)
        return self

    def _check_values(self, wanted: str) -> None:
        seen: set[str] = set()
        for _, space, _, element in self.ends:
            if isinstance(element.get(KEYS[space]), Word):
                raise UsageError(wanted, f"{KEYS[space]} is a word", "name a property")
        for _, name, value in self._between():
            known = ", ".join(dict.fromkeys([*(KEYS[s] for _, s in self.role.ends),
                                             *self.role.more]))  # fmt: skip
            if name not in self.role.more:
                raise UsageError(wanted, f"there is no column '{name}'", f"take one of {known}")
            if name in seen:
                raise UsageError(wanted, f"'{name}' is said twice", "say it once")
            seen.add(name)
            if name == "kind" and isinstance(value, Word) and self.role.kinds:
                _check_kind(wanted, value, self.role.kinds)


def _check_kind(wanted: str, value: Word, kinds: Sequence[str]) -> None:
    if value.text not in kinds:
        raise UsageError(
            wanted, f"there is no kind '{value.text}'", f"take one of {', '.join(kinds)}"
        )


def _with_node(path: Path, place: int, node: Element) -> Path:
    if place == 0:
        return replace(path, first=node)
    hops = list(path.hops)
    hops[place - 1] = replace(hops[place - 1], node=node)
    return replace(path, hops=tuple(hops))


def parts(options: Mapping[str, Sequence[str]]) -> tuple[Part, ...]:
    """Read paths by option.

    Raises
    ------
    UsageError
        If a text is no path, or says something that the model has no place for.

    Examples
    --------
    >>> (one,) = parts({"shares": ["(:Person)-[:RETWEETED {at: when}]->(:Tweet)"]})
    >>> [(s.column, s.place, str(s.value)) for s in one.sources]
    [('at', 2, 'when'), ('kind', 0, "'share'")]
    """
    return tuple(part(name, text) for name in ROLES for text in options.get(name) or ())


def part(name: str, text: str) -> Part:
    """Read the path of an option. Raises as `parts` does."""
    role = ROLES[name]
    try:
        return Part(role, parse_path(text)).check()
    except PathError as fault:
        raise UsageError(
            f"--{role.name} '{text}'",
            f"it is no path: {fault}",
            "write it as (:Person) or (:Person)-[:RETWEETED {at: when}]->(:Tweet)",
        ) from fault
