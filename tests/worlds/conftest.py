"""Print what the gates of the measure demanded and what was measured."""

from __future__ import annotations

import pytest

from tests.worlds.ledger import LEDGER

_WORDS = {True: "met", False: "MISSED", None: "told"}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not LEDGER:
        return
    terminalreporter.section("gates of the measure: target and measured")
    rows = [("gate", "world", "target", "measured", "")]
    rows += [(e.gate, e.world, e.target, e.measured, _WORDS[e.met]) for e in LEDGER]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True))
        terminalreporter.write_line("  ".join(cells).rstrip())
