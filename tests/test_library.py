"""The library: `import kindred`, and what its answers can do."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import kindred


@pytest.fixture(scope="module")
def k(small_store: Path) -> kindred.Kindred:
    return kindred.connect(small_store, create=False)


def test_the_way_of_the_readme(small_export: Path, tmp_path: Path) -> None:
    with kindred.connect(tmp_path / "store") as k:
        loaded = k.load(small_export)
        run = k.analyse(seed=2, rewirings=0, ensemble=0, split=None)
        scores = k.scores(community="c1").to_pandas()
    assert {r["table"]: r["rows"] for r in loaded if r["table"]} == {
        "users": 120,
        "content": 600,
        "shares": 4_200,
    }
    assert [(r["reason"], r["rows"]) for r in loaded if not r["table"]] == [("time", 1)]
    assert run.run_id
    assert set(scores.community_id) == {"c1"}
    assert scores.resonance_low.is_monotonic_decreasing


def test_an_answer_names_its_run(k: kindred.Kindred) -> None:
    active = next(row["run_id"] for row in k.runs() if row["active"])
    for result in (k.communities(), k.members("c1"), k.scores(), k.influence(), k.cascades()):
        assert result.run_id == active
        assert result.tier == "affinity"
        assert len(result) == result.to_arrow().num_rows == len(result.to_pandas())
        assert result.columns == list(result.to_pandas().columns)


def test_a_run_by_name(k: kindred.Kindred) -> None:
    run = k.runs().to_dicts()[0]["run_id"]
    assert k.scores(run=run).to_arrow().equals(k.scores().to_arrow())
    with pytest.raises(kindred.NotFound):
        k.scores(run="r-none")


def test_shown_in_a_notebook(k: kindred.Kindred) -> None:
    text = repr(k.scores(limit=15))
    assert text.startswith("affinity (exposure unknown), lower bound: 15 rows, run r-")
    assert text.endswith("... 5 more")
    result = k.influence("x:u007")
    assert "\x1b" not in repr(result)
    assert "<img" not in result._repr_html_()
    assert "&lt;img" in result._repr_html_()
    assert repr(k).startswith("Kindred(1 loads, active run: r-")


def test_one_brand_or_source(k: kindred.Kindred) -> None:
    assert set(k.scores("u003").to_pandas().source_id) == {"x:u003"}
    assert set(k.scores("@U003").to_pandas().source_id) == {"x:u003"}
    assert set(k.resonance("PERSON 3", overall=True).to_pandas().source_id) == {"x:u003"}
    with pytest.raises(kindred.NotFound, match="acme"):
        k.scores(brand="acme")


@pytest.mark.parametrize(
    "options", [{"folds": 1}, {"colour": "red"}, {"seed": "x"}, {"split": 1.5}, {"ties": ("love",)}]
)
def test_options_that_are_not_allowed(k: kindred.Kindred, options: dict[str, Any]) -> None:
    with pytest.raises(kindred.UsageError, match=next(iter(options))):
        k.analyse(**options)


def test_params_and_options_join(small_store: Path, tmp_path: Path) -> None:
    shutil.copytree(small_store, tmp_path / "store")
    params = kindred.AnalysisParams(seed=4, rewirings=0, ensemble=0, split=None)
    with kindred.connect(tmp_path / "store") as k:
        before = k.backend.run().run_id
        row = k.analyze(params, folds=3).to_dicts()[0]
    assert kindred.AnalysisParams.model_validate_json(row["params"]) == params.model_copy(
        update={"folds": 3, "engine": "local", "continues": before}
    )


def test_settings_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, small_store: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("KINDRED_STORE", str(small_store))
    with kindred.connect(create=False) as k:
        assert len(k.runs()) == 1
    monkeypatch.setenv("KINDRED_STORE", "")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kindred.StoreMissing):
        kindred.connect(create=False)


def test_formats_are_described() -> None:
    rows = kindred.Kindred.formats().to_dicts()
    assert {"canonical", "coortweet", "edges"} <= {row["name"] for row in rows}
    assert all(row["about"] and row["told_by"] and row["cannot_say"] for row in rows)
