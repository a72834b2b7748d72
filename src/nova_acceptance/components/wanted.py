"""What tests of this process are about that are going to run, so that it can be asked ahead."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from nova_acceptance.errors import NovaError
from nova_acceptance.findings import FindingError
from nova_acceptance.vantage.background import Background, unheard
from nova_acceptance.vantage.transcript import apart


@dataclass(frozen=True, slots=True)
class Wanted:
    """The tests of this process that are given some fixture.

    Attributes:
        fixture: its name.
        module: see `share_of`.
        session: has the tests.
    """

    fixture: str
    module: str
    session: pytest.Session

    @classmethod
    def by(cls, item: pytest.Item, fixture: str) -> Wanted:
        """Return what is known at a test of those that will be given a fixture."""
        return cls(fixture, share_of(item), item.session)

    def tests(self) -> list[Mapping[str, Any]]:
        """Return what each of the tests is about, by the names of its arguments."""
        return [item.callspec.params for item in self._items()]

    def by_name(self) -> bool:
        """Whether one of the tests names the fixture itself, and not only what is made with it."""
        return any(names(item, self.fixture) for item in self._items())

    def _items(self) -> Iterator[pytest.Function]:
        for item in self.session.items:
            if (
                isinstance(item, pytest.Function)
                and hasattr(item, "callspec")
                and self.fixture in item.fixturenames
                and self.module in ("", _module_of(item))
            ):
                yield item

    def begun(self, background: Background) -> None:
        """Let what was begun go on, or wait for it where pods may be killed meanwhile.

        Between the tests of a worker of pytest-xdist another worker may have the system for itself.
        """
        if self.module:
            background.settle()


def names(item: pytest.Item, *fixtures: str) -> bool:
    """Whether a test names one of some fixtures itself, and not only what is made with it."""
    if not isinstance(item, pytest.Function):
        return False
    return not parameters_of(item.function).keys().isdisjoint(fixtures)


@cache
def parameters_of(test: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    """Return what a test function is given, by name; it is run over many parts of nova.yaml."""
    return inspect.signature(test).parameters


def foreseen(request: pytest.FixtureRequest, fixture: str) -> Any:
    """Return a fixture of the session before a test wants it.

    What is asked for it is no evidence of the test that is running.

    Returns:
        the fixture; None where it cannot be had, which each test that wants it meets as well.
    """
    with apart(unheard), suppress(NovaError, FindingError):
        return request.getfixturevalue(fixture)
    return None


def share_of(item: pytest.Item) -> str:
    """Return the module whose tests alone are known to run in the process of a test.

    So it is in a worker of pytest-xdist; elsewhere all do, and it is empty.
    """
    return _module_of(item) if hasattr(item.config, "workerinput") else ""


def _module_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
