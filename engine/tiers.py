"""Which tier a kind of source is scored in: the best that the data allow, said in words.

Impressions say who was shown what; follows say who could see what those they follow posted; with
neither, exposure is unknown. The better source is taken unless most shares come from people
who by its word had not been exposed: then it does not say who saw what, and the next
is taken. Pairwise data without contents are always scored as affinity.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from engine.errors import TooLittleData
from engine.exposure import Exposure, by_follows, by_impressions
from engine.groups import RootGroups, root_groups
from engine.params import AnalysisParams, SourceKind, Tier
from engine.posters import posters
from engine.shares import FirstShares, first_shares
from engine.snapshot import Snapshot
from engine.sources import SourceEvents

__all__ = ["MOST_AMBIENT", "Tiers", "choose", "exposure_in", "require"]

MOST_AMBIENT: Final = 0.5
"""Part of the shares by people who had not been exposed above which a tier is given up."""

Note = tuple[str, str, float | None]


@dataclass(frozen=True, slots=True, eq=False)
class Tiers:
    """What each kind of source is scored in.

    `exposure` has the kinds of tiers impressions and follows; all others are affinity.
    `notes` are (topic, sentence, figure) in reading order.
    """

    exposure: Mapping[SourceKind, Exposure]
    notes: tuple[Note, ...] = ()

    def of(self, kind: SourceKind) -> Tier:
        """Return the tier of a kind of source."""
        found = self.exposure.get(kind)
        return "affinity" if found is None else found.tier


def require(snapshot: Snapshot, params: AnalysisParams) -> None:
    """Refuse a tier that the data cannot give.

    Raises
    ------
    TooLittleData
        If a tier is forced and the data lack what it goes by.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from engine.assemble import assemble
    >>> s = assemble({"users": pa.table({"user_id": ["x:a"]})})
    >>> require(s, AnalysisParams(tier="affinity"))
    >>> require(s, AnalysisParams(tier="follows"))
    Traceback (most recent call last):
    ...
    engine.errors.TooLittleData: wanted: an analysis of tier follows
    found: no follow in these data: 0 rows
    to do: load who follows whom, or leave --tier out
    """
    if params.tier in (None, "affinity"):
        return
    wanted = f"an analysis of tier {params.tier}"
    rows = snapshot.impressions
    if params.tier == "follows" and len(snapshot.follows.follower) == 0:
        raise TooLittleData(
            wanted,
            "no follow in these data: 0 rows",
            "load who follows whom, or leave --tier out",
        )
    if params.tier == "impressions" and len(rows.content) + len(rows.group_content) == 0:
        raise TooLittleData(
            wanted,
            "no impression in these data: 0 rows by user or by named group",
            "load who was shown what, or leave --tier out",
        )
    if len(first_shares(snapshot)) == 0 and len(snapshot.topics.content) == 0:
        raise TooLittleData(
            wanted,
            "no content that anybody shares, or that is about something: pairs of users only",
            "leave --tier out: pairs are scored as affinity (exposure unknown)",
        )


def choose(
    snapshot: Snapshot,
    params: AnalysisParams,
    events_by_kind: Mapping[SourceKind, SourceEvents],
    *,
    counted: FirstShares | None = None,
    groups: RootGroups | None = None,
) -> Tiers:
    """Choose the tier of each kind of source. O(acts * followees) where there are follows.

    Parameters
    ----------
    snapshot
        The data.
    params
        `tier` forces one for every kind that has contents.
    events_by_kind
        What counts as a share of each kind.
    counted, groups
        The shares that count and the root groups, where they are known already.
    """
    if params.tier == "affinity" or not _any_exposure(snapshot):
        return Tiers({})
    counted = first_shares(snapshot) if counted is None else counted
    groups = root_groups(snapshot) if groups is None else groups
    found: dict[SourceKind, Exposure] = {}
    notes: list[Note] = []
    for kind, shares in events_by_kind.items():
        named = float((shares.content >= 0).mean()) if len(shares) else 0.0
        if named <= MOST_AMBIENT:
            notes.append(("tier", f"{kind}: {_WITHOUT_CONTENT}", None))
            continue
        for tier in _tried(snapshot, params):
            exposure = exposure_in(tier, snapshot, shares, counted, groups=groups)
            notes += _unused(kind, exposure)
            if exposure.ambient_share <= MOST_AMBIENT or params.tier == tier:
                found[kind] = exposure
                notes.append(_taken(kind, exposure, forced=params.tier == tier))
                break
            notes.append(_left(kind, exposure))
    return Tiers(found, tuple(notes))


def exposure_in(
    tier: Tier,
    snapshot: Snapshot,
    shares: SourceEvents,
    counted: FirstShares,
    *,
    groups: RootGroups,
    before: int | None = None,
) -> Exposure:
    """Return the exposure of a kind by impressions or by follows.

    `before` leaves out what was posted from that time (microseconds) on; `shares` are before
    it already.
    """
    acts = posters(snapshot, shares, counted, groups, before)
    return by_follows(acts, snapshot) if tier == "follows" else by_impressions(acts, snapshot)


_WITHOUT_CONTENT: Final = (
    "these data name no content for most shares, so that nobody can be said to have been "
    "exposed: scored as affinity (exposure unknown)."
)
_BY: Final[Mapping[str, str]] = {
    "impressions": "who by these impressions had not been shown it",
    "follows": "who follow nobody who had posted it before",
}


def _any_exposure(snapshot: Snapshot) -> bool:
    rows = snapshot.impressions
    return len(snapshot.follows.follower) + len(rows.content) + len(rows.group_content) > 0


def _tried(snapshot: Snapshot, params: AnalysisParams) -> Iterator[Tier]:
    """Yield the tiers to try, best first."""
    rows = snapshot.impressions
    if len(rows.content) + len(rows.group_content) and params.tier in (None, "impressions"):
        yield "impressions"
    if len(snapshot.follows.follower) and params.tier in (None, "follows"):
        yield "follows"


def _taken(kind: SourceKind, exposure: Exposure, *, forced: bool) -> Note:
    ambient = exposure.ambient_share
    by = "impressions" if exposure.tier == "impressions" else "who follows whom"
    said = (
        f"{kind}: exposure is known by {by}; {ambient:.0%} of the shares are by people "
        f"{_BY[exposure.tier]}: those count as pull, not as observed"
    )
    if forced and ambient > MOST_AMBIENT:
        said += ". By default such data are scored as affinity; this tier was asked for"
    return ("tier", f"{said}.", ambient)


def _left(kind: SourceKind, exposure: Exposure) -> Note:
    ambient = exposure.ambient_share
    return (
        "tier",
        (
            f"{kind}: {ambient:.0%} of the shares are by people {_BY[exposure.tier]}; "
            f"{exposure.tier} do not say who was exposed here and are not taken for it."
        ),
        ambient,
    )


def _unused(kind: SourceKind, exposure: Exposure) -> Iterator[Note]:
    """Say which named groups of impressions are nobody's account label."""
    if exposure.unused:
        shown = ", ".join(exposure.unused[:3])
        more = f" and {len(exposure.unused) - 3:,} more" if len(exposure.unused) > 3 else ""
        yield (
            "tier",
            (
                f"{kind}: impressions are counted for groups that no account is labelled with "
                f"({shown}{more}); these are not used, as nobody can say who is in them."
            ),
            float(len(exposure.unused)),
        )
