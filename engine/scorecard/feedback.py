"""What came back: who interacted, noticed, understood, judged, acted, and was answered."""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.csr import Ints, Longs
from engine.model import SHARE_KINDS, TOPIC_KINDS
from engine.placed import Acts
from engine.scorecard.card import NO_ACCOUNT, NO_EXPOSURE, Card
from engine.scorecard.value import Value, mean, part, per_exposure, unknown
from engine.shrink import STRENGTH
from engine.snapshot import NO_TIME
from engine.two_way import answered

__all__ = [
    "assessment",
    "implementation",
    "interaction",
    "loop_closure",
    "perception",
    "traffic",
    "understanding",
]

TWO_DAYS: Final = 48 * 3_600 * 1_000_000

_QUOTE: Final = SHARE_KINDS.index("quote")
_CARRIED: Final = (TOPIC_KINDS.index("url"), TOPIC_KINDS.index("hashtag"))
_NOT_SHOWN: Final = "nobody there was shown it"


def interaction(card: Card) -> Value:
    """Return how often being shown it leads to a share, quote, reply or mention."""
    if not card.by:
        return unknown(NO_EXPOSURE)
    count = len(card.shares) + len(card.replies) + len(card.named[0])
    usual = _usual(card)
    found = part(count, card.shown, _NOT_SHOWN, STRENGTH, usual)
    return found.on("shares", "replies", "mentions", card.by)


def _usual(card: Card) -> float:
    """Return the rate of everything that is shown to the people there, half a case added."""
    k = float(card.facts.acted[card.here].sum())
    all_shown = float(card.facts.shown[card.by][card.here].sum())
    return (min(k, all_shown) + 0.5) / (all_shown + 1.0)


def perception(card: Card) -> Value:
    """Return how often being shown it leads to a click; without clicks, to a like."""
    for kind in ("click", "like"):
        if card.facts.has(kind) and card.by:
            found = part(len(card.reactions(kind)), card.shown, _NOT_SHOWN)
            return found.on(f"reactions.{kind}", card.by)
    told = _told(card)
    if told is not None:
        return part(*told, "nobody was shown it").on(
            "content.clicks_count", "content.impressions_count"
        )
    return unknown("needs clicks or likes" if card.by else NO_EXPOSURE)


def traffic(card: Card) -> Value:
    """Return clicks for every thousand times it is shown."""
    if card.facts.has("click") and card.by:
        found = per_exposure(len(card.reactions("click")), card.shown, 1_000, _NOT_SHOWN)
        return found.on("reactions.click", card.by)
    told = _told(card)
    if told is not None:
        return per_exposure(*told, 1_000, "nobody was shown it").on(
            "content.clicks_count", "content.impressions_count"
        )
    return unknown(NO_EXPOSURE if card.facts.has("click") else "needs clicks")


def _told(card: Card) -> tuple[float, float] | None:
    """Return clicks and impressions as the platform counts them; it does not say of whom."""
    if card.place is not None:
        return None
    contents = card.facts.snapshot.contents
    clicks = contents.clicks_count[card.of.contents]
    shown = contents.impressions_count[card.of.contents]
    known = (clicks >= 0) & (shown >= 0)
    if not known.any():
        return None
    return float(clicks[known].sum()), float(shown[known].sum())


def understanding(card: Card) -> Value:
    """Return the part of the shares, quotes and replies that say something in own words."""
    contents = card.facts.snapshot.contents
    if not (contents.text_length >= 0).any():
        return unknown("needs texts, or their length")
    reply = card.facts.snapshot.replies.content[card.replies]
    length = np.where(reply >= 0, contents.text_length[reply], -1)
    quotes = int((card.facts.shares.kind[card.shares] == _QUOTE).sum())
    own, known = int((length > 0).sum()), int((length >= 0).sum())
    found = part(quotes + own, len(card.shares) + known, "nobody there shared or answered it")
    return found.on("shares.kind", "replies", "content.text")


def assessment(card: Card) -> Value:
    """Return the mean stance of the replies."""
    stance = card.facts.snapshot.contents.stance
    if not np.isfinite(stance).any():
        return unknown("needs a stance of replies")
    reply = card.facts.snapshot.replies.content[card.replies]
    judged = stance[reply[reply >= 0]]
    judged = judged[np.isfinite(judged)]
    return mean(judged, "no reply there was judged", (-1.0, 1.0)).on("replies", "content.stance")


def implementation(card: Card) -> Value:
    """Return the part of the people shown it who did what it asks for.

    Conversions where the data have any; else, as a proxy, later posts of their own that
    carry its url or hashtag.
    """
    if not card.by:
        return unknown(NO_EXPOSURE)
    shown = np.zeros(card.of.placed.users, np.bool_)
    shown[np.flatnonzero(card.here)[card.times > 0]] = True
    if card.facts.has("conversion"):
        rows = card.reactions("conversion")
        did = np.unique(card.facts.snapshot.reactions.user[rows])
        return part(shown[did].sum(), shown.sum(), _NOT_SHOWN).on("reactions.conversion", card.by)
    topics = card.facts.snapshot.topics
    if not np.isin(topics.kind, _CARRIED).any():
        return unknown("needs conversions, or urls or hashtags of posts")
    did = _taken_up(card)
    return part(shown[did].sum(), shown.sum(), _NOT_SHOWN).on("topics as a proxy", card.by)


def _taken_up(card: Card) -> Ints:
    """Return who posted something of their own with its url or hashtag after it first did."""
    snapshot = card.facts.snapshot
    topics, contents = snapshot.topics, snapshot.contents
    mine = card.facts.by_content["topics"].rows(card.of.contents)
    mine = mine[np.isin(topics.kind[topics.topic[mine]], _CARRIED)]
    at = contents.created_at[topics.content[mine]]
    mine, at = mine[at != NO_TIME], at[at != NO_TIME]
    topic, which = np.unique(topics.topic[mine], return_inverse=True)
    began = np.full(len(topic), np.iinfo(np.int64).max)
    np.minimum.at(began, which, at)
    rows = card.facts.by_topic.rows(topic)
    content = topics.content[rows]
    start = began[np.searchsorted(topic, topics.topic[rows])]
    later = (contents.created_at[content] > start) & ~np.isin(content, card.of.contents)
    author = contents.author[content[later]]
    return np.unique(author[author >= 0])


def loop_closure(card: Card) -> Value:
    """Return the part of the replies and mentions that it answers within two days.

    It answers with a reply to the person, or a mention. What came in the last two days of the
    data could still be answered and is left out.
    """
    if not card.owns:
        return unknown(NO_ACCOUNT)
    if card.facts.span is None:
        return unknown("nothing has a time")
    replies = card.facts.snapshot.replies
    user = np.concatenate((replies.user[card.replies], card.named[0]))
    at = np.concatenate((replies.at[card.replies], card.named[1]))
    due = (at != NO_TIME) & (at <= card.facts.span[1] - TWO_DAYS)
    back, when = _turned_to(card)
    hit = answered(_acts(user[due], at[due]), _acts(back, when), TWO_DAYS)
    found = part(hit.sum(), due.sum(), "nobody there answered or named it in time for an answer")
    return found.on("replies", "mentions")


def _turned_to(card: Card) -> tuple[Ints, Longs]:
    """Return whom its accounts answered or named, and when."""
    snapshot = card.facts.snapshot
    replies, mentions = card.of.did("replies"), card.of.did("mentions")
    user = np.concatenate(
        (
            snapshot.contents.author[snapshot.replies.parent[replies]],
            snapshot.mentions.target[mentions],
        )
    )
    at = np.concatenate((snapshot.replies.at[replies], snapshot.mentions.at[mentions]))
    return user[user >= 0], at[user >= 0]


def _acts(user: Ints, at: Longs) -> Acts:
    return Acts(np.zeros(len(user), np.int64), user, at, np.full(len(user), -1, np.int64))
