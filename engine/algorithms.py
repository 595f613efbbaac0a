"""Who computes what an analysis asks of a graph: kindred's own kernels, or a store's server.

An analysis hands over graphs and gets labels and ranks; it does not know who found them.
`Local` is what every store can do. A store with algorithms of its own brings a class of its
own, which answers about the same graphs or not at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np

from engine.csr import Csr, Floats, Ints
from engine.kernels.components import components
from engine.kernels.leiden import leiden
from engine.kernels.pagerank import pagerank, pagerank_by_label
from engine.parallel import in_threads
from engine.partition import UNASSIGNED

__all__ = ["Algorithms", "Local", "of_tied"]


class Algorithms(ABC):
    """What analyses ask of graphs: communities, authority, components, degrees.

    Every answer is the same for the same graph and seed. Labels and ranks come in the order
    of the graph's nodes.
    """

    engine: ClassVar[Literal["gds", "local"]]
    """The name a run keeps."""

    @property
    def reason(self) -> str:
        """Why it is this engine, in one line; empty where there is no other."""
        return ""

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of what computes, beside kindred's own."""
        return {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a run should say of how it was computed."""
        return ()

    @abstractmethod
    def communities(
        self,
        graphs: Sequence[Callable[[], Csr]],
        gamma: float,
        seed: int,
        kinds: Sequence[str] = (),
    ) -> Iterator[Ints]:
        """Find the communities of undirected graphs over the same nodes, in their order.

        Each graph is made when it is needed; `kinds` says of what ties, as `Ties.kinds`, for
        an engine that may have them already. Labels count up by falling size, ties by lowest
        node; a node without a tie is `UNASSIGNED`; every community is connected.
        """

    @abstractmethod
    def pagerank(
        self, graph: Csr, labels: Ints, damping: float, tolerance: float
    ) -> tuple[Floats, Floats]:
        """Return the mass of each node in two walks along a directed graph.

        The first restarts anywhere; its masses sum to 1. The second restarts at the nodes of
        the node's own label; below 0 is no label, and the mass is 0.
        """

    @abstractmethod
    def components(self, graph: Csr) -> Ints:
        """Return the weakly connected component of each node, numbered by lowest node."""

    @abstractmethod
    def degrees(self, graph: Csr) -> Floats:
        """Return the sum of each node's out-weights."""


def of_tied(graph: Csr, labels: Ints) -> Ints:
    """Leave nodes without a tie unassigned, and close the gaps in the numbers.

    Labels by falling size stay so: who has no tie is alone.
    """
    tied = np.diff(graph.indptr) > 0
    found = np.full(graph.n, UNASSIGNED, np.int32)
    found[tied] = np.unique(labels[tied], return_inverse=True)[1]
    return found


class Local(Algorithms):
    """The compiled kernels of this process, on every processor it may use.

    Parameters
    ----------
    reason
        Why not another engine, where there is one.

    Examples
    --------
    >>> from engine.csr import Csr
    >>> graph = Csr.undirected([0, 0, 1], [1, 2, 2], [1.0, 1.0, 1.0], 4)
    >>> [labels.tolist() for labels in Local().communities([lambda: graph], 1.0, 1)]
    [[0, 0, 0, -1]]
    >>> Local().degrees(graph).tolist()
    [2.0, 2.0, 2.0, 0.0]
    """

    engine = "local"

    def __init__(self, reason: str = "") -> None:
        self._reason = reason

    @property
    def reason(self) -> str:
        """Why it is this engine, in one line; empty where there is no other."""
        return self._reason

    def communities(
        self,
        graphs: Sequence[Callable[[], Csr]],
        gamma: float,
        seed: int,
        kinds: Sequence[str] = (),  # noqa: ARG002 - the graphs say it all
    ) -> Iterator[Ints]:
        """Run Leiden on each graph, several at a time."""

        def labels(make: Callable[[], Csr]) -> Ints:
            graph = make()
            return of_tied(graph, leiden(graph, gamma, seed))

        return in_threads(labels, graphs)

    def pagerank(
        self, graph: Csr, labels: Ints, damping: float, tolerance: float
    ) -> tuple[Floats, Floats]:
        """Return the mass of each node overall, and in the walk of its own label."""
        k = int(labels.max(initial=-1)) + 1
        return (
            pagerank(graph, damping, tolerance=tolerance),
            pagerank_by_label(graph, labels, k, damping, tolerance),
        )

    def components(self, graph: Csr) -> Ints:
        """Return the weakly connected component of each node, numbered by lowest node."""
        return components(graph)

    def degrees(self, graph: Csr) -> Floats:
        """Return the sum of each node's out-weights."""
        return graph.degrees
