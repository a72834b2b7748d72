"""Tests that nobody feels, called before their turn, so that nobody waits for what they ask.

A test whose arguments are clients of a component and parts of nova.yaml is a function of these. It
is called in the background, and what it asks is kept for it. In its turn it passes by that, or
raises what it raised then. One whose claim does not hold is called once more in its turn, and asks
anew, for pytest shows what a claim compares of the test that is running alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import pytest

from nova_acceptance.components.kind import Clients
from nova_acceptance.components.registry import kinds
from nova_acceptance.components.wanted import foreseen, parameters_of
from nova_acceptance.system import System
from nova_acceptance.tenancy import DISRUPTIVE
from nova_acceptance.vantage.background import Background
from nova_acceptance.vantage.outcomes import Outcome, outcome_of
from nova_acceptance.vantage.transcript import Transcript

_ENDINGS: Final = (
    pytest.skip.Exception,
    pytest.fail.Exception,
    pytest.xfail.Exception,
    pytest.exit.Exception,
    SystemExit,
)
_UNFELT: Final = ("undone", "own")
"""Arguments of the marker `writes` of tests that nobody feels."""
_EARLY: Final = pytest.StashKey["Early"]()


@dataclass(frozen=True, slots=True)
class _Call:
    """A test that can be called before its turn.

    Attributes:
        nodeid: the test.
        lane: what is called one after the other: tests of a module about one component.
        run: calls it.
        arguments: what it is called with, by name.
        came: what came of it.
    """

    nodeid: str
    lane: tuple[str, str]
    run: Callable[[], None]
    arguments: dict[str, Any]
    came: Future[Outcome[None]] = field(default_factory=Future)


class Early:
    """Calls tests in the background, and keeps what comes of each until its turn.

    Args:
        clients: a client of each component.
        system: what nova.yaml says.
        is_read_only: whether nothing is written in this run, not even what is gone again.
    """

    def __init__(self, clients: Clients, system: System, *, is_read_only: bool) -> None:
        self._clients = clients
        self._system = system
        self._is_read_only = is_read_only
        self._lock = threading.Lock()
        self._calls: dict[str, _Call] = {}

    def begin(self, items: Iterable[pytest.Item], background: Background) -> None:
        """Call those of the tests that nobody feels; the tests of a lane in their order."""
        lanes: dict[tuple[str, str], list[_Call]] = {}
        for item in items:
            if isinstance(item, pytest.Function) and (call := self._call(item)):
                lanes.setdefault(call.lane, []).append(call)
        for calls in lanes.values():
            self._calls |= {each.nodeid: each for each in calls}
            background.run(partial(self._make, calls, background))

    def take(self, item: pytest.Function) -> Outcome[None] | None:
        """Return what came of a test, once; None where it was not called, or has to be again.

        It has to be where a fixture gives it something else, such as more than the bare client.
        """
        with self._lock:
            call = self._calls.pop(item.nodeid, None)
        if call is None or call.came.cancel():
            return None
        came = call.came.result()
        is_the_same = all(item.funcargs[name] is each for name, each in call.arguments.items())
        return came if is_the_same and not isinstance(came.error, AssertionError) else None

    def forget(self) -> None:
        """Let every test be called in its turn from now on."""
        with self._lock:
            self._calls.clear()

    def _make(self, calls: Iterable[_Call], background: Background) -> None:
        for each in calls:
            if background.is_closed:
                return
            if each.came.set_running_or_notify_cancel():
                each.came.set_result(outcome_of(each.run))

    def _call(self, item: pytest.Function) -> _Call | None:
        """Return how a test is called; None for one that is felt or wants more."""
        given: dict[str, Any] = dict(item.callspec.params) if hasattr(item, "callspec") else {}
        used = {name for mark in item.iter_markers("usefixtures") for name in mark.args}
        if self._is_felt(item) or not used <= set(given):
            return None
        wanted = parameters_of(item.function)
        found: dict[str, Any] = {name: given[name] for name in wanted if name in given}
        if "system" in wanted:
            found["system"] = self._system
        asked = [name for name in wanted if name not in found]
        component = next(
            (
                part
                for kind in kinds()
                for part in given.values()
                if asked and kind.clients.keys() >= set(asked) and isinstance(part, kind.spec)
            ),
            None,
        )
        if component is None:
            return None

        def run() -> None:
            found.update({name: self._clients.of(component, name) for name in asked})
            try:
                item.function(**found)
            except _ENDINGS as error:  # it is said in the test's own turn
                raise AssertionError from error

        return _Call(item.nodeid, (item.nodeid.partition("::")[0], component.name), run, found)

    def _is_felt(self, item: pytest.Item) -> bool:
        """Whether somebody else could feel what a test does, or it is not asked in this run."""
        writing = item.get_closest_marker("writes")
        if writing and (self._is_read_only or writing.kwargs.keys().isdisjoint(_UNFELT)):
            return True
        return item.get_closest_marker(DISRUPTIVE) is not None


@pytest.hookimpl(trylast=True)
def pytest_nova_foresee(request: pytest.FixtureRequest) -> None:
    """Tests that nobody feels are called in the background, behind all other questions.

    Not in workers of pytest-xdist, between whose tests another one may disturb the system.
    """
    config = request.config
    if hasattr(config, "workerinput"):
        return
    clients: Clients | None = foreseen(request, "clients")
    background: Background | None = foreseen(request, "background") if clients else None
    if clients and background:
        is_read_only = config.getoption("read_only", default=False)
        early = Early(clients, request.getfixturevalue("system"), is_read_only=is_read_only)
        config.stash[_EARLY] = early
        early.begin(request.session.items, background)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Forget what was asked before the system is disturbed: nothing of it counts afterwards."""
    early = item.config.stash.get(_EARLY, None)
    if early and item.get_closest_marker(DISRUPTIVE):
        early.forget()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Let a test that was called before pass by what it asked then, or raise what it raised."""
    early = pyfuncitem.config.stash.get(_EARLY, None)
    came = early.take(pyfuncitem) if early else None
    if came is None:
        return None
    transcript = pyfuncitem.funcargs["transcript"]
    assert isinstance(transcript, Transcript)
    came.told(transcript)
    return True
