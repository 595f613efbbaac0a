"""What there is to show of one run: its data, its communities, and the pages by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from engine.contract import Backend, RunInfo
from engine.errors import NotFound
from viz.style import Mark, mark

__all__ = ["CASCADE_PAGES", "COMMUNITY_PAGES", "Origin", "Row", "Site", "natural"]

Row = Mapping[str, Any]

COMMUNITY_PAGES: Final = 12
"""Community pages written to a folder: the largest."""
CASCADE_PAGES: Final = 6
"""Cascade pages written to a folder: half of them the largest, half the deepest."""
_SERVED: Final = 60
"""Pages of each kind that are linked where any page can be made on demand."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a batch of data came from, as its `source.toml` says."""

    title: str
    licence: str
    note: str
    made: bool


def natural(text: str) -> tuple[str | int, ...]:
    """Sort key that puts c2 before c10.

    Examples
    --------
    >>> sorted(["c10", "c2"], key=natural)
    ['c2', 'c10']
    """
    parts = re.split(r"(\d+)", text)
    return tuple(int(p) if i % 2 else p for i, p in enumerate(parts))


@dataclass(frozen=True, eq=False)
class Site:
    """One run of a store, and which of its pages link to which.

    `served` says that any page can be made on demand (a server); otherwise only the
    pages that are written to a folder are linked.
    """

    backend: Backend
    run: RunInfo
    served: bool = False
    kept: dict[str, Any] = field(default_factory=dict)
    """What several pages of one site show, made once."""

    @classmethod
    def open(cls, backend: Backend, run_id: str | None, *, served: bool = False) -> Site:
        """Look at this run, or at the active one. Raises `NotFound`."""
        return cls(backend, backend.run(run_id), served)

    def rows(
        self,
        table: str,
        where: Row | None = None,
        order: tuple[str, ...] = (),
        limit: int | None = None,
    ) -> list[Row]:
        """Read rows of a result table of this run. Callers bound them by `limit`."""
        found = self.backend.read(
            table, run_id=self.run.run_id, where=where, order=order, limit=limit
        )
        rows: list[Row] = found.to_pylist()
        return rows

    @cached_property
    def origins(self) -> list[Origin]:
        """What was loaded, each title once, in the order of loading."""
        found: dict[tuple[str, str, str, bool], None] = {}
        for batch in self.backend.batches():
            if self.run.batches and batch.batch_id not in self.run.batches:
                continue
            source = batch.options.get("source") or {}
            title = str(source.get("title") or batch.source)
            found[
                title,
                str(source.get("licence") or ""),
                str(source.get("note") or ""),
                bool(source.get("made")),
            ] = None
        return [Origin(*key) for key in found]

    @property
    def made(self) -> bool:
        """Whether any of the data were made up."""
        return any(origin.made for origin in self.origins)

    @cached_property
    def communities(self) -> list[Row]:
        """Communities at the chosen resolution, largest first."""
        rows = self.rows("communities", where={"level": 1})
        return sorted(rows, key=lambda r: (-r["member_count"], natural(r["community_id"])))

    @cached_property
    def described(self) -> list[Row]:
        """Communities large enough, and sharing enough, to describe; largest first."""
        return [row for row in self.communities if row["kind"] != "fringe"]

    @property
    def census(self) -> str:
        """How many communities there are, and how many of them are kindred, in words."""
        kindred = sum(row["verdict"] == "kindred" for row in self.described)
        many, small = len(self.described), len(self.communities) - len(self.described)
        smaller = f", beside {small:,} too small or sharing too little to describe" if small else ""
        return (
            f"{many:,} {'community' if many == 1 else 'communities'} found{smaller}; "
            f"{kindred:,} kindred: {'it holds' if kindred == 1 else 'they hold'} together better "
            "than communities of rewired graphs."
        )

    @cached_property
    def by_id(self) -> dict[str, Row]:
        """Communities by their id."""
        return {row["community_id"]: row for row in self.communities}

    @cached_property
    def _place(self) -> dict[str, int]:
        return {row["community_id"]: i for i, row in enumerate(self.communities)}

    def mark(self, community_id: str | None) -> Mark:
        """Colour and shape of a community: the same on every page of the run."""
        return mark(self._place.get(community_id or "", -1))

    def community(self, community_id: str) -> Row:
        """Return this community. Raises `NotFound`."""
        if community_id not in self.by_id:
            known = ", ".join(list(self.by_id)[:5]) or "none"
            raise NotFound(
                f"community {community_id}",
                f"run {self.run.run_id} has {len(self.by_id):,} communities ({known}, …)",
                "list them with: kindred communities",
            )
        return self.by_id[community_id]

    @cached_property
    def cascades(self) -> list[Row]:
        """Cascades with a page of their own: the largest and the deepest, then by size."""
        most = _SERVED if self.served else CASCADE_PAGES
        half = CASCADE_PAGES // 2
        large = self.rows("cascades", order=("-share_count", "content_id"), limit=_SERVED)
        deep = [
            row
            for row in self.rows(
                "cascades", order=("-depth_max", "-share_count", "content_id"), limit=half
            )
            if (row["depth_max"] or 0) > 1
        ]
        first = {row["content_id"]: row for row in (*large[: CASCADE_PAGES - len(deep)], *deep)}
        for row in large:
            if len(first) == CASCADE_PAGES:
                break
            first.setdefault(row["content_id"], row)
        head = sorted(first.values(), key=lambda r: (-r["share_count"], r["content_id"]))
        rest = [row for row in large if row["content_id"] not in first]
        return [*head, *rest][:most]

    @cached_property
    def has_scores(self) -> bool:
        """Whether anything was scored."""
        return bool(self.rows("scores", limit=1))

    def community_page(self, community_id: str | None) -> str | None:
        """Name the page of a community, or None where there is none to link to."""
        place = self._place.get(community_id or "", _SERVED)
        if place >= (_SERVED if self.served else COMMUNITY_PAGES):
            return None
        # Ids are c1, c2, ...; anything else is not fit for a file's name.
        return f"community-{community_id}.html" if _SAFE.fullmatch(community_id or "") else None

    @cached_property
    def cascade_pages(self) -> dict[str, str]:
        """Page name of each linked cascade, by content."""
        return {row["content_id"]: f"cascade-{i + 1}.html" for i, row in enumerate(self.cascades)}


_SAFE: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
