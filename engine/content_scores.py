"""Single contents as sources: scored with what is known of their author's as a prior.

A content has few shares of its own, so that its author's lift in a community says where to
start: the author's posterior, matched by a gamma of at most as much certainty as 25 shares
bring, then moved by the content's own shares. Nothing is weighed down: that shares of one
content come in bunches is what its own lift says.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from engine.affinity import Cells, count_cells, event_labels, leave_own_out, margins, volumes
from engine.cells import FEW_SHARERS, ScoredCells, guards, listed, spread_out
from engine.csr import Floats, Ints, Longs
from engine.exposed_cells import told
from engine.exposed_fit import ExposedFit, Passes
from engine.exposure import Exposure
from engine.kind_scores import Setting
from engine.lift import Posterior, as_gamma, gamma_posterior
from engine.snapshot import Snapshot
from engine.sources import SourceEvents

__all__ = ["FEWEST_SHARES", "content_events", "score_contents"]

FEWEST_SHARES: Final = 10
"""Counted shares from which a content is scored by itself."""


def content_events(snapshot: Snapshot, shares: SourceEvents) -> tuple[SourceEvents, Longs]:
    """Return contents with ten counted shares or more as sources, and which shares those are.

    Parameters
    ----------
    snapshot
        The data.
    shares
        The shares of users as sources.

    Returns
    -------
    tuple
        The events, and the place of each among `shares`.
    """
    many = np.bincount(shares.content[shares.content >= 0], minlength=len(snapshot.contents))
    chosen = np.flatnonzero(many >= FEWEST_SHARES)
    number = np.full(len(snapshot.contents) + 1, -1, np.int32)
    number[chosen] = np.arange(len(chosen), dtype=np.int32)
    source = number[shares.content]
    # Stable, so that events stay by time and user.
    place = np.argsort(source, kind="stable")[int((source < 0).sum()) :]
    ids = snapshot.contents.content_id.take(pa.array(chosen))
    author = np.full(len(chosen), -1, np.int32)
    author[source[place]] = shares.source[place]
    return SourceEvents(
        source_kind="content",
        source_id=ids,
        label=ids,
        group=shares.group[author],
        n_posts=np.ones(len(chosen), np.int64),
        repeats=np.zeros(len(chosen), np.int64),
        user=shares.user[place],
        source=source[place],
        at=shares.at[place],
        content=shares.content[place],
        platform=shares.platform[place],
    ), place


def score_contents(
    snapshot: Snapshot,
    author: ScoredCells,
    shares: SourceEvents,
    setting: Setting,
    exposure: Exposure | None,
) -> tuple[SourceEvents, ScoredCells]:
    """Score contents in the tier of their authors.

    Parameters
    ----------
    snapshot
        The data.
    author, shares
        What is known of users as sources, and their shares.
    setting
        On what communities; those scored are the authors'.
    exposure
        What users put before others; None in tier affinity.
    """
    events, place = content_events(snapshot, shares)
    of = np.zeros(len(events.source_id), np.int32)
    of[events.source] = shares.source[place]
    if exposure is None or author.exposed is None:
        return events, _affinity(author, shares, events, of, setting)
    labels, fold = setting.partition(exposure.group)
    content = np.zeros(len(of), np.int32)
    content[events.source] = events.content
    unit_of = np.zeros(len(snapshot.contents), np.int64)
    unit_of[exposure.content] = np.arange(len(exposure.content))
    alone = exposure.alone(unit_of[content], events, exposure.seen[place])
    cells = _cells(alone, author.exposed, fold[of], labels)
    known = _Known(author.exposed, of)
    return events, told(
        cells,
        events,
        alone.seen,
        event_labels(events, fold[of], labels),
        known=known,
        false_sign_rate=setting.false_sign_rate,
        everyone=np.bincount(
            author.exposed.community, author.exposed.observed, len(setting.scored)
        ).astype(np.float64),
    )


def _cells(alone: Exposure, fitted: ExposedFit, fold: Ints, labels: Ints) -> ExposedFit:
    """Return what the authors' fit lets expect of each content by itself."""
    k = len(fitted.scale)
    passes = Passes(alone, fold, labels, k)
    ones = np.ones(len(passes.community))
    sums = passes.over(fitted.habit, fitted.scale, ones, 0.0)
    return ExposedFit(
        cell_of_source=passes.cell_of_source,
        community=passes.community,
        observed=sums.observed,
        expected=sums.expected,
        weighted_observed=sums.observed,
        weighted_expected=sums.expected,
        exposure=passes.over(np.ones(passes.users), np.ones(k), ones, 0.0).expected,
        lift=ones,
        prior=fitted.prior,
        phi=fitted.phi,
        habit=fitted.habit,
        home=fitted.home,
        scale=fitted.scale,
    )


class _Known:
    """The posterior of contents from that of their authors."""

    def __init__(self, fitted: ExposedFit, author: Ints) -> None:
        self.fitted, self.author = fitted, author
        self.k = len(fitted.scale)
        self.keys = fitted.source.astype(np.int64) * self.k + fitted.community

    def __call__(self, cells: Cells, observed: Floats, expected: Floats) -> Posterior:
        """Return the posterior of cells of contents: every one lies in a cell of its author."""
        key = self.author[cells.source].astype(np.int64) * self.k + cells.community
        at = np.searchsorted(self.keys, key)
        it = self.fitted
        shape, rate = as_gamma(it.prior, it.weighted_observed[at], it.weighted_expected[at])
        return gamma_posterior(shape + observed, rate + expected)


def _affinity(
    author: ScoredCells, shares: SourceEvents, events: SourceEvents, of: Ints, setting: Setting
) -> ScoredCells:
    """Score contents against what communities share of all users, exposure unknown."""
    labels, fold = setting.labels, setting.fold(shares.group)
    own = fold[of]
    cells = count_cells(events, own, labels, setting.scored, platforms=setting.platforms)
    shape = (len(labels), setting.platforms, len(setting.scored))
    habit = margins(shares, fold, event_labels(shares, fold, labels), shape)
    volume = volumes(events, setting.platforms)[cells.source]
    chance = habit.chance(volume, own[cells.source], cells.community)
    total = habit.total[own[cells.source], cells.community]
    cells = cells.against(leave_own_out(chance, total, cells.observed), total)
    usable = np.isfinite(cells.expected)
    use = cells.take(np.flatnonzero(usable))
    found = _of_authors(author, of, use, len(setting.scored))
    spread = spread_out(gamma_posterior(found[0] + use.observed, found[1] + use.expected), usable)
    label = event_labels(events, own, labels)
    sharers, in_step = guards(events, label, cells, len(setting.scored))
    sure = usable & ~cells.own_audience & (sharers >= FEW_SHARERS) & ~in_step
    unknown = np.full(len(cells), np.nan)
    return ScoredCells(
        cells,
        author.prior,
        author.dispersion.only(of),
        spread,
        usable,
        sharers,
        in_step,
        listed(spread, sure, setting.false_sign_rate),
        np.where(usable, 1.0, np.nan),
        exposure=unknown,
        fit=unknown,
        ambient=unknown,
    )


def _of_authors(author: ScoredCells, of: Ints, cells: Cells, k: int) -> tuple[Floats, Floats]:
    """Return the gamma of each content's author in its community: the spread of all where none."""
    keys = author.cells.source.astype(np.int64) * k + author.cells.community
    key = of[cells.source].astype(np.int64) * k + cells.community
    at = np.searchsorted(keys, key)
    hit = at < len(keys)
    hit[hit] = (keys[at[hit]] == key[hit]) & author.usable[at[hit]]
    observed, expected = np.zeros(len(key)), np.zeros(len(key))
    weight = author.weight[at[hit]]
    observed[hit] = weight * author.cells.observed[at[hit]]
    expected[hit] = weight * author.cells.expected[at[hit]]
    return as_gamma(author.prior, observed, expected)
