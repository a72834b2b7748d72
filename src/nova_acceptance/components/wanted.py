"""What tests of this process are about that are going to run, so that it can be asked ahead."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
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
        module: whose tests alone are known to run here, where workers of pytest-xdist share the
            modules among them; empty where all do.
        session: has the tests.
    """

    fixture: str
    module: str
    session: pytest.Session

    @classmethod
    def by(cls, item: pytest.Item, fixture: str) -> Wanted:
        """Return what is known at a test of those that will be given a fixture."""
        is_shared = hasattr(item.config, "workerinput")
        return cls(fixture, _module_of(item) if is_shared else "", item.session)

    def tests(self) -> list[Mapping[str, Any]]:
        """Return what each of the tests is about, by the names of its arguments."""
        return [item.callspec.params for item in self._items()]

    def by_name(self) -> bool:
        """Whether one of the tests names the fixture itself, and not only what is made with it."""
        return any(
            self.fixture in inspect.signature(item.function).parameters for item in self._items()
        )

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


def foreseen(request: pytest.FixtureRequest, fixture: str) -> Any:
    """Return a fixture of the session before a test wants it.

    What is asked for it is no evidence of the test that is running.

    Returns:
        the fixture; None where it cannot be had, which each test that wants it meets as well.
    """
    with apart(unheard), suppress(NovaError, FindingError):
        return request.getfixturevalue(fixture)
    return None


class Once:
    """Tells what comes for the first time."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, ...]] = set()

    def is_first(self, *what: str) -> bool:
        """Whether this has not been asked before."""
        if what in self._seen:
            return False
        self._seen.add(what)
        return True


def _module_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
