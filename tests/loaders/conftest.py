"""A shelf in the place of a store: it takes what loaders hand over and shows it as tables."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.contract import Backend, Batch, LoadReport
from engine.model import CANONICAL
from engine.progress import Progress, silent
from loaders.run import load

Rows = list[dict[str, Any]]


@dataclass
class Shelf:
    """Keeps staged tables as they are; checks that they are what the contract says."""

    home: Path
    tables: dict[str, pa.Table] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)

    @contextmanager
    def stage(self) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(dir=self.home))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def knows(self, fingerprint: str) -> bool:
        return any(b.fingerprint == fingerprint for b in self.batches)

    def write(self, batch: Batch, progress: Progress = silent) -> LoadReport:
        progress("writing")
        known = self.knows(batch.fingerprint)
        found = {p.stem: pq.read_table(p) for p in sorted(batch.folder.iterdir())}
        for name, table in found.items():
            if name != "rejects":
                assert table.schema.names == CANONICAL[name].schema.names
                assert table.schema.types == CANONICAL[name].schema.types
                for column in CANONICAL[name].required:
                    assert table[column].null_count == 0
        self.batches.append(batch)
        self.tables |= found
        rejected: dict[str, int] = {}
        if "rejects" in found:
            for reason in found["rejects"]["reason"].to_pylist():
                rejected[reason] = rejected.get(reason, 0) + 1
        rows = {name: len(t) for name, t in found.items() if name != "rejects"}
        return LoadReport(
            "b", batch.source, batch.format, known, rows, rows, rejected, batch.options
        )

    def rows(self, name: str) -> Rows:
        """Rows of a table without their nulls, in the order of all their values."""
        if name not in self.tables:
            return []
        rows = [
            {k: v for k, v in row.items() if v is not None} for row in self.tables[name].to_pylist()
        ]
        return sorted(rows, key=lambda r: [(k, str(v)) for k, v in sorted(r.items())])

    def column(self, name: str, *columns: str) -> set[tuple[Any, ...]]:
        """The distinct values of some columns of a table."""
        if name not in self.tables:
            return set()
        return set(zip(*(self.tables[name][c].to_pylist() for c in columns), strict=True))


class Load(Protocol):
    """Load something onto a fresh shelf; return the shelf and the last report."""

    def __call__(
        self, path: Path, *, format: str | None = None, **options: Any
    ) -> tuple[Shelf, LoadReport]: ...


@pytest.fixture
def loaded(tmp_path: Path) -> Load:
    home = tmp_path / "shelf"
    home.mkdir()

    def run(path: Path, *, format: str | None = None, **options: Any) -> tuple[Shelf, LoadReport]:
        shelf = Shelf(home)
        (report,) = load(cast("Backend", shelf), path, format=format, options=options)
        assert list(home.iterdir()) == [], "nothing is left in the staging folders"
        return shelf, report

    return run


Write = Callable[[str, bytes | str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file into a folder of its own."""
    folder = tmp_path / "exports"
    folder.mkdir()

    def run(name: str, body: bytes | str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body.encode() if isinstance(body, str) else body)
        return path

    return run


def write_tables(folder: Path, tables: Mapping[str, str]) -> Path:
    """Write files of a canonical folder, each given as text."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        (folder / name).write_text(text, "utf-8")
    return folder
