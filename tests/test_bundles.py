"""A bundle names nobody, is computed again to the last digit, and is read as from a stranger."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import kindred
from engine.assemble import assemble
from engine.pseudonyms import Pseudonyms, hushed, merged
from engine.results import RESULTS
from kindred import bundling, replaying
from kindred.cli import main
from tests.engine.backends.worlds import random_batch

QUICK: dict[str, Any] = {"folds": 2, "rewirings": 0, "ensemble": 0, "split": None}


@pytest.fixture(scope="module")
def k(small_export: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[kindred.Kindred]:
    """A store whose texts, handles and names could be told again anywhere."""
    folder = tmp_path_factory.mktemp("bundles")
    export = folder / "export"
    shutil.copytree(small_export, export)
    lines = (export / "content.csv").read_text("utf-8").splitlines()
    texts = ["text", *(f"what secret{n} said" for n in range(len(lines) - 1))]
    (export / "content.csv").write_text(
        "".join(f"{a},{b}\n" for a, b in zip(lines, texts, strict=True)), "utf-8"
    )
    (export / "topics.csv").write_text(
        "content_id,kind,label\nx:p1,url,https://x.com/u003/status/1\nx:p2,hashtag,open\n", "utf-8"
    )
    (export / "replies.csv").write_text(
        "user_id,parent_content_id,content_id,at\nx:u003,x:p1,x:p2,2021-09-09T00:00:00Z\n", "utf-8"
    )
    (export / "mentions.csv").write_text(
        "user_id,target_id,at\nx:u003,x:@u004,2021-09-09T00:00:00Z\n", "utf-8"
    )
    with kindred.connect(folder / "store") as opened:
        opened.load(export)
        opened.analyse(**QUICK)
        yield opened


@pytest.fixture(scope="module")
def paper(k: kindred.Kindred, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("paper") / "paper.zip"
    k.bundle(path=path)
    return path


def files(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def test_what_is_in_it(k: kindred.Kindred, paper: Path) -> None:
    found = files(paper)
    assert {f"tables/{name}.parquet" for name in RESULTS} <= set(found)
    assert {"METHODS.md", "CITATION.cff", "citation.bib", "figures/quadrants.svg"} <= set(found)
    manifest = orjson.loads(found["manifest.json"])
    run = k.backend.run()
    assert manifest["of_run"] == run.run_id != manifest["run_id"]
    assert manifest["of_fingerprint"] == run.fingerprint != manifest["fingerprint"]
    assert manifest["params"]["seed"] == run.params.seed
    (load,) = manifest["inputs"]
    assert load["fingerprint"].startswith(k.backend.batches()[0].batch_id.split("-")[1])
    text = found["METHODS.md"].decode()
    for said in (run.run_id, manifest["run_id"], manifest["fingerprint"], "pseudonyms"):
        assert said in text
    assert all(note["text"] in text for note in _table(found, "notes").to_pylist())


def _table(found: dict[str, bytes], name: str) -> pa.Table:
    return pq.read_table(io.BytesIO(found[f"tables/{name}.parquet"]))


def test_figures_of_a_run_that_was_calibrated(small_store: Path) -> None:
    with kindred.connect(small_store, create=False) as k:
        tables = {name: k.backend.read(name) for name in RESULTS}
        found = dict(bundling._figures(k.backend.run(), tables))
    assert set(found) == {"figures/quadrants.svg", "figures/calibration_user.svg"}
    assert all(drawn.startswith(b"<svg") for drawn in found.values())


def test_nobody_is_named(paper: Path) -> None:
    for name, content in files(paper).items():
        plain = content
        if name.endswith(".parquet"):
            rows = pq.read_table(io.BytesIO(content))
            plain = repr(rows.to_pylist()).encode()
        for told in (b"x:u003", b"u003", b"x:p1'", b"Person 3", b"secret", b"status/1", b"onerror"):
            assert told not in plain, name
    data = pq.read_table(io.BytesIO(files(paper)["data/content.parquet"]))
    lengths = sorted(len(text) for text in data["text"].to_pylist())
    assert lengths == sorted(len(f"what secret{n} said") for n in range(600))


def test_communities_are_those_of_the_run(k: kindred.Kindred, paper: Path) -> None:
    rows = k.communities().to_dicts()
    mine = sorted(row["member_count"] for row in rows)
    found = files(paper)
    communities = [row for row in _table(found, "communities").to_pylist() if row["level"] == 1]
    assert sorted(row["member_count"] for row in communities) == mine
    beside = found["csv/of_run.csv"].decode().splitlines()
    assert len(beside) == 1 + len(mine)
    assert all(f'"{row["community_id"]}"' in found["csv/of_run.csv"].decode() for row in rows)


def test_every_table_comes_out_the_same(paper: Path) -> None:
    found = kindred.Kindred.replay(paper).to_dicts()
    assert {row["table"] for row in found} == set(RESULTS)
    assert [row for row in found if not row["same"]] == []
    assert next(row for row in found if row["table"] == "scores")["rows"] > 100


def test_with_handles_it_is_the_run_itself(k: kindred.Kindred, tmp_path: Path) -> None:
    k.bundle(path=tmp_path / "own.zip", handles=True)
    manifest = orjson.loads(files(tmp_path / "own.zip")["manifest.json"])
    run = k.backend.run()
    assert (manifest["fingerprint"], manifest["run_id"]) == (run.fingerprint, run.run_id)
    for name in RESULTS:
        kept = _table(files(tmp_path / "own.zip"), name)
        assert kept.equals(k.backend.read(name).cast(kept.schema)), name
    assert (
        b"secret"
        not in repr(
            pq.read_table(
                io.BytesIO(files(tmp_path / "own.zip")["data/content.parquet"])
            ).to_pylist()
        ).encode()
    )


def rewritten(
    paper: Path, path: Path, change: Callable[[dict[str, bytes]], None], *, sums: bool = True
) -> Path:
    """Write a bundle again with other content; with `sums` its manifest agrees."""
    import hashlib

    found = files(paper)
    change(found)
    if sums:
        manifest = orjson.loads(found["manifest.json"])
        manifest["files"] = {
            name: hashlib.sha256(content).hexdigest()
            for name, content in found.items()
            if name != "manifest.json"
        }
        found["manifest.json"] = orjson.dumps(manifest)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in found.items():
            bundle.writestr(name, content)
    return path


def test_a_table_that_differs_is_named_with_its_first_row(
    paper: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def other(found: dict[str, bytes]) -> None:
        rows = _table(found, "authority")
        values = rows["percentile"].to_pylist()
        values[6] += 1.0
        at = rows.schema.get_field_index("percentile")
        rows = rows.set_column(at, rows.schema.field(at), [pa.array(values)])
        out = io.BytesIO()
        pq.write_table(rows, out)
        found["tables/authority.parquet"] = out.getvalue()

    path = rewritten(paper, tmp_path / "other.zip", other)
    assert main(["replay", str(path), "--format", "json"]) == 1
    rows = {row["table"]: row for row in orjson.loads(capfd.readouterr().out)}
    assert [name for name, row in rows.items() if not row["same"]] == ["authority"]
    assert rows["authority"]["difference"].startswith("row 7, percentile: ")


def _truncate(found: dict[str, bytes]) -> None:
    found["data/shares.parquet"] = found["data/shares.parquet"][:100]


def _alien(found: dict[str, bytes]) -> None:
    found["data/passwd.parquet"] = b"x"


def _climb(found: dict[str, bytes]) -> None:
    found["../evil.parquet"] = b"x"


def _drop(found: dict[str, bytes]) -> None:
    del found["data/users.parquet"]


def _nameless(found: dict[str, bytes]) -> None:
    rows = pq.read_table(io.BytesIO(found["data/shares.parquet"]))
    nulls = pa.chunked_array([pa.nulls(rows.num_rows, pa.string())])
    out = io.BytesIO()
    pq.write_table(rows.set_column(0, "user_id", nulls), out)
    found["data/shares.parquet"] = out.getvalue()


def _newer(found: dict[str, bytes]) -> None:
    manifest = orjson.loads(found["manifest.json"])
    found["manifest.json"] = orjson.dumps(manifest | {"format": 99})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_truncate, "data/shares.parquet cannot be read"),
        (_alien, "does not hold the tables it lists"),
        (_climb, "which no bundle does"),
        (_drop, "does not hold the tables it lists"),
        (_nameless, "has rows without user_id"),
        (_newer, "is of format 99"),
    ],
)
def test_what_is_no_bundle_is_refused(
    paper: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], said: str
) -> None:
    path = rewritten(paper, tmp_path / "evil.zip", change)
    with pytest.raises(kindred.InputError, match=said):
        kindred.Kindred.replay(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["evil.zip"]


def test_a_file_that_was_changed_is_refused(paper: Path, tmp_path: Path) -> None:
    def change(found: dict[str, bytes]) -> None:
        found["tables/scores.parquet"] = found["tables/scores.parquet"] + b" "

    path = rewritten(paper, tmp_path / "evil.zip", change, sums=False)
    with pytest.raises(kindred.InputError, match="is not as it was written"):
        kindred.Kindred.replay(path)


def test_a_bundle_that_unpacks_too_far_is_refused(
    paper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "MOST_BYTES", 10_000)
    with pytest.raises(kindred.InputError, match="at most 10,000 are read"):
        kindred.Kindred.replay(paper)
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(kindred.InputError, match="not a zip"):
        kindred.Kindred.replay(tmp_path / "text.zip")


def test_a_bundle_takes_no_other_files_place(k: kindred.Kindred, paper: Path) -> None:
    before = paper.read_bytes()
    with pytest.raises(kindred.UsageError, match="there already"):
        k.bundle(path=paper)
    assert paper.read_bytes() == before
    assert [p.name for p in paper.parent.iterdir()] == ["paper.zip"]


@pytest.mark.parametrize("seed", range(8))
def test_pseudonyms_change_nothing_but_names(seed: int) -> None:
    tables = merged(random_batch(seed))
    plain = assemble(hushed(tables))
    named = assemble(Pseudonyms(tables, b"key").of(tables))
    assert len(named.users) == len(plain.users)
    assert len(named.contents) == len(plain.contents)
    for name in ("shares", "mentions", "replies", "reactions", "follows", "interactions"):
        one, other = getattr(named, name), getattr(plain, name)
        for column in one.__slots__:
            if column in {"at", "kind", "weight"}:
                values = (sorted(getattr(rows, column).tolist()) for rows in (one, other))
                assert next(values) == next(values), (name, column)
    assert named.brands.brand_id.equals(plain.brands.brand_id)
    for column in ("mention_brand", "account_brand", "domain_brand"):
        one, other = getattr(named.brands, column), getattr(plain.brands, column)
        assert one.tolist() == other.tolist()


def degrees(values: Any) -> list[int]:
    """How often each thing occurs, whatever it is called."""
    return sorted(values.value_counts().field("counts").to_pylist())


@pytest.mark.parametrize("seed", range(8))
def test_the_same_account_has_the_same_pseudonym_everywhere(seed: int) -> None:
    tables = merged(random_batch(seed))
    found = Pseudonyms(tables, b"key").of(tables)
    for name, column in (("shares", "content_id"), ("replies", "parent_content_id")):
        if name in tables and tables[name].num_rows:
            assert degrees(found[name][column]) == degrees(tables[name][column])
    other = Pseudonyms(tables, b"other").of(tables)
    if tables["users"].num_rows:
        assert not set(found["users"]["user_id"].to_pylist()) & set(
            other["users"]["user_id"].to_pylist()
        )
