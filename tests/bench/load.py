"""How fast is loading? `python -m tests.bench.load [activity.txt.gz]`.

Loads SNAP Higgs activity (563,069 events) into a fresh store: into the log and the graph
that can be queried, in this process, and as a whole process with its start. Beside it the
same file parsed by DuckDB alone, into memory: what no loader can beat.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

EVENTS = 563_069
HIGGS = (
    Path(__file__).resolve().parents[3]
    / "shared" / "data" / "higgs-twitter" / "higgs-activity_time.txt.gz"
)  # fmt: skip


def parse(path: Path) -> float:
    """Seconds that DuckDB takes to read the file, ids as text."""
    start = time.perf_counter()
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE raw AS SELECT * FROM read_csv($path, delim = ' ', header = false,"
            " columns = {'a': 'VARCHAR', 'b': 'VARCHAR', 't': 'VARCHAR', 'k': 'VARCHAR'})",
            {"path": str(path)},
        )
    return time.perf_counter() - start


def load(path: Path, store: Path) -> dict[str, float]:
    """Seconds until the tables are staged, and until the store has them, graph and all."""
    from engine.backends.embedded.store import EmbeddedStore
    from loaders.run import load as load_into

    start = time.perf_counter()
    staged: list[float] = []

    def listen(stage: str, done: float = 0, total: float | None = None) -> None:
        if stage.startswith("shaping") and done == total:
            staged.append(time.perf_counter() - start)

    with EmbeddedStore.open(store, create=True) as backend:
        (report,) = load_into(backend, path, progress=listen)
    assert report.rows["interactions"] == EVENTS
    return {"staged as Parquet": staged[-1], "log and graph": time.perf_counter() - start}


def whole_process(path: Path, store: Path) -> float:
    """Seconds of `kindred load`, start and imports included."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "kindred", "load", str(path), "--store", str(store), "--quiet"],
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - start


def main(path: Path = HIGGS) -> None:
    """Print events per second of each."""
    if not path.exists():
        print("load: the Higgs activity is not beside the project; not measured")
        return
    with tempfile.TemporaryDirectory() as folder:
        seconds = {"DuckDB parse alone": min(parse(path) for _ in range(3))}
        seconds |= load(path, Path(folder) / "one")
        seconds["whole process"] = whole_process(path, Path(folder) / "two")
    print(f"{'':<20} {'seconds':>8} {'events/s':>10}")
    for what, took in seconds.items():
        print(f"{what:<20} {took:>8.2f} {EVENTS / took:>10,.0f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HIGGS)
