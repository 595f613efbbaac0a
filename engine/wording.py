"""What figures are called, in one place: the same words on the terminal, the pages and the API.

A score says *resonance* only where exposure is known (tiers impressions and follows).
Where it is not, the same arithmetic mixes who was there to see with who reacted, and its
name is *affinity (exposure unknown)*. Mentions, replies and edges of unknown kind are
*attention*; they never enter observed shares. Column names stay as declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = [
    "MADE_DATA",
    "NO_KINDRED",
    "QUADRANTS",
    "depth_sentence",
    "knows_exposure",
    "lower_bound",
    "quadrant_heading",
    "quadrant_word",
    "score_word",
    "tier_sentence",
    "trust_sentence",
    "trust_word",
    "verdict_sentence",
    "verdict_word",
]

NO_KINDRED: Final = "No kindred communities found"
"""How a run says that its communities were judged, and that none is more than chance."""

MADE_DATA: Final = "made data"
"""Stands on every list and page over data that was made up."""

QUADRANTS: Final = ("leader", "gem", "broadcaster", "background", "undetermined")
"""Values of the column `quadrant`, in the order legends and tables show them."""

_WITH_EXPOSURE: Final = {
    "leader": "resonant leader",
    "gem": "hidden gem",
    "broadcaster": "loud but hollow",
    "background": "background",
    "undetermined": "undetermined",
}
_WITHOUT_EXPOSURE: Final = {
    "leader": "loud, strong affinity",
    "gem": "quiet, strong affinity",
    "broadcaster": "loud, little affinity",
    "background": "background",
    "undetermined": "undetermined",
}
_VERDICTS: Final = {
    "kindred": "kindred",
    "not_kindred": "not kindred",
    "undetermined": "undetermined",
}
_VERDICT_SENTENCES: Final = {
    "kindred": "holds together better than communities of rewired graphs",
    "not_kindred": "holds together no better than communities of rewired graphs",
    "undetermined": "too small, or too few rewired graphs, to say",
}
_TRUST: Final = {
    "green": "claims come true",
    "amber": "claims come true in part",
    "red": "claims do not come true",
    "uncalibrated": "cannot be calibrated",
}
_TRUST_SENTENCES: Final = {
    "green": "What was claimed on the earlier part of the time was realised in the later part.",
    "amber": "The later part of the time realised less than the earlier part claimed: "
    "believe the order more than the size.",
    "red": "Communities here do not predict what is shared later: go by loudness only.",
    "uncalibrated": "Nothing here could be held against a later time.",
}


def knows_exposure(tier: str | None) -> bool:
    """Say whether figures of this tier are conditioned on who could see what was shared."""
    return tier in ("impressions", "follows")


def score_word(tier: str | None) -> str:
    """Name the score of this tier; None is a run that scored nothing.

    Examples
    --------
    >>> score_word("follows"), score_word("affinity"), score_word(None)
    ('resonance', 'affinity (exposure unknown)', 'attention')
    """
    if knows_exposure(tier):
        return "resonance"
    return "attention" if tier is None else "affinity (exposure unknown)"


def lower_bound(tier: str | None) -> str:
    """Name what lists are ranked by.

    Examples
    --------
    >>> lower_bound("affinity")
    'affinity (exposure unknown), lower bound'
    """
    return f"{score_word(tier)}, lower bound"


def quadrant_word(quadrant: str, tier: str | None) -> str:
    """Name a quadrant of loudness against the score.

    Examples
    --------
    >>> quadrant_word("gem", "follows"), quadrant_word("gem", "affinity")
    ('hidden gem', 'quiet, strong affinity')
    >>> quadrant_word("broadcaster", "impressions"), quadrant_word("broadcaster", "affinity")
    ('loud but hollow', 'loud, little affinity')
    """
    return (_WITH_EXPOSURE if knows_exposure(tier) else _WITHOUT_EXPOSURE)[quadrant]


def quadrant_heading(quadrant: str, tier: str | None) -> str:
    """Name a quadrant at the head of a list, where it stands alone.

    Examples
    --------
    >>> quadrant_heading("gem", "affinity")
    'Quiet, strong affinity (exposure unknown)'
    """
    words = quadrant_word(quadrant, tier)
    known = knows_exposure(tier) or "affinity" not in words
    return f"{words[:1].upper()}{words[1:]}{'' if known else ' (exposure unknown)'}"


def tier_sentence(tier: str | None) -> str:
    """Say in one sentence what the figures of this tier mean.

    Examples
    --------
    >>> print(tier_sentence("affinity"))
    Affinity (exposure unknown): the part of a community's shares that its size and its
    ordinary sharing do not explain; who could see what was shared is not accounted for.
    """
    if tier == "impressions":
        return (
            "Resonance: the part of a community's shares that neither its exposure, as counted "
            "by impressions, nor its ordinary habit of sharing explains."
        )
    if tier == "follows":
        return (
            "Resonance: the part of a community's shares that neither its exposure, as given "
            "by who follows whom, nor its ordinary habit of sharing explains."
        )
    if tier == "affinity":
        return (
            "Affinity (exposure unknown): the part of a community's shares that its size and its "
            "ordinary sharing do not explain; who could see what was shared is not accounted for."
        )
    return (
        "Attention only: these data say who engaged with whom, not what was shared, "
        "so nothing is scored."
    )


def verdict_word(verdict: str) -> str:
    """Name the verdict on a community.

    Examples
    --------
    >>> verdict_word("not_kindred")
    'not kindred'
    """
    return _VERDICTS[verdict]


def verdict_sentence(verdict: str) -> str:
    """Say what a verdict means, without a subject.

    Examples
    --------
    >>> verdict_sentence("kindred")
    'holds together better than communities of rewired graphs'
    """
    return _VERDICT_SENTENCES[verdict]


def trust_word(verdict: str) -> str:
    """Name the light of a calibration: green, amber, red or uncalibrated.

    Examples
    --------
    >>> trust_word("uncalibrated")
    'cannot be calibrated'
    """
    return _TRUST[verdict]


def trust_sentence(verdict: str) -> str:
    """Say how far to believe scores under this light."""
    return _TRUST_SENTENCES[verdict]


def depth_sentence(cascade: Mapping[str, Any]) -> str:
    """Say how deep a cascade went and how far that is known, to follow on a clause.

    Parameters
    ----------
    cascade
        A row of the table `cascades`.

    Examples
    --------
    >>> row = {"depth_max": None, "depth_low": None, "depth_high": None,
    ...        "parent_known_share": 0.0, "parent_inferred_share": 0.0}
    >>> depth_sentence(row)
    '. The data do not say from whom, so depth is unknown.'
    >>> depth_sentence({**row, "depth_low": 2, "depth_high": 7})
    '. The data leave open from whom: it went 2 to 7 steps deep over likely trees.'
    >>> depth_sentence({**row, "depth_max": 3, "parent_known_share": 1.0})
    ', 3 steps deep at most (100% of parents given).'
    """
    deep, low, high = (cascade[f"depth_{name}"] for name in ("max", "low", "high"))
    given, inferred = cascade["parent_known_share"], cascade["parent_inferred_share"] or 0.0
    known = f"{given:.0%} of parents given"
    if inferred > 0.0:
        known += f", {inferred:.0%} inferred"
    if deep is None and low is None:
        if given + inferred > 0.0:
            return f". Too few parents are known for its depth ({known})."
        return ". The data do not say from whom, so depth is unknown."
    if low is not None:
        went = "steps deep over likely trees"
        if deep is None:
            return f". The data leave open from whom: it went {low} to {high} {went}."
        return f", about {deep} ({low} to {high}) {went} ({known})."
    return f", {deep} {'step' if deep == 1 else 'steps'} deep at most ({known})."
