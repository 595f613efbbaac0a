"""Without exposure nothing is said to resonate; mentions and replies are attention."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]

FORBIDDEN = re.compile(r"\b(resona[nt]\w*|hollow|gems?)\b", re.IGNORECASE)
"""Words of tiers 1 and 2."""
COMMAND = re.compile(r"kindred resonance( \S+)*")


def test_the_words_of_other_tiers_are_caught() -> None:
    said = "Resonance resonant resonates resonating resonated hollow Gem gems; resin, resolve"
    assert FORBIDDEN.findall(said) == said.partition(";")[0].split()


@pytest.mark.parametrize(
    "words",
    [
        ("analyse", "--rewirings", "0"),
        ("communities",),
        ("communities", "c1"),
        ("resonance",),
        ("resonance", "--overall"),
        ("resonance", "--quadrant", "gem"),
        ("influence",),
        ("cascades",),
        ("calibration",),
    ],
)
def test_affinity_is_called_affinity(call: Call, desk: Path, words: tuple[str, ...]) -> None:
    ended = call(*words)
    assert ended.code == 0
    assert FORBIDDEN.findall(COMMAND.sub("", ended.out)) == []
    if words[0] in {"analyse", "resonance"}:
        assert "affinity (exposure unknown)" in ended.out.lower()


def test_made_data_is_said_on_every_line_and_beside_every_list(
    call: Call, tmp_path: Path, small_export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(small_export, "export")
    Path("export/source.toml").write_text(
        'title = "A made village"\nlicence = "CC0"\nnote = "planted"\nmade = true\n'
    )
    assert call("load", "export", "--quiet").code == 0
    assert call("analyse", "--rewirings", "0", "--no-split", "--quiet").code == 0
    for words in (("communities",), ("resonance", "--overall"), ("influence",), ("cascades",)):
        shown = call(*words)
        assert "made data: A made village" in shown.out
        assert all(line.startswith("made") for line in shown.out.splitlines())
        rows = call(*words, "--format", "csv")
        assert "made data: A made village" in rows.told
        assert "made data" not in rows.out
        assert call(*words, "--format", "csv", "--quiet").err == ""
