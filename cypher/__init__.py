"""Named Cypher statements: one a `.cypher` file, with a header that says what it does.

A header is the comment at the top of the file::

    // name: users
    // about: returns the properties of these users, in the order asked for
    // parameters: ids (LIST OF STRING) user ids
    // returns: position, user_id, name

`parameters` may stand on several lines, one a parameter; `none` where there are none.
Values reach a statement as parameters only, and only through `$name`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

__all__ = ["Statement", "parse", "statement", "statements"]

ROOMS: Final = ("read",)
"""Folders of statements. Those that make and fill tables are written from the model."""

_LINE: Final = re.compile(r"^// (name|about|parameters|returns): (.+)$")
_PARAMETER: Final = re.compile(r"\$(\w+)")
_HIDDEN: Final = re.compile(r"//[^\n]*|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")


@dataclass(frozen=True, slots=True)
class Statement:
    """A named statement: its text, the parameters it takes, and what it does."""

    name: str
    text: str
    parameters: tuple[str, ...]
    about: str
    returns: tuple[str, ...]


def statement(name: str) -> Statement:
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
    known = statements()
    if name not in known:
        msg = f"no statement {name!r}; there are {', '.join(known)}"
        raise KeyError(msg)
    return known[name]


@cache
def statements() -> Mapping[str, Statement]:
    """Return all statements by name, sorted."""
    found: dict[str, Statement] = {}
    for room in ROOMS:
        for file in resources.files(__name__).joinpath(room).iterdir():
            if file.name.endswith(".cypher"):
                one = parse(file.name, file.read_text(encoding="utf-8"))
                found[one.name] = one
    return dict(sorted(found.items()))


def parse(file: str, text: str) -> Statement:
    r"""Read a statement and check that its header tells the truth.

    Parameters
    ----------
    file
        Name of the file, which must be the statement's name.
    text
        Header and statement.

    Raises
    ------
    ValueError
        If the header lacks a line, or names other parameters than the text uses.

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
    if file != f"{name}.cypher":
        msg = f"{file}: the header calls it {name}"
        raise ValueError(msg)
    declared = tuple(p.split()[0] for p in said["parameters"] if p != "none")
    used = tuple(dict.fromkeys(_PARAMETER.findall(_HIDDEN.sub("", text))))
    if set(declared) != set(used):
        msg = f"{file}: the header names the parameters {declared}, the text uses {used}"
        raise ValueError(msg)
    returns = tuple(r.strip() for r in said["returns"][0].split(","))
    return Statement(name, text, declared, said["about"][0], returns)
