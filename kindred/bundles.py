"""What is in a bundle, and how the run in it is computed: by who writes one and who replays it.

A bundle is a zip: `manifest.json`, the canonical data (`data/`), the result tables (`tables/`,
Parquet; the main ones also as csv), `figures/`, and text about how it was made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field

from engine.connect import connect
from engine.contract import Batch, RunInfo
from engine.params import AnalysisParams
from engine.progress import Progress, silent
from engine.results import RESULTS
from engine.verbs import analyse

__all__ = ["FORMAT", "MANIFEST", "Input", "Manifest", "Table", "computed", "digest"]

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"


class Input(BaseModel):
    """A load that the data came from."""

    model_config = ConfigDict(extra="forbid")

    fingerprint: str = Field(description="hash of what was loaded, and of how it was read")
    format: str
    rows: dict[str, int]
    rejected: dict[str, int] = Field(description="rows that were refused, by reason")
    source: dict[str, Any] = Field(description="title and licence, where the data say so")


class Table(BaseModel):
    """A table: how many rows, and a hash of what they say."""

    model_config = ConfigDict(extra="forbid")

    rows: int
    digest: str


class Manifest(BaseModel):
    """What a bundle is, and what it must give again."""

    model_config = ConfigDict(extra="forbid")

    format: int
    run_id: str = Field(description="the run in the bundle")
    of_run: str = Field(description="the run it was made from")
    pseudonyms: bool = Field(description="whether accounts and contents go by pseudonyms")
    params: AnalysisParams
    fingerprint: str = Field(description="hash of the data in the bundle")
    of_fingerprint: str = Field(description="hash of the data of the run it was made from")
    versions: dict[str, str]
    inputs: list[Input]
    data: dict[str, Table]
    tables: dict[str, Table]
    files: dict[str, str] = Field(description="SHA-256 of every other file")


def digest(table: pa.Table) -> str:
    """Hash what a table says: its columns, their types, and the values in their order.

    Examples
    --------
    >>> whole = pa.table({"a": [1, 2, 3]})
    >>> parts = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    >>> digest(whole) == digest(parts), digest(whole) == digest(whole.slice(1))
    (True, False)
    """
    found = hashlib.sha256()
    # Buffers of equal columns may differ in offset and padding: they are built anew.
    plain = table.combine_chunks().take(pa.array(np.arange(table.num_rows)))
    for name in plain.column_names:
        column = plain[name].combine_chunks()
        sink = pa.BufferOutputStream()
        schema = pa.schema([pa.field(name, column.type)])
        with pa.ipc.new_stream(sink, schema) as stream:
            stream.write_batch(pa.record_batch([column], schema=schema))
        found.update(sink.getvalue().to_pybytes())
    return found.hexdigest()


def computed(
    data: Mapping[str, pa.Table],
    params: AnalysisParams,
    source: Mapping[str, Any],
    room: Path,
    progress: Progress = silent,
) -> tuple[RunInfo, dict[str, pa.Table]]:
    """Analyse canonical tables in a store of their own, and return the run and its tables.

    Parameters
    ----------
    data
        Canonical tables.
    params
        The options of the run.
    source
        What the data say of themselves.
    room
        A folder for the store, empty.
    """
    mark = hashlib.sha256("".join(digest(data[name]) for name in sorted(data)).encode())
    with connect(room / "store") as store:
        with store.stage() as folder:
            for name, rows in data.items():
                pq.write_table(rows, folder / f"{name}.parquet")
            options = {"source": dict(source)} if source else {}
            batch = Batch(mark.hexdigest(), "bundle", "canonical", folder, options)
            store.write(batch, progress)
        run = analyse(store, params, progress)
        return run, {name: store.read(name, run_id=run.run_id) for name in RESULTS}
