"""The answer of `compare` for sources: where each stands, and how far they are apart."""

from __future__ import annotations

from engine.contract import RunInfo
from engine.versus import Versus
from engine.wording import score_word
from kindred.result import Result

__all__ = ["Contrasted"]


class Contrasted(Result):
    """Sources, compared. Its own rows are the communities, and who is strong in them.

    Parameters
    ----------
    found
        The comparison.
    run
        The run.
    notes
        Sentences that belong to the rows, such as that the data were made up.
    limit
        Most rows of each part.
    """

    cells: Result
    """The scores that are compared."""
    differences: Result
    """A row a pair and community, and one over all communities, with intervals."""

    def __init__(
        self,
        found: Versus,
        run: RunInfo,
        notes: tuple[str, ...] = (),
        *,
        limit: int | None = None,
    ) -> None:
        word = score_word(run.tier)
        super().__init__(
            found.where.slice(0, limit), "where they are strong", run.run_id, run.tier, notes
        )
        self.cells = Result(found.cells.slice(0, limit), word, run.run_id, run.tier, notes)
        self.differences = Result(
            found.differences.slice(0, limit),
            f"{word}: differences, with 90 % intervals",
            run.run_id,
            run.tier,
            notes,
        )
