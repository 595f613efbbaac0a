"""The answer of `why`: a score with and without some accounts, and what stands behind it."""

from __future__ import annotations

from engine.contract import RunInfo
from engine.why import Why
from engine.wording import score_word
from kindred.result import Result

__all__ = ["Explained"]


class Explained(Result):
    """One score, taken apart. Its own rows are the score as it stands, and without some.

    Parameters
    ----------
    found
        What was found.
    run
        The run.
    name
        How the source is called.
    notes
        Sentences that belong to the rows, such as that the data were made up.
    """

    parts: Result
    """What the expectation is made of, in the order it is worked out."""
    members: Result
    """Members by how many of the shares are theirs."""
    contents: Result
    """Contents by how many of the shares are of them."""

    def __init__(self, found: Why, run: RunInfo, name: str, notes: tuple[str, ...] = ()) -> None:
        where = found.score["community_id"]

        def part(title: str) -> str:
            return f"{title} ({name} in {where})"

        title = (
            f"{score_word(run.tier)} of {name} in {where}: {found.score['observed']:,.0f} shares"
        )
        super().__init__(found.without, title, run.run_id, run.tier, notes)
        self.parts = Result(
            found.parts, part("what is expected, and from what"), run.run_id, run.tier, notes
        )
        self.members = Result(
            found.members,
            part(f"who carries it, of {found.member_count:,} people"),
            run.run_id,
            run.tier,
            notes,
        )
        self.contents = Result(
            found.contents,
            part(f"what carries it, of {found.content_count:,} contents"),
            run.run_id,
            run.tier,
            notes,
        )
