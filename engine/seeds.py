"""Seeds: whom to talk to, so that a source moves a community. Experimental.

The model: whoever sees a post of the source passes it on with the chance
`1 - exp(-rho_u lambda)`, rho_u being their habit (shares for an exposure, `engine.exposed_fit`)
and lambda the lift of the source in their community. Chosen are the people whose posts, in that
model, reach most of the community's readiness to share: of its members weighted by rho. Beside
them stand the people whom the community's scores and authority would name, spread by the same
model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.audiences import Pairs, followers
from engine.campaign import Members, all_sources, kind_named, members_of
from engine.contract import Backend
from engine.csr import Floats, Ints
from engine.errors import NotFound, TooLittleData, UsageError
from engine.exposed_fit import fit_exposed
from engine.exposure import by_follows
from engine.kernels.seeds import forward
from engine.max_cover import Chosen, choose
from engine.model import COUNT, TEXT, Column
from engine.params import SourceKind
from engine.posters import posters
from engine.progress import Progress, silent
from engine.results import F64, I32
from engine.scene import Scene
from engine.snapshot import Users

__all__ = ["COLUMNS", "MOST_SEEDS", "RANKINGS", "Seeds", "Spread", "habits", "seeds", "spread_of"]

MOST_SEEDS: Final = 100
"""People that can be asked for at once."""

RUNS: Final = 2_000
"""Times that each list is spread."""

RANKINGS: Final = ("seeds", "resonance", "authority")
"""Lists compared: chosen by the model, most resonant there, most authoritative there."""

_MOST_COINS: Final = 400_000_000
"""Ties looked at, about, while a list is spread: runs are fewer where starts are very loud."""

_FEWEST_RUNS: Final = 200
_Z90: Final = 1.6448536269514722

COLUMNS: Final = (
    Column("ranking", TEXT, "seeds (chosen by the model), resonance or authority", required=True),
    Column("rank", I32, "place in that list", required=True),
    Column("user_id", TEXT, "whom to talk to", required=True),
    Column("label", TEXT, "as it is shown", required=True),
    Column("is_member", pa.bool_(), "is in the community itself", required=True),
    Column("followers_count", COUNT, "members of the community who follow", required=True),
    Column("moved", F64, "members moved on average if all up to here post", required=True),
    Column("moved_low", F64, "5 % point of that mean over runs of the model", required=True),
    Column("moved_high", F64, "95 % point of that mean over runs of the model", required=True),
)
"""What `seeds` answers with: each list in its order."""


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Who hears whom, and the chance of each user to pass on what they see once."""

    heard: Pairs
    chance: Floats
    habit: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Seeds:
    """Whom to talk to, beside the lists it must beat; `said` is what to know of it."""

    table: pa.Table
    certain: float
    """Part of the best possible that the choice is sure to reach, in the model."""
    said: tuple[str, ...]


def seeds(
    backend: Backend,
    scene: Scene,
    community_id: str,
    source: tuple[str, str],
    *,
    count: int = 10,
    epsilon: float = 0.2,
    progress: Progress = silent,
) -> Seeds:
    """Choose whom to talk to, so that a source moves a community.

    Parameters
    ----------
    community_id
        A community of the run, of any level.
    source
        Kind and id. Its own accounts are not chosen.
    count
        How many people.
    epsilon
        How far below `1 - 1/e` of the best possible the choice may certainly be.

    Notes
    -----
    O(follows) for the habits, then O(reverse sets drawn); memory is bounded, and so is time.

    Raises
    ------
    TooLittleData
        Where the data hold no follows: nobody knows then who hears whom.
    UsageError
        If more than `MOST_SEEDS` are asked for.
    """
    if not 0 < count <= MOST_SEEDS:
        raise UsageError(
            f"{count} people to talk to",
            f"from 1 to {MOST_SEEDS} can be asked for",
            "ask for fewer: --count 10",
        )
    kind, source_id = kind_named(source[0]), source[1]
    inside = members_of(backend, scene, community_id)
    progress("seeds: habits of sharing")
    spread = spread_of(scene, lifts(backend, scene, kind, source_id))
    allowed = _allowed(scene, spread.heard, kind, source_id)
    count = min(count, int(allowed.sum()))
    chosen = choose(
        spread.heard.reverse(len(inside)),
        spread.chance,
        np.where(inside, spread.habit, 0.0),
        allowed,
        count,
        seed=scene.run.params.seed,
        epsilon=epsilon,
        progress=progress,
    )
    lists = {"seeds": chosen.users} | _rivals(backend, scene, community_id, allowed, count)
    progress("seeds: spreading each list")
    moved = {
        name: _moved(spread, users, inside, scene.run.params.seed)
        for name, users in lists.items()
        if len(users)
    }
    people, heard = scene.snapshot.users, spread.heard
    tables = [_rows(people, heard, inside, name, (lists[name], moved[name])) for name in moved]
    return Seeds(
        pa.concat_tables(tables).combine_chunks(),
        chosen.certain,
        tuple(_said(community_id, chosen, moved, epsilon)),
    )


def spread_of(scene: Scene, lift: Floats) -> Spread:
    """Return how a post spreads of a source that each user takes to by this lift.

    Raises
    ------
    TooLittleData
        Where the data hold no follows, or nobody shared what they were exposed to.
    """
    snapshot = scene.snapshot
    if len(snapshot.follows.follower) == 0:
        raise TooLittleData(
            "people to talk to",
            "these data hold no follows (0 rows), so nobody knows who hears whom",
            "load an export that says who follows whom",
        )
    habit = habits(scene)
    return Spread(followers(snapshot), -np.expm1(-habit * lift), habit)


def habits(scene: Scene) -> Floats:
    """Return each user's shares for an exposure, as scores by follows fit them.

    O(follows), a few times over. Habits are those of sharing what other users post.

    Raises
    ------
    TooLittleData
        If nobody shared a post of somebody they follow.
    """
    shares = scene.events("user")
    exposure = by_follows(
        posters(scene.snapshot, shares, scene.shares, scene.groups), scene.snapshot
    )
    if not exposure.seen.any():
        raise TooLittleData(
            "people to talk to",
            "nobody shared a post of somebody they follow, so habits of sharing are unknown",
            "load shares and follows of the same people",
        )
    k = scene.partitions.k
    fold = scene.group_folds[exposure.group]
    fitted = fit_exposed(exposure, fold, scene.partitions.folds, k)
    scale = np.append(fitted.scale, 1.0)
    return np.asarray(fitted.habit * scale[np.minimum(fitted.home, k)])


def lifts(backend: Backend, scene: Scene, kind: str, source_id: str) -> Floats:
    """Return how each user's community takes to a source: its lift, 1 where none is known."""
    rows = backend.read(
        "scores",
        run_id=scene.run.run_id,
        where={"source_kind": kind, "source_id": source_id, "community_id__ne": None},
    )
    rows = rows.filter(pc.is_valid(rows["lift"]))
    known = np.ones(scene.partitions.k + 1)
    at = pc.index_in(rows["community_id"].combine_chunks(), scene.partitions.community_ids)
    found = at.is_valid()
    known[at.filter(found).to_numpy()] = rows["lift"].combine_chunks().filter(found).to_numpy()
    return known[scene.partitions.reference]


def _allowed(scene: Scene, heard: Pairs, kind: SourceKind, source_id: str) -> npt.NDArray[np.bool_]:
    """Say who may be chosen: people who are followed, and not the source itself."""
    allowed = heard.count > 0
    sources = all_sources(scene, kind)
    at = pc.index(sources.source_id, source_id).as_py()
    if at < 0:
        raise NotFound(
            f"the {kind} '{source_id}'",
            f"run {scene.run.run_id} knows no {kind} of this id",
            "list them with: kindred influence",
        )
    accounts = sources.accounts
    allowed[accounts.thing[accounts.offset[at] : accounts.offset[at + 1]]] = False
    return allowed


def _rivals(
    backend: Backend,
    scene: Scene,
    community_id: str,
    allowed: npt.NDArray[np.bool_],
    count: int,
) -> dict[str, Ints]:
    """Return the users most resonant in the community, and the most authoritative."""
    run_id, there = scene.run.run_id, {"community_id": community_id}
    scored = backend.read(
        "scores",
        run_id=run_id,
        where=there | {"source_kind": "user", "resonance_low__ne": None},
        order=("-resonance_low", "-resonance", "source_id"),
    )
    ranked = backend.read("authority", run_id=run_id, where=there, order=("rank", "user_id"))
    found = {}
    for name, ids in (("resonance", scored["source_id"]), ("authority", ranked["user_id"])):
        at = pc.index_in(ids, scene.snapshot.users.user_id).to_numpy().astype(np.int32)
        found[name] = at[allowed[at]][:count]
    return found


def _moved(spread: Spread, users: Ints, inside: Members, seed: int) -> Floats:
    """Spread a list, and count the members moved: float64[runs, len(users)]."""
    heard = spread.heard
    ties = max(int(heard.count[users].sum()), 1)
    runs = int(np.clip(_MOST_COINS // ties, _FEWEST_RUNS, RUNS))
    moved = forward(
        seed, runs, users, heard.offset, heard.thing.astype(np.int32), spread.chance, inside
    )
    return np.asarray(moved, np.float64)


def _mean(values: Floats) -> tuple[Floats, Floats]:
    """Return means over runs, and half their 90 % intervals."""
    runs = len(values)
    return values.mean(axis=0), _Z90 * values.std(axis=0, ddof=1) / np.sqrt(runs)


def _rows(
    people: Users, heard: Pairs, inside: Members, name: str, listed: tuple[Ints, Floats]
) -> pa.Table:
    users, moved = listed
    there = np.bincount(heard.source[inside[heard.thing]], minlength=len(inside))
    mean, half = _mean(moved)
    chosen = pa.array(users)
    columns: dict[str, Any] = {
        "ranking": pa.repeat(name, len(users)),
        "rank": pa.array(np.arange(1, len(users) + 1), I32),
        "user_id": people.user_id.take(chosen),
        "label": people.shown.take(chosen),
        "is_member": inside[users],
        "followers_count": there[users],
        "moved": mean,
        "moved_low": np.maximum(mean - half, 0.0),
        "moved_high": mean + half,
    }
    return pa.table(columns, schema=pa.schema([column.field for column in COLUMNS]))


_WORDS: Final = {
    "resonance": "the most resonant there",
    "authority": "the most authoritative there",
}


def _said(
    community_id: str, chosen: Chosen, moved: Mapping[str, Floats], epsilon: float
) -> Sequence[str]:
    """Say what the choice is worth, and what that rests on."""
    said = ["Experimental: a model of who passes things on, not a forecast."]
    if len(chosen.users):
        mean, half = (float(part[-1]) for part in _mean(moved["seeds"]))
        said.append(
            f"If these {len(chosen.users)} people post it, {mean:.1f} "
            f"[{mean - half:.1f}, {mean + half:.1f}] members of {community_id} pass it on in the "
            "model."
        )
    for name, words in _WORDS.items():
        if name in moved:
            both = min(moved[name].shape[1], moved["seeds"].shape[1])
            runs = min(len(moved[name]), len(moved["seeds"]))
            gain = moved["seeds"][:runs, both - 1] - moved[name][:runs, both - 1]
            more, half = (float(part) for part in _mean(gain))
            said.append(
                f"That is {more:+.1f} [{more - half:.1f}, {more + half:.1f}] beside as many of "
                f"{words}."
            )
    promise = f"at least {chosen.certain:.0%} of what the best choice of as many would"
    if chosen.cut:
        said.append(
            f"Memory ended the search: it reaches {promise}, less than the "
            f"{1 - 1 / np.e - epsilon:.0%} aimed at."
        )
    else:
        said.append(
            f"In the model, and only there, the choice reaches {promise}, of the members weighted "
            "by their habit of sharing."
        )
    return said
