"""Which package may import which, and what never ships."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from kindred.beside import ROOMS, check_rooms

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ("kindred", *ROOMS)
FORBIDDEN = {"igraph", "leidenalg", "raphtory", "networkx", "networkit"}
ONE_FOLDER = {
    "ladybug": "engine/backends/embedded",
    "neo4j": "engine/backends/neo4j",
    "graphdatascience": "engine/backends/neo4j",
    "pyspark": "engine/backends/spark",
    "fastapi": "api",
    "uvicorn": "api",
    "pyvis": "viz",
    "altair": "viz",
}


@cache
def imports() -> list[tuple[str, str]]:
    """List (file, root package imported) of all shipped code."""
    found = []
    for room in SHIPPED:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names = [node.module]
                here = path.relative_to(ROOT).as_posix()
                found += [(here, name.partition(".")[0]) for name in names]
    return found


def test_layers() -> None:
    ended = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout


def test_copyleft_and_oracles_stay_in_development() -> None:
    assert [(file, name) for file, name in imports() if name in FORBIDDEN] == []


def test_each_foreign_engine_is_imported_in_one_folder() -> None:
    assert [
        (file, name)
        for file, name in imports()
        if name in ONE_FOLDER and not file.startswith(ONE_FOLDER[name] + "/")
    ] == []


def test_no_package_imports_itself_by_tests() -> None:
    assert [(file, name) for file, name in imports() if name == "tests"] == []


def test_a_shadowed_room_is_named(tmp_path: Path) -> None:
    (tmp_path / "api.py").write_text("")
    ended = subprocess.run(
        [sys.executable, "-c", "import kindred"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    lines = ended.stderr.splitlines()
    assert lines[-3].endswith(f"wanted: kindred's own package 'api' in {ROOT / 'api'}")
    assert str(tmp_path / "api.py") in lines[-2]


def test_a_missing_room_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImportError, match="install kindred again"):
        check_rooms(["no_such_room"], tmp_path)
