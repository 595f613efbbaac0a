"""The wheel alone: what is in it, and that it works where nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.wheel

PACKAGES = {"kindred", "engine", "cypher", "loaders", "api", "viz"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", out, ROOT], check=True)
    (built,) = out.glob("*.whl")
    return built


def test_holds_the_six_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {n.split("/", 1)[0] for n in names if ".dist-info" not in n.split("/", 1)[0]}
    assert tops == PACKAGES


def test_holds_what_git_tracks_of_them(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "-C", ROOT, "ls-files", *sorted(PACKAGES)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    with zipfile.ZipFile(wheel) as archive:
        names = {n for n in archive.namelist() if ".dist-info/" not in n}
    assert names == {t for t in tracked if t}


def test_ships_the_data_with_their_licences(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for demo in ("parliament", "election"):
        assert f"kindred/demo/data/{demo}/LICENSE.txt" in names
        assert f"kindred/demo/data/{demo}/source.toml" in names


def test_works_installed_alone(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env")
    target = next((tmp_path / "env" / "lib").glob("python3*")) / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    # Its dependencies are those of the environment that runs the tests; its code is the wheel's.
    site = next(p for p in sys.path if p.endswith("site-packages"))
    script = (
        "import sys; sys.path.append(sys.argv[1]); import kindred, engine;"
        "assert engine.__file__.startswith(sys.prefix), engine.__file__;"
        "sys.argv[1:] = sys.argv[2:]; from kindred.cli import main; sys.exit(main())"
    )
    done = subprocess.run(
        [
            tmp_path / "env" / "bin" / "python",
            "-c",
            script,
            site,
            "demo",
            "parliament",
        ],
        cwd=tmp_path,
        env={**os.environ, "DEMO_SERVE": "0"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Jeremy Corbyn" in done.stdout
