"""The communities of each level, with what is known of them before they are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from engine.csr import Floats, Ints, Longs
from engine.found import Found, kinds, sizes, tie_posterior
from engine.groups import Flags
from engine.identity import Names
from engine.levels import Levels
from engine.verdict import AGAIN, Verdicts

__all__ = ["Stratum", "above", "below", "judged"]


@dataclass(frozen=True, slots=True, eq=False)
class Stratum:
    """Communities of one level.

    `of` int32[n] is the label of each user, -1 outside any, and `ids` names the labels;
    `parents` are the communities of the level above that hold them, null where there is no
    such level. `confidence` and `steady` float64[n] are how surely a user belongs, by ties and
    over runs on resampled ties, NaN where unknown. `judged` are columns of the table
    `communities` that only level 1 fills, and `flags` what is said of each community.
    """

    level: int
    of: Ints
    ids: pa.StringArray
    parents: pa.Array
    kind: Sequence[str]
    verdict: Sequence[str]
    confidence: Floats
    steady: Floats
    judged: Mapping[str, Floats] = field(default_factory=dict)
    flags: Mapping[str, Sequence[bool]] = field(default_factory=dict)

    @property
    def k(self) -> int:
        """Number of communities."""
        return len(self.ids)

    @property
    def size(self) -> Longs:
        """Members of each community."""
        return np.bincount(self.of[self.of >= 0], minlength=self.k).astype(np.int64)


def judged(
    found: Found,
    verdicts: Verdicts,
    enough: Flags | None,
    stability: Floats | None,
    names: Names | None,
) -> Stratum:
    """Return level 1: the communities that are judged and scored."""
    parts = found.partitions
    steady = np.full(len(parts.reference), np.nan) if stability is None else stability
    known = (parts.reference >= 0) & ~np.isnan(steady)
    total = np.bincount(parts.reference[known], steady[known], parts.k)
    mean = total / np.maximum(sizes(parts), 1)
    few = parts.scored & ~(np.ones(parts.k, np.bool_) if enough is None else enough)
    return Stratum(
        1,
        parts.reference,
        parts.community_ids,
        pa.nulls(parts.k, pa.string()) if names is None else names.group_of,
        kinds(parts, enough),
        verdicts.verdict,
        parts.confidence,
        steady,
        {
            "tie_gain": verdicts.gain,
            "q_value": verdicts.q,
            "stability": mean if known.any() else np.full(parts.k, np.nan),
        },
        {
            "few_shares": few.tolist(),
            "not_found_again": (parts.scored & (verdicts.overlap < AGAIN)).tolist(),
        },
    )


def above(found: Found, levels: Levels, names: Names, main: Stratum) -> Stratum:
    """Return level 0: groups of communities that half the resolution would not tell apart."""
    of = levels.group_of_users(found.partitions.reference)
    told = np.array([kind != "fringe" for kind in main.kind], np.bool_)
    groups = len(names.above)
    any_told = np.bincount(levels.above, told[: len(levels.above)], groups) > 0
    return Stratum(
        0,
        of,
        names.above,
        pa.nulls(groups, pa.string()),
        ["community" if on else "fringe" for on in any_told.tolist()],
        ["undetermined"] * groups,
        tie_posterior(found.graph, of),
        np.full(len(of), np.nan),
    )


def below(found: Found, levels: Levels, names: Names) -> Stratum:
    """Return level 2: the parts of communities in which held-out ties insist on them."""
    return Stratum(
        2,
        levels.part,
        names.parts,
        names.reference.take(pa.array(levels.whole)),
        ["community" if on else "fringe" for on in levels.large.tolist()],
        ["undetermined"] * len(names.parts),
        tie_posterior(found.graph, levels.part),
        np.full(len(levels.part), np.nan),
    )
