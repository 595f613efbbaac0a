"""The scorecard on the full made world: no element is null, and each finds what was planted."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Final

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest

from engine import cascades, dimensions, influence, reach, resonance
from engine.assemble import assemble
from engine.authority import authority
from engine.params import AnalysisParams
from engine.partition import Partitions
from engine.results import table
from engine.scorecard import ELEMENTS, Facts, held, scorecards
from engine.scorecard.card import Card, subject
from engine.snapshot import Snapshot
from engine.sources import all_events
from tests.worlds.full import DAY, FullWorld, full_world

PARAMS: Final = AnalysisParams(folds=2, sources=("user", "brand"))
WHOLE: Final = {
    "shareability_segmented_audience", "shareability_segmented_reaction", "curation_humanise",
    "curation_filter", "curation_select", "sharing_creating_made",
}  # fmt: skip
"""Said of a source or of all communities as a whole, and of no single community."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Scored:
    """The world, what an analysis says of it, and its scorecards."""

    world: FullWorld
    snapshot: Snapshot
    label: dict[str, int]
    tables: dict[str, pa.Table]
    cards: dict[tuple[str, str | None], dict[str, Row]]

    listed: dict[str, list[Row]]

    def rows(self, name: str) -> list[Row]:
        """Return the rows of a canonical table."""
        return self.listed[name]

    def accounts(self, brand: str) -> set[str]:
        """Return the accounts of a brand."""
        return {
            m["value"]
            for m in self.rows("brand_members")
            if m["brand_id"] == brand and m["kind"] == "account"
        }

    def contents(self, brand: str) -> set[str]:
        """Return the contents of a brand."""
        own = self.accounts(brand)
        return {c["content_id"] for c in self.rows("content") if c["author_id"] in own}

    def here(self, brand: str, place: str | None) -> set[str]:
        """Return the people meant: others, in the community where there is one."""
        wanted = None if place is None else int(place[1:]) - 1
        return {u for u, c in self.label.items() if wanted is None or c == wanted} - self.accounts(
            brand
        )


@pytest.fixture(scope="module")
def found() -> Scored:
    """Analyse the world on its planted communities and make all scorecards of its brands."""
    world = full_world()
    snapshot = assemble(world.tables)
    places = dict(
        zip(*(world.base.places[c].to_pylist() for c in ("user_id", "community")), strict=True)
    )
    label = np.array([places[u] for u in snapshot.users.user_id.to_pylist()], np.int32)
    partitions = Partitions(
        label, np.stack((label, label)), np.ones(len(label)), np.ones(4, np.bool_), 1.0
    )
    events = all_events(snapshot, PARAMS)
    central = authority(snapshot, partitions)
    loud = influence.influence(snapshot, partitions, events, central)
    scored = resonance.score(
        snapshot, partitions, PARAMS,
        influence=influence.percentiles(loud, events), events_by_kind=events,
    )  # fmt: skip
    tables = {
        "authority": central,
        "influence": loud,
        "scores": pa.concat_tables([scored.table, of_contents(world)]),
        "reach": reach.reach(snapshot, partitions, events).table,
        "dimensions": dimensions.dimensions(snapshot, partitions, PARAMS, events),
        "cascades": cascades.cascades(snapshot, partitions)[0],
    }
    facts = Facts(snapshot, partitions, PARAMS, held(tables))
    cards: dict[tuple[str, str | None], dict[str, Row]] = {}
    for brand in world.planted:
        of = subject(facts, "brand", brand)
        for place in (None, "c1", "c2", "c3", "c4"):
            card = Card(of, place, None if place is None else int(place[1:]) - 1)
            cards[brand, place] = {
                e.name: {"card": card, **as_row(e.measure(card))} for e in ELEMENTS
            }
    listed = {name: rows.to_pylist() for name, rows in world.tables.items()}
    return Scored(world, snapshot, places, tables, cards, listed)


def as_row(value: Any) -> Row:
    """Return a figure as a row."""
    return {name: getattr(value, name) for name in ("value", "low", "high", "n", "reason")}


def of_contents(world: FullWorld) -> pa.Table:
    """Make up scores of contents, the same in every community but for the place's number."""
    ids = [c["content_id"] for c in world.tables["content"].to_pylist() if c["kind"] == "post"]
    random = np.random.default_rng(5)
    rows: list[Row] = []
    for content in ids:
        lift = float(2.0 ** random.normal(0.5, 0.5))
        rows += [score(content, None, lift), *(score(content, f"c{c}", lift) for c in range(1, 5))]
    return table("scores", {name: [r[name] for r in rows] for name in rows[0]})


def score(content: str, place: str | None, lift: float) -> Row:
    """Return the score of a content whose lift is known."""
    excess = [100 * max(0.0, 1 - 1 / v) for v in (lift, lift / 2, lift * 2)]
    lifts = [None] * 3 if place is None else [lift, lift / 2, lift * 2]
    names = ("lift", "lift_low", "lift_high", "resonance", "resonance_low", "resonance_high")
    return {
        "source_kind": "content", "source_id": content, "community_id": place,
        "observed": 4.0 if place is None else 1.0, **dict(zip(names, lifts + excess, strict=True)),
        "tier": "impressions", "flags": [],
    }  # fmt: skip


def test_no_element_is_null_and_every_figure_is_in_its_range(found: Scored) -> None:
    """Of every planted brand: over everyone nothing is null, in a community what can be."""
    for (brand, place), card in found.cards.items():
        null = {name for name, row in card.items() if row["value"] is None}
        expected = set[str]()
        if place is not None:
            expected |= WHOLE
            expected |= {"authority"} if not at_home(found, brand, place) else set()
            expected |= {"convergence"} if card["reaction"]["low"] == 0 else set()
        # In a small community there may be no case of a stranger who could share again.
        expected |= {"credibility"} & null if place is not None else set()
        assert null == expected, (brand, place, {n: card[n]["reason"] for n in null})
        for element in ELEMENTS:
            row = card[element.name]
            assert (row["reason"] is None) == (row["value"] is not None)
            if row["value"] is None:
                continue
            low, high = element.bounds
            ends = [row["value"], *(v for v in (row["low"], row["high"]) if v is not None)]
            assert low is None or min(ends) >= low, element.name
            assert high is None or max(ends) <= high, element.name
            assert row["n"] is not None
            assert row["n"] > 0


def at_home(found: Scored, brand: str, place: str) -> bool:
    """Say whether an account of the brand is a member."""
    return any(found.label[u] == int(place[1:]) - 1 for u in found.accounts(brand))


RATES: Final = {
    "perception": "click",
    "implementation": "convert",
    "understanding": "own_words",
    "assessment": "stance",
}


def test_planted_rates_are_found_within_their_intervals(found: Scored) -> None:
    """At least 80 % of the 90 % intervals hold what was planted, and none is far off."""
    hits: list[bool] = []
    far: list[tuple[str, str | None, str]] = []
    mean_emotion = everyones_emotion(found)
    for (brand, place), card in found.cards.items():
        true = found.world.planted[brand]
        planted = {name: float(getattr(true, of)) for name, of in RATES.items()}
        planted["traffic"] = 1_000 * true.click
        planted["trust"] = 100 * true.turn_back
        if place is None:
            planted["curation_filter"] = 1 - true.passed_on
            planted["curation_humanise"] = humanised(found, brand)
            planted["shareability_emotional"] = float(np.log2(true.emotion / mean_emotion))
        for name, value in planted.items():
            row = card[name]
            hits.append(row["low"] <= value <= row["high"])
            if abs(row["value"] - value) > 2.5 * max(row["high"] - row["low"], 1e-9):
                far.append((brand, place, name))
    assert len(hits) == 4 * (5 * 6 + 3)
    assert far == []
    assert np.mean(hits) >= 0.8


def humanised(found: Scored, brand: str) -> float:
    """Return the planted part of texts among what a brand makes and passes on."""
    made = len(found.contents(brand))
    passed = sum(
        r["user_id"] in found.accounts(brand) and r["kind"] != "bookmark"
        for r in found.rows("shares")
    )
    return float(found.world.planted[brand].texts * made / (made + passed))


def everyones_emotion(found: Scored) -> float:
    """Return the mean emotion of what is shared."""
    shared = {r["content_id"] for r in found.rows("shares") if r["kind"] != "bookmark"}
    every = [c["emotion"] for c in found.rows("content") if c["content_id"] in shared]
    return float(np.mean(every))


def test_counts_are_exact(found: Scored) -> None:
    """What is counted out equals a count by hand, of every brand, everywhere."""
    weeks = length(found)
    shown = defaultdict(set)
    for row in found.rows("impressions"):
        shown[row["content_id"]].add(row["user_id"])
    for (brand, place), card in found.cards.items():
        here, mine, own = found.here(brand, place), found.contents(brand), found.accounts(brand)
        times = Counter(u for c in sorted(mine) for u in shown[c] if u in here)
        passed = firsts(found, mine, here)
        replies = [r for r in found.rows("replies")
                   if r["parent_content_id"] in mine and r["user_id"] in here]  # fmt: skip
        named = [r for r in found.rows("mentions")
                 if r["target_id"] in names(found, brand) and r["user_id"] in here]  # fmt: skip
        expected = {
            "visibility": len(times) / len(here),
            "exposure": sum(times.values()) / len(here) / weeks,
            "sharing_creating_received": len(passed) / (len(passed) + len(mine)),
        }
        talked = len(replies) + len(named)
        author = {c["content_id"]: c["author_id"] for c in found.rows("content")}
        talked += sum(r["user_id"] in own and author[r["parent_content_id"]] in here
                      for r in found.rows("replies"))  # fmt: skip
        talked += sum(r["user_id"] in own and r["target_id"] in here
                      for r in found.rows("mentions"))  # fmt: skip
        sold = sum(bool(c["is_promotion"]) for c in found.rows("content")
                   if c["content_id"] in mine)  # fmt: skip
        expected["connections_sales"] = talked / (talked + sold)
        assert {name: card[name]["value"] for name in expected} == pytest.approx(expected)
        rate = (len(passed) + talked_to(replies, named)) / sum(times.values())
        row = card["interaction"]
        assert row["n"] == sum(times.values())
        assert row["low"] <= rate <= row["high"]
        assert card["exchange"]["value"] == row["value"]


def talked_to(replies: list[Row], named: list[Row]) -> int:
    """Count replies and mentions."""
    return len(replies) + len(named)


def names(found: Scored, brand: str) -> set[str]:
    """Return what a brand is mentioned by."""
    return {m["value"] for m in found.rows("brand_members") if m["brand_id"] == brand}


def firsts(found: Scored, mine: set[str], here: set[str]) -> dict[tuple[str, str], Row]:
    """Return the share that counts of each content and person."""
    rows = [r for r in found.rows("shares") if r["content_id"] in mine and r["user_id"] in here
            and r["kind"] != "bookmark"]  # fmt: skip
    return {(r["content_id"], r["user_id"]): r for r in sorted(rows, key=lambda r: r["at"])}


def length(found: Scored) -> float:
    """Return how many weeks the data span."""
    at = [r[c] for n, c in (("content", "created_at"), ("shares", "at"), ("replies", "at"),
                            ("mentions", "at")) for r in found.rows(n) if r[c]]  # fmt: skip
    return float((max(at) - min(at)).total_seconds() / (7 * 86_400))


def test_answers_in_time_close_the_loop(found: Scored) -> None:
    """A reply to the person, or a mention of them, within 48 hours of what they said."""
    author = {c["content_id"]: c["author_id"] for c in found.rows("content")}
    end = max(r["at"] for n in ("shares", "replies", "mentions") for r in found.rows(n))
    for (brand, place), card in found.cards.items():
        own, mine = found.accounts(brand), found.contents(brand)
        here = found.here(brand, place)
        said = [
            (r["user_id"], r["at"]) for r in found.rows("replies") if r["parent_content_id"] in mine
        ]
        said += [
            (r["user_id"], r["at"])
            for r in found.rows("mentions")
            if r["target_id"] in names(found, brand)
        ]
        back = [
            (author[r["parent_content_id"]], r["at"])
            for r in found.rows("replies")
            if r["user_id"] in own
        ]
        back += [(r["target_id"], r["at"]) for r in found.rows("mentions") if r["user_id"] in own]
        turned = defaultdict(list)
        for user, at in back:
            turned[user].append(at)
        due = [(u, at) for u, at in said if u in here and (end - at).total_seconds() >= 48 * 3_600]
        answered = sum(
            any(0 <= (t - at).total_seconds() <= 48 * 3_600 for t in turned[u]) for u, at in due
        )  # fmt: skip
        row = card["loop_closure"]
        assert (row["value"], row["n"]) == (pytest.approx(answered / len(due)), len(due))


def test_ties_are_those_of_the_graph(found: Scored) -> None:
    """Ties by shares, likes and follows; triangles as networkx counts them."""
    author = {c["content_id"]: c["author_id"] for c in found.rows("content")}
    graph: Any = nx.Graph()
    graph.add_nodes_from(found.label)
    for row in found.rows("shares"):
        if row["kind"] != "bookmark":
            graph.add_edge(row["user_id"], author[row["content_id"]])
            graph.add_edge(row["user_id"], row["via_user_id"])
    graph.add_edges_from((r["user_id"], author[r["content_id"]]) for r in found.rows("reactions")
                         if r["kind"] == "like")  # fmt: skip
    graph.add_edges_from((r["follower_id"], r["followee_id"]) for r in found.rows("follows"))
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    inside: dict[str | None, tuple[float, float]] = {}
    for place in (None, "c1", "c2", "c3", "c4"):
        part = graph.subgraph(
            u for u, c in found.label.items() if place is None or c == int(place[1:]) - 1
        )
        degree = 2 * part.number_of_edges() / part.number_of_nodes()
        inside[place] = degree, nx.transitivity(part)
    for (brand, place), card in found.cards.items():
        here, own = found.here(brand, place), found.accounts(brand)
        tied = {v for a in own for v in graph[a]} & here
        expected = {
            "connectivity": len(tied) / len(here),
            "connectivity_degree": inside[place][0],
            "connectivity_clustering": inside[place][1],
        }
        assert {name: card[name]["value"] for name in expected} == pytest.approx(expected)


def test_steps_are_the_shortest_ways(found: Scored) -> None:
    """Along follows, from whoever posts to whoever hears it."""
    ways = nx.DiGraph((r["followee_id"], r["follower_id"]) for r in found.rows("follows"))
    for (brand, place), card in found.cards.items():
        here = found.here(brand, place)
        away = nx.multi_source_dijkstra_path_length(ways, found.accounts(brand) & set(ways))
        steps = [n for u, n in away.items() if u in here]
        assert card["six_degrees"]["value"] == pytest.approx(np.mean(steps))
        assert card["within_six"]["value"] == pytest.approx(sum(n <= 6 for n in steps) / len(here))


def test_dealings_are_weighed_person_by_person(found: Scored) -> None:
    """A share 1, a reply .7, a mention .5, a like .2; both ways, three times or more."""
    author = {c["content_id"]: c["author_id"] for c in found.rows("content")}
    acts: list[tuple[str, str, float]] = []
    for row in firsts(found, set(author), set(found.label)).values():
        to = {author[row["content_id"]], row["via_user_id"]} - {None, row["user_id"]}
        acts += [(row["user_id"], v, 1.0) for v in to]
    acts += [(r["user_id"], author[r["parent_content_id"]], 0.7) for r in found.rows("replies")]
    acts += [(r["user_id"], r["target_id"], 0.5) for r in found.rows("mentions")]
    acts += [(r["user_id"], author[r["content_id"]], 0.2) for r in found.rows("reactions")
             if r["kind"] == "like"]  # fmt: skip
    followers = {u["user_id"]: u["followers_count"] for u in found.rows("users")}
    for (brand, place), card in found.cards.items():
        own, here = found.accounts(brand), found.here(brand, place)
        gave, got, count = (defaultdict[str, float](float) for _ in range(3))
        for user, target, weight in acts:
            if user in own and target in here:
                gave[target] += weight
                count[target] += 1
            if target in own and user in here:
                got[user] += weight
                count[user] += 1
        people = set(count)
        total = sum(gave.values()) + sum(got.values())
        size = sum(followers[a] for a in own)
        alike = {u for u in people if size / 3 <= followers[u] <= 3 * size}
        mutual = {u for u in people if gave[u] and got[u] and count[u] >= 3}
        expected = {
            "two_way_street": sum(min(gave[u], got[u]) for u in people)
            / sum(max(gave[u], got[u]) for u in people),
            "relationships_promotions": sum(gave[u] + got[u] for u in mutual) / total,
            "same_level": sum(gave[u] + got[u] for u in alike) / total,
        }
        assert {name: card[name]["value"] for name in expected} == pytest.approx(expected)


def test_what_the_tables_say_is_said_again(found: Scored) -> None:
    """Scores, loudness, authority, echo and two-way are those of the run."""
    scores = {(r["source_id"], r["community_id"]): r for r in found.tables["scores"].to_pylist()}
    loud = {r["source_id"]: r for r in found.tables["influence"].to_pylist()}
    beside = {(r["source_id"], r["community_id"], r["dimension"]): r
              for r in found.tables["dimensions"].to_pylist()}  # fmt: skip
    for (brand, place), card in found.cards.items():
        assert card["reaction"]["value"] == scores[brand, place]["resonance"]
        assert card["resonance"]["low"] == scores[brand, place]["resonance_low"]
        assert card["influence"]["value"] == loud[brand]["influence"]
        assert card["trust"]["value"] == beside[brand, place, "two_way"]["value"]
        assert card["viral_echo"]["value"] == beside[brand, place, "echo"]["value"]


def test_shareability_is_that_of_its_contents(found: Scored) -> None:
    """Means of the contents' scores; the same in each community, as they were made up."""
    scores = found.tables["scores"].to_pylist()
    for brand in found.world.planted:
        mine = found.contents(brand)
        rows = [r for r in scores if r["source_id"] in mine]
        excess = np.mean([r["resonance"] for r in rows if r["community_id"] is None])
        lift = np.mean([np.log2(r["lift"]) for r in rows if r["community_id"] == "c1"])
        for place in (None, "c1", "c4"):
            card = found.cards[brand, place]
            assert card["shareability_relevant"]["value"] == pytest.approx(excess)
            assert card["shareability"]["value"] == pytest.approx(lift)
        own = found.accounts(brand)
        chosen = {r["content_id"] for r in found.rows("shares") if r["user_id"] in own}
        home = [np.log2(r["lift"]) for r in scores
                if r["source_id"] in chosen and r["community_id"] == "c1"]  # fmt: skip
        assert found.cards[brand, None]["curation_select"]["value"] == pytest.approx(np.mean(home))


def test_spread_over_communities_and_platforms(found: Scored) -> None:
    """Entropies by hand; people are on two platforms by the toss of a coin."""
    shown = Counter[tuple[str, int]]()
    for row in found.rows("impressions"):
        shown[row["content_id"], found.label[row["user_id"]]] += 1
    for brand in found.world.planted:
        mine, here = found.contents(brand), found.here(brand, None)
        passed = Counter(found.label[u] for _, u in firsts(found, mine, here))
        card = found.cards[brand, None]
        row = card["shareability_segmented_reaction"]
        assert row["value"] == pytest.approx(1 - entropy(list(passed.values())) / np.log(4))
        assert row["n"] == sum(passed.values())
        times = [sum(shown[c, k] for c in mine) for k in range(4)]
        row = card["shareability_segmented_audience"]
        assert row["value"] == pytest.approx(1 - entropy(times) / np.log(4))
        assert card["convergence"]["value"] == pytest.approx(evenness(found, brand))


def evenness(found: Scored, brand: str) -> float:
    """Return 1 - sum of squared parts of resonant shares by platform."""
    platform = {u["user_id"]: u["platform"] for u in found.rows("users")}
    excess = {r["community_id"]: r["resonance_low"] for r in found.tables["scores"].to_pylist()
              if r["source_id"] == brand}  # fmt: skip
    weight: dict[str, float] = defaultdict(float)
    for _, user in firsts(found, found.contents(brand), found.here(brand, None)):
        weight[platform[user]] += excess[f"c{found.label[user] + 1}"]
    return 1 - sum(w**2 for w in weight.values()) / sum(weight.values()) ** 2


def entropy(counts: list[int]) -> float:
    """Return the entropy of parts, in nats."""
    p = np.array([c for c in counts if c], np.float64) / sum(counts)
    return float(-(p * np.log(p)).sum())


def test_a_run_keeps_scorecards_of_the_most_shared(found: Scored) -> None:
    """The table of a run is that of single cards, sorted, the same whoever makes it."""
    one = next(iter(found.cards.values()))["visibility"]["card"].facts
    kept = scorecards(one, ("brand",))
    again = scorecards(Facts(found.snapshot, one.partitions, PARAMS, one.read), ("brand",))
    assert kept.equals(again)
    assert kept.num_rows == 4 * (1 + 3) * len(ELEMENTS)
    for row in kept.to_pylist():
        card = found.cards[row["source_id"], row["community_id"]]
        assert row["value"] == card[row["element"]]["value"]
        assert row["basis"] or row["value"] is None


def test_without_its_column_an_element_says_what_it_needs() -> None:
    """Nothing is put in the place of what is not known; a short window says its days."""
    base = full_world().base
    snapshot = assemble({n: base.tables[n] for n in ("users", "content", "shares", "brands",
                                                     "brand_members")})  # fmt: skip
    start = snapshot.contents.created_at.min()
    for part, name in ((snapshot.contents, "created_at"), (snapshot.shares, "at")):
        object.__setattr__(part, name, start + (getattr(part, name) - start) // 10)
    days = (max(snapshot.shares.at.max(), snapshot.contents.created_at.max()) - start) / DAY
    none = Partitions(
        np.full(len(snapshot.users), -1, np.int32),
        np.full((2, len(snapshot.users)), -1, np.int32),
        np.zeros(len(snapshot.users)), np.zeros(0, np.bool_), 1.0,
    )  # fmt: skip
    facts = Facts(snapshot, none, PARAMS, held({}))
    card = Card(subject(facts, "brand", snapshot.brands.brand_id[0].as_py()))
    said = {e.name: e.measure(card).reason for e in ELEMENTS}
    shown = "needs follows, or impressions of half of its contents"
    assert {n: said[n] for n in ("visibility", "perception", "traffic", "assessment",
                                 "understanding", "shareability_conversational", "convergence",
                                 "shareability_emotional", "six_degrees", "connections_sales",
                                 "credibility")} == {
        "visibility": shown,
        "perception": shown,
        "traffic": "needs clicks",
        "assessment": "needs a stance of replies",
        "understanding": "needs texts, or their length",
        "shareability_conversational": "needs likes",
        "convergence": "needs two platforms or more in the data",
        "shareability_emotional":
            "needs an emotion of contents; see shareability_conversational",
        "six_degrees": "needs follows",
        "connections_sales": "needs a mark on posts that advertise",
        "credibility": f"needs 14 days after a first share; the data span {days:.1f} days",
    }  # fmt: skip
