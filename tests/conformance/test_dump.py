"""dump: what was loaded, as canonical tables that another store takes over."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from engine.assemble import assemble
from engine.model import CANONICAL
from tests.conformance.shelf import LAST, REFUSED, Stock
from tests.engine.backends.worlds import plain


def test_what_was_loaded_comes_out_whole(stock: Stock, tmp_path: Path) -> None:
    loads = stock.store.dump(tmp_path)
    assert [load.report for load in loads] == stock.store.batches()
    assert all(stock.store.knows(load.fingerprint) for load in loads)
    assert [load.fingerprint for load in loads if load.rejects is not None] == [LAST]
    refused = loads[-1].rejects
    assert refused is not None
    assert pq.read_table(refused)["raw"].to_pylist() == REFUSED["raw"]
    tables = {path.stem: pq.read_table(path) for path in tmp_path.glob("*.parquet")}
    assert set(tables) <= set(CANONICAL)
    found, said = plain(assemble(tables)), plain(stock.store.snapshot())
    assert {k for k in said if found[k] != said[k]} == set()
