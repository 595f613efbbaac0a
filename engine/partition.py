"""Partitions of users into communities: the reference one, and one for each fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.csr import Floats, Ints

__all__ = ["UNASSIGNED", "Partitions"]

UNASSIGNED: Final = -1
"""Label of a user without a tie: in no community, kept in the margins, never scored."""


@dataclass(frozen=True, slots=True, eq=False)
class Partitions:
    """Labels of all users, in the reference partition and in each fold.

    Labels are 0..k-1 by falling size of the reference communities, and those of a fold
    are mapped to them by greatest overlap, so that label 3 means the same community in
    all of them. `reference` int32[n], `folds` int32[F, n].

    `scored` bool[k] says which communities are large enough to be scored.
    `confidence` float64[n] is the tie posterior of the reference label.
    """

    reference: Ints
    folds: npt.NDArray[np.int32]
    confidence: Floats
    scored: npt.NDArray[np.bool_]
    gamma: float
    names: pa.StringArray | None = None
    """Ids of the communities by label, where an earlier run gave them; else c1, c2, ..."""

    @property
    def k(self) -> int:
        """Number of reference communities."""
        return len(self.scored)

    @property
    def community_ids(self) -> pa.StringArray:
        """The ids that result tables show, by label."""
        if self.names is not None:
            return self.names
        return pa.array([f"c{label + 1}" for label in range(self.k)], pa.string())
