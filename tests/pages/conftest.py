"""Stores whose runs are written down here, so that every page has something to show.

Names in them are attacks: on HTML, on attributes, on scripts, on templates, on tooltips.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from engine.connect import connect
from engine.contract import Backend, RunTables
from engine.params import AnalysisParams
from engine.results import table
from loaders.run import load
from viz.view import write_pages

HOSTILE = (
    "</script><img src=x onerror=window.pwned=1>",
    '" onmouseover="window.pwned=1',
    "javascript:window.pwned=1",
    '<a href="javascript:window.pwned=1">href</a>',
    "{{7*7}}${window.pwned=1}",
    "--><svg/onload=window.pwned=1>",
    "'];window.pwned=1;//",
    "https://tracker.example/pixel.png?href=1",
)

Columns = dict[str, list[object]]

SIZES = (40, 24, 16)
POSTED = datetime(2024, 5, 4, 9, 30, tzinfo=UTC)


def _name(i: int) -> str:
    return HOSTILE[i] if i < len(HOSTILE) else f"Person {i}"


def _members() -> list[tuple[str, str]]:
    return [
        (f"x:u{sum(SIZES[:c]) + i}", f"c{c + 1}") for c, n in enumerate(SIZES) for i in range(n)
    ]


def _export(folder: Path, *, made: bool, shares: bool) -> Path:
    folder.mkdir(parents=True)
    people = len(_members())

    def write(name: str, header: list[str], rows: list[list[object]]) -> None:
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)

    write(
        "users",
        ["user_id", "handle", "name", "followers_count"],
        [[f"x:u{i}", f"handle{i}", _name(i), 40 + i * i] for i in range(people)],
    )
    if shares:
        write(
            "content",
            ["content_id", "author_id", "created_at", "text"],
            [[f"x:p{i}", "x:u0", POSTED.isoformat(), HOSTILE[i]] for i in range(3)],
        )
        write("shares", ["user_id", "content_id", "at"], [["x:u1", "x:p0", POSTED.isoformat()]])
    else:
        write(
            "interactions",
            ["user_id", "target_id", "kind"],
            [[f"x:u{i}", "x:u0", "unknown"] for i in range(1, people)],
        )
    (folder / "source.toml").write_text(
        f"title = '{HOSTILE[0]}'\nlicence = 'CC0 1.0'\nnote = '{HOSTILE[3]}'\n"
        f"made = {str(made).lower()}\n",
        encoding="utf-8",
    )
    return folder


def _communities(tier: str | None) -> Columns:
    n = len(SIZES)
    score = [None] * n if tier is None else [44.0, 21.0, 12.0]
    return {
        "community_id": ["c1", "c2", "c3"],
        "level": [1] * n,
        "label": [HOSTILE[0], HOSTILE[3], "third"],
        "kind": ["mainstream", "community", "fringe"],
        "member_count": list(SIZES),
        "share_count": [0 if tier is None else 9 * s for s in SIZES],
        "inside_share": [0.8, 0.6, 0.05],
        "verdict": ["kindred", "not_kindred", "undetermined"],
        "q_value": [0.01, 0.6, None],
        "platforms": [[{"platform": "x", "share": 1.0}]] * n,
        "top_sources": [[HOSTILE[1], "b"], [], []],
        "traits": [[{"label": HOSTILE[2], "share": 0.4}], [], []],
        "resonance": list(score),
        "resonance_low": [None if s is None else s - 9 for s in score],
        "resonance_high": [None if s is None else s + 9 for s in score],
        "tier": [tier] * n,
        "flags": [[]] * n,
    }


def _links() -> Columns:
    pairs = [(a, b) for a in (1, 2, 3) for b in (1, 2, 3)]
    return {
        "community_id": [f"c{a}" for a, _ in pairs],
        "other_id": [f"c{b}" for _, b in pairs],
        "tie_count": [90 if a == b else 10 * min(a, b) for a, b in pairs],
        "weight": [90.0 if a == b else 10.0 * min(a, b) for a, b in pairs],
        "lift": [3.0 if a == b else 0.3 * min(a, b) for a, b in pairs],
    }


def _ties() -> Columns:
    found: Columns = {"community_id": [], "user_id": [], "other_id": [], "weight": []}
    members = _members()
    for community in ("c1", "c2", "c3"):
        inside = [u for u, c in members if c == community]
        for i, user in enumerate(inside):
            for step in (1, 3):
                found["community_id"].append(community)
                found["user_id"].append(user)
                found["other_id"].append(inside[(i + step) % len(inside)])
                found["weight"].append(1.0 + i % 4)
    return found


def _authority() -> Columns:
    found: Columns = {
        "user_id": [], "community_id": [], "authority": [], "percentile": [], "rank": [],
        "method": [],
    }  # fmt: skip
    members = _members()
    for community in (None, "c1", "c2", "c3"):
        inside = [u for u, c in members if community in (None, c)]
        for rank, user in enumerate(inside, start=1):
            found["user_id"].append(user)
            found["community_id"].append(community)
            found["authority"].append(1.0 / rank)
            found["percentile"].append(100 * (1 - (rank - 0.5) / len(inside)))
            found["rank"].append(rank)
            found["method"].append("pagerank")
    return found


def _influence(tier: str | None) -> Columns:
    members = _members()
    found: Columns = {
        "source_kind": ["user"] * len(members),
        "source_id": [u for u, _ in members],
        "label": [_name(i) for i in range(len(members))],
        "community_id": [c for _, c in members],
        "followers_count": [40 + i * i for i in range(len(members))],
        "attention_count": [3 + (i * 7) % 30 for i in range(len(members))],
        "attention_inside_count": [2 for _ in members],
        "attention_across_count": [1 + (i * 7) % 30 for i in range(len(members))],
        "influence": [100 * (i + 0.5) / len(members) for i in range(len(members))],
        "influence_basis": ["attention_count"] * len(members),
    }
    if tier is not None:
        brands = len(HOSTILE) + 12
        found["source_kind"] += ["brand"] * brands
        found["source_id"] += [f"brand:{i}" for i in range(brands)]
        found["label"] += [_name(i) if i < len(HOSTILE) else f"Brand {i}" for i in range(brands)]
        for column in ("community_id", "followers_count", "attention_inside_count",
                       "attention_across_count"):  # fmt: skip
            found[column] += [None] * brands
        found["attention_count"] += [0] * brands
        found["influence"] += [100 * (i + 0.5) / brands for i in range(brands)]
        found["influence_basis"] += ["share_count"] * brands
    for column in ("content_count", "share_count", "sharer_count", "repeat_count"):
        found[column] = [0 if tier is None else 5] * len(found["label"])
    return found


def _scores(tier: str) -> Columns:
    found: Columns = {
        name: []
        for name in (
            "source_kind", "source_id", "community_id", "observed", "expected", "lift",
            "resonance", "resonance_low", "resonance_high", "influence", "quadrant", "tier",
            "flags",
        )
    }  # fmt: skip
    brands = len(HOSTILE) + 12
    for community in (None, "c1", "c2"):
        for i in range(brands):
            low, influence = (i * 37) % 90, 100 * (i + 0.5) / brands
            wide = 6.0 if i % 3 else 30.0
            loud = influence >= 80
            if low >= 25:
                quadrant = "leader" if loud else "gem"
            elif low + wide < 25:
                quadrant = "broadcaster" if loud else "background"
            else:
                quadrant = "undetermined"
            row = {
                "source_kind": "brand", "source_id": f"brand:{i}", "community_id": community,
                "observed": 60.0 + i, "expected": 20.0, "lift": 2.0,
                "resonance": low + wide / 2, "resonance_low": float(low),
                "resonance_high": min(low + wide, 99.0), "influence": influence,
                "quadrant": quadrant, "tier": tier,
                "flags": ["own_audience"] if i == 5 else [],
            }  # fmt: skip
            for name, value in row.items():
                found[name].append(value)
    return found


def _cascades() -> tuple[Columns, Columns]:
    """A tree of 60 with crossings, a share whose parent is unknown, and a star without parents."""
    members = dict(_members())
    people = list(members)
    edges: Columns = {
        "content_id": [], "user_id": [], "parent_user_id": [], "at": [], "depth": [],
        "community_id": [], "parent_method": [],
    }  # fmt: skip

    def add(content: str, i: int, parent: int | None, depth: int | None, method: str) -> None:
        row = (content, people[i], None if parent is None else people[parent],
               POSTED + timedelta(minutes=7 * i), depth, members[people[i]], method)  # fmt: skip
        for name, value in zip(edges, row, strict=True):
            edges[name].append(value)

    depth = {0: 0}
    for i in range(1, 60):
        parent = (i - 1) // 2
        depth[i] = depth[parent] + 1
        add("x:p0", i, parent, depth[i], "root" if parent == 0 else "via")
    add("x:p0", 60, None, None, "unknown")
    for i in range(1, 30):
        add("x:p1", i, None, None, "unknown")
    deep = depth[59]
    cascades: Columns = {
        "content_id": ["x:p0", "x:p1"],
        "author_id": ["x:u0", "x:u0"],
        "community_id": ["c1", "c1"],
        "share_count": [60, 29],
        "parent_method": ["mixed", "unknown"],
        "parent_known_share": [59 / 60, 0.0],
        "parent_inferred_share": [0.0, 0.0],
        "missing_parent_count": [1, 0],
        "depth_max": [deep, None],
        "depth_mean": [4.0, None],
        "breadth_max": [29, None],
        "structural_virality": [7.0, None],
        "cross_community_hops": [20, None],
        "communities_count": [2, 1],
        "home_share": [0.6, 1.0],
        "early_communities_count": [2, 1],
        "half_life_seconds": [9_000.0, 6_000.0],
        "flags": [["clamped"], []],
    }
    return cascades, edges


def _calibration() -> tuple[Columns, Columns]:
    bins: Columns = {
        name: []
        for name in (
            "source_kind", "method", "bin", "predicted", "realised", "realised_low",
            "realised_high", "cell_count", "future_count",
        )
    }  # fmt: skip
    for method, slope in (("crossfit", 0.9), ("naive", 0.4)):
        for i, lift in enumerate((0.3, 1.0, 3.0, 9.0)):
            row = ("brand", method, i, lift, lift**slope, 0.8 * lift**slope, 1.2 * lift**slope,
                   40, 300)  # fmt: skip
            for name, value in zip(bins, row, strict=True):
                bins[name].append(value)
    calibration: Columns = {
        "source_kind": ["brand"],
        "method": ["crossfit"],
        "verdict": ["green"],
        "reason": [""],
        "slope": [0.9],
        "slope_low": [0.8],
        "slope_high": [1.0],
        "train_count": [3_000],
        "future_count": [1_200],
        "cell_count": [160],
        "lost_share": [0.3],
    }
    return calibration, bins


def _run(tier: str | None) -> RunTables:
    columns: dict[str, Columns] = {
        "communities": _communities(tier),
        "links": _links(),
        "ties": _ties(),
        "authority": _authority(),
        "influence": _influence(tier),
        "memberships": {
            "user_id": [u for u, _ in _members()],
            "community_id": [c for _, c in _members()],
            "level": [1] * sum(SIZES),
        },
        "notes": {"number": [1], "topic": ["ties"], "text": [HOSTILE[0]]},
    }
    if tier is not None:
        columns["scores"] = _scores(tier)
        columns["cascades"], columns["cascade_edges"] = _cascades()
        columns["calibration"], columns["calibration_bins"] = _calibration()
    tables: dict[str, pa.Table] = {name: table(name, c) for name, c in columns.items()}
    return RunTables(AnalysisParams(), "0123456789abcdef", tier, tables, {}, {})


def _store(folder: Path, tier: str | None) -> Backend:
    backend = connect(folder / "store")
    load(backend, _export(folder / "export", made=tier is not None, shares=tier is not None))
    backend.publish(_run(tier))
    return backend


@pytest.fixture(scope="session")
def affinity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A made world with scores of tier affinity."""
    with _store(tmp_path_factory.mktemp("affinity"), "affinity") as backend:
        yield backend


@pytest.fixture(scope="session")
def attention(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Interactions of unknown kind only: nothing is scored."""
    with _store(tmp_path_factory.mktemp("attention"), None) as backend:
        yield backend


@pytest.fixture(scope="session")
def resonance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """The same world, scored with exposure by follows."""
    with _store(tmp_path_factory.mktemp("follows"), "follows") as backend:
        yield backend


@pytest.fixture(scope="session")
def folders(
    affinity: Backend, attention: Backend, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The pages of both, as files."""
    out = tmp_path_factory.mktemp("pages")
    for name, backend in (("affinity", affinity), ("attention", attention)):
        write_pages(backend, out / name)
    return {"affinity": out / "affinity", "attention": out / "attention"}


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's Chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium on this machine")
