"""How it stands: what the run's tables say of it, and what follows from them."""

from __future__ import annotations

import numpy as np

from engine.model import REACTION_KINDS, SHARE_KINDS
from engine.scorecard.card import NO_ACCOUNT, Card, Row
from engine.scorecard.value import Value, exact, log_ratio, mean, part, unknown
from engine.wording import knows_exposure, score_word

__all__ = [
    "authority",
    "convergence",
    "conversational",
    "credibility",
    "echo",
    "emotional",
    "hops",
    "influence",
    "reaction",
    "relevant",
    "shareability",
    "trust",
    "virality",
]

_QUOTE = SHARE_KINDS.index("quote")
_LIKE = REACTION_KINDS.index("like")
_NO_CONTENT_SCORE = (
    "no content of it is scored there; analyse with --sources user,brand,domain,content"
)


def reaction(card: Card) -> Value:
    """Return its score."""
    row = card.of.scores.get(card.community_id)
    if row is None:
        return unknown("it has no score there")
    if row["resonance"] is None:
        return unknown("too little else is shared there to expect anything of it")
    found = Value(row["resonance"], row["resonance_low"], row["resonance_high"], row["observed"])
    said = () if knows_exposure(row["tier"]) else (score_word(row["tier"]),)
    quadrant = () if row["quadrant"] is None else (f"quadrant {row['quadrant']}",)
    return found.on("scores.resonance", *said, *quadrant)


def influence(card: Card) -> Value:
    """Return its percentile of loudness: the same in every community."""
    row = card.of.loudness
    if row is None or row["influence"] is None:
        return unknown("the run does not say how loud it is")
    return exact(row["influence"], row[row["influence_basis"]] or 0).on(
        f"influence.{row['influence_basis']}"
    )


def trust(card: Card) -> Value:
    """Return the two-way dimension."""
    return _dimension(card, "two_way")


def echo(card: Card) -> Value:
    """Return the echo dimension."""
    return _dimension(card, "echo")


def _dimension(card: Card, name: str) -> Value:
    row = card.of.dimensions.get((name, card.community_id))
    if row is None:
        over = card.of.dimensions.get((name, None))
        why = None if over is None else over["reason"]
        return unknown(why or "there is no case of it there")
    if row["value"] is None:
        return unknown(row["reason"])
    return Value(row["value"], row["low"], row["high"], row["n"]).on(f"dimensions.{name}")


def credibility(card: Card) -> Value:
    """Return persistence among sharers who neither follow it nor were turned to by it."""
    found = card.facts.untied_persistence(card.of.kind)
    if isinstance(found, str):
        return unknown(found)
    place = -1 if card.place is None else card.place
    row = np.flatnonzero((found.source == card.of.number) & (found.community == place))
    if not len(row):
        return unknown("nobody there shared it without a tie to it and could share it again")
    value, low, high = (
        100.0 * float(ends[row[0]]) for ends in (found.value, found.low, found.high)
    )
    basis = ("follows",) if len(card.facts.snapshot.follows.follower) else ("posts it made later",)
    return Value(value, low, high, float(found.n[row[0]])).on("shares.at", *basis)


def authority(card: Card) -> Value:
    """Return how high it stands among the members by PageRank that restarts at them."""
    if not card.owns:
        return unknown(NO_ACCOUNT)
    if card.community_id not in card.of.authority:
        return unknown("no account of it is a member")
    return exact(card.of.authority[card.community_id], card.members).on("authority.percentile")


def relevant(card: Card) -> Value:
    """Return the mean score of its contents, by their shares there."""
    rows = _content_rows(card, roll_ups=True)
    if not rows:
        return unknown(_NO_CONTENT_SCORE)
    return _weighted(rows, ("resonance", "resonance_low", "resonance_high")).on("scores.resonance")


def shareability(card: Card) -> Value:
    """Return the mean log2 lift of its contents, by their shares there."""
    rows = _content_rows(card, roll_ups=False)
    if not rows:
        return unknown(_NO_CONTENT_SCORE)
    for row in rows:
        for name in ("lift", "lift_low", "lift_high"):
            row[f"log2_{name}"] = float(np.log2(row[name]))
    names = ("log2_lift", "log2_lift_low", "log2_lift_high")
    return _weighted(rows, names).on("scores.lift")


def _content_rows(card: Card, *, roll_ups: bool) -> list[Row]:
    """Return scores of its contents: there, or over all communities, summed up or in each."""
    figure = "resonance" if roll_ups else "lift"
    return [
        dict(row)
        for row in card.of.own_scores
        if row[figure] is not None
        and (
            row["community_id"] == card.community_id
            if card.place is not None or roll_ups
            else row["community_id"] is not None
        )
    ]


def _weighted(rows: list[Row], names: tuple[str, str, str]) -> Value:
    weight = np.array([row["observed"] for row in rows], np.float64)
    value, low, high = (
        float((weight * [row[name] for row in rows]).sum() / weight.sum()) for name in names
    )
    return Value(value, low, high, float(len(rows)))


def conversational(card: Card) -> Value:
    """Return how much more it is talked about than liked, against what is usual there."""
    facts, snapshot = card.facts, card.facts.snapshot
    if not facts.has("like"):
        return unknown("needs likes")
    said = len(card.replies) + int((facts.shares.kind[card.shares] == _QUOTE).sum())
    found = part(said, said + len(card.reactions("like")), "nobody there answered or liked it")
    quoted = facts.shares.user[facts.shares.kind == _QUOTE]
    usual = card.here[snapshot.replies.user].sum() + card.here[quoted].sum()
    liked = card.here[snapshot.reactions.user[snapshot.reactions.kind == _LIKE]].sum()
    ratio = log_ratio(found, float(usual / max(usual + liked, 1)), "nobody there talks about it")
    return ratio.on("replies", "shares.kind", "reactions.like")


def emotional(card: Card) -> Value:
    """Return how emotional what is shared of it is, against all that is shared there."""
    facts, emotion = card.facts, card.facts.snapshot.contents.emotion
    if not np.isfinite(emotion).any():
        return unknown("needs an emotion of contents; see shareability_conversational")
    mine = emotion[np.unique(facts.shares.content[card.shares])]
    every = emotion[np.unique(facts.shares.content[card.here[facts.shares.user]])]
    mine, every = mine[np.isfinite(mine)], every[np.isfinite(every)]
    found = mean(mine, "nothing of it that is shared there was judged", (0.0, 1.0))
    usual = float(every.mean()) if len(every) else 0.0
    return log_ratio(found, usual, "what is shared there has no emotion").on("content.emotion")


def virality(card: Card) -> Value:
    """Return the mean distance of pairs in its cascades, by their shares there."""
    ids = card.facts.snapshot.contents.content_id
    tree = {
        row["content_id"]: row["structural_virality"]
        for row in card.of.cascades
        if row["structural_virality"] is not None
    }
    content, count = np.unique(card.facts.shares.content[card.shares], return_counts=True)
    known = [
        (tree[name], float(many))
        for name, many in zip(ids.take(content).to_pylist(), count.tolist(), strict=True)
        if name in tree
    ]
    if not known:
        return unknown("no cascade of it that was shared there has known parents")
    value, weight = np.array(known).T
    return exact((value * weight).sum() / weight.sum(), weight.sum()).on(
        "cascades.structural_virality"
    )


def hops(card: Card) -> Value:
    """Return the part of the passes to people there that come from another community."""
    facts, label = card.facts, card.of.label
    user, over = facts.shares.user[card.shares], facts.whom[card.shares]
    known = (over >= 0) & (label[user] >= 0)
    known[known] = label[over[known]] >= 0
    crossed = label[user[known]] != label[over[known]]
    found = part(crossed.sum(), known.sum(), "no pass there is known from whom it came")
    return found.on("shares.via_user_id" if (facts.shares.via >= 0).any() else "follows")


def convergence(card: Card) -> Value:
    """Return how evenly its resonant shares lie over platforms."""
    if len(card.facts.snapshot.platforms) < 2:
        return unknown("needs two platforms or more in the data")
    sources = card.of.placed.sources
    events = sources.events
    mine = (sources.at[events.source] == card.of.number) & card.here[events.user]
    user, platform = events.user[mine], events.platform[mine]
    ids = card.of.placed.names.to_pylist()
    excess = np.zeros(len(ids) + 1)
    for label, name in enumerate(ids):
        row = card.of.scores.get(name)
        excess[label] = 0.0 if row is None else (row["resonance_low"] or 0.0) / 100.0
    weight = excess[card.of.label[user]]
    if weight.sum() == 0:
        return unknown("none of its shares there is surely in excess of what is expected")
    q = np.bincount(platform, weight) / weight.sum()
    return exact(1.0 - float((q**2).sum()), (weight > 0).sum()).on(
        "users.platform", "scores.resonance_low"
    )
