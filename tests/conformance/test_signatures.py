"""Every store takes what the contract says, and its verbs are tested."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from engine.contract import Backend
from tests.conformance.conf import VERBS, Conf, Gap
from tests.conformance.registry import CONFS

HERE = Path(__file__).parent
TOGETHER = {"knows": "batches", "run": "runs", "keep_mapping": "mapping"}
"""Verbs that are tested in the file of another."""


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("conf", CONFS.values(), ids=lambda conf: conf.name)
def test_a_verb_takes_what_the_contract_says(conf: Conf, verb: str) -> None:
    # What comes back is mypy's to check: `stage` is declared by its decorator.
    told = inspect.signature(getattr(conf.store(), verb)).parameters
    assert dict(told) == dict(inspect.signature(getattr(Backend, verb)).parameters)


@pytest.mark.parametrize("conf", CONFS.values(), ids=lambda conf: conf.name)
def test_what_a_store_says_it_cannot_do_is_a_gap(conf: Conf) -> None:
    never = {gap.verb: gap.reason for gap in conf.gaps if gap.grade == "never"}
    assert {verb: never.get(verb) for verb in conf.store().cannot} == dict(conf.store().cannot)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_its_file(verb: str) -> None:
    assert (HERE / f"test_{TOGETHER.get(verb, verb)}.py").is_file()


def test_a_gap_in_no_verb_is_refused() -> None:
    with pytest.raises(ValueError, match="no verb 'wriet'; there are stage, write"):
        Gap("wriet", ("test_a",), "never", "a slip", KeyError)


def test_a_gap_is_strict_and_names_tests_that_are_there(request: pytest.FixtureRequest) -> None:
    """One that closes turns the run red; one of no test stops the collection."""
    kept = [item for item in request.session.items if item.path == HERE / "test_close.py"]
    if not kept:
        pytest.skip("only where the tests of close are collected too")
    item = kept[0]
    assert isinstance(item, pytest.Function)
    gap = Gap("close", (item.originalname,), "notyet", "it waits", KeyError, given="gds")
    assert gap.holds(item, ["gds"])
    assert not gap.holds(item, ["local"])
    assert gap.mark.kwargs == {"strict": True, "reason": "notyet: it waits", "raises": KeyError}
    with pytest.raises(pytest.UsageError, match=r"test_close.py has no test test_clsoe"):
        Gap("close", ("test_clsoe",), "never", "a slip", KeyError).holds(item, [])
