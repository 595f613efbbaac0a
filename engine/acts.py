"""Acts: who turned to whom, how much one such act weighs, and when it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.csr import Floats, Ints, Longs
from engine.model import INTERACTION_KINDS, REACTION_KINDS
from engine.shares import FirstShares, first_shares
from engine.snapshot import NO_TIME, Snapshot

__all__ = ["BETA", "HALF_LIFE", "Acts", "acts"]

BETA: Final = {
    "share": 1.0,
    "quote": 1.0,
    "reply": 0.7,
    "mention": 0.5,
    "like": 0.2,
    "unknown": 1.0,
}
"""What one act weighs, by kind, when it happens."""

HALF_LIFE: Final = 30 * 24 * 3_600 * 1_000_000
"""Microseconds in which an act loses half its weight, where acts decay: 30 days."""


@dataclass(frozen=True, slots=True, eq=False)
class Acts:
    """Acts of one user towards another, never towards oneself.

    `weight` is above 0; `at` is `NO_TIME` where the time is unknown.
    """

    user: Ints
    target: Ints
    weight: Floats
    at: Longs

    def timed(self) -> Acts:
        """Leave out acts without a time."""
        known = self.at != NO_TIME
        return Acts(self.user[known], self.target[known], self.weight[known], self.at[known])

    def decayed(self) -> Floats:
        """Return weights as of the latest act: halved every `HALF_LIFE`. All must be timed."""
        age = (self.at.max(initial=NO_TIME) - self.at) / HALF_LIFE
        return np.asarray(self.weight * np.exp2(-age), np.float64)


def acts(snapshot: Snapshot, shares: FirstShares | None = None) -> Acts:
    """Return who turned to whom, act by act. O(events).

    A share leads to the content's author, and to whom it came from where that is given; a
    reply and a like to the author, a mention to the mentioned. A pairwise interaction leads to
    its target and counts as often as its weight says. Weights are those of `BETA`; other
    reactions, bookmarks and what one does with oneself are left out.

    Parameters
    ----------
    shares
        What `first_shares(snapshot)` returned, where a caller has it already.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from engine.assemble import assemble
    >>> s = assemble({"interactions": pa.table({
    ...     "user_id": ["x:a", "x:b"], "target_id": ["x:b", "x:b"], "kind": ["reply", "share"],
    ...     "weight": [2.0, 1.0]})})
    >>> found = acts(s)
    >>> found.user.tolist(), found.target.tolist(), found.weight.round(1).tolist()
    ([0], [1], [1.4])
    """
    s = first_shares(snapshot) if shares is None else shares
    author = snapshot.contents.author
    r, m, i = snapshot.replies, snapshot.mentions, snapshot.interactions
    root = author[s.content]
    passed = s.via != root
    liked = snapshot.reactions.kind == REACTION_KINDS.index("like")
    liker, likes = snapshot.reactions.user[liked], snapshot.reactions.content[liked]
    by_kind = np.array([BETA[kind] for kind in INTERACTION_KINDS])
    parts = (
        (s.user, root, np.full(len(s), BETA["share"]), s.at),
        (s.user[passed], s.via[passed], np.full(int(passed.sum()), BETA["share"]), s.at[passed]),
        (r.user, author[r.parent], np.full(len(r.user), BETA["reply"]), r.at),
        (m.user, m.target, np.full(len(m.user), BETA["mention"]), m.at),
        (liker, author[likes], np.full(len(liker), BETA["like"]), snapshot.reactions.at[liked]),
        (i.user, i.target, by_kind[i.kind] * i.weight, i.at),
    )
    user, target, weight, at = (np.concatenate(column) for column in zip(*parts, strict=True))
    kept = (user >= 0) & (target >= 0) & (user != target) & (weight > 0)
    return Acts(user[kept], target[kept], weight[kept], at[kept])
