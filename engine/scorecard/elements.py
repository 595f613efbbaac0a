"""The elements of the integration model, declared once: formula, range, unit, what each needs.

The table `scorecard`, docs/scorecard.md and the tests are derived from these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.scorecard import audience, conduct, feedback, standing
from engine.scorecard.card import Card
from engine.scorecard.value import Value

__all__ = ["ELEMENTS", "Element"]


@dataclass(frozen=True, slots=True)
class Element:
    """One figure of the scorecard.

    `row` is the element of the model that it belongs to; `name` is unique. `bounds` are the
    ends of its range, None where there is none.
    """

    name: str
    row: str
    about: str
    formula: str
    bounds: tuple[float | None, float | None]
    unit: str
    needs: str
    measure: Callable[[Card], Value]

    @property
    def range(self) -> str:
        """What values are possible, in words."""
        low, high = self.bounds
        if low is None:
            return "any number"
        return f"{low:g} or more" if high is None else f"{low:g} to {high:g}"


_PART: Final = (0.0, 1.0)
_PERCENT: Final = (0.0, 100.0)
_ABOVE: Final = (0.0, None)
_FREE: Final = (None, None)
_SHOWN: Final = "follows, or impressions of half of its contents"
_CONTENT: Final = "contents scored too (`--sources user,brand,domain,content`)"
_ACCOUNT: Final = "an account of its own"

ELEMENTS: Final[tuple[Element, ...]] = (
    Element(
        "visibility", "visibility", "How many of the people there saw it at all.",
        "distinct people shown it / people", _PART, "part", _SHOWN, audience.visibility,
    ),
    Element(
        "exposure", "exposure", "How often a person there sees it in a week.",
        "times it was shown / people / weeks of the data", _ABOVE, "times a person and week",
        f"{_SHOWN}; times", audience.exposure,
    ),
    Element(
        "connectivity", "connectivity", "How many of the people there have a tie with it.",
        "people tied to it, either way, in the graph communities were found on / people",
        _PART, "part", _ACCOUNT, audience.connectivity,
    ),
    Element(
        "connectivity_degree", "connectivity", "How many ties a person there has inside.",
        "mean number of ties among the people there", _ABOVE, "ties", "ties", audience.degree,
    ),
    Element(
        "connectivity_clustering", "connectivity", "How closely knit the people there are.",
        "two-step paths among the people there whose ends are tied / all two-step paths",
        _PART, "part", "ties", audience.clustering,
    ),
    Element(
        "interaction", "interaction", "How often being shown it leads to doing something with it.",
        "(shares + quotes + replies + mentions + 5 p) / (times shown + 5); p = the same rate "
        "of everything shown to the people there", _PART, "rate", _SHOWN, feedback.interaction,
    ),
    Element(
        "perception", "feedback: perception", "How often being shown it leads to a click.",
        "clicks / times shown; likes / times shown where the data hold no clicks",
        _PART, "rate", f"clicks or likes; {_SHOWN}", feedback.perception,
    ),
    Element(
        "understanding", "feedback: understanding", "How many who pass it on add words of their "
        "own. Whether they understood it is not judged.",
        "(quotes + replies with text) / (shares + quotes + replies)", _PART, "part",
        "texts, or their length", feedback.understanding,
    ),
    Element(
        "assessment", "feedback: assessment", "Whether those who answer are for or against it.",
        "mean stance of replies", (-1.0, 1.0), "stance", "a stance of replies, judged by somebody",
        feedback.assessment,
    ),
    Element(
        "implementation", "feedback: implementation", "How many did what it asks for.",
        "people with a conversion / people shown it; as a proxy, people who later post its url "
        "or hashtag themselves", _PART, "part", f"conversions, or urls or hashtags; {_SHOWN}",
        feedback.implementation,
    ),
    Element(
        "reaction", "feedback: reaction", "How much of its sharing exceeds what is expected.",
        "the score: 100 E[(1 - 1 / lift)+]", _PERCENT, "percent", "shares", standing.reaction,
    ),
    Element(
        "loop_closure", "loop closure", "How many who turn to it get an answer soon.",
        "replies and mentions it answers within 48 hours / those of which 48 hours are known",
        _PART, "part", f"replies or mentions with times; {_ACCOUNT}", feedback.loop_closure,
    ),
    Element(
        "traffic", "traffic", "How many clicks it draws.",
        "1,000 clicks / times shown", _ABOVE, "clicks per 1,000 times shown",
        f"clicks; {_SHOWN}", feedback.traffic,
    ),
    Element(
        "trust", "trust", "How many of those who turn to it it turns to.",
        "the two-way dimension", _PERCENT, "percent", f"times; {_ACCOUNT}", standing.trust,
    ),
    Element(
        "credibility", "credibility", "How many without a tie to it share it again, a week later.",
        "the persistence dimension, among sharers who neither follow it nor are followed, nor were "
        "ever turned to by it", _PERCENT, "percent", "14 days after a first share",
        standing.credibility,
    ),
    Element(
        "authority", "authority", "How high it stands among the people there.",
        "percentile of its PageRank that restarts at the members", _PERCENT, "percentile",
        f"ties; {_ACCOUNT}", standing.authority,
    ),
    Element(
        "shareability_relevant", "shareability: relevant", "How much its contents resonate.",
        "mean score of its contents, by their shares", _PERCENT, "percent", _CONTENT,
        standing.relevant,
    ),
    Element(
        "shareability_conversational", "shareability: emotional",
        "Whether it is talked about more than liked. Not the same as emotion.",
        "log2 of (quotes + replies) / (quotes + replies + likes), over the same of everything "
        "the people there do", _FREE, "log2", "likes", standing.conversational,
    ),
    Element(
        "shareability_emotional", "shareability: emotional",
        "Whether what is shared of it is more emotional than what is shared there.",
        "log2 of the mean emotion of its shared contents, over that of all contents shared there",
        _FREE, "log2", "an emotion of contents, judged by somebody", standing.emotional,
    ),
    Element(
        "shareability_segmented_audience", "shareability: segmented",
        "How much its audience lies in few communities.",
        "1 - entropy of times shown over communities / ln communities", _PART, "index", _SHOWN,
        audience.segmented_audience,
    ),
    Element(
        "shareability_segmented_reaction", "shareability: segmented",
        "How much those who share it lie in few communities.",
        "1 - entropy of shares over communities / ln communities", _PART, "index", "shares",
        audience.segmented_reaction,
    ),
    Element(
        "shareability", "shareability ratio", "How far its contents are shared beyond expectation.",
        "mean log2 lift of its contents, by their shares", _FREE, "log2", _CONTENT,
        standing.shareability,
    ),
    Element(
        "curation_humanise", "curation: humanise", "How much of its output is in its own words.",
        "its contents with text / (its contents + its shares); without texts, its replies / "
        "(its posts + its replies)", _PART, "part", _ACCOUNT, conduct.humanise,
    ),
    Element(
        "curation_filter", "curation: filter", "How choosy it is.",
        "1 - contents it shared / contents put before it", _PART, "part",
        f"follows or impressions; {_ACCOUNT}", conduct.filtering,
    ),
    Element(
        "curation_select", "curation: select", "How well what it chooses does at home.",
        "mean log2 lift, in its home community, of the contents it shared", _FREE, "log2",
        f"{_CONTENT}; {_ACCOUNT}", conduct.selection,
    ),
    Element(
        "two_way_street", "two-way street", "How even its dealings are.",
        "sum of the lesser weight of each pair / sum of the greater", _PART, "index", _ACCOUNT,
        conduct.two_way_street,
    ),
    Element(
        "same_level", "same-level exchange", "How much it deals with its equals.",
        "weight of its dealings with people of a third to three times its audience / all",
        _PART, "part", f"follows or numbers of followers; {_ACCOUNT}", audience.same_level,
    ),
    Element(
        "six_degrees", "six degrees", "How far people are from it.",
        "mean steps along follows, of those who can be reached", _ABOVE, "steps",
        f"follows; {_ACCOUNT}", audience.mean_distance,
    ),
    Element(
        "within_six", "six degrees", "How many are six steps away or fewer.",
        "people within six steps / people", _PART, "part", f"follows; {_ACCOUNT}",
        audience.within_six,
    ),
    Element(
        "viral_structure", "viral effect", "How far apart people are in its cascades.",
        "structural virality of its contents, by their shares", _ABOVE, "steps",
        "parents of shares", standing.virality,
    ),
    Element(
        "viral_echo", "viral effect", "How much of its sharing comes from within.",
        "the echo dimension", _PERCENT, "percent", "parents of shares", standing.echo,
    ),
    Element(
        "viral_hops", "viral effect", "How much of its sharing crosses from one community to "
        "another.", "passes from a member of another community / passes of which both are known",
        _PART, "part", "parents of shares", standing.hops,
    ),
    Element(
        "connections_sales", "connections / sales", "Whether it talks or sells.",
        "replies and mentions, to it and by it / those + its posts that advertise", _PART, "part",
        f"a mark on posts that advertise; {_ACCOUNT}", conduct.connections,
    ),
    Element(
        "sharing_creating_received", "sharing / creating", "How much others do for what it makes.",
        "shares of its contents / (those + its contents)", _PART, "part", "contents",
        conduct.received,
    ),
    Element(
        "sharing_creating_made", "sharing / creating", "What it passes on beside what it makes.",
        "its shares / (its shares + its own contents)", _PART, "part", _ACCOUNT, conduct.sharing,
    ),
    Element(
        "resonance", "resonance / influence", "The score, of the pair. Its basis names the "
        "quadrant, which may be undetermined.", "as reaction", _PERCENT, "percent", "shares",
        standing.reaction,
    ),
    Element(
        "influence", "resonance / influence", "How loud it is, of the pair.",
        "mid-rank percentile of reach, else of shares, among sources of its kind", _PERCENT,
        "percentile", "nothing", standing.influence,
    ),
    Element(
        "relationships_promotions", "relationships / promotions",
        "How much of its dealings is repeated and mutual.",
        "weight of dealings with people it had three or more with, both ways / all", _PART, "part",
        _ACCOUNT, conduct.relationships,
    ),
    Element(
        "convergence", "convergence of platforms", "How evenly it resonates over platforms.",
        "1 - sum of squared parts of its resonant shares by platform", _PART, "index",
        "two platforms or more", standing.convergence,
    ),
    Element(
        "engagement", "engagement / exchange", "How fast people connect with it.",
        "people newly tied to it in the later half of the data / people / weeks of it", _ABOVE,
        "part a week", f"times; {_ACCOUNT}", conduct.engagement,
    ),
    Element(
        "exchange", "engagement / exchange", "How often being shown it leads to an exchange.",
        "as interaction", _PART, "rate", _SHOWN, feedback.interaction,
    ),
)  # fmt: skip
"""Every element, in the order of the model."""
