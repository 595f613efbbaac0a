"""Loading: numbered, de-duplicated, all or nothing, the same in any order."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine.backends.embedded import generations
from engine.backends.embedded.graph_files import GraphFile, all_files
from engine.backends.embedded.store import EmbeddedStore
from engine.contract import Batch
from engine.errors import InputError, UsageError, WrongColumns
from tests.engine.backends.worlds import (
    START,
    World,
    graph,
    load,
    world,
)


def additive(day: int) -> World:
    """A batch that says nothing new of what earlier ones said."""
    at = START + timedelta(days=day)
    return world(
        users=[{"user_id": f"x:new{day}", "handle": f"new{day}", "seen_at": at}],
        content=[{"content_id": f"x:p{day}", "author_id": "x:a", "created_at": at}],
        shares=[
            {"user_id": u, "content_id": f"x:p{day}", "at": at} for u in ("x:b", f"x:new{day}")
        ],
        follows=[{"follower_id": f"x:new{day}", "followee_id": "x:a"}],
        mentions=[{"user_id": "x:b", "target_id": "brand:acme", "at": at}],
        brands=[{"brand_id": "brand:acme", "name": "Acme"}],
        topics=[{"content_id": f"x:p{day}", "kind": "hashtag", "label": "t"}],
    )


def test_a_graph_that_grew_equals_one_built_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: list[int] = []

    def counted(*given: Any) -> list[GraphFile]:
        whole.append(1)
        return all_files(*given)

    monkeypatch.setattr(generations, "all_files", counted)
    with EmbeddedStore.open(tmp_path / "grown") as grown:
        for day in range(3):
            load(grown, additive(day))
        seen_later = {"user_id": "x:a", "name": "Later", "seen_at": START + timedelta(days=9)}
        load(grown, world(users=[seen_later]))
        assert len(whole) == 1
        grew, again = graph(grown), [f for f in grown.doctor(rebuild=True) if not f.ok]
        assert again == []
        assert graph(grown) == grew
        assert ["x:a", "x", None, "Later", None, None, None, None, None, None] in grew["User"]
    assert len(whole) == 2


@pytest.mark.parametrize(
    ("tables", "error", "found"),
    [
        ({"shares": {"user_id": ["a"]}}, WrongColumns, "missing: content_id; unknown: none"),
        (
            {"shares": {"user_id": ["a"], "content_id": ["b"], "colour": ["c"]}},
            WrongColumns,
            "missing: none; unknown: colour",
        ),
        ({"shares": {"user_id": ["a"], "content_id": [None]}}, InputError, "1 rows without one"),
        ({"likes": {"user_id": ["a"]}}, UsageError, "files named likes"),
    ],
)
def test_a_batch_that_is_not_canonical_is_refused_and_leaves_nothing(
    tmp_path: Path,
    tables: dict[str, dict[str, list[str | None]]],
    error: type[InputError | UsageError],
    found: str,
) -> None:
    made = {name: pa.table({c: pa.array(v, pa.string()) for c, v in columns.items()})
            for name, columns in tables.items()}  # fmt: skip
    with EmbeddedStore.open(tmp_path) as store:
        with pytest.raises(error) as refused:
            load(store, made)
        assert refused.value.found == found
        assert store.batches() == []
        assert [*store.layout.log.iterdir(), *store.layout.graph.iterdir()] == []
        assert [*store.layout.staging.iterdir()] == []


def test_a_staging_folder_is_gone_afterwards(tmp_path: Path) -> None:
    with EmbeddedStore.open(tmp_path) as store:
        with store.stage() as folder:
            assert [*folder.iterdir()] == []
            (folder / "x").write_text("x")
        assert [*store.layout.staging.iterdir()] == []


def test_a_read_only_store_refuses_to_write_and_writes_nothing(tmp_path: Path) -> None:
    rows = world(shares=[{"user_id": "x:a", "content_id": "x:1"}])
    with EmbeddedStore.open(tmp_path) as store:
        load(store, rows)
    before = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*"))
    with EmbeddedStore.open(tmp_path, create=False, read_only=True) as store:
        assert store.query("MATCH (u:User) RETURN u.user_id AS id")["id"].to_pylist() == ["x:a"]
        assert sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*")) == before
        with pytest.raises(UsageError, match="read-only"), store.stage():
            pass
        with pytest.raises(UsageError, match="read-only"):
            store.write(Batch("f", "s", "t", tmp_path))
