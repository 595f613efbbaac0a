"""What every call of the library answers with: rows, and the run they come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Result"]

_SHOWN = 10


class Result:
    """Rows of an answer. Arrow inside, pandas out.

    Parameters
    ----------
    table
        The rows.
    title
        What they are, in words that fit the tier.
    run_id
        The run they come from; None where no run is behind them.
    tier
        impressions, follows or affinity; None where nothing is scored.
    notes
        Sentences that belong to the rows, such as that the data were made up.

    Examples
    --------
    >>> Result(pa.table({"community_id": ["c1"], "member_count": [34]}), "communities", "r1")
    communities: 1 row, run r1
    community_id  member_count
              c1            34
    """

    def __init__(
        self,
        table: pa.Table,
        title: str,
        run_id: str | None = None,
        tier: str | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self._table = table
        self.title = title
        self.run_id = run_id
        self.tier = tier
        self.notes = notes

    def to_arrow(self) -> pa.Table:
        """Return the rows as an Arrow table, without a copy."""
        return self._table

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a pandas data frame."""
        frame: pd.DataFrame = self._table.to_pandas()
        return frame

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries."""
        rows: list[dict[str, Any]] = self._table.to_pylist()
        return rows

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        names: list[str] = self._table.column_names
        return names

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.to_dicts())

    def __repr__(self) -> str:
        rows = "1 row" if len(self) == 1 else f"{len(self):,} rows"
        run = f", run {self.run_id}" if self.run_id else ""
        from kindred.plain import plain

        lines = [f"{self.title}: {rows}{run}", *self.notes]
        if len(self):
            shown = self._table.slice(0, _SHOWN).to_pandas().to_string(index=False, max_colwidth=40)
            lines += [plain(line).plain.rstrip() for line in shown.split("\n")]
        if len(self) > _SHOWN:
            lines.append(f"... {len(self) - _SHOWN:,} more")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from html import escape

        head = "".join(f"<p>{escape(line)}</p>" for line in (self.title, *self.notes))
        rows: str = self._table.slice(0, 5 * _SHOWN).to_pandas().to_html(index=False)
        return head + rows
