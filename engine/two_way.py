"""Two-way: how many of those who turn to a source it turns to in its turn."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from engine.placed import Acts, Placed
from engine.shrink import Trials
from engine.snapshot import NO_TIME

__all__ = ["MONTH", "answered", "two_way"]

MONTH: Final = 30 * 24 * 3_600 * 1_000_000
"""Microseconds in which a source must turn back to a person."""


def answered(acts: Acts, replies: Acts, within: int) -> npt.NDArray[np.bool_]:
    """Say of each act whether the source did something towards that person soon after.

    O((acts + replies) log). Acts without a time are never answered.

    Parameters
    ----------
    acts
        What people did towards sources.
    replies
        What sources did towards people.
    within
        Microseconds after the act, that moment included.
    """
    timed = replies.where(replies.at != NO_TIME)
    users = 1 + int(max(acts.user.max(initial=0), timed.user.max(initial=0)))
    pair = np.concatenate((timed.source, acts.source)) * users
    pair += np.concatenate((timed.user, acts.user))
    _, pair = np.unique(pair, return_inverse=True)
    moments, moment = np.unique(np.concatenate((timed.at, acts.at)), return_inverse=True)
    key = pair.astype(np.int64) * (len(moments) + 1) + moment
    given, asked = np.sort(key[: len(timed.at)]), key[len(timed.at) :]
    last = np.searchsorted(moments, acts.at + within, "right") - 1
    limit = asked + last - moment[len(timed.at) :]
    first = np.searchsorted(given, asked)
    found = (acts.at != NO_TIME) & (first < len(given))
    found[found] = given[first[found]] <= limit[found]
    return np.asarray(found)


def two_way(placed: Placed, acts: Acts, replies: Acts) -> Trials:
    """Return who shared or mentioned each source; it comes true where the source turned back.

    One case a person and source; answering, mentioning or sharing within 30 days of any of
    the person's acts is turning back. People whose acts have no time are no case.
    """
    speaks = placed.sources.accounts.count > 0
    timed = acts.where((acts.at != NO_TIME) & speaks[acts.source])
    hit = answered(timed, replies, MONTH)
    key = timed.source * placed.users + timed.user
    pairs, which = np.unique(key, return_inverse=True)
    source, user = np.divmod(pairs, max(placed.users, 1))
    return Trials(source, user, placed.label(source, user), np.bincount(which, hit, len(pairs)) > 0)
