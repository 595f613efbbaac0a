"""Who computes for a store on a server: its Graph Data Science, or kindred's own kernels.

Measured by `make bench` on the Higgs activity, with the same ties: the kernels are several
times as fast, and their communities have the higher modularity. So they are what `auto`
takes; Graph Data Science is there for who wants the work done, and shown, on the server.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from engine.algorithms import Algorithms, Local
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.gds_support import LEAST_GDS, Installed, installed
from engine.errors import MissingProcedure
from engine.params import Engine
from engine.progress import Progress, silent

__all__ = ["choose"]


def choose(
    link: Link,
    engine: Engine,
    users: Callable[[], pa.StringArray] | None,
    progress: Progress = silent,
) -> Algorithms:
    """Return the engine that is asked for, or the faster one.

    Parameters
    ----------
    link
        The store's connection.
    engine
        `auto` takes kindred's kernels, and says why.
    users
        Gives the user ids by number; None where the graph is somebody's own.
    progress
        Told of what Graph Data Science does.

    Raises
    ------
    MissingProcedure
        If `gds` is asked for and the server has none that the client speaks with.
    """
    if engine == "local":
        return Local("kindred's own kernels on the streamed graph, as asked")
    found = installed(link)
    if engine == "auto":
        return Local(f"kindred's own kernels on the streamed graph; {_why(found)}")
    if found.standing == "refused":
        raise MissingProcedure(
            "an analysis with Graph Data Science",
            f"{link.address} has {_has(found)}",
            "leave --engine out for kindred's own kernels, or add the plugin to the server",
        )
    # The client brings pandas along, which nobody else here needs.
    from engine.backends.neo4j.gds import Gds

    return Gds(link, found, users, progress)


def _has(found: Installed) -> str:
    if found.gds is None:
        return "no Graph Data Science"
    return (
        f"Graph Data Science {found.gds}; the client speaks with "
        f"{'.'.join(map(str, LEAST_GDS))} and later versions of 2"
    )


def _why(found: Installed) -> str:
    if found.standing == "refused":
        return f"the server has {_has(found)}"
    return f"Graph Data Science {found.gds} is there, but slower: --engine gds"
