"""Dimensions against a count by hand, one case after the other, on a made world."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from engine.assemble import assemble
from engine.csr import Ints
from engine.dimensions import dimensions
from engine.groups import folds, root_groups
from engine.params import AnalysisParams
from engine.parents import parents
from engine.partition import Partitions
from engine.shares import FirstShares, first_shares
from engine.snapshot import Snapshot
from engine.sources import SourceEvents, all_events
from kindred.demo.world import World, WorldParams, make_world

DAY: Final = 86_400_000_000
PARAMS: Final = AnalysisParams(folds=2, sources=("user", "brand", "hashtag"))

Cases = dict[tuple[str, str | None], list[bool]]
"""Whether it came true, of each case, by source and community."""


@dataclass(frozen=True)
class Scenario:
    """A made world, the communities of two folds, and what was found."""

    snapshot: Snapshot
    partitions: Partitions
    shares: FirstShares
    rows: dict[tuple[str, str, str | None, str], dict[str, Any]]

    def cells(self, kind: str, dimension: str) -> dict[tuple[str, str | None], dict[str, Any]]:
        """Return the rows of a dimension that have a value, by source and community."""
        return {
            (source, community): row
            for (k, source, community, name), row in self.rows.items()
            if (k, name) == (kind, dimension) and row["value"] is not None
        }

    def place(self, group: int, user: int) -> str | None:
        """Return the community of a user in the fold of a root group."""
        fold = folds(root_groups(self.snapshot), 2, PARAMS.seed)[group]
        label = int(self.partitions.folds[fold, user])
        return None if label < 0 else f"c{label + 1}"


def made() -> World:
    """Make a world whose people talk."""
    return make_world(
        WorldParams(
            users=240, communities=4, sources=16, brands=6, posts=400, attention=0.05, days=40
        )
    )


def communities(world: World, snapshot: Snapshot) -> Partitions:
    """Return the planted communities, with some users elsewhere in the second fold."""
    label = world.places["community"].to_numpy().astype(np.int32)
    other = label.copy()
    other[::7] = -1
    other[3::7] = 0
    return Partitions(
        label,
        np.stack((label, other)),
        np.ones(len(snapshot.users)),
        np.array([True, True, True, False]),
        1.0,
    )


@pytest.fixture(scope="module")
def found() -> Scenario:
    """The dimensions of a made world in which brands answer."""
    world = made()
    tables = dict(world.tables)
    tables["mentions"] = pa.concat_tables(
        [tables["mentions"], answers(tables)], promote_options="default"
    )
    snapshot = assemble(tables)
    partitions = communities(world, snapshot)
    shares = first_shares(snapshot)
    table = dimensions(snapshot, partitions, PARAMS, all_events(snapshot, PARAMS))
    rows = {
        (r["source_kind"], r["source_id"], r["community_id"], r["dimension"]): r
        for r in table.to_pylist()
    }
    assert len(rows) == table.num_rows
    return Scenario(snapshot, partitions, shares, rows)


def answers(tables: dict[str, pa.Table]) -> pa.Table:
    """Let authors mention every third of those who share, 10, 20, 30 or 40 days later."""
    author = dict(
        zip(*(tables["content"][c].to_pylist() for c in ("content_id", "author_id")), strict=True)
    )
    rows = tables["shares"].to_pylist()[::3]
    return pa.table(
        {
            "user_id": [author[r["content_id"]] for r in rows],
            "target_id": [r["user_id"] for r in rows],
            "at": pa.array(
                [int(r["at"].timestamp() * 1e6) + (1 + i % 4) * 10 * DAY for i, r in
                 enumerate(rows)]
            ).cast(tables["shares"].schema.field("at").type),
        }
    )  # fmt: skip


def owners(snapshot: Snapshot) -> dict[int, list[tuple[str, str, int]]]:
    """Return the sources that speak through each account: kind, id, root group."""
    groups, brands = root_groups(snapshot), snapshot.brands
    ids, names = snapshot.users.user_id.to_pylist(), brands.brand_id.to_pylist()
    said: dict[int, list[tuple[str, str, int]]] = {
        u: [("user", ids[u], int(groups.of_user[u]))] for u in range(len(ids))
    }
    for b, u in zip(brands.account_brand.tolist(), brands.account_user.tolist(), strict=True):
        said[u].append(("brand", names[b], int(groups.of_brand[b])))
    return said


def same(cells: dict[tuple[str, str | None], dict[str, Any]], cases: Cases) -> None:
    """Hold counts, shrunken values and intervals against the cases."""
    scored = {"c1", "c2", "c3", None}
    expected = {key: hits for key, hits in cases.items() if key[1] in scored}
    assert {k: (r["k"], r["n"]) for k, r in cells.items()} == {
        k: (float(sum(hits)), float(len(hits))) for k, hits in expected.items()
    }
    for (source, community), row in cells.items():
        pooled = [h for (_, place), hits in expected.items() if place == community for h in hits]
        mean = (sum(pooled) + 0.5) / (len(pooled) + 1)
        miss = row["n"] - row["k"]
        plain = stats.beta(row["k"] + 5 * mean, miss + 5 * (1 - mean)).mean()
        beta = stats.beta(row["k"] + max(5 * mean, 0.5), miss + max(5 * (1 - mean), 0.5))
        assert row["value"] == pytest.approx(100 * plain), source
        low, high = min(beta.ppf(0.05), plain), max(beta.ppf(0.95), plain)
        assert row["low"] == pytest.approx(100 * low, abs=1e-9)
        assert row["high"] == pytest.approx(100 * high, abs=1e-9)


def test_echo_counts_shares_from_members_other_than_the_source(found: Scenario) -> None:
    """A share whose parent is in the sharer's own community, and is no account of the source."""
    snapshot, shares = found.snapshot, found.shares
    of = owners(snapshot)
    cases: dict[str, Cases] = {"user": defaultdict(list), "brand": defaultdict(list)}
    over = parents(snapshot, shares).whom.tolist()
    own = {kind: {(s, u) for u, said in of.items() for k, s, _ in said if k == kind}
           for kind in cases}  # fmt: skip
    for content, user, via in zip(shares.content.tolist(), shares.user.tolist(), over, strict=True):
        for kind, source, group in of[int(snapshot.contents.author[content])]:
            here = found.place(group, user)
            if via < 0 or here is None or (source, user) in own[kind]:
                continue
            hit = found.place(group, via) == here and (source, via) not in own[kind]
            cases[kind][source, here].append(hit)
            cases[kind][source, None].append(hit)
    for kind, counted in cases.items():
        assert counted
        same(found.cells(kind, "echo"), counted)


def test_two_way_counts_people_who_were_turned_to_within_a_month(found: Scenario) -> None:
    """A person counts once a source, and only a reply, mention or share back in time."""
    snapshot, shares = found.snapshot, found.shares
    of, author = owners(snapshot), snapshot.contents.author.tolist()
    acts: dict[tuple[str, str, int, int], list[int]] = defaultdict(list)
    given: dict[tuple[str, str, int, int], list[int]] = defaultdict(list)
    rows = [
        (u, author[c], t, "share")
        for c, u, t in zip(
            shares.content.tolist(), shares.user.tolist(), shares.at.tolist(), strict=True
        )
    ]
    m, r, b = snapshot.mentions, snapshot.replies, snapshot.brands
    rows += [
        (u, v, t, "mention")
        for u, v, t in zip(m.user.tolist(), m.target.tolist(), m.at.tolist(), strict=True)
    ]
    rows += [(u, author[c], t, "reply") for u, c, t in zip(
        r.user.tolist(), r.parent.tolist(), r.at.tolist(), strict=True)]  # fmt: skip
    for user, target, at, kind in rows:
        for one in of[user]:
            given[(*one, target)].append(at)
        for one in of[target] if kind != "reply" else []:
            acts[(*one, user)].append(at)
    names, groups = b.brand_id.to_pylist(), root_groups(snapshot)
    for brand, user, at in zip(
        b.mention_brand.tolist(), b.mention_user.tolist(), b.mention_at.tolist(), strict=True
    ):
        acts["brand", names[brand], int(groups.of_brand[brand]), user].append(at)
    cases: dict[str, Cases] = {"user": defaultdict(list), "brand": defaultdict(list)}
    own = {(k, s, u) for u, said in of.items() for k, s, _ in said}
    for (kind, source, group, user), times in acts.items():
        if (kind, source, user) in own:
            continue
        back = given.get((kind, source, group, user), [])
        hit = any(0 <= t2 - t1 <= 30 * DAY for t1 in times for t2 in back)
        here = found.place(group, user)
        cases[kind][source, None].append(hit)
        if here is not None:
            cases[kind][source, here].append(hit)
    for kind, counted in cases.items():
        assert any(any(hits) for hits in counted.values())
        same(found.cells(kind, "two_way"), counted)


def test_persistence_counts_who_could_share_again(found: Scenario) -> None:
    """A first share 14 days before the end, and a post by somebody followed 7 days after it."""
    snapshot, shares = found.snapshot, found.shares
    of, contents = owners(snapshot), snapshot.contents
    follows = set(
        zip(snapshot.follows.follower.tolist(), snapshot.follows.followee.tolist(), strict=True)
    )
    shared: dict[tuple[str, str, int, int], list[int]] = defaultdict(list)
    put: dict[tuple[str, str, int], list[tuple[int, int]]] = defaultdict(list)
    for author, at in zip(contents.author.tolist(), contents.created_at.tolist(), strict=True):
        for one in of[author]:
            put[one].append((author, at))
    for content, user, at in zip(
        shares.content.tolist(), shares.user.tolist(), shares.at.tolist(), strict=True
    ):
        for one in of[int(contents.author[content])]:
            put[one].append((user, at))
            if one not in of[user]:
                shared[(*one, user)].append(at)
    end = max(
        int(part.max())
        for part in (contents.created_at, snapshot.shares.at, snapshot.replies.at,
                     snapshot.mentions.at)
    )  # fmt: skip
    cases: dict[str, Cases] = {"user": defaultdict(list), "brand": defaultdict(list)}
    for (kind, source, group, user), times in shared.items():
        first = min(times)
        later = [t for v, t in put[kind, source, group] if (user, v) in follows]
        if first + 14 * DAY > end or max(later, default=0) < first + 7 * DAY:
            continue
        hit, here = max(times) >= first + 7 * DAY, found.place(group, user)
        cases[kind][source, None].append(hit)
        if here is not None:
            cases[kind][source, here].append(hit)
    for kind, counted in cases.items():
        assert any(any(hits) for hits in counted.values())
        same(found.cells(kind, "persistence"), counted)


def test_reinforcement_counts_each_exposure(found: Scenario) -> None:
    """Of each content: who had seen it how often, step by step."""
    snapshot, shares = found.snapshot, found.shares
    heard: dict[int, list[int]] = defaultdict(list)
    for u, v in zip(
        snapshot.follows.follower.tolist(), snapshot.follows.followee.tolist(), strict=True
    ):
        heard[v].append(u)
    label: Ints = found.partitions.reference
    reached, shared = (defaultdict[tuple[int, bool], int](int) for _ in range(2))
    for content in np.unique(shares.content).tolist():
        mine = shares.content == content
        steps = [int(snapshot.contents.author[content]), *shares.user[mine].tolist()]
        seen: dict[int, int] = {}
        posted: set[int] = set()
        for v in steps:
            if seen.get(v, 0):
                shared[int(label[v]), seen[v] > 1] += 1
            posted.add(v)
            for u in heard[v]:
                if u not in posted:
                    seen[u] = seen.get(u, 0) + 1
                    reached[int(label[u]), seen[u] > 1] += 1
    for c in range(3):
        row = found.rows["community", f"c{c + 1}", f"c{c + 1}", "reinforcement"]
        one, more = ((shared[c, many], reached[c, many]) for many in (False, True))
        ratio = (more[0] / more[1]) / (one[0] / one[1])
        spread = 1.6448536269514722 * np.sqrt(
            (1 - one[0] / one[1]) / one[0] + (1 - more[0] / more[1]) / more[0]
        )
        assert (row["k"], row["n"]) == more
        assert row["value"] == pytest.approx(ratio)
        assert row["low"] == pytest.approx(ratio * np.exp(-spread))
        assert row["high"] == pytest.approx(ratio * np.exp(spread))


def test_breadth_is_the_effective_number_of_sharers(found: Scenario) -> None:
    """One fan who shares everything counts as one."""
    shared: SourceEvents = all_events(found.snapshot, PARAMS)["user"]
    ids = shared.source_id.to_pylist()
    counts: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for source, user in zip(shared.source.tolist(), shared.user.tolist(), strict=True):
        counts[ids[source]][user] += 1
    cells = {s: r for (s, place), r in found.cells("user", "breadth").items() if place is None}
    assert {s: (r["value"], r["k"], r["n"]) for s, r in cells.items()} == {
        s: (
            pytest.approx(sum(by.values()) ** 2 / sum(n * n for n in by.values())),
            float(len(by)),
            float(sum(by.values())),
        )
        for s, by in counts.items()
    }


def test_what_cannot_be_told_says_why(found: Scenario) -> None:
    """A topic owns no account; nothing in it is ever 0 for unknown."""
    rows = [r for key, r in found.rows.items() if key[0] == "hashtag" and key[3] == "two_way"]
    assert rows
    assert {(r["value"], r["low"], r["high"], r["n"], r["reason"]) for r in rows} == {
        (None, None, None, 0.0, "it owns no account")
    }
    for row in found.rows.values():
        assert (row["value"] is None) == (row["reason"] is not None)


def test_a_short_window_says_how_many_days_it_has() -> None:
    """Persistence is unknown, with the number of days; without follows so is reinforcement."""
    tables = {name: rows for name, rows in made().tables.items() if name != "follows"}
    snapshot = assemble(tables)
    at, posted = snapshot.shares.at, snapshot.contents.created_at
    start = posted.min()
    object.__setattr__(snapshot.shares, "at", start + (at - start) // 8)
    object.__setattr__(snapshot.contents, "created_at", start + (posted - start) // 8)
    for part in (snapshot.mentions, snapshot.replies):
        object.__setattr__(part, "at", start + (part.at - start) // 8)
    end = max(int(p.at.max()) for p in (snapshot.shares, snapshot.mentions, snapshot.replies))
    partitions = communities(made(), snapshot)
    table = dimensions(snapshot, partitions, PARAMS, all_events(snapshot, PARAMS))
    rows = [r for r in table.to_pylist() if r["dimension"] in ("persistence", "reinforcement")]
    assert {(r["dimension"], r["value"], r["reason"]) for r in rows} == {
        (
            "persistence",
            None,
            f"needs 14 days after a first share; the data span {(end - start) / DAY:.1f} days",
        ),
        ("reinforcement", None, "needs follows"),
    }
