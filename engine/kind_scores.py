"""The cells of one kind of source, scored in its tier on cross-fitted communities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.affinity import event_labels
from engine.cells import ScoredCells, score_cells
from engine.csr import Ints
from engine.exposed_cells import score_exposed
from engine.exposure import Exposure
from engine.params import AnalysisParams
from engine.sources import SourceEvents

__all__ = ["Setting", "enough_shares"]

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """On what communities sources are held to account.

    `labels` int32[F, n] are the communities of each fold, -1 outside any; `fold_of_group`
    the fold of each root group; `scored` bool[k] which communities are scored.
    """

    labels: npt.NDArray[np.int32]
    fold_of_group: Ints
    scored: Flags
    platforms: int
    false_sign_rate: float

    @property
    def masked(self) -> npt.NDArray[np.int32]:
        """Communities of each fold, -1 outside any that is scored."""
        inside = np.append(self.scored, False)[self.labels]
        return np.where(inside, self.labels, -1).astype(np.int32)

    def fold(self, group: Ints) -> Ints:
        """Return the fold of sources of these root groups."""
        return self.fold_of_group[group]

    def partition(self, group: Ints) -> tuple[npt.NDArray[np.int32], Ints]:
        """Return `masked` and the fold of sources of these groups; one where all folds are alike.

        Ties that hold no share give every fold the same partition, and one pass does.
        """
        labels = self.masked
        if bool((labels == labels[0]).all()):
            return labels[:1], np.zeros(len(group), np.int32)
        return labels, self.fold(group)

    def score(self, shares: SourceEvents, exposure: Exposure | None = None) -> ScoredCells:
        """Score the cells of a kind: by exposure where that is given, else as affinity."""
        if exposure is None:
            return score_cells(
                shares,
                self.fold(shares.group),
                self.labels,
                self.scored,
                platforms=self.platforms,
                false_sign_rate=self.false_sign_rate,
            )
        labels, fold = self.partition(exposure.group)
        return score_exposed(
            exposure, fold, labels, self.scored, false_sign_rate=self.false_sign_rate
        )


def enough_shares(
    shares: SourceEvents,
    setting: Setting,
    params: AnalysisParams,
) -> Flags:
    """Say which communities of a setting have the shares to be scored."""
    label = event_labels(shares, setting.fold(shares.group), setting.labels)
    count = np.bincount(label[label >= 0], minlength=len(setting.scored))
    return setting.scored & (count >= params.min_shares)
