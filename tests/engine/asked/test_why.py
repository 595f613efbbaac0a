"""Why: its figures are those of the run, and of the data without whoever is left out."""

from __future__ import annotations

from typing import Any

import pytest

import kindred
from engine.lift import posterior
from engine.recount import prior_of
from kindred.explained import Explained
from tests.engine.asked.conftest import Asked

TIERS = ["affinity", "follows"]


def why(asked: Asked, tier: str, source: str = "x:u003", kind: str = "user") -> Explained:
    return asked.k.why(source, home(asked, tier, source), kind=kind, run=asked.runs[tier])


def home(asked: Asked, tier: str, source: str) -> str:
    """The community with most shares of a source."""
    rows = asked.k.scores(source, run=asked.runs[tier]).to_dicts()
    return str(max(rows, key=lambda row: row["observed"])["community_id"])


@pytest.mark.parametrize("tier", TIERS)
def test_the_score_is_the_runs_and_follows_from_its_figures(asked: Asked, tier: str) -> None:
    found = why(asked, tier)
    rows = {row["variant"]: row for row in found}
    scored = rows["as scored"]
    row = next(
        row
        for row in asked.k.scores("x:u003", run=asked.runs[tier])
        if row["community_id"] == home(asked, tier, "x:u003")
    )
    assert {name: scored[name] for name in scored if name in row} == {
        name: row[name] for name in row if name in scored
    }
    _, prior = prior_of(asked.k.backend, asked.runs[tier], "user")
    for variant, one in rows.items():
        w = one["weight"]
        p = posterior(prior, [w * one["observed"]], [w * one["expected"]])
        assert one["lift"] == pytest.approx(p.lift[0], rel=1e-6), variant
        assert one["resonance_low"] == pytest.approx(p.resonance_low[0], rel=1e-5)
        assert one["reason"] is None


@pytest.mark.parametrize("tier", TIERS)
def test_members_and_contents_add_up_to_the_shares(asked: Asked, tier: str) -> None:
    found = asked.k.why(
        "x:u003", home(asked, tier, "x:u003"), kind="user", limit=None, run=asked.runs[tier]
    )
    observed = found.to_dicts()[0]["observed"]
    members, contents = found.members.to_dicts(), found.contents.to_dicts()
    for rows in (members, contents):
        assert sum(row["share_count"] for row in rows) == observed
        assert sum(row["part"] for row in rows) == pytest.approx(1.0)
        assert [row["share_count"] for row in rows] == sorted(
            (row["share_count"] for row in rows), reverse=True
        )
    assert {row["author_id"] for row in contents} == {"x:u003"}
    assert {row["user_id"] for row in members if row["is_bot"]} <= {"x:u004", "x:u009"}
    (fold,) = {row["fold"] for row in members}
    inside = {
        row["user_id"]
        for row in asked.k.table("memberships", run=asked.runs[tier]).to_dicts()
        if row["fold"] == fold and row["community_id"] == home(asked, tier, "x:u003")
    }
    assert {row["user_id"] for row in members} <= inside


@pytest.mark.parametrize("tier", TIERS)
def test_who_is_left_out_takes_their_shares_along(asked: Asked, tier: str) -> None:
    found = asked.k.why(
        "x:u003", home(asked, tier, "x:u003"), kind="user", limit=None, run=asked.runs[tier]
    )
    rows = {row["variant"]: row for row in found}
    members = found.members.to_dicts()
    whole = rows["as scored"]["observed"]
    largest = rows["without the largest contributor"]
    bots = sum(row["share_count"] for row in members if row["is_bot"])
    assert bots > 0
    assert (largest["member_count"], rows["without bots"]["member_count"]) == (1, 1)
    for row, gone in ((largest, members[0]["share_count"]), (rows["without bots"], bots)):
        # By follows, whoever was shown it by them alone was then not shown it.
        most = whole - gone
        assert most - 3 <= row["observed"] <= most
        assert row["observed"] == most or tier == "follows"
    assert rows["without bots"]["expected"] < rows["as scored"]["expected"]


def test_the_parts_multiply_to_the_expectation(asked: Asked) -> None:
    parts: dict[str, Any] = {row["part"]: row["value"] for row in why(asked, "affinity").parts}
    assert parts["volume"] * parts["habit"] == pytest.approx(parts["chance"])
    factor = (parts["community"] - parts["own"]) / (parts["community"] - parts["chance"])
    assert parts["left out"] == pytest.approx(factor)
    assert parts["chance"] * factor == pytest.approx(parts["expected"])
    parts = {row["part"]: row["value"] for row in why(asked, "follows").parts}
    assert parts["exposure"] * parts["habit"] == pytest.approx(parts["at risk"])
    assert parts["exposure"] == int(parts["exposure"]) > 0


def test_what_cannot_be_said_is_said_so(asked: Asked) -> None:
    small = asked.k.why("paper00.org", home(asked, "affinity", "paper00.org"))
    assert len(small.members) == 20
    with pytest.raises(kindred.NotFound, match="the community 'c99'"):
        asked.k.why("x:u003", "c99")
    with pytest.raises(kindred.NotFound, match="the source 'nobody'"):
        asked.k.why("nobody", "c1")


def test_a_name_of_two_sources_asks_which(asked: Asked) -> None:
    from engine.why import one_source

    run = asked.runs["affinity"]
    assert one_source(asked.k.backend, run, "@U003") == ("user", "x:u003")
    assert one_source(asked.k.backend, run, "paper01.org", "domain") == (
        "domain",
        "domain:paper01.org",
    )
