"""The answer of `validate`: the score beside its rivals, and what stands behind it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from engine.validation import Validation
from kindred.result import Result

__all__ = ["Validated"]


class Validated(Result):
    """The score and its rivals as forecasts of later sharing. Its own rows are the rivals.

    Parameters
    ----------
    found
        The validation.
    split
        Part of the time that was learned from.
    notes
        Sentences that belong to the rows, such as that the data were made up.
    """

    calibration: Result
    """Slopes, cross-fitted and naive, by kind of source and platform."""
    bins: Result
    """Realised against predicted lift by bin of the prediction."""

    def __init__(self, found: Validation, split: float, notes: tuple[str, ...] = ()) -> None:
        words = f"learned on the first {split:.0%}, held against new sharers in the rest"

        def part(rows: pa.Table, title: str) -> Result:
            return Result(rows, f"{title}, {words}", notes=notes)

        super().__init__(found.rivals, f"the score and its rivals, {words}", notes=notes)
        self.calibration = part(found.calibration, "slopes")
        self.bins = part(found.calibration_bins, "realised against predicted")

    def write(self, folder: str | Path, *, force: bool = False) -> list[Path]:
        """Write the three tables as CSV into a folder, made where it is missing.

        Parameters
        ----------
        folder
            Where `rivals.csv`, `calibration.csv` and `calibration_bins.csv` come to stand.
        force
            Replace files that are there.
        """
        from kindred.writing import write_file

        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        parts = {"rivals": self, "calibration": self.calibration, "calibration_bins": self.bins}
        paths = [place / f"{name}.csv" for name in parts]
        for path, rows in zip(paths, parts.values(), strict=True):
            write_file(rows.to_arrow(), path, "csv", force=force)
        return paths
