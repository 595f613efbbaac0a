"""Where everything lies inside a store's folder.

store.json            format and writer version
manifest.json         what counts: batches, runs, the active run, the graph's generation
adopted.json          mapping of the graph that the runs are about, if it is somebody's own
lock                  held by the one writer
log/<batch>/          immutable Parquet tables of one load
runs/<folder>/        immutable Parquet tables of one analysis
graph/<generation>/   one Ladybug file derived from log and active run
graph/<generation>/leases/  one file for each reader that holds the generation open
staging/              work in progress; nothing in it counts
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of a store.

    Examples
    --------
    >>> Layout(Path("s")).graph_file("g000001").as_posix()
    's/graph/g000001/graph.lbug'
    """

    root: Path

    @property
    def store_json(self) -> Path:
        """Format and writer version."""
        return self.root / "store.json"

    @property
    def adopted(self) -> Path:
        """The mapping of somebody's own graph, where the runs are about one."""
        return self.root / "adopted.json"

    @property
    def manifest(self) -> Path:
        """The one file whose replacement commits."""
        return self.root / "manifest.json"

    @property
    def lock(self) -> Path:
        """The writer's lock."""
        return self.root / "lock"

    @property
    def log(self) -> Path:
        """Folder of batches."""
        return self.root / "log"

    @property
    def runs(self) -> Path:
        """Folder of runs."""
        return self.root / "runs"

    @property
    def graph(self) -> Path:
        """Folder of graph generations."""
        return self.root / "graph"

    @property
    def staging(self) -> Path:
        """Folder of work in progress."""
        return self.root / "staging"

    def batch(self, batch_id: str) -> Path:
        """Folder of a batch."""
        return self.log / batch_id

    def run(self, folder: str) -> Path:
        """Folder of a run."""
        return self.runs / folder

    def generation(self, name: str) -> Path:
        """Folder of a graph generation."""
        return self.graph / name

    def graph_file(self, name: str) -> Path:
        """Ladybug file of a generation."""
        return self.generation(name) / "graph.lbug"

    def leases(self, name: str) -> Path:
        """Folder of a generation's leases."""
        return self.generation(name) / "leases"
