"""A window of time: the data as if nothing had happened before it or after it.

People, contents and follows are things and stay; what people did stays where its time lies
in `[since, until)`. A post made outside the window is no act in it, but its share inside is.
What has no time cannot be placed and is left out, and the run says how much that was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.assemble import fingerprint
from engine.csr import Longs
from engine.errors import TooLittleData, UsageError
from engine.model import INTERACTION_KINDS
from engine.params import AnalysisParams
from engine.snapshot import NO_TIME, Snapshot

__all__ = ["Window", "day", "seen", "span", "within"]

Flags = npt.NDArray[np.bool_]

_PASSED_ON: Final = tuple(INTERACTION_KINDS.index(kind) for kind in ("share", "quote"))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """Times from `since` up to and without `until`, in microseconds; None is without an end.

    Examples
    --------
    >>> w = Window.of(AnalysisParams(since="2021-08-01", until="2021-09-01"))
    >>> w.words
    '2021-08-01 up to 2021-09-01'
    """

    since: int | None = None
    until: int | None = None

    @classmethod
    def of(cls, params: AnalysisParams) -> Window | None:
        """Return the window that parameters ask for, None where they ask for all times.

        Raises
        ------
        UsageError
            If it ends before it begins.
        """
        if params.since is None and params.until is None:
            return None
        found = cls(_micro(params.since), _micro(params.until))
        if found.since is not None and found.until is not None and found.since >= found.until:
            raise UsageError(
                f"a window of time from {day(found.since)} up to {day(found.until)}",
                "it ends before it begins",
                "give the earlier time first, such as: --window 2021-08-01..2021-09-01",
            )
        return found

    @property
    def words(self) -> str:
        """The window, as it is said."""
        begins = [] if self.since is None else [day(self.since)]
        ends = ["on"] if self.until is None else ["up to", day(self.until)]
        return " ".join([*begins, *ends])

    def holds(self, at: Longs) -> Flags:
        """Say of each time whether it lies in the window; an unknown one does not."""
        found: Flags = at != NO_TIME
        if self.since is not None:
            found &= at >= self.since
        if self.until is not None:
            found &= at < self.until
        return found


def day(at: int) -> str:
    """Write a time, without what is zero.

    Examples
    --------
    >>> day(1_627_776_000_000_000), day(1_627_779_600_000_000)
    ('2021-08-01', '2021-08-01 01:00:00')
    """
    moment = _EPOCH + timedelta(microseconds=at)
    return f"{moment:%Y-%m-%d}" if at % 86_400_000_000 == 0 else f"{moment:%Y-%m-%d %H:%M:%S}"


def within(snapshot: Snapshot, since: int | None, until: int | None) -> Snapshot:
    """Return what happened from `since` up to and without `until`, in microseconds.

    Shares, replies, reactions, mentions, interactions and posts keep those in the window.
    Impressions have no time: those of contents that were posted in it are kept.

    Parameters
    ----------
    snapshot
        The data.
    since, until
        Ends of the window, microseconds since 1970 UTC; None is without an end.

    Notes
    -----
    O(rows). The fingerprint is that of the rows that are left, so that a window is known
    again whatever else was loaded outside it.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from engine.assemble import assemble
    >>> s = assemble({"shares": pa.table({"user_id": ["x:b", "x:c"], "content_id": ["x:1"] * 2,
    ...     "at": pa.array([10, 20], pa.timestamp("us", "UTC"))})})
    >>> cut = within(s, 15, None)
    >>> cut.users.user_id.take(cut.shares.user).to_pylist(), len(cut.users)
    (['x:c'], 2)
    """
    window = Window(since, until)
    contents, brands, shown = snapshot.contents, snapshot.brands, snapshot.impressions
    posted = window.holds(contents.created_at) & contents.posted
    user, group = posted[shown.content], posted[shown.group_content]
    found = replace(
        snapshot,
        contents=replace(contents, posted=posted),
        brands=_kept(brands, window.holds(brands.mention_at), "mention_"),
        shares=_kept(snapshot.shares, window.holds(snapshot.shares.at)),
        mentions=_kept(snapshot.mentions, window.holds(snapshot.mentions.at)),
        replies=_kept(snapshot.replies, window.holds(snapshot.replies.at)),
        reactions=_kept(snapshot.reactions, window.holds(snapshot.reactions.at)),
        interactions=_kept(snapshot.interactions, window.holds(snapshot.interactions.at)),
        impressions=replace(
            shown,
            content=shown.content[user],
            user=shown.user[user],
            count=shown.count[user],
            group_content=shown.group_content[group],
            group=shown.group[group],
            group_count=shown.group_count[group],
        ),
        fingerprint="",
    )
    object.__setattr__(found, "fingerprint", fingerprint(found))
    return found


def _kept(rows: Any, kept: Flags, prefix: str = "") -> Any:
    """Keep some rows of a table of columns, or of those of its columns with this prefix."""
    names = [f.name for f in fields(rows) if f.name.startswith(prefix)]
    return replace(rows, **{name: getattr(rows, name)[kept] for name in names})


def seen(snapshot: Snapshot, params: AnalysisParams) -> tuple[Snapshot, tuple[str, ...]]:
    """Return what an analysis with these parameters sees, and what it has to say of that.

    Raises
    ------
    UsageError
        If the window ends before it begins.
    TooLittleData
        If nobody shared anything in the window.
    """
    window = Window.of(params)
    if window is None:
        return snapshot, ()
    found = within(snapshot, window.since, window.until)
    whole, inside = _acts(snapshot), _acts(found)
    passed = ("shares", "posts about topics", "pairwise shares")
    looked = [what for what in passed if whole[what]] or [what for what in whole if whole[what]]
    if not any(inside[what] for what in looked):
        raise TooLittleData(
            f"an analysis of {window.words}",
            f"{_listed(inside, looked)} in it, of {_listed(whole, looked)}{_between(snapshot)}",
            "choose a window inside that time",
        )
    return found, tuple(_said(snapshot, window, whole, inside))


def span(snapshot: Snapshot) -> tuple[int, int] | None:
    """Return the times of the first and the last act, in microseconds; None where none has one."""
    known = [at[at != NO_TIME] for at in _times(snapshot).values()]
    known = [at for at in known if len(at)]
    if not known:
        return None
    return min(int(at.min()) for at in known), max(int(at.max()) for at in known)


def _times(snapshot: Snapshot) -> dict[str, Longs]:
    """Return the times of what people did, by what it was."""
    contents, i = snapshot.contents, snapshot.interactions
    about = np.unique(snapshot.topics.content)
    passed = np.isin(i.kind, _PASSED_ON)
    return {
        "shares": snapshot.shares.at,
        "posts about topics": contents.created_at[about[contents.posted[about]]],
        "pairwise shares": i.at[passed],
        "other interactions": i.at[~passed],
        "mentions": snapshot.mentions.at,
        "mentions of brands": snapshot.brands.mention_at,
        "replies": snapshot.replies.at,
        "reactions": snapshot.reactions.at,
    }


def _acts(snapshot: Snapshot) -> dict[str, int]:
    """Count what people did."""
    return {what: len(at) for what, at in _times(snapshot).items()}


def _listed(counts: Mapping[str, int], which: list[str]) -> str:
    return ", ".join(f"{counts[what]:,} {what}" for what in which) or "nothing"


def _between(snapshot: Snapshot) -> str:
    found = span(snapshot)
    if found is None:
        return "; none has a time"
    return f"; they are from {day(found[0])} to {day(found[1])}"


def _said(
    snapshot: Snapshot, window: Window, whole: Mapping[str, int], inside: Mapping[str, int]
) -> list[str]:
    kept = [what for what in whole if whole[what]]
    text = [f"Only {window.words} (UTC) was analysed: {_listed(inside, kept)}."]
    timeless = {what: int((at == NO_TIME).sum()) for what, at in _times(snapshot).items()}
    unknown = [what for what, count in timeless.items() if count]
    if unknown:
        text.append(f"Left out, since they have no time: {_listed(timeless, unknown)}.")
    if len(snapshot.impressions.content) or len(snapshot.impressions.group_content):
        text.append(
            "Impressions have no time: those of contents posted in the window were counted."
        )
    return text


def _micro(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)
