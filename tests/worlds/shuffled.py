"""The same exposures, the same people as ready to share, and no taste of anybody left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tests.worlds.planted import World

__all__ = ["permuted"]


def permuted(world: World) -> World:
    """Give every user's shares to contents drawn from all that the user was shown.

    A user shares as many contents as before, each drawn in proportion to how often it was
    shown, so that whatever a community shares more of than it was shown is chance.
    """
    random = np.random.default_rng([world.plan.seed, 9])
    shown, shares = world.tables["impressions"], world.tables["shares"]
    users = world.tables["users"]["user_id"].combine_chunks()
    who = pc.index_in(shown["user_id"].combine_chunks(), users).to_numpy()
    many = np.bincount(
        pc.index_in(shares["user_id"].combine_chunks(), users).to_numpy(), minlength=len(users)
    )
    # The least of exponential waiting times, at a rate of the times shown, is drawn first.
    wait = random.exponential(1.0, len(who)) / shown["count"].to_numpy()
    order = np.lexsort((wait, who))
    rank = np.arange(len(order)) - np.searchsorted(who[order], who[order])
    taken = np.sort(order[rank < many[who[order]]])
    rows = shown.take(pa.array(taken))
    posts = world.tables["content"]
    posted = posts["created_at"].take(
        pc.index_in(rows["content_id"].combine_chunks(), posts["content_id"].combine_chunks())
    )
    delay = pa.array((random.exponential(3.6e9, len(taken))).astype(np.int64), pa.duration("us"))
    made = pa.table(
        {
            "user_id": rows["user_id"],
            "content_id": rows["content_id"],
            "at": pc.add(posted, delay),
            "kind": pa.array(["share"]).take(pa.array(np.zeros(len(taken), np.int64))),
        }
    )
    return replace(world, tables={**world.tables, "shares": made})
