"""Independent pieces of work in threads: kernels let go of the interpreter."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["in_threads", "threads"]

T = TypeVar("T")
A = TypeVar("A")


def threads() -> int:
    """Return how many threads are used: `KINDRED_THREADS`, else the processors we may use."""
    asked = os.environ.get("KINDRED_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux says which processors are ours
        return os.cpu_count() or 1


def in_threads(work: Callable[[A], T], pieces: Iterable[A]) -> Iterator[T]:
    """Do the work on each piece, yielding answers in the order of the pieces.

    The answers do not depend on the number of threads; each piece brings its own seed.

    Examples
    --------
    >>> list(in_threads(abs, [-2, 1]))
    [2, 1]
    """
    count = threads()
    if count == 1:
        yield from map(work, pieces)
        return
    with ThreadPoolExecutor(count) as pool:
        yield from pool.map(work, pieces)
