"""The five internal packages must lie beside `kindred`, not be somebody else's.

Their names are common words. A file `api.py` in the folder a script is started from
would be imported instead, and fail far away from the cause; so it is named at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

__all__ = ["ROOMS", "check_rooms"]

ROOMS = ("engine", "cypher", "loaders", "api", "viz")
"""Packages installed beside `kindred`, internal to it."""


def check_rooms(rooms: Sequence[str] = ROOMS, home: Path | None = None) -> None:
    """Check that each room is the one installed with `kindred`.

    Nothing is imported. `home` is the folder that holds `kindred` and its rooms.

    Raises
    ------
    ImportError
        Naming the file that shadows a room, or the room that is missing.
    """
    home = home or Path(__file__).resolve().parent.parent
    for room in rooms:
        spec = find_spec(room)
        if spec is None:
            raise ImportError(
                f"wanted: the package '{room}' beside kindred in {home}\n"
                "found: none\n"
                "to do: install kindred again"
            )
        places = [Path(p).resolve() for p in spec.submodule_search_locations or ()]
        if home / room not in places:
            found = spec.origin or ", ".join(map(str, places))
            raise ImportError(
                f"wanted: kindred's own package '{room}' in {home / room}\n"
                f"found: {found}, which Python meets first and which shadows it\n"
                "to do: rename that file or folder, or start Python from another folder"
            )
