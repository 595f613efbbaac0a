"""What each cell of a canonical table becomes, generated from the model.

Every column is an id, a time, a number, a word of a list, or text. Cells come as text in
the table `raw`; `refuse` marks rows that cannot be read, `convert` returns the SELECT that
turns the others into the canonical table.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import pyarrow as pa

from engine.model import (
    CONTENT_KINDS,
    COUNT,
    INTERACTION_KINDS,
    MEMBER_KINDS,
    REACTION_KINDS,
    SHARE_KINDS,
    TIME,
    TOPIC_KINDS,
    Column,
    Table,
)
from loaders.read import Session, quoted

__all__ = ["convert", "ids_of", "refuse", "remember_platforms"]

_USERS: Final = frozenset(
    ("user_id", "author_id", "via_user_id", "target_id", "follower_id", "followee_id")
)
_CONTENTS: Final = frozenset(("content_id", "root_id", "parent_content_id"))
_IDS: Final = _USERS | _CONTENTS | {"brand_id"}

_KINDS: Final = {
    "shares": SHARE_KINDS,
    "interactions": INTERACTION_KINDS,
    "brand_members": MEMBER_KINDS,
    "topics": TOPIC_KINDS,
}
"""Tables whose kind is one of a list. Reactions of other kinds are `other`, contents what
they are called."""

_SPACES: Final = {"users": "user", "content": "content"}
"""Tables that say which ids there are, and the space the ids belong to."""

_PLATFORM: Final = (
    "CASE lower(trim(platform)) WHEN 'twitter' THEN 'x' ELSE lower(trim(platform)) END"
)
_GIVEN: Final = f"nullif({_PLATFORM}, '')"


def ids_of(table: Table) -> list[str]:
    """Return the columns of a table that hold ids."""
    return [c.name for c in table.columns if c.name in _IDS]


def refuse(session: Session, table: Table, found: Collection[str]) -> None:
    """Mark in `rejected` the rows of `raw` that cannot be read, each with its first reason.

    Parameters
    ----------
    found
        The columns that the file has.
    """
    rules = [rule for rule in _conditions(table) if rule[1] in found]
    tests = " ".join(f"WHEN {test} THEN {at}" for at, (_, _, test) in enumerate(rules))
    reasons = " ".join(f"WHEN {at} THEN '{reason}'" for at, (reason, _, _) in enumerate(rules))
    cells = " ".join(
        f"WHEN {at} THEN {quoted(name)}"
        for at, (reason, name, _) in enumerate(rules)
        if reason not in {"no_id", "no_value", "nobody"}
    )
    session.run(
        f"""
        INSERT INTO rejected
        SELECT row, '{table.name}', CASE rule {reasons} END, CASE rule {cells} END
        FROM (SELECT *, CASE {tests} END AS rule FROM raw) ANTI JOIN rejected USING (row)
        WHERE rule IS NOT NULL
        """
    )


def _conditions(table: Table) -> list[tuple[str, str, str]]:
    """Return reason, column and condition of every refusal."""
    rules = [
        ("no_id" if c.name in _IDS else "no_value", c.name, f"no_id({quoted(c.name)})")
        for c in table.columns
        if c.required
    ]
    rules += [("bad_id", name, f"bad_id({name})") for name in ids_of(table)]
    rules.append(("platform", "platform", f"NOT regexp_full_match({_GIVEN}, '[a-z][a-z0-9_.-]*')"))
    rules += [rule for c in table.columns if (rule := _unreadable(c)) is not None]
    if table.name in _KINDS:
        words = _words(_KINDS[table.name])
        rules.append(("kind", "kind", f"NOT no_id(kind) AND lower(trim(kind)) NOT IN ({words})"))
    if table.name == "impressions":
        rules.append(("nobody", "content_id", "no_id(user_id) AND no_id(community)"))
    rules += [
        ("range", c.name, f"finite_number({quoted(c.name)}) NOT BETWEEN {low} AND {high}")
        for c in table.columns
        if c.within is not None
        for low, high in (c.within,)
    ]
    if table.name == "interactions":
        rules.append(("number", "weight", "TRY_CAST(weight AS DOUBLE) <= 0"))
    return rules


def _unreadable(c: Column) -> tuple[str, str, str] | None:
    n = quoted(c.name)
    if c.type == TIME:
        return "time", c.name, f"NOT timeless({n}) AND moment({n}, $timezone) IS NULL"
    if c.type == COUNT:
        return "number", c.name, f"NOT no_id({n}) AND whole_number({n}) IS NULL"
    if c.type == pa.float64():
        return "number", c.name, f"NOT no_id({n}) AND finite_number({n}) IS NULL"
    if c.type == pa.bool_():
        return "yes_no", c.name, f"NOT no_id({n}) AND yes_no({n}) IS NULL"
    return None


def remember_platforms(session: Session, table: Table, known: set[str]) -> None:
    """Keep which platform the ids of users and contents belong to, for tables after them.

    An event names `42`; if exactly one platform of the folder's users has a `42`, that is it.
    """
    if not known:
        for space in ("user", "content"):
            session.run(
                f"CREATE OR REPLACE TEMP TABLE {space}_platforms (id VARCHAR, platform VARCHAR)"
            )
    known.add(table.name)
    if table.name in _SPACES:
        space = _SPACES[table.name]
        session.run(
            f"""
            INSERT INTO {space}_platforms
            SELECT trim({space}_id), min({_GIVEN}) FROM raw
            WHERE NOT has_platform({space}_id) AND {_GIVEN} IS NOT NULL
            GROUP BY 1 HAVING count(DISTINCT {_GIVEN}) = 1
            """
        )


def convert(table: Table) -> str:
    """Return the SELECT from `raw` to this canonical table."""
    joins = "".join(
        f" LEFT JOIN {'user' if n in _USERS else 'content'}_platforms p_{n} ON p_{n}.id = trim({n})"
        for n in ids_of(table)
        if n != "brand_id"
    )
    if table.name == "brand_members":
        joins += " LEFT JOIN user_platforms p_value ON p_value.id = trim(value)"
    columns = ", ".join(f"{_cell(table, c)} AS {quoted(c.name)}" for c in table.columns)
    return (
        f"SELECT {columns} FROM (SELECT * FROM raw ANTI JOIN rejected USING (row)) AS kept{joins}"
    )


def _cell(table: Table, c: Column) -> str:
    n = f"kept.{quoted(c.name)}"
    if c.name == "brand_id":
        return f"CASE WHEN starts_with({n}, 'brand:') THEN trim({n}) ELSE 'brand:' || trim({n}) END"
    if c.name in _IDS:
        return _id(n, c.name)
    if c.name == "platform":
        key = f"kept.{table.key[0]}"
        own = f"CASE WHEN has_platform({key}) THEN split_part({key}, ':', 1) END"
        return f"coalesce({_GIVEN_KEPT}, {own}, $platform)"
    if (table.name, c.name) == ("brand_members", "value"):
        domain = f"WHEN 'domain' THEN plain_domain({n})"
        return f"CASE lower(trim(kept.kind)) {domain} ELSE {_id(n, 'value')} END"
    if (table.name, c.name) == ("topics", "label"):
        return (
            f"CASE lower(trim(kept.kind)) WHEN 'domain' THEN plain_domain({n})"
            f" WHEN 'hashtag' THEN lower(ltrim(trim({n}), '#')) ELSE trim({n}) END"
        )
    if c.name == "kind":
        return _kind(table, n)
    return _value(c, n)


_GIVEN_KEPT: Final = _GIVEN.replace("platform", "kept.platform")


def _id(n: str, name: str) -> str:
    """Return an id with a platform: its own, the row's, its users', or the data set's."""
    return (
        f"CASE WHEN no_id({n}) THEN NULL"
        f" WHEN has_platform({n}) THEN with_native({n})"
        f" ELSE qualified(coalesce({_GIVEN_KEPT}, p_{name}.platform, $platform), {n}) END"
    )


def _kind(table: Table, n: str) -> str:
    word = f"lower(trim({n}))"
    if table.name == "shares":
        return f"CASE WHEN no_id({n}) THEN 'share' ELSE {word} END"
    if table.name == "reactions":
        return f"CASE WHEN {word} IN ({_words(REACTION_KINDS)}) THEN {word} ELSE 'other' END"
    if table.name == "content":
        return f"CASE WHEN {word} IN ({_words(CONTENT_KINDS)}) THEN {word} ELSE plain_text({n}) END"
    return word


def _words(kinds: tuple[str, ...]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


def _value(c: Column, n: str) -> str:
    if c.type == TIME:
        return f"moment({n}, $timezone)"
    if c.type == COUNT:
        return f"whole_number({n})"
    if c.type == pa.float64():
        return f"finite_number({n})"
    if c.type == pa.bool_():
        return f"yes_no({n})"
    if pa.types.is_list(c.type):
        return f"words_of({n})"
    return f"plain_text({n})"
