"""Planted worlds: who resonates where is drawn first, independent of reach, then acted out.

After resonance.md 8a. The variants change one thing each; those of `UNASSUMED` break what
the measure assumes: a feed shows things past the follows, taste goes by topic and not by
source, people move house half-way, accounts share in step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine.csr import Csr, Floats, Ints, Longs
from engine.model import CANONICAL, TIME
from engine.partition import Partitions
from tests.worlds.passing import passing

__all__ = ["SMALL", "UNASSUMED", "VARIANTS", "Plan", "World", "make", "write"]

_START: Final = 1_704_067_200  # 2024-01-01, in seconds
_LIKELIEST: Final = 0.9
_IN_STEP: Final = 5.0
"""Seconds between two bots that share in step."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a world is and how its people behave; spreads are of lognormals.

    `posts` is the mean number of posts of an actor. `habit` is the mean probability of passing
    on a content one is shown. `fans` is the shape of the gamma by which single people like
    single actors (0: nobody does). `ambient` is the part of shares from nowhere, `again` the
    factor of a second exposure, `feed` the part of exposures that go past the follows, `topics`
    the number of subjects communities differ in, `movers` the part of people who change
    community half-way, `bots` accounts that share every post of twenty actors in step.
    With `impressions` the tables say who was shown what.
    """

    users: int = 6_000
    communities: int = 24
    actors: int = 2_000
    posts: float = 25.0
    days: float = 60.0
    follows: float = 25.0
    mixing: float = 0.35
    giant: float = 0.4
    popularity: float = 1.4
    habit: float = 0.002
    habit_sigma: float = 0.9
    place_sigma: float = 0.5
    appeal_sigma: float = 0.6
    background_sigma: float = 0.25
    at_home: float = 0.25
    elsewhere: float = 0.05
    cold: float = 0.1
    delay_hours: float = 3.0
    fans: float = 0.0
    ambient: float = 0.0
    again: float = 1.0
    feed: float = 0.0
    topics: int = 0
    topic_sigma: float = 0.8
    movers: float = 0.0
    bots: int = 0
    impressions: bool = False
    seed: int = 1


BASE: Final = Plan()
VARIANTS: Final[Mapping[str, Plan]] = {
    "base": BASE,
    "dense": replace(BASE, posts=4 * BASE.posts),
    "fans": replace(BASE, fans=0.5),
    "viral": replace(BASE, appeal_sigma=1.0),
    "ambient": replace(BASE, ambient=0.2),
    "reinforcement": replace(BASE, again=2.0),
    "mixing": replace(BASE, mixing=0.6),
    "no appeal": replace(BASE, appeal_sigma=0.0),
}
"""Worlds of the kind the measure assumes, each with one thing changed."""
UNASSUMED: Final[Mapping[str, Plan]] = {
    "feed": replace(BASE, feed=0.5),
    "taste by topic": replace(BASE, topics=8),
    "drift": replace(BASE, movers=0.3),
    "bots in step": replace(BASE, bots=40),
}
"""Worlds it does not assume: it need not find much, but has to stay honest."""
SMALL: Final = replace(BASE, users=600, communities=6, actors=200)
"""Of a size for every test."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """A planted world: canonical tables, and what stands behind them.

    Users are numbered as their ids are sorted, and so are contents. `lift` float64[actors, k]
    is the true lift of a source in a community, as its members met it: over its posts in
    proportion to the habits exposed, and in units of what the community is shown on average.
    `planted` marks resonant cells. `habitual` and `exposures` [posts, k] sum and count those
    who were shown a post.
    """

    plan: Plan
    tables: Mapping[str, pa.Table]
    place: Ints
    habit: Floats
    actors: Ints
    """User of each actor."""
    actor: Ints
    """Actor of each post."""
    lift: Floats
    planted: npt.NDArray[np.bool_]
    habitual: Floats
    exposures: Longs
    follower: Ints
    followee: Ints

    @property
    def partitions(self) -> Partitions:
        """The planted communities, as if they had been found without looking at shares."""
        k = self.plan.communities
        return Partitions(
            self.place, self.place[None, :], np.ones(len(self.place)), np.ones(k, np.bool_), 1.0
        )

    @property
    def followers_in(self) -> Longs:
        """Followers of each actor in each community, int64[actors, k]."""
        k = self.plan.communities
        at = np.full(len(self.place), -1, np.int64)
        at[self.actors] = np.arange(len(self.actors))
        kept = at[self.followee] >= 0
        key = at[self.followee[kept]] * k + self.place[self.follower[kept]]
        return np.bincount(key, minlength=len(self.actors) * k).reshape(-1, k).astype(np.int64)


def make(plan: Plan) -> World:
    """Make a world; the same plan gives the same bytes. About two seconds for the full size."""
    people = np.random.default_rng([plan.seed, 1])
    place = _places(plan, people)
    follower, followee = _follows(plan, place, people)
    actors = np.sort(people.choice(plan.users, plan.actors, replace=False)).astype(np.int32)
    taste, planted = _taste(plan, place[actors], np.random.default_rng([plan.seed, 2]))
    acts = np.random.default_rng([plan.seed, 3])
    actor, posted = _posts(plan, acts)
    appeal = acts.lognormal(-(plan.appeal_sigma**2) / 2, plan.appeal_sigma, len(actor))
    moods = taste[actor] * _topics(plan, len(actor), np.random.default_rng([plan.seed, 4]))
    graph = Csr.directed(followee, follower, np.ones(len(follower)), plan.users)
    habit = _habits(plan, place, np.random.default_rng([plan.seed, 5]))
    content, user, at, habitual, exposures, shown, viewer = passing(
        plan.seed,
        actors[actor],
        actor,
        posted,
        appeal,
        moods,
        graph.indptr,
        graph.indices,
        habit,
        np.cumsum(habit),
        np.stack((place, _moved(plan, place))),
        _liking(plan),
        plan.ambient,
        plan.again,
        plan.feed,
        plan.delay_hours * 3_600,
        _LIKELIEST,
        int(plan.impressions),
    )
    content, user, at = _with_bots(plan, place, actors, (actor, posted), (content, user, at))
    return World(
        plan=plan,
        tables=_tables(
            plan,
            (follower, followee),
            (actors[actor], posted),
            (content, user, at),
            (shown, viewer),
        ),
        place=place,
        habit=habit,
        actors=actors,
        actor=actor,
        lift=_met(plan, actor, moods, habitual, taste),
        planted=planted,
        habitual=habitual,
        exposures=exposures,
        follower=follower,
        followee=followee,
    )


def write(world: World, folder: Path) -> Path:
    """Write the tables as a canonical folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in world.tables.items():
        pq.write_table(rows, folder / f"{name}.parquet", compression="zstd")
    return folder


def _places(plan: Plan, random: np.random.Generator) -> Ints:
    """Draw communities of unequal size: the first holds `giant` of all, the rest a Pareto."""
    weight = np.sort(1.0 + random.pareto(2.0, plan.communities - 1))[::-1]
    weight = np.minimum(weight, 4.0)
    part = np.concatenate(([plan.giant], (1 - plan.giant) * weight / weight.sum()))
    return random.choice(plan.communities, plan.users, p=part).astype(np.int32)


def _follows(plan: Plan, place: Ints, random: np.random.Generator) -> tuple[Ints, Ints]:
    """Draw who follows whom: busy people follow more, popular ones are followed more."""
    busy = random.lognormal(-0.32, 0.8, plan.users) * plan.follows
    degree = np.minimum(random.poisson(busy), plan.users // 4)
    popular = np.minimum(1.0 + random.pareto(plan.popularity, plan.users), 60.0)
    source = np.repeat(np.arange(plan.users, dtype=np.int32), degree)
    own, draw = place[source], random.random(len(source))
    step = np.where(random.random(len(source)) < 0.5, 1, -1)
    where = np.where(draw < 1 - plan.mixing, own, (own + step) % plan.communities)
    target = _popular_in(where, place, popular, random)
    anywhere = draw >= 1 - plan.mixing / 2
    everyone = np.zeros(int(anywhere.sum()), np.int32)
    target[anywhere] = _popular_in(everyone, np.zeros_like(place), popular, random)
    kept = source != target
    pairs = np.unique(source[kept].astype(np.int64) * plan.users + target[kept])
    first, second = np.divmod(pairs, plan.users)
    return first.astype(np.int32), second.astype(np.int32)


def _popular_in(where: Ints, place: Ints, weight: Floats, random: np.random.Generator) -> Ints:
    """Draw one member of each of these communities, in proportion to weight."""
    order = np.argsort(place, kind="stable")
    total = np.concatenate(([0.0], np.cumsum(weight[order])))
    start = np.searchsorted(place[order], np.arange(int(place.max()) + 2))
    low, high = total[start[where]], total[start[where + 1]]
    at = np.searchsorted(total, low + random.random(len(where)) * (high - low), side="right") - 1
    found: Ints = order[np.minimum(at, len(order) - 1)].astype(np.int32)
    return found


def _taste(
    plan: Plan, home: Ints, random: np.random.Generator
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Draw how much each community takes to each actor, whatever the actor's audience."""
    shape = (plan.actors, plan.communities)
    lift = random.lognormal(0.0, plan.background_sigma, shape)
    lift = np.where(random.random(shape) < plan.cold, 0.3 * lift, lift)
    at_home = home[:, None] == np.arange(plan.communities)
    planted = random.random(shape) < np.where(at_home, plan.at_home, plan.elsewhere)
    strong = np.clip(4.0 * random.lognormal(0.0, 0.5, shape), 2.0, 16.0)
    return np.where(planted, strong, lift), planted


def _posts(plan: Plan, random: np.random.Generator) -> tuple[Ints, Floats]:
    """Draw who posts when, in the order of time; everybody posts at least once."""
    weight = random.lognormal(0.0, 0.5, plan.actors)
    more = round(plan.actors * (plan.posts - 1.0))
    who = random.choice(plan.actors, more, p=weight / weight.sum())
    actor = random.permutation(np.concatenate((np.arange(plan.actors), who)))
    return actor.astype(np.int32), np.sort(random.random(len(actor))) * plan.days * 86_400.0


def _topics(plan: Plan, posts: int, random: np.random.Generator) -> Floats:
    """Return how much each community cares for the topic of each post; 1 without topics."""
    if plan.topics == 0:
        return np.ones((posts, plan.communities))
    s = plan.topic_sigma
    care = random.lognormal(-(s**2) / 2, s, (plan.topics, plan.communities))
    return np.asarray(care[random.integers(0, plan.topics, posts)])


def _habits(plan: Plan, place: Ints, random: np.random.Generator) -> Floats:
    s, t = plan.habit_sigma, plan.place_sigma
    own = random.lognormal(-(s**2) / 2, s, plan.users)
    shared = random.lognormal(-(t**2) / 2, t, plan.communities)
    return np.asarray(plan.habit * own * (shared / np.average(shared[place]))[place])


def _liking(plan: Plan) -> npt.NDArray[np.float32]:
    """Return how much each person likes each actor; no rows where nobody is a fan."""
    if plan.fans == 0:
        return np.zeros((0, 0), np.float32)
    random = np.random.default_rng([plan.seed, 6])
    drawn = random.standard_gamma(plan.fans, (plan.actors, plan.users), np.float32)
    return np.asarray(drawn / np.float32(plan.fans))


def _moved(plan: Plan, place: Ints) -> Ints:
    """Return where people live from half-time on."""
    random = np.random.default_rng([plan.seed, 7])
    moves = random.random(plan.users) < plan.movers
    elsewhere = random.integers(0, plan.communities, plan.users)
    return np.where(moves, elsewhere, place).astype(np.int32)


_Acts = tuple[Ints, Ints, Floats]


def _with_bots(
    plan: Plan, place: Ints, actors: Ints, posts: tuple[Ints, Floats], acts: _Acts
) -> _Acts:
    """Add accounts of one community that share every post of twenty actors within minutes."""
    if plan.bots == 0:
        return acts
    random = np.random.default_rng([plan.seed, 8])
    members = np.setdiff1d(np.flatnonzero(place == 1), actors)
    bots = random.choice(members, min(plan.bots, len(members)), replace=False)
    pushed = np.flatnonzero(np.isin(posts[0], random.choice(plan.actors, 20, replace=False)))
    content = np.repeat(pushed, len(bots))
    at = np.repeat(posts[1][pushed], len(bots)) + np.tile(
        60.0 + _IN_STEP * np.arange(len(bots)), len(pushed)
    )
    return (
        np.concatenate((acts[0], content.astype(np.int32))),
        np.concatenate((acts[1], np.tile(bots, len(pushed)).astype(np.int32))),
        np.concatenate((acts[2], at)),
    )


def _met(plan: Plan, actor: Ints, moods: Floats, habitual: Floats, taste: Floats) -> Floats:
    """Return the lift that members met, in units of what their community meets on average.

    A post that goes viral counts once there, as in the measure: a habit is known only up to
    the average lift, and the measure takes that over weighted contents.
    """
    phi = np.exp(plan.appeal_sigma**2) - 1.0
    once = habitual / (1.0 + phi * moods * habitual)
    average = (moods * once).sum(axis=0) / np.maximum(once.sum(axis=0), 1e-12)
    met, weight = np.zeros_like(taste), np.zeros_like(taste)
    np.add.at(met, actor, moods * habitual)
    np.add.at(weight, actor, habitual)
    # A cell that nobody was shown has the lift it would have had.
    lift = np.where(weight > 0, met / np.where(weight > 0, weight, 1.0), taste)
    return np.asarray(lift / average)


def _tables(
    plan: Plan,
    follows: tuple[Ints, Ints],
    posts: tuple[Ints, Floats],
    acts: _Acts,
    shown: tuple[Ints, Ints],
) -> dict[str, pa.Table]:
    users = _names("u", plan.users)
    contents = _names("p", len(posts[0]))
    audience = np.bincount(follows[1], minlength=plan.users)
    made = {
        "users": {"user_id": users, "followers_count": pa.array(audience)},
        "follows": {"follower_id": users.take(follows[0]), "followee_id": users.take(follows[1])},
        "content": {
            "content_id": contents,
            "kind": pa.array(["post"]).take(np.zeros(len(contents), np.int64)),
            "author_id": users.take(posts[0]),
            "created_at": _times(posts[1]),
        },
        "shares": {
            "user_id": users.take(acts[1]),
            "content_id": contents.take(acts[0]),
            "at": _times(acts[2]),
            "kind": pa.array(["share"]).take(np.zeros(len(acts[0]), np.int64)),
        },
    }
    if plan.impressions:
        key, count = np.unique(
            shown[0].astype(np.int64) * plan.users + shown[1], return_counts=True
        )
        made["impressions"] = {
            "content_id": contents.take(key // plan.users),
            "user_id": users.take(key % plan.users),
            "count": pa.array(count),
        }
    return {name: _declared(name, columns) for name, columns in made.items()}


def _declared(name: str, columns: Mapping[str, pa.Array]) -> pa.Table:
    fields = [CANONICAL[name].schema.field(column) for column in columns]
    return pa.table(
        [values.cast(field.type) for field, values in zip(fields, columns.values(), strict=True)],
        schema=pa.schema(fields),
    )


def _names(letter: str, count: int) -> pa.StringArray:
    width = len(str(count))
    return pa.array([f"made:{letter}{i:0{width}d}" for i in range(count)], pa.string())


def _times(seconds: Floats) -> pa.Array:
    return pa.array(((_START + seconds) * 1_000_000).astype(np.int64)).cast(TIME)
