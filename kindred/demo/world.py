"""A made world: people, brands, follows and shares whose answer is planted, so it is known.

Communities, who follows whom, how loud a source is, and how much each community takes to it
are drawn independently of each other. Where a community takes to a source beyond its habit,
the true lift says by how much; `kindred` never reads it, and `kindred.demo.score_world`
compares with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.csr import Csr, Floats, Ints, Longs
from engine.model import CANONICAL, TIME
from kindred.demo.names import THEMES, brand_names, handle, person_names
from kindred.demo.spread import spread

__all__ = ["TITLE", "World", "WorldParams", "make_world", "write"]

TITLE: Final = "A made world: invented people and brands, with a planted answer"

_DAY: Final = 86_400.0
_START: Final = 1_704_067_200  # 2024-01-01, in seconds
_LIKELIEST: Final = 0.9
_ALTERNATIVES: Final = 3  # accounts of a brand with more than one: every third has a second


@dataclass(frozen=True, slots=True)
class WorldParams:
    """How large a made world is, and how its people behave.

    `to_sources` is the part of follows that go to brands and creators. `mixing` is the part of
    all other follows that leave the community, `source_mixing` that of follows to sources:
    people keep to each other, and follow brands wherever those are at home. Half of what leaves
    goes next door on a ring of communities, the rest anywhere. `habit` is the mean probability
    of passing on a content that one is shown; spreads (`*_sigma`) are of lognormals. Of a
    source and a community, `planted_at_home` or `planted_elsewhere` is the probability that the
    community takes to it, with a lift of 2 to 16, and `cold` that it does not care.
    """

    users: int = 3_000
    communities: int = 12
    sources: int = 150
    brands: int = 60
    posts: int = 8_000
    days: float = 60.0
    follows: float = 25.0
    mixing: float = 0.35
    source_mixing: float = 0.85
    to_sources: float = 0.6
    popularity: float = 1.3
    habit: float = 0.013
    habit_sigma: float = 0.9
    community_sigma: float = 0.35
    appeal_sigma: float = 0.6
    background_sigma: float = 0.25
    planted_at_home: float = 0.25
    planted_elsewhere: float = 0.05
    cold: float = 0.1
    delay_hours: float = 3.0
    attention: float = 0.005
    seed: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.brands <= self.sources or self.communities < 3:
            msg = "a world needs 3 communities or more, a brand or more, and sources over brands"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """A made world: canonical tables by name, and what was planted.

    `truth` has a row for each source (brand, or creator as user) and planted community: the
    true lift, whether it is a planted one, how many there follow it, and how often they were
    shown it. `places` gives each user's planted community.
    """

    params: WorldParams
    tables: Mapping[str, pa.Table]
    truth: pa.Table
    places: pa.Table


@dataclass(frozen=True, slots=True, eq=False)
class _People:
    """Accounts: people first, of whom the first are creators, then the brands' accounts."""

    community: Ints
    source: Ints
    """Source each account speaks for: brands first, then creators; -1 for everyone else."""
    home: Ints
    """Community of each source."""
    user_id: pa.StringArray
    name: list[str]
    brand: list[str]

    def __len__(self) -> int:
        return len(self.community)


@dataclass(frozen=True, slots=True, eq=False)
class _Follows:
    """Who follows whom, each pair once."""

    follower: Ints
    followee: Ints

    def __len__(self) -> int:
        return len(self.follower)


@dataclass(frozen=True, slots=True, eq=False)
class _Shared:
    """Shares by post; `at` in seconds since the start."""

    content: Ints
    user: Ints
    at: Floats
    parent: Ints


def make_world(params: WorldParams | None = None) -> World:
    """Make a world from its parameters; the same parameters give the same bytes.

    Examples
    --------
    >>> w = make_world(WorldParams(users=200, communities=4, sources=12, brands=5, posts=40))
    >>> w.tables["users"].num_rows, w.tables["content"].num_rows, w.truth.num_rows
    (207, 40, 48)
    """
    it = WorldParams() if params is None else params
    random = np.random.default_rng(it.seed)
    people = _people(it, random)
    follows = _follows(it, people, random)
    lift, planted = _lifts(it, people, random)
    graph = Csr.directed(follows.followee, follows.follower, np.ones(len(follows)), len(people))
    posts = _posts(it, people, random)
    habit = _habits(it, people, random)
    content, user, at, parent, exposures = spread(
        it.seed,
        posts.author,
        people.source[posts.author],
        posts.at,
        random.lognormal(-(it.appeal_sigma**2) / 2, it.appeal_sigma, len(posts.at)),
        graph.indptr,
        graph.indices,
        habit,
        people.community,
        lift,
        it.delay_hours * 3_600,
        _LIKELIEST,
    )
    tables = {
        **_things(people, follows),
        "content": _content(people, posts),
        "topics": _topics(people, posts, random),
        "shares": _shares(people, posts, _Shared(content, user, at, parent)),
        **_talk(it, people, posts, graph, random),
    }
    return World(
        params=it,
        tables={name: _cast(name, tables[name]) for name in sorted(tables)},
        truth=_truth(people, lift, planted, follows, exposures),
        places=pa.table({"user_id": people.user_id, "community": people.community}),
    )


def write(world: World, folder: Path) -> Path:
    """Write the world as a canonical table folder, and what was planted beside it.

    Returns `folder/tables`, which is what there is to load; `folder/truth` holds
    `truth.parquet` and `places.parquet`, which nothing but a comparison reads.
    """
    tables, truth = folder / "tables", folder / "truth"
    for made in (tables, truth):
        made.mkdir(parents=True, exist_ok=True)
    for name, rows in world.tables.items():
        pq.write_table(rows, tables / f"{name}.parquet", compression="zstd")
    pq.write_table(world.truth, truth / "truth.parquet", compression="zstd")
    pq.write_table(world.places, truth / "places.parquet", compression="zstd")
    (tables / "source.toml").write_text(
        f'title = "{TITLE}"\n'
        'licence = "Apache-2.0, as kindred itself"\n'
        f'note = "Drawn with seed {world.params.seed}. Nobody in it exists."\n'
        "made = true\n",
        encoding="utf-8",
    )
    return tables


def _people(it: WorldParams, random: np.random.Generator) -> _People:
    # Sizes fall slowly, so that no community holds most people and none is a handful.
    weight = np.arange(1, it.communities + 1) ** -0.7
    bounds = np.cumsum(weight / weight.sum())
    place = np.minimum(np.searchsorted(bounds, random.random(it.users)), it.communities - 1)
    creators = it.sources - it.brands
    home = np.concatenate((random.integers(0, it.communities, it.brands), place[:creators]))
    second = np.arange(0, it.brands, _ALTERNATIVES)
    account_of = np.concatenate((np.arange(it.brands), second))
    source = np.full(it.users + len(account_of), -1, np.int32)
    source[:creators] = it.brands + np.arange(creators)
    source[it.users :] = account_of
    brand = brand_names([THEMES[h % len(THEMES)] for h in home[: it.brands]], random)
    name = person_names(it.users, random)
    name += [*brand, *(f"{brand[b]} Help" for b in second)]
    width = len(str(len(source)))
    return _People(
        community=np.concatenate((place, home[account_of])).astype(np.int32),
        source=source,
        home=home.astype(np.int32),
        user_id=pa.array([f"made:u{i:0{width}d}" for i in range(len(source))], pa.string()),
        name=name,
        brand=brand,
    )


def _follows(it: WorldParams, people: _People, random: np.random.Generator) -> _Follows:
    """Draw follows of a degree-corrected block model: who is busy, who is popular, and where."""
    busy = random.lognormal(-0.32, 0.8, it.users) * it.follows
    degree = np.minimum(random.poisson(busy), it.users // 4)
    follower = np.repeat(np.arange(it.users), degree)
    own = people.community[follower]
    to_source = random.random(len(follower)) < it.to_sources
    leaves = np.where(to_source, it.source_mixing, it.mixing)
    draw = random.random(len(follower))
    step = np.where(random.random(len(follower)) < 0.5, 1, -1)
    anywhere = random.integers(0, it.communities, len(follower))
    place = np.where(draw < 1 - leaves, own, (own + step) % it.communities)
    place = np.where(draw >= 1 - leaves / 2, anywhere, place)
    popular = 1 + random.pareto(2.5, len(people))
    speaks = people.source >= 0
    popular[speaks] = np.minimum(1 + random.pareto(it.popularity, int(speaks.sum())), 40)
    followee = np.full(len(follower), -1)
    for wanted, group in ((to_source, speaks), (~to_source, ~speaks)):
        followee[wanted] = _popular_there(
            place[wanted], people.community, np.where(group, popular, 0.0), random
        )
    kept = (followee >= 0) & (followee != follower)
    pairs = np.unique(follower[kept] * len(people) + followee[kept])
    first, second = np.divmod(pairs, len(people))
    return _Follows(first.astype(np.int32), second.astype(np.int32))


def _popular_there(
    place: npt.NDArray[Any], community: Ints, weight: Floats, random: np.random.Generator
) -> Longs:
    """Draw for each place one of its accounts, in proportion to weight; -1 where it has none."""
    order = np.argsort(community, kind="stable")
    total = np.concatenate(([0.0], np.cumsum(weight[order])))
    start = np.searchsorted(community[order], np.arange(int(place.max(initial=0)) + 2))
    low, high = total[start[place]], total[start[place + 1]]
    at = np.searchsorted(total, low + random.random(len(place)) * (high - low), side="right") - 1
    return np.where(high > low, order[np.minimum(at, len(order) - 1)], -1)


def _lifts(
    it: WorldParams, people: _People, random: np.random.Generator
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Draw how much each community takes to each source, whatever the source's audience."""
    shape = (it.sources, it.communities)
    lift = random.lognormal(0.0, it.background_sigma, shape)
    lift = np.where(random.random(shape) < it.cold, 0.3 * lift, lift)
    at_home = people.home[:, None] == np.arange(it.communities)
    planted = random.random(shape) < np.where(at_home, it.planted_at_home, it.planted_elsewhere)
    strong = np.clip(4.0 * random.lognormal(0.0, 0.5, shape), 2.0, 16.0)
    return np.where(planted, strong, lift), planted


def _habits(it: WorldParams, people: _People, random: np.random.Generator) -> Floats:
    """Draw how readily each person passes things on; accounts of brands never do."""
    habit = random.lognormal(-(it.habit_sigma**2) / 2, it.habit_sigma, len(people))
    place = random.lognormal(-(it.community_sigma**2) / 2, it.community_sigma, it.communities)
    habit *= it.habit * place[people.community]
    habit[it.users :] = 0.0
    return habit


@dataclass(frozen=True, slots=True, eq=False)
class _Posts:
    """Posts in the order of time; `at` in seconds since the start."""

    author: Ints
    at: Floats
    content_id: pa.StringArray


def _posts(it: WorldParams, people: _People, random: np.random.Generator) -> _Posts:
    """Draw posts: a brand's second account speaks less; nobody speaks for being followed."""
    accounts = np.flatnonzero(people.source >= 0)
    second = accounts >= it.users + it.brands
    weight = random.lognormal(0.0, 0.5, len(accounts)) * np.where(second, 0.3, 1.0)
    author = random.choice(accounts, it.posts, p=weight / weight.sum())
    width = len(str(it.posts))
    return _Posts(
        author=author.astype(np.int32),
        at=np.sort(random.random(it.posts) * it.days * _DAY),
        content_id=pa.array([f"made:p{i:0{width}d}" for i in range(it.posts)], pa.string()),
    )


def _things(people: _People, follows: _Follows) -> dict[str, pa.Table]:
    n, brands = len(people), len(people.brand)
    brand_id = [f"brand:{handle(name)}" for name in people.brand]
    accounts = np.flatnonzero((people.source >= 0) & (people.source < brands))
    return {
        "users": pa.table(
            {
                "user_id": people.user_id,
                "platform": ["made"] * n,
                "handle": [handle(name) for name in people.name],
                "name": people.name,
                "followers_count": np.bincount(follows.followee, minlength=n),
                "following_count": np.bincount(follows.follower, minlength=n),
            }
        ),
        "follows": pa.table(
            {
                "follower_id": _ids(people, follows.follower),
                "followee_id": _ids(people, follows.followee),
            }
        ),
        "brands": pa.table({"brand_id": brand_id, "name": people.brand}),
        "brand_members": pa.table(
            {
                "brand_id": [brand_id[people.source[a]] for a in accounts] + brand_id,
                "kind": ["account"] * len(accounts) + ["alias"] * brands,
                "value": _ids(people, accounts).to_pylist() + people.brand,
            }
        ),
    }


def _content(people: _People, posts: _Posts) -> pa.Table:
    return pa.table(
        {
            "content_id": posts.content_id,
            "platform": ["made"] * len(posts.at),
            "kind": ["post"] * len(posts.at),
            "author_id": _ids(people, posts.author),
            "created_at": _times(posts.at),
        }
    )


def _topics(people: _People, posts: _Posts, random: np.random.Generator) -> pa.Table:
    """Tag each post with a word of its source's home, now and then of another place."""
    home = people.home[people.source[posts.author]]
    strays = random.random(len(home)) < 0.15
    place = np.where(strays, random.integers(0, people.home.max() + 1, len(home)), home)
    which = random.integers(0, 3, len(home))
    labels = [
        THEMES[p % len(THEMES)].hashtags[w] for p, w in zip(place.tolist(), which, strict=True)
    ]
    return pa.table(
        {"content_id": posts.content_id, "kind": ["hashtag"] * len(labels), "label": labels}
    )


def _shares(people: _People, posts: _Posts, shared: _Shared) -> pa.Table:
    return pa.table(
        {
            "user_id": _ids(people, shared.user),
            "content_id": pc.take(posts.content_id, pa.array(shared.content)),
            "at": _times(shared.at),
            "kind": pa.repeat("share", len(shared.user)),
            "via_user_id": _ids(people, shared.parent),
        }
    )


def _talk(
    it: WorldParams, people: _People, posts: _Posts, graph: Csr, random: np.random.Generator
) -> dict[str, pa.Table]:
    """Draw replies and mentions: they follow the audience alone, whatever people take to."""
    audience = np.diff(graph.indptr)[posts.author]
    tables: dict[str, pa.Table] = {}
    for name in ("replies", "mentions"):
        post = np.repeat(np.arange(len(audience)), random.poisson(it.attention * audience))
        to = posts.author[post]
        pick = (random.random(len(post)) * audience[post]).astype(np.int64)
        user = graph.indices[graph.indptr[to] + pick]
        at = _times(posts.at[post] + random.exponential(it.delay_hours * 3_600, len(post)))
        columns: dict[str, Any] = {"user_id": _ids(people, user), "at": at}
        if name == "replies":
            columns["parent_content_id"] = pc.take(posts.content_id, pa.array(post))
        else:
            columns["target_id"] = _named(people, to)
        tables[name] = pa.table(columns)
    return tables


def _named(people: _People, account: Ints) -> pa.StringArray:
    """Return how an account is mentioned: a brand by its name, a person by id."""
    source = people.source[account]
    is_brand = source < len(people.brand)
    names = pc.take(pa.array(people.brand, pa.string()), pa.array(source, mask=~is_brand))
    return pc.coalesce(names, _ids(people, account))


def _truth(
    people: _People,
    lift: Floats,
    planted: npt.NDArray[np.bool_],
    follows: _Follows,
    exposures: Longs,
) -> pa.Table:
    sources, communities = lift.shape
    brands = len(people.brand)
    ids = [f"brand:{handle(name)}" for name in people.brand]
    ids += people.user_id.to_pylist()[: sources - brands]
    # A person who follows two accounts of a brand counts once.
    heard = people.source[follows.followee] >= 0
    told = people.source[follows.followee[heard]].astype(np.int64)
    pair = np.unique(told * len(people) + follows.follower[heard])
    of, who = np.divmod(pair, len(people))
    followers = np.bincount(of * communities + people.community[who], minlength=lift.size)
    return pa.table(
        {
            "source_kind": np.repeat(["brand", "user"], [brands, sources - brands])
            .repeat(communities)
            .tolist(),
            "source_id": pa.array(ids, pa.string()).take(
                pa.array(np.arange(sources).repeat(communities))
            ),
            "community": np.tile(np.arange(communities, dtype=np.int32), sources),
            "lift": lift.ravel(),
            "planted": planted.ravel(),
            "followers_count": followers,
            "exposure_count": exposures.ravel(),
        }
    )


def _ids(people: _People, at: npt.NDArray[Any]) -> pa.StringArray:
    return pc.take(people.user_id, pa.array(at))


def _times(seconds: Floats) -> pa.Array:
    return pa.array(((_START + seconds) * 1_000_000).astype(np.int64)).cast(TIME)


def _cast(name: str, rows: pa.Table) -> pa.Table:
    declared = CANONICAL[name].schema
    return rows.cast(pa.schema([declared.field(column) for column in rows.column_names]))
