"""The run before: whose community ids are carried on, and which numbers are taken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.contract import Backend, RunInfo
from engine.csr import Ints
from engine.errors import UsageError
from engine.params import AnalysisParams
from engine.snapshot import Snapshot

__all__ = ["NONE", "Before", "before", "parted", "start"]

NONE: Final = "none"
"""What a run says it continues that continues nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """The communities of the run before, of every level, and which numbers are taken.

    `members` holds user_id, community_id, level and confidence of its reference memberships.
    `sizes` are the members of each community of level 1. `used` maps what stands before a
    number (`c`, `g`, `c3.`) to the highest number that any run in the line has given.
    `same_data` says that it saw the data of this run.
    """

    run_id: str
    members: pa.Table
    sizes: Mapping[str, int]
    used: Mapping[str, int]
    same_data: bool

    def at(self, level: int) -> pa.Table:
        """Return the memberships of a level."""
        return self.members.filter(pc.equal(self.members["level"], level))


def before(
    backend: Backend, params: AnalysisParams, fingerprint: str
) -> tuple[AnalysisParams, Before | None]:
    """Find the run whose ids are carried on, and say in the parameters which it is.

    `auto` is the active run; but if any run saw the same data with otherwise equal parameters,
    it is what that run continued, so that the same analysis made twice is the same run.

    Parameters
    ----------
    backend
        The store with the runs.
    params
        What was asked; `engine` is the one that computes.
    fingerprint
        Of the data to be analysed, in the window of time that is asked for.

    Raises
    ------
    NotFound
        If there is no such run.
    UsageError
        If its tables were written by another version.
    """
    info = _chosen(backend, params, fingerprint)
    if info is None:
        return params.model_copy(update={"continues": NONE}), None
    columns = ["user_id", "community_id", "level", "confidence"]
    members = backend.read("memberships", run_id=info.run_id, where={"fold": None})
    used: dict[str, int] = {}
    own: dict[str, int] = {}
    for run in _line(backend, info):
        found = backend.read("communities", run_id=run.run_id)
        for prefix, number in map(parted, found["community_id"].to_pylist()):
            used[prefix] = max(number, used.get(prefix, 0))
        if run.run_id == info.run_id:
            level = found.filter(pc.equal(found["level"], 1))
            own = dict(
                zip(
                    level["community_id"].to_pylist(),
                    level["member_count"].to_pylist(),
                    strict=True,
                )
            )
    resolved = params.model_copy(update={"continues": info.run_id})
    same = info.fingerprint == fingerprint
    return resolved, Before(info.run_id, members.select(columns), own, used, same)


def _chosen(backend: Backend, params: AnalysisParams, fingerprint: str) -> RunInfo | None:
    wanted = params.continues
    if wanted == NONE:
        return None
    if wanted != "auto":
        info = backend.run(wanted)
        if info.stale:
            raise UsageError(
                f"community ids carried on from run {info.run_id}",
                "its tables were written by another version",
                "name another run, or give --continues none",
            )
        return info
    runs = [run for run in backend.runs() if not run.stale]
    for run in runs:
        alike = run.params.model_copy(update={"continues": wanted}) == params
        if alike and run.fingerprint == fingerprint:
            return _known(backend, run.params.continues)
    return next((run for run in runs if run.active), None)


def _known(backend: Backend, run_id: str) -> RunInfo | None:
    """Return a run by id, if the store still has it in a form that can be read."""
    return next((r for r in backend.runs() if r.run_id == run_id and not r.stale), None)


def _line(backend: Backend, info: RunInfo) -> Iterator[RunInfo]:
    """Yield a run, the one it continued, and so on."""
    seen = set()
    found: RunInfo | None = info
    while found is not None and found.run_id not in seen:
        seen.add(found.run_id)
        yield found
        found = _known(backend, found.params.continues)


def parted(community_id: str) -> tuple[str, int]:
    """Part an id into what stands before its last number, and the number; 0 without one.

    Examples
    --------
    >>> parted("c12"), parted("c3.2"), parted("mine")
    (('c', 12), ('c3.', 2), ('mine', 0))
    """
    found = re.fullmatch(r"(.*?)(\d+)", community_id)
    return (found[1], int(found[2])) if found else (community_id, 0)


def start(earlier: Before | None, snapshot: Snapshot) -> Ints | None:
    """Return the label of each user in the run before, to search from where data have changed.

    Users it did not place are each alone. None where there is no run before, or where it saw
    the same data: another seed or resolution is then to answer for itself.
    """
    if earlier is None or earlier.same_data:
        return None
    rows = earlier.at(1)
    where = pc.index_in(snapshot.users.user_id, rows["user_id"].combine_chunks())
    code = rows["community_id"].combine_chunks().dictionary_encode()
    labels = code.indices.take(where)
    alone = np.arange(len(where), dtype=np.int32) + len(code.dictionary)
    known = np.asarray(labels.is_valid())
    return np.where(known, pc.fill_null(labels, 0).to_numpy(), alone).astype(np.int32)
