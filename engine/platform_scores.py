"""Platforms as sources: the sum over the users on each, community by community.

Only where there are several: of a single platform, everything that is shared is expected.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.affinity import Cells, count_cells, event_labels, leave_own_out
from engine.cells import FEW_SHARERS, ScoredCells, guards, listed, spread_out
from engine.csr import Floats, Ints
from engine.dispersion import dispersion
from engine.exposed_cells import told
from engine.exposed_fit import ExposedFit
from engine.exposure import Exposure
from engine.kind_scores import Setting
from engine.lift import Posterior, posterior
from engine.snapshot import NO_TIME, Snapshot
from engine.sources import LATE, SourceEvents

__all__ = ["platform_events", "score_platforms"]


def platform_events(snapshot: Snapshot, shares: SourceEvents) -> tuple[SourceEvents, Ints]:
    """Return the shares of users as shares of their platforms, and the place of each.

    Without any event where all shared users are on one platform.
    """
    on = _platforms(snapshot, shares)
    used, of_source = np.unique(on, return_inverse=True)
    source = of_source[shares.source]
    when = np.where(shares.at == NO_TIME, LATE, shares.at)
    order = np.lexsort((shares.content, shares.user, when, source))
    if len(used) < 2:
        order = order[:0]
    ids = pa.array([snapshot.platforms[p] for p in used.tolist()], pa.string())
    posts = np.bincount(of_source, np.maximum(shares.n_posts, 0), len(used)).astype(np.int64)
    return SourceEvents(
        source_kind="platform",
        source_id=ids,
        label=ids,
        group=np.zeros(len(used), np.int32),
        n_posts=np.where(posts > 0, posts, -1),
        repeats=np.bincount(of_source, shares.repeats, len(used)).astype(np.int64),
        user=shares.user[order],
        source=source[order].astype(np.int32),
        at=shares.at[order],
        content=shares.content[order],
        platform=shares.platform[order],
    ), order.astype(np.int32)


def score_platforms(
    snapshot: Snapshot,
    users: ScoredCells,
    shares: SourceEvents,
    setting: Setting,
    exposure: Exposure | None,
) -> tuple[SourceEvents, ScoredCells]:
    """Score platforms in the tier of their users.

    Parameters
    ----------
    snapshot
        The data.
    users, shares
        What is known of users as sources, and their shares.
    setting
        On what communities; those scored are the users'.
    exposure
        What users put before others; None in tier affinity.

    Notes
    -----
    Each user is counted on the communities of their own fold. Summed up are users whom anybody
    shared. O(cells of users).
    """
    events, order = platform_events(snapshot, shares)
    known = _Known(users)
    if exposure is None or users.exposed is None:
        label = event_labels(shares, setting.fold(shares.group), setting.masked)[order]
        return events, _affinity(users, events, label, setting)
    labels, fold = setting.partition(exposure.group)
    of_source = np.unique(_platforms(snapshot, shares), return_inverse=True)[1].astype(np.int32)
    return events, told(
        _added_up(users.exposed, of_source, len(events.source_id)),
        events,
        exposure.seen[order],
        event_labels(shares, fold, labels)[order],
        known=known,
        false_sign_rate=setting.false_sign_rate,
    )


class _Known:
    """The posterior of platforms: lifts are spread as those of users are."""

    def __init__(self, users: ScoredCells) -> None:
        self.prior = users.prior

    def __call__(self, cells: Cells, observed: Floats, expected: Floats) -> Posterior:  # noqa: ARG002
        """Return the posterior of these sums."""
        return posterior(self.prior, observed, expected)


def _platforms(snapshot: Snapshot, shares: SourceEvents) -> Ints:
    """Return the platform of each user as source."""
    place = pc.index_in(shares.source_id, snapshot.users.user_id)
    of: Ints = snapshot.users.platform[np.asarray(place.to_numpy(zero_copy_only=False))]
    return of


def _added_up(fitted: ExposedFit, of_source: Ints, platforms: int) -> ExposedFit:
    """Sum up the cells of users, by platform and community."""
    k, last = len(fitted.scale), int(fitted.cell_of_source[len(of_source)])
    key = of_source[fitted.source[:last]].astype(np.int64) * k + fitted.community[:last]
    keys, inverse = np.unique(key, return_inverse=True)
    source, community = np.divmod(keys, max(k, 1))

    def total(values: Floats) -> Floats:
        return np.bincount(inverse, values[:last], len(keys)).astype(np.float64)

    return replace(
        fitted,
        cell_of_source=np.searchsorted(source, np.arange(platforms + 1)).astype(np.int64),
        community=community.astype(np.int32),
        observed=total(fitted.observed),
        expected=total(fitted.expected),
        weighted_observed=total(fitted.weighted_observed),
        weighted_expected=total(fitted.weighted_expected),
        exposure=total(fitted.exposure),
        lift=np.ones(len(keys)),
    )


def _affinity(
    users: ScoredCells, events: SourceEvents, label: Ints, setting: Setting
) -> ScoredCells:
    """Score platforms against what communities share of all of them, exposure unknown."""
    k = len(setting.scored)
    # Each event has its own fold, so that an event is a user of its own with one label.
    alone = np.arange(len(events), dtype=np.int32)
    single = replace(events, user=alone, platform=np.zeros_like(alone))
    none = np.zeros(len(events.source_id), np.int32)
    cells = count_cells(single, none, label[None, :], setting.scored, platforms=1)
    inside = label >= 0
    total = np.bincount(label[inside], minlength=k).astype(np.float64)[cells.community]
    volume = np.bincount(events.source, minlength=len(none))[cells.source]
    chance = volume * total / max(len(events), 1)
    cells = cells.against(leave_own_out(chance, total, cells.observed), total)
    usable = np.isfinite(cells.expected)
    use = cells.take(np.flatnonzero(usable))
    bunched = dispersion(single, label)
    weight = bunched.weight(use.source, use.expected)
    spread = spread_out(
        posterior(users.prior, weight * use.observed, weight * use.expected), usable
    )
    sharers, in_step = guards(events, label, cells, k)
    counts = np.full(len(cells), np.nan)
    counts[usable] = weight
    sure = usable & ~cells.own_audience & (sharers >= FEW_SHARERS) & ~in_step
    unknown = np.full(len(cells), np.nan)
    return ScoredCells(
        cells,
        users.prior,
        bunched,
        spread,
        usable,
        sharers,
        in_step,
        listed(spread, sure, setting.false_sign_rate),
        counts,
        exposure=unknown,
        fit=unknown,
        ambient=unknown,
    )
