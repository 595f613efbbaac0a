"""The tables an analysis answers with, declared once.

Figures are of three kinds. An *estimate* has `_low` and `_high` beside it and its row
says observed, expected, n and tier. A *count* is exact. An *index* (PageRank, a
percentile) names its method. Unknown is null, and `flags` or `reason` says why.

Rows are sorted by `order`, so that the same data, parameters and seed give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from engine.model import COUNT, TEXT, TIME, Column

__all__ = ["RESULTS", "ResultTable", "empty", "result", "table"]

F64: Final = pa.float64()
I32: Final = pa.int32()
FLAGS: Final = pa.list_(TEXT)


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A result table: columns, and the order its rows are kept in."""

    name: str
    about: str
    order: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema, columns in declared order."""
        return pa.schema([c.field for c in self.columns])


def _c(name: str, type: pa.DataType, about: str, *, must: bool = False) -> Column:
    return Column(name, type, about, required=must)


def _key(name: str, about: str) -> Column:
    return Column(name, TEXT, about, required=True)


_SOURCE: Final = (
    _key("source_kind", "user, brand, domain, hashtag, url, image or content"),
    _key("source_id", "the id of what is shared"),
)

RESULTS: Final[dict[str, ResultTable]] = {
    t.name: t
    for t in (
        ResultTable(
            "communities",
            "communities of the reference partition, largest first",
            ("community_id",),
            (
                _key("community_id", "c1, c2, ... by size when it was first seen"),
                _c(
                    "level",
                    I32,
                    "1 = the chosen resolution; 0 joins those, 2 parts them",
                    must=True,
                ),
                _c("parent_id", TEXT, "the community of the level above that holds it"),
                _key("label", "what its members share most, or whom they engage with most"),
                _key(
                    "kind",
                    "community, mainstream (over 40 % of members) or fringe (too small or silent)",
                ),
                _c("member_count", COUNT, "members", must=True),
                _c("share_count", COUNT, "shares by members in the window", must=True),
                _c("inside_share", F64, "part of the members' tie weight that stays inside [0,1]"),
                _key("verdict", "kindred, not_kindred, undetermined: against rewired graphs"),
                _c("tie_gain", F64, "held-out log gain per tie of knowing the community"),
                _c("q_value", F64, "Benjamini-Hochberg q of tie_gain against rewired graphs"),
                _c("stability", F64, "mean `stability` of its members [0,1]"),
                _c(
                    "platforms",
                    pa.list_(pa.struct([("platform", TEXT), ("share", F64)])),
                    "platform mix of the members, largest first",
                ),
                _c("top_sources", FLAGS, "labels of what its members share or engage with most"),
                _c(
                    "traits",
                    pa.list_(pa.struct([("label", TEXT), ("share", F64)])),
                    "most frequent account labels of the members with their share",
                ),
                _c("resonance", F64, "share-weighted mean over sources [0,100)"),
                _c("resonance_low", F64, "conservative 5 % end"),
                _c("resonance_high", F64, "conservative 95 % end"),
                _c("tier", TEXT, "impressions, follows or affinity; null without scores"),
                _c("flags", FLAGS, "what to know when reading the row", must=True),
            ),
        ),
        ResultTable(
            "memberships",
            "who belongs where, in the reference partition and in each fold",
            ("fold", "level", "user_id"),
            (
                _key("user_id", "the member"),
                _key("community_id", "the community"),
                _c("level", I32, "as for communities; folds have level 1 only", must=True),
                _c("fold", I32, "cross-fitting fold; null = the reference partition"),
                _c(
                    "confidence", F64, "tie posterior: how much of the user's ties are inside [0,1]"
                ),
                _c(
                    "stability",
                    F64,
                    "part of the runs on resampled ties in which the member is there too [0,1]",
                ),
            ),
        ),
        ResultTable(
            "changes",
            "what became of the communities of the run before this one",
            ("community_id", "event"),
            (
                _key("community_id", "the community, of this run or of the one before"),
                _key("event", "kept, birth, merge, split or death"),
                _c("other_ids", FLAGS, "what it merged from, or split into", must=True),
                _c("overlap", F64, "weighted Jaccard overlap of its members then and now [0,1]"),
                _c("member_count", COUNT, "members now"),
                _c("before_count", COUNT, "members then"),
                _key("before_run_id", "the run before"),
            ),
        ),
        ResultTable(
            "links",
            "tie weight between communities of the reference partition",
            ("community_id", "other_id"),
            (
                _key("community_id", "the one"),
                _key("other_id", "the other; equal for ties inside"),
                _c("tie_count", COUNT, "ties", must=True),
                _c("weight", F64, "their weight", must=True),
                _c("lift", F64, "weight over what chance with the same degrees gives"),
            ),
        ),
        ResultTable(
            "ties",
            "the strongest ties among the most central members of each community, for drawing",
            ("community_id", "user_id", "other_id"),
            (
                _key("community_id", "both ends are its members"),
                _key("user_id", "the one"),
                _key("other_id", "the other"),
                _c("weight", F64, "tie weight", must=True),
            ),
        ),
        ResultTable(
            "authority",
            "PageRank of users, overall and restarted inside each community",
            ("community_id", "rank", "user_id"),
            (
                _key("user_id", "the user"),
                _c("community_id", TEXT, "restarts there and counts its members; null = overall"),
                _c("authority", F64, "PageRank mass [0,1]", must=True),
                _c(
                    "percentile",
                    F64,
                    "mid-rank percentile among users (members) [0,100]",
                    must=True,
                ),
                _c("rank", COUNT, "1 = the highest", must=True),
                _key("method", "pagerank or personalised_pagerank, with its parameters"),
            ),
        ),
        ResultTable(
            "influence",
            "how loud a source is: raw counts, never mixed into a score",
            ("source_kind", "source_id"),
            (
                *_SOURCE,
                _key("label", "as it is shown"),
                _c("platform", TEXT, "null where it has several"),
                _c("community_id", TEXT, "home community of a user"),
                _c("followers_count", COUNT, "as the platform said, or as the export counts"),
                _c("content_count", COUNT, "contents it made, or that carry it", must=True),
                _c("share_count", COUNT, "shares received (distinct users for a topic)", must=True),
                _c("sharer_count", COUNT, "distinct sharers", must=True),
                _c("repeat_count", COUNT, "repeats by users already counted", must=True),
                _c(
                    "h_index",
                    COUNT,
                    "largest h with h contents of at least h shares; null without contents",
                ),
                _c(
                    "attention_count",
                    COUNT,
                    "distinct users who mentioned, replied or did something unknown",
                    must=True,
                ),
                _c("attention_inside_count", COUNT, "of them, in the home community"),
                _c("attention_across_count", COUNT, "of them, in other communities"),
                _c(
                    "reach_count",
                    COUNT,
                    "distinct people exposed by following a poster; null without follows",
                ),
                _c("authority", F64, "overall PageRank of a user"),
                _c("authority_recent", F64, "the same, with ties that halve every 30 days"),
                _c(
                    "brokerage",
                    F64,
                    "participation: how evenly a user's ties lie over communities [0,1]",
                ),
                _c("influence", F64, "mid-rank percentile of log(1 + influence_basis) [0,100]"),
                _c("influence_basis", TEXT, "reach_count, share_count or attention_count"),
            ),
        ),
        ResultTable(
            "scores",
            "what is shared beyond what the tier's expectation explains; null community = roll-up",
            ("source_kind", "source_id", "community_id"),
            (
                *_SOURCE,
                _c("community_id", TEXT, "where; null = over all communities"),
                _c("observed", F64, "shares counted", must=True),
                _c("expected", F64, "shares expected; null where not positive, and in roll-ups"),
                _c("weight", F64, "what one of its shares counts: less where they come in bunches"),
                _c("exposure", F64, "times its members were shown it; null where that is unknown"),
                _c("lift", F64, "posterior geometric mean of observed over expected"),
                _c("lift_low", F64, "5 % point"),
                _c("lift_high", F64, "95 % point"),
                _c("prob_above", F64, "posterior probability that the lift is above 1"),
                _c("resonance", F64, "percent of shares in excess of the expectation [0,100)"),
                _c("resonance_low", F64, "5 % end"),
                _c("resonance_high", F64, "95 % end"),
                _c("partition_low", F64, "lowest `resonance` over resampled communities"),
                _c("partition_high", F64, "highest `resonance` over resampled communities"),
                _c("fit", F64, "log2 of how far its audience is here; null without exposure"),
                _c("pull", F64, "part of the shares by people who were not shown it [0,1]"),
                _c("resonant_shares", F64, "observed times resonance_low / 100"),
                _c("influence", F64, "influence percentile of the source [0,100]"),
                _c("quadrant", TEXT, "leader, broadcaster, gem, background or undetermined"),
                _key("tier", "impressions, follows or affinity"),
                _c("n_posts", COUNT, "contents behind the figure; null where the data name none"),
                _c("effective_sharers", F64, "(sum n_u)^2 / sum n_u^2"),
                _c(
                    "flags",
                    FLAGS,
                    "flagged, own_audience, few_sharers, in_step, no_content, poisson_only, ...",
                    must=True,
                ),
            ),
        ),
        ResultTable(
            "priors",
            "how lifts are spread over all cells of a kind of source: a mixture of gammas",
            ("source_kind", "tier", "mean"),
            (
                _key("source_kind", "of which sources"),
                _key("tier", "impressions, follows or affinity"),
                _c("shape", F64, "of each gamma", must=True),
                _c("mean", F64, "of this gamma", must=True),
                _c("weight", F64, "of this gamma [0,1]", must=True),
            ),
        ),
        ResultTable(
            "dimensions",
            "what stands beside a score and is never mixed into it",
            ("source_kind", "source_id", "community_id", "dimension"),
            (
                _key("source_kind", "as in scores, or community for what is said of all sources"),
                _key("source_id", "the id of what is shared, or of the community"),
                _c("community_id", TEXT, "where; null = over everyone"),
                _key("dimension", "echo, two_way, persistence, breadth or reinforcement"),
                _c(
                    "value",
                    F64,
                    "percent [0,100]; of breadth effective sharers, of reinforcement a ratio",
                ),
                _c("low", F64, "5 % point"),
                _c("high", F64, "95 % point"),
                _c("k", F64, "of how many it is true"),
                _c("n", F64, "of how many it could be"),
                _c("reason", TEXT, "why there is no value"),
            ),
        ),
        ResultTable(
            "reach",
            "how many distinct people a source could reach, and did",
            ("source_kind", "source_id", "community_id"),
            (
                *_SOURCE,
                _c("community_id", TEXT, "where; null = everywhere"),
                _c("potential_count", COUNT, "distinct followers; null without follows"),
                _c("potential_low", COUNT, "5 % point; the count where it is exact"),
                _c("potential_high", COUNT, "95 % point; the count where it is exact"),
                _c("exposed_count", COUNT, "distinct people shown a content of it"),
                _c("exposed_low", COUNT, "5 % point; the count where it is exact"),
                _c("exposed_high", COUNT, "95 % point; null where only a lower bound is known"),
                _c("penetration", F64, "exposed over members [0,1]"),
                _c("conversion", F64, "part of the exposed who shared [0,1]"),
                _c("mean_distance", F64, "mean steps to the people who can be reached at all"),
                _c("within_six_share", F64, "part of the people within six steps [0,1]"),
                _key("method", "exact, or hyperloglog with its precision"),
                _key("basis", "impressions, follows or interaction (a lower bound)"),
                _c("flags", FLAGS, "what to know when reading the row", must=True),
            ),
        ),
        ResultTable(
            "scorecard",
            "every element of the integration model, for the sources and communities kept",
            ("source_kind", "source_id", "community_id", "element"),
            (
                *_SOURCE,
                _c("community_id", TEXT, "where; null = over all communities"),
                _key("element", "as docs/scorecard.md lists them"),
                _c("value", F64, "null where the data cannot tell; never imputed"),
                _c("low", F64, "5 % point, of an estimate"),
                _c("high", F64, "95 % point, of an estimate"),
                _key("unit", "of the value"),
                _c("n", F64, "of how many it was counted"),
                _c("basis", FLAGS, "the columns it came from", must=True),
                _c("reason", TEXT, "why there is no value"),
            ),
        ),
        ResultTable(
            "cascades",
            "how each shared content travelled",
            ("content_id",),
            (
                _key("content_id", "the content"),
                _c("author_id", TEXT, "its author"),
                _c("community_id", TEXT, "the author's community"),
                _c("share_count", COUNT, "shares counted, one a user", must=True),
                _key(
                    "parent_method",
                    "via (given), follows or interaction (inferred), root, unknown, or mixed",
                ),
                _c(
                    "parent_known_share",
                    F64,
                    "part of the shares whose parent is given [0,1]",
                    must=True,
                ),
                _c(
                    "parent_inferred_share",
                    F64,
                    "part of the shares whose parent was inferred [0,1]",
                    must=True,
                ),
                _c(
                    "missing_parent_count",
                    COUNT,
                    "shares whose given parent is not in the data",
                    must=True,
                ),
                _c("depth_max", COUNT, "longest chain; null where parents are unknown"),
                _c("depth_low", COUNT, "5 % point over likely trees, where most are inferred"),
                _c("depth_high", COUNT, "95 % point over likely trees"),
                _c("depth_mean", F64, "mean depth of shares; null where parents are unknown"),
                _c("breadth_max", COUNT, "largest level; null where parents are unknown"),
                _c(
                    "structural_virality",
                    F64,
                    "mean distance of pairs; null where parents are unknown",
                ),
                _c("virality_low", F64, "5 % point over likely trees, where most are inferred"),
                _c("virality_high", F64, "95 % point over likely trees"),
                _c("cross_community_hops", COUNT, "edges whose ends are in different communities"),
                _c("ei_index", F64, "(external - internal) / all edges [-1,1]"),
                _c("communities_count", COUNT, "communities among the sharers", must=True),
                _c("home_share", F64, "sharers in the author's community [0,1]"),
                _c("modal_community_id", TEXT, "the community with most sharers"),
                _c("modal_share", F64, "sharers there [0,1]"),
                _c("entropy", F64, "normalised entropy of sharers over communities [0,1]"),
                _c(
                    "early_communities_count",
                    COUNT,
                    "communities among the first 50 sharers",
                    must=True,
                ),
                _c("t10_seconds", F64, "time to 10 shares"),
                _c("t50_seconds", F64, "time to 50 shares"),
                _c("t100_seconds", F64, "time to 100 shares"),
                _c("half_life_seconds", F64, "time to half of the shares of the first 30 days"),
                _c("peak_hour", COUNT, "hour after posting with most shares"),
                _c("flags", FLAGS, "synthetic_root, no_times, clamped, ...", must=True),
            ),
        ),
        ResultTable(
            "cascade_edges",
            "who passed a content on, and from whom where it is known",
            ("content_id", "at", "user_id"),
            (
                _key("content_id", "the content"),
                _key("user_id", "who shared"),
                _c("parent_user_id", TEXT, "from whom; null where unknown"),
                _c("at", TIME, "when"),
                _c("depth", I32, "steps from the author; null where unknown"),
                _c("community_id", TEXT, "the sharer's community"),
                _key(
                    "parent_method",
                    "via (given), follows or interaction (inferred), root (the author, for want "
                    "of better) or unknown",
                ),
            ),
        ),
        ResultTable(
            "calibration",
            "do the claims come true on held-out time",
            ("source_kind", "platform", "method"),
            (
                _key("source_kind", "which sources were predicted"),
                _c("platform", TEXT, "null = all platforms"),
                _key(
                    "method", "crossfit, or naive (communities that saw the shares, for comparison)"
                ),
                _key("verdict", "green, amber, red or uncalibrated"),
                _key("reason", "in words"),
                _c("slope", F64, "Poisson slope of realised on ln lift: 1 = claims are realised"),
                _c("slope_low", F64, "2.5 % point, bootstrap over sources"),
                _c("slope_high", F64, "97.5 % point"),
                _c("deviance_explained", F64, "by the score, against margins only"),
                _c("deviance_smoothed", F64, "by (O+.5)/(E+.5)"),
                _c("deviance_raw", F64, "by raw O/E"),
                _c("train_count", COUNT, "shares before the split", must=True),
                _c("future_count", COUNT, "shares after it by new sharers", must=True),
                _c("cell_count", COUNT, "(source, community) cells predicted", must=True),
                _c("flagged_count", COUNT, "cells flagged before the split"),
                _c("flagged_lift", F64, "realised lift of the flagged cells"),
                _c("lost_share", F64, "shares outside any community [0,1]"),
                _c("single_share_count", COUNT, "members whose place rests on a single share"),
                _c("split_at", TIME, "where the time was cut"),
            ),
        ),
        ResultTable(
            "calibration_bins",
            "predicted against realised lift",
            ("source_kind", "platform", "method", "bin"),
            (
                _key("source_kind", "which sources were predicted"),
                _c("platform", TEXT, "null = all platforms"),
                _key("method", "crossfit or naive"),
                _c("bin", I32, "bins by predicted lift", must=True),
                _c("predicted", F64, "mean predicted lift", must=True),
                _c("realised", F64, "realised lift", must=True),
                _c("realised_low", F64, "5 % point", must=True),
                _c("realised_high", F64, "95 % point", must=True),
                _c("cell_count", COUNT, "cells", must=True),
                _c("future_count", COUNT, "realised shares", must=True),
            ),
        ),
        ResultTable(
            "notes",
            "what the run has to say about itself, in the order it should be read",
            ("number",),
            (
                _c("number", I32, "reading order", must=True),
                _key("topic", "ties, resolution, verdict, crossfit, cascades, calibration, ..."),
                _key("text", "a sentence"),
                _c("value", F64, "the figure in it, where there is one"),
            ),
        ),
    )
}
"""Result tables by name."""


def result(name: str) -> ResultTable:
    """Return the declaration of this result table."""
    return RESULTS[name]


def empty(name: str) -> pa.Table:
    """Return a result table without rows."""
    return RESULTS[name].schema.empty_table()


def table(name: str, columns: Mapping[str, Sequence[object] | np.ndarray | pa.Array]) -> pa.Table:
    """Build a result table from columns: cast, complete with nulls, and sort.

    Raises
    ------
    KeyError
        If a column is not declared.

    Examples
    --------
    >>> notes = table("notes", {"number": [2, 1], "topic": ["b", "a"], "text": ["B", "A"]})
    >>> notes["text"].to_pylist()
    ['A', 'B']
    """
    declared = RESULTS[name]
    known = {c.name for c in declared.columns}
    if unknown := set(columns) - known:
        msg = f"{name} declares no column {sorted(unknown)}"
        raise KeyError(msg)
    rows = len(next(iter(columns.values()))) if columns else 0
    arrays = [
        _as(columns[c.name], c.type) if c.name in columns else pa.nulls(rows, c.type)
        for c in declared.columns
    ]
    made = pa.table(arrays, schema=declared.schema)
    made.validate()
    order = [(key, "ascending", "at_start") for key in declared.order]
    return made.sort_by(order).combine_chunks()


def _as(values: Sequence[object] | np.ndarray | pa.Array, type: pa.DataType) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values.cast(type)
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        # NaN is how kernels say "unknown"; a table says null.
        return pa.array(values, mask=np.isnan(values)).cast(type)
    return pa.array(values, type=type)
