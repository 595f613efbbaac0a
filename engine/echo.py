"""Echo: how much of a community's sharing comes from within it."""

from __future__ import annotations

import numpy as np

from engine.csr import Ints
from engine.placed import Acts, Placed
from engine.shrink import Trials

__all__ = ["echo"]


def echo(placed: Placed, passed: Acts, whom: Ints) -> Trials:
    """Return the shares by members whose parent is known; it comes true where that is a member.

    The source itself does not count as a member. Since every share has one parent, the rate
    is also the mean number of shares inside that a share inside leads to. O(shares).

    Parameters
    ----------
    passed
        Shares of each source, as `passes` gives them.
    whom
        From whom each counted share came, -1 where that is unknown.
    """
    known = passed.row >= 0
    known[known] = whom[passed.row[known]] >= 0
    here = passed.where(known)
    label = placed.label(here.source, here.user)
    here, label = here.where(label >= 0), label[label >= 0]
    over = whom[here.row]
    inside = placed.label(here.source, over) == label
    hit = np.asarray(inside & ~placed.owns(here.source, over))
    return Trials(here.source, here.user, label, hit)
