"""How it behaves: what it makes and passes on, whom it turns to, and whether it sells."""

from __future__ import annotations

import numpy as np

from engine.csr import Floats, Ints
from engine.scorecard.card import NO_ACCOUNT, Card
from engine.scorecard.value import Value, exact, mean, part, unknown
from engine.snapshot import NO_TIME

__all__ = [
    "connections",
    "engagement",
    "filtering",
    "humanise",
    "received",
    "relationships",
    "selection",
    "sharing",
    "two_way_street",
]

_WHOLE = "is said of it as a whole, not of one community"
_REPEATED = 3
_DEALINGS = ("shares", "replies", "mentions", "reactions.like", "interactions")


def humanise(card: Card) -> Value:
    """Return the part of its output that is text of its own; without texts, of its replies."""
    if not card.owns:
        return unknown(NO_ACCOUNT)
    if card.place is not None:
        return unknown(_WHOLE)
    length = card.facts.snapshot.contents.text_length
    made, passed = card.of.originals, len(card.of.did("shares"))
    if (length >= 0).any():
        own, known = int((length[made] > 0).sum()), int((length[made] >= 0).sum())
        return part(own, known + passed, "it made and shared nothing").on("content.text", "shares")
    replies = len(card.of.did("replies"))
    posts = int((~card.facts.is_reply[made]).sum())
    return part(replies, posts + replies, "it posted and answered nothing").on("replies", "content")


def filtering(card: Card) -> Value:
    """Return the part of the contents it was shown that it did not pass on."""
    if not card.owns:
        return unknown(NO_ACCOUNT)
    if card.place is not None:
        return unknown(_WHOLE)
    facts, snapshot = card.facts, card.facts.snapshot
    told = card.of.did("impressions")
    followees = np.unique(snapshot.follows.followee[card.of.did("follows")])
    if not len(told) and not len(followees):
        return unknown("it follows nobody, and no impressions of it are known")
    shown = np.concatenate(
        (
            snapshot.impressions.content[told],
            facts.by_user["contents"].rows(followees),
            facts.shares.content[facts.by_user["shares"].rows(followees)],
        )
    )
    passed = facts.shares.content[card.of.did("shares")]
    seen = np.setdiff1d(np.unique(shown), card.of.contents)
    left = ~np.isin(seen, passed)
    found = part(left.sum(), len(seen), "nothing was put before it")
    return found.on("shares", *(["impressions"] if len(told) else []), "follows")


def selection(card: Card) -> Value:
    """Return the mean log2 lift, in its home community, of the contents it chose to share."""
    if not card.owns:
        return unknown(NO_ACCOUNT)
    if card.place is not None:
        return unknown(_WHOLE)
    chosen = np.unique(card.facts.shares.content[card.of.did("shares")])
    if not len(chosen):
        return unknown("it shares nothing")
    home = card.of.label[card.of.accounts]
    home = home[home >= 0]
    if not len(home):
        return unknown("none of its accounts is in a community")
    where = str(card.of.placed.names[int(np.bincount(home).argmax())])
    lifts = [
        float(np.log2(row["lift"]))
        for row in card.of.content_scores(chosen)
        if row["community_id"] == where and row["lift"] is not None
    ]
    nothing = (
        "nothing it shares is scored in its home community; analyse with "
        "--sources user,brand,domain,content"
    )
    return mean(np.array(lifts), nothing, (-np.inf, np.inf)).on("scores.lift", "shares")


def _dyads(card: Card) -> tuple[Floats, Floats, Floats]:
    """Return for each person there: weight it gave, weight it got, acts in all."""
    acts, owned = card.facts.acts, card.of.accounts
    out = card.facts.by_user["acts"].rows(owned)
    into = card.facts.by_user["acted_on"].rows(owned)
    out, into = out[card.here[acts.target[out]]], into[card.here[acts.user[into]]]
    n = card.of.placed.users
    gave: Floats = np.bincount(acts.target[out], acts.weight[out], n).astype(np.float64)
    got: Floats = np.bincount(acts.user[into], acts.weight[into], n).astype(np.float64)
    count = np.bincount(acts.target[out], minlength=n) + np.bincount(acts.user[into], minlength=n)
    return gave, got, count.astype(np.float64)


def two_way_street(card: Card) -> Value:
    """Return how even its dealings are: the lesser weight of each pair over the greater."""
    if not card.owns:
        return unknown(NO_ACCOUNT)
    gave, got, count = _dyads(card)
    most = np.maximum(gave, got).sum()
    if most == 0:
        return unknown("it had no dealings with anybody there")
    return exact(np.minimum(gave, got).sum() / most, (count > 0).sum()).on(*_DEALINGS)


def relationships(card: Card) -> Value:
    """Return the part of its dealings that are repeated and mutual."""
    if not card.owns:
        return unknown(NO_ACCOUNT)
    gave, got, count = _dyads(card)
    both = gave + got
    if both.sum() == 0:
        return unknown("it had no dealings with anybody there")
    mutual = (gave > 0) & (got > 0) & (count >= _REPEATED)
    return exact(both[mutual].sum() / both.sum(), count.sum()).on(*_DEALINGS)


def connections(card: Card) -> Value:
    """Return the part of its conversations among those and its posts that advertise."""
    if not card.owns:
        return unknown(NO_ACCOUNT)
    snapshot = card.facts.snapshot
    flag = snapshot.contents.is_promotion[card.of.originals]
    if not (flag >= 0).any():
        return unknown("needs a mark on posts that advertise")
    author = snapshot.contents.author
    answered = author[snapshot.replies.parent[card.of.did("replies")]]
    named = snapshot.mentions.target[card.of.did("mentions")]
    talked = len(card.replies) + len(card.named[0]) + _there(card, answered) + _there(card, named)
    sold = int((flag == 1).sum())
    if talked + sold == 0:
        return unknown("it neither talked with anybody there nor advertised")
    return exact(talked / (talked + sold), talked + sold).on(
        "replies", "mentions", "content.is_promotion"
    )


def _there(card: Card, users: Ints) -> int:
    return int(card.here[users[users >= 0]].sum())


def received(card: Card) -> Value:
    """Return the shares of its contents by people there, over those and its own posts."""
    shares, posts = len(card.shares), len(card.of.contents)
    if shares + posts == 0:
        return unknown("it has no contents")
    return exact(shares / (shares + posts), shares + posts).on("shares", "content")


def sharing(card: Card) -> Value:
    """Return what it passes on, over that and what it makes."""
    if not card.owns:
        return unknown(NO_ACCOUNT)
    if card.place is not None:
        return unknown(_WHOLE)
    shares, posts = len(card.of.did("shares")), len(card.of.originals)
    if shares + posts == 0:
        return unknown("it made and shared nothing")
    return exact(shares / (shares + posts), shares + posts).on("shares", "content")


def engagement(card: Card) -> Value:
    """Return the part of the people who are newly tied to it in a week, in the later half."""
    if not card.owns:
        return unknown(NO_ACCOUNT)
    if card.facts.span is None or card.facts.weeks <= 0:
        return unknown("nothing has a time")
    if not card.members:
        return unknown("nobody else is there")
    acts, owned = card.facts.acts, card.of.accounts
    out = card.facts.by_user["acts"].rows(owned)
    into = card.facts.by_user["acted_on"].rows(owned)
    other = np.concatenate((acts.target[out], acts.user[into]))
    at = np.concatenate((acts.at[out], acts.at[into]))
    kept = card.here[other] & (at != NO_TIME)
    first = np.full(card.of.placed.users, np.iinfo(np.int64).max)
    np.minimum.at(first, other[kept], at[kept])
    begin, end = card.facts.span
    middle = begin + (end - begin) // 2
    fresh = int(((first > middle) & (first <= end)).sum())
    return exact(fresh / card.members / (card.facts.weeks / 2), card.members).on(*_DEALINGS)
