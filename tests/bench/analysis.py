"""A whole analysis of the Higgs activity: seconds by stage, and how often Leiden ran."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from engine.connect import connect
from engine.params import AnalysisParams
from engine.verbs import RUNS, analyse
from loaders.run import load

FILE = (
    Path(__file__).resolve().parents[3]
    / "shared" / "data" / "higgs-twitter" / "higgs-activity_time.txt.gz"
)  # fmt: skip


def main() -> None:
    """Print the stages of one analysis after a smaller one has compiled the kernels."""
    console = Console(width=100)
    if not FILE.exists():
        console.print("analysis: the Higgs activity is not beside the project; not measured")
        return
    with tempfile.TemporaryDirectory() as folder, connect(Path(folder) / "store") as backend:
        load(backend, FILE)
        analyse(backend, AnalysisParams(seed=2, rewirings=1))
        run = analyse(backend)
    table = Table(title="analysis of the Higgs activity (563,069 events, 304,691 users)")
    table.add_column("stage")
    table.add_column("seconds", justify="right")
    for stage, seconds in run.timings.items():
        table.add_row(stage, f"{seconds:.1f}")
    table.add_row("all", f"{sum(run.timings.values()):.1f}")
    console.print(table)
    console.print(f"{run.counts[RUNS]} {RUNS}")


if __name__ == "__main__":
    main()
