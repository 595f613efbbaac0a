"""How kernels are compiled: without the interpreter lock, cached, exact arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import numba
from numba.core import event

from engine.progress import Progress

__all__ = ["kernel", "telling"]

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a function on first use and keep the machine code beside the source.

    No fast-math and no parallel loops: the same input gives the same bytes whatever the
    number of threads. Callers may run several kernels in threads of their own.
    """
    return cast("F", numba.njit(cache=True, nogil=True, fastmath=False)(function))


@contextmanager
def telling(progress: Progress) -> Iterator[None]:
    """Say so while kernels are compiled: it takes seconds, once a machine.

    Machine code that is found in the cache is not compiled, and nothing is said.
    """
    with event.install_listener("numba:compile", _Teller(progress)):
        yield


class _Teller(event.Listener):
    """Passes the start of a compilation on."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._compiled = 0

    def on_start(self, event: Any) -> None:  # noqa: ARG002 - which one says nothing to a user
        """Hear that a function is being compiled."""
        self._compiled += 1
        self._progress("compiling kernels, once on this machine", self._compiled)

    def on_end(self, event: Any) -> None:
        """Hear that it was."""
