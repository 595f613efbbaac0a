"""kindred: where something resonates, beside where it is only loud.

>>> import kindred
>>> sorted(set(kindred.__all__) & {"connect", "Kindred", "Result"})
['Kindred', 'Result', 'connect']

Everything is imported when it is first asked for, so that `import kindred` and
`kindred --help` stay quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kindred.beside import check_rooms

if TYPE_CHECKING:
    from engine.errors import (
        DiskFull,
        InputError,
        KindredError,
        MangledIds,
        NotFound,
        StoreDamaged,
        StoreError,
        StoreLocked,
        StoreMissing,
        StoreNewer,
        TooLittleData,
        UnknownFormat,
        UsageError,
        WrongColumns,
    )
    from engine.params import AnalysisParams
    from kindred.facade import Kindred, connect
    from kindred.result import Result
    from kindred.settings import Settings

    __version__: str

__all__ = [
    "AnalysisParams",
    "DiskFull",
    "InputError",
    "Kindred",
    "KindredError",
    "MangledIds",
    "NotFound",
    "Result",
    "Settings",
    "StoreDamaged",
    "StoreError",
    "StoreLocked",
    "StoreMissing",
    "StoreNewer",
    "TooLittleData",
    "UnknownFormat",
    "UsageError",
    "WrongColumns",
    "__version__",
    "connect",
]

check_rooms()

_HOMES = {
    "AnalysisParams": "engine.params",
    "Kindred": "kindred.facade",
    "Result": "kindred.result",
    "Settings": "kindred.settings",
    "connect": "kindred.facade",
}
"""Where the names live that are not errors."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("kindred")
    elif name in __all__:
        value = getattr(import_module(_HOMES.get(name, "engine.errors")), name)
    else:
        raise AttributeError(f"module 'kindred' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
