"""The plugin inside a worker of pytest-xdist.

Only the controller writes the record. A worker's facts travel to it on the next test report, and
what is left at the end in the worker's output. Disruptive tests run alone: a worker holds a lock
while it runs a test, shared for an ordinary test and exclusive for a disruptive one.
"""

from __future__ import annotations

import fcntl
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from nova_acceptance import masking
from nova_acceptance.cluster.lock import take
from nova_acceptance.errors import ProbeError
from nova_acceptance.plugin import layers
from nova_acceptance.plugin.facts import extra
from nova_acceptance.report import Fact, timestamp

LOCK: Final = "nova_lock"
"""The worker input that names the file of the lock."""

OUTBOX: Final = "nova_facts"
"""The key of facts on a report, and in the worker's output."""


def is_worker(config: pytest.Config) -> bool:
    """Tell whether this process is a worker of pytest-xdist."""
    return hasattr(config, "workerinput")


class Worker:
    """Sends a worker's facts to the controller and keeps disruptive tests alone."""

    def __init__(self, config: pytest.Config) -> None:
        self._outbox: list[Fact] = []
        self._deselected = 0
        self._lock = Path(config.workerinput[LOCK])  # type: ignore[attr-defined]

    @property
    def directory(self) -> Path:
        """The run's directory, which is the controller's."""
        return self._lock.parent

    def send(self, fact: Fact) -> None:
        """Keep a fact of a fixture until the next report."""
        self._outbox.append(fact)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Tell how many tests the command line left out so far; every worker sees the same."""
        self._deselected += len(items)
        self._outbox.append(
            {"type": "collected", "time": timestamp(), "deselected": self._deselected}
        )

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the facts that came since the last report, and what the test is."""
        report = yield
        extra(report)[OUTBOX] = self._drain()
        if report.when == "setup":
            extra(report)["test"] = masking.masked(layers.description(item))
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_to_serializable(self) -> Generator[None, Any, Any]:
        """Make a report of what can travel: a phrase is a string of a kind that cannot."""
        return _plain((yield))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Run a disruptive test alone."""
        with _held(self._lock, exclusive=layers.is_disruptive(item)):
            return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Leave the last facts, those of session fixtures' teardown after an interrupt."""
        try:
            yield
        finally:
            session.config.workeroutput[OUTBOX] = _plain(self._drain())  # type: ignore[attr-defined]

    def _drain(self) -> list[Fact]:
        # Fixtures may add from other threads meanwhile: take away only what was taken.
        fresh = self._outbox[:]
        del self._outbox[: len(fresh)]
        return [masking.masked(fact) for fact in fresh]


def _plain(value: Any) -> Any:
    """Return data with every string in it of the very type, which alone execnet sends."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, dict):
        return {_plain(key): _plain(leaf) for key, leaf in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(leaf) for leaf in value)
    return value


@contextmanager
def _held(path: Path, *, exclusive: bool) -> Iterator[None]:
    with path.open("a") as file:
        try:
            take(file, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        except BlockingIOError:
            raise ProbeError(
                "the tests of the other workers did not end",
                hint="run without -n, or see what the other workers wait for",
            ) from None
        yield
