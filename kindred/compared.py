"""The answer of `compare`: a summary, and what stands behind it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from engine.compare import Comparison
from engine.contract import RunInfo
from engine.wording import score_word
from kindred.result import Result

__all__ = ["Compared"]


class Compared(Result):
    """Two runs, compared. Its own rows are the summary, in reading order.

    Parameters
    ----------
    found
        The comparison.
    run, other
        The two runs.
    notes
        Sentences that belong to the rows, such as that the data were made up.
    changed
        Keep only the scores that are in another quadrant.
    limit
        Most rows of communities and of scores.
    """

    communities: Result
    """Communities of both runs, matched by overlap."""
    scores: Result
    """Scores of both runs side by side, those in another quadrant first."""

    def __init__(
        self,
        found: Comparison,
        run: RunInfo,
        other: RunInfo,
        notes: tuple[str, ...] = (),
        *,
        changed: bool = False,
        limit: int | None = None,
    ) -> None:
        def part(rows: pa.Table, words: str) -> Result:
            cut = rows if limit is None else rows.slice(0, limit)
            title = f"{words}, {run.run_id} against {other.run_id}"
            return Result(cut, title, run.run_id, run.tier, notes)

        scores, word = found.tables["scores"], score_word(run.tier)
        if changed:
            scores, word = scores.filter(pc.field("changed")), f"{word}, in another quadrant"
        super().__init__(found.tables["summary"], found.verdict, run.run_id, run.tier, notes)
        self.communities = part(found.tables["communities"], "communities")
        self.scores = part(scores, word)
