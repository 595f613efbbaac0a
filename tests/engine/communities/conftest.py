"""Made graphs with known communities, as graphs and as exports."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from engine.assemble import assemble
from engine.communities import find
from engine.csr import Ints
from engine.edges import PairEdges
from engine.params import AnalysisParams
from engine.portrait import tables
from engine.snapshot import Snapshot
from engine.verdict import judge

LongArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Planted:
    """Pairs of users, and the community each user was planted in."""

    u: LongArray
    v: LongArray
    truth: Ints

    @property
    def edges(self) -> PairEdges:
        u, v = self.u.astype(np.int32), self.v.astype(np.int32)
        return PairEdges(len(self.truth), u, v, np.ones(len(u)))

    def snapshot(self) -> Snapshot:
        """The pairs as interactions of kind share, in the order given."""
        user = pa.array([f"x:{i:06}" for i in self.u.tolist()])
        target = pa.array([f"x:{i:06}" for i in self.v.tolist()])
        users = pa.array([f"x:{i:06}" for i in range(len(self.truth))])
        kind = pa.array(["share"] * len(self.u))
        return assemble(
            {
                "users": pa.table({"user_id": users}),
                "interactions": pa.table({"user_id": user, "target_id": target, "kind": kind}),
            }
        )


def planted(
    n: int, degree: float, mixing: float, seed: int, sizes: tuple[int, int] = (20, 100)
) -> Planted:
    """Draw communities of power-law sizes and users of power-law degrees, as in LFR graphs.

    A part `mixing` of the ties ends anywhere, the others in the user's own community.
    Lancichinetti, Fortunato, Radicchi (2008), with degrees in expectation only.
    """
    chance = np.random.default_rng(seed)
    drawn: list[int] = []
    while sum(drawn) < n:
        spread = 1 - np.sqrt(sizes[0] / sizes[1])
        drawn.append(int(sizes[0] / (1 - chance.random() * spread) ** 2))
    truth = np.repeat(np.arange(len(drawn)), drawn)[:n].astype(np.int32)
    want = np.minimum((1 - chance.random(n)) ** (-1 / 1.5), 15.0)
    want *= degree / want.mean()
    edges = int(want.sum() / 2)
    u = chance.choice(n, edges, p=want / want.sum())
    reach = np.concatenate(([0.0], np.cumsum(want)))  # users lie in order of their community
    first = np.searchsorted(truth, truth[u], "left")
    last = np.searchsorted(truth, truth[u], "right")
    inside = chance.random(edges) >= mixing
    low, high = np.where(inside, reach[first], 0.0), np.where(inside, reach[last], reach[-1])
    v = np.searchsorted(reach, low + chance.random(edges) * (high - low), "right") - 1
    v = np.minimum(v, n - 1)
    apart = u != v
    keys = np.unique(np.minimum(u, v)[apart] * n + np.maximum(u, v)[apart])
    return Planted(keys // n, keys % n, truth)


def answer(snapshot: Snapshot) -> str:
    """A hash of all that is said of the communities of a snapshot."""
    params = AnalysisParams(folds=3, rewirings=3)
    found = find(snapshot, params)
    parts, whole = found.partitions, hashlib.sha256()
    for array in (parts.reference, parts.folds, parts.confidence, parts.scored):
        whole.update(array.tobytes())
    for name, table in sorted(tables(snapshot, found, judge(found, params)).items()):
        whole.update(f"{name} {table.to_pydict()}".encode())
    return whole.hexdigest()


@pytest.fixture(scope="session")
def answered() -> Callable[[Snapshot], str]:
    return answer


@pytest.fixture(scope="session")
def plant() -> Callable[..., Planted]:
    return planted
