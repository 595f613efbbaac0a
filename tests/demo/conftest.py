"""What the tests of the demos share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo.ahead import Demos


@pytest.fixture(scope="session")
def demos(demos_ahead: Demos) -> Path:
    """What all three demos wrote, and what they printed beside it."""
    return demos_ahead.finished()
