"""The three demos, run beside the tests that come before theirs.

They take a minute of one processor, and what a test wants of them is what they leave behind.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

NAMES: Final = ("parliament", "world", "election")
NOT_SERVING: Final[dict[str, tuple[dict[str, str], tuple[str, ...]]]] = {
    "parliament": ({"DEMO_SERVE": "0"}, ())
}
"""How a demo is told to end after writing; by default with `--no-serve`."""
_TIME_OUT: Final = 280


class Demos:
    """Runs the demos as one would type them, one after the other, in processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # As they are now: tests that run meanwhile change both for a while.
        self._around, self._here = dict(os.environ), Path.cwd()
        self._one = ThreadPoolExecutor(1)
        self._process: subprocess.Popen[str] | None = None
        self._ended: list[Future[None]] = [self._one.submit(self._run, name) for name in NAMES]

    def finished(self) -> Path:
        """Wait, and return the folder with what each wrote, and printed as `NAME.txt`."""
        for ended in self._ended:
            ended.result()
        return self.folder

    def stop(self) -> None:
        """End what is still running."""
        self._one.shutdown(wait=False, cancel_futures=True)
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        self._one.shutdown()

    def _run(self, name: str) -> None:
        environment, words = NOT_SERVING.get(name, ({}, ("--no-serve",)))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "kindred", "demo", name, "-o", str(self.folder), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._around | environment,
            cwd=self._here,
        )
        out, err = self._process.communicate(timeout=_TIME_OUT)
        assert self._process.returncode == 0, err
        (self.folder / f"{name}.txt").write_text(out, encoding="utf-8")
