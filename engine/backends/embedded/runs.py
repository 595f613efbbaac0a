"""Runs: result tables as Parquet, and `run.json` for all that is not a result."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from engine.backends.embedded.durable import replace_json, sync_tree
from engine.backends.embedded.migrations import writer
from engine.contract import RunInfo, RunTables
from engine.errors import StoreDamaged, UsageError
from engine.params import AnalysisParams
from engine.results import RESULTS, empty

__all__ = ["read_info", "run_id", "schema_hash", "write_run"]

_VERSIONED = ("duckdb", "ladybug", "numba", "numpy", "pyarrow", "scipy")


def schema_hash() -> str:
    """Return a short hash of the declared result tables: a run of another one is stale."""
    said = [
        [table.name, list(table.order), [[f.name, str(f.type), f.nullable] for f in table.schema]]
        for table in RESULTS.values()
    ]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()[:16]


def run_id(run: RunTables) -> str:
    """Return the id that follows from the data, the parameters and the version."""
    said = orjson.dumps(
        [run.fingerprint, run.params.model_dump(mode="json"), writer(), schema_hash()],
        option=orjson.OPT_SORT_KEYS,
    )
    return f"r-{hashlib.sha256(said).hexdigest()[:10]}"


def write_run(folder: Path, run: RunTables, batches: Sequence[str]) -> None:
    """Write the result tables and `run.json` into an empty folder.

    The tables hold no clock values, so equal runs are equal bytes. Declared tables that
    the run does not bring are written without rows.
    """
    if unknown := sorted(set(run.tables) - set(RESULTS)):
        raise UsageError(
            "to store the tables of a run",
            f"{', '.join(unknown)} is not declared",
            f"declare it in engine/results.py beside {', '.join(RESULTS)}",
        )
    for name in RESULTS:
        pq.write_table(
            _checked(name, run.tables.get(name)),
            folder / f"{name}.parquet",
            compression="zstd",
            compression_level=1,
        )
    info = {
        "run_id": run_id(run),
        "created_at": datetime.now(UTC).isoformat(),
        "params": run.params.model_dump(mode="json"),
        "fingerprint": run.fingerprint,
        "tier": run.tier,
        "schema": schema_hash(),
        "versions": {"kindred": writer(), **{p: metadata.version(p) for p in _VERSIONED}},
        "timings": {name: float(seconds) for name, seconds in run.timings.items()},
        "counts": {name: int(count) for name, count in run.counts.items()},
        "batches": list(batches),
    }
    replace_json(folder / "run.json", info)
    sync_tree(folder)


def _checked(name: str, table: pa.Table | None) -> pa.Table:
    if table is None:
        return empty(name)
    declared = RESULTS[name].schema
    if table.schema.names != declared.names:
        raise UsageError(
            f"the result table {name} with the columns {', '.join(declared.names)}",
            f"it has {', '.join(table.schema.names)}",
            "build it with engine.results.table",
        )
    return table.cast(declared).combine_chunks()


def read_info(folder: Path, *, active: bool) -> RunInfo:
    """Read `run.json`."""
    try:
        value: Mapping[str, Any] = orjson.loads((folder / "run.json").read_bytes())
        stale = value["schema"] != schema_hash()
        return RunInfo(
            run_id=value["run_id"],
            created_at=datetime.fromisoformat(value["created_at"]),
            active=active,
            stale=stale,
            params=_params(value["params"], lenient=stale),
            fingerprint=value["fingerprint"],
            tier=value["tier"],
            versions=value["versions"],
            timings=value["timings"],
            counts=value["counts"],
            batches=tuple(value["batches"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise StoreDamaged(
            f"the run {folder.name}",
            f"run.json cannot be read ({type(fault).__name__}: {fault})",
            "run: kindred doctor, then kindred analyse",
        ) from fault


def _params(value: Mapping[str, Any], *, lenient: bool) -> AnalysisParams:
    """Read parameters; of a stale run only those that still exist."""
    known = AnalysisParams.model_fields
    kept = {k: v for k, v in value.items() if k in known} if lenient else value
    return AnalysisParams.model_validate(kept)


def as_values(values: Sequence[Any]) -> list[Any]:
    """Return plain Python values: numpy's are refused as parameters."""
    return [v.item() if isinstance(v, np.generic) else v for v in values]
