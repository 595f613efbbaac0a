"""Every domain a brand, where the user asks for it."""

from __future__ import annotations

from pathlib import Path

from engine.errors import UsageError
from engine.model import CANONICAL
from loaders.read import Session, escaped
from loaders.shape import write_table

__all__ = ["domains_as_brands"]


def domains_as_brands(session: Session, folder: Path, *, anonymised: bool) -> None:
    """Write brands and their members from the domains among the topics in `folder`.

    Parameters
    ----------
    anonymised
        Domains are numbers; they are shown as `domain 6874 (anonymised)`.

    Raises
    ------
    UsageError
        The file names no domain.
    """
    path = folder / "topics.parquet"
    session.values |= {"topics": escaped(path), "anonymised": anonymised}
    domains = "SELECT DISTINCT label FROM read_parquet($topics) WHERE kind = 'domain'"
    if not path.exists() or not session.run(f"{domains} LIMIT 1"):
        raise UsageError(
            "every domain as a brand",
            "this export names no domain",
            "leave --brands out, or load brands.csv and brand_members.csv",
        )
    write_table(
        session,
        CANONICAL["brands"],
        "SELECT 'brand:' || label AS brand_id, CASE WHEN $anonymised"
        f" THEN 'domain ' || label || ' (anonymised)' ELSE label END AS name FROM ({domains})",
        folder,
    )
    write_table(
        session,
        CANONICAL["brand_members"],
        f"SELECT 'brand:' || label AS brand_id, 'domain' AS kind, label AS value FROM ({domains})",
        folder,
    )
