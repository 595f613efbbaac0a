"""Weighted ties ready to be clustered, hidden in part, or rewired.

Two kinds with one protocol. *Pairs* tie two users who dealt with each other. *Items* tie
users who did something with the same thing: what is observed there is the (user, item)
row, so rows are what is hidden and rewired, and ties are projected anew each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import numpy as np

from engine.csr import Csr, Floats, Ints, Longs
from engine.kernels.coshare import coshare
from engine.kernels.rewire import rewire_items, rewire_pairs

__all__ = ["ITEM_CAP", "Edges", "ItemEdges", "PairEdges"]

ITEM_CAP: Final = 400
"""An item that more users have says nothing about who is kindred."""

_CLASS: Final = 64
"""Fewest edges that swap ends among themselves: enough to leave nothing of who met whom."""

_PARTNERS: Final = 8
"""Held-out ties drawn for each held-out (user, item) row."""


class Edges(Protocol):
    """What communities are found on."""

    @property
    def n(self) -> int:
        """Number of users, with and without ties."""
        ...

    @property
    def unit(self) -> float:
        """The weight one observation brings on average: the pseudo-count of tie scores."""
        ...

    def graph(self) -> Csr:
        """Return the undirected graph over all users."""
        ...

    def hide(self, fraction: float, seed: int) -> tuple[Edges, Ints, Ints]:
        """Hold out a random part: what is left, and both ends of each held-out tie."""
        ...

    def rewire(self, seed: int) -> Edges:
        """Return a random graph in which everyone keeps the number of ties."""
        ...

    def resample(self, seed: Sequence[int]) -> Edges:
        """Return ties as they might have been observed as well: a Poisson bootstrap."""
        ...


@dataclass(frozen=True, eq=False)
class PairEdges:
    """Distinct pairs `u < v` with a weight, sorted by u, then v."""

    n: int
    u: Ints
    v: Ints
    weight: Floats

    @cached_property
    def unit(self) -> float:
        """Mean weight of a pair, so that scores do not change when all weights double."""
        return float(self.weight.mean()) if len(self.weight) else 1.0

    def graph(self) -> Csr:
        """Return the undirected graph over all users."""
        return Csr.undirected(self.u, self.v, self.weight, self.n)

    def hide(self, fraction: float, seed: int) -> tuple[PairEdges, Ints, Ints]:
        """Hold out each pair with this probability."""
        held = np.random.default_rng(seed).random(len(self.u)) < fraction
        kept = PairEdges(self.n, self.u[~held], self.v[~held], self.weight[~held])
        return kept, self.u[held], self.v[held]

    def rewire(self, seed: int) -> PairEdges:
        """Swap ends among pairs of like weight: degrees stay, and weighted degrees nearly."""
        order = np.argsort(self.weight, kind="stable")
        weight = self.weight[order]
        u, v = rewire_pairs(self.u[order], self.v[order], _classes(weight), seed)
        low, high = np.minimum(u, v), np.maximum(u, v)
        by_ends = np.lexsort((high, low))
        return PairEdges(self.n, low[by_ends], high[by_ends], weight[by_ends])

    def resample(self, seed: Sequence[int]) -> PairEdges:
        """Draw each weight anew, in units: Poisson with the mean it has.

        A tie of one unit is gone in 37 % of the draws, one of five in less than 1 %.
        """
        drawn = np.random.default_rng(seed).poisson(self.weight / self.unit)
        kept = drawn > 0
        weight = (drawn[kept] * self.unit).astype(np.float64)
        return PairEdges(self.n, self.u[kept], self.v[kept], weight)


def _classes(weight: Floats) -> Longs:
    """Cut sorted weights where they change, but not into classes of under `_CLASS` edges."""
    cuts = [0]
    for at in (np.flatnonzero(np.diff(weight)) + 1).tolist():
        if min(at - cuts[-1], len(weight) - at) >= _CLASS:
            cuts.append(at)
    return np.array([*cuts, len(weight)], np.int64)


@dataclass(frozen=True, eq=False)
class ItemEdges:
    """Distinct (user, item) rows, sorted by item, then user, of items that 2 to 400 have."""

    n: int
    items: int
    user: Ints
    item: Ints

    @property
    def unit(self) -> float:
        """One: a row spreads one unit of weight over the others of its item."""
        return 1.0

    @classmethod
    def of(cls, n: int, items: int, user: Ints, item: Ints) -> ItemEdges:
        """Build from rows in any order: doubles and items of no use are left out."""
        rows = np.unique(item.astype(np.int64) * max(n, 1) + user)
        item, user = np.divmod(rows, max(n, 1))
        many = np.bincount(item, minlength=items)[item]
        useful = (many >= 2) & (many <= ITEM_CAP)
        return cls(n, items, user[useful].astype(np.int32), item[useful].astype(np.int32))

    def graph(self) -> Csr:
        """Project rows onto users by Newman's weights. O(sum over items of k squared)."""
        return coshare(self.user, self.item, self.n, self.items)

    def hide(self, fraction: float, seed: int) -> tuple[ItemEdges, Ints, Ints]:
        """Hold out each row with this probability.

        Its ties are those to eight users drawn, with replacement, from who is left with the
        item; so every row weighs the same, however many have the item.
        """
        chance = np.random.default_rng(seed)
        held = chance.random(len(self.user)) < fraction
        kept = ItemEdges.of(self.n, self.items, self.user[~held], self.item[~held])
        first = np.searchsorted(kept.item, self.item[held], "left")
        many = np.searchsorted(kept.item, self.item[held], "right") - first
        shared = many > 0
        u = np.repeat(self.user[held][shared], _PARTNERS)
        draws = chance.random(len(u)) * np.repeat(many[shared], _PARTNERS)
        v = kept.user[np.repeat(first[shared], _PARTNERS) + draws.astype(np.int64)]
        return kept, u, v

    def rewire(self, seed: int) -> ItemEdges:
        """Deal the items out anew: users and items keep their numbers of rows."""
        item = rewire_items(self.user, self.item, seed)
        return ItemEdges.of(self.n, self.items, self.user, item)

    def resample(self, seed: Sequence[int]) -> ItemEdges:
        """Draw how often each item counts: Poisson with mean one.

        Items, not ties or rows: all ties through one item are seen together or not at all.
        """
        times = np.random.default_rng(seed).poisson(1.0, self.items)
        first = np.cumsum(times) - times
        many = times[self.item]
        start = np.repeat(np.cumsum(many) - many, many)
        number = np.arange(int(many.sum())) - start
        item = np.repeat(first[self.item], many) + number
        user = np.repeat(self.user, many)
        order = np.lexsort((user, item))
        return ItemEdges(self.n, int(times.sum()), user[order], item[order].astype(np.int32))
