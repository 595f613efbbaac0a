"""Every usual score beside the measure: one matrix of actors by communities each.

All of them see the planted communities. `oracle` is the measure itself, told the true habits
and the true spread of appeal: what no measure can beat by much.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from scipy import sparse

from engine.csr import Floats, Longs
from engine.lift import fit, posterior, posterior_mean
from tests.worlds.planted import World

__all__ = ["RIVALS", "oracle", "rivals", "shares_in"]

RIVALS: Final = (
    "followers",
    "PageRank",
    "total shares",
    "h-index",
    "personalised PageRank",
    "shares in C",
    "engagement rate",
    "raw lift",
)
_DAMPING: Final = 0.85
_ROUNDS: Final = 4


def shares_in(world: World) -> Longs:
    """Return the shares of each post in each planted community, int64[posts, k]."""
    user, content = _acts(world)
    k = world.plan.communities
    count = np.bincount(content * k + world.place[user], minlength=len(world.actor) * k)
    return count.reshape(-1, k).astype(np.int64)


def rivals(world: World) -> Mapping[str, Floats]:
    """Return the value of every cell under each of `RIVALS`, float64[actors, k]."""
    k, by_post = world.plan.communities, shares_in(world)
    inside = _by_actor(world, by_post)
    exposed = _by_actor(world, world.exposures)
    rate = inside.sum(axis=0) / np.maximum(exposed.sum(axis=0), 1.0)
    audience = world.followers_in
    posts = np.bincount(world.actor, minlength=len(world.actors))
    walks = _walks(world)
    whole: dict[str, Floats | Longs] = {
        "followers": audience.sum(axis=1),
        "PageRank": walks[:, -1],
        "total shares": inside.sum(axis=1),
        "h-index": _h_index(world, by_post.sum(axis=1)),
    }
    return {name: np.repeat(value[:, None] * 1.0, k, axis=1) for name, value in whole.items()} | {
        "personalised PageRank": walks[:, :-1],
        "shares in C": inside,
        "engagement rate": inside / np.maximum(audience * posts[:, None], 1),
        "raw lift": inside / np.maximum(exposed * rate, 1e-9),
    }


def oracle(world: World) -> Floats:
    """Return lifts by one who knows every habit and how much appeal varies."""
    observed = shares_in(world).astype(np.float64)
    expected = world.habitual
    phi = np.exp(world.plan.appeal_sigma**2) - 1.0
    lift: Floats = np.ones((len(world.actors), world.plan.communities))
    for turn in range(_ROUNDS):
        weight = 1.0 / (1.0 + phi * lift[world.actor] * expected)
        o = _by_actor(world, weight * observed)
        e = _by_actor(world, weight * expected)
        e *= o.sum(axis=0) / np.maximum((lift * e).sum(axis=0), 1e-12)
        prior = fit(o.ravel(), e.ravel())
        if turn < _ROUNDS - 1:
            lift = posterior_mean(prior, o.ravel(), e.ravel()).reshape(o.shape)
    return posterior(prior, o.ravel(), e.ravel()).lift.reshape(o.shape)


def _acts(world: World) -> tuple[Longs, Longs]:
    user, content = (world.tables["shares"][c].to_pylist() for c in ("user_id", "content_id"))
    return (
        np.array([int(name[6:]) for name in user], np.int64),
        np.array([int(name[6:]) for name in content], np.int64),
    )


def _by_actor(world: World, by_post: Floats | Longs) -> Floats:
    total = np.zeros((len(world.actors), by_post.shape[1]))
    np.add.at(total, world.actor, by_post)
    return total


def _walks(world: World) -> Floats:
    """PageRank of each actor on who shares whom, restarting in each community and anywhere."""
    user, content = _acts(world)
    n, k = len(world.place), world.plan.communities
    author = world.actors[world.actor[content]]
    graph = sparse.coo_array((np.ones(len(user)), (author, user)), shape=(n, n)).tocsr()
    out: Floats = np.asarray(graph.sum(axis=0), np.float64).ravel()
    start = np.zeros((n, k + 1))
    start[np.arange(n), world.place] = 1.0
    start[:, k] = 1.0
    start /= np.maximum(start.sum(axis=0), 1.0)
    mass: Floats = start
    for _ in range(60):
        moved = graph @ (mass / np.maximum(out, 1.0)[:, None])
        mass = (1 - _DAMPING + _DAMPING * mass[out == 0].sum(axis=0)) * start + _DAMPING * moved
    return np.asarray(mass[world.actors])


def _h_index(world: World, shares: Longs) -> Longs:
    """Return the most posts h of each actor with at least h shares each."""
    order = np.lexsort((-shares, world.actor))
    actor = world.actor[order]
    place = np.arange(len(order)) - np.searchsorted(actor, actor) + 1
    return np.bincount(actor[shares[order] >= place], minlength=len(world.actors)).astype(np.int64)
