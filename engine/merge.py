"""One row a thing: how what several exports say of a user or content becomes one row."""

from __future__ import annotations

from engine.model import Table

__all__ = ["merged_sql"]


def merged_sql(table: Table, relation: str) -> str:
    """Return SQL that merges the rows of `relation` by the table's key.

    Column by column the value seen last wins, nulls never win, and of values seen at the
    same time the greatest wins: the answer does not depend on the order of rows or loads.
    Cost: one hash aggregation.

    Parameters
    ----------
    table
        A canonical table that merges.
    relation
        Name of a relation with its columns.

    Examples
    --------
    >>> from engine.model import canonical
    >>> "GROUP BY brand_id" in merged_sql(canonical("brands"), "rows")
    True
    """
    (key,) = table.key
    values = [
        f"arg_max({c.name}, struct_pack(t := coalesce(seen_at, TIMESTAMPTZ '-infinity'),"
        f" v := {c.name})) FILTER (WHERE {c.name} IS NOT NULL) AS {c.name}"
        for c in table.columns
        if c.name not in {key, "seen_at"}
    ]
    chosen = ", ".join([key, *values, "max(seen_at) AS seen_at"])
    return f"SELECT {chosen} FROM {relation} GROUP BY {key}"
