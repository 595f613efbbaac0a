"""`__all__` says what a module offers: no more, no less."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import kindred
from kindred.beside import ROOMS


def modules() -> Iterator[str]:
    """Names of all shipped modules."""
    for room in ("kindred", *ROOMS):
        package = importlib.import_module(room)
        yield room
        for found in pkgutil.walk_packages(package.__path__, f"{room}."):
            if not found.name.endswith("__main__"):
                yield found.name


@pytest.mark.parametrize("name", list(modules()))
def test_all_names_exist(name: str) -> None:
    module = importlib.import_module(name)
    exported = getattr(module, "__all__", None)
    if exported is None:
        spec = module.__spec__
        assert spec is not None
        assert spec.submodule_search_locations is not None, f"{name} declares no __all__"
        assert public(name) == set(), f"{name} declares no __all__"
        return
    assert list(exported) == sorted(set(exported), key=exported_order)
    for each in exported:
        assert hasattr(module, each), f"{name}.{each}"


def exported_order(name: str) -> tuple[int, str]:
    """Order names as ruff does: constants, then classes, then the rest."""
    bare = name.lstrip("_")
    kind = 0 if bare.isupper() and len(bare) > 1 else 1 if bare[:1].isupper() else 2
    return kind, name


def public(name: str) -> set[str]:
    """Names of functions and classes that a module defines without an underscore."""
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }


def test_the_library_offers_what_it_says() -> None:
    for name in kindred.__all__:
        assert getattr(kindred, name) is not None
    assert set(kindred.__all__) <= set(dir(kindred))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = kindred.nothing
