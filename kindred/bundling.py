"""`bundle`: a run as one file that a paper can name and a reader can compute again."""

from __future__ import annotations

import hashlib
import io
import secrets
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.contract import Backend, Loaded, RunInfo
from engine.errors import UsageError
from engine.model import CANONICAL
from engine.overlap import Places, communities
from engine.progress import Progress, silent
from engine.pseudonyms import Pseudonyms, hushed, merged
from engine.scene import scene
from kindred.bundles import FORMAT, MANIFEST, Input, Manifest, Table, computed, digest
from kindred.methods import citation_bib, citation_cff, methods
from kindred.writing import whole, write
from viz.charts import calibration, quadrants, svg

__all__ = ["MAIN", "write_bundle"]

MAIN: Final = ("communities", "scores", "influence", "calibration", "notes", "reach", "scorecard")
"""Tables that stand there as csv too."""
_POINTS: Final = 2_000
"""Sources in the figure of quadrants at most."""

Files = dict[str, bytes]
Tables = Mapping[str, pa.Table]


def write_bundle(
    backend: Backend,
    run_id: str | None,
    path: Path,
    *,
    handles: bool = False,
    force: bool = False,
    progress: Progress = silent,
) -> pa.Table:
    """Write a bundle of a run, and return its files.

    The run is computed again, on the data as the bundle holds them: under pseudonyms folds
    are others than in the store, so that only what is computed under them can be replayed.

    Parameters
    ----------
    backend, run_id
        The store and the run; by default the active one.
    path
        The zip.
    handles
        Keep the ids of accounts and contents.
    force
        Replace a file that is there.

    Returns
    -------
    pa.Table
        `file`, `bytes` and `sha256` of each file in it.

    Raises
    ------
    UsageError
        If the file is there, the store holds other data than the run saw, or keeps no copy of
        what it was given.

    Notes
    -----
    Costs an analysis, in a store of its own that is gone afterwards.
    """
    run = scene(backend, run_id).run
    with whole(path, force=force) as stream, TemporaryDirectory(dir=path.parent) as room:
        loads, tables = _loaded(backend, Path(room) / "dump")
        names = None if handles else Pseudonyms(tables, secrets.token_bytes(32))
        data = _ordered(hushed(tables) if names is None else names.of(tables))
        params = run.params.model_copy(update={"continues": "none", "engine": "local"})
        inputs = [_input(load) for load in loads]
        source = next((one.source for one in inputs if one.source), {})
        made, found = computed(data, params, source, Path(room), progress)
        progress("bundle")
        before = backend.read("memberships", run_id=run.run_id, where={"level": 1, "fold": None})
        places = backend.read("communities", run_id=run.run_id, where={"level": 1})
        beside, agreement = _beside(before, places, found, names)
        manifest = Manifest(
            format=FORMAT,
            run_id=made.run_id,
            of_run=run.run_id,
            pseudonyms=names is not None,
            params=made.params,
            fingerprint=made.fingerprint,
            of_fingerprint=run.fingerprint,
            versions=dict(made.versions),
            inputs=inputs,
            data={name: _table(rows) for name, rows in data.items()},
            tables={name: _table(rows) for name, rows in found.items()},
            files={},
        )
        files = {
            **{f"data/{name}.parquet": _bytes(rows, "parquet") for name, rows in data.items()},
            **{f"tables/{name}.parquet": _bytes(rows, "parquet") for name, rows in found.items()},
            **{f"csv/{name}.csv": _bytes(found[name], "csv") for name in MAIN if len(found[name])},
            "csv/of_run.csv": _bytes(beside, "csv"),
            **dict(_figures(made, found)),
            "METHODS.md": methods(manifest, made, found, agreement).encode(),
            "CITATION.cff": citation_cff(manifest, made).encode(),
            "citation.bib": citation_bib(manifest, made).encode(),
        }
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        manifest = manifest.model_copy(update={"files": sums})
        said = manifest.model_dump_json(indent=1).encode()
        _zip(stream, {MANIFEST: said, **files})
    every = {MANIFEST: said, **files}
    return pa.table(
        {
            "file": list(every),
            "bytes": [len(content) for content in every.values()],
            "sha256": [hashlib.sha256(content).hexdigest() for content in every.values()],
        }
    )


def _loaded(backend: Backend, folder: Path) -> tuple[list[Loaded], dict[str, pa.Table]]:
    folder.mkdir()
    loads = list(backend.dump(folder))
    tables = {
        name: pq.read_table(folder / f"{name}.parquet")
        for name in CANONICAL
        if (folder / f"{name}.parquet").exists()
    }
    if not tables:
        raise UsageError("a bundle", "the store holds no rows", "load an export first")
    return loads, merged(tables)


def _ordered(tables: Tables) -> dict[str, pa.Table]:
    """Sort rows by their key, so that their order tells nothing of the original ids."""
    found = {}
    for name, rows in tables.items():
        keys = [(key, "ascending") for key in CANONICAL[name].key]
        found[name] = rows.sort_by(keys).combine_chunks()
    return found


def _input(load: Loaded) -> Input:
    report = load.report
    return Input(
        fingerprint=load.fingerprint,
        format=report.format,
        rows=dict(report.rows),
        rejected=dict(report.rejected),
        source=dict(report.options.get("source") or {}),
    )


def _table(rows: pa.Table) -> Table:
    return Table(rows=rows.num_rows, digest=digest(rows))


def _bytes(rows: pa.Table, format: Any) -> bytes:
    out = io.BytesIO()
    write(rows, out, format)
    return out.getvalue()


def _beside(
    before: pa.Table, places: pa.Table, found: Tables, names: Pseudonyms | None
) -> tuple[pa.Table, str]:
    """Say which community of the bundle is which of the run it was made from, and how like."""
    now = found["memberships"]
    now = now.filter(pc.and_(pc.equal(now["level"], 1), pc.is_null(now["fold"])))
    if names is not None:
        at = before.schema.get_field_index("user_id")
        before = before.set_column(at, "user_id", names.people(before["user_id"]))
    both = Places.of(now, before)
    mine = found["communities"].filter(pc.equal(found["communities"]["level"], 1))
    nmi, _ = both.agreement()
    beside = communities(mine, places, both, both.matched())
    if names is not None:
        # What a community is called by may be the names of its members.
        at = beside.schema.get_field_index("other_label")
        nothing = pa.nulls(beside.num_rows, beside.schema.field(at).type)
        beside = beside.set_column(at, beside.schema.field(at), nothing)
    same = "no community in either" if np.isnan(nmi) else f"normalised mutual information {nmi:.3f}"
    return beside, (
        "Beside the run it was made from: users are in the same communities to a degree of "
        f"{same}; `csv/of_run.csv` says which community is which (`other_` is the run it was made "
        "from)."
    )


def _figures(run: RunInfo, found: Tables) -> Iterator[tuple[str, bytes]]:
    """Draw loudness against score, and claims against what came true."""
    scores = found["scores"]
    known = pc.and_(pc.is_null(scores["community_id"]), pc.is_valid(scores["influence"]))
    known = pc.and_(known, pc.is_valid(scores["resonance_low"]))
    shown = scores.filter(known).sort_by([("observed", "descending"), ("source_id", "ascending")])
    rows = shown.slice(0, _POINTS).to_pylist()
    labels = _labels(found)
    if rows:
        named = [labels.get((r["source_kind"], r["source_id"]), r["source_id"]) for r in rows]
        drawn = svg(quadrants(rows, named, run.tier), inline=False)
        yield "figures/quadrants.svg", drawn.encode()
    bins = found["calibration_bins"]
    for kind in pc.unique(bins["source_kind"]).to_pylist():
        own = bins.filter(
            pc.and_(pc.equal(bins["source_kind"], kind), pc.is_null(bins["platform"]))
        )
        yield (
            f"figures/calibration_{kind}.svg",
            svg(calibration(own.to_pylist()), inline=False).encode(),
        )


def _labels(found: Tables) -> dict[tuple[str, str], str]:
    rows = found["influence"].select(["source_kind", "source_id", "label"]).to_pylist()
    return {(row["source_kind"], row["source_id"]): str(row["label"]) for row in rows}


def _zip(stream: Any, files: Files) -> None:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as bundle:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)  # dated 1980: nothing of when it was written
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            bundle.writestr(entry, content)
