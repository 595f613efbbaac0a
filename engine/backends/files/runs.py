"""Runs: result tables as Parquet, and `run.json` for all that is not a result."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from engine.backends.files.durable import replace_json, sync_tree
from engine.backends.files.version import writer
from engine.contract import RunInfo, RunTables
from engine.errors import NotFound, StoreDamaged, UsageError
from engine.params import AnalysisParams
from engine.results import RESULTS, empty

__all__ = [
    "RECORD",
    "as_values",
    "info_of",
    "missing_run",
    "read_info",
    "run_id",
    "schema_hash",
    "write_run",
]

RECORD: Final = "run.json"
"""The file of all that is not a result: parameters, versions, timings."""

_VERSIONED = ("duckdb", "numba", "numpy", "pyarrow", "scipy")


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


def write_run(
    folder: Path, run: RunTables, batches: Sequence[str], graph: Mapping[str, str]
) -> None:
    """Write the result tables and `run.json` into an empty folder.

    The tables hold no clock values, so equal runs are equal bytes. Declared tables that
    the run does not bring are written without rows.

    Parameters
    ----------
    folder
        Where to.
    run
        The answer of an analysis.
    batches
        Ids of the batches it saw.
    graph
        What keeps the graph, and its version: part of the record, not of the run's id.
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
        "versions": {"kindred": writer(), **_versions({**graph, **run.versions})},
        "timings": {name: float(seconds) for name, seconds in run.timings.items()},
        "counts": {name: int(count) for name, count in run.counts.items()},
        "batches": list(batches),
    }
    replace_json(folder / RECORD, info)
    sync_tree(folder)


def _versions(graph: Mapping[str, str]) -> dict[str, str]:
    found = {package: metadata.version(package) for package in _VERSIONED}
    return dict(sorted((found | dict(graph)).items()))


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
    """Read the `run.json` of a run's folder; see `info_of`."""
    try:
        said = (folder / RECORD).read_bytes()
    except OSError as fault:
        raise _unreadable(folder.name, fault) from fault
    return info_of(said, folder.name, active=active)


def info_of(said: bytes | str, run: str, *, active: bool) -> RunInfo:
    """Return what `run.json` says.

    Raises
    ------
    StoreDamaged
        If it is not what `write_run` writes; `run` is named then.
    """
    try:
        value: Mapping[str, Any] = orjson.loads(said)
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
    except (ValueError, KeyError, TypeError) as fault:
        raise _unreadable(run, fault) from fault


def _unreadable(run: str, fault: Exception) -> StoreDamaged:
    return StoreDamaged(
        f"the run {run}",
        f"{RECORD} cannot be read ({type(fault).__name__}: {fault})",
        "run: kindred doctor, then kindred analyse",
    )


def missing_run(run_id: str | None, known: Sequence[str]) -> NotFound:
    """Return the error for a run that is not there, or none being active.

    Parameters
    ----------
    run_id
        The run asked for, None for the active one.
    known
        The runs there are, oldest first.
    """
    return NotFound(
        f"the run {run_id}" if run_id is not None else "the results of an analysis",
        f"the store has {', '.join(known[-5:]) or 'no runs yet'}",
        "choose one with: kindred runs" if known else "run: kindred analyse",
    )


def _params(value: Mapping[str, Any], *, lenient: bool) -> AnalysisParams:
    """Read parameters; of a stale run only those that still exist.

    Runs from before there was another engine were made by kindred's own kernels.
    """
    known = AnalysisParams.model_fields
    kept = {k: v for k, v in value.items() if k in known} if lenient else value
    return AnalysisParams.model_validate({"engine": "local", **kept})


def as_values(values: Sequence[Any]) -> list[Any]:
    """Return plain Python values: numpy's are refused as parameters."""
    return [v.item() if isinstance(v, np.generic) else v for v in values]
