"""A named reading statement, asked for by its name and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cypher
from cypher import Dialect, Statement
from engine.errors import UsageError

__all__ = ["chosen"]


def chosen(
    name: str, parameters: Mapping[str, Any] | None, dialect: Dialect | None = None
) -> Statement:
    """Return the reading statement of this name, if these are the parameters it takes.

    Raises
    ------
    UsageError
        If there is none, or it takes others; the message names what there is.

    Examples
    --------
    >>> chosen("brand_accounts", {"limit": 5}).returns
    ('user_id', 'brand_id')
    """
    known = {n: s for n, s in cypher.statements(dialect).items() if s.room == "read"}
    if name not in known:
        raise UsageError(f"the statement {name}", "there is none", f"there are {', '.join(known)}")
    found = known[name]
    given = set(parameters or {})
    if given != set(found.parameters):
        raise UsageError(
            f"the statement {name} with {', '.join(found.parameters) or 'no parameters'}",
            f"{', '.join(sorted(given)) or 'none'} given",
            f"it {found.about}",
        )
    return found
