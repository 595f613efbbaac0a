"""Named Cypher statements: one a `.cypher` file, with a header that says what it does.

A header is the comment at the top of the file::

    // name: users
    // about: returns the properties of these users, in the order asked for
    // parameters: ids (LIST OF STRING) user ids
    // returns: position, user_id, name

`parameters` may stand on several lines, one a parameter; `none` where there are none.
Values reach a statement as parameters only, and only through `$name`.

A label, relationship type or property that is not known when the file is written has a
slot, `{{label}}`, and is declared by a line `// identifiers: label`. `Statement.named`
fills slots, quoted, or with a whole path (`cypher.path`). What fills them comes from
`engine.model`, or from a person's own mapping of a graph; never from data.

`users.cypher` is for every store; `users.neo4j.cypher` takes its place on a Neo4j server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from cypher.path import Path

__all__ = ["ROOMS", "Dialect", "Statement", "parse", "quoted", "statement", "statements"]

Dialect = Literal["neo4j"]
"""Whose Cypher: that of a Neo4j server."""

ROOMS: Final = ("adopt", "clean", "gds", "load", "project", "publish", "read", "schema")
"""Folders of statements. Those that make and fill an embedded graph are written from the
model; `read` is what every store answers."""

_LINE: Final = re.compile(r"^// (name|about|parameters|identifiers|returns): (.+)$")
_PARAMETER: Final = re.compile(r"\$(\w+)")
_SLOT: Final = re.compile(r"\{\{(\w+)\}\}")
_HIDDEN: Final = re.compile(r"//[^\n]*|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")


@dataclass(frozen=True, slots=True)
class Statement:
    """A named statement: its text, the parameters it takes, and what it does."""

    name: str
    text: str
    parameters: tuple[str, ...]
    about: str
    returns: tuple[str, ...]
    identifiers: tuple[str, ...] = ()
    room: str = "read"

    def named(self, **identifiers: str | Path) -> str:
        r"""Return the text with its slots filled by quoted identifiers and paths.

        Raises
        ------
        ValueError
            If other slots are named than there are.

        Examples
        --------
        >>> one = parse("one.cypher", "// name: one\n// about: counts\n// parameters: none\n"
        ...             "// identifiers: label\n// returns: n\nMATCH (n:{{label}}) RETURN n")
        >>> one.named(label="User").splitlines()[-1]
        'MATCH (n:`User`) RETURN n'
        """
        if set(identifiers) != set(self.identifiers):
            msg = f"{self.name}: slots {self.identifiers}, given {tuple(identifiers)}"
            raise ValueError(msg)
        filled = {
            name: quoted(value) if isinstance(value, str) else value.pattern
            for name, value in identifiers.items()
        }
        return _SLOT.sub(lambda slot: filled[slot[1]], self.text)


def quoted(identifier: str) -> str:
    """Return an identifier as Cypher takes it whatever it holds.

    Examples
    --------
    >>> quoted("odd`label")
    '`odd``label`'
    """
    # Neo4j decodes \uXXXX before it looks for backticks: a backslash would let \u0060 end the
    # name, and what follows it be run.
    plain = identifier.replace("\\", r"\u005c").replace("`", "``")
    return f"`{plain}`"


def statement(name: str, dialect: Dialect | None = None) -> Statement:
    """Return the statement of this name.

    Raises
    ------
    KeyError
        If there is none; the message names those that exist.

    Examples
    --------
    >>> statement("users").parameters
    ('ids',)
    """
    known = statements(dialect)
    if name not in known:
        readable = ", ".join(n for n, s in known.items() if s.room == "read")
        msg = f"no statement {name!r}; there are {readable}"
        raise KeyError(msg)
    return known[name]


@cache
def statements(dialect: Dialect | None = None) -> Mapping[str, Statement]:
    """Return all statements of a dialect by name, sorted: its own before the shared ones."""
    order = {None: 0, "neo4j": 1}
    found: dict[str, tuple[int, Statement]] = {}
    for room in ROOMS:
        for file in resources.files(__name__).joinpath(room).iterdir():
            if not file.name.endswith(".cypher"):
                continue
            name, _, whose = file.name.removesuffix(".cypher").partition(".")
            rank = order[whose or None]
            if rank <= order[dialect] and (name not in found or found[name][0] < rank):
                found[name] = (rank, parse(file.name, file.read_text(encoding="utf-8"), room))
    return {name: one for name, (_, one) in sorted(found.items())}


def parse(file: str, text: str, room: str = "read") -> Statement:
    r"""Read a statement and check that its header tells the truth.

    Parameters
    ----------
    file
        Name of the file, which must be the statement's name, with its dialect.
    text
        Header and statement.
    room
        The folder it stands in.

    Raises
    ------
    ValueError
        If the header lacks a line, or names other parameters or slots than the text uses.

    Examples
    --------
    >>> parse("one.cypher", "// name: one\n// about: is one\n// parameters: none\n"
    ...       "// returns: n\nRETURN 1 AS n").about
    'is one'
    """
    said: dict[str, list[str]] = {}
    for line in text.splitlines():
        if match := _LINE.match(line):
            said.setdefault(match[1], []).append(match[2].strip())
    if missing := [part for part in ("name", "about", "parameters", "returns") if part not in said]:
        msg = f"{file}: the header has no {', '.join(missing)}"
        raise ValueError(msg)
    name = said["name"][0]
    if file.removesuffix(".cypher").partition(".")[0] != name:
        msg = f"{file}: the header calls it {name}"
        raise ValueError(msg)
    visible = _HIDDEN.sub("", text)
    declared = tuple(p.split()[0] for p in said["parameters"] if p != "none")
    used = tuple(dict.fromkeys(_PARAMETER.findall(visible)))
    if set(declared) != set(used):
        msg = f"{file}: the header names the parameters {declared}, the text uses {used}"
        raise ValueError(msg)
    identifiers = tuple(i for line in said.get("identifiers", []) for i in line.split())
    slots = tuple(dict.fromkeys(_SLOT.findall(visible)))
    if set(identifiers) != set(slots):
        msg = f"{file}: the header names the identifiers {identifiers}, the text uses {slots}"
        raise ValueError(msg)
    returns = tuple(r.strip() for r in said["returns"][0].split(","))
    return Statement(name, text, declared, said["about"][0], returns, identifiers, room)
