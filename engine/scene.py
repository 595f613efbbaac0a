"""A run together with the data it was made of.

Most questions are answered from the tables of a run. Some need what no table holds: who
exactly shared, who follows whom. A scene brings both, with the partitions that scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.contract import Backend, RunInfo
from engine.csr import Ints
from engine.errors import UsageError
from engine.groups import RootGroups, folds, root_groups
from engine.params import SourceKind
from engine.partition import UNASSIGNED, Partitions
from engine.shares import FirstShares, first_shares
from engine.snapshot import Snapshot
from engine.sources import SourceEvents, events
from engine.window import seen

__all__ = ["Scene", "scene"]


@dataclass(frozen=True, eq=False)
class Scene:
    """A run, the data it saw, and its communities of level 1 as labels of users."""

    run: RunInfo
    snapshot: Snapshot
    partitions: Partitions

    @cached_property
    def shares(self) -> FirstShares:
        """The shares that count."""
        return first_shares(self.snapshot)

    @cached_property
    def groups(self) -> RootGroups:
        """What is hidden together when a partition must not have seen a source."""
        return root_groups(self.snapshot)

    @cached_property
    def group_folds(self) -> Ints:
        """The fold of each root group."""
        return folds(self.groups, self.run.params.folds, self.run.params.seed)

    def events(self, kind: SourceKind) -> SourceEvents:
        """Return the shares of every source of a kind, as the run counted them."""
        return events(self.snapshot, kind, self.shares, self.groups, self.run.params.count)

    def label(self, community_id: str) -> int:
        """Return the label of a community that the run knows."""
        return int(pc.index(self.partitions.community_ids, community_id).as_py())


def scene(backend: Backend, run_id: str | None = None) -> Scene:
    """Bring a run and its data together. One snapshot, and the table of memberships.

    Raises
    ------
    NotFound
        If there is no such run.
    UsageError
        If the store holds other data than the run saw.
    """
    run = backend.run(run_id)
    snapshot, _ = seen(backend.snapshot(), run.params)
    if snapshot.fingerprint != run.fingerprint:
        raise UsageError(
            f"the data behind run {run.run_id}",
            "the store was loaded into since, and holds other data now",
            "run: kindred analyse",
        )
    return Scene(run, snapshot, _partitions(backend, run, snapshot))


def _partitions(backend: Backend, run: RunInfo, snapshot: Snapshot) -> Partitions:
    found = backend.read("communities", run_id=run.run_id, where={"level": 1})
    order = pc.sort_indices(
        pa.table(
            {
                "count": found["member_count"],
                "number": pc.cast(
                    pc.replace_substring_regex(found["community_id"], r"\D", ""), "int64"
                ),
            }
        ),
        sort_keys=[("count", "descending"), ("number", "ascending")],
    )
    found = found.take(order)
    ids = found["community_id"].combine_chunks()
    rows = backend.read("memberships", run_id=run.run_id, where={"level": 1})
    user = pc.index_in(rows["user_id"].combine_chunks(), snapshot.users.user_id).to_numpy()
    label = pc.index_in(rows["community_id"].combine_chunks(), ids).to_numpy().astype(np.int32)
    fold = pc.fill_null(rows["fold"], -1).to_numpy()
    labels = np.full((run.params.folds + 1, len(snapshot.users)), UNASSIGNED, np.int32)
    labels[fold + 1, user] = label
    confidence = np.full(len(snapshot.users), np.nan)
    reference = fold == -1
    confidence[user[reference]] = rows["confidence"].to_numpy()[reference]
    return Partitions(
        reference=labels[0],
        folds=labels[1:],
        confidence=confidence,
        scored=found["member_count"].to_numpy() >= run.params.min_members,
        gamma=float("nan"),
        names=ids,
    )
