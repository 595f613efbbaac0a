"""What each store has to say of itself for the conformance suite: how to start, what it cannot.

A gap names the tests of a verb that a store fails, and how grave that is: `notimpl` is ours
to do, `notyet` waits for somebody else, `never` cannot be and says why. Gaps are strict: one
that closes turns the run red, and one that names no test stops the collection.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, Protocol

import pytest

from engine.contract import Backend

VERBS: Final = tuple(
    name for name in vars(Backend) if not name.startswith("_") and callable(vars(Backend)[name])
)
"""Every verb of the contract, in its order."""

Grade = Literal["notimpl", "notyet", "never"]


@dataclass(frozen=True)
class Gap:
    """Tests of one verb that a store is known to fail."""

    verb: str
    tests: tuple[str, ...]
    """Names of the tests; none are all of the verb's."""
    grade: Grade
    reason: str
    raises: type[BaseException]
    given: str = ""
    """Only where the test is given this value, such as an engine."""

    def __post_init__(self) -> None:
        if self.verb not in VERBS:
            msg = f"no verb {self.verb!r}; there are {', '.join(VERBS)}"
            raise ValueError(msg)

    def holds(self, item: pytest.Function, given: Sequence[object]) -> bool:
        """Say whether a test, with what it is given, is one of the gap's.

        Raises
        ------
        pytest.UsageError
            If the verb's file has no test of a name that the gap says.
        """
        if item.path.stem != f"test_{self.verb}":
            return False
        if missing := [name for name in self.tests if not hasattr(item.module, name)]:
            raise pytest.UsageError(f"{item.path.name} has no test {', '.join(missing)}")
        named = not self.tests or item.originalname in self.tests
        return named and (not self.given or self.given in given)

    @property
    def mark(self) -> pytest.MarkDecorator:
        """The mark of each of its tests."""
        said = f"{self.grade}: {self.reason}"
        return pytest.mark.xfail(strict=True, reason=said, raises=self.raises)


class Place(Protocol):
    """Where stores of one kind are made."""

    def empty(self) -> str:
        """Return an address that holds no store."""

    def open(
        self, address: str, *, create: bool = True, read_only: bool = False, wait: bool = True
    ) -> Backend:
        """Open the store at an address."""


class Conf(ABC):
    """One kind of store."""

    name: ClassVar[str]
    title: ClassVar[str]
    address: ClassVar[str]
    """What a user writes after `--store`."""
    marks: ClassVar[Sequence[pytest.MarkDecorator]] = ()
    several: ClassVar[bool] = True
    """Whether a place keeps several stores at once."""
    examples: ClassVar[int] = 1
    """How many drawn examples a property may cost here, beside the one that is written down."""
    gaps: ClassVar[Sequence[Gap]] = ()
    costly: ClassVar[Sequence[str]] = ()
    """Names of tests that run here with `gates` only: tests of the store's own are as strict."""

    @abstractmethod
    def store(self) -> type[Backend]:
        """Return the class of the store."""

    @abstractmethod
    def start(self, request: pytest.FixtureRequest) -> Place:
        """Start what is needed, once a session."""
