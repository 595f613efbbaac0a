"""Who could meet a source: seen by how many, how often, how near, and by what mixture."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from scipy import sparse

from engine.csr import Floats, Ints
from engine.scorecard.card import NO_ACCOUNT, NO_EXPOSURE, Card
from engine.scorecard.value import Value, exact, unknown

__all__ = [
    "clustering",
    "connectivity",
    "degree",
    "exposure",
    "mean_distance",
    "same_level",
    "segmented_audience",
    "segmented_reaction",
    "visibility",
    "within_six",
]

MOST_PATHS: Final = 100_000_000
"""Two-step paths up to which those are counted that a third tie closes."""
_BLOCK: Final = 4_000_000
"""Paths looked at in one go: bounds memory, decides nothing else."""

_SIX: Final = 6
_FACTOR: Final = 3.0


def visibility(card: Card) -> Value:
    """Return the part of the people who were shown it at all."""
    if not card.by:
        return unknown(NO_EXPOSURE)
    if not card.members:
        return unknown("nobody else is there")
    return exact(card.people / card.members, card.members).on(card.by)


def exposure(card: Card) -> Value:
    """Return how often a person is shown it in a week."""
    if not card.by:
        return unknown(NO_EXPOSURE)
    if card.facts.weeks <= 0 or not card.members:
        return unknown("nothing has a time")
    rate = card.shown / card.members / card.facts.weeks
    return exact(rate, card.shown).on(card.by, "content.created_at")


def connectivity(card: Card) -> Value:
    """Return the part of the people who have a tie with it, either way."""
    if not card.owns:
        return unknown(NO_ACCOUNT)
    if not card.members:
        return unknown("nobody else is there")
    kin = card.facts.kin
    tied = np.zeros(kin.n, np.bool_)
    for account in card.of.accounts.tolist():
        tied[kin.indices[kin.indptr[account] : kin.indptr[account + 1]]] = True
    return exact((tied & card.here).sum() / card.members, card.members).on("ties")


def degree(card: Card) -> Value:
    """Return how many ties a person there has to others there, on average."""
    mean, _, members = _inside(card)
    if not members:
        return unknown("nobody is there")
    return exact(mean, members).on("ties")


def clustering(card: Card) -> Value:
    """Return the part of pairs of ties of one person there that a third tie closes."""
    _, closed, members = _inside(card)
    if np.isnan(closed):
        return unknown("nobody there has two ties, or there are too many to walk")
    return exact(closed, members).on("ties")


def _inside(card: Card) -> tuple[float, float, float]:
    """Return mean degree, transitivity and members of the graph among people there."""
    key = (
        -1 if card.place is None else card.place * 1_000 + int(card.of.placed.fold[card.of.number])
    )
    known = card.facts.clustering
    if key not in known:
        kin = card.facts.kin
        chosen = np.ones(kin.n, np.bool_) if card.place is None else card.of.label == card.place
        ones = np.ones(len(kin.indices), np.int64)
        graph = sparse.csr_array((ones, kin.indices, kin.indptr), shape=(kin.n, kin.n))
        graph = graph[chosen][:, chosen]
        graph.setdiag(0)
        graph.eliminate_zeros()
        known[key] = (
            graph.nnz / max(int(chosen.sum()), 1), _closed(graph), float(chosen.sum())
        )  # fmt: skip
    return known[key]


def _closed(graph: sparse.csr_array) -> float:
    """Return the part of two-step paths whose ends are tied; NaN without one or with too many."""
    degrees = np.diff(graph.indptr).astype(np.float64)
    paths = float((degrees * (degrees - 1)).sum())
    if paths == 0 or paths > MOST_PATHS:
        return float("nan")
    from_each = np.cumsum(graph @ degrees)
    cuts = np.searchsorted(from_each, np.arange(_BLOCK, from_each[-1], _BLOCK)) + 1
    closed = 0.0
    for first, last in pairwise(np.unique([0, *cuts, len(degrees)]).tolist()):
        rows = graph[first:last]
        closed += float((rows @ graph).multiply(rows).sum())
    return closed / paths


def segmented_audience(card: Card) -> Value:
    """Return how unevenly those to whom it is shown lie over communities."""
    if not card.by:
        return unknown(NO_EXPOSURE)
    times, _ = card.of.exposures or (np.empty(0), "")
    return _uneven(card, times, "nobody in a community was shown it").on(card.by)


def segmented_reaction(card: Card) -> Value:
    """Return how unevenly those who share it lie over communities."""
    events = card.of.placed.sources.events
    mine = card.of.placed.sources.at[events.source] == card.of.number
    times = np.bincount(events.user[mine], minlength=card.of.placed.users).astype(np.float64)
    return _uneven(card, times, "nobody in a community shared it").on("shares")


def _uneven(card: Card, times: Floats, nothing: str) -> Value:
    if card.place is not None:
        return unknown("is said of all communities together")
    scored = np.flatnonzero(card.of.placed.scored)
    label = card.of.label
    count = np.bincount(label[label >= 0], times[label >= 0], len(card.of.placed.scored))[scored]
    if len(scored) < 2:
        return unknown("needs two communities or more")
    if count.sum() == 0:
        return unknown(nothing)
    p = count[count > 0] / count.sum()
    return exact(1.0 + float((p * np.log(p)).sum()) / np.log(len(scored)), count.sum())


def same_level(card: Card) -> Value:
    """Return the part of its dealings with people whose audience is of the size of its own."""
    if not card.owns:
        return unknown(NO_ACCOUNT)
    audience = card.facts.audience
    mine = np.nansum(audience[card.of.accounts])
    if np.isnan(audience[card.of.accounts]).all():
        return unknown("needs follows, or numbers of followers")
    other, weight = _dealings(card)
    known = ~np.isnan(audience[other])
    other, weight = other[known], weight[known]
    if weight.sum() == 0:
        return unknown("it had no dealings with anybody there")
    size = audience[other]
    alike = (size <= _FACTOR * mine) & (size * _FACTOR >= mine)
    found = exact(weight[alike].sum() / weight.sum(), len(weight))
    return found.on("shares", "replies", "mentions", "reactions", "users.followers_count")


def _dealings(card: Card) -> tuple[Ints, Floats]:
    """Return with whom there it had to do, act by act, and what each weighs."""
    acts = card.facts.acts
    out = card.facts.by_user["acts"].rows(card.of.accounts)
    into = card.facts.by_user["acted_on"].rows(card.of.accounts)
    other = np.concatenate((acts.target[out], acts.user[into]))
    weight = np.concatenate((acts.weight[out], acts.weight[into]))
    kept = card.here[other]
    return other[kept], weight[kept]


def mean_distance(card: Card) -> Value:
    """Return how many steps people are away, of those who can be reached at all."""
    steps, reason = _steps(card)
    if steps is None:
        return reason if card.place is not None else _told(card, "mean_distance", reason)
    near = steps[steps >= 0]
    if not len(near):
        return unknown("nobody there can be reached along follows")
    return exact(near.mean(), len(near)).on("follows")


def within_six(card: Card) -> Value:
    """Return the part of the people who are six steps away or fewer."""
    steps, reason = _steps(card)
    if steps is None:
        return reason if card.place is not None else _told(card, "within_six_share", reason)
    if not len(steps):
        return unknown("nobody else is there")
    return exact(((steps >= 0) & (steps <= _SIX)).mean(), len(steps)).on("follows")


def _steps(card: Card) -> tuple[Ints | None, Value]:
    """Return the distance of each person there, -1 without a way; or why it is unknown."""
    follows = len(card.facts.snapshot.follows.follower)
    if not card.owns:
        return None, unknown(NO_ACCOUNT)
    if not follows:
        return None, unknown("needs follows")
    if follows > card.facts.most_steps:
        return None, unknown(f"{follows:,} follows are too many to walk for a table")
    return card.of.steps[card.here], unknown("")


def _told(card: Card, column: str, otherwise: Value) -> Value:
    """Return what the table of reach says of everyone, exact or from sketches."""
    row = card.of.reach.get(None)
    if row is None or row[column] is None:
        return otherwise
    return exact(row[column], card.members).on(f"reach.{column}")
