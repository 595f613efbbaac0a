"""How kernels are compiled: without the interpreter lock, cached, exact arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

__all__ = ["kernel"]

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a function on first use and keep the machine code beside the source.

    No fast-math and no parallel loops: the same input gives the same bytes whatever the
    number of threads. Callers may run several kernels in threads of their own.
    """
    return cast("F", numba.njit(cache=True, nogil=True, fastmath=False)(function))
